"Promises of recipes: written down and read back, refused with a sentence, the same everywhere, and a learner's own."

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from mlworkbook import recipes as rc
from mlworkbook.backtesting import backtest, fingerprint
from mlworkbook.baselines import moving_average, seasonal_naive
from mlworkbook.contract import KEYS, check_forecast, check_history, future, last_day, past
from mlworkbook.forecaster import Params, prophet_forecast
from mlworkbook.recipes import Recipe, team_of
from mlworkbook.sales import make_sales
from mlworkbook.solver import SOLVER
from mlworkbook.trees import boosting
from mlworkbook.value import UnitCosts

ROOT = Path(__file__).parent.parent
DAY = pd.Timedelta(days=1)
SHOPS = check_history(make_sales(10, series=4, days=200, horizon=14, start="2021-10-20"))
SINGLE = [
    Recipe("seasonal_naive", {"season": 14}),
    Recipe("auto_ets"),
    Recipe("mstl", {"season": 7, "window": 100}),
    Recipe("boosting", {"batch": 3, "seed": 1}),
    Recipe("prophet", {"log": True, "eves": False, "changepoint_prior_scale": 0.1, "engine": "solver"}),
    Recipe("mine:forecast"),
    Recipe("shop.mine:forecast"),
]
TEAM = team_of({"rule": Recipe("seasonal_naive"), "ours": Recipe("mine:forecast")}, UnitCosts(0.1, 0.3), 0.1)


class TestWritten:
    @pytest.mark.parametrize("recipe", [*SINGLE, TEAM], ids=lambda one: one.name)
    def test_read_back_it_is_the_same(self, recipe):
        text = recipe.to_json()
        again = Recipe.from_json(text)
        assert again == recipe and again.to_json() == text and "\n" not in text
        assert pickle.loads(pickle.dumps(recipe)) == recipe and json.loads(text)["recipe"] == recipe.name
        for one in (recipe, recipe.points):  # by name: no bytecode, which differs with Python and under coverage
            assert b"cloudpickle" not in cloudpickle.dumps(one)
        turned = Recipe(recipe.name, dict(reversed(recipe.settings.items())))
        assert turned == recipe and turned.to_json() == text

    def test_all_settings_can_be_written(self):
        values = vars(Params()) | {"season": 7, "window": 90, "batch": 9, "eves": True, "log": False}
        values["engine"] = "solver"
        for name, allowed in rc.SETTINGS.items():
            if name != "team":
                recipe = Recipe(name, {key: values[key] for key in allowed})
                assert Recipe.from_json(recipe.to_json()) == recipe

    def test_whole_numbers_of_numpy_are_numbers(self):
        recipe = Recipe("mstl", {"season": np.int64(7)})
        assert recipe == Recipe("mstl", {"season": 7}) and recipe.to_json() == Recipe("mstl", {"season": 7}).to_json()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "mstl",
            "[]",
            "{}",
            "3",
            "null",
            '{"settings": {}}',
            '{"recipe": "mstl", "settings": [1]}',
            '{"recipe": 5}',
        ],
    )
    def test_what_is_none_is_refused(self, text):
        with pytest.raises(ValueError, match="^recipe is .*, expected {.recipe.: …, .settings.: …}"):
            Recipe.from_json(text)

    def test_the_usual_ones(self):
        assert list(rc.default_recipes()) == ["seasonal_naive", "mstl", "prophet", "boosting"]
        assert all(name == one.name and one.settings == {} for name, one in rc.default_recipes().items())
        members = rc.Members.of(TEAM)
        assert members.costs == UnitCosts(0.1, 0.3) and members.within == 0.1
        assert list(members.recipes) == ["rule", "ours"]
        plain = rc.Members.of(Recipe("team", {"members": {"a": {"recipe": "mstl"}}}))
        assert plain == rc.Members({"a": Recipe("mstl")}, rc.BAKERY_COSTS, rc.WITHIN)


