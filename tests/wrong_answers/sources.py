"Wrong answers to the exercises of lesson 14, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


def score(scores, weights, name):
    "Weighted score of one source."
    return sum(weights[criterion] * points for criterion, points in scores[name].items())


@wrong("sources.veto", "sin las notas")
def with_scores(scores, weights, vetoed):
    return {name: score(scores, weights, name) for name in scores}


@wrong("sources.veto", "las bloqueadas también van")
def drops_the_blocked(scores, weights, vetoed):
    return sorted(set(scores) - set(vetoed), key=lambda name: -score(scores, weights, name))


@wrong("sources.veto", "la media volvió a esconder")
def plain_average(scores, weights, vetoed):
    return sorted(scores, key=lambda name: -score(scores, weights, name))


@wrong("sources.veto", "de peor a mejor")
def worst_first(scores, weights, vetoed):
    return sorted(scores, key=lambda name: (name in vetoed, score(scores, weights, name)))


@wrong("sources.veto", "te pesan igual")
def no_weights(scores, weights, vetoed):
    return sorted(scores, key=lambda name: (name in vetoed, -sum(scores[name].values())))


@wrong("sources.veto", "no delante")
def blocked_first(scores, weights, vetoed):
    return sorted(scores, key=lambda name: (name not in vetoed, -score(scores, weights, name)))


@wrong("sources.veto", "entre las bloqueadas")
def blocked_by_lowest(scores, weights, vetoed):
    ready = sorted(set(scores) - set(vetoed), key=lambda name: -score(scores, weights, name))
    return ready + sorted(vetoed, key=lambda name: score(scores, weights, name))


@wrong("sources.veto", "con otras fuentes y otros pesos")
def weights_by_heart(scores, weights, vetoed):
    known = dict(zip(weights, [0.2, 0.1, 0.7], strict=True))
    return sorted(scores, key=lambda name: (name in vetoed, -score(scores, known, name)))


def calendar(raw):
    "Label that each date should have."
    return raw["date"].dt.day_name().str[:3].str.upper()


@wrong("sources.weekday", "devuelve un entero")
def only_whether(raw):
    return bool((calendar(raw) != raw["weekday"]).any())


@wrong("sources.weekday", "contaste las etiquetas correctas")
def counts_right_ones(raw):
    return int((calendar(raw) == raw["weekday"]).sum())


@wrong("sources.weekday", "te salen mal todas")
def compares_full_names(raw):
    return int((raw["date"].dt.day_name() != raw["weekday"]).sum())


@wrong("sources.weekday", "te salen mal todas")
def week_starts_on_sunday(raw):
    names = dict(enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]))
    return int((raw["date"].dt.dayofweek.map(names) != raw["weekday"]).sum())


@wrong("sources.weekday", "se pide cuántas filas")
def counts_days(raw):
    return raw["date"][calendar(raw) != raw["weekday"]].nunique()


@wrong("sources.weekday", "compara con `date`")
def forgives_one_day(raw):
    yesterday = (raw["date"] - pd.Timedelta(days=1)).dt.day_name().str[:3].str.upper()
    wrong = calendar(raw) != raw["weekday"]
    return 0 if (yesterday == raw["weekday"]).all() else int(wrong.sum())


@wrong("sources.weekday", "en el extracto de las cajas no sale")
def looks_at_the_beginning(raw):
    return int((calendar(raw) != raw["weekday"]).to_numpy()[:1000].sum())


def first_sales(raw):
    "Day of the first sale of each store."
    return raw[raw["demand"] > 0].groupby("store")["date"].min()


@wrong("sources.late", "devuelve una lista")
def with_dates(raw, days):
    first = first_sales(raw)
    return first[first > raw["date"].min() + pd.Timedelta(days=days)]


@wrong("sources.late", "no encuentras ninguna")
def first_row(raw, days):
    first = raw.groupby("store")["date"].min()
    return sorted(first[first > raw["date"].min() + pd.Timedelta(days=days)].index)


@wrong("sources.late", "la tienda 2 vendió el primer día")
def counts_zeros(raw, days):
    sold = raw.groupby(["store", "date"])["demand"].sum()
    closed = sold.eq(0).groupby("store").sum()
    return sorted(closed[closed > days].index)


@wrong("sources.late", "la tienda 2 vendió el primer día")
def product_by_product(raw, days):
    first = raw[raw["demand"] > 0].groupby(["store", "product"])["date"].min()
    late = first[first > raw["date"].min() + pd.Timedelta(days=days)]
    return sorted(set(late.index.get_level_values("store")))


@wrong("sources.late", "justo a los 10 días")
def from_that_day_on(raw, days):
    first = first_sales(raw)
    return sorted(first[first >= raw["date"].min() + pd.Timedelta(days=days)].index)


@wrong("sources.late", "ordenada por número de tienda")
def latest_first(raw, days):
    first = first_sales(raw).sort_values(ascending=False)
    return list(first[first > raw["date"].min() + pd.Timedelta(days=days)].index)


@wrong("sources.late", "no cambia con `days`")
def ten_days_by_heart(raw, days):
    first = first_sales(raw)
    return sorted(first[first > raw["date"].min() + pd.Timedelta(days=10)].index)


@wrong("sources.late", "depende del orden de las filas")
def trusts_the_order(raw, days):
    first = raw[raw["demand"] > 0].groupby("store")["date"].first()
    return sorted(first[first > raw["date"].iloc[0] + pd.Timedelta(days=days)].index)
