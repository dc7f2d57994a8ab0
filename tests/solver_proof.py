"""Is the exact solver the same model as Prophet? Both, and Prophet again on sales changed by 1e-10, on every series.

`python tests/solver_proof.py` writes docs/solver.csv, a row for each series; test_solver.py holds it to its promises.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from mlworkbook.baselines import open_days
from mlworkbook.contract import future, last_day, past, seen
from mlworkbook.forecaster import Params, fit_series, predict_series, unfitted
from mlworkbook.metrics import coverage, wape
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.solver import Fitted, fit_exact, predict_exact

TABLE = Path(__file__).parent.parent / "docs" / "solver.csv"
HORIZON = 28


def bakery() -> dict[str, pd.DataFrame]:  # 105 series
    "The chain, each product of each store."
    return {f"bakery {name}": rows for name, rows in load_sales(level="product").groupby("unique_id")}


def made() -> dict[str, pd.DataFrame]:  # 300 series
    "Long and calm, young and noisy, and very young ones with a bent trend and a column that is not 0 or 1."
    kinds = {"long": (11, 830, 0.1), "young": (12, 430, 0.3), "bent": (13, 180, 0.05)}
    found = {}
    for kind, (seed, days, noise) in kinds.items():
        table = make_sales(seed, series=100, days=days, noise=noise)
        if kind == "bent":
            place = table.groupby("unique_id").cumcount()
            table["heat"] = 20 + 10 * np.sin(place / 9) + place % 5
            table["y"] *= 1 + 0.01 * np.maximum(place - 90, 0) + 0.01 * table["heat"]
        found |= {f"{kind} {name}": rows for name, rows in table.groupby("unique_id")}
    return found


def inputs(series: pd.DataFrame, params: Params):  # what Prophet hands to Stan
    "Prophet's own preparation of the data."
    model = unfitted(series, params)
    return model.preprocess(open_days(series)[["ds", "y", *model.extra_regressors]])


def log_posterior(data, k: float, m: float, delta: np.ndarray, beta: np.ndarray, sigma: float) -> float:
    "Prophet's Stan program for additive seasons and linear growth, written anew; constants left out as Stan does."
    t, y, bends = (np.asarray(values, dtype=float) for values in (data.t, data.y, data.t_change))
    after = t[:, None] >= bends
    trend = (k + after @ delta) * t + m - after @ (bends * delta)
    misses = y - trend - data.X.to_numpy() @ beta
    prior = (k**2 + m**2) / 50 + np.abs(delta).sum() / data.tau + 2 * sigma**2
    prior += np.square(beta / np.array(data.sigmas)).sum() / 2
    return -len(y) * np.log(sigma) - np.square(misses / sigma).sum() / 2 - prior


def numbers(model) -> tuple:  # k, m, delta, beta, sigma
    "Parameters, whoever fitted them."
    if isinstance(model, Fitted):
        return model.k, model.m, model.delta, model.beta, model.sigma
    k, m, delta, beta, sigma = (model.params[name][0] for name in ("k", "m", "delta", "beta", "sigma_obs"))
    return k[0], m[0], delta, beta, sigma[0]


def compare(name: str, series: pd.DataFrame) -> dict:
    "Fit all but the last four weeks three times, and forecast them."
    params, known = Params(), seen(series, last_day(series) - pd.Timedelta(days=HORIZON), HORIZON)
    sign = np.random.default_rng(len(name)).choice([-1, 1], len(known))
    models = {
        "prophet": fit_series(known, params),
        "again": fit_series(known.assign(y=known["y"] * (1 + 1e-10 * sign)), replace(params, uncertainty_samples=0)),
        "solver": fit_exact(known, params),
    }
    data, days = inputs(known, params), future(known, HORIZON)
    row = {f"posterior_{which}": log_posterior(data, *numbers(model)) for which, model in models.items()}
    tell = {
        which: (predict_exact if which == "solver" else predict_series)(model, past(known), days, params)
        for which, model in models.items()
    }
    rows = open_days(known)
    told = days["ds"].dt.dayofweek.isin(rows["ds"].dt.dayofweek).to_numpy() & ~days["closed"].to_numpy(bool)
    level = rows["y"].mean()
    for which in ("again", "solver"):
        apart = np.abs(tell[which]["yhat"] - tell["prophet"]["yhat"])[told]
        row[f"apart_{which}"] = apart.max() / level
    sold = series[["unique_id", "ds", "y"]]
    for which in ("prophet", "solver"):
        scored = tell[which].merge(sold)[told]
        row |= {f"wape_{which}": wape(scored), f"coverage_{which}": coverage(scored)}
    return {"series": name, "days": len(rows), "told": int(told.sum()), "sold": scored["y"].sum()} | row


def proof(series: dict[str, pd.DataFrame], workers: int = 2) -> pd.DataFrame:  # a row for each series
    "Compare on all of them."
    return pd.DataFrame(Parallel(n_jobs=workers)(delayed(compare)(*item) for item in series.items()))


if __name__ == "__main__":
    proof(bakery() | made()).to_csv(TABLE, index=False, float_format="%.9g")
