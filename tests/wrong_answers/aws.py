"Wrong answers to the exercises of lesson 59, each with a piece of the hint it must get."

import math
from fnmatch import fnmatchcase

from wrong_answers import wrong


def used_by(granted, used):
    "Permissions that some action used."
    return [one for one in granted if any(fnmatchcase(action.lower(), one.lower()) for action in used)]


@wrong("aws.spare", "compara sin mirar mayúsculas")
def minds_capitals(granted, used):
    return sorted(one for one in granted if not any(fnmatchcase(action, one) for action in used))


@wrong("aws.spare", "el asterisco vale")
def knows_no_star(granted, used):
    return sorted(one for one in granted if one.lower() not in [action.lower() for action in used])


@wrong("aws.spare", "un permiso sea amplio")
def forgives_what_is_broad(granted, used):
    return sorted(one for one in granted if one not in used_by(granted, used) and not one.endswith("*"))


@wrong("aws.spare", "falta ordenarlos")
def does_not_sort(granted, used):
    return [one for one in granted if one not in used_by(granted, used)]


@wrong("aws.spare", "desde el principio")
def looks_anywhere(granted, used):
    stems = {one: one.lower().rstrip("*") for one in granted}
    return sorted(one for one in granted if not any(stems[one] in action.lower() for action in used))


@wrong("aws.spare", "devuelve una lista")
def gives_a_set(granted, used):
    return set(granted) - set(used_by(granted, used))


@wrong("aws.cost", "lo que cuesta cada llamada")
def forgets_the_calls(calls, ms, memory, gb_second, million):
    return calls * math.ceil(ms) / 1000 * memory / 1024 * gb_second


@wrong("aws.cost", "se cobran enteros")
def charges_fractions(calls, ms, memory, gb_second, million):
    return calls * (ms / 1000 * memory / 1024 * gb_second + million / 1e6)


@wrong("aws.cost", "el proveedor, hacia arriba")
def rounds_to_the_nearest(calls, ms, memory, gb_second, million):
    return calls * (round(ms) / 1000 * memory / 1024 * gb_second + million / 1e6)


@wrong("aws.cost", "la memoria viene en MB")
def takes_mb_for_gb(calls, ms, memory, gb_second, million):
    return calls * (math.ceil(ms) / 1000 * memory * gb_second + million / 1e6)


@wrong("aws.cost", "son 1024 MB")
def divides_by_a_thousand(calls, ms, memory, gb_second, million):
    return calls * (math.ceil(ms) / 1000 * memory / 1000 * gb_second + million / 1e6)


@wrong("aws.cost", "viene en milisegundos")
def takes_ms_for_seconds(calls, ms, memory, gb_second, million):
    return calls * (math.ceil(ms) * memory / 1024 * gb_second + million / 1e6)


@wrong("aws.cost", "son 5, no 6")
def always_one_more(calls, ms, memory, gb_second, million):
    return calls * ((int(ms) + 1) / 1000 * memory / 1024 * gb_second + million / 1e6)


GONE = ("terminated", "deleted")


@wrong("aws.left", "igual, no parecida")
def likes_what_looks_alike(resources, name):
    ours = [one for one in resources if one["tags"].get("project", "").startswith(name)]
    return {one["id"] for one in ours if one["state"] not in GONE}


@wrong("aws.left", "mira la etiqueta `project`")
def takes_any_tag(resources, name):
    return {one["id"] for one in resources if name in one["tags"].values() and one["state"] not in GONE}


@wrong("aws.left", "`terminated` ya no está")
def counts_the_dead(resources, name):
    return {one["id"] for one in resources if one["tags"].get("project") == name and one["state"] != "deleted"}


@wrong("aws.left", "`deleted` ya no cuesta")
def counts_the_deleted(resources, name):
    return {one["id"] for one in resources if one["tags"].get("project") == name and one["state"] != "terminated"}


@wrong("aws.left", "sigue pagando su disco")
def forgets_the_stopped(resources, name):
    ours = [one for one in resources if one["tags"].get("project") == name]
    return {one["id"] for one in ours if one["state"] not in (*GONE, "stopped")}


@wrong("aws.left", "un conjunto")
def gives_a_list(resources, name):
    return [one["id"] for one in resources if one["tags"].get("project") == name and one["state"] not in GONE]
