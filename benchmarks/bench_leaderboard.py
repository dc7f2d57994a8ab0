"""What should serve: every recipe, the team and its order on the same evenings, which know only what an evening knows.

The bakery by store, by product, and by store every 15 days (a quarter of the horizon holds too few days in six evenings
to judge an interval), four made-up shops and two shapes that break recipes: a launch with 37 zeros that nobody marked
as closed, and weekdays that walk by themselves. Recipes that play in no team stand beside them: cheap rivals, AutoETS,
and boosting in batches of series, down to one. Figures do not depend on the machine; seconds do: they are of the
processor, for the evenings of the exam alone, without what importing costs.
`--write` renews the table that lessons and site quote.
A smaller run for tests: bench_leaderboard.py --series 2 --cheap
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from measure import cpu, peak
from mlworkbook.backtesting import backtest
from mlworkbook.baselines import auto_ets, moving_average, naive
from mlworkbook.comparison import exam_nights
from mlworkbook.contract import KEYS, Forecast
from mlworkbook.evaluation import TEAM, Leaderboard, leaderboard, tabulate
from mlworkbook.metrics import score
from mlworkbook.ops.files import write_atomic
from mlworkbook.recipes import RULE, Recipe, default_recipes
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.team import evening, feasts, sample, unplanned
from mlworkbook.value import BAKERY_COSTS

TABLE = Path(__file__).parent.parent / "docs" / "leaderboard.csv"
HORIZON, DAYS = 14, 1215
DENSE = {"store, dense": {"initial": 730, "period": 15}}  # spans of an exam that are not the usual ones
CHEAP: dict[str, Forecast] = {"naive": naive, "moving_average": moving_average, "auto_ets": auto_ets}
BATCHES = {f"boosting_{batch}": Recipe("boosting", {"batch": batch}) for batch in (35, 10, 1)}
QUARTERS = ["q1", "q2", "q3", "q4"]


def launch(series: int) -> pd.DataFrame:
    "A service that opens, grows as fast as it can, jumps, and stands still for 37 days that nobody marked as closed."
    parts, days = [], pd.date_range("2021-01-01", periods=DAYS)
    time = np.arange(DAYS)
    for number in range(series):
        draw = np.random.default_rng([7, number])
        level = 400 / (1 + np.exp(-(time - 250) / 80)) * np.where(time > 600, 1.6, 1.0)
        week = (1 + 0.15 * draw.standard_normal(7))[days.dayofweek]
        year = 1 + 0.4 * np.sin(2 * np.pi * (days.dayofyear.to_numpy() - 100) / 365.25)
        y = level * week * year * (1 + 0.2 * draw.standard_normal(DAYS))
        y[800:837] = 0
        parts.append(pd.DataFrame({"unique_id": f"L{number + 1:02d}", "ds": days, "y": np.round(np.maximum(y, 0))}))
    return pd.concat(parts, ignore_index=True)


def walk(series: int) -> pd.DataFrame:
    "Lines whose seven weekdays rise and fall each by itself, 5 % a week, with 8 % of noise."
    parts, days = [], pd.date_range("2021-01-01", periods=DAYS)
    weeks = -(-DAYS // 7)
    for number in range(series):
        draw = np.random.default_rng([8, number])
        level = 300 * np.exp(0.3 * draw.standard_normal(7) + np.cumsum(0.05 * draw.standard_normal((weeks, 7)), axis=0))
        y = level.ravel()[:DAYS] * (1 + 0.08 * draw.standard_normal(DAYS))
        parts.append(pd.DataFrame({"unique_id": f"W{number + 1:02d}", "ds": days, "y": np.round(np.maximum(y, 0))}))
    return pd.concat(parts, ignore_index=True)


def made_shop(seed: int, planned: bool, series: int) -> pd.DataFrame:
    "A chain of `make_sales`; is next week's promotion written down?"
    history = make_sales(seed, series=series, days=DAYS, horizon=HORIZON)
    return history if planned else history.assign(promo=history["promo"].where(history["y"].notna()))


def bakery(level: str, series: int | None) -> pd.DataFrame:
    "The bundled chain, or a part of it."
    history = load_sales(level=level, horizon=HORIZON)
    return history[history["unique_id"].isin(history["unique_id"].unique()[:series])]


def sets(series: int | None, cheap: bool) -> dict[str, Callable[[], pd.DataFrame]]:
    "What is judged, by name; the bakery comes first."
    made = {
        f"made {seed}, {'plan' if planned else 'no plan'}": partial(made_shop, seed, planned, series or 10)
        for seed in (21, 22)
        for planned in (True, False)
    }
    shapes = {"launch": partial(launch, series or 3), "walk": partial(walk, series or 7)}
    chain = {level: partial(bakery, level, series) for level in ("store", "product")}
    return {"store": chain["store"]} if cheap else chain | dict.fromkeys(DENSE, chain["store"]) | made | shapes


def ask(
    history: pd.DataFrame,
    recipes: dict[str, Recipe | Forecast],
    nights: list[pd.Timestamp],
    folder: Path,
) -> tuple[pd.DataFrame, dict[str, float]]:  # scored frame with `feast`; seconds of each recipe
    "Ask one recipe after the other on the evenings of the exam; the leaderboard finds the answers in `folder`."
    view, parts, seconds = partial(evening, unknown=unplanned(history)), [], {}
    for name, recipe in recipes.items():
        before = cpu()
        done = backtest(sample(history), {name: recipe}, HORIZON, nights=nights, view=view, batch=10**6, folder=folder)
        seconds[name] = cpu() - before
        if len(done.failures):
            raise SystemExit(f"{name} failed: {done.failures.iloc[0].to_dict()}")
        parts.append(done.scored.merge(feasts(history), on=KEYS, how="left"))
        print(f"  {name:<15} {seconds[name]:6.1f} s of processor", flush=True)
    return pd.concat(parts, ignore_index=True), seconds


def measured(
    board: Leaderboard,
    scored: pd.DataFrame,  # of the board and of those beside it
    seconds: dict[str, float],  # by recipe
) -> pd.DataFrame:  # a row for each model
    "The table of a leaderboard, with the share of the rule, coverage by part of the horizon, and seconds."
    table = tabulate(scored, BAKERY_COSTS)
    rule = table.set_index("model").at[RULE, "eur_per_day"]
    step = (scored["ds"] - scored["cutoff"]).dt.days - 1
    rows = scored.assign(quarter=step * 4 // HORIZON)
    held = score(rows, by=("model", "quarter")).pivot(index="model", columns="quarter", values="coverage")
    feast = rows[rows["feast"].astype(bool)]
    on_feasts = score(feast).set_index("model")["coverage"] if len(feast) else pd.Series(dtype=float)
    table = table.join(held.set_axis(QUARTERS, axis=1), on="model")
    table["feasts"], table["share"] = table["model"].map(on_feasts), table["eur_per_day"] / rule
    table["seconds"] = table["model"].map(seconds)
    table.insert(1, "series", scored["unique_id"].nunique())
    table.insert(2, "evenings", len(board.evenings))
    digits = {"wape": 4, "bias": 4, "coverage": 3, "eur_per_day": 2, "saved": 2, "low": 2, "high": 2, "share": 3}
    return table.round(digits | dict.fromkeys([*QUARTERS, "feasts"], 3) | {"seconds": 1})


def judge(history: pd.DataFrame, beside: dict[str, Recipe | Forecast], spans: dict[str, int]) -> pd.DataFrame:
    "The leaderboard of one set."
    with TemporaryDirectory() as folder:
        start, nights, options = cpu(), exam_nights(history, HORIZON, **spans), spans | {"folder": folder}
        asked, seconds = ask(history, default_recipes() | beside, nights, Path(folder))
        before = cpu()
        board = leaderboard(history, HORIZON, BAKERY_COSTS, **options)
        first, before = cpu() - before, cpu()
        leaderboard(history, HORIZON, BAKERY_COSTS, **options)
        print(f"  the team's past {first:.1f} s, all kept {cpu() - before:.1f} s, in all {cpu() - start:.1f} s")
    scored = pd.concat([board.scored, asked[asked["model"].isin(beside)]], ignore_index=True)
    return measured(board, scored, seconds)


def warm() -> None:
    "Import and compile what the recipes need."
    tiny = make_sales(0, series=1, days=150, horizon=HORIZON)
    for recipe in (default_recipes() | CHEAP).values():
        recipe(tiny, HORIZON)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, help="how many of each set; all when omitted")
    parser.add_argument("--cheap", action="store_true", help="the bakery's stores only, without batches")
    parser.add_argument("--write", action="store_true", help=f"renew docs/{TABLE.name}")
    options = parser.parse_args()
    if options.write and (options.series or options.cheap):
        parser.error("--write needs all sets: leave --series and --cheap out")
    warm()
    tables: list[pd.DataFrame] = []
    for name, make in sets(options.series, options.cheap).items():
        history, mb = make(), []
        print(f"{name}: {history['unique_id'].nunique()} series", flush=True)
        beside = CHEAP if options.cheap else CHEAP | BATCHES if name in ("store", "product") else {}
        with peak(mb):
            tables.append(judge(history, beside, DENSE.get(name, {})).assign(set=name))
        print(tables[-1].drop(columns="set").to_string(index=False), f"\n  peak {mb[-1]:.0f} MB", flush=True)
    table = pd.concat(tables)[["set", *tables[0].columns.drop("set")]]
    team = table[table["model"] == TEAM].set_index("set")["share"].drop(["store", "product", *DENSE], errors="ignore")
    if len(team):
        print(f"team as a share of the rule on {len(team)} made sets: mean {team.mean():.3f}, worst {team.max():.3f}")
    if options.write:
        write_atomic(TABLE, table.to_csv(index=False, lineterminator="\n").encode())
        print(f"wrote docs/{TABLE.name}")


if __name__ == "__main__":
    main()
