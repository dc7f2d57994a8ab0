"""Two years of a made-up chain, day by day: what retraining is worth in EUR, with a shock, with road works and in calm.

Each world is lived by the loop (alarms and calendar), by the calendar alone, by the first champion for ever, by the
steady recipe alone for ever, and by last week's rule. Shocks are known, so delay and false alarms are counted.
A smaller run for tests: bench_shop.py --stores 3 --days 120
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from measure import cpu
from mlworkbook.backtest import backtest
from mlworkbook.baselines import seasonal_naive
from mlworkbook.contract import past, seen
from mlworkbook.forecaster import Params
from mlworkbook.monitor import calibrate, rings
from mlworkbook.retrain import DECIDED, Life, Plan, Shelf, live_shop, two_recipes
from mlworkbook.sales import make_sales
from mlworkbook.solver import cross_validation
from mlworkbook.value import BAKERY_COSTS, error_cost

DAY, EVENING = pd.Timedelta(days=1), pd.Timestamp("2023-12-31")


def worlds(history: pd.DataFrame, shock: pd.Timestamp) -> dict[str, pd.DataFrame]:
    "The same shops: in calm, with a third of them a third lower for ever, and with three weeks of road works."
    names = history["unique_id"].unique()[::3]
    hit, after = history["unique_id"].isin(names), history["ds"] >= shock
    works = hit & after & (history["ds"] < shock + 21 * DAY)
    lower, half = (history["y"] * 0.65).round(), (history["y"] * 0.5).round()
    return {
        "calm": history,
        "shock": history.assign(y=history["y"].mask(hit & after, lower)),
        "road works": history.assign(y=history["y"].mask(works, half)),
    }


def told(life: Life, shock: pd.Timestamp) -> str:
    "Delay, false alarms and decisions, in words."
    mornings = pd.Series(life.alarms["ds"].unique())
    late, early = mornings[mornings > shock], mornings[mornings <= shock]
    delay = f"{(late.min() - shock).days} days" if len(late) else "never"
    months = (shock - EVENING).days / 30
    tried = [one for one in life.records if one.action in DECIDED]
    won = sum(one.action == "promoted" for one in tried)
    return f"heard after {delay}, {len(early) / months:.1f} mornings a month before, {len(tried)} trainings, {won} won"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=35)
    parser.add_argument("--days", type=int, default=731)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    history = make_sales(options.seed, series=options.stores, days=730 + options.days, horizon=28)
    shock = EVENING + options.days // 4 * DAY
    recipes = {name: replace(params, uncertainty_samples=200) for name, params in two_recipes().items()}
    plan = Plan(recipes=recipes, every=56, nights=2, period=4)
    before = seen(history, EVENING, 28)
    usual = cross_validation(before, 28, initial=365, period=28, params=recipes["nimble"])
    limits = calibrate(usual, past(before), false_alarms=0.5)

    def watch(scored: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
        near = known[known["ds"] > scored["ds"].min() - 60 * DAY]
        return rings(scored.dropna(axis="columns", how="all"), near, limits)

    ways = {
        "loop": (plan, watch),
        "calendar, 56 days": (plan, None),
        "calendar, 28 days": (replace(plan, every=28), None),
        "first champion": (replace(plan, every=9999), None),
        "steady for ever": (replace(plan, every=9999, recipes={"steady": Params(uncertainty_samples=0)}), None),
    }
    for world, sales in worlds(history, shock).items():
        used, lives = cpu(), {}
        for name, (agreed, eyes) in ways.items():
            with tempfile.TemporaryDirectory() as notes:
                lives[name] = live_shop(sales, EVENING, Shelf(), Path(notes), agreed, watch=eyes)
        spans = {"initial": (EVENING - sales["ds"].min()).days, "period": 7}
        scored = {name: life.scored for name, life in lives.items()}
        scored["last week's rule"] = backtest(sales, {"rule": seasonal_naive}, 7, **spans, batch=100).scored
        print(f"{world}: {options.stores} stores, {options.days} days, {cpu() - used:.0f} CPU s")
        for name, rows in scored.items():
            eur = error_cost(rows.drop(columns="model"), BAKERY_COSTS, by=())["cost_eur"].item()
            print(
                f"  {name:<18} {eur:9,.0f} EUR  {told(lives[name], shock) if name == 'loop' else ''}".rstrip(),
                flush=True,
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
