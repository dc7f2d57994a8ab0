"""Two years of a made-up chain, day by day: what retraining is worth in EUR, in calm and in three worlds with a shock.

The shocks: a third of the shops lower for ever, three weeks of road works, promotions that stop selling. Each world is
lived by the loop (alarms and calendar), by the calendar alone, by the first champion for ever, by the steady recipe
alone for ever, and by last week's rule; the last world also by somebody who asks when it rings and takes the mark of
the promotions away. Shocks are known, so delay and false alarms are counted. Figures do not depend on the machine.
`--write` renews the table that lesson 56 quotes. A smaller run for tests: bench_shop.py --stores 1 --days 12
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from measure import cpu
from mlworkbook.contract import last_day, past, seen
from mlworkbook.course.drills import strike
from mlworkbook.course.shop import Life, by_rule, daily_cost, live_shop, reaction
from mlworkbook.forecaster import Params
from mlworkbook.limits import calibrate
from mlworkbook.morning import rings
from mlworkbook.ops.files import write_atomic
from mlworkbook.retraining import Plan, Shelf, two_recipes
from mlworkbook.sales import make_sales
from mlworkbook.solver import cross_validation

DAY, EVENING = pd.Timedelta(days=1), pd.Timestamp("2023-12-31")
TABLE = Path(__file__).parent.parent / "mlworkbook" / "data" / "shop.csv"


def worlds(history: pd.DataFrame, shock: pd.Timestamp) -> dict[str, pd.DataFrame]:
    "The same shops: in calm, a third of them a third lower for ever, with road works, with promotions that stop."
    names = history["unique_id"].unique()[::3]
    hit, after = history["unique_id"].isin(names), history["ds"] >= shock
    works = hit & after & (history["ds"] < shock + 21 * DAY)
    lower, half = (history["y"] * 0.65).round(), (history["y"] * 0.5).round()
    return {
        "calm": history,
        "shock": history.assign(y=history["y"].mask(hit & after, lower)),
        "road works": history.assign(y=history["y"].mask(works, half)),
        "promotion": strike(history, "promotion", shock),
    }


def told(life: Life, shock: pd.Timestamp, watched: bool) -> dict[str, float | int | None]:
    "Trainings and how many won; if somebody watched, the delay in days and the false alarms a month before the shock."
    found, months = reaction(life, shock), (shock - EVENING).days / 30
    heard = {"heard": found["heard"], "false_a_month": round(found["false"] / months, 2)} if watched else {}
    won = sum(one.action == "promoted" for one in life.records)
    return heard | {"trainings": found["trainings"], "won": won}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=35)
    parser.add_argument("--days", type=int, default=731)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="write mlworkbook/data/shop.csv")
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
        "every 56 days": (plan, None),
        "every 28 days": (replace(plan, every=28), None),
        "first champion": (replace(plan, every=9999), None),
        "steady for ever": (replace(plan, every=9999, recipes={"steady": Params(uncertainty_samples=0)}), None),
    }
    rows = []
    for world, sales in worlds(history, shock).items():
        used, lives = cpu(), {}
        for name, (agreed, eyes) in ways.items():
            with tempfile.TemporaryDirectory() as notes:
                lives[name] = live_shop(sales, EVENING, Shelf(), Path(notes), agreed, watch=eyes)
        late = lives["loop"].alarms["ds"]
        if world == "promotion" and (late > shock).any():  # it rings, somebody asks, and three days later knows
            asked = sales["ds"] >= late[late > shock].min() + 3 * DAY
            with tempfile.TemporaryDirectory() as notes:
                unmarked = sales.assign(promo=sales["promo"].mask(asked, 0))
                lives["56 days, and asking"] = live_shop(unmarked, EVENING, Shelf(), Path(notes), plan)
        scored = {name: life.scored for name, life in lives.items()}
        costs = daily_cost(scored | {"last week's rule": by_rule(sales, EVENING)}).sum().round().astype(int)
        about = {"world": world, "stores": options.stores, "days": options.days}
        moment = last_day(sales) if world == "calm" else shock
        said = {way: told(life, moment, way == "loop") for way, life in lives.items()}
        rows += [about | {"way": way, "eur": eur} | said.get(way, {}) for way, eur in costs.items()]
        print(f"{world}: {options.stores} stores, {options.days} days, {cpu() - used:.0f} CPU s", flush=True)
    table = pd.DataFrame(rows).convert_dtypes()
    print(table.drop(columns=["stores", "days"]).to_string(index=False))
    if options.write:
        write_atomic(TABLE, table.to_csv(index=False, lineterminator="\n").encode())


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
