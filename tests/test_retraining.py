"Retraining: when, against whom, written down, once for a date, whatever kills it."

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from mlworkbook import retraining as rt
from mlworkbook.baselines import seasonal_naive
from mlworkbook.contract import seen
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.ops.files import only_one
from mlworkbook.registry import versions
from mlworkbook.sales import make_sales
from mlworkbook.solver import SOLVER

DAY = pd.Timedelta(days=1)
BARE = Params(uncertainty_samples=0)
PLAN = rt.Plan(recipes={"bare": BARE}, nights=2)
HISTORY = make_sales(3, series=2, days=520, horizon=14)
LAST = pd.Timestamp("2023-06-04")  # of its days with sales


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def rang(kind="error", day="2024-03-11", **more):
    return pd.DataFrame({"ds": pd.to_datetime([day]), "kind": kind, "unique_id": "", "message": f"{kind} {day}"} | more)


def fitted(night, params=BARE, history=HISTORY):
    return Forecaster(params, SOLVER).fit(seen(history, pd.Timestamp(night), 14))


def boxes(history=HISTORY, first="2023-04-20", last="2023-05-02"):
    "The same sales, counted in boxes of twelve for some days."
    return history.assign(y=history["y"].mask(history["ds"].between(first, last), (history["y"] / 12).round()))


class TestDue:
    TODAY = "2024-03-10"  # the alarms of the morning after are of the 11th

    @pytest.mark.parametrize(
        ("alarms", "times", "action", "said"),
        [
            (rang()[:0], {}, "train", "never trained"),
            (rang()[:0], {"trained": "2024-02-20"}, "wait", "no new alarm, and 19 of 28 days"),
            (rang()[:0], {"trained": "2024-02-11"}, "train", "28 days since the last training, 28 agreed"),
            (rang()[:0], {"trained": "2024-02-12"}, "wait", "27 of 28 days"),
            (rang(), {"trained": "2024-02-20"}, "train", "alarm: error 2024-03-11"),
            (rang(day="2024-03-05"), {"trained": "2024-02-20"}, "train", "alarm: error 2024-03-05"),
            (rang(day="2024-02-21"), {"trained": "2024-02-20"}, "wait", "no new alarm"),
            (rang(), {"trained": "2024-02-01", "tried": "2024-03-04"}, "wait", "6 of 7 days since the last training"),
            (rang(), {"trained": "2024-02-01", "tried": "2024-03-03"}, "train", "alarm"),
            (rang("freshness", "2024-03-05"), {"trained": "2024-02-20"}, "wait", "no new alarm"),
            (rang("contract"), {}, "repair", "1 alarms that no training cures, first: contract"),
        ],
    )
    def test_every_case(self, alarms, times, action, said):
        found = rt.due(alarms, today=self.TODAY, **times)
        assert found.action == action and said in found.reason

    @pytest.mark.parametrize("kind", ["contract", "freshness", "units", "a kind nobody has thought of"])
    def test_broken_data_are_repaired_whatever_else_is_due(self, kind):
        both = pd.concat([rang(), rang(kind)])
        assert rt.due(both, today=self.TODAY, trained="2023-01-01").action == "repair"

    @pytest.mark.parametrize("kind", rt.CURABLE)
    def test_what_training_cures(self, kind):
        assert rt.due(rang(kind), today=self.TODAY, trained="2024-02-20").action == "train"

    @pytest.mark.parametrize("times", [{"trained": "2024-03-11"}, {"trained": "2024-01-01", "tried": "2024-03-12"}])
    def test_clock_that_goes_back(self, times):
        with pytest.raises(ValueError, match="today is 2024-03-10, but the last training saw sales until 2024-03-1"):
            rt.due(rang(), today=self.TODAY, **times)


