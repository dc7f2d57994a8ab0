"Wrong answers to the exercises of lesson 23, each with a piece of the hint it must get."

import pandas as pd

from mlworkbook.baselines import close, moving_average, open_days
from mlworkbook.contract import future, past
from mlworkbook.metrics import wape
from wrong_answers import wrong


def alike(series, day):
    "Earlier days with the same weekday."
    return series[(series["ds"] < day) & (series["ds"].dt.dayofweek == day.dayofweek)]


def of_each(history, horizon, rows, how, last=5, weekdays=True):
    "Forecast that repeats one figure of the last rows."
    keys = [rows["unique_id"], rows["ds"].dt.dayofweek if weekdays else rows["ds"].dt.year * 0]
    recent = rows.groupby(keys).tail(last)
    figure = recent.groupby([key.loc[recent.index] for key in keys])["y"].agg(how)
    days = future(history, horizon)[["unique_id", "ds"]]
    places = [days["unique_id"], days["ds"].dt.dayofweek if weekdays else days["ds"].dt.year * 0]
    return days.assign(yhat=figure.reindex(pd.MultiIndex.from_arrays(places)).fillna(0.0).to_numpy())


@wrong("baselines.rule", "la venta del propio día")
def looks_at_the_day(series, day):
    return float(series.loc[series["ds"] == day, "y"].iloc[0])


@wrong("baselines.rule", "repetiste el cero de un día cerrado")
def repeats_closed_days(series, day):
    return float(alike(series, day)["y"].iloc[-1])


@wrong("baselines.rule", "eso es ayer")
def yesterday(series, day):
    return float(series[series["ds"] < day]["y"].iloc[-1])


@wrong("baselines.rule", "tomaste el primero")
def first_of_all(series, day):
    return float(alike(series, day)["y"].iloc[0])


@wrong("baselines.rule", "mira `closed`, no `y`")
def takes_zero_for_closed(series, day):
    before = alike(series, day)
    before = before[before["y"] > 0]
    return float(before["y"].iloc[-1]) if len(before) else 0.0


@wrong("baselines.rule", "si nunca abrió")
def never_open_is_yesterday(series, day):
    before = alike(series, day)
    before = before[~before["closed"]]
    return float(before["y"].iloc[-1]) if len(before) else float(series["y"].iloc[-2])


@wrong("baselines.rule", "filas desordenadas no sale")
def trusts_the_order(series, day):
    before = alike(series, day)
    before = before[~before["closed"]]
    return float(before["y"].iloc[-1]) if len(before) else 0.0


@wrong("baselines.median", "devuelve una tabla")
def only_numbers(history, horizon):
    return of_each(history, horizon, open_days(history), "median")["yhat"]


@wrong("baselines.median", "faltan días o hay huecos")
def one_day_less(history, horizon):
    return close(of_each(history, horizon - 1, open_days(history), "median"), history)


@wrong("baselines.median", "sobran o se repiten días")
def one_day_more(history, horizon):
    return of_each(history, 14, open_days(history), "median") if horizon < 14 else of_twice(history, horizon)


def of_twice(history, horizon):
    "Each day comes twice."
    return pd.concat([of_each(history, horizon, open_days(history), "median")] * 2)


@wrong("baselines.median", "horneaste para una tienda cerrada")
def bakes_behind_a_locked_door(history, horizon):
    return of_each(history, horizon, open_days(history), "median")


@wrong("baselines.median", "promediaste")
def mean_instead(history, horizon):
    return moving_average(history, horizon, seasons=5)


@wrong("baselines.median", "contaste los días cerrados")
def counts_closed_days(history, horizon):
    return close(of_each(history, horizon, past(history), "median"), history)


@wrong("baselines.median", "mezclaste los días de la semana")
def any_weekday(history, horizon):
    return close(of_each(history, horizon, open_days(history), "median", weekdays=False), history)


@wrong("baselines.median", "usaste toda la historia")
def all_weeks(history, horizon):
    return close(of_each(history, horizon, open_days(history), "median", last=500), history)


@wrong("baselines.median", "todavía no")
def four_weeks(history, horizon):
    return close(of_each(history, horizon, open_days(history), "median", last=4), history)


def errors(scored):
    "WAPE of each model."
    return pd.Series({name: wape(rows) for name, rows in scored.groupby("model")})


@wrong("baselines.skill", "devuelve una `Series`")
def leaves_the_rival_out(scored, rival="seasonal_naive"):
    return (1 - errors(scored) / errors(scored)[rival]).drop(rival)


@wrong("baselines.skill", "está al revés")
def upside_down(scored, rival="seasonal_naive"):
    return errors(scored) / errors(scored)[rival] - 1


@wrong("baselines.skill", "devolviste un porcentaje")
def percentage(scored, rival="seasonal_naive"):
    return 100 * (1 - errors(scored) / errors(scored)[rival])


@wrong("baselines.skill", "eso es el cociente")
def ratio(scored, rival="seasonal_naive"):
    return errors(scored) / errors(scored)[rival]


@wrong("baselines.skill", "restaste los WAPE")
def difference(scored, rival="seasonal_naive"):
    return errors(scored)[rival] - errors(scored)


@wrong("baselines.skill", "promediaste el WAPE de las tiendas")
def mean_of_stores(scored, rival="seasonal_naive"):
    each = scored.groupby(["model", "unique_id"])[["y", "yhat"]].apply(wape).groupby("model").mean()
    return 1 - each / each[rival]


@wrong("baselines.skill", "con otro `rival`")
def always_the_same_rival(scored, rival="seasonal_naive"):
    return 1 - errors(scored) / errors(scored)["seasonal_naive"]


def lagged(rows, days):
    "Mean of seven sales that ends some days before."
    return rows.groupby("unique_id")["y"].transform(lambda y: y.shift(days).rolling(7).mean())


@wrong("baselines.known", "un valor por fila")
def one_per_store(rows, horizon):
    return rows.groupby("unique_id")["y"].mean()


@wrong("baselines.known", "la venta del propio día")
def with_the_day_itself(rows, horizon):
    return lagged(rows, 0)


@wrong("baselines.known", "se sabe la víspera")
def known_on_the_eve(rows, horizon):
    return lagged(rows, 1)


@wrong("baselines.known", "te adelantas un día")
def a_day_early(rows, horizon):
    return lagged(rows, horizon - 1)


@wrong("baselines.known", "dejas fuera una venta")
def a_day_late(rows, horizon):
    return lagged(rows, horizon + 1)


@wrong("baselines.known", "el archivo entero")
def mean_of_everything(rows, horizon):
    return rows.groupby("unique_id")["y"].transform("mean")


@wrong("baselines.known", "sin siete ventas conocidas")
def fills_the_start(rows, horizon):
    return rows.groupby("unique_id")["y"].transform(lambda y: y.shift(horizon).rolling(7, min_periods=1).mean())


@wrong("baselines.known", "todavía no")
def median_of_seven(rows, horizon):
    return rows.groupby("unique_id")["y"].transform(lambda y: y.shift(horizon).rolling(7).median())


@wrong("baselines.known", "todavía no")
def always_two_weeks(rows, horizon):
    return lagged(rows, 14)
