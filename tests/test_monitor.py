"Alarms after the model went live: what they measure, when they ring, and what odd input does to them."

import json
import logging
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from mlworkbook.baselines import seasonal_naive
from mlworkbook.batch import run_batch
from mlworkbook.contract import check_scored
from mlworkbook.course import drills
from mlworkbook.course.drills import SHOCKS, drill, strike, study, summary
from mlworkbook.limits import Limits, calibrate, crossed, distances, load_limits, profile_of, save_limits
from mlworkbook.monitor import CAP, FLOOR, again, measures, newest, steps, usual_of, weekly, worst
from mlworkbook.morning import COLUMNS, KINDS, alarms, live, of_last_model, published, rings, sums
from mlworkbook.report import COMMAND, figures, plot_sums, write_morning_page
from mlworkbook.sales import make_sales, spoil_sales

ROOT = Path(__file__).parent.parent
DAY = pd.Timedelta(days=1)


class Shop:
    "A calm chain: a year to learn, a year of backtest, half a year live."

    def __init__(self):
        self.history = make_sales(8, series=4, days=365 + 52 * 7 + 26 * 7 + 1)
        self.start = self.history["ds"].min() + (365 + 52 * 7) * DAY
        scored = weekly(self.history, self.history["ds"].min() + 365 * DAY)
        self.learned, self.now = scored[scored["ds"] <= self.start], scored[scored["cutoff"] >= self.start]
        self.known = self.history[self.history["ds"] <= self.start]
        self.limits = calibrate(self.learned, self.known)

    def morning(self, day):
        "What is known on a morning: scored rows and history."
        return self.now[self.now["ds"] < day], self.history[self.history["ds"] < day]


@pytest.fixture(scope="module")
def shop():
    return Shop()


@pytest.fixture(scope="module")
def quiet(shop):
    "A morning on which nothing rings, in the middle of the live half year."
    rang = set(rings(shop.now, shop.history, shop.limits)["ds"])
    return next(day for day in pd.date_range(shop.start + 90 * DAY, periods=30) if day not in rang)


def rows(*values, **more):
    "Scored rows of one store: (day, cutoff, y, yhat, status)."
    table = pd.DataFrame(values, columns=["ds", "cutoff", "y", "yhat", "status"]).assign(unique_id="S1", **more)
    return table.assign(ds=pd.to_datetime(table["ds"]), cutoff=pd.to_datetime(table["cutoff"]))


class TestMeasures:
    def test_the_newest_forecast_counts_and_planned_closures_do_not(self):
        table = rows(
            ("2024-01-03", "2024-01-01", 9.0, 5.0, "model"),
            ("2024-01-03", "2024-01-02", 9.0, 8.0, "model"),
            ("2024-01-04", "2024-01-02", 0.0, 0.0, "closed"),
            ("2024-01-05", "2024-01-02", 0.0, 7.0, "model"),
        )
        assert newest(table[::-1])["yhat"].tolist() == [8.0, 7.0]
        planned = table.assign(closed=[False, False, True, False]).drop(columns="status")
        assert newest(planned)["yhat"].tolist() == [8.0, 7.0]

    def test_sales_seen_before(self):
        days = pd.date_range("2024-01-01", periods=10)
        history = pd.DataFrame({"unique_id": "S1", "ds": days, "y": [1, 2, 2, 0, 0, 6, 7, 1, 9, np.nan]})
        assert again(history)["again"].tolist() == [0, 0, 1, 0, 0, 0, 0, 1, 0]

    def test_numbers_by_hand(self):
        table = pd.concat(
            [rows(("2024-01-03", "2024-01-02", y, yhat, "model")) for y, yhat in ((80.0, 100.0), (60, 50))]
        )
        table = table.assign(unique_id=["S1", "S2"], yhat_lower=[70.0, 40], yhat_upper=[110.0, 55])
        found = measures(table, table[["unique_id", "ds", "y"]], {"S1": 80.0, "S2": 60.0}).iloc[0]
        assert found["error", ""] == pytest.approx(np.sqrt(30 / 150)) and found["bias", ""] == pytest.approx(-10 / 150)
        assert found["coverage", ""] == 0.5 and found["repeats", ""] == 0
        assert found["bias", "S1"] == pytest.approx(-0.2) and found["error", "S2"] == pytest.approx(np.sqrt(0.2))

    def test_a_forecast_of_nothing_makes_no_infinite_ratio(self):
        table = rows(("2024-01-03", "2024-01-02", 5.0, 0.0, "model"))
        assert np.isfinite(measures(table, table, {"S1": 100.0}).to_numpy()).all()


