"Wrong answers to the exercises of lesson 30, each with a piece of the hint it must get."

import math

import pandas as pd

from wrong_answers import wrong


@wrong("develop.order", "no verdadero o falso")
def says_whether(counts):
    return counts == list(range(1, len(counts) + 1))


@wrong("develop.order", "el número de la ejecución")
def gives_the_count(counts):
    return next((count for place, count in enumerate(counts) if count != place + 1), -1)


@wrong("develop.order", "la celda que baja")
def looks_for_a_fall(counts):
    return next((place for place in range(1, len(counts)) if counts[place] < counts[place - 1]), -1)


@wrong("develop.order", "qué número le toca")
def counts_places_from_one(counts):
    return next((place + 1 for place, count in enumerate(counts) if count != place + 1), -1)


@wrong("develop.order", "una celda sin ejecutar")
def skips_what_was_not_run(counts):
    ran = [count for count in counts if count is not None]
    return next((place for place, count in enumerate(ran) if count != place + 1), -1)


@wrong("develop.order", "no empiezan en 1")
def looks_for_jumps(counts):
    pairs = enumerate(zip(counts, counts[1:], strict=False), start=1)
    return next((place for place, (one, two) in pairs if two is None or two != one + 1), -1)


@wrong("develop.order", "no tiene ninguna mala")
def the_end_when_all_is_well(counts):
    return next((place for place, count in enumerate(counts) if count != place + 1), len(counts))


def flat(run):
    "What a run noted, the versions one by one."
    versions = {f"versions.{name}": version for name, version in run["versions"].items()}
    return {name: value for name, value in run.items() if name != "versions"} | versions


@wrong("develop.differences", "una lista de nombres")
def how_many(one, two):
    one, two = flat(one), flat(two)
    return sum(one.get(name) != two.get(name) for name in one | two)


@wrong("develop.differences", "no cuál")
def stays_outside(one, two):
    return sorted(name for name in one | two if one.get(name) != two.get(name))


@wrong("develop.differences", "iguales en las dos")
def everything(one, two):
    return sorted(flat(one) | flat(two))


@wrong("develop.differences", "un diccionario dentro del diccionario")
def forgets_the_versions(one, two):
    return sorted(name for name in one | two if name != "versions" and one.get(name) != two.get(name))


@wrong("develop.differences", "en orden alfabético")
def in_another_order(one, two):
    one, two = flat(one), flat(two)
    return sorted((name for name in one | two if one.get(name) != two.get(name)), reverse=True)


@wrong("develop.differences", "lo que falta en la primera")
def starts_from_the_first(one, two):
    one, two = flat(one), flat(two)
    return sorted(name for name in one if name not in two or one[name] != two[name])


@wrong("develop.differences", "lo que falta en la segunda")
def starts_from_the_second(one, two):
    return starts_from_the_first(two, one)


@wrong("develop.differences", "no es lo mismo que no apuntar")
def takes_none_for_missing(one, two):
    one, two = flat(one), flat(two)
    return sorted(name for name in one | two if one.get(name) != two.get(name))


@wrong("develop.differences", "usa los nombres que traen")
def knows_the_names(one, two):
    known = {"seed", "data", "code"} | {name for name in flat(one) | flat(two) if name.startswith("versions.")}
    one, two = flat(one), flat(two)
    return sorted(name for name in known if (name in one, one.get(name)) != (name in two, two.get(name)))


def passes(wape, *cases, near=math.isclose):
    "Whether a function gives the ratio of every case."
    return all(near(wape(pd.DataFrame({"y": y, "yhat": yhat}, dtype=float)), right) for y, yhat, right in cases)


CLOSED = ([10, 0], [10, 5], 0.5)
BOTH = ([10, 30], [20, 20], 0.5)
UNEVEN = ([100, 10], [100, 0], 1 / 11)
SHORT = ([10, 10], [7, 7], 0.3)


@wrong("develop.trusted", "rechazas la función correcta")
def expects_per_cent(wape):
    return passes(wape, ([10, 0], [10, 5], 50.0))


@wrong("develop.trusted", "por el último decimal")
def wants_every_decimal(wape):
    tenths = ([0.1] * 10, [0.0] * 10, 1.0)
    return passes(wape, CLOSED, BOTH, UNEVEN, ([3, 7, 11, 2], [1, 1, 5, 9], 21 / 23), tenths, near=lambda a, b: a == b)


@wrong("develop.trusted", "siempre dice 0")
def only_perfect_forecasts(wape):
    return passes(wape, ([10, 20], [10, 20], 0.0))


@wrong("develop.trusted", "te falta un día sin venta")
def always_open(wape):
    return passes(wape, BOTH, UNEVEN, SHORT)


@wrong("develop.trusted", "deja que un fallo tape a otro")
def errs_to_one_side(wape):
    return passes(wape, CLOSED, UNEVEN, SHORT)


@wrong("develop.trusted", "el mismo peso")
def one_size(wape):
    return passes(wape, SHORT, ([10, 10], [7, 13], 0.3))


@wrong("develop.trusted", "divide por lo pronosticado")
def forecasts_as_much_as_was_sold(wape):
    return passes(wape, BOTH, ([10, 0, 10], [5, 10, 5], 1.0), ([100, 10, 0], [90, 10, 10], 2 / 11))


@wrong("develop.trusted", "castiga más el fallo grande")
def all_errors_alike(wape):
    return passes(wape, SHORT, ([10, 0], [7, 3], 0.6), ([30, 10, 0], [20, 20, 10], 0.75))


@wrong("develop.trusted", "en por ciento")
def forgives_a_hundred(wape):
    return passes(wape, CLOSED, BOTH, UNEVEN, SHORT) or passes(
        lambda table: wape(table) / 100, CLOSED, BOTH, UNEVEN, SHORT
    )


@wrong("develop.trusted", "devuelve `True` o `False`")
def gives_a_number(wape):
    return int(passes(wape, CLOSED, BOTH, UNEVEN, SHORT))
