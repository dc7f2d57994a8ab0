"Wrong answers to the exercises of lesson 36, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


def back_from(last, floor, period):
    "Oldest day that is not before a floor, in steps of `period` days back from the last."
    step = pd.Timedelta(days=period)
    return last - step * ((last - floor) // step)


@wrong("backtesting.first", "empezaste por el principio")
def counts_from_the_start(first, last, horizon, initial, period):
    return first + pd.Timedelta(days=initial)


@wrong("backtesting.first", "el corte más reciente")
def newest(first, last, horizon, initial, period):
    return last - pd.Timedelta(days=horizon)


@wrong("backtesting.first", "olvidaste el horizonte")
def forgets_the_horizon(first, last, horizon, initial, period):
    return back_from(last, first + pd.Timedelta(days=initial), period)


@wrong("backtesting.first", "menos días que `initial`")
def one_step_too_far(first, last, horizon, initial, period):
    right = back_from(last - pd.Timedelta(days=horizon), first + pd.Timedelta(days=initial), period)
    return right - pd.Timedelta(days=period)


@wrong("backtesting.first", "exactamente `initial` días")
def wants_one_day_more(first, last, horizon, initial, period):
    return back_from(last - pd.Timedelta(days=horizon), first + pd.Timedelta(days=initial + 1), period)


@wrong("backtesting.first", "sale otro día")
def knows_the_examples(first, last, horizon, initial, period):
    return first + pd.Timedelta(days=57 if period == 8 else 50)


@wrong("backtesting.curtain", "faltan filas")
def drops_the_future(history, cutoff):
    return history[history["ds"] <= cutoff]


@wrong("backtesting.curtain", "un 0 dice que no se vendió nada")
def writes_zero(history, cutoff):
    return history.assign(y=history["y"].where(history["ds"] <= cutoff, 0.0))


@wrong("backtesting.curtain", "tapaste también la noche del corte")
def hides_the_evening(history, cutoff):
    return history.assign(y=history["y"].where(history["ds"] < cutoff))


@wrong("backtesting.curtain", "todavía se ven")
def hides_one_day_less(history, cutoff):
    return history.assign(y=history["y"].where(history["ds"] <= cutoff + pd.Timedelta(days=1)))


@wrong("backtesting.curtain", "columnas que sí se conocían")
def hides_the_calendar(history, cutoff):
    return history.where(history["ds"] <= cutoff).assign(ds=history["ds"], unique_id=history["unique_id"])


@wrong("backtesting.curtain", "cambiaste ventas del pasado")
def fills_closed_days(history, cutoff):
    return history.assign(y=history["y"].where(history["ds"] <= cutoff).replace(0.0, 1.0))


@wrong("backtesting.nights", "contaste un empate")
def counts_ties(scored, model, rival):
    table = scored.assign(missed=(scored["y"] - scored["yhat"]).abs())
    totals = table.groupby(["model", "cutoff"])[["missed", "y"]].sum()
    ratio = totals["missed"] / totals["y"]
    return int((ratio[model] <= ratio[rival]).sum())


@wrong("backtesting.nights", "no qué parte")
def gives_a_share(scored, model, rival):
    table = scored.assign(missed=(scored["y"] - scored["yhat"]).abs())
    totals = table.groupby(["model", "cutoff"])[["missed", "y"]].sum()
    ratio = totals["missed"] / totals["y"]
    return float((ratio[model] < ratio[rival]).mean())


@wrong("backtesting.nights", "cambiaste los papeles")
def counts_the_rival(scored, model, rival):
    table = scored.assign(missed=(scored["y"] - scored["yhat"]).abs())
    totals = table.groupby(["model", "cutoff"])["missed"].sum()
    return int((totals[rival] < totals[model]).sum())


@wrong("backtesting.nights", "una tienda diminuta")
def averages_percentages(scored, model, rival):
    table = scored.assign(missed=(scored["y"] - scored["yhat"]).abs() / scored["y"])
    means = table.groupby(["model", "cutoff"])["missed"].mean()
    return int((means[model] < means[rival]).sum())


@wrong("backtesting.nights", "los errores se anulan")
def lets_errors_cancel(scored, model, rival):
    table = scored.assign(missed=scored["y"] - scored["yhat"])
    totals = table.groupby(["model", "cutoff"])["missed"].sum().abs()
    return int((totals[model] < totals[rival]).sum())


@wrong("backtesting.nights", "el número es otro")
def at_most_one(scored, model, rival):
    table = scored.assign(missed=(scored["y"] - scored["yhat"]).abs())
    totals = table.groupby(["model", "cutoff"])["missed"].sum()
    return int((totals[model] < totals[rival]).any())