def slow_sums(climbs, edge):
    "The same sums, one column, as one would write them on paper."
    total, found = 0.0, []
    for climb in climbs:
        total = max(0.0, (0.0 if total > edge else total) + climb)
        found.append(total)
    return found


class TestSums:
    @pytest.mark.parametrize("seed", range(5))
    def test_as_on_paper(self, shop, seed):
        names = pd.MultiIndex.from_tuples([("bias", "bias", "", 1), ("error", "error", "", 1)])
        draws = np.random.default_rng(seed).normal(0.2, 1, (300, 2))
        climbs = pd.DataFrame(draws, pd.date_range("2024-01-01", periods=300), names)
        climbs = climbs.rename_axis(columns=["family", "measure", "unique_id", "side"])
        total, since = sums(climbs, shop.limits)
        for number, family in enumerate(["bias", "error"]):
            edge = shop.limits.limits[family]
            assert np.allclose(total.iloc[:, number], slow_sums(draws[:, number], edge))
            assert (total.iloc[:, number] > edge).sum() > 3
        assert (since.to_numpy() <= np.arange(300)[:, None]).all() and (total >= 0).all(axis=None)

    def test_days_without_value_do_not_move(self, shop):
        table = measures(shop.now, shop.history, shop.limits.level)
        table.iloc[10:20] = np.nan
        climbs = steps(table, shop.limits.usual)
        assert (climbs.iloc[10:20] == 0).all(axis=None) and (climbs.iloc[20:30] != 0).any(axis=None)

    def test_one_day_counts_for_little(self, shop):
        table = measures(shop.now, shop.history, shop.limits.level)
        table.iloc[5] = 1e9
        assert steps(table, shop.limits.usual).max(axis=None) <= CAP


