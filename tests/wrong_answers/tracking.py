"Wrong answers to the exercises of lesson 38, each with a piece of the hint it must get."

import pandas as pd

from wrong_answers import wrong


@wrong("tracking.hide", "borraste filas")
def drops_the_rows(history, horizon):
    return history[history["ds"] <= history["ds"].max() - pd.Timedelta(days=horizon)]


@wrong("tracking.hide", "cambiaste las columnas")
def adds_a_mark(history, horizon):
    return history.assign(hidden=history["ds"] > history["ds"].max() - pd.Timedelta(days=horizon))


@wrong("tracking.hide", "solo escondiste días de una serie")
def hides_the_last_rows_of_the_table(history, horizon):
    return history.assign(y=history["y"].where(range(len(history)) < pd.Series(len(history) - horizon, history.index)))


@wrong("tracking.hide", "un día de más")
def hides_the_cutoff_too(history, horizon):
    return history.assign(y=history["y"].where(history["ds"] < history["ds"].max() - pd.Timedelta(days=horizon)))


@wrong("tracking.hide", "un 0 dice")
def writes_zeros(history, horizon):
    late = history["ds"] > history["ds"].max() - pd.Timedelta(days=horizon)
    first = history["ds"] > history["ds"].max() - pd.Timedelta(days=1)
    return history.assign(y=history["y"].mask(late, 0.0).mask(first))


@wrong("tracking.hide", "falla con 40 días")
def knows_only_the_first_case(history, horizon):
    return history.assign(y=history["y"].where(history["ds"] <= history["ds"].max() - pd.Timedelta(days=3)))


@wrong("tracking.steps", "devuelve un diccionario")
def gives_a_list(scored):
    error = (scored["y"] - scored["yhat"]).abs().groupby(scored["cutoff"]).sum()
    return list(error / scored.groupby("cutoff")["y"].sum())


@wrong("tracking.steps", "un valor por fecha de corte")
def gives_one_figure(scored):
    return {0: (scored["y"] - scored["yhat"]).abs().sum() / scored["y"].sum()}


@wrong("tracking.steps", "el primer paso es el 0")
def counts_from_one(scored):
    return {step: part["y"].sum() for step, (_, part) in enumerate(scored.groupby("cutoff"), start=1)}


@wrong("tracking.steps", "no por fecha")
def numbers_as_they_appear(scored):
    parts = [part for _, part in scored.groupby("cutoff", sort=False)]
    return {step: (part["y"] - part["yhat"]).abs().sum() / part["y"].sum() for step, part in enumerate(parts)}


@wrong("tracking.steps", "promediaste porcentajes")
def averages_percentages(scored):
    parts = [part for _, part in scored.groupby("cutoff")]
    return {step: ((part["y"] - part["yhat"]).abs() / part["y"]).mean() for step, part in enumerate(parts)}


@wrong("tracking.changes", "no cambió y está")
def lists_everything(before, after):
    return {name: (before.get(name), after.get(name)) for name in [*before, *after]}


@wrong("tracking.changes", "que apareció después")
def looks_only_at_the_old_names(before, after):
    return {name: (value, after.get(name)) for name, value in before.items() if after.get(name) != value}


@wrong("tracking.changes", "que desapareció")
def looks_only_at_the_new_names(before, after):
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


@wrong("tracking.changes", "el orden está al revés")
def turns_it_round(before, after):
    names = [*before, *after]
    return {name: (after.get(name), before.get(name)) for name in names if after.get(name) != before.get(name)}


@wrong("tracking.changes", "un parámetro vacío")
def takes_empty_for_missing(before, after):
    pairs = {name: (before.get(name) or None, after.get(name) or None) for name in [*before, *after]}
    return {name: (one, two) for name, (one, two) in pairs.items() if one != two}
