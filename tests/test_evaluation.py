"Promises of the leaderboard: no evening sees its morrow, differences are paired, one exam, always somebody to serve."

import csv
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlworkbook import evaluation as lb
from mlworkbook.backtesting import cutoffs
from mlworkbook.baselines import moving_average, naive, seasonal_naive
from mlworkbook.comparison import paired
from mlworkbook.contract import KEYS, check_history, check_scored, future, last_day, past, seen
from mlworkbook.evaluation import CHAMPION, ORDER, TEAM, Leaderboard, exam, leaderboard
from mlworkbook.recipes import RULE, Recipe, default_recipes, team_of
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.team import costs_by_night, evening, feasts, sample
from mlworkbook.value import BAKERY_COSTS, UnitCosts, error_cost

ROOT = Path(__file__).parent.parent
DAY = pd.Timedelta(days=1)
SHOPS = check_history(make_sales(10, series=3, days=260, horizon=14, start="2021-11-01"))
BLIND = SHOPS.assign(promo=SHOPS["promo"].where(SHOPS["y"].notna()))  # nobody has planned a promotion
SPANS = {"initial": 170, "period": 25}  # four evenings, and thirteen before


def weeks(history, horizon):
    "Mean of the last eight weeks: a quick recipe of one's own."
    rows, days = past(history), future(history, horizon)
    keys = ["unique_id", "weekday"]
    rows, days = (frame.assign(weekday=frame["ds"].dt.dayofweek) for frame in (rows, days))
    open_ = rows[~rows["closed"]] if "closed" in rows else rows
    mean = open_.groupby(keys).tail(8).groupby(keys)["y"].mean().rename("yhat").reset_index()
    days = days.merge(mean, on=keys, how="left").fillna({"yhat": 0.0})
    yhat = days["yhat"].mask(days["closed"], 0.0) if "closed" in days else days["yhat"]
    return days[KEYS].assign(yhat=yhat, yhat_lower=0.8 * yhat, yhat_upper=1.2 * yhat, status="model")


def double(history, horizon):
    "Far too much: no member that plays."
    rows = weeks(history, horizon)
    return rows.assign(yhat=2 * rows["yhat"], yhat_upper=3 * rows["yhat"])


MEAN, DOUBLE = Recipe(f"{__name__}:weeks"), Recipe(f"{__name__}:double")
CHEAP = {"weeks": weeks, "double": double}


def ranked(history=BLIND, recipes=CHEAP, **options):
    return leaderboard(history, 14, BAKERY_COSTS, recipes, **(SPANS | options))


@pytest.fixture(scope="module")
def board():
    return ranked()


@pytest.fixture(scope="module")
def usual():
    "The board of the four usual recipes."
    return ranked(recipes=default_recipes())


def upset(history, night):
    "The same shops with other sales, doors and promotions after an evening."
    late, draws = (history["ds"] > night) & history["y"].notna(), np.random.default_rng(5).random(len(history))
    shut = history["closed"].mask(late, draws < 0.2).astype(bool)
    sold = (history["y"] * 9 * np.sqrt(draws)).round().mask(late & shut, 0.0)
    return history.assign(closed=shut, y=history["y"].mask(late, sold), promo=history["promo"].mask(late, draws > 0.5))


def told(board, night, columns=("yhat", "yhat_lower", "yhat_upper")):
    "What all models said until an evening."
    rows = board.scored[board.scored["cutoff"] <= night]
    return rows[["model", "cutoff", *KEYS, *columns]].reset_index(drop=True)


