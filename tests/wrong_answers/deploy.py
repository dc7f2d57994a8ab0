"Wrong answers to the exercises of lesson 50, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


def days_between(night, today):
    "From a folder of a night to today."
    return (pd.Timestamp(today) - pd.Timestamp(night.split("=")[1])).days


@wrong("deploy.age", "un número entero")
def gives_the_night(names, today):
    return max(name for name in names if name.startswith("date="))


@wrong("deploy.age", "contaste el taller")
def counts_the_workshop(names, today):
    nights = [name.lstrip(".") for name in names if "date=" in name]
    return days_between(max(nights), today) if nights else -1


@wrong("deploy.age", "la última de la lista")
def the_last_of_the_list(names, today):
    nights = [name for name in names if name.startswith("date=")]
    return days_between(nights[-1], today) if nights else -1


@wrong("deploy.age", "la primera de la lista")
def the_first_of_the_list(names, today):
    nights = [name for name in names if name.startswith("date=")]
    return days_between(nights[0], today) if nights else -1


@wrong("deploy.age", "al revés")
def backwards(names, today):
    nights = [name for name in names if name.startswith("date=")]
    return -days_between(max(nights), today) if nights else -1


@wrong("deploy.age", "sin noches publicadas")
def zero_without_nights(names, today):
    nights = [name for name in names if name.startswith("date=")]
    return days_between(max(nights), today) if nights else 0


@wrong("deploy.age", "el número del día")
def only_the_number_of_the_day(names, today):
    nights = [name for name in names if name.startswith("date=")]
    return int(today[-2:]) - int(max(nights)[-2:]) if nights else -1


@wrong("deploy.damage", "paraste al notarlo")
def stops_when_noticed(extra, noticed, back):
    return sum(extra[:noticed])


@wrong("deploy.damage", "una noche de más")
def a_night_too_many(extra, noticed, back):
    return sum(extra[: noticed + back + 1])


@wrong("deploy.damage", "no le quites el signo")
def without_sign(extra, noticed, back):
    return sum(abs(night) for night in extra[: noticed + back])


@wrong("deploy.damage", "la media de todas las noches")
def mean_of_all(extra, noticed, back):
    return sum(extra) / len(extra) * (noticed + back)


@wrong("deploy.damage", "qué noches se hornearon mal")
def skips_the_first(extra, noticed, back):
    return sum(extra[1 : noticed + back])


@wrong("deploy.damage", "no cuesta nada")
def at_least_one_night(extra, noticed, back):
    return sum(extra[: max(1, noticed + back)])


@wrong("deploy.damage", "suma lo que haya")
def nothing_when_the_list_ends(extra, noticed, back):
    return sum(extra[: noticed + back]) if noticed + back <= len(extra) else 0


@wrong("deploy.left", "una lista de nombres")
def how_many(table):
    return int((table["state"] != "met").sum())


@wrong("deploy.left", "uno de esos ya está")
def everything(table):
    return list(table["deliverable"])


@wrong("deploy.left", "te olvidas de los `invalid`")
def only_missing(table):
    return list(table.loc[table["state"] == "missing", "deliverable"])


@wrong("deploy.left", "te olvidas de los `missing`")
def only_invalid(table):
    return list(table.loc[table["state"] == "invalid", "deliverable"])


@wrong("deploy.left", "siguen mezclados")
def in_the_order_of_the_table(table):
    return list(table.loc[table["state"] != "met", "deliverable"])


@wrong("deploy.left", "está al revés")
def missing_first(table):
    return [name for state in ("missing", "invalid") for name in table.loc[table["state"] == state, "deliverable"]]


@wrong("deploy.left", "no el alfabético")
def by_the_alphabet(table):
    left = table[table["state"] != "met"].sort_values(["state", "deliverable"])
    return list(left["deliverable"])
