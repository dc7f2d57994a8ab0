"Wrong answers to the exercises of lesson 37, each with a piece of the hint it must get."

from dataclasses import replace

import numpy as np
import pandas as pd

from mlworkbook.baselines import moving_average
from mlworkbook.evaluation import leaderboard
from mlworkbook.recipes import Recipe
from mlworkbook.sales import make_sales
from mlworkbook.value import BAKERY_COSTS
from wrong_answers import wrong


def usual(rows, how, weekdays=True):
    "Forecast a figure of each shop's past, weekday by weekday or not."
    known, days = rows[rows["y"].notna() & ~rows["closed"]], rows[rows["y"].isna()]
    place = known["ds"].dt.dayofweek * weekdays
    figure = known.groupby([known["unique_id"], place])["y"].apply(how)
    asked = pd.MultiIndex.from_arrays([days["unique_id"], days["ds"].dt.dayofweek * weekdays])
    yhat = figure.reindex(asked).fillna(0).to_numpy()
    return days[["unique_id", "ds"]].assign(yhat=np.where(days["closed"], 0, yhat))


def dozen(rows, horizon):
    "A good recipe: the median of the last twelve days with the same weekday."
    return usual(rows, lambda y: y.tail(12).median())


def board(history, mine, horizon=14, costs=BAKERY_COSTS, **spans):
    "Leaderboard of Prophet and a recipe of one's own."
    return leaderboard(history, horizon, costs, {"prophet": Recipe("prophet"), "mine": mine}, **spans)


@wrong("ranking.own", "devuelve la clasificación entera")
def only_the_table(history):
    return leaderboard(history.tail(200), 14, BAKERY_COSTS, {}).table


@wrong("ranking.own", "falta la fila de `prophet`")
def without_a_rival(history):
    return leaderboard(make_sales(6, series=2, days=300), 14, BAKERY_COSTS, {"mine": dozen})


@wrong("ranking.own", "tu receta quedó fuera: KeyError")
def stumbles(history):
    return leaderboard(history, 14, BAKERY_COSTS, {"mine": lambda rows, horizon: rows["sales"]})


@wrong("ranking.own", "tu receta quedó fuera: DataError: it answers the same")
def knows_without_looking(history):
    def mine(rows, horizon):
        return rows[rows["y"].isna()][["unique_id", "ds"]].assign(yhat=200.0)

    return leaderboard(history, 14, BAKERY_COSTS, {"mine": mine})


@wrong("ranking.own", "no hay ninguna fila `mine`")
def another_name(history):
    return leaderboard(history, 14, BAKERY_COSTS, {"mía": dozen})


@wrong("ranking.own", "es otro examen")
def a_week_ahead(history):
    return board(history, dozen, 7)


@wrong("ranking.own", "mira tiendas, días y precios")
def other_prices(history):
    return board(history, dozen, costs=replace(BAKERY_COSTS, over_eur=0.3))


@wrong("ranking.own", "contesta lo mismo que una del paquete")
def a_recipe_of_the_house(history):
    return board(history, Recipe("mstl"))


@wrong("ranking.own", "contesta lo mismo que moving_average(8)")
def the_package_dressed_up(history):
    return board(history, lambda rows, horizon: moving_average(rows, horizon))


@wrong("ranking.own", "¿tu receta mira ventas que no habían llegado?")
def looks_ahead(history):
    def mine(rows, horizon):
        told = dozen(rows, horizon).merge(history[["unique_id", "ds", "y"]])
        yhat = 0.2 * told["yhat"] + 0.8 * told["y"]
        return told.drop(columns="y").assign(yhat=yhat, yhat_lower=yhat, yhat_upper=yhat)

    return board(history, mine)


@wrong("ranking.own", "sale más cara que la regla")
def repeats_yesterday(history):
    return board(history, lambda rows, horizon: usual(rows, "last", weekdays=False))


@wrong("ranking.own", "el intervalo toca el cero")
def bakes_too_much(history):
    def mine(rows, horizon):
        return usual(rows, lambda y: y.tail(2).max())

    return board(history, mine)