class TestNoEveningSeesItsMorrow:
    @pytest.mark.parametrize("number", [0, 2])
    def test_cheap_recipes_team_and_order(self, board, number):
        night = board.evenings[number]
        other = ranked(upset(BLIND, night))
        assert other.evenings == board.evenings and set(other.scored["model"]) >= {TEAM, ORDER, RULE}
        pd.testing.assert_frame_equal(told(other, night), told(board, night), check_exact=True)
        assert not told(other, board.evenings[-1]).equals(told(board, board.evenings[-1]))

    def test_the_usual_recipes(self, usual):
        night = usual.evenings[2]
        other = ranked(upset(BLIND, night), default_recipes())
        assert set(told(other, night)["model"]) == {TEAM, ORDER, *default_recipes()}
        pd.testing.assert_frame_equal(told(other, night), told(usual, night), check_exact=True)

    @pytest.mark.parametrize("window", ["door", "plan", "sales"])
    def test_whoever_saw_it_would_be_caught(self, monkeypatch, window):
        def open_window(history, night, horizon, unknown=()):
            rows = evening(history, night, horizon, unknown)
            if window == "sales":
                last = (rows["ds"] == night) & ~rows["closed"]
                return rows.assign(y=rows["y"].mask(last, history["y"].reindex(rows.index).shift(-1)))
            name = {"door": "closed", "plan": "promo"}[window]
            return rows.assign(**{name: seen(history, night, horizon)[name]})

        def by_plan(rows, horizon):
            days = future(rows, horizon)
            week = weeks(rows, horizon)
            return week.assign(yhat=week["yhat"] * (1 + 0.2 * days["promo"]), yhat_upper=2 * week["yhat"])

        for place in ("mlworkbook.evaluation", "mlworkbook.team"):
            monkeypatch.setattr(f"{place}.evening", open_window)
        recipes = {"plan": by_plan}
        one = ranked(recipes=recipes)
        night = one.evenings[2]
        assert not told(ranked(upset(BLIND, night), recipes), night).equals(told(one, night))

    def test_a_planned_promotion_is_known(self):
        def by_plan(rows, horizon):
            days = future(rows, horizon)[[*KEYS, "promo"]]
            plans.append(days["promo"].tolist())
            return weeks(rows, horizon)

        plans = []
        board = ranked(SHOPS, {"plan": by_plan})
        days = board.scored[board.scored["model"] == "plan"].merge(SHOPS[[*KEYS, "promo"]], on=KEYS)
        nights = dict(zip(board.evenings, np.split(days["promo"].to_numpy(), len(board.evenings)), strict=True))
        assert all(list(promo) in plans for promo in nights.values()) and days["promo"].nunique() == 2
        plans.clear()
        ranked(BLIND, {"plan": by_plan})
        usual = {value for plan in plans for value in plan} - {0, 1}
        assert usual and 0 < min(usual) <= max(usual) < 1, "as often as before, whatever came"


class TestBoard:
    def test_table_and_rows(self, usual):
        table = usual.table.set_index("model")
        assert list(usual.table) == lb.COLUMNS and set(table.index) == {TEAM, ORDER, *default_recipes()}
        assert table["eur_per_day"].is_monotonic_increasing and usual.failures.empty
        scored = usual.scored
        sizes = scored.groupby(["model", "cutoff"]).size()
        assert sizes.eq(3 * 14).all() and len(sizes) == 6 * len(usual.evenings) >= 6 * lb.ENOUGH
        for model, rows in scored.groupby("model"):
            check_scored(rows.dropna(axis="columns", how="all"))
            eur = error_cost(rows, BAKERY_COSTS, by=())["cost_eur"].item() / (14 * len(usual.evenings))
            assert table.at[model, "eur_per_day"] == pytest.approx(eur)
        rule = table.at[RULE, "eur_per_day"]
        np.testing.assert_allclose(table["saved"].drop(RULE), rule - table["eur_per_day"].drop(RULE), atol=1e-9)
        assert table.loc[RULE, ["saved", "low", "high"]].isna().all() and pd.isna(table.at[ORDER, "coverage"])
        assert usual.row(RULE) == table.loc[RULE].dropna().to_dict() and usual.row("nobody") == {}

    def test_the_team_is_the_mean_of_members_that_did_well_before(self, board):
        night = board.evenings[-1]
        rows = board.scored[board.scored["cutoff"] == night].pivot(index=KEYS, columns="model", values="yhat")
        known = lb.past_evenings(past(BLIND)[past(BLIND)["ds"] <= night], 14)
        before, _ = lb.past_forecasts(BLIND, 14, {RULE: seasonal_naive, **CHEAP}, known)
        eur = costs_by_night(before, BAKERY_COSTS).sum()
        joined = list(eur.index[eur <= 1.25 * eur.min()])
        assert joined == [RULE, "weeks"]
        np.testing.assert_allclose(rows[TEAM], rows[joined].mean(axis=1))

    def test_a_closed_day_is_zero_and_limits_are_limits(self, usual):
        team = usual.scored[usual.scored["model"] == TEAM]
        shut = team["status"] == "closed"
        assert shut.any() and (team.loc[shut, ["yhat", "yhat_lower", "yhat_upper"]] == 0).all(axis=None)
        assert (team["yhat_lower"] <= team["yhat"]).all() and (team["yhat"] <= team["yhat_upper"]).all()
        order = usual.scored[usual.scored["model"] == ORDER]
        assert (order["yhat"] >= 0).all() and order["yhat_lower"].isna().all()
        assert order["yhat"].sum() > team["yhat"].sum(), "a missing loaf costs twice one left over"

    @pytest.mark.parametrize("way", ["two processes", "unsorted"])
    def test_the_same_board_whatever_the_way(self, board, way):
        rows = BLIND.sample(frac=1, random_state=0) if way == "unsorted" else BLIND
        other = ranked(rows, workers=1 + (way == "two processes"))
        pd.testing.assert_frame_equal(other.table, board.table, check_exact=True)
        pd.testing.assert_frame_equal(other.scored, board.scored, check_exact=True)

    def test_what_is_kept_is_not_asked_again(self, board, tmp_path, monkeypatch):
        recipes = {"weeks": MEAN, "double": DOUBLE}  # the function itself is asked once besides, whether it peeks
        boards = [ranked(recipes=recipes, folder=tmp_path)]
        monkeypatch.setattr(lb, "peeks", lambda *_: False)
        monkeypatch.setattr(Recipe, "__call__", None)
        boards.append(ranked(recipes=recipes, folder=tmp_path))
        for other in boards:
            pd.testing.assert_frame_equal(other.table, board.table, check_exact=True)
            pd.testing.assert_frame_equal(other.scored, board.scored, check_exact=True)

    def test_many_series_are_judged_by_some(self, monkeypatch):
        monkeypatch.setattr(lb, "sample", partial(sample, most=2))
        board = ranked(recipes={})
        assert board.scored["unique_id"].unique().tolist() == ["S01", "S03"]

    def test_limits_and_status_may_be_left_out(self):
        def bare(history, horizon):
            return future(history, horizon)[KEYS].assign(yhat=past(history)["y"].mean())

        noise = past(SHOPS)[KEYS].assign(y=np.random.default_rng(0).normal(500, 50, 3 * 260).round())
        table = ranked(noise, {"bare": bare}).table.set_index("model")
        assert pd.isna(table.at["bare", "coverage"]) and 0.7 < table.at[TEAM, "coverage"] < 0.9
        assert table.at[TEAM, "wape"] == table.at["bare", "wape"], "last week's rule plays no more"

    def test_names_of_its_own_are_taken(self):
        for name in (TEAM, ORDER, CHAMPION):
            with pytest.raises(ValueError, match=f"recipe {name!r} has a name of the leaderboard's own"):
                ranked(recipes={name: naive})

    def test_bad_sales_are_refused(self):
        with pytest.raises(ValueError, match="'y' is -1"):
            ranked(BLIND.assign(y=-1.0))

    def test_a_winner_can_be_written_down(self, usual, board):
        assert usual.leader == TEAM and usual.winner == team_of(default_recipes())
        assert usual.recipe("mstl") == Recipe("mstl")
        assert board.winner == team_of({RULE: Recipe(RULE), "weeks": MEAN, "double": DOUBLE})
        with pytest.raises(ValueError, match=f"no recipe 'nobody' on this leaderboard, expected one of {RULE}, .*team"):
            usual.recipe("nobody")

        def here(rows, horizon):
            return weeks(rows, horizon)

        shown = ranked(recipes={"here": here})
        assert shown.leader == TEAM and set(shown.table["model"]) == {TEAM, ORDER, RULE, "here"}
        with pytest.raises(ValueError, match="lives in this session only"):
            _ = shown.winner


