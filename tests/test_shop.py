"The living shop: nobody knows tomorrow, the account in EUR, its picture, and a promotion that stops selling."

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from mlworkbook import retraining as rt
from mlworkbook.backtesting import backtest
from mlworkbook.baselines import seasonal_naive
from mlworkbook.contract import past, seen
from mlworkbook.course import shop as sh
from mlworkbook.course.drills import strike
from mlworkbook.forecaster import Params
from mlworkbook.report import figures
from mlworkbook.sales import make_sales
from mlworkbook.value import UnitCosts

ROOT = Path(__file__).parent.parent
DAY, EVENING = pd.Timedelta(days=1), pd.Timestamp("2022-12-31")
BARE = Params(uncertainty_samples=0)
NIMBLE = {"nimble": replace(rt.two_recipes()["nimble"], uncertainty_samples=0)}


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def bias_watch(scored, known):
    "Rings on each morning after a week that missed by a quarter to one side."
    chain = scored.groupby("ds")[["y", "yhat"]].sum().rolling(7).sum().dropna()
    odd = chain[(chain["y"] / chain["yhat"] - 1).abs() > 0.15].index
    return pd.DataFrame({"ds": odd + DAY, "kind": "bias", "unique_id": "", "message": "a week missed"})


def live(folder, history, **options):
    store = rt.Shelf()
    plan = options.pop("plan", rt.Plan(recipes=NIMBLE, every=60, nights=1))
    return store, sh.live_shop(history, EVENING, store, folder, plan, **options)


class TestLiveShop:
    SHOP = make_sales(5, series=2, days=365 + 120, horizon=14)

    def test_orders_every_day_and_learns_only_the_past(self, tmp_path):
        store, life = live(tmp_path, self.SHOP, watch=bias_watch)
        days = life.scored.groupby("unique_id")["ds"].agg(["min", "max", "nunique"])
        assert days["nunique"].tolist() == [120, 120] and days["min"].unique().tolist() == [pd.Timestamp("2023-01-01")]
        assert (life.scored["ds"] - life.scored["cutoff"] == DAY).all()
        seen_by = {one.version: one.trained for one in store.versions}
        assert (life.scored["model"].map(seen_by) <= life.scored["cutoff"]).all()

    def test_a_shock_is_heard_and_cured(self, tmp_path):
        shock = pd.Timestamp("2023-02-10")
        fallen = self.SHOP.assign(y=self.SHOP["y"].mask(self.SHOP["ds"] >= shock, (self.SHOP["y"] * 0.6).round()))
        _, loop = live(tmp_path / "loop", fallen, watch=bias_watch)
        _, never = live(tmp_path / "never", fallen, plan=rt.Plan(recipes={"bare": BARE}, every=999, nights=1))
        told = sh.reaction(loop, shock)
        assert 0 < told["heard"] <= 7 <= told["cured"] and told["trainings"] > 2
        assert sh.reaction(never, shock) == {"heard": None, "cured": None, "false": 0, "trainings": 1}
        assert any(one.action == "promoted" and one.reason.startswith("alarm") for one in loop.records)
        cost = sh.daily_cost({"loop": loop.scored, "never": never.scored})[shock + 28 * DAY :].sum()
        assert cost["loop"] < 0.9 * cost["never"]

    def test_tomorrow_changes_nothing_today(self, tmp_path):
        middle, short = EVENING + 40 * DAY, seen(self.SHOP, EVENING + 50 * DAY, 14)
        other = short.assign(y=short["y"].mask(short["ds"] > middle, short["y"] * 3))
        one, two = (live(tmp_path / name, h, watch=bias_watch)[1] for name, h in (("a", short), ("b", other)))
        orders = [life.scored[life.scored["ds"] <= middle + DAY][["unique_id", "ds", "yhat"]] for life in (one, two)]
        pd.testing.assert_frame_equal(*orders)
        alarms = [life.alarms[life.alarms["ds"] <= middle + DAY] for life in (one, two)]
        assert len(alarms[0]) == len(alarms[1]) and sh.reaction(two, middle)["heard"] is not None

    def test_a_broken_feed_is_repaired_before_anybody_learns_it(self, tmp_path):
        told = self.SHOP.assign(y=self.SHOP["y"].mask(self.SHOP["ds"] >= "2023-02-10", (self.SHOP["y"] / 12).round()))
        store, life = live(tmp_path, self.SHOP, told=told, watch=bias_watch)
        repairs = [one.date for one in life.records if one.action == "repair"]
        assert repairs and "2023-02-12" <= repairs[0] <= "2023-02-20"
        assert life.scored["y"].equals(
            life.scored[["unique_id", "ds"]].merge(past(self.SHOP)[["unique_id", "ds", "y"]])["y"]
        )
        trained = [one for one in life.records if one.action in rt.DECIDED and one.date > "2023-02-10"]
        assert all(one.date >= str((pd.Timestamp(repairs[0]) + 3 * DAY).date()) for one in trained)

    @pytest.mark.slow
    def test_a_year_twice_gives_the_same_bytes(self, tmp_path):
        year = make_sales(5, series=2, days=365 + 366, horizon=14)
        for name in ("one", "two"):
            _, life = live(tmp_path / name, year, watch=bias_watch)
            life.scored.to_parquet(tmp_path / name / "scored.parquet")
        for file in ("scored.parquet", rt.JOURNAL):
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


