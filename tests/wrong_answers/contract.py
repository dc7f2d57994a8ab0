"Wrong answers to the exercises of lesson 15, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


@wrong("contract.clause", "una respuesta por valor")
def one_answer_for_all(values):
    return bool(values.between(-30, 45).all())


@wrong("contract.clause", "un valor vacío pasó por bueno")
def missing_is_fine(values):
    return pd.to_numeric(values, errors="coerce").fillna(0).between(-30, 45)


@wrong("contract.clause", "los dos extremos también cumplen")
def limits_are_out(values):
    return pd.to_numeric(values, errors="coerce").between(-30, 45, inclusive="neither")


@wrong("contract.clause", "mira los dos lados")
def only_the_upper_limit(values):
    return pd.to_numeric(values, errors="coerce") <= 45


@wrong("contract.clause", "tu función se detuvo")
def stops_at_text(values):
    return values.between(-30, 45)


@wrong("contract.clause", "pierde el índice")
def forgets_the_index(values):
    return pd.Series(pd.to_numeric(values, errors="coerce").between(-30, 45).to_list())


@wrong("contract.gaps", "contaste los huecos")
def counts_gaps(history):
    step = history.sort_values("ds").groupby("unique_id")["ds"].diff().dt.days
    return int((step > 1).sum())


@wrong("contract.gaps", "S03 abrió más tarde")
def all_series_start_together(history):
    days = (history["ds"].max() - history["ds"].min()).days + 1
    return days * history["unique_id"].nunique() - len(history)


@wrong("contract.gaps", "cuenta por serie")
def any_shop_will_do(history):
    days = (history["ds"].max() - history["ds"].min()).days + 1
    return max(0, days - history["ds"].nunique() - 1)


@wrong("contract.gaps", "cambia con el orden de las filas")
def trusts_the_order(history):
    step = history.groupby("unique_id")["ds"].diff().dt.days
    return int((step.dropna() - 1).clip(lower=0).sum())


@wrong("contract.gaps", "todavía no")
def counts_the_step(history):
    step = history.sort_values("ds").groupby("unique_id")["ds"].diff().dt.days
    return int(step[step > 1].sum())


@wrong("contract.gaps", "huecos al azar")
def only_the_first_series(history):
    first = history[history["unique_id"] == history["unique_id"].min()]
    return (first["ds"].max() - first["ds"].min()).days + 1 - len(first)


@wrong("contract.order", "sin que nada lo pruebe")
def always_day(texts):
    return "day"


@wrong("contract.order", "en cualquier fila")
def only_the_first_row(texts):
    first, second, _ = map(int, texts.iloc[0].split("/"))
    return "day" if first > 12 else "month" if second > 12 else "unsure"


@wrong("contract.order", "el 12 todavía puede ser un mes")
def twelve_is_proof(texts):
    parts = texts.str.split("/", expand=True).astype(int)
    return "month" if parts[1].max() > 12 else "day" if parts[0].max() >= 12 else "unsure"


@wrong("contract.order", "¿qué número no puede ser un mes?")
def the_other_way_round(texts):
    parts = texts.str.split("/", expand=True).astype(int)
    return "month" if parts[0].max() > 12 else "day" if parts[1].max() > 12 else "unsure"


@wrong("contract.order", "con el índice en desorden")
def only_three_rows(texts):
    parts = texts[texts.index < 3].str.split("/", expand=True).astype(int)
    return "day" if parts[0].max() > 12 else "month" if parts[1].max() > 12 else "unsure"
