"""Prophet over the bakery's stores and four cutoffs: our backtest against a loop over Prophet's cross_validation.

Both give yhat and an 80 % interval from 1,000 draws for the same rows. Times are of one run on one machine, so read
the ratio. Imports are not timed on either side; the start of the processes is, apart.
A smaller run for tests: bench_backtest.py --stores 2 --horizon 14
"""

import argparse
import time

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from measure import measure
from mlworkbook.backtesting import backtest, cutoffs
from mlworkbook.baselines import open_days
from mlworkbook.contract import regressors
from mlworkbook.forecaster import named_days, prophet_forecast, quiet
from mlworkbook.sales import load_sales


def warm(number: int) -> float:  # seconds
    "Start the processes and let them import what they need, as the loop's process has done."

    def get_ready() -> None:
        with quiet():
            import prophet  # noqa: F401

        import mlworkbook.backtesting
        import mlworkbook.forecaster  # noqa: F401

        time.sleep(1)

    start = time.perf_counter()
    Parallel(n_jobs=number)(delayed(get_ready)() for _ in range(number))
    return time.perf_counter() - start - 1


def plain(
    history: pd.DataFrame,  # closed days are dropped, as ours does
    horizon: int,
    nights: list[pd.Timestamp],
) -> pd.DataFrame:  # what `cross_validation` gives, by `unique_id`
    "What the Prophet manual says, store after store."
    from prophet import Prophet
    from prophet.diagnostics import cross_validation

    parts = []
    for name, series in history.groupby("unique_id"):
        rows = open_days(series)
        able = [night for night in nights if (rows["ds"] <= night).sum() >= 56]
        if able:
            model = Prophet(holidays=named_days(series), daily_seasonality=False)
            for column in regressors(series):
                model.add_regressor(column)
            model.fit(rows[["ds", "y", *regressors(series)]])
            found = cross_validation(model, f"{horizon} days", cutoffs=able, disable_tqdm=True)
            parts.append(found.assign(unique_id=name))
    return pd.concat(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=35)
    parser.add_argument("--horizon", type=int, default=180)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    history = load_sales()
    history = history[history["unique_id"].isin(history["unique_id"].unique()[: options.stores])]
    nights = cutoffs(history, options.horizon)
    stores = history["unique_id"].nunique()
    print(f"{stores} stores, {len(nights)} cutoffs, {options.horizon} days, {options.workers} processes")
    with quiet():
        import prophet.diagnostics  # noqa: F401  imported before the clock starts

        theirs, loop = measure("loop over cross_validation", lambda: plain(history, options.horizon, nights))
    models = {"prophet": prophet_forecast}
    started = warm(options.workers)
    result, own = measure("backtest", lambda: backtest(history, models, options.horizon, workers=options.workers))
    get_reusable_executor().shutdown(wait=True)
    ours = result.of("prophet")
    both = ours[ours["status"] == "model"].merge(theirs, on=["unique_id", "cutoff", "ds"], suffixes=("", "_theirs"))
    error = (both["yhat"] - both["yhat_theirs"].clip(lower=0)).abs() / both["yhat_theirs"].abs().clip(lower=1)
    whole = both["unique_id"].map(history.groupby("unique_id")["ds"].min()) == history["ds"].min()
    print(f"ratio {loop / own:.2f}; {loop / (own + started):.2f} with the start of the processes, {started:.1f} s")
    print(f"largest relative difference of yhat, full histories: {error[whole].max():.1e} ({whole.sum()} days)")
    if not whole.all():  # cross_validation may give them columns for holidays that they have not lived by the cutoff
        print(f"the same, stores that opened late: {error[~whole].max():.1e}")
    assert error[whole].max() <= 1e-6
    assert np.isfinite(ours[["yhat", "yhat_lower", "yhat_upper"]]).all(axis=None)


if __name__ == "__main__":
    main()