class TestPromotion:
    "A promotion stops selling: the model learns it too slowly, and a person who unmarks it does not wait."

    DAY_ZERO = pd.Timestamp("2023-02-01")
    SHOP = make_sales(41, series=2, days=365 + 100, horizon=14)

    def test_training_forgets_slowly_and_asking_at_once(self, tmp_path):
        gone = strike(self.SHOP, "promotion", self.DAY_ZERO)
        offers = gone.loc[gone["promo"].eq(1), "ds"].drop_duplicates()
        later = offers[offers.between(self.DAY_ZERO, EVENING + 100 * DAY)]
        assert len(later) >= 14, "the seed must bring promotions after the shock"
        plan = rt.Plan(recipes={"bare": BARE}, every=42, nights=1)
        unmarked = gone.assign(promo=gone["promo"].mask(gone["ds"] >= self.DAY_ZERO + 3 * DAY, 0))
        store, dates = live(tmp_path / "dates", gone, plan=plan)
        _, asked = live(tmp_path / "asked", unmarked, plan=plan)
        cost = sh.daily_cost({"dates": dates.scored, "asked": asked.scored})
        assert cost[: self.DAY_ZERO].eq(cost["dates"][: self.DAY_ZERO], axis=0).all(axis=None)
        known = cost.index.isin(later[later >= self.DAY_ZERO + 3 * DAY])
        assert cost[known]["asked"].sum() < 0.8 * cost[known]["dates"].sum()
        night = EVENING + 93 * DAY
        tonight = seen(gone, night, 7)
        week = tonight["ds"] > night
        for model in (store.versions[0], store.versions[-1]):
            orders = [model.forecast(tonight.assign(promo=tonight["promo"].mask(week, flag)), 7) for flag in (1.0, 0.0)]
            assert orders[0]["yhat"].sum() > 1.05 * orders[1]["yhat"].sum()


class TestByRule:
    def test_is_the_weekly_backtest_of_the_rule(self):
        shop = make_sales(5, series=3, days=500, horizon=14)
        first = shop["ds"].min() + 401 * DAY  # 14 weeks before the end
        ours = sh.by_rule(shop, first)
        theirs = backtest(shop, {"rule": seasonal_naive}, 7, initial=401, period=7, batch=100).scored
        both = ours.merge(theirs, on=["unique_id", "ds", "cutoff"], suffixes=("", "_theirs"))
        assert len(both) == len(theirs) and both["yhat"].equals(both["yhat_theirs"])
        assert ours["ds"].min() == first + DAY and ours["ds"].max() == past(shop)["ds"].max()
        assert not ours.duplicated(["unique_id", "ds"]).any()


def days_of(yhat, start="2024-03-01", y=10.0):
    days = pd.date_range(start, periods=len(yhat))
    return pd.DataFrame({"unique_id": "S01", "ds": days, "yhat": yhat, "y": y, "cutoff": days - DAY, "model": "1"})


class TestDailyCost:
    def test_by_hand_on_days_that_all_have_lived(self):
        lives = {"a": days_of([10.0, 14.0, 7.0]), "b": days_of([8.0, 10.0], "2024-03-02").drop(columns="model")}
        found = sh.daily_cost(lives, UnitCosts(over_eur=1.0, under_eur=2.0))
        assert found.index.tolist() == list(pd.date_range("2024-03-02", periods=2))
        assert found.to_dict("list") == {"a": [4.0, 6.0], "b": [4.0, 0.0]}

    def test_stores_of_a_day_are_added(self):
        two = pd.concat([days_of([9.0]), days_of([8.0]).assign(unique_id="S02")])
        assert sh.daily_cost({"a": two}, UnitCosts(over_eur=1.0, under_eur=2.0))["a"].tolist() == [6.0]