MEMBER = {"a": {"recipe": "mstl"}}
REFUSED = [
    ("arima", {}, "recipe is 'arima', expected seasonal_naive, auto_ets, .* or your own as module:function"),
    ("", {}, "recipe is '', expected"),
    ("my shop:forecast", {}, "recipe is 'my shop:forecast', expected"),
    ("mine:", {}, "recipe is 'mine:', expected"),
    ("a:b:c", {}, "recipe is 'a:b:c', expected"),
    (5, {}, "recipe is 5, expected"),
    ("mstl", {"seasons": 7}, "'mstl' has no setting 'seasons', expected season, window"),
    ("seasonal_naive", {"window": 7}, "'seasonal_naive' has no setting 'window', expected season"),
    ("mine:forecast", {"season": 7}, "'mine:forecast' has no setting 'season', expected none, they belong in the"),
    ("mstl", {"season": 0}, "setting 'season' of 'mstl' is 0, expected a whole number, 1 or more"),
    ("mstl", {"window": 90.0}, "setting 'window' of 'mstl' is 90.0, expected a whole number"),
    ("mstl", {"season": "7"}, "setting 'season' of 'mstl' is '7', expected a whole number"),
    ("boosting", {"batch": True}, "setting 'batch' of 'boosting' is True, expected a whole number"),
    ("boosting", {"seed": -1}, "seed.* is -1, expected a whole number"),
    ("boosting", {"seed": "x"}, "seed.* is 'x', expected a whole number"),
    ("prophet", {"growth": "cubic"}, "growth is 'cubic', expected 'linear' or 'flat'"),
    ("prophet", {"min_days": 3}, "min_days is 3, expected a whole number >= 14"),
    ("prophet", {"changepoint_prior_scale": 0}, "changepoint_prior_scale is 0, expected a number > 0"),
    ("prophet", {"changepoint_prior_scale": "0.1"}, "changepoint_prior_scale is '0.1', expected a number > 0"),
    ("prophet", {"interval_width": None}, "interval_width is None, expected a number between 0 and 1"),
    ("prophet", {"log": "yes"}, "'log': 'yes'.* of 'prophet', expected true or false"),
    ("prophet", {"eves": 1}, "'eves': 1.* of 'prophet', expected true or false"),
    ("prophet", {"engine": "stan"}, "'engine': 'stan'.* of 'prophet', expected .* solver or prophet"),
    ("team", {}, "members of a team are None, expected at least one recipe by name"),
    ("team", {"members": {}}, "members of a team are {}, expected at least one recipe"),
    ("team", {"members": ["mstl"]}, r"members of a team are \['mstl'\], expected at least one recipe by name"),
    ("team", {"members": {"a": "mstl"}}, "recipe is .*mstl.*, expected {.recipe.: …"),
    ("team", {"members": {"a": {"recipe": "arima"}}}, "recipe is 'arima', expected"),
    ("team", {"members": {"a": json.loads(TEAM.to_json())}}, "a team is a member of a team, expected single recipes"),
    ("team", {"members": MEMBER, "within": -0.1}, "'within' of 'team' is -0.1, expected a ratio >= 0"),
    ("team", {"members": MEMBER, "within": "25 %"}, "'within' of 'team' is '25 %', expected a ratio"),
    ("team", {"members": MEMBER, "within": True}, "'within' of 'team' is True, expected a ratio"),
    ("team", {"members": MEMBER, "over_eur": -1}, "over_eur is -1, expected EUR per unit"),
    ("team", {"members": MEMBER, "season": 7}, "'team' has no setting 'season', expected members, over_eur"),
]


