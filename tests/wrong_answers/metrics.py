"Wrong answers to the exercises of lesson 22, each with a piece of the hint it must get."

import pandas as pd

from mlworkbook.metrics import bias, coverage
from wrong_answers import wrong


@wrong("metrics.units", "se anulan")
def keeps_the_sign(scored):
    return (scored["y"] - scored["yhat"]).mean()


@wrong("metrics.units", "no los repartiste")
def only_adds(scored):
    return (scored["y"] - scored["yhat"]).abs().sum()


@wrong("metrics.units", "una fracción de lo vendido")
def wape_instead(scored):
    return (scored["y"] - scored["yhat"]).abs().sum() / scored["y"].sum()


@wrong("metrics.units", "elevaste al cuadrado")
def rmse_instead(scored):
    return ((scored["y"] - scored["yhat"]) ** 2).mean() ** 0.5


@wrong("metrics.generous", "no su sesgo")
def returns_the_bias(scored):
    return float(scored.groupby("unique_id")[["y", "yhat"]].apply(bias).max())


@wrong("metrics.generous", "el signo importa")
def ignores_the_sign(scored):
    return scored.groupby("unique_id")[["y", "yhat"]].apply(bias).abs().idxmax()


@wrong("metrics.generous", "se pasa en más unidades")
def counts_units(scored):
    return (scored["yhat"] - scored["y"]).groupby(scored["unique_id"]).sum().idxmax()


@wrong("metrics.generous", "siempre la misma")
def always_the_same(scored):
    return "S02"


@wrong("metrics.promise", "el día cerrado como un acierto")
def counts_closed_days(scored, level):
    return coverage(scored) - level


@wrong("metrics.promise", "el signo está al revés")
def promise_minus_coverage(scored, level):
    return level - coverage(scored[~scored["closed"]])


@wrong("metrics.promise", "falta compararla con la promesa")
def only_coverage(scored, level):
    return coverage(scored[~scored["closed"]])


@wrong("metrics.promise", "igual al límite")
def limits_left_out(scored, level):
    days = scored[~scored["closed"]]
    inside = (days["y"] > days["yhat_lower"]) & (days["y"] < days["yhat_upper"])
    return float(pd.Series(inside).mean()) - level
