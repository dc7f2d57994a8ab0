"Wrong answers to the exercises of lesson 61, each with a piece of the hint it must get."

import numpy as np

from wrong_answers import wrong

KEYS = ["cutoff", "unique_id", "ds"]


@wrong("capstone.target", "mantener se paga todos los años")
def forgets_running(today_eur, stores, build_eur, run_eur, years):
    return today_eur - build_eur / years / 365 / stores


@wrong("capstone.target", "ahorran todas las tiendas a la vez")
def one_store_pays(today_eur, stores, build_eur, run_eur, years):
    return today_eur - (build_eur / years + run_eur) / 365


@wrong("capstone.target", "en todos los años, no en el primero")
def in_a_year(today_eur, stores, build_eur, run_eur, years):
    return today_eur - (build_eur + run_eur) / 365 / stores


@wrong("capstone.target", "una meta más cara que lo de hoy")
def adds(today_eur, stores, build_eur, run_eur, years):
    return today_eur + (build_eur / years + run_eur) / 365 / stores


@wrong("capstone.target", "la cuenta no sale")
def only_the_saving(today_eur, stores, build_eur, run_eur, years):
    return (build_eur / years + run_eur) / 365 / stores


def pairs(scored, name):
    rows = scored.loc[scored["model"] == name, KEYS]
    return set(rows.itertuples(index=False, name=None))


@wrong("capstone.chosen", "si los días son los mismos")
def all_of_them(scored):
    return sorted({(row.cutoff, row.unique_id) for row in scored.itertuples()})


@wrong("capstone.chosen", "compara los días uno a uno, también con la fecha de corte")
def only_days(scored):
    rule, mine = (set(scored.loc[scored["model"] == name, "ds"]) for name in ("rule", "forecast"))
    late = scored[scored["ds"].isin(rule ^ mine)]
    return sorted({(row.cutoff, row.unique_id) for row in late.itertuples()})


@wrong("capstone.chosen", "mira en los dos sentidos")
def one_way(scored):
    return sorted({one[:2] for one in pairs(scored, "rule") - pairs(scored, "forecast")})


@wrong("capstone.chosen", "el mismo número de días y no son los mismos")
def counts(scored):
    sizes = scored.groupby(["model", "cutoff", "unique_id"]).size().unstack("model")
    return sorted(sizes.index[sizes["rule"] != sizes["forecast"]])


@wrong("capstone.chosen", "cada pareja va una sola vez")
def by_store(scored):
    found = {one[:2] for one in pairs(scored, "rule") ^ pairs(scored, "forecast")}
    return sorted(found, key=lambda one: one[::-1])


def joined(answer, question):
    asked = question.loc[question["y"].isna(), ["unique_id", "ds", "closed"]]
    return asked, asked.merge(answer, on=["unique_id", "ds"], how="outer")


@wrong("capstone.bakeable", "rechazaste una respuesta buena")
def refuses_zeros(answer, question):
    return bool((answer["yhat"] > 0).all())


@wrong("capstone.bakeable", "falta el último día")
def accepts_everything(answer, question):
    return True


@wrong("capstone.bakeable", "sobra un día")
def only_looks_for_gaps(answer, question):
    asked = question.loc[question["y"].isna(), ["unique_id", "ds"]]
    return len(asked.merge(answer)) == len(asked)


@wrong("capstone.bakeable", "una cantidad negativa")
def only_counts_days(answer, question):
    asked, both = joined(answer, question)
    return len(both) == len(asked) == len(answer)


@wrong("capstone.bakeable", "una cantidad infinita")
def forgets_infinity(answer, question):
    asked, both = joined(answer, question)
    return len(both) == len(asked) == len(answer) and bool((answer["yhat"] >= 0).all())


@wrong("capstone.bakeable", "un día cerrado llevaba algo")
def forgets_closed_days(answer, question):
    asked, both = joined(answer, question)
    return len(both) == len(asked) == len(answer) and bool(answer["yhat"].between(0, np.finfo(float).max).all())


@wrong("capstone.bakeable", "mira tienda por tienda, sin los días cerrados")
def all_stores_together(answer, question):
    asked, both = joined(answer, question)
    fine = len(both) == len(asked) == len(answer) and answer["yhat"].between(0, np.finfo(float).max).all()
    return bool(fine and (both.loc[both["closed"].astype(bool), "yhat"] == 0).all() and both["yhat"].nunique() > 1)