class TestCalibrate:
    @pytest.mark.parametrize("rate", [0.5, 1, 3])
    def test_all_alarms_together_ring_as_chosen(self, shop, rate):
        bare = shop.known[["unique_id", "ds", "y"]]
        limits = calibrate(shop.learned, bare, false_alarms=rate)
        fresh = worst(crossed(measures(shop.learned, bare, limits.level)), 4000, seed=99)
        silent = (fresh <= pd.Series(limits.limits)[fresh.columns]).all(axis=1).mean()
        assert silent == pytest.approx(np.exp(-rate), abs=0.03)

    def test_inputs_have_their_share_of_the_false_alarms(self, shop):
        bare = calibrate(shop.learned, shop.known[["unique_id", "ds", "y"]])
        assert "drift" in shop.limits.limits and "drift" not in bare.limits
        assert all(bare.limits[name] <= shop.limits.limits[name] for name in bare.limits)

    def test_who_accepts_more_false_alarms_knows_sooner(self, shop):
        often = calibrate(shop.learned, shop.known, false_alarms=4).limits
        assert set(often) == set(shop.limits.limits) and all(often[name] <= shop.limits.limits[name] for name in often)
        assert often["bias"] < shop.limits.limits["bias"]

    def test_the_same_twice_and_nothing_is_changed(self, shop):
        before = shop.learned.copy(), shop.known.copy()
        assert calibrate(shop.learned.sample(frac=1, random_state=0), shop.known) == shop.limits
        assert shop.learned.equals(before[0]) and shop.known.equals(before[1])

    def test_what_cannot_be_watched_has_no_limit(self, shop):
        one = shop.learned[shop.learned["unique_id"] == "S01"].drop(columns=["yhat_lower", "yhat_upper"])
        bare = shop.known.loc[shop.known["unique_id"] == "S01", ["unique_id", "ds", "y"]]
        limits = calibrate(one, bare)
        assert set(limits.limits) == {"error", "bias", "repeats"} and limits.inputs == {}
        assert rings(shop.now[shop.now["unique_id"] == "S01"], shop.history, limits)["unique_id"].eq("").all()

    def test_scattered_cutoffs_are_enough(self, shop):
        few = shop.learned[shop.learned["cutoff"].isin(shop.learned["cutoff"].unique()[::5])]
        assert calibrate(few, shop.known).days == few["ds"].nunique() < 80

    def test_travels_as_json(self, shop, tmp_path):
        path = save_limits(shop.limits, tmp_path / "new" / "limits.json")
        assert load_limits(path) == shop.limits and [file.name for file in path.parent.iterdir()] == ["limits.json"]

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"false_alarms": 1}', "null"])
    def test_damaged_limits(self, tmp_path, text):
        (tmp_path / "limits.json").write_text(text)
        with pytest.raises(
            ValueError, match="limits cannot be read .* expected false_alarms, limits.*; calibrate again"
        ):
            load_limits(tmp_path / "limits.json")

    @pytest.mark.parametrize("rate", [0, -1, 6, float("nan")])
    def test_impossible_rates(self, shop, rate):
        with pytest.raises(ValueError, match="false_alarms is .*, expected a rate a month above 0 and up to 5"):
            calibrate(shop.learned, shop.known, false_alarms=rate)

    def test_short_or_mixed_backtests(self, shop):
        with pytest.raises(ValueError, match="the backtest has 13 days, expected 28 or more"):
            calibrate(shop.learned[shop.learned["ds"] > shop.start - 14 * DAY], shop.known)
        both = pd.concat([shop.learned.assign(model="a"), shop.learned.assign(model="b")])
        with pytest.raises(ValueError, match="scored holds a, b, expected one model"):
            calibrate(both, shop.known)
        with pytest.raises(ValueError, match="scored: no column 'cutoff'"):
            calibrate(shop.learned.drop(columns="cutoff"), shop.known)

    def test_a_perfect_past_does_not_make_every_day_an_alarm(self, shop):
        perfect = shop.learned.assign(yhat=shop.learned["y"]).drop(columns=["yhat_lower", "yhat_upper"])
        table = measures(perfect, shop.known, shop.limits.level)
        assert all(deviation >= FLOOR for each in usual_of(table).values() for _, deviation in each.values())


def test_the_distance_is_that_of_scipy():
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=400)
    table = pd.DataFrame({"few": rng.integers(0, 3, 400), "stores": rng.binomial(12, 0.3, 400) / 12}, days)
    far = distances(table, {name: profile_of(table[name]) for name in table})
    assert far.iloc[:27].isna().all(axis=None)
    for name in table:
        expected = [ks_2samp(table[name].iloc[end - 28 : end], table[name]).statistic for end in range(28, 401, 31)]
        assert np.allclose(far[name].iloc[range(27, 400, 31)], expected)