class TestImplausible:
    def test_good_sales_are_believed(self):
        for night in pd.date_range("2023-01-01", LAST, freq="17D"):
            assert rt.implausible(seen(HISTORY, night, 7)).empty

    @pytest.mark.parametrize("factor", [1 / 12, 12, 0])
    def test_another_unit_or_a_shut_door(self, factor):
        odd = HISTORY.assign(
            y=HISTORY["y"].mask(
                (HISTORY["ds"] > LAST - 4 * DAY) & (HISTORY["unique_id"] == "S02"), HISTORY["y"] * factor
            )
        )
        found = rt.implausible(odd)
        assert found["unique_id"].tolist() == ["S02"] and found["kind"].tolist() == ["units"]
        assert found["ds"].tolist() == [LAST + DAY] and "ask whether the unit changed" in found["message"].iat[0]

    def test_planned_closures_and_young_series_say_nothing(self):
        shut = (HISTORY["ds"] > LAST - 10 * DAY) & (HISTORY["unique_id"] == "S02")
        closed = HISTORY.assign(y=HISTORY["y"].mask(shut & HISTORY["y"].notna(), 0), closed=HISTORY["closed"] | shut)
        assert rt.implausible(closed).empty
        assert rt.implausible(boxes(first="2023-06-01", last=LAST)[HISTORY["ds"] > LAST - 40 * DAY]).empty


class TestFrozen:
    def test_learns_nothing_from_what_came_later(self):
        model = rt.frozen(fitted("2023-05-01"))
        asked = seen(HISTORY, LAST, 7)
        other = asked.assign(y=asked["y"].mask(asked["y"].notna() & (asked["ds"] > "2023-05-01"), 1.0))
        pd.testing.assert_frame_equal(model(asked, 7), model(other, 7))

    def test_a_week_at_once_is_seven_nights(self):
        model = rt.frozen(fitted("2023-05-01"))
        week = model(seen(HISTORY, LAST - 7 * DAY, 7), 7)
        nights = [model(seen(HISTORY, LAST - back * DAY, 7), 1) for back in range(7, 0, -1)]
        one_by_one = pd.concat(nights).sort_values(["unique_id", "ds"], ignore_index=True)
        np.testing.assert_allclose(one_by_one["yhat"], week["yhat"], rtol=1e-12)

    def test_a_stranger_gets_the_baseline(self):
        model = rt.frozen(fitted("2023-05-01", history=HISTORY[HISTORY["unique_id"] == "S01"]))
        answer = model(seen(HISTORY, LAST, 7), 7).set_index("unique_id")
        usual = seasonal_naive(seen(HISTORY, LAST, 7), 7).set_index("unique_id")
        assert (answer.loc["S02", "yhat"] == usual.loc["S02", "yhat"]).all()
        assert (
            answer.loc["S02", "status"].isin(["closed"]) | answer.loc["S02", "status"].str.contains("not on sale")
        ).all()
        assert answer.loc["S01", "status"].isin(["model", "closed"]).all()

    def test_it_is_the_same_model_in_another_process(self):  # or what a killed contest had done is done again
        code = (
            "from mlworkbook.backtesting import fingerprint; from test_retraining import fitted, make_sales, rt;"
            "print(fingerprint(rt.frozen(fitted('2022-04-30', history=make_sales(3, series=8, days=150)))))"
        )
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
        done = [
            subprocess.run([sys.executable, "-c", code], env=env | {"PYTHONHASHSEED": seed}, capture_output=True)
            for seed in "12"
        ]
        assert done[0].stdout == done[1].stdout and len(done[0].stdout) == 65, done[0].stderr

    def test_takes_no_notice_of_other_callers(self):
        one = fitted("2023-05-01")
        before, history = rt.frozen(one)(seen(HISTORY, LAST, 7), 7), one.history
        rt.frozen(one)(seen(HISTORY, LAST - 30 * DAY, 7), 7)
        pd.testing.assert_frame_equal(rt.frozen(one)(seen(HISTORY, LAST, 7), 7), before)
        assert one.history is history


