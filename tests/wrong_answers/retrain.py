"Wrong answers to the exercises of lesson 57, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


@wrong("retrain.delay", "es una mañana")
def counts_every_alarm(mornings, shock):
    late = sorted(day for day in mornings if day > shock)
    return len(mornings) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("retrain.delay", "esa alarma no lo oyó")
def takes_the_day_of_the_shock(mornings, shock):
    late = sorted(day for day in set(mornings) if day >= shock)
    return len(set(mornings)) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("retrain.delay", "la lista no está en orden")
def trusts_the_order(mornings, shock):
    late = [day for day in dict.fromkeys(mornings) if day > shock]
    return len(set(mornings)) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("retrain.delay", "también fue en vano")
def forgets_the_day_itself(mornings, shock):
    late = sorted(day for day in mornings if day > shock)
    early = {day for day in mornings if day < shock}
    return len(early), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("retrain.delay", "no hay demora")
def calls_never_zero(mornings, shock):
    late = sorted({day for day in mornings if day > shock})
    return len(set(mornings)) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else 0


@wrong("retrain.delay", "falla al cambiar de mes")
def subtracts_the_numbers(mornings, shock):
    late = sorted({day for day in mornings if day > shock})
    return len(set(mornings)) - len(late), int(late[0][8:]) - int(shock[8:]) if late else None


@wrong("retrain.serving", "nunca sirvió")
def takes_any_version(lines, night):
    moves = [one for one in lines if one["version"] and one["date"] <= night]
    return moves[-1]["version"] if moves else ""


@wrong("retrain.serving", "aún no se habían tomado")
def takes_the_last_of_all(lines, night):
    moves = [one for one in lines if one["action"] in ("promoted", "rolled back")]
    return moves[-1]["version"] if moves else ""


@wrong("retrain.serving", "esa misma noche")
def waits_for_the_next_night(lines, night):
    moves = [one for one in lines if one["action"] in ("promoted", "rolled back") and one["date"] < night]
    return moves[-1]["version"] if moves else ""


@wrong("retrain.serving", "alguien volvió atrás")
def forgets_the_way_back(lines, night):
    moves = [one for one in lines if one["action"] == "promoted" and one["date"] <= night]
    return moves[-1]["version"] if moves else ""


@wrong("retrain.serving", "no servía ninguna")
def gives_the_first_one(lines, night):
    moves = [one for one in lines if one["action"] in ("promoted", "rolled back") and one["date"] <= night]
    return (moves or lines)[-1]["version"] if moves else lines[0]["version"] if lines else ""


@wrong("retrain.unseen", "no hay ventas con que corregir")
def starts_today(today, trained, horizon, period, nights):
    return sorted(today - step * period for step in range(nights) if today - step * period >= trained)


@wrong("retrain.unseen", "del más antiguo al más nuevo")
def newest_first(today, trained, horizon, period, nights):
    chosen = [today - horizon - step * period for step in range(nights)]
    return [cutoff for cutoff in chosen if cutoff >= trained]


@wrong("retrain.unseen", "más noches de las acordadas")
def takes_all_nights(today, trained, horizon, period, nights):
    return list(range(today - horizon, trained - 1, -period))[::-1]


@wrong("retrain.unseen", "ya había visto días")
def forgets_the_champion(today, trained, horizon, period, nights):
    return [today - horizon - step * period for step in reversed(range(nights))]


@wrong("retrain.unseen", "justo hasta el corte")
def wants_a_day_between(today, trained, horizon, period, nights):
    chosen = [today - horizon - step * period for step in reversed(range(nights))]
    return [cutoff for cutoff in chosen if cutoff > trained]