class TestAlarms:
    def test_a_quiet_morning(self, shop, quiet):
        found = alarms(*shop.morning(quiet), shop.limits, today=quiet, night=quiet - DAY)
        assert found.empty and list(found) == COLUMNS

    def test_every_morning_alone_says_what_all_say_together(self, shop):
        together = rings(shop.now, shop.history, shop.limits)
        mornings = together["ds"].unique()[:3]
        for day in mornings:
            found = alarms(*shop.morning(day), shop.limits, today=day)
            expected = together[together["ds"] == day]
            assert sorted(found["kind"] + found["unique_id"]) == sorted(expected["kind"] + expected["unique_id"])
            assert (found["value"] > found["limit"]).all() and set(found["kind"]) <= set(KINDS)

    def test_what_came_later_changes_nothing(self, shop):
        day = rings(shop.now, shop.history, shop.limits)["ds"].iloc[0]
        then = alarms(*shop.morning(day), shop.limits, today=day)
        later = alarms(shop.now, shop.history, shop.limits, today=f"{day:%Y-%m-%d}")
        clock = later["message"].str.contains("has a clock gone back?")
        assert clock.sum() == 1 and later[~clock].reset_index(drop=True).equals(then)

    def test_the_feed_that_stops_rings_the_next_morning(self, shop, quiet):
        scored, history = shop.morning(quiet)
        found = alarms(
            scored[scored["ds"] < quiet - DAY], history[history["ds"] < quiet - DAY], shop.limits, today=quiet
        )
        assert found["kind"].tolist() == ["freshness"] and found["value"].item() == 2 > found["limit"].item()
        patient = replace(shop.limits, sales_age=2)
        assert alarms(scored, history[history["ds"] < quiet - DAY], patient, today=quiet)["kind"].tolist() == [
            "contract"
        ]

    @pytest.mark.parametrize(
        ("night", "text"),
        [
            (0, "the last published night is .*, expected at most 1 day before it; has a clock gone back?"),
            (3, "the last published night is .*; run the night again: mlworkbook forecast"),
        ],
    )
    def test_the_night(self, shop, quiet, night, text):
        found = alarms(*shop.morning(quiet), shop.limits, today=quiet, night=quiet - night * DAY)
        assert (
            found["kind"].tolist() == ["freshness"] and found["message"].str.fullmatch(text.replace("?", r"\?")).all()
        )

    def test_sales_that_nobody_forecast(self, shop, quiet):
        scored, history = shop.morning(quiet)
        found = alarms(scored[scored["ds"] < quiet - 4 * DAY], history, shop.limits, today=quiet)
        assert "the last 4 days of sales" in found.loc[found["kind"] == "freshness", "message"].item()
        none = alarms(scored.iloc[:0], history, shop.limits, today=quiet, night=quiet - 9 * DAY)
        assert none["message"].str.contains("the last 8 days of sales").any()

    def test_the_first_morning(self, shop):
        day = shop.start + DAY
        assert alarms(shop.now.iloc[:0], shop.known, shop.limits, today=day, night=shop.start).empty

    @pytest.mark.parametrize(
        "fault", ["gap", "repeat", "nan", "inf", "negative", "text", "time", "zeros", "spike", "ended"]
    )
    def test_broken_contracts_ring_instead_of_failing(self, shop, quiet, fault):
        scored, history = shop.morning(quiet)
        recent = history["ds"] >= quiet - 20 * DAY
        spoilt = pd.concat([history[~recent], spoil_sales(history[recent], fault)])
        found = alarms(scored, spoilt, shop.limits, today=quiet)
        assert "contract" in set(found["kind"]) and list(found) == COLUMNS
        assert found.loc[found["kind"] == "contract", "message"].str.len().min() > 40

    def test_a_hole_of_last_year_does_not_ring_for_ever(self, shop, quiet):
        scored, history = shop.morning(quiet)
        assert alarms(scored, history[history["ds"] != shop.start - 200 * DAY], shop.limits, today=quiet).empty

    def test_lost_series_and_columns(self, shop, quiet):
        scored, history = shop.morning(quiet)
        without = alarms(
            scored[scored["unique_id"] != "S03"], history[history["unique_id"] != "S03"], shop.limits, today=quiet
        )
        lost = without[without["kind"] == "contract"]
        assert lost["unique_id"].tolist() == ["S03"] and "expected 4 series" in lost["message"].item()
        bare = alarms(scored, history.drop(columns="promo"), shop.limits, today=quiet)
        assert "column 'promo' did not come" in bare.loc[bare["kind"] == "contract", "message"].item()

    def test_scores_of_sales_that_do_not_exist(self, shop, quiet):
        scored, history = shop.morning(quiet)
        for wrong in (scored.assign(y=scored["y"] + 1), scored.assign(unique_id="S9" + scored["unique_id"])):
            found = alarms(wrong, history, shop.limits, today=quiet)
            assert (
                found.loc[found["kind"] == "contract", "message"]
                .str.contains("scores of days whose sales are not")
                .any()
            )
        early = alarms(scored.assign(cutoff=scored["ds"]), history, shop.limits, today=quiet)
        assert early["kind"].tolist() == ["contract"] and "not before `ds`" in early["message"].item()

    def test_a_table_without_days(self, shop, quiet):
        scored, history = shop.morning(quiet)
        with pytest.raises(ValueError, match="no column 'ds' among .*; rename or add it"):
            alarms(scored, history.rename(columns={"ds": "day"}), shop.limits, today=quiet)


