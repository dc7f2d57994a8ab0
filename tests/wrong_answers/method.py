"Wrong answers to the exercises of lesson 31, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


def lead(log, since="arrived", outcomes=("delivered",), how="median"):
    "Days until stories ended, in one figure."
    chosen = log[log["outcome"].isin(outcomes)]
    return float((chosen["ended"] - chosen[since]).agg(how))


@wrong("method.lead", "desde que se empezó")
def counts_from_the_start(log):
    return lead(log, since="started")


@wrong("method.lead", "eso es el día en que salió")
def the_day_itself(log):
    return float(log.loc[log["outcome"] == "delivered", "ended"].median())


@wrong("method.lead", "una sola historia lenta")
def averages(log):
    return lead(log, how="mean")


@wrong("method.lead", "contaste también lo que se retiró")
def counts_what_was_dropped(log):
    return lead(log, outcomes=("delivered", "dropped"))


@wrong("method.lead", "sigue abierta")
def counts_what_is_open(log):
    return lead(log, outcomes=("delivered", "dropped", ""))


@wrong("method.lead", "haz a mano la cuenta")
def counts_one_day_more(log):
    return lead(log) + 1


@wrong("method.lead", "si no se entregó nada")
def nothing_took_no_time(log):
    return lead(log) if log["outcome"].eq("delivered").any() else 0.0


@wrong("method.lead", "está entre las dos")
def takes_the_upper_middle(log):
    days = (log["ended"] - log["arrived"])[log["outcome"] == "delivered"].sort_values()
    return float(days.iloc[len(days) // 2]) if len(days) else float("nan")


def queues(flow):
    "Stories that passed the step before and not this one."
    return -flow.diff(axis=1).iloc[:, 1:]


@wrong("method.bottleneck", "el nombre de una columna")
def gives_the_growth(flow):
    return (queues(flow).iloc[-1] - queues(flow).iloc[0]).max()


@wrong("method.bottleneck", "no tiene nada delante")
def the_greatest_count(flow):
    return flow.iloc[-1].idxmax()


@wrong("method.bottleneck", "la cola más larga")
def the_longest_queue(flow):
    return queues(flow).iloc[-1].idxmax()


@wrong("method.bottleneck", "quién acaba menos")
def the_slowest(flow):
    return (flow.iloc[-1] - flow.iloc[0]).iloc[::-1].idxmin()


@wrong("method.bottleneck", "usa las columnas que recibes")
def knows_the_steps(flow):
    steps = ["analysed", "built", "tested"]
    return max(steps, key=(queues(flow).iloc[-1] - queues(flow).iloc[0]).reindex(steps).fillna(-1).get)


@wrong("method.bottleneck", "en un empate")
def last_of_the_tie(flow):
    return (queues(flow).iloc[-1] - queues(flow).iloc[0]).iloc[::-1].idxmax()


@wrong("method.bottleneck", "cola final menos cola inicial")
def grows_in_proportion(flow):
    ends = queues(flow).iloc[[0, -1]] + 1
    return (ends.iloc[1] / ends.iloc[0]).idxmax()


@wrong("method.limit", "devuelve un tope de los del índice")
def gives_the_position(table):
    return int((table["per_day"] >= 0.95 * table["per_day"].max()).argmax()) + 2


@wrong("method.limit", "elegiste el máximo")
def the_greatest(table):
    return table["per_day"].idxmax()


@wrong("method.limit", "elegiste el tope más alto")
def the_highest(table):
    return table.index[table["per_day"] >= 0.95 * table["per_day"].max()].max()


@wrong("method.limit", "casi no sale nada")
def the_lowest(table):
    return table.index.min()


@wrong("method.limit", "justo el 95 %")
def a_little_less(table):
    return table.index[table["per_day"] >= 0.7 * table["per_day"].max()].min()


@wrong("method.limit", "en otro orden")
def the_first_row(table):
    return table.index[table["per_day"] >= 0.95 * table["per_day"].max()][0]


@wrong("method.limit", "con otra tabla")
def knows_the_best(table):
    return table.index[table["per_day"] >= 0.38].min()


def medians(table, how="median"):
    "One figure of each method on each part."
    return table.groupby(["part", "method"])["eur"].agg(how).unstack()


def within(row, near=0.05):
    "The first, unless the second is near."
    second, first = row.nlargest(2).iloc[::-1]
    return row.idxmax() if second <= (1 - near) * first else "da igual"


@wrong("method.choose", "una `Series` con una entrada por parte")
def one_for_all(table):
    return table.groupby("method")["eur"].median().idxmax()


@wrong("method.choose", "una sola partida con suerte")
def averages_the_games(table):
    return medians(table, "mean").apply(within, axis=1)


@wrong("method.choose", "una sola partida con suerte")
def the_best_game(table):
    return medians(table, "max").apply(within, axis=1)


@wrong("method.choose", "elegiste el que menos da")
def the_poorest(table):
    return medians(table).idxmin(axis=1)


@wrong("method.choose", "una diferencia del 3 %")
def always_decides(table):
    return medians(table).idxmax(axis=1)


@wrong("method.choose", "nunca te decides")
def never_decides(table):
    return pd.Series("da igual", index=pd.Index(table["part"].unique()))


@wrong("method.choose", "todavía no")
def gives_a_nearness(table):
    return medians(table).apply(within, axis=1).replace("da igual", "")


@wrong("method.choose", "mira el segundo de verdad")
def compares_with_the_first_other_column(table):
    def winner(row):
        other = row.drop(row.idxmax()).iloc[0]
        return row.idxmax() if other <= 0.95 * row.max() else "da igual"

    return medians(table).apply(winner, axis=1)


@wrong("method.choose", "mira el segundo de verdad")
def wants_ten_per_cent(table):
    return medians(table).apply(within, axis=1, near=0.1)
