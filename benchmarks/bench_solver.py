"""The exact solver against a plain loop over Prophet and against prophet-batch, then many made-up series.

Each fits the bakery's stores with holidays and promotions, forecasts two weeks with 80 % intervals from 1,000 draws,
and goes back to four cutoffs. Times are of one run on one machine, so read the ratios. Imports are not timed.
A smaller run for tests: bench_solver.py --stores 2 --series 20
"""

import argparse
import time
from collections.abc import Callable

import pandas as pd
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from measure import cpu, peak
from mlworkbook.backtesting import cutoffs
from mlworkbook.baselines import open_days
from mlworkbook.contract import future, past
from mlworkbook.forecaster import Params, quiet, unfitted
from mlworkbook.metrics import coverage, wape
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.solver import cross_validation, solver_forecast

HORIZON, PERIOD, CHUNK = 14, 150, 50


def measure(
    name: str,
    run: Callable[[], pd.DataFrame],
    times: int = 1,
) -> tuple[pd.DataFrame, float]:  # result and CPU seconds, the mean of the times
    "Time a run and print what it took."
    start, used = time.perf_counter(), cpu()
    for _ in range(times):
        result = run()
    used = (cpu() - used) / times
    print(f"{name:<16} {(time.perf_counter() - start) / times:7.1f} s  {used:7.2f} CPU s", flush=True)
    return result, used


def able(series: pd.DataFrame, nights: list[pd.Timestamp]) -> list[pd.Timestamp]:
    "Cutoffs with enough open days before them."
    return [night for night in nights if (open_days(series)["ds"] <= night).sum() >= Params().min_days]


def plain(history: pd.DataFrame, nights: list[pd.Timestamp]) -> pd.DataFrame:  # scored, by `unique_id`
    "What the Prophet manual says, store after store."
    from prophet.diagnostics import cross_validation as cross_validate

    parts = []
    for name, series in history.groupby("unique_id"):
        model = unfitted(series, Params())
        known = ["ds", *model.extra_regressors]
        model.fit(open_days(series)[[*known, "y"]])
        model.predict(future(series, HORIZON)[known])
        found = cross_validate(model, f"{HORIZON} days", cutoffs=able(series, nights), disable_tqdm=True)
        parts.append(found.assign(unique_id=name))
    return pd.concat(parts)


def library(history: pd.DataFrame, nights: list[pd.Timestamp]) -> pd.DataFrame:  # scored, by `unique_id`
    "The same with prophet-batch."
    from prophet_batch import cross_validation_many, fit_many, predict_many

    series = dict(iter(history.groupby("unique_id")))
    models = fit_many(open_days(history), make_model=lambda name: unfitted(series[name], Params()))
    futures = {name: future(series[name], HORIZON)[["ds", *model.extra_regressors]] for name, model in models.items()}
    predict_many(models, futures, seed=0, columns=["ds", "yhat", "yhat_lower", "yhat_upper"])
    parts, groups = [], {}
    for name in models:
        groups.setdefault(tuple(able(series[name], nights)), []).append(name)
    for some, names in groups.items():
        chosen = {name: models[name] for name in names}
        parts.append(cross_validation_many(chosen, f"{HORIZON} days", cutoffs=list(some), seed=0, as_frame=True))
    return pd.concat(parts)


def ours(history: pd.DataFrame) -> pd.DataFrame:  # scored
    "The same with the exact solver."
    solver_forecast(history, HORIZON)
    return cross_validation(history, HORIZON, period=PERIOD)


def many(number: int) -> int:  # rows forecast
    "Make, fit and forecast some series; nothing stays."
    made = make_sales(number, series=CHUNK, days=1000, horizon=HORIZON)
    return len(solver_forecast(made, HORIZON))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=35)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    history = load_sales(horizon=HORIZON)
    history = history[history["unique_id"].isin(history["unique_id"].unique()[: options.stores])]
    nights = cutoffs(history, HORIZON, period=PERIOD)
    print(f"{history['unique_id'].nunique()} stores, {HORIZON} days, {len(nights)} cutoffs")
    with quiet():
        import prophet.diagnostics  # noqa: F401  imported before the clock starts
        import prophet_batch  # noqa: F401

        ours(history[history["unique_id"] == history["unique_id"].iat[0]])
        runs = {"loop": lambda: plain(history, nights), "prophet-batch": lambda: library(history, nights)}
        found = {name: measure(name, run) for name, run in runs.items()}
        found["solver"] = measure("solver", lambda: ours(history), times=5)  # too short to measure once
    for name in runs:
        print(f"the solver takes {found[name][1] / found['solver'][1]:.0f} times less than {name}")
    scored, open_on = found["solver"][0], past(history).query("not closed")[["unique_id", "ds"]]
    open_on = open_on.merge(scored.query("status == 'model'")[["unique_id", "cutoff", "ds"]])
    for name, (table, _) in found.items():
        same = table.merge(open_on).assign(yhat=lambda rows: rows["yhat"].clip(lower=0))
        print(f"{name:<16} WAPE {wape(same):.4f}  coverage {coverage(same):.4f}  {len(same)} days")
    mb: list[float] = []
    tasks = -(-options.series // CHUNK)
    start, used = time.perf_counter(), cpu()
    with peak(mb):
        rows = sum(Parallel(n_jobs=options.workers)(delayed(many)(number) for number in range(tasks)))
        used = cpu() - used
        get_reusable_executor().shutdown(wait=True)
    print(
        f"{rows // HORIZON} made series of 1,000 days, made, fitted and forecast on {options.workers} processes: "
        f"{time.perf_counter() - start:.0f} s, {used:.0f} CPU s, peak {mb[0]:.0f} MB"
    )


if __name__ == "__main__":
    main()