class TestShocks:
    @pytest.mark.parametrize("shock", SHOCKS)
    def test_nothing_changes_before(self, shop, shock):
        day = shop.start + 60 * DAY
        struck = strike(shop.history, shock, day)
        before = shop.history["ds"] < day
        columns = ["unique_id", "ds", "y", "closed", "promo"]
        assert struck.loc[before, columns].equals(shop.history.loc[before, columns].astype(struck[columns].dtypes))
        assert not struck["y"].equals(shop.history["y"]) and len(struck) == len(shop.history)
        if shock != "missing":
            check = struck.loc[struck["closed"], "y"]
            assert check.eq(0).all() and struck["y"].notna().all() and (struck["y"] >= 0).all()

    @pytest.mark.parametrize(
        ("shock", "day"), [("flood", "2023-01-01"), ("level", "2030-01-01"), ("level", "2022-01-01")]
    )
    def test_unknown_shocks_and_days(self, shop, shock, day):
        with pytest.raises(ValueError, match=f"shock is '{shock}' on {day}, expected one of level"):
            strike(shop.history, shock, day)

    @pytest.mark.parametrize(
        ("shock", "kinds", "most"),
        [
            ("missing", {"freshness"}, 1),
            ("units", {"bias", "error", "coverage"}, 3),
            ("store", {"bias", "error"}, 5),
            ("stuck", {"contract", "error", "bias"}, 4),
        ],
    )
    def test_drills(self, shop, shock, kinds, most):
        found = drill(shop.now, shop.history, shop.limits, shock, shop.start + 64 * DAY)
        assert found["delay"] <= most and set(found["alarm"].split()) <= kinds and found["alarm"]

    def test_an_alarm_that_rings_anyway_finds_nothing(self, shop, monkeypatch):
        day = shop.start + 64 * DAY
        always = pd.DataFrame([[day + 3 * DAY, "bias", "S01", 9.0, 8.0, "."]], columns=COLUMNS)
        monkeypatch.setattr(drills, "rings", lambda *frames: always)
        found = drill(shop.now, shop.history, shop.limits, "level", day)
        assert found["alarm"] == "" and np.isnan(found["delay"])

    def test_a_closed_store_is_named(self, shop):
        day = shop.start + 64 * DAY
        struck = strike(shop.history, "store", day)
        after = weekly(struck, shop.start + 63 * DAY)
        shaken = pd.concat([shop.now[shop.now["ds"] < day], after[after["ds"] >= day]], ignore_index=True)
        found = rings(shaken, struck, shop.limits)
        found = found[(found["ds"] > day) & (found["ds"] < day + 8 * DAY)]
        assert "S01" in set(found["unique_id"]) and found["message"].str.contains("of S01 ").any()

    def test_summary_by_hand(self):
        table = pd.DataFrame({"shock": ["none", "none"], "mornings": [12, 24], "days": [360, 360], "seed": [0, 1]})
        shaken = [
            ["level", "bias", 2.0],
            ["level", "bias error", 20.0],
            ["level", "", np.nan],
            ["level", "drift", 13.0],
        ]
        table = pd.concat([table, pd.DataFrame(shaken, columns=["shock", "alarm", "delay"])])
        calm, level = (row for _, row in summary(table).iterrows())
        assert (calm["years"], calm["per_month"]) == (2, 1.5) and calm["low"] < 1.5 < calm["high"]
        assert (level["within_14"], level["within_28"], level["delay"]) == (0.5, 0.75, 16.5) and "bias" in level[
            "alarm"
        ]

    def test_the_same_seed_gives_the_same_study(self):
        one, two = (study(5, series=1, shocks=("units",)) for _ in range(2))
        pd.testing.assert_frame_equal(one, two)
        assert one["shock"].tolist() == ["none", "units"] and one["days"].iloc[0] == 364