class TestContest:
    @pytest.mark.parametrize(
        ("since", "cutoffs"),
        [(LAST - 100 * DAY, [10, 7]), (LAST - 10 * DAY, [10, 7]), (LAST - 9 * DAY, [7]), (LAST - 7 * DAY, [7])],
    )
    def test_nights_that_nobody_has_seen(self, since, cutoffs):
        champion = rt.Served("1", since, seasonal_naive)
        _, scored = rt.contest(seen(HISTORY, LAST, 7), PLAN, champion)
        assert sorted({(LAST - cutoff).days for cutoff in scored["cutoff"]}, reverse=True) == cutoffs
        assert scored["cutoff"].min() >= since and scored["ds"].max() == LAST

    def test_the_champion_may_be_too_young_to_judge(self):
        with pytest.raises(ValueError, match="has seen sales until 2023-05-29 .* ask again on 2023-06-05 or later"):
            rt.contest(seen(HISTORY, LAST, 7), PLAN, rt.Served("1", LAST - 6 * DAY, seasonal_naive))

    def test_the_cheapest_recipe_is_the_challenger(self):
        recipes = {"lame": Params(seasonality_prior_scale=1e-4, uncertainty_samples=0), "bare": BARE}
        best, scored = rt.contest(seen(HISTORY, LAST, 7), replace(PLAN, recipes=recipes))
        alone, same = rt.contest(seen(HISTORY, LAST, 7), PLAN)
        assert best == alone == "bare" and set(scored["model"]) == {"challenger", "seasonal_naive"}
        pd.testing.assert_frame_equal(scored, same)

    def test_no_common_day_is_told(self):
        def broken(history, horizon):
            raise RuntimeError("out of flour")

        with pytest.raises(ValueError, match="no day was forecast by all of .*champion.*out of flour"):
            rt.contest(seen(HISTORY, LAST, 7), PLAN, rt.Served("1", LAST - 40 * DAY, broken))

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"recipes": {}}, "recipes is {}, expected"),
            ({"recipes": {"champion": BARE}}, "recipe 'champion' has the name of a rival"),
            ({"nights": 0}, "nights is 0"),
            ({"every": 6.5}, "every is 6.5"),
        ],
    )
    def test_a_plan_that_makes_no_sense(self, wrong, said):
        with pytest.raises(ValueError, match=said):
            rt.Plan(**wrong)


class TestJournal:
    def test_what_is_written_is_read(self, tmp_path):
        one = rt.Record("2024-03-10", "refused", "alarm", "worse — ñ", "2", "1", "bare", "ana", "m", {"wape": 0.1})
        rt.write(tmp_path, one), rt.write(tmp_path, replace(one, action="promoted"))
        assert rt.journal(tmp_path) == [one, replace(one, action="promoted")]
        assert rt.journal(tmp_path / "none") == []

    def test_a_line_cut_short_is_passed_over(self, tmp_path):
        one = rt.write(tmp_path, rt.Record("2024-03-10", "repair", "contract"))
        path = tmp_path / rt.JOURNAL
        path.write_bytes(path.read_bytes() * 2)
        path.write_bytes(path.read_bytes()[:-20])
        assert rt.journal(tmp_path) == [one]
        rt.write(tmp_path, one)
        assert rt.journal(tmp_path) == [one, one]

    @pytest.mark.parametrize("line", ['{"format": 2}', '{"date": 3, "other": 1}', "{not json}"])
    def test_a_damaged_line_is_told(self, tmp_path, line):
        (tmp_path / rt.JOURNAL).write_text(line + "\n")
        with pytest.raises(ValueError, match="line 1 of retrain.jsonl is damaged"):
            rt.journal(tmp_path)


class Cut(Exception):
    "The light goes out."


def ask(store, folder, night="2023-04-01", history=HISTORY, plan=PLAN, **options):
    return rt.retrain(history, store, folder, plan, date=night, **options)