@pytest.mark.parametrize(("name", "settings", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_bad_recipe_is_refused_at_once(name, settings, message):
    with pytest.raises(ValueError, match=message):
        Recipe(name, settings)


MARKS = """
import json, sys
from mlworkbook.backtesting import fingerprint
from mlworkbook.recipes import Recipe
for line in sys.stdin:
    recipe = Recipe.from_json(line)
    print(fingerprint(recipe), fingerprint(recipe.points))
"""


def test_another_process_knows_it_by_the_same_mark():
    recipes = [*SINGLE, TEAM, *rc.default_recipes().values()]
    lines = "\n".join(recipe.to_json() for recipe in recipes)
    options = {"input": lines, "env": os.environ | {"PYTHONHASHSEED": "7"}, "text": True}
    told = subprocess.run([sys.executable, "-c", MARKS], capture_output=True, check=True, **options)
    marks = [f"{fingerprint(recipe)} {fingerprint(recipe.points)}" for recipe in recipes]
    assert told.stdout.splitlines() == marks and len(set(marks)) == len(marks)


class TestProphet:
    BARE = Params(uncertainty_samples=0)

    def test_it_knows_the_eves_of_holidays(self):
        rows = rc.with_eves(SHOPS)
        eves = rows.loc[rows[rc.EVE] == 1, "ds"].dt.strftime("%m-%d")
        assert set(eves) == {"12-24", "12-31", "04-30"} and len(eves) == 3 * 4
        shuffled = rc.with_eves(SHOPS.sample(frac=1, random_state=0))
        assert shuffled.sort_values(KEYS)[rc.EVE].tolist() == rows[rc.EVE].tolist()
        bare = SHOPS.drop(columns="holiday")
        assert rc.with_eves(bare) is bare and rc.with_eves(rows) is rows and rc.EVE not in SHOPS
        last = SHOPS["holiday"].mask(SHOPS["ds"] == SHOPS["ds"].min(), "Opening Day")
        assert (rc.with_eves(SHOPS.assign(holiday=last))[rc.EVE] == 1).sum() == len(eves), "S01's last day is no eve"

    def test_settings_reach_the_model(self):
        params = Params(uncertainty_samples=0, changepoint_prior_scale=0.5)
        settings = {"uncertainty_samples": 0, "changepoint_prior_scale": 0.5}
        for eves in (True, False):
            rows = rc.with_eves(SHOPS) if eves else SHOPS
            expected = prophet_forecast(rows, 14, params, SOLVER)
            pd.testing.assert_frame_equal(Recipe("prophet", settings | {"eves": eves})(SHOPS, 14), expected)

    def test_an_eve_is_learnt(self):
        eve = rc.with_eves(SHOPS)[rc.EVE] == 1
        busy = SHOPS.assign(y=SHOPS["y"].mask(eve, SHOPS["y"] * 3))
        known = past(busy)["ds"].max() - 10 * DAY  # Labor Day's eve lies ahead
        rows = busy.assign(y=busy["y"].where(busy["ds"] <= known))
        knowing, blind = (
            rc.prophet(rows, 14, params=self.BARE, eves=eves).set_index(KEYS)["yhat"] for eves in (True, False)
        )
        lift = (knowing / blind).xs(pd.Timestamp("2022-04-30"), level="ds")
        assert len(lift) == 4 and lift.min() > 1.3

    def test_the_logarithm_and_back(self):
        rows = rc.with_eves(SHOPS).assign(y=np.log1p(SHOPS["y"]))
        fitted = prophet_forecast(rows, 14, Params(), SOLVER)
        forecast = check_forecast(Recipe("prophet", {"log": True})(SHOPS, 14))
        for column in ("yhat", "yhat_lower", "yhat_upper"):
            np.testing.assert_allclose(forecast[column], np.expm1(fitted[column]))
        shut = forecast["status"] == "closed"
        assert shut.any() and (forecast.loc[shut, ["yhat", "yhat_lower", "yhat_upper"]] == 0).all(axis=None)
        plain = Recipe("prophet")(SHOPS, 14)
        assert not np.allclose(forecast["yhat"], plain["yhat"]) and forecast["yhat"].sum() > 0.7 * plain["yhat"].sum()

    def test_both_engines_agree(self):
        rows = SHOPS[SHOPS["unique_id"] == "S01"]
        ours, theirs = (
            Recipe("prophet", {"engine": engine, "uncertainty_samples": 0})(rows, 14)["yhat"]
            for engine in ("solver", "prophet")
        )
        np.testing.assert_allclose(ours, theirs, rtol=0.02)


class TestBatches:
    @pytest.mark.parametrize("batch", [4, 5, 250])
    def test_one_batch_is_one_model(self, batch):
        pd.testing.assert_frame_equal(rc.in_batches(SHOPS, 14, batch=batch), boosting(SHOPS, 14))

    def test_batches_do_not_learn_from_one_another(self):
        whole = Recipe("boosting", {"batch": 3})(SHOPS.sample(frac=1, random_state=0), 14)
        parts = [boosting(SHOPS[SHOPS["unique_id"].isin(names)], 14) for names in (("S01", "S02"), ("S03", "S04"))]
        pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True))
        assert not np.allclose(whole["yhat"], boosting(SHOPS, 14)["yhat"])

    def test_no_series_is_refused(self):
        with pytest.raises(ValueError, match="0 rows without sales"):
            rc.in_batches(SHOPS[:0], 14)


