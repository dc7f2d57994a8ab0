"Wrong answers to the exercises of lesson 01, each with a piece of the hint it must get."

import re

import pandas as pd

from mlworkbook.ops.process import reaches, version_in
from wrong_answers import wrong


@wrong("tools.enough", "no letras ni decimales")
def compares_text(said, minimum):
    found = re.search(r"\d+(?:\.\d+)*", said)
    return bool(found) and found[0] >= minimum


@wrong("tools.enough", "no letras ni decimales")
def compares_decimals(said, minimum):
    found = re.search(r"\d+(?:\.\d+)?", said)
    return bool(found) and float(found[0]) >= float(re.match(r"\d+(?:\.\d+)?", minimum)[0])


@wrong("tools.enough", "solo el primer número")
def only_the_first_number(said, minimum):
    version = version_in(said)
    return version is not None and version[0] >= version_in(minimum)[0]


@wrong("tools.enough", "después de la versión")
def last_number(said, minimum):
    numbers = re.findall(r"\d+(?:\.\d+)*", said)
    return bool(numbers) and reaches(version_in(numbers[-1]), version_in(minimum))


@wrong("tools.enough", "si no dice ninguna versión")
def silence_is_enough(said, minimum):
    return reaches(version_in(said) or (99,), version_in(minimum))


@wrong("tools.enough", "un solo número")
def needs_a_dot(said, minimum):
    found = re.search(r"\d+(?:\.\d+)+", said)
    return bool(found) and reaches(version_in(found[0]), version_in(minimum))


@wrong("tools.enough", "igual a la mínima")
def strictly_newer(said, minimum):
    version = version_in(said)
    return version is not None and version > version_in(minimum)


@wrong("tools.enough", "todavía no")
def every_number_at_least(said, minimum):
    version, needed = version_in(said), version_in(minimum)
    if version is None:
        return False
    pairs = list(zip(version + (0,) * 3, needed, strict=False))
    return all(one >= other for one, other in pairs) or version[0] >= 21


def hours_on(started, ended):
    "Hours from one to the other."
    return (pd.Timestamp(ended) - pd.Timestamp(started)) / pd.Timedelta(hours=1)


@wrong("tools.bill", "no fueron por nada")
def pays_the_work_too(eur_hour, started, ended, used_hours, machines=1):
    return eur_hour * hours_on(started, ended) * machines


@wrong("tools.bill", "días enteros")
def whole_days(eur_hour, started, ended, used_hours, machines=1):
    return eur_hour * ((pd.Timestamp(ended) - pd.Timestamp(started)).days * 24 - used_hours) * machines


@wrong("tools.bill", "días completos")
def loses_the_days(eur_hour, started, ended, used_hours, machines=1):
    return eur_hour * ((pd.Timestamp(ended) - pd.Timestamp(started)).seconds / 3600 - used_hours) * machines


@wrong("tools.bill", "faltan los euros")
def hours_only(eur_hour, started, ended, used_hours, machines=1):
    return (hours_on(started, ended) - used_hours) * machines


@wrong("tools.bill", "dan una duración")
def a_duration(eur_hour, started, ended, used_hours, machines=1):
    return (pd.Timestamp(ended) - pd.Timestamp(started) - pd.Timedelta(hours=used_hours)) * eur_hour * machines


@wrong("tools.bill", "cada una trabaja sus horas")
def works_once(eur_hour, started, ended, used_hours, machines=1):
    return eur_hour * (hours_on(started, ended) * machines - used_hours)


@wrong("tools.bill", "los minutos también")
def whole_hours(eur_hour, started, ended, used_hours, machines=1):
    return eur_hour * (int(hours_on(started, ended)) - used_hours) * machines


@wrong("tools.bill", "todavía no")
def adds_the_work(eur_hour, started, ended, used_hours, machines=1):
    return eur_hour * (hours_on(started, ended) + used_hours) * machines


KEY = re.compile(r"\bAKIA[A-Z0-9]{16}\b")


@wrong("tools.leak", "publica la clave")
def shows_the_key(changes):
    return [match for line in changes.splitlines() if line.startswith("+") for match in KEY.findall(line)]


@wrong("tools.leak", "devuelve una lista")
def how_many(changes):
    return sum(line.startswith("+") and bool(KEY.search(line)) for line in changes.splitlines())


@wrong("tools.leak", "desde 0")
def from_zero(changes):
    return [n for n, line in enumerate(changes.splitlines()) if line.startswith("+") and KEY.search(line)]


@wrong("tools.leak", "se quita o ya estaba")
def every_line(changes):
    return [n for n, line in enumerate(changes.splitlines(), 1) if KEY.search(line)]


@wrong("tools.leak", "se quita o ya estaba")
def all_that_changes(changes):
    return [n for n, line in enumerate(changes.splitlines(), 1) if line[:1] in "+-" and KEY.search(line)]


@wrong("tools.leak", "suelto no es una clave")
def only_the_beginning(changes):
    return [n for n, line in enumerate(changes.splitlines(), 1) if line.startswith("+") and "AKIA" in line]


@wrong("tools.leak", "con algo pegado")
def anything_around(changes):
    key = re.compile(r"AKIA[A-Z0-9]{16}")
    return [n for n, line in enumerate(changes.splitlines(), 1) if line.startswith("+") and key.search(line)]


@wrong("tools.leak", "varias líneas con clave")
def the_first_only(changes):
    lines = enumerate(changes.splitlines(), 1)
    return next(([n] for n, line in lines if line.startswith("+") and KEY.search(line)), [])


@wrong("tools.leak", "todavía no")
def nothing_at_all(changes):
    return []
