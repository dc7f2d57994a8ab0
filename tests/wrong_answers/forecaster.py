"Wrong answers to the exercises of lesson 34, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong

NUMBERS = ["yhat", "yhat_lower", "yhat_upper"]


@wrong("forecaster.weekdays", "dijiste que abre el domingo")
def counts_closed_days(series):
    return sorted(series.loc[series["y"].notna(), "ds"].dt.weekday.unique().tolist())


@wrong("forecaster.weekdays", "abrió aunque no vendió nada")
def looks_at_sales(series):
    return sorted(series.loc[series["y"] > 0, "ds"].dt.weekday.unique().tolist())


@wrong("forecaster.weekdays", "contaste filas futuras")
def counts_the_future(series):
    return sorted(series.loc[~series["closed"], "ds"].dt.weekday.unique().tolist())


@wrong("forecaster.weekdays", "repites días")
def repeats_days(series):
    return series.loc[series["y"].notna() & ~series["closed"], "ds"].dt.weekday.tolist()


@wrong("forecaster.weekdays", "devuelve una lista")
def returns_an_array(series):
    return series.loc[series["y"].notna() & ~series["closed"], "ds"].dt.weekday.unique()


@wrong("forecaster.weekdays", "todavía no")
def knows_the_answer(series):
    return [0, 1, 2, 3, 4]


@wrong("forecaster.bakeable", "le cambiaste el signo")
def takes_the_size(forecast, closed):
    return forecast.assign(**forecast[NUMBERS].abs().mask(closed, 0.0))


@wrong("forecaster.bakeable", "límite inferior")
def only_the_forecast(forecast, closed):
    return forecast.assign(yhat=forecast["yhat"].clip(lower=0).mask(closed, 0.0))


@wrong("forecaster.bakeable", "horneas en un día cerrado")
def forgets_closed_days(forecast, closed):
    return forecast.assign(**forecast[NUMBERS].clip(lower=0))


@wrong("forecaster.bakeable", "el intervalo también es 0")
def leaves_the_interval(forecast, closed):
    table = forecast.assign(**forecast[NUMBERS].clip(lower=0))
    return table.assign(yhat=table["yhat"].mask(closed, 0.0))


@wrong("forecaster.bakeable", "un día cerrado sigue siendo un día")
def drops_rows(forecast, closed):
    return forecast.assign(**forecast[NUMBERS].clip(lower=0))[~closed]


@wrong("forecaster.bakeable", "todavía no")
def knows_the_table(forecast, closed):
    done = forecast.assign(**forecast[NUMBERS].clip(lower=0))
    done.loc[done.index == 3, NUMBERS] = 0
    return done


@wrong("forecaster.trusted", "contaste también los días cerrados")
def counts_calendar_days(history, least):
    rows = history[history["y"].notna()].sort_values("ds")
    nth = rows.groupby("unique_id").cumcount() + 1
    return rows[nth == least].set_index("unique_id")["ds"].reindex(history["unique_id"].unique())


@wrong("forecaster.trusted", "te pasaste por un día")
def one_day_late(history, least):
    rows = history[history["y"].notna() & ~history["closed"]].sort_values("ds")
    nth = rows.groupby("unique_id").cumcount()
    return rows[nth == least].set_index("unique_id")["ds"].reindex(history["unique_id"].unique())


@wrong("forecaster.trusted", "contaste filas futuras")
def counts_the_days_to_come(history, least):
    rows = history[~history["closed"]].sort_values("ds")
    nth = rows.groupby("unique_id").cumcount() + 1
    return rows[nth == least].set_index("unique_id")["ds"].reindex(history["unique_id"].unique())


@wrong("forecaster.trusted", "falta una tienda")
def leaves_out_young_stores(history, least):
    rows = history[history["y"].notna() & ~history["closed"]].sort_values("ds")
    nth = rows.groupby("unique_id").cumcount() + 1
    return rows[nth == least].set_index("unique_id")["ds"]


@wrong("forecaster.trusted", "con filas desordenadas")
def trusts_the_order(history, least):
    rows = history[history["y"].notna() & ~history["closed"]]
    nth = rows.groupby("unique_id").cumcount() + 1
    return rows[nth == least].set_index("unique_id")["ds"].reindex(history["unique_id"].unique())


@wrong("forecaster.trusted", "el índice debe ser")
def loses_the_names(history, least):
    rows = history[history["y"].notna() & ~history["closed"]].sort_values("ds")
    return pd.Series([group["ds"].iloc[least - 1] for _, group in rows.groupby("unique_id")])