@pytest.mark.parametrize("name", ["seasonal_naive", "mstl", "boosting", "prophet"])
def test_points_are_the_same_forecast(name):
    recipe = Recipe(name)
    whole, points = recipe(SHOPS, 14), recipe.points(SHOPS, 14)
    pd.testing.assert_frame_equal(points[[*KEYS, "yhat", "status"]], whole[[*KEYS, "yhat", "status"]])
    assert ("yhat_lower" in points) == (name != "prophet")
    assert pickle.loads(pickle.dumps(recipe.points)) == recipe.points


class TestTeam:
    PLAIN = team_of({"rule": Recipe("seasonal_naive"), "mean": Recipe("mlworkbook.baselines:moving_average")})

    def test_it_is_a_forecast(self):
        forecast = check_forecast(self.PLAIN(SHOPS, 14))
        pd.testing.assert_frame_equal(forecast[KEYS], future(SHOPS, 14)[KEYS])
        assert list(forecast) == [*KEYS, "yhat", "yhat_lower", "yhat_upper", "status", "order"]
        tonight = rc.standing_of(self.PLAIN, SHOPS, 14)
        members = [{"rule": seasonal_naive, "mean": moving_average}[name](SHOPS, 14)["yhat"] for name in tonight.joined]
        np.testing.assert_allclose(forecast["yhat"], np.mean(members, axis=0))

    def test_it_learns_nothing_twice(self, monkeypatch):
        tonight = rc.standing_of(self.PLAIN, SHOPS, 14)
        expected = self.PLAIN(SHOPS, 14)
        monkeypatch.setattr(rc, "standing_of", None)
        again = rc.play_team(SHOPS, 14, team=self.PLAIN, tonight=tonight)
        pd.testing.assert_frame_equal(again, expected, check_exact=True)

    def test_margin_and_prices_of_a_team_are_its_own(self):
        strict = team_of(rc.Members.of(self.PLAIN).recipes, UnitCosts(0.25, 0.5), within=0)
        assert len(rc.standing_of(strict, SHOPS, 14).joined) == 1
        dear = team_of(rc.Members.of(self.PLAIN).recipes, UnitCosts(0.1, 5.0), within=9)
        cheap = team_of(rc.Members.of(self.PLAIN).recipes, UnitCosts(5.0, 0.1), within=9)
        orders = [one(SHOPS, 14)["order"] for one in (cheap, dear)]
        assert (orders[0] <= orders[1]).all() and orders[0].sum() < 0.7 * orders[1].sum()