class TestRetrain:
    def test_first_champion_and_the_next(self, tmp_path):
        store = rt.Shelf()
        first = ask(store, tmp_path, who="ana", reason="a test")
        assert (first.action, first.version, first.previous, first.who) == ("promoted", "1", "", "ana")
        assert first.figures["wape"] < first.figures["baseline_wape"] and "champion_wape" not in first.figures
        second = ask(store, tmp_path, "2023-05-01")
        assert second.previous == "1" and "champion_cost_eur" in second.figures
        assert [one.action for one in rt.journal(tmp_path)][0::2] == ["begun", "begun"]

    def test_an_empty_shelf_and_a_poor_challenger(self, tmp_path):
        wild = Params(changepoint_range=1.0, changepoint_prior_scale=100.0, n_changepoints=150, uncertainty_samples=0)
        store = rt.Shelf()
        done = ask(store, tmp_path, plan=replace(PLAN, recipes={"wild": wild}))
        assert done.action == "refused" and "of the baseline" in done.verdict and store.served() is None

    def test_never_twice_for_a_date(self, tmp_path, monkeypatch):
        store = rt.Shelf()
        first = ask(store, tmp_path)
        before = (tmp_path / rt.JOURNAL).read_bytes()
        monkeypatch.setattr(rt, "contest", None)
        assert ask(store, tmp_path, alarms=rang(), reason="again") == first
        assert (tmp_path / rt.JOURNAL).read_bytes() == before and len(store.versions) == 1

    def test_clocks_that_go_back(self, tmp_path):
        ask(rt.Shelf(), tmp_path)
        with pytest.raises(
            ValueError, match="date is 2023-03-31, before the last decision, of 2023-04-01; set the clock"
        ):
            ask(rt.Shelf(), tmp_path, "2023-03-31")

    def test_days_without_sales(self, tmp_path):
        with pytest.raises(ValueError, match="date is 2023-06-05, expected a day with sales"):
            ask(rt.Shelf(), tmp_path, "2023-06-05")
        assert not (tmp_path / rt.JOURNAL).exists()

    def test_two_at_once(self, tmp_path):
        store = rt.Shelf()
        with only_one(tmp_path), pytest.raises(BlockingIOError, match="another process is writing"):
            ask(store, tmp_path)
        assert store.served() is None and ask(store, tmp_path).action == "promoted"

    def test_it_does_not_see_what_came_later(self, tmp_path):
        later = HISTORY.assign(y=HISTORY["y"].mask(HISTORY["ds"] > "2023-04-01", HISTORY["y"] * 5))
        one, two = (ask(rt.Shelf(), tmp_path / name, history=h) for name, h in (("a", HISTORY), ("b", later)))
        assert one == two

    def test_waiting_leaves_no_trace_and_repairs_leave_one(self, tmp_path):
        store = rt.Shelf()
        ask(store, tmp_path)
        size = (tmp_path / rt.JOURNAL).stat().st_size
        assert ask(store, tmp_path, "2023-04-05", alarms=rang()[:0]).action == "wait"
        assert (tmp_path / rt.JOURNAL).stat().st_size == size
        broken = rang("contract", "2023-04-06")
        for _ in range(2):
            assert ask(store, tmp_path, "2023-04-05", alarms=broken).action == "repair"
        assert [one.action for one in rt.journal(tmp_path)] == ["begun", "promoted", "repair"]
        assert len(store.versions) == 1

    def test_repaired_the_same_day_it_may_train(self, tmp_path):
        store = rt.Shelf()
        ask(store, tmp_path)
        told = boxes(first="2023-05-08", last="2023-05-10")
        ringing = rang("error", "2023-05-11")
        stopped = ask(store, tmp_path, "2023-05-10", told, alarms=ringing)
        assert stopped.action == "repair" and "ask whether the unit changed" in stopped.reason
        assert ask(store, tmp_path, "2023-05-10", alarms=ringing).action in rt.DECIDED

    def test_a_challenger_of_corrupted_data_is_refused(self, tmp_path):
        store = rt.Shelf()
        ask(store, tmp_path)
        done = ask(store, tmp_path, "2023-05-20", boxes())
        assert done.action == "refused" and "of the champion" in done.verdict and store.champions == ["1"]

    @pytest.mark.parametrize(
        ("night", "place"),
        [("2023-05-01", place) for place in ("contest", "write 1", "enroll", "settle", "settled", "write 2")]
        + [("2023-04-01", place) for place in ("enroll", "settled")],
    )
    def test_cut_anywhere_it_ends_the_same(self, tmp_path, monkeypatch, place, night):
        calm, store = rt.Shelf(), rt.Shelf()
        nights = ["2023-04-01", "2023-05-01"][: 1 + (night > "2023-04-15")]
        wanted = [ask(calm, tmp_path / "calm", one) for one in nights]
        for one in nights[:-1]:
            ask(store, tmp_path / "cut", one)
        done, real = {"write": 0}, {name: getattr(rt, name) for name in ("contest", "write")}

        def cut(name, after=False):
            def call(*given, **options):
                done["write"] += name == "write"
                hit = place == name or place == f"{name} {done['write']}"
                if hit and not after:
                    raise Cut
                value = real[name](*given, **options)
                if hit:
                    raise Cut
                return value

            return call

        class Doomed:
            served, rollback = store.served, store.rollback

            def enroll(self, *given):
                version = store.enroll(*given)
                if place == "enroll":
                    raise Cut
                return version

            def settle(self, *given):
                if place == "settle":
                    raise Cut
                store.settle(*given)
                if place == "settled":
                    raise Cut

        with monkeypatch.context() as patch:
            patch.setattr(rt, "contest", cut("contest"))
            patch.setattr(rt, "write", cut("write"))
            with pytest.raises(Cut):
                ask(Doomed(), tmp_path / "cut", night)
        assert ask(store, tmp_path / "cut", night) == wanted[-1]
        assert store.champions == calm.champions and len(store.versions) == len(calm.versions)
        decided = [[one for one in rt.journal(tmp_path / name) if one.action in rt.DECIDED] for name in ("calm", "cut")]
        assert decided[0] == decided[1] == wanted

    def test_a_night_that_died_is_ended_by_the_next(self, tmp_path):
        class Doomed(rt.Shelf):
            def settle(self, *given):
                super().settle(*given)
                raise Cut

        calm, store = rt.Shelf(), Doomed()
        wanted = [ask(calm, tmp_path / "calm", one) for one in ("2023-04-01", "2023-05-01")]
        with pytest.raises(Cut):
            ask(store, tmp_path / "cut")
        store.__class__ = rt.Shelf
        assert ask(store, tmp_path / "cut", "2023-05-01") == wanted[1]
        assert [one for one in rt.journal(tmp_path / "cut") if one.action in rt.DECIDED] == wanted

    def test_a_begun_night_whose_crown_never_moved_is_left_behind(self, tmp_path):
        store = rt.Shelf()
        rt.write(tmp_path, rt.Record("2023-04-01", "begun", "x", mark="of nobody"))
        assert ask(store, tmp_path, "2023-05-01").action == "promoted"
        assert [one.date for one in rt.journal(tmp_path)] == ["2023-04-01", "2023-05-01", "2023-05-01"]


