"Wrong answers to the exercises of lesson 24, each with a piece of the hint it must get."

import pandas as pd

from mlworkbook.metrics import coverage
from wrong_answers import wrong

DAY = pd.Timedelta(days=1)


@wrong("prototype.clean", "devuelve una lista")
def one_date(candidates, exam, horizon):
    return min(candidates)


@wrong("prototype.clean", "una fecha del propio examen")
def all_of_them(candidates, exam, horizon):
    return sorted(candidates)


@wrong("prototype.clean", "posterior a todo el examen")
def only_other_dates(candidates, exam, horizon):
    return sorted(set(candidates) - set(exam))


@wrong("prototype.clean", "entre dos cortes del examen")
def before_the_last_one(candidates, exam, horizon):
    return sorted(day for day in candidates if day + horizon * DAY <= max(exam) and day not in exam)


@wrong("prototype.clean", "mira dónde termina")
def starts_before(candidates, exam, horizon):
    return sorted(day for day in candidates if day < min(exam))


@wrong("prototype.clean", "quitaste de más")
def ends_before(candidates, exam, horizon):
    return sorted(day for day in candidates if day + horizon * DAY < min(exam))


@wrong("prototype.clean", "no de la más antigua")
def as_they_came(candidates, exam, horizon):
    return sorted((day for day in candidates if day + horizon * DAY <= min(exam)), reverse=True)


@wrong("prototype.clean", "con un horizonte de 1")
def always_two_weeks(candidates, exam, horizon):
    return sorted(day for day in candidates if day + 14 * DAY <= min(exam))


def by_ahead(scored):
    "Coverage by days ahead, of the rows given."
    ahead = (scored["ds"] - scored["cutoff"]).dt.days
    return scored.groupby(ahead)[["y", "yhat_lower", "yhat_upper"]].apply(coverage)


def opened(scored):
    "Rows of open days."
    return scored[scored["status"] != "closed"]


@wrong("prototype.ahead", "devuelve una `Series`")
def one_number(scored):
    return coverage(opened(scored))


@wrong("prototype.ahead", "agrupaste por fecha")
def by_date(scored):
    return opened(scored).groupby("ds")[["y", "yhat_lower", "yhat_upper"]].apply(coverage)


@wrong("prototype.ahead", "empiezas en 0")
def from_zero(scored):
    return by_ahead(opened(scored)).rename(lambda day: day - 1)


@wrong("prototype.ahead", "no son los días de antelación")
def by_store(scored):
    return opened(scored).groupby("unique_id")[["y", "yhat_lower", "yhat_upper"]].apply(coverage)


@wrong("prototype.ahead", "contaste un día cerrado")
def with_closed_days(scored):
    return by_ahead(scored)


@wrong("prototype.ahead", "los límites cuentan como dentro")
def strictly_inside(scored):
    rows = opened(scored)
    inside = (rows["y"] > rows["yhat_lower"]) & (rows["y"] < rows["yhat_upper"])
    return inside.groupby((rows["ds"] - rows["cutoff"]).dt.days).mean()


@wrong("prototype.ahead", "solo el límite de arriba")
def below_the_upper(scored):
    rows = opened(scored)
    return (rows["y"] <= rows["yhat_upper"]).groupby((rows["ds"] - rows["cutoff"]).dt.days).mean()


@wrong("prototype.ahead", "todavía no")
def outside(scored):
    return 1.0001 - by_ahead(opened(scored)) * 0.01


@wrong("prototype.ahead", "un día abierto que vendió cero")
def takes_zero_for_closed(scored):
    return by_ahead(scored[scored["y"] > 0])


@wrong("prototype.told", "cambió los datos que recibió")
def in_place(history, column, cutoff):
    history.loc[history["ds"] > cutoff, column] = 0.0
    return history


@wrong("prototype.told", "devuelve la historia entera")
def only_the_column(history, column, cutoff):
    return history[column].where(history["ds"] <= cutoff)


@wrong("prototype.told", "eso es la trampa")
def the_truth(history, column, cutoff):
    return history.copy()


@wrong("prototype.told", "dejaste huecos")
def holes(history, column, cutoff):
    return history.assign(**{column: history[column].where(history["ds"] <= cutoff)})


def told(history, column, cutoff, values, last=None):
    "History with a value for each store after `last`."
    kept = history["ds"] <= (cutoff if last is None else last)
    return history.assign(**{column: history[column].where(kept, history["unique_id"].map(values))})


def known(history, cutoff):
    "Rows up to the cutoff, oldest first, by store."
    return history[history["ds"] <= cutoff].sort_values("ds").groupby("unique_id")


@wrong("prototype.told", "cambiaste días que ya se conocían")
def everything_is_the_last(history, column, cutoff):
    return told(history, column, cutoff, known(history, cutoff)[column].last(), history["ds"].min())


@wrong("prototype.told", "todas las tiendas reciben el mismo valor")
def one_for_all(history, column, cutoff):
    rows = history[history["ds"] <= cutoff].sort_values(["ds", "unique_id"])
    return told(history, column, cutoff, dict.fromkeys(history["unique_id"], rows[column].iloc[-1]))


@wrong("prototype.told", "usaste el valor de la víspera")
def the_day_before(history, column, cutoff):
    return told(history, column, cutoff, known(history, cutoff - DAY)[column].last())


@wrong("prototype.told", "la media del pasado")
def the_mean(history, column, cutoff):
    return told(history, column, cutoff, known(history, cutoff)[column].mean())


@wrong("prototype.told", "todavía no")
def the_first(history, column, cutoff):
    return told(history, column, cutoff, known(history, cutoff)[column].first())


@wrong("prototype.told", "con las filas desordenadas")
def trusts_the_order(history, column, cutoff):
    newest = history[history["ds"] <= cutoff].groupby("unique_id")[column].last()
    return told(history, column, cutoff, newest)