MINE = """
from mlworkbook.baselines import seasonal_naive

FACTOR = 1.1

def forecast(history, horizon):
    answer = seasonal_naive(history, horizon)
    return answer[["unique_id", "ds"]].assign(yhat=answer["yhat"] * FACTOR)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    "A learner's own module, in the folder where they work."
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two files of one second would be taken for one
    yield tmp_path / "mine.py"
    sys.modules.pop("mine", None)


class TestOwn:
    def test_a_function_in_a_file_is_a_recipe(self, mine):
        recipe = Recipe("mine:forecast")
        np.testing.assert_allclose(recipe(SHOPS, 14)["yhat"], seasonal_naive(SHOPS, 14)["yhat"] * 1.1)
        assert pickle.loads(pickle.dumps(recipe)) == recipe
        assert rc.named(sys.modules["mine"].forecast) == recipe and rc.named(recipe) is recipe
        assert rc.named(seasonal_naive) == Recipe("mlworkbook.baselines:seasonal_naive")

    @pytest.mark.parametrize("name", ["mine:nothing", "yours:forecast"])
    def test_what_is_not_there_is_said(self, mine, name):
        recipe = Recipe(name)
        with pytest.raises(ValueError, match=f"recipe '{name}' cannot be imported .*; put .*py in this folder, or set"):
            recipe(SHOPS, 14)

    @pytest.mark.parametrize(
        "recipe",
        [lambda rows, horizon: None, partial(seasonal_naive, season=7), Recipe("mstl").points],
        ids=["a lambda", "a partial", "points"],
    )
    def test_what_lives_in_a_session_only_cannot_be_written_down(self, recipe):
        with pytest.raises(ValueError, match="lives in this session only, expected a function in a file; put it into"):
            rc.named(recipe)

    def test_a_function_of_a_notebook_cannot_be_written_down(self):
        space = {"__name__": "__main__"}
        exec("def forecast(history, horizon): ...", space)
        with pytest.raises(ValueError, match="recipe 'forecast' lives in this session only.*Recipe.'mine:forecast'"):
            rc.named(space["forecast"])

    def test_an_edited_file_is_another_recipe(self, mine, tmp_path):
        night, kept = [past(SHOPS)["ds"].max() - 14 * DAY], tmp_path / "kept"
        options = {"nights": night, "folder": kept}
        yhat = []
        for factor in ("1.1", "2.0"):
            mine.write_text(MINE.replace("1.1", factor))
            sys.modules.pop("mine", None)
            yhat.append(backtest(SHOPS, {"mine": Recipe("mine:forecast")}, 14, **options).scored["yhat"])
        np.testing.assert_allclose(yhat[1], yhat[0] / 1.1 * 2.0)


class TestPeeks:
    NIGHT = past(SHOPS)["ds"].max() - 14 * DAY
    KNOWN = past(SHOPS)

    def peeks(self, recipe, history=KNOWN):
        return rc.peeks(recipe, history, self.NIGHT, 14)

    def test_who_knows_what_was_sold(self):
        def thief(history, horizon):
            days = future(history, horizon)[KEYS]
            return days.merge(self.KNOWN[[*KEYS, "y"]].rename(columns={"y": "yhat"}))

        assert self.peeks(thief)

    def test_who_answers_a_constant(self):
        assert self.peeks(lambda history, horizon: future(history, horizon)[KEYS].assign(yhat=100.0))

    @pytest.mark.parametrize("name", ["seasonal_naive", "mstl", "boosting", "prophet"])
    def test_honest_recipes_do_not(self, name):
        assert not self.peeks(Recipe(name).points)

    def test_nothing_sold_is_no_proof(self):
        assert not self.peeks(seasonal_naive, self.KNOWN.assign(y=0.0))

    def test_closed_days_and_what_it_lends_stay_as_they_are(self):
        given = []

        def spy(history, horizon):
            given.append(check_history(history))
            history["y"] = -1.0
            return seasonal_naive(given[-1], horizon)

        before = self.KNOWN.copy()
        assert not self.peeks(spy)
        one, two = (past(rows) for rows in given)
        assert (two.loc[two["closed"], "y"] == 0).all() and one["y"].max() > 0 and last_day(one) == self.NIGHT
        assert (one.loc[~one["closed"], "y"] != two.loc[~two["closed"], "y"]).mean() > 0.9
        pd.testing.assert_frame_equal(self.KNOWN, before)
