"Wrong answers to the exercises of lesson 21, each with a piece of the hint it must get."

import numpy as np
import pandas as pd

from wrong_answers import wrong


def mean_of(series, day, *, steps=range(-28, 29, 7), own=False):
    "Mean of the open days so many days away."
    away = (series["ds"] - day).dt.days
    kept = away.isin(steps) & ~series["closed"] & (own | (away != 0))
    return float(series.loc[kept, "y"].mean())


@wrong("explore.usual", "contaste también el propio día")
def counts_itself(series, day):
    return mean_of(series, day, own=True)


@wrong("explore.usual", "miraste solo hacia atrás")
def only_before(series, day):
    return mean_of(series, day, steps=range(-28, 0, 7))


@wrong("explore.usual", "mezclaste los días de la semana")
def any_weekday(series, day):
    return mean_of(series, day, steps=range(-28, 29))


@wrong("explore.usual", "usaste toda la historia")
def whole_history(series, day):
    return mean_of(series, day, steps=range(-7000, 7001, 7))


@wrong("explore.usual", "te quedaste corto")
def three_weeks(series, day):
    return mean_of(series, day, steps=range(-21, 22, 7))


@wrong("explore.usual", "un día cerrado entró")
def closed_days_too(series, day):
    return mean_of(series.assign(closed=False), day)


@wrong("explore.usual", "la respuesta es `nan`")
def zero_when_alone(series, day):
    return float(np.nan_to_num(mean_of(series, day)))


@wrong("explore.usual", "con filas en desorden")
def neighbouring_rows(series, day):
    alike = series[(series["ds"].dt.dayofweek == day.dayofweek) & ~series["closed"]].reset_index(drop=True)
    place = alike.index[alike["ds"] == day]
    if not len(place):
        alike = alike[(alike["ds"] - day).abs() <= pd.Timedelta(days=28)]
        return float(alike["y"].mean())
    near = alike.loc[max(place[0] - 4, 0) : place[0] + 4].drop(place)
    return float(near.loc[(near["ds"] - day).abs() <= pd.Timedelta(days=28), "y"].mean())


@wrong("explore.usual", "todavía no")
def median_of_them(series, day):
    away = (series["ds"] - day).dt.days
    return float(series.loc[away.isin(range(-28, 29, 7)) & (away != 0) & ~series["closed"], "y"].median())


@wrong("explore.error", "tomaste cada fila por una prueba")
def every_row(lifts):
    return float(lifts["lift"].std() / np.sqrt(len(lifts)))


@wrong("explore.error", "la raíz de las filas")
def root_of_rows(lifts):
    return float(lifts.groupby("week")["lift"].mean().std() / np.sqrt(len(lifts)))


@wrong("explore.error", "cuánto varía una semana")
def deviation(lifts):
    return float(lifts.groupby("week")["lift"].mean().std())


@wrong("explore.error", "con `ddof=0`")
def population(lifts):
    weeks = lifts.groupby("week")["lift"].mean()
    return float(weeks.std(ddof=0) / np.sqrt(len(weeks)))


@wrong("explore.error", "sumaste los días")
def sums(lifts):
    weeks = lifts.groupby("week")["lift"].sum()
    return float(weeks.std() / np.sqrt(len(weeks)))


@wrong("explore.error", "con dos semanas diste un número")
def always_a_number(lifts):
    weeks = lifts.groupby("week")["lift"].mean()
    return float(weeks.std() / np.sqrt(len(weeks)))


@wrong("explore.error", "con otro número de filas")
def six_weeks(lifts):
    weeks = lifts.groupby("week")["lift"].mean()
    return float(weeks.std() / np.sqrt(6)) if len(weeks) > 2 else float("nan")


@wrong("explore.error", "todavía no")
def divides_by_weeks(lifts):
    weeks = lifts.groupby("week")["lift"].mean()
    return float(weeks.std() / len(weeks)) if len(weeks) > 2 else float("nan")


def names(effects, kept):
    "Names of some rows, the largest effect first."
    return list(effects[kept].sort_values("effect", key=lambda effect: -effect.abs())["name"])


@wrong("explore.signal", "devuelve una lista")
def a_frame(effects):
    return effects[(effects["lower"] > 0) | (effects["upper"] < 0)]


@wrong("explore.signal", "un efecto sin intervalo")
def keeps_unknown(effects):
    return names(effects, ~((effects["lower"] <= 0) & (effects["upper"] >= 0)))


@wrong("explore.signal", "con el cero dentro es ruido")
def large_ones(effects):
    return names(effects, effects["lower"].notna() & (effects["effect"].abs() > 0.04))


@wrong("explore.signal", "toca el cero")
def touches(effects):
    return names(effects, (effects["lower"] >= 0) | (effects["upper"] <= 0))


@wrong("explore.signal", "bajar también es un efecto")
def only_up(effects):
    return names(effects, effects["lower"] > 0)


@wrong("explore.signal", "un efecto pequeño puede ser seguro")
def only_large(effects):
    sure = (effects["lower"] > 0) | (effects["upper"] < 0)
    return names(effects, sure & (effects["effect"].abs() > 0.1))


@wrong("explore.signal", "el intervalo tiene los dos signos")
def narrow_ones(effects):
    sure = (effects["lower"] > 0) | (effects["upper"] < 0)
    return names(effects, sure | (effects["upper"] - effects["lower"] < 0.09) & (effects["lower"] != 0))


@wrong("explore.signal", "ordena por tamaño")
def signed_order(effects):
    sure = effects[(effects["lower"] > 0) | (effects["upper"] < 0)]
    return list(sure.sort_values("effect", ascending=False)["name"])


@wrong("explore.signal", "todavía no")
def as_they_come(effects):
    return list(effects.loc[(effects["lower"] > 0) | (effects["upper"] < 0), "name"])