class TestEvenings:
    def test_as_run_does_where_there_is_enough(self):
        days = make_sales(1, series=1, days=1015)
        assert lb.exam_nights(days, 14) == cutoffs(days, 14) and len(lb.exam_nights(days, 14)) == 4
        assert lb.exam_nights(days[:1014], 14) != cutoffs(days[:1014], 14)

    @pytest.mark.parametrize("horizon", [1, 7, 14, 28])
    @pytest.mark.parametrize("days", [10, 60, 100, 200, 400, 1014])
    def test_half_of_a_shorter_history(self, days, horizon):
        rows = make_sales(1, series=1, days=days)
        nights = lb.exam_nights(rows, horizon)
        assert bool(nights) == (days - 1 >= 56 + horizon)
        if nights:
            assert nights[-1] + horizon * DAY == last_day(rows)
            half = max(56, (days - 1) // 2)
            assert (nights[0] - rows["ds"].min()).days >= half and len(nights) <= 13
            steps = {two - one for one, two in zip(nights, nights[1:], strict=False)}
            short = max(horizon, (days - 1 - half - horizon) // 6)
            assert steps <= {(90 if days == 1014 and horizon < 14 else short) * DAY}

    def test_spans_that_were_asked_for(self):
        rows = make_sales(1, series=1, days=200)
        assert lb.exam_nights(rows, 14, initial=100, period=20) == cutoffs(rows, 14, initial=100, period=20)
        assert lb.exam_nights(rows, 14, initial=100) == cutoffs(rows, 14, initial=100, period=90)
        with pytest.raises(ValueError, match="fewer than initial . horizon = 730 . 14"):
            lb.exam_nights(rows, 14, period=20)
        for wrong in (0, -7, 7.5):
            with pytest.raises(ValueError, match=f"period is {wrong}, expected a whole number of days"):
                lb.exam_nights(rows, 14, initial=100, period=wrong)

    @pytest.mark.filterwarnings("ignore:history. ")
    @pytest.mark.parametrize(("days", "horizon"), [(1, 14), (71, 14), (90, 14), (64, 7), (87, 28)])
    def test_a_young_shop_has_its_rule(self, days, horizon):
        rows = make_sales(1, series=2, days=days, horizon=horizon)
        board = leaderboard(rows, horizon, BAKERY_COSTS, {"weeks": weeks})
        assert len(board.evenings) < lb.ENOUGH and board.leader == RULE and board.winner == Recipe(RULE)
        verdict = exam(board, RULE)
        known = f"{len(board.evenings)} evening{'s' * (len(board.evenings) != 1)} to judge on, 4 needed"
        assert verdict.promoted and verdict.reason == f"{known}: the house's rule serves"
        assert exam(board, TEAM).reason == f"refused: {known}"
        assert board.table.empty == (not board.evenings)


def made(blocks, evenings=6, horizon=14, series=2):
    """A board by hand: `blocks[model]` are errors (units a day) of each week of each evening, or one for all.

    All of them forecast too much, at 1 EUR a unit, so that an error of 3 units costs 3 EUR a day and series.
    """
    nights, costs, parts = list(pd.date_range("2022-01-01", periods=evenings, freq="30D")), UnitCosts(1.0, 2.0), []
    for model, errors in blocks.items():
        errors = np.broadcast_to(np.asarray(errors, float), (evenings, -(-horizon // 7)))
        for number, night in enumerate(nights):
            days = pd.date_range(night, periods=horizon + 1)[1:]
            names = [f"S{one}" for one in range(series)]
            rows = pd.MultiIndex.from_product([names, days], names=KEYS).to_frame(index=False)
            week = (rows["ds"] - night - DAY).dt.days // 7
            parts.append(rows.assign(model=model, cutoff=night, y=50.0, yhat=50 + errors[number][week]))
    scored = pd.concat(parts, ignore_index=True)
    names = [name for name in blocks if name not in (TEAM, ORDER, CHAMPION)]
    table = lb.tabulate(scored, costs)
    failures = pd.DataFrame(columns=["model", "error"])
    return Leaderboard(table, scored, dict.fromkeys(names, seasonal_naive), costs, failures, nights)


class TestPaired:
    ERRORS = np.random.default_rng(3).normal(10, 3, (2, 8, 2)).clip(0)

    def test_by_hand(self):
        board = made({"a": self.ERRORS[0], RULE: self.ERRORS[1]}, evenings=8)
        found = paired(board.scored, board.costs, "a", RULE)
        saved = 2 * (self.ERRORS[1] - self.ERRORS[0]).ravel()  # two series
        assert found["saved"] == pytest.approx(saved.mean()) and found["weeks"] == (saved > 0).mean()
        draws = np.random.default_rng(1).choice(saved, (4000, saved.size)).mean(axis=1)
        assert [found["low"], found["high"]] == pytest.approx(list(np.quantile(draws, [0.025, 0.975])), abs=0.4)

    def test_against_itself_turned(self):
        board = made({"a": self.ERRORS[0], RULE: self.ERRORS[1]}, evenings=8)
        one, two = paired(board.scored, board.costs, "a", RULE), paired(board.scored, board.costs, RULE, "a")
        assert one["saved"] == pytest.approx(-two["saved"]) and one["weeks"] == 1 - two["weeks"]
        assert [one["low"], one["high"]] == pytest.approx([-two["high"], -two["low"]], abs=0.1)

    @pytest.mark.parametrize("horizon", [3, 7, 8, 10, 14, 15, 30])
    @pytest.mark.parametrize("seed", range(3))
    def test_the_interval_holds_what_was_saved(self, horizon, seed):
        weeks = -(-horizon // 7)
        errors = np.random.default_rng(seed).normal([[10.0] * weeks], 1, (2, 6, weeks)).clip(0)
        errors[0, :, -1] += 30  # it fails in the last week, which may have a day only
        board = made({"a": errors[0], RULE: errors[1]}, horizon=horizon)
        found = paired(board.scored, board.costs, "a", RULE)
        rule, ours = (board.table.set_index("model").at[name, "eur_per_day"] for name in (RULE, "a"))
        assert found["saved"] == pytest.approx(rule - ours) and found["low"] <= found["saved"] <= found["high"]

    def test_nothing_to_draw_from(self):
        board = made({"a": 2, RULE: 5}, evenings=1, horizon=7)
        found = paired(board.scored, board.costs, "a", RULE)
        assert found["saved"] == 6 and found["weeks"] == 1 and np.isnan([found["low"], found["high"]]).all()
        board = made({"a": 2, RULE: 5})
        assert paired(board.scored, board.costs, "a", RULE) == {"saved": 6, "weeks": 1, "low": 6, "high": 6}
        assert paired(board.scored, board.costs, "a", "a")["weeks"] == 0

    def test_it_is_surer_with_more_evenings(self):
        errors = np.random.default_rng(0).normal(10, 3, (2, 100, 2)).clip(0)
        width = []
        for evenings in (6, 100):
            board = made({"a": errors[0][:evenings], RULE: errors[1][:evenings]}, evenings=evenings)
            found = paired(board.scored, board.costs, "a", RULE)
            width.append(found["high"] - found["low"])
        assert width[1] < 0.5 * width[0]


def some_weeks(cheap, dear, share):
    "Errors of 12 weeks, of which a share are cheap."
    return np.where(np.arange(12) < round(12 * share), cheap, dear).reshape(6, 2)


RULES = [  # who asks, who serves, errors, promoted, what is said
    (TEAM, "", {TEAM: 9.9, RULE: 10}, True, "cheaper than seasonal_naive"),
    (TEAM, "", {TEAM: 10, RULE: 10}, False, "refused: no cheaper than seasonal_naive"),
    (TEAM, "", {TEAM: 11, RULE: 10}, False, "refused: 2.00 EUR a day dearer than seasonal_naive"),
    (TEAM, "", {TEAM: some_weeks(1, 10.5, 0.25), RULE: 10}, True, "cheaper than seasonal_naive"),
    (TEAM, "a", {TEAM: some_weeks(1, 10.5, 0.25), RULE: 10, "a": 9.9}, True, "cheaper than seasonal_naive and a"),
    (TEAM, "a", {TEAM: 9, RULE: 10, "a": 8}, False, "refused: 2.00 EUR a day dearer than a"),
    (TEAM, "a", {TEAM: 11, RULE: 10, "a": 8}, False, "dearer than seasonal_naive; 6.00 EUR a day dearer than a"),
    (TEAM, TEAM, {TEAM: 99, RULE: 10}, True, "the recipe that serves, with newer sales"),
    ("a", "", {"a": some_weeks(5, 11, 8 / 12), RULE: 10}, True, "cheaper than seasonal_naive"),
    ("a", "", {"a": some_weeks(5, 11, 7 / 12), RULE: 10}, False, "refused: cheaper than seasonal_naive in 58%"),
    (
        "a",
        "b",
        {"a": some_weeks(5, 9.1, 7 / 12), "b": 9, RULE: 10},
        False,
        "refused: cheaper than b in 58% of the weeks",
    ),
    ("a", "b", {"a": 8, "b": 9, RULE: 10}, True, "cheaper than seasonal_naive and b"),
    ("a", "b", {"a": 8, "b": 9, RULE: 7}, False, "refused: 2.00 EUR a day dearer than seasonal_naive"),
    ("a", "a", {"a": 12, RULE: 10}, True, "the recipe that serves, with newer sales"),
    ("a", RULE, {"a": 9, RULE: 10}, True, "cheaper than seasonal_naive"),
    ("a", TEAM, {"a": 1, TEAM: 9, RULE: 10}, False, "refused: a team serves.* it can join"),
    (RULE, TEAM, {TEAM: 99, RULE: 10}, False, "a team serves, and a single recipe does not replace it"),
    (RULE, "", {RULE: 10, TEAM: 9}, True, "nobody else served"),
    (RULE, "a", {RULE: 10, "a": 20}, True, "cheaper than a"),
    ("a", "gone", {"a": 9, RULE: 10}, True, "cheaper than seasonal_naive"),
]


class TestExam:
    @pytest.mark.parametrize(("challenger", "champion", "errors", "promoted", "reason"), RULES)
    def test_rules(self, challenger, champion, errors, promoted, reason):
        board = made(errors)
        verdict = exam(board, challenger, champion)
        assert verdict.promoted == promoted
        assert re.search(reason, verdict.reason), verdict.reason
        assert exam(replace(board, champion=champion), challenger) == verdict, "who serves on the board, when omitted"
        eur = board.table.set_index("model")["eur_per_day"]
        expected = {"eur_per_day": eur[challenger], "rule_eur_per_day": eur[RULE]}
        expected |= {"champion_eur_per_day": eur[champion]} if champion in eur else {}
        assert {key: value for key, value in verdict.figures.items() if key.endswith("eur_per_day")} == expected

    @pytest.mark.parametrize("evenings", [1, 3])
    def test_few_evenings_leave_the_rule(self, evenings):
        board = made({TEAM: 1, "a": 1, RULE: 10}, evenings=evenings)
        known = f"{'1 evening' if evenings == 1 else '3 evenings'} to judge on, 4 needed"
        assert exam(board, RULE, "") == exam(board, RULE) and exam(board, RULE).promoted
        assert exam(board, RULE).reason == f"{known}: the house's rule serves" and board.leader == RULE
        for challenger, champion in ((TEAM, ""), ("a", ""), ("a", TEAM), (TEAM, "a"), (RULE, "a")):
            verdict = exam(board, challenger, champion)
            assert not verdict.promoted and verdict.reason == f"refused: {known}"
        assert exam(board, "a", "a").promoted
        assert exam(made({TEAM: 1, RULE: 10}, evenings=4), TEAM).promoted

    def test_who_is_not_there_cannot_be_examined(self):
        with pytest.raises(ValueError, match=f"no row 'b' on this leaderboard, which holds a, {RULE}"):
            exam(made({"a": 1, RULE: 10}), "b")
        with pytest.raises(ValueError, match="no row .team's order. on this leaderboard"):
            exam(made({"a": 1, ORDER: 1, RULE: 10}), ORDER)

    def test_a_serving_team_of_others_is_a_team(self):
        board = made({TEAM: 9, CHAMPION: 9.5, "a": 1, RULE: 10})
        board = replace(board, champion=CHAMPION, serving=team_of({"x": Recipe("mstl")}))
        assert not exam(board, "a").promoted and "a team serves" in exam(board, "a").reason
        assert exam(board, TEAM).promoted and exam(board, TEAM).reason == f"cheaper than {RULE} and {CHAMPION}"
        single = replace(board, serving=Recipe("mstl"))
        assert exam(single, "a").promoted and exam(single, TEAM).promoted

    def test_another_champion_than_the_boards_may_be_asked_about(self):
        board = made({TEAM: 9, CHAMPION: 9.5, "a": 1, "b": 2, RULE: 10})
        board = replace(board, champion=CHAMPION, serving=team_of({"x": Recipe("mstl")}))
        assert exam(board, "a", "b").promoted, "b is a single recipe, whoever serves"
        assert exam(board, "a", "").promoted, "nobody serves, was asked"
        assert board.leader == TEAM

    def test_the_rule_leads_where_the_team_is_dearer(self):
        board = made({TEAM: 10.1, RULE: 10, "a": 5})
        assert board.leader == RULE, "who else was cheap joins the team, and the team is what serves"


class TestChampion:
    def test_one_of_the_board(self):
        found = ranked(recipes={"weeks": MEAN}, champion=MEAN)
        assert found.champion == "weeks" and found.serving == MEAN and CHAMPION not in set(found.table["model"])
        assert exam(found, "weeks").promoted and exam(found, TEAM).figures["champion_eur_per_day"] > 0

    def test_one_beside_the_board(self, board):
        serving = Recipe("seasonal_naive", {"season": 14})
        found = ranked(champion=serving)
        assert found.champion == CHAMPION and set(found.table["model"]) == {RULE, *CHEAP, TEAM, ORDER, CHAMPION}
        ours = found.scored[found.scored["model"] != CHAMPION].reset_index(drop=True)
        pd.testing.assert_frame_equal(ours[list(board.scored)], board.scored)  # a guest is no member
        listed = ranked(recipes={"two weeks": serving})
        assert found.row(CHAMPION)["eur_per_day"] == listed.row("two weeks")["eur_per_day"]
        assert exam(found, TEAM).reason == f"cheaper than {RULE} and {CHAMPION}"
        with pytest.raises(ValueError, match="no recipe 'champion'"):
            found.recipe(CHAMPION)

    def test_the_same_team(self):
        found = ranked(recipes={"weeks": MEAN}, champion=team_of({RULE: Recipe(RULE), "weeks": MEAN}))
        assert found.champion == TEAM and exam(found, TEAM).reason == "the recipe that serves, with newer sales"
        assert CHAMPION not in set(found.table["model"]) and not exam(found, "weeks").promoted

    @pytest.mark.parametrize("other", ["members", "prices", "margin"])
    def test_another_team(self, other):
        members, extra = {RULE: Recipe(RULE), "weeks": MEAN}, {"x": Recipe("seasonal_naive", {"season": 14})}
        costs = UnitCosts(5.0, 0.1) if other == "prices" else BAKERY_COSTS
        serving = team_of(members | (extra if other == "members" else {}), costs, 0.0 if other == "margin" else 0.25)
        found = ranked(recipes={"weeks": MEAN}, champion=serving)
        assert found.champion == CHAMPION and set(found.table["model"]) == {RULE, "weeks", TEAM, ORDER, CHAMPION}
        assert exam(found, "weeks").reason.startswith("refused: a team serves")
        if other == "members":
            own = ranked(recipes={"weeks": MEAN} | extra)
            assert found.row(CHAMPION)["eur_per_day"] == pytest.approx(own.row(TEAM)["eur_per_day"])

    @pytest.fixture
    def broken(self, tmp_path, monkeypatch):
        (tmp_path / "mine.py").write_text("def forecast(history, horizon):\n    raise KeyError('no oven')\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "mine", raising=False)
        return Recipe("mine:forecast")

    def test_one_that_fails_now_is_replaced(self, broken):
        found = ranked(recipes={"weeks": MEAN}, champion=broken)
        assert found.champion == CHAMPION and CHAMPION not in set(found.table["model"])
        assert found.failures["model"].tolist() == [CHAMPION] and "no oven" in found.failures["error"].iloc[0]
        assert exam(found, TEAM).promoted and exam(found, TEAM).reason == f"cheaper than {RULE}"

    def test_a_team_whose_members_fail(self, broken):
        some = ranked(recipes={"weeks": MEAN}, champion=team_of({"mine": broken, "weeks": MEAN}))
        assert exam(some, TEAM).figures["champion_eur_per_day"] == some.row("weeks")["eur_per_day"]
        none = ranked(recipes={"weeks": MEAN}, champion=team_of({"mine": broken}))
        assert none.leader == TEAM and exam(none, TEAM).promoted


def raises(history, horizon):
    raise KeyError("no oven")


def changed(history, horizon, change=None):
    return change(seasonal_naive(history, horizon))


FAULTS = {
    "raises": (raises, "KeyError: 'no oven'"),
    "nan": (partial(changed, change=lambda answer: answer.assign(yhat=np.nan)), "'yhat' is nan"),
    "negative": (partial(changed, change=lambda answer: answer[KEYS].assign(yhat=-1 - answer["yhat"])), "'yhat' is -"),
    "fewer days": (partial(changed, change=lambda answer: answer.iloc[1:]), "wrong days, first nothing for S01"),
    "other days": (partial(changed, change=lambda answer: answer.assign(ds=answer["ds"] + DAY)), "wrong days"),
    "nothing": (lambda history, horizon: None, "Error"),
    "constant": (lambda history, horizon: seasonal_naive(history, horizon)[KEYS].assign(yhat=5.0), "whatever was sold"),
}


class TestFaults:
    def test_a_bad_recipe_is_named_and_the_others_stand(self, board):
        good = board

        def thief(history, horizon):
            days = future(history, horizon)[KEYS]
            return days.merge(BLIND[[*KEYS, "y"]].rename(columns={"y": "yhat"}))

        def sometimes(history, horizon):
            if last_day(history) == good.evenings[1]:
                raise ZeroDivisionError("on one evening")
            return weeks(history, horizon)

        bad = {name: fault for name, (fault, _) in FAULTS.items()} | {"thief": thief, "sometimes": sometimes}
        board = ranked(recipes=CHEAP | bad)
        pd.testing.assert_frame_equal(board.table, good.table, check_exact=True)
        pd.testing.assert_frame_equal(board.scored, good.scored, check_exact=True)
        said = dict(zip(board.failures["model"], board.failures["error"], strict=True))
        assert set(said) == set(bad) and list(board.failures) == ["model", "error"]
        assert list(board.recipes) == [RULE, *CHEAP]
        for name, (_, reason) in FAULTS.items():
            assert reason in said[name], name
        assert "it answers the same whatever was sold" in said["thief"] and "on one evening" in said["sometimes"]
        with pytest.raises(ValueError, match="no recipe 'raises' on this leaderboard .*no oven"):
            board.recipe("raises")
        assert board.leader == TEAM and list(board.winner.settings["members"]) == [RULE, *CHEAP]

    def test_a_bad_one_stands_in_no_file(self, tmp_path):
        for _ in range(2):
            board = ranked(recipes={"raises": raises}, folder=tmp_path)
            assert board.failures["model"].tolist() == ["raises"]

    def test_when_all_fail_the_rule_is_left(self):
        board = ranked(recipes={"raises": raises})
        assert set(board.table["model"]) == {RULE, TEAM, ORDER} and board.leader == RULE
        assert board.row(TEAM)["eur_per_day"] == pytest.approx(board.row(RULE)["eur_per_day"])


def walk(days=240):
    "Three lines whose weekdays walk by themselves: nothing is better than last week's."
    draws = np.random.default_rng(2).standard_normal((3, days // 7 + 1, 7))
    sold = np.round(300 * np.exp(0.1 * draws.cumsum(axis=1)).reshape(3, -1)[:, :days])
    dates = pd.date_range("2022-01-01", periods=days)
    return pd.concat([pd.DataFrame({"unique_id": f"L{n}", "ds": dates, "y": y}) for n, y in enumerate(sold)])


def late(history, days):
    "One of the stores opened some days ago."
    return history[(history["unique_id"] != "S05") | (history["ds"] > past(history)["ds"].max() - days * DAY)]


FIVE = make_sales(8, series=5, days=240, horizon=14, start="2022-01-01")
ONE, AGE = FIVE[FIVE["unique_id"] == "S01"], np.arange(254)
RARE = AGE.repeat(5) * 7919 % 11 < 3
SHAPES = {
    "walk": walk(),
    "launch": ONE[[*KEYS, "y"]].assign(y=(ONE["y"] * (AGE + 5) / 254 * np.where(AGE > 170, 3, 1)).round()),
    "zeros": ONE[[*KEYS, "y"]].assign(y=ONE["y"].mask((AGE >= 120) & (AGE < 157), 0.0)),
    "single": ONE,
    "intermittent": FIVE[[*KEYS, "y"]].assign(y=FIVE["y"].where(RARE | FIVE["y"].isna(), 0)),
    "new": late(FIVE, 30),
    "newborn": late(FIVE, 1),
}


@pytest.mark.filterwarnings("ignore:history. ")
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "newborn"])
def test_whatever_the_shape_somebody_serves_who_is_not_dearer(shape):
    history = past(SHAPES[shape]) if "holiday" not in SHAPES[shape] else SHAPES[shape]
    board = leaderboard(history, 14, BAKERY_COSTS, {"weeks": MEAN})
    assert board.failures.empty and len(board.evenings) >= lb.ENOUGH and exam(board, board.leader, "").promoted
    leader, rule = board.row(board.leader), board.row(RULE)
    assert leader["eur_per_day"] <= rule["eur_per_day"] and leader.get("high", 0) >= 0
    tonight = board.winner(check_history(history), 14)
    assert len(tonight) == 14 * history["unique_id"].nunique()
    assert np.isfinite(tonight[["yhat", "yhat_lower", "yhat_upper"]]).all(axis=None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:history. ")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_usual_four_on_every_shape(shape):
    history = past(SHAPES[shape]) if "holiday" not in SHAPES[shape] else SHAPES[shape]
    board = leaderboard(history, 14, BAKERY_COSTS)
    assert board.failures.empty and set(board.table["model"]) == {TEAM, ORDER, *default_recipes()}
    assert board.row(board.leader)["eur_per_day"] <= board.row(RULE)["eur_per_day"]
    tonight = board.winner(check_history(history), 14)
    assert tonight[["yhat", "yhat_lower", "yhat_upper"]].notna().all(axis=None)


def test_feasts_stand_beside_the_rows(usual):
    feast = usual.scored.merge(feasts(BLIND), on=KEYS, suffixes=("", "_true"))
    assert len(feast) == len(usual.scored) and (feast["feast"].astype(bool) == feast["feast_true"]).all()


def measured():
    "The table that the benchmark wrote, by set and model."
    with (ROOT / "docs/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = {(row.pop("set"), row.pop("model")): row for row in rows}
    assert len(kept) == len(rows)
    return {key: {name: float(text or "nan") for name, text in row.items()} for key, row in kept.items()}


def test_the_figures_that_are_promised():
    table = measured()
    team, order = table["store", TEAM], table["store", ORDER]
    assert team["eur_per_day"] <= 526 and team["wape"] <= 0.149 and order["eur_per_day"] <= 490
    dense = table["store, dense", TEAM]
    assert team["feasts"] >= 0.62 and dense["feasts"] >= 0.62 and 0.77 <= team["coverage"] <= 0.83
    assert all(0.77 <= dense[name] <= 0.83 for name in ("coverage", "q1", "q2", "q3", "q4"))
    made_up = [name for name, _ in table if name.startswith(("made", "launch", "walk"))]
    shares = [table[name, TEAM]["share"] for name in dict.fromkeys(made_up)]
    assert len(shares) == 6 and max(shares) <= 0.95 and np.mean(shares) <= 0.85


@pytest.mark.slow
def test_the_table_is_what_the_recipes_do_today():
    board = leaderboard(load_sales(horizon=14), 14, BAKERY_COSTS, {"naive": naive, "moving_average": moving_average})
    for model in (RULE, "naive", "moving_average"):
        now, written = board.row(model), measured()["store", model]
        for name, digits in (("wape", 4), ("bias", 4), ("coverage", 3), ("eur_per_day", 2)):
            assert round(now[name], digits) == written[name], (model, name)


@pytest.mark.slow
def test_the_benchmark_runs():
    command = [sys.executable, "benchmarks/bench_leaderboard.py", "--series", "2", "--cheap"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(f" {name} " in done.stdout for name in ("team's order", "naive", "auto_ets", *default_recipes()))
