"Wrong answers to the exercises of lesson 16, each with a piece of the hint it must get."

from wrong_answers import wrong


@wrong("sales.first", "no se vendió nada")
def first_row(history):
    return history.groupby("unique_id")["ds"].min()


@wrong("sales.first", "el mismo día a las dos series")
def one_day_for_all(history):
    days = history.groupby("unique_id")["ds"].min()
    days[:] = history.loc[history["y"] > 0, "ds"].min()
    return days


@wrong("sales.first", "el último día con ventas")
def last_sale(history):
    return history[history["y"] > 0].groupby("unique_id")["ds"].max()


@wrong("sales.first", "en otro orden")
def trusts_the_order(history):
    return history[history["y"] > 0].groupby("unique_id")["ds"].first()


@wrong("sales.first", "una respuesta por serie")
def a_single_day(history):
    return history.loc[history["y"] > 0, "ds"].min()


@wrong("sales.first", "cinco tiendas")
def only_two_stores(history):
    return history[history["y"] > 0].groupby("unique_id")["ds"].min().head(2)


@wrong("sales.zero", "también los días cerrados")
def counts_closed(history):
    return int((history["y"] == 0).sum())


@wrong("sales.zero", "un día por venir")
def counts_the_future(history):
    return int((~(history["y"] > 0) & ~history["closed"]).sum())


@wrong("sales.zero", "producto por producto")
def whole_shop(history):
    store = history["unique_id"].str.split("_").str[0]
    sold = history.groupby([store, "ds"])["y"].sum()
    closed = history.groupby([store, "ds"])["closed"].first()
    days = history.groupby([store, "ds"])["y"].count()
    return int(((sold == 0) & ~closed & (days > 0)).sum())


@wrong("sales.zero", "cuenta a mano")
def counts_open_days(history):
    return int((~history["closed"] & history["y"].notna()).sum()) - 3


@wrong("sales.zero", "donde no hay ningún caso")
def always_two(history):
    return 2


@wrong("sales.lift", "unidades de más")
def difference(history):
    means = history[~history["closed"]].groupby("promo")["y"].mean()
    return means[1] - means[0]


@wrong("sales.lift", "el punto de partida")
def plain_ratio(history):
    means = history[~history["closed"]].groupby("promo")["y"].mean()
    return means[1] / means[0]


@wrong("sales.lift", "los días cerrados bajan")
def with_closed_days(history):
    means = history.groupby("promo")["y"].mean()
    return means[1] / means[0] - 1


@wrong("sales.lift", "sumaste las ventas")
def totals(history):
    sums = history[~history["closed"]].groupby("promo")["y"].sum()
    return sums[1] / sums[0] - 1


@wrong("sales.lift", "sobre la venta sin promoción")
def over_the_promotion(history):
    means = history[~history["closed"]].groupby("promo")["y"].mean()
    return 1 - means[0] / means[1]


@wrong("sales.lift", "tiendas inventadas")
def medians(history):
    medians = history[~history["closed"]].groupby("promo")["y"].median()
    return medians[1] / medians[0] - 1