class TestGoBack:
    def shelf(self, folder):
        store = rt.Shelf()
        for night in ("2023-04-01", "2023-05-01"):
            store.settle(store.enroll(fitted(night), None, None, night), None, None, rt.Decision(True, "", {}))
        rt.write(folder, rt.Record("2023-05-01", "promoted", "x", version="2", previous="1"))
        return store

    def test_one_step_with_a_line(self, tmp_path):
        store = self.shelf(tmp_path)
        done = rt.go_back(store, tmp_path, date="2023-05-03", reason="no bread on Sundays", who="ana")
        assert done == rt.Record("2023-05-03", "rolled back", "no bread on Sundays", "", "1", "2", who="ana")
        assert store.served().version == "1" and rt.journal(tmp_path)[-1] == done
        with pytest.raises(ValueError, match="no champion before this one"):
            rt.go_back(store, tmp_path, reason="once more")
        assert [one.action for one in rt.journal(tmp_path)][-2:] == ["going back", "stayed"]

    def test_a_newer_champion_is_no_step_back(self, tmp_path):
        store = self.shelf(tmp_path)
        rt.write(tmp_path, rt.Record("2023-05-03", "going back", "x", previous="1"))
        done = rt.go_back(store, tmp_path, date="2023-05-04", reason="y")
        assert (done.version, done.previous, done.reason) == ("1", "2", "y")

    def test_cut_after_the_step_it_does_not_step_twice(self, tmp_path):
        store = self.shelf(tmp_path)
        store.settle(store.enroll(fitted("2023-05-10"), None, None, "3"), None, None, rt.Decision(True, "", {}))
        back, store.rollback = store.rollback, lambda reason: (back(reason), 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rt.go_back(store, tmp_path, reason="slow")
        store.rollback = back
        done = rt.go_back(store, tmp_path, reason="slow")
        assert (done.version, done.previous, store.champions) == ("2", "3", ["1", "2"])

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"reason": " "}, "reason is empty, expected a sentence"),
            ({"reason": "x", "date": "2023-04-30"}, "date is 2023-04-30, before the last decision, of 2023-05-01"),
        ],
    )
    def test_refused(self, tmp_path, options, said):
        store = self.shelf(tmp_path)
        with pytest.raises(ValueError, match=said):
            rt.go_back(store, tmp_path, **options)
        assert store.served().version == "2"

    def test_nothing_to_go_back_to(self, tmp_path):
        with pytest.raises(ValueError, match="there is no champion; nothing to roll back"):
            rt.go_back(rt.Shelf(), tmp_path, reason="x")


