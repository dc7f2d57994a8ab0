"""The league of the cheap rivals and Prophet: stores and store-products of the bakery, four cutoffs, 14 days each.

Every model is asked through the same backtest, and sees nothing after a cutoff. Figures do not depend on the machine;
seconds do: they are of the processor, both processes added up, without what importing costs.
`--write` renews the table that the lesson and the site quote.
A smaller run for tests: bench_league.py --series 2 --cheap
"""

import argparse
import time
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from measure import cpu, peak
from mlworkbook.backtest import backtest
from mlworkbook.baselines import auto_ets, boosting, moving_average, mstl, naive, seasonal_naive
from mlworkbook.contract import Forecast
from mlworkbook.forecaster import prophet_forecast, quiet
from mlworkbook.metrics import score
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.value import BAKERY_COSTS, error_cost

TABLE = Path(__file__).parent.parent / "docs" / "league.csv"
HORIZON, INITIAL, PERIOD = 14, 900, 90


def alone(history: pd.DataFrame, horizon: int) -> pd.DataFrame:
    "Boosting that learns from one series at a time."
    return pd.concat([boosting(rows, horizon) for _, rows in history.groupby("unique_id")])


CHEAP: dict[str, Forecast] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "moving_average": moving_average,
    "mstl": mstl,
    "auto_ets": auto_ets,
    "boosting": boosting,
}
DEAR: dict[str, Forecast] = {"boosting_alone": alone, "prophet": prophet_forecast}


def warm(
    models: dict[str, Forecast],
    workers: int,
) -> None:
    "Start the processes and let each of them import and compile what the models need."

    def get_ready() -> None:
        tiny = make_sales(0, series=1, days=150, horizon=HORIZON)
        with quiet():
            for model in models.values():
                model(tiny, HORIZON)
        time.sleep(1)

    Parallel(n_jobs=workers)(delayed(get_ready)() for _ in range(workers))


def league(
    history: pd.DataFrame,  # one level of the bakery
    models: dict[str, Forecast],
    workers: int,
) -> pd.DataFrame:  # a row for each model
    "Ask every model, and measure its answers and its time."
    together = history["unique_id"].nunique()  # boosting learns from the series it is given: all of them
    options, rows = {"initial": INITIAL, "period": PERIOD, "workers": workers, "batch": together}, []
    for name, model in models.items():
        before = cpu()
        result = backtest(history, {name: model}, HORIZON, **options)
        seconds = cpu() - before
        if len(result.failures):
            raise SystemExit(f"{name} failed: {result.failures.iloc[0].to_dict()}")
        opened, costs = score(result.scored).iloc[0], error_cost(result.scored, BAKERY_COSTS, by=()).iloc[0]
        row = {"model": name} | {key: result.scored[key].nunique() for key in ("unique_id", "cutoff")}
        row |= {"days": int(costs["days"])} | opened[["wape", "bias", "coverage"]].to_dict()
        rows.append(row | {"cost_eur": costs["cost_eur"] / costs["days"], "seconds": seconds})
        print(f"  {name:<15} {seconds:6.1f} s of processor", flush=True)
    table = pd.DataFrame(rows).rename(columns={"unique_id": "series", "cutoff": "cutoffs"})
    return table.round({"wape": 4, "bias": 4, "coverage": 3, "cost_eur": 2, "seconds": 1})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, help="how many of each level; all when omitted")
    parser.add_argument("--cheap", action="store_true", help="stores and cheap rivals only: what the limits are for")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"renew docs/{TABLE.name}")
    options = parser.parse_args()
    if options.write and (options.series or options.cheap):
        parser.error("--write needs the whole league: leave --series and --cheap out")
    models = CHEAP if options.cheap else CHEAP | DEAR
    warm(models, options.workers)
    tables, mb = [], []
    for level in ("store", "product")[: 1 if options.cheap else None]:
        history = load_sales(level=level)
        history = history[history["unique_id"].isin(history["unique_id"].unique()[: options.series])]
        print(f"{level}: {history['unique_id'].nunique()} series, {options.workers} processes")
        start, before = time.perf_counter(), cpu()
        with peak(mb):
            table = league(history, models, options.workers)
        print(f"  {time.perf_counter() - start:.1f} s, {cpu() - before:.1f} s of processor, peak {mb[-1]:.0f} MB")
        tables.append(table.assign(level=level))
    table = pd.concat(tables)[["level", *tables[0].columns.drop("level")]]
    print(table.to_string(index=False))
    if options.write:
        part = TABLE.with_suffix(".part")
        table.to_csv(part, index=False)
        part.replace(TABLE)
        print(f"wrote docs/{TABLE.name}")


if __name__ == "__main__":
    main()
