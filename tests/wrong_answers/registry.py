"Wrong answers to the exercises of lesson 39, each with a piece of the hint it must get."

import hashlib

from wrong_answers import wrong


@wrong("registry.gate", "no dejas pasar a uno que gana")
def never(candidate, baseline, champion):
    return False


@wrong("registry.gate", "pasa uno que falla menos pero cuesta más")
def looks_only_at_the_error(candidate, baseline, champion):
    return candidate["wape"] < baseline["wape"]


@wrong("registry.gate", "pasa uno que cuesta menos pero falla más")
def looks_only_at_the_money(candidate, baseline, champion):
    return candidate["cost_eur"] < baseline["cost_eur"]


@wrong("registry.gate", "empatar con la regla de la casa no es ganar")
def lets_ties_pass(candidate, baseline, champion):
    return all(candidate[name] <= baseline[name] for name in baseline)


@wrong("registry.gate", "empatar con el campeón sí basta")
def wants_to_beat_the_champion(candidate, baseline, champion):
    return all(candidate[name] < rival[name] for rival in (baseline, champion or baseline) for name in rival)


@wrong("registry.gate", "pasa uno que falla más que el campeón")
def forgets_the_champion(candidate, baseline, champion):
    return all(candidate[name] < baseline[name] for name in baseline)


@wrong("registry.gate", "pasa uno más caro que el campeón")
def compares_only_the_champions_error(candidate, baseline, champion):
    wins = all(candidate[name] < baseline[name] for name in baseline)
    return wins and (champion is None or candidate["wape"] <= champion["wape"])


@wrong("registry.gate", "no excusa de ganar a la regla de la casa")
def looks_only_at_the_champion(candidate, baseline, champion):
    if champion is None:
        return all(candidate[name] < baseline[name] for name in baseline)
    return all(candidate[name] <= champion[name] for name in champion)


def sha(content):
    return hashlib.sha256(content).hexdigest()


@wrong("registry.manifest", "devuelve una lista")
def gives_a_set(listed, files):
    return {name for name in listed if name not in files}


@wrong("registry.manifest", "señalas archivos que están intactos")
def lists_all(listed, files):
    return sorted(files)


@wrong("registry.manifest", "no ves un archivo que cambió")
def compares_names(listed, files):
    return sorted(set(listed) ^ set(files))


@wrong("registry.manifest", "no ves un archivo que sobra")
def looks_only_at_the_list(listed, files):
    return sorted(name for name in listed if name not in files or sha(files[name]) != listed[name])


@wrong("registry.manifest", "no ves un archivo que falta")
def looks_only_at_the_files(listed, files):
    return sorted(name for name in files if sha(files[name]) != listed.get(name))


@wrong("registry.manifest", "no está ordenada")
def does_not_sort(listed, files):
    gone = [name for name in listed if name not in files]
    return [name for name in files if sha(files[name]) != listed.get(name)] + gone


@wrong("registry.champion", "restaste uno")
def subtracts_one(events):
    current = 0
    for what, number in events:
        current = number if what == "promote" else current - 1
    return current


@wrong("registry.champion", "la campeona es la última promovida")
def takes_the_first(events):
    return events[0][1]


@wrong("registry.champion", "devuelve el mando a la sustituida")
def ignores_rollbacks(events):
    return [number for what, number in events if what == "promote"][-1]


@wrong("registry.champion", "la segunda vuelta atrás no deshace")
def swaps_the_last_two(events):
    current = before = None
    for what, number in events:
        current, before = (number, current) if what == "promote" else (before or current, current)
    return current


@wrong("registry.champion", "no a la última promovida")
def goes_down_the_list_of_promotions(events):
    promoted, place = [], -1
    for what, number in events:
        if what == "promote":
            promoted.append(number)
            place = len(promoted) - 1
        else:
            place = max(place - 1, 0)
    return promoted[place]
