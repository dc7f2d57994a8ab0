"Wrong answers to the exercises of lesson 12, each with a piece of the hint it must get."

import math

import numpy as np

from mlworkbook.value import error_cost
from wrong_answers import wrong


def missing(scored):
    "Units missing, row by row."
    return (scored["y"] - scored["yhat"]).clip(lower=0)


def cost(scored, costs, factor):
    "Cost of the plan times `factor`."
    return error_cost(scored.assign(yhat=scored["yhat"] * factor), costs, by=())["cost_eur"].item()


@wrong("value.saturday", "contaste todos los días")
def every_day(scored):
    return missing(scored).sum()


@wrong("value.saturday", "compense otro con faltas")
def nets_out(scored):
    saturdays = scored[scored["ds"].dt.dayofweek == 5]
    return (saturdays["y"] - saturdays["yhat"]).sum()


@wrong("value.saturday", "contaste también el pan que sobró")
def counts_both(scored):
    saturdays = scored[scored["ds"].dt.dayofweek == 5]
    return (saturdays["y"] - saturdays["yhat"]).abs().sum()


@wrong("value.saturday", "eso es el pan que sobró")
def leftovers(scored):
    saturdays = scored[scored["ds"].dt.dayofweek == 5]
    return (saturdays["yhat"] - saturdays["y"]).clip(lower=0).sum()


@wrong("value.saturday", "esos son los domingos")
def sundays(scored):
    return missing(scored)[scored["ds"].dt.dayofweek == 6].sum()


@wrong("value.saturday", "cada tienda cuenta por separado")
def adds_the_stores_first(scored):
    saturdays = scored[scored["ds"].dt.dayofweek == 5]
    return missing(saturdays.groupby("ds")[["y", "yhat"]].sum()).sum()


@wrong("value.saturday", "todavía no")
def counts_days(scored):
    return (missing(scored)[scored["ds"].dt.dayofweek == 5] > 0).sum()


@wrong("value.factor", "no el costo ni el plan")
def returns_the_cost(scored, costs, factors):
    return min(cost(scored, costs, factor) for factor in factors)


@wrong("value.factor", "el que menos unidades falla")
def fewest_wrong_units(scored, costs, factors):
    return min(sorted(factors), key=lambda factor: (scored["yhat"] * factor - scored["y"]).abs().sum())


@wrong("value.factor", "elegiste el más caro")
def the_dearest(scored, costs, factors):
    return max(factors, key=lambda factor: cost(scored, costs, factor))


@wrong("value.factor", "el que sobra también cuesta")
def only_what_is_missing(scored, costs, factors):
    return min(sorted(factors), key=lambda factor: (scored["y"] - scored["yhat"] * factor).clip(lower=0).sum())


@wrong("value.factor", "tu respuesta no cambia con los precios")
def prices_by_heart(scored, costs, factors):
    return min(sorted(factors), key=lambda factor: cost(scored, type(costs)(0.25, 0.50), factor))


@wrong("value.factor", "gana el factor más pequeño")
def first_of_the_list(scored, costs, factors):
    return min(factors, key=lambda factor: cost(scored, costs, factor))


@wrong("value.factor", "prueba todos los factores")
def a_few_factors(scored, costs, factors):
    return min(sorted(factors)[:5], key=lambda factor: cost(scored, costs, factor))


@wrong("value.threshold", "devolviste un porcentaje")
def percentage(today_eur, build_eur, run_eur, days):
    return 100 * (build_eur * 365 / days + run_eur) / today_eur


@wrong("value.threshold", "devolviste euros")
def euros(today_eur, build_eur, run_eur, days):
    return build_eur * 365 / days + run_eur


@wrong("value.threshold", "olvidaste el gasto de cada año")
def no_running_cost(today_eur, build_eur, run_eur, days):
    return build_eur * 365 / days / today_eur


@wrong("value.threshold", "no depende de los días")
def always_a_year(today_eur, build_eur, run_eur, days):
    return (build_eur + run_eur) / today_eur


@wrong("value.threshold", "repartiste en el plazo también el gasto anual")
def stretches_both(today_eur, build_eur, run_eur, days):
    return (build_eur + run_eur) * 365 / days / today_eur


@wrong("value.threshold", "mayor que 1 no existe")
def more_than_everything(today_eur, build_eur, run_eur, days):
    return (build_eur * 365 / days + run_eur) / today_eur


@wrong("value.threshold", "no da el plazo")
def rounded(today_eur, build_eur, run_eur, days):
    reduction = np.round((build_eur * 365 / days + run_eur) / today_eur, 2)
    return reduction if reduction <= 1 else math.inf
