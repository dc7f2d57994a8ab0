"""Log, register and promote the bakery's panel: one model for all stores, against one logged model per store.

The naive way does what a first version does: a run per store, its Prophet wrapped in a class, logged and registered
with what MLflow guesses about it. It is measured on a few stores, because each takes seconds, and shown per store.
Times are processor seconds of one run on one machine, so read the ratio; imports are in the first line only.
A smaller run for tests: bench_registry.py --stores 2
"""

import argparse
import logging
import tempfile
import warnings
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict
from io import StringIO
from pathlib import Path

from measure import cpu
from mlworkbook.backtesting import backtest
from mlworkbook.baselines import seasonal_naive
from mlworkbook.forecaster import Forecaster, Params, prophet_forecast
from mlworkbook.registry import load_champion, log_panel, promote
from mlworkbook.sales import load_sales
from mlworkbook.tracking import connect, log_backtest, start_run
from mlworkbook.value import BAKERY_COSTS

LIMIT = 5.0


@contextmanager
def measured(seconds: dict[str, float], name: str):
    "Note the processor time of a block."
    start = cpu()
    yield
    seconds[name] = cpu() - start


def naive(forecaster, stores, folder):
    "One run, one model and one registered name per store; MLflow pickles the wrapper and guesses its requirements."
    import mlflow

    class OneStore(mlflow.pyfunc.PythonModel):
        def __init__(self, model):
            self.model = model

        def predict(self, context, model_input, params=None):
            return self.model.predict(model_input)

    for store in stores:
        with start_run(store, experiment="naive", folder=folder):
            mlflow.pyfunc.log_model(
                name="model", python_model=OneStore(forecaster.models[store]), registered_model_name=f"bakery-{store}"
            )


def main() -> None:
    "Print the table."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=35, help="how many of the 35")
    parser.add_argument("--naive", type=int, default=3, help="stores of the naive way")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    names = sorted(load_sales(level="store", ended="drop")["unique_id"].unique())[: options.stores]
    history = load_sales(stores=[int(name[1:]) for name in names], horizon=14, ended="drop")
    models = {"seasonal_naive": seasonal_naive, "prophet": prophet_forecast}
    scored = backtest(history, models, 14, initial=1100, period=90).scored
    mine = scored[scored["model"] == "prophet"]
    forecaster, seconds = Forecaster(Params()).fit(history), {}
    with tempfile.TemporaryDirectory() as folder:
        with measured(seconds, "first use"):
            connect(folder)
        with start_run("warm-up", folder=folder):
            pass
        with measured(seconds, "log and register"), start_run("prophet", folder=folder):
            log_backtest(mine, history, params=asdict(Params()), costs=BAKERY_COSTS)
            log_panel(forecaster, "bakery")
        with measured(seconds, "promote"):
            promote("bakery", scored, BAKERY_COSTS, model="prophet", folder=folder)
        with measured(seconds, "load, checked"):
            load_champion("bakery", folder=folder)
        size = sum(path.stat().st_size for path in Path(folder, "mlartifacts").rglob("*") if path.is_file())
        stores = list(forecaster.models)[: options.naive]
        with measured(seconds, "naive"), redirect_stderr(StringIO()):
            naive(forecaster, stores, folder)
    for name in ("first use", "log and register", "promote", "load, checked"):
        print(f"{name:18s} {seconds[name]:6.2f} s CPU")
    ours = seconds["log and register"] + seconds["promote"]
    per_store = seconds["naive"] / len(stores)
    whole = per_store * len(names)
    print(f"one panel          {ours:6.2f} s CPU for {len(names)} stores, {size / 1e6:.1f} MB (limit {LIMIT:g} s)")
    print(f"one model a store  {per_store:6.2f} s CPU a store, {whole:.0f} s for all: {whole / ours:.0f} times as much")
    if ours > LIMIT:
        raise SystemExit(f"{ours:.2f} s is over the limit of {LIMIT:g} s")


if __name__ == "__main__":
    main()