DIES = """
import os, signal, sys
from pathlib import Path
import mlflow
from mlworkbook import registry
from mlworkbook import retraining as rt
from mlworkbook.forecaster import Params
from mlworkbook.sales import make_sales

def die(*given, **options):
    os.kill(os.getpid(), signal.SIGKILL)

home, place = Path(sys.argv[1]), sys.argv[2]
history = make_sales(3, series=2, days=520, horizon=14)
plan = rt.Plan(recipes={"bare": Params(uncertainty_samples=0)}, nights=2)
target = {
    "registered": (mlflow.MlflowClient, "set_registered_model_alias"),
    "crowned": (mlflow.MlflowClient, "delete_registered_model_alias"),
}.get(place)
if target:
    setattr(*target, die)
rt.retrain(history, rt.Registry("shop", home), home / "notes", plan, date="2023-04-01")
"""


@pytest.mark.slow
class TestRegistry:
    @pytest.mark.parametrize("place", ["registered", "crowned"])
    def test_killed_between_two_steps(self, tmp_path, place):
        died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), place], capture_output=True, env=os.environ)
        assert died.returncode == -9, died.stderr[-2000:]
        assert [one.action for one in rt.journal(tmp_path / "notes")] == ["begun"]
        store = rt.Registry("shop", tmp_path)
        assert (store.served() is None) == (place == "registered")
        done = ask(store, tmp_path / "notes")
        assert done == ask(rt.Shelf(), tmp_path / "calm")
        table = versions("shop", folder=tmp_path)
        assert table[["version", "alias"]].to_numpy().tolist() == [["1", "champion"]]
        if place == "crowned":  # the same decisions as on the shelf; then one step back
            second = ask(store, tmp_path / "notes", "2023-05-20", boxes())
            assert second.action == "refused" and store.served().version == "1"
            table = versions("shop", folder=tmp_path)
            assert table["decision"].tolist() == ["promoted", "refused"]
            with pytest.raises(ValueError, match="replaced no champion"):
                rt.go_back(store, tmp_path / "notes", reason="x")
