"""The forecast of one store from an ONNX graph against Prophet's own predict, and what each format weighs and costs.

Both give the same `yhat`: the largest relative difference is printed and checked. Prophet is asked without interval,
which it would draw at random and which the graph does not give; with it, it takes longer. Times are processor
milliseconds, the median of several rounds in one process, so read the ratio.
A smaller run for tests: bench_formats.py --days 7 --rounds 2
"""

import argparse
import logging
import statistics
import tempfile
import warnings
from copy import copy

import numpy as np

from measure import cpu
from mlworkbook.contract import future
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.formats import compare
from mlworkbook.graphs import OnnxForecast, prophet_onnx
from mlworkbook.sales import load_sales

LIMIT, CLOSE = 50, 1e-6


def milliseconds(task, times: int, rounds: int) -> float:
    "Median processor time of a call."
    found = []
    for _ in range(rounds):
        start = cpu()
        for _ in range(times):
            task()
        found.append((cpu() - start) / times * 1000)
    return statistics.median(found)


def main() -> None:
    "Print the tables."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=30, help="days ahead")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    history = load_sales(stores=[2], horizon=options.days)
    model = Forecaster(Params()).fit(history).models["S02"]
    plain, rows = copy(model), future(history, options.days)
    plain.uncertainty_samples = 0
    content = prophet_onnx(model)
    reader = OnnxForecast(content)
    days, known = rows["ds"].to_numpy(), {name: rows[name].to_numpy() for name in ("holiday", *reader.regressors)}
    right, yhat = plain.predict(rows)["yhat"].to_numpy(), reader.predict(days, known)
    gap = float((np.abs(yhat - right) / np.abs(right)).max())
    with_interval = milliseconds(lambda: model.predict(rows), 5, options.rounds)
    prophet = milliseconds(lambda: plain.predict(rows), 5, options.rounds)
    graph = milliseconds(lambda: reader.predict(days, known), 500, options.rounds)
    print(
        f"{options.days} days, {len(content)} bytes, largest relative difference of a day {gap:.1e} (limit {CLOSE:g})"
    )
    print(f"Prophet, with interval {with_interval:8.2f} ms CPU")
    print(f"Prophet, yhat only     {prophet:8.2f} ms CPU")
    print(f"ONNX                   {graph:8.3f} ms CPU: {prophet / graph:.0f} times faster (limit {LIMIT})")
    with tempfile.TemporaryDirectory() as folder:
        names = ["pickle", "joblib", "json", "onnx", "mlflow"]
        table = compare(model, rows.drop(columns="unique_id"), names, folder)
    print(table[["bytes", "difference", "save_ms", "load_ms"]].to_string())
    if gap > CLOSE or prophet / graph < LIMIT:
        raise SystemExit("slower or further away than promised")


if __name__ == "__main__":
    main()