def test_the_measured_figures():
    "What README, lesson and page say of the alarms."
    table = figures().set_index("shock")
    calm = table.loc["none"]
    assert calm["years"] >= 50 and calm["low"] <= 1.0 <= calm["high"] and calm["high"] - calm["low"] < 0.5
    assert set(table.index) == {"none", *SHOCKS}
    shocks = table.drop("none")
    assert shocks.loc[["level", "store", "weekday", "units", "missing", "stuck"], "within_14"].min() >= 0.97
    assert shocks.loc[["store", "weekday", "units", "missing", "stuck"], "delay"].max() <= 2
    assert shocks.loc["promotion", "within_28"] < 0.97 and shocks.loc["plan", "delay"] > 7


@pytest.mark.slow
def test_the_benchmark_runs(tmp_path):
    command = [sys.executable, "benchmarks/bench_monitor.py", "--years", "1", "--series", "2", "--workers", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(shock in done.stdout for shock in SHOCKS)


@pytest.fixture
def nights(shop, tmp_path):
    "Six published nights of three days each, and the sales up to the day of the last one."
    first = shop.start
    folder = tmp_path / "nights"
    for date in pd.date_range(first, periods=6):
        run_batch(shop.history, seasonal_naive, 3, folder, model="last week", date=date)
    return folder, shop.history[shop.history["ds"] <= first + 5 * DAY], first


class TestLive:
    def test_forecasts_meet_their_sales(self, nights):
        folder, history, first = nights
        scored = live(folder, history)
        assert len(check_scored(scored)) == 4 * (3 + 3 + 3 + 2 + 1)
        assert set(scored["cutoff"]) == set(pd.date_range(first, periods=5)) and published(folder).shape == (6, 2)
        assert live(folder, history.sample(frac=1, random_state=0)).equals(scored)
        assert set(live(folder, history, since=first + 4 * DAY)["cutoff"]) == {first + 4 * DAY}

    def test_days_that_come_late(self, nights):
        folder, history, first = nights
        late = history[history["ds"] != first + 2 * DAY]
        assert len(live(folder, late)) == 4 * (3 + 3 + 3 + 2 + 1 - 2)
        assert live(folder, pd.concat([late, history[history["ds"] == first + 2 * DAY]])).equals(live(folder, history))

    def test_days_that_come_twice(self, nights, caplog):
        folder, history, first = nights
        corrected = history[history["ds"] == first + 2 * DAY].assign(y=7.0)
        scored = live(folder, pd.concat([history, corrected]))
        assert set(scored.loc[scored["ds"] == first + 2 * DAY, "y"]) == {7.0} and len(scored) == 48
        assert "4 days came twice, first S01" in caplog.text

    def test_clocks_that_go_back(self, nights, caplog):
        folder, history, first = nights
        scored = live(folder, history, today=first + 3 * DAY)
        assert scored["cutoff"].max() == first + 2 * DAY and "3 nights from" in caplog.text
        table = pd.read_parquet(folder / f"date={first:%Y-%m-%d}" / "forecast.parquet", partitioning=None)
        other = folder / f"date={first + 9 * DAY:%Y-%m-%d}"
        other.mkdir()
        table.to_parquet(other / "forecast.parquet")
        assert live(folder, history).equals(live(folder, history)) and "not after their night" in caplog.text

    def test_what_is_no_night(self, nights, caplog):
        folder, history, first = nights
        (folder / f"date={first:%Y-%m-%d}" / "forecast.parquet").write_bytes(b"half a file")
        for name in ("date=tomorrow", ".date=2024-01-01"):
            (folder / name).mkdir()
            (folder / name / "forecast.parquet").write_bytes(b"")
        assert live(folder, history)["cutoff"].min() == first + DAY
        assert "cannot be read" in caplog.text and "date=tomorrow is not a night" in caplog.text

    def test_nothing_to_score(self, nights, tmp_path, caplog):
        folder, history, first = nights
        with caplog.at_level(logging.INFO):
            assert live(folder, history[history["ds"] <= first]).empty
        assert "nothing to judge" in caplog.text
        with pytest.raises(ValueError, match="is no folder, expected the nights that run_batch published"):
            live(tmp_path / "nowhere", history)
        with pytest.raises(ValueError, match="no night in .* counts"):
            live(folder, history, since="2100-01-01")

    def test_only_the_model_that_forecast_last_is_judged(self, nights):
        folder, history, first = nights
        scored = live(folder, history)
        last = scored["cutoff"] == first + 4 * DAY
        both = scored.assign(model=np.where(last, "new", "old"), yhat_lower=scored["yhat"].where(~last))
        kept = of_last_model(both)
        assert kept["cutoff"].unique() == [first + 4 * DAY] and "yhat_lower" not in kept and len(kept) == last.sum()
        assert of_last_model(both.head(0)).empty

    def test_sales_without_a_forecast(self, shop, nights, caplog):
        folder, history, first = nights
        other = history[history["unique_id"] == "S01"].assign(unique_id="new")
        assert len(live(folder, pd.concat([history, other]))) == 48
        assert "5 days were sold without a forecast, first new on" in caplog.text

    def test_from_nights_to_alarms(self, shop, nights):
        folder, history, first = nights
        today = first + 6 * DAY
        assert alarms(live(folder, history, today=today), history, shop.limits, today=today).empty
        boxes = history.assign(y=(history["y"] / 12).round().where(history["ds"] > first + 3 * DAY, history["y"]))
        found = alarms(live(folder, boxes, today=today), boxes, shop.limits, today=today)
        assert set(found["kind"]) & {"bias", "error"}


class Page(HTMLParser):
    "Tags that open and close, and what the page would fetch."

    def __init__(self, text):
        super().__init__()
        self.open, self.fetched, self.images = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images += 1
            self.fetched += [value for name, value in attrs if name == "src" and not value.startswith("data:")]
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


class TestPage:
    def page(self, path, shop, day, **options):
        write_morning_page(path, *shop.morning(day), options.pop("limits", shop.limits), today=day, **options)
        return path.read_text(encoding="utf-8")

    def test_one_file_that_needs_nothing_else(self, shop, quiet, tmp_path):
        text = self.page(tmp_path / "page.html", shop, quiet, power=figures(), title="<Carmen>")
        page = Page(text)
        assert page.open == [] and page.fetched == [] and page.images == 2 and "http" not in text.split("<style>")[1]
        assert "&lt;Carmen&gt;" in text and COMMAND in text and ": no alarms." in text
        assert all(what in text for what in SHOCKS.values())
        assert text == self.page(tmp_path / "again.html", shop, quiet, power=figures(), title="<Carmen>")

    def test_alarms_come_first(self, shop, quiet, tmp_path):
        text = self.page(tmp_path / "page.html", shop, quiet, night=quiet - 5 * DAY)
        assert ": 1 alarm." in text and text.index("run the night again") < text.index("The whole chain")

    def test_a_broken_contract_has_its_page_too(self, shop, quiet, tmp_path):
        scored, history = shop.morning(quiet)
        broken = spoil_sales(history[::-1][:80], "negative")
        write_morning_page(tmp_path / "p.html", scored, broken, shop.limits, today=quiet)
        text = (tmp_path / "p.html").read_text(encoding="utf-8")
        assert "expected 0 or more" in text and Page(text).images == 0

    def test_names_are_only_names(self, shop, quiet, tmp_path):
        scored, history = (frame.replace({"unique_id": {"S01": "<script>"}}) for frame in shop.morning(quiet))
        write_morning_page(tmp_path / "p.html", scored, history, shop.limits, today=quiet)
        text = (tmp_path / "p.html").read_text(encoding="utf-8")
        assert "<script>" not in text and "&lt;script&gt;" in text

    def test_the_picture_has_a_line_for_each_family(self, shop):
        from matplotlib.figure import Figure

        ax = Figure().add_subplot()
        assert plot_sums(shop.now, shop.history, shop.limits, ax) is ax
        assert {line.get_label() for line in ax.lines} >= set(shop.limits.limits) - {"drift"}


def test_limits_are_plain_json(shop):
    assert Limits(**json.loads(shop.limits.to_json())) == shop.limits
