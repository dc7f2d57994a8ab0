"Wrong answers to the exercises of lesson 55, each with a piece of the hint it must get."

from wrong_answers import wrong

CURABLE = {"error", "bias", "coverage", "drift"}


@wrong("retraining.action", "sería aprender la avería")
def trains_when_anything_curable_rings(kinds, age, every, rest):
    if age >= every or (CURABLE & set(kinds) and age >= rest):
        return "train"
    return "repair" if set(kinds) - CURABLE else "wait"


@wrong("retraining.action", "primero se repara")
def obeys_the_calendar_first(kinds, age, every, rest):
    if age >= every:
        return "train"
    return "repair" if set(kinds) - CURABLE else "train" if kinds and age >= rest else "wait"


@wrong("retraining.action", "una clase que no está en la lista")
def knows_only_two_broken_kinds(kinds, age, every, rest):
    if {"contract", "freshness"} & set(kinds):
        return "repair"
    return "train" if age >= every or (kinds and age >= rest) else "wait"


@wrong("retraining.action", "no hay con qué juzgar")
def forgets_the_rest(kinds, age, every, rest):
    if set(kinds) - CURABLE:
        return "repair"
    return "train" if age >= every or kinds else "wait"


@wrong("retraining.action", "el día acordado ya es el día")
def waits_one_day_more(kinds, age, every, rest):
    if set(kinds) - CURABLE:
        return "repair"
    return "train" if age > every or (kinds and age >= rest) else "wait"


@wrong("retraining.action", "el descanso ya ha terminado")
def rests_one_day_more(kinds, age, every, rest):
    if set(kinds) - CURABLE:
        return "repair"
    return "train" if age >= every or (kinds and age > rest) else "wait"


@wrong("retraining.action", "nada suena y no toca")
def trains_without_a_reason(kinds, age, every, rest):
    if set(kinds) - CURABLE:
        return "repair"
    return "train" if age >= rest else "wait"


@wrong("retraining.action", "no al calendario")
def lets_the_rest_hold_the_calendar(kinds, age, every, rest):
    if set(kinds) - CURABLE:
        return "repair"
    return "train" if age >= rest and (kinds or age >= every) else "wait"


@wrong("retraining.serving", "nunca sirvió")
def takes_any_version(lines, night):
    moves = [one for one in lines if one["version"] and one["date"] <= night]
    return moves[-1]["version"] if moves else ""


@wrong("retraining.serving", "aún no se habían tomado")
def takes_the_last_of_all(lines, night):
    moves = [one for one in lines if one["action"] in ("promoted", "rolled back")]
    return moves[-1]["version"] if moves else ""


@wrong("retraining.serving", "esa misma noche")
def waits_for_the_next_night(lines, night):
    moves = [one for one in lines if one["action"] in ("promoted", "rolled back") and one["date"] < night]
    return moves[-1]["version"] if moves else ""


@wrong("retraining.serving", "alguien volvió atrás")
def forgets_the_way_back(lines, night):
    moves = [one for one in lines if one["action"] == "promoted" and one["date"] <= night]
    return moves[-1]["version"] if moves else ""


@wrong("retraining.serving", "no servía ninguna")
def gives_the_first_one(lines, night):
    moves = [one for one in lines if one["action"] in ("promoted", "rolled back") and one["date"] <= night]
    return (moves or lines)[-1]["version"] if moves else lines[0]["version"] if lines else ""


@wrong("retraining.unseen", "no hay ventas con que corregir")
def starts_today(today, trained, horizon, period, nights):
    return sorted(today - step * period for step in range(nights) if today - step * period >= trained)


@wrong("retraining.unseen", "del más antiguo al más nuevo")
def newest_first(today, trained, horizon, period, nights):
    chosen = [today - horizon - step * period for step in range(nights)]
    return [cutoff for cutoff in chosen if cutoff >= trained]


@wrong("retraining.unseen", "más noches de las acordadas")
def takes_all_nights(today, trained, horizon, period, nights):
    return list(range(today - horizon, trained - 1, -period))[::-1]


@wrong("retraining.unseen", "ya había visto días")
def forgets_the_champion(today, trained, horizon, period, nights):
    return [today - horizon - step * period for step in reversed(range(nights))]


@wrong("retraining.unseen", "justo hasta el corte")
def wants_a_day_between(today, trained, horizon, period, nights):
    chosen = [today - horizon - step * period for step in reversed(range(nights))]
    return [cutoff for cutoff in chosen if cutoff > trained]
