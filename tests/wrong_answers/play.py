"Wrong answers to the exercises of lesson 20, each with a piece of the hint it must get."

import numpy as np

from wrong_answers import wrong


@wrong("play.luck", "elegiste mirando lo que pasó después")
def chooses_afterwards(first, later):
    return float(first[later.idxmax()] - later.max())


@wrong("play.luck", "comparaste dos reglas distintas")
def best_against_best(first, later):
    return float(first.max() - later.max())


@wrong("play.luck", "está al revés")
def upside_down(first, later):
    return float(later[first.idxmax()] - first.max())


@wrong("play.luck", "eso es lo que dio después")
def only_later(first, later):
    return float(later[first.idxmax()])


@wrong("play.luck", "promediaste todas las reglas")
def averages(first, later):
    return float((first - later).mean())


@wrong("play.luck", "mira el signo")
def largest(first, later):
    best = first.abs().idxmax()
    return float(first[best] - later[best])


@wrong("play.luck", "en un empate")
def last_of_the_tie(first, later):
    best = first[::-1].idxmax()
    return float(first[best] - later[best])


@wrong("play.luck", "todavía no")
def by_place(first, later):
    return float(first.max() - later.iloc[first.argmax()])


@wrong("play.luck", "con otras reglas")
def knows_the_example(first, later):
    return float(first["b"] - later["b"]) if "b" in first else 0.0


def error(rows):
    "Misses over sales."
    return float((rows["y"] - rows["yhat"]).abs().sum() / rows["y"].sum()) if len(rows) else float("nan")


@wrong("play.unseen", "contaste también los días que el modelo vio")
def every_day(scored, cutoff):
    return error(scored)


@wrong("play.unseen", "el día de la fecha de corte")
def from_the_cutoff(scored, cutoff):
    return error(scored[scored["ds"] >= cutoff])


@wrong("play.unseen", "mediste los días que vio")
def seen_days(scored, cutoff):
    return error(scored[scored["ds"] <= cutoff])


@wrong("play.unseen", "promediaste porcentajes")
def percentages(scored, cutoff):
    unseen = scored[scored["ds"] > cutoff]
    return float(((unseen["y"] - unseen["yhat"]).abs() / unseen["y"]).mean())


@wrong("play.unseen", "tapa lo que falta otro")
def nets_out(scored, cutoff):
    unseen = scored[scored["ds"] > cutoff]
    return float(abs((unseen["y"] - unseen["yhat"]).sum()) / unseen["y"].sum())


@wrong("play.unseen", "no por lo pronosticado")
def over_the_forecast(scored, cutoff):
    unseen = scored[scored["ds"] > cutoff]
    return float((unseen["y"] - unseen["yhat"]).abs().sum() / unseen["yhat"].sum())


@wrong("play.unseen", "no hay examen")
def zero_without_days(scored, cutoff):
    return float(np.nan_to_num(error(scored[scored["ds"] > cutoff])))


@wrong("play.unseen", "filas en desorden")
def by_rows(scored, cutoff):
    return error(scored.iloc[int(np.flatnonzero(scored["ds"] == cutoff)[0]) + 1 :])


@wrong("play.unseen", "todavía no")
def first_unseen_day(scored, cutoff):
    return error(scored[scored["ds"] > cutoff].tail(1))


@wrong("play.verdict", "una de las tres palabras")
def other_words(model, rival, needed):
    return "Seguir" if model < rival else "Parar"


@wrong("play.verdict", "un modelo que pierde")
def reversed_order(model, rival, needed):
    if np.isnan(model) or np.isnan(rival):
        return "medir"
    return "seguir" if model - rival >= needed * rival else "parar"


@wrong("play.verdict", "sin el error del modelo")
def stops_when_unknown(model, rival, needed):
    return "seguir" if rival - model >= needed * rival else "parar"


@wrong("play.verdict", "sin rival no sabes")
def forgets_the_rival(model, rival, needed):
    if np.isnan(model):
        return "medir"
    return "seguir" if rival - model >= needed * rival else "parar"


@wrong("play.verdict", "ganar no basta")
def any_win(model, rival, needed):
    if np.isnan(model) or np.isnan(rival):
        return "medir"
    return "seguir" if model < rival else "parar"


@wrong("play.verdict", "es una parte del error del rival")
def difference(model, rival, needed):
    if np.isnan(model) or np.isnan(rival):
        return "medir"
    return "seguir" if rival - model >= needed else "parar"


@wrong("play.verdict", "mides la bajada desde el modelo")
def from_the_model(model, rival, needed):
    if np.isnan(model) or np.isnan(rival):
        return "medir"
    return "seguir" if rival - model >= needed * model else "parar"


@wrong("play.verdict", "llegar justo")
def strictly(model, rival, needed):
    if np.isnan(model) or np.isnan(rival):
        return "medir"
    return "seguir" if rival - model > needed * rival else "parar"