class TestReaction:
    @pytest.mark.parametrize(
        ("mornings", "heard", "false"),
        [
            ([], None, 0),
            (["2024-06-06"], None, 1),
            (["2024-06-07", "2024-06-07"], 1, 0),
            (["2024-07-01", "2024-06-10", "2024-05-01", "2024-05-01", "2024-06-06"], 4, 2),
        ],
    )
    def test_mornings(self, mornings, heard, false):
        alarms = pd.DataFrame({"ds": pd.to_datetime(mornings), "kind": "error"})
        found = sh.reaction(sh.Life(pd.DataFrame(), alarms, []), "2024-06-06")
        assert found == {"heard": heard, "cured": None, "false": false, "trainings": 0}

    def test_evenings(self):
        told = [("2024-06-06", "promoted"), ("2024-06-09", "refused"), ("2024-06-10", "repair")]
        told += [("2024-06-16", "promoted"), ("2024-07-16", "promoted")]
        records = [rt.Record(date, action, "x") for date, action in told]
        found = sh.reaction(sh.Life(pd.DataFrame(), rt.SILENCE, records), "2024-06-06")
        assert found["cured"] == 10 and found["trainings"] == 4


class TestPlotRace:
    DAILY = pd.DataFrame(
        {"loop": [1.0, 2.0, 3.0], "rule": [5.0, 2.0, 1.0], "dates": [2.0, 2.0, 2.0]},
        index=pd.date_range("2024-06-05", periods=3),
    )

    @pytest.fixture
    def ax(self):
        figure, ax = plt.subplots()
        yield ax
        plt.close(figure)

    def test_what_is_drawn_is_what_was_saved(self, ax):
        options = {"alarms": pd.Series(pd.to_datetime(["2024-06-06"] * 2)), "promoted": ["2024-06-07"]}
        assert sh.plot_race(self.DAILY, "rule", ax, shock=pd.Timestamp("2024-06-06"), **options) is ax
        lines = {line.get_label(): line for line in ax.lines}
        np.testing.assert_array_equal(lines["loop"].get_ydata(), [4.0, 4.0, 2.0])
        np.testing.assert_array_equal(lines["dates"].get_ydata(), [3.0, 3.0, 2.0])
        assert len(lines["alarm"].get_xdata()) == 1 and len(lines["promoted"].get_xdata()) == 1
        assert lines["loop"].get_linestyle() != lines["dates"].get_linestyle(), "readable without colour"
        assert "EUR" in ax.get_ylabel() and "rule" in ax.get_ylabel()

    @pytest.mark.parametrize(
        ("change", "rival", "said"),
        [
            (lambda d: d, "nobody", "daily holds loop, rule, dates, expected the rival 'nobody'"),
            (lambda d: d[["rule"]], "rule", "expected the rival 'rule' and one to four ways beside it"),
            (lambda d: d.assign(a=1.0, b=1.0, c=1.0), "rule", "one to four ways"),
            (lambda d: d.assign(dates=[2.0, np.nan, np.nan]), "rule", "'dates' has no cost on 2024-06-06, expected"),
        ],
    )
    def test_refused(self, ax, change, rival, said):
        with pytest.raises(ValueError, match=said):
            sh.plot_race(change(self.DAILY), rival, ax)
        assert not ax.lines


def test_the_measured_two_years():
    "What the lesson says of 35 stores."
    table = figures("shop")
    assert table["stores"].eq(35).all() and table["days"].eq(731).all()
    eur = table.pivot(index="way", columns="world", values="eur")
    loop, calendar = eur.loc["loop"], eur.loc["every 56 days"]
    assert abs(loop["calm"] / calendar["calm"] - 1) < 0.01 and loop["shock"] < 0.9 * calendar["shock"]
    assert loop["shock"] < eur.loc["every 28 days", "shock"] < 1.03 * loop["shock"]
    assert calendar["road works"] < loop["road works"] < eur.loc["every 28 days", "road works"]
    assert eur["promotion"].idxmin() == "56 days, and asking"
    assert (eur[["calm", "road works", "shock"]].idxmin() != "last week's rule").all()


@pytest.mark.slow
def test_the_benchmark_runs():
    command = [sys.executable, "benchmarks/bench_shop.py", "--stores", "1", "--days", "12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("loop") == 4 and "road works: 1 stores, 12 days" in done.stdout
