"Wrong answers to the exercises of lesson 56, each with a piece of the hint it must get."

import math

import numpy as np
import pandas as pd

from wrong_answers import wrong


@wrong("shop.delay", "es una mañana")
def counts_every_alarm(mornings, shock):
    late = sorted(day for day in mornings if day > shock)
    return len(mornings) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("shop.delay", "esa alarma no lo oyó")
def takes_the_day_of_the_shock(mornings, shock):
    late = sorted(day for day in set(mornings) if day >= shock)
    return len(set(mornings)) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("shop.delay", "la lista no está en orden")
def trusts_the_order(mornings, shock):
    late = [day for day in dict.fromkeys(mornings) if day > shock]
    return len(set(mornings)) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("shop.delay", "también fue en vano")
def forgets_the_day_itself(mornings, shock):
    late = sorted(day for day in mornings if day > shock)
    early = {day for day in mornings if day < shock}
    return len(early), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else None


@wrong("shop.delay", "no hay demora")
def calls_never_zero(mornings, shock):
    late = sorted({day for day in mornings if day > shock})
    return len(set(mornings)) - len(late), (pd.Timestamp(late[0]) - pd.Timestamp(shock)).days if late else 0


@wrong("shop.delay", "falla al cambiar de mes")
def subtracts_the_numbers(mornings, shock):
    late = sorted({day for day in mornings if day > shock})
    return len(set(mornings)) - len(late), int(late[0][8:]) - int(shock[8:]) if late else None


def phase_of(days, changes, side="right"):
    "Number of the phase of each day."
    return np.searchsorted(pd.to_datetime(list(changes)), days, side=side)


@wrong("shop.phases", "gana quien pierde menos")
def takes_the_largest(daily, changes):
    lived = daily.dropna()
    return lived.groupby(phase_of(lived.index, changes)).sum().idxmax(axis=1).tolist()


@wrong("shop.phases", "separan tres épocas")
def gives_one_winner(daily, changes):
    return [daily.dropna().sum().idxmin()]


@wrong("shop.phases", "sin lo que traía acumulado")
def reads_the_curve(daily, changes):
    lived = daily.dropna()
    return lived.cumsum().groupby(phase_of(lived.index, changes)).last().idxmin(axis=1).tolist()


@wrong("shop.phases", "el día del cambio es de la época nueva")
def gives_the_day_to_the_old_phase(daily, changes):
    lived = daily.dropna()
    return lived.groupby(phase_of(lived.index, changes, "left")).sum().idxmin(axis=1).tolist()


@wrong("shop.phases", "el día del cambio es de la época nueva")
def slices_with_both_ends(daily, changes):
    edges = [None, *pd.to_datetime(list(changes)), None]
    lived = daily.dropna()
    return [lived[one:two].sum().idxmin() for one, two in zip(edges, edges[1:], strict=False)]


@wrong("shop.phases", "vivió menos días")
def adds_over_the_holes(daily, changes):
    return daily.groupby(phase_of(daily.index, changes)).sum().idxmin(axis=1).tolist()


@wrong("shop.phases", "no cuenta para nadie")
def takes_the_mean_over_the_holes(daily, changes):
    return daily.groupby(phase_of(daily.index, changes)).mean().idxmin(axis=1).tolist()


@wrong("shop.phases", "hay una sola época")
def needs_a_change(daily, changes):
    lived = daily.dropna()
    first = [lived[lived.index < changes[0]].sum().idxmin()] if changes else []
    last = phase_of(lived.index, changes)
    return first + [lived[last == number].sum().idxmin() for number in range(1, len(changes) + 1)]


@wrong("shop.worth", "mira el signo")
def subtracts_the_other_way(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    return (loop_eur - calendar_eur) / (loop_trainings - calendar_trainings)


@wrong("shop.worth", "entre varios entrenamientos")
def forgets_to_share(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    return max(0, calendar_eur - loop_eur)


@wrong("shop.worth", "solo entre los de más")
def shares_among_all(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    return max(0, calendar_eur - loop_eur) / loop_trainings


@wrong("shop.worth", "no hay precio que la salve")
def gives_a_negative_price(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    return (calendar_eur - loop_eur) / (loop_trainings - calendar_trainings)


@wrong("shop.worth", "no ahorra nada")
def calls_nothing_saved_any_price(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    saved, more = calendar_eur - loop_eur, loop_trainings - calendar_trainings
    return 0 if saved < 0 else saved / more if saved and more > 0 else math.inf


@wrong("shop.worth", "nada que repartir")
def takes_no_extra_for_nothing(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    saved, more = calendar_eur - loop_eur, loop_trainings - calendar_trainings
    return max(0, saved) / more if more else 0


@wrong("shop.worth", "entrena menos que el calendario")
def divides_by_a_negative(loop_eur, calendar_eur, loop_trainings, calendar_trainings):
    saved, more = calendar_eur - loop_eur, loop_trainings - calendar_trainings
    return max(0, saved) / more if more else math.inf