def shop(y):
    "A shop that sold these units, from a Monday on."
    y = np.round(np.asarray(y, dtype=float))
    return pd.DataFrame({"unique_id": "mía", "ds": pd.date_range("2024-01-01", periods=len(y)), "y": y})


def steps(seed, count, days):
    "Levels that jump every so many days, with some noise."
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.uniform(60, 200, count), days)
    return levels + rng.normal(0, 3, len(levels))


@wrong("ranking.shop", "devuelve una tabla")
def only_sales():
    return steps(0, 8, 56).tolist()


@wrong("ranking.shop", "¿cuántos días con ventas trae?")
def too_young():
    return shop(steps(0, 3, 56))


@wrong("ranking.shop", "¿cuántos días con ventas trae?")
def other_names():
    return shop(steps(0, 8, 56)).rename(columns={"y": "ventas"})


@wrong("ranking.shop", "no cumple el contrato")
def with_a_gap():
    return shop(steps(0, 8, 56)).drop(index=[100])


@wrong("ranking.shop", "se pide una sola tienda")
def two_shops():
    one = shop(steps(0, 8, 28))
    return pd.concat([one, one.assign(unique_id="tuya")], ignore_index=True)


@wrong("ranking.shop", "hay días que venden cero")
def opens_late():
    return shop(np.where(np.arange(448) < 150, 0, steps(0, 8, 56)))


@wrong("ranking.shop", "vende casi siempre lo mismo")
def always_the_same():
    return shop([100] * 400)


@wrong("ranking.shop", "como en el puerto")
def the_harbour_again():
    walk = np.random.default_rng(0).normal(0, 0.15, (60, 7)).cumsum(axis=0)
    return shop(100 * np.exp(walk).ravel())


@wrong("ranking.shop", "ahí Prophet es más barato")
def only_noise():
    return shop(np.random.default_rng(0).normal(200, 20, 420))


@wrong("ranking.shop", "puede ser azar")
def too_many_jumps():
    return shop(steps(1, 15, 28))


def leads(eur, known, pick=lambda paid: paid.sum().idxmin()):
    "Answer that looks, on each evening, at those that `known` lets through."
    found = {night: eur[known(night)] for night in eur.index}
    return pd.Series({night: pick(paid) for night, paid in found.items() if len(paid)}, dtype=object)


@wrong("ranking.leads", "devuelve una `Series`")
def only_names(eur, horizon):
    return leads(eur, lambda night: eur.index + pd.Timedelta(days=horizon) <= night).tolist()


@wrong("ranking.leads", "la primera noche aún no sabe")
def counts_tonight(eur, horizon):
    return leads(eur, lambda night: eur.index <= night)


@wrong("ranking.leads", "aún no habían pasado")
def does_not_wait(eur, horizon):
    return leads(eur, lambda night: eur.index < night)


@wrong("ranking.leads", "si sus días acaban hoy")
def waits_a_day_more(eur, horizon):
    return leads(eur, lambda night: eur.index + pd.Timedelta(days=horizon) < night)


@wrong("ranking.leads", "una sola noche")
def newest_evening_only(eur, horizon):
    def newest(paid):
        return paid.iloc[-1].idxmin()

    return leads(eur, lambda night: eur.index + pd.Timedelta(days=horizon) <= night, newest)


@wrong("ranking.leads", "esa es la más cara")
def the_dearest(eur, horizon):
    def dearest(paid):
        return paid.sum().idxmax()

    return leads(eur, lambda night: eur.index + pd.Timedelta(days=horizon) <= night, dearest)


@wrong("ranking.leads", "llegaron después")
def with_hindsight(eur, horizon):
    return leads(eur, lambda night: eur.index + pd.Timedelta(days=horizon) <= night, lambda paid: eur.sum().idxmin())


@wrong("ranking.leads", "con otro horizonte")
def always_two_weeks(eur, horizon):
    return leads(eur, lambda night: eur.index + pd.Timedelta(days=14) <= night)
