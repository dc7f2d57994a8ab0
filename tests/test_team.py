"Promises of the team: what an evening knows, who joins, intervals that were earned, and an order that follows prices."

from functools import partial

import numpy as np
import pandas as pd
import pytest

from mlworkbook import team as te
from mlworkbook.backtesting import backtest
from mlworkbook.baselines import moving_average, naive, seasonal_naive
from mlworkbook.contract import KEYS, check_forecast, check_history, future, last_day, past, seen
from mlworkbook.recipes import Recipe
from mlworkbook.sales import make_sales
from mlworkbook.value import BAKERY_COSTS, UnitCosts

DAY = pd.Timedelta(days=1)
SHOPS = check_history(make_sales(10, series=3, days=330, horizon=14, start="2021-11-01"))
BLIND = SHOPS.assign(promo=SHOPS["promo"].where(SHOPS["y"].notna()))  # nobody has planned a promotion
BARE = past(SHOPS)[[*KEYS, "y"]]
MEMBERS = {"week": seasonal_naive, "weeks": moving_average, "yesterday": naive}


def after(night, history=SHOPS):
    "Rows of the days that an evening does not know."
    return history["ds"] > night


def spoilt(history, night, what):
    "The same shops, where all goes another way after an evening."
    late, draws = after(night, history) & history["y"].notna(), np.random.default_rng(5).random(len(history))
    if what == "sales":
        return history.assign(y=history["y"].mask(late & (history["y"] > 0), (history["y"] * 9 * draws).round() + 1))
    if what == "doors":
        shut = history["closed"].mask(late, draws < 0.5).astype(bool)
        return history.assign(closed=shut, y=history["y"].mask(late & shut, 0.0))
    return history.assign(promo=history["promo"].mask(late, 1 - history["promo"]))


class TestEvening:
    NIGHT = pd.Timestamp("2022-04-24")  # Labor Day is a Sunday of the week to come

    @pytest.mark.parametrize("what", ["sales", "doors", "promotions"])
    def test_what_came_later_is_not_seen(self, what):
        view = partial(te.evening, unknown=["promo"])
        other = spoilt(BLIND, self.NIGHT, what)
        assert not other.equals(BLIND)
        pd.testing.assert_frame_equal(view(other, self.NIGHT, 14), view(BLIND, self.NIGHT, 14))

    def test_the_plain_cut_would_show_a_door_and_a_plan(self):
        for what in ("doors", "promotions"):
            assert not seen(spoilt(BLIND, self.NIGHT, what), self.NIGHT, 14).equals(seen(BLIND, self.NIGHT, 14))

    def test_what_is_known_stays_known(self):
        rows = te.evening(SHOPS, self.NIGHT, 14)
        ahead, true = rows[after(self.NIGHT, rows)], SHOPS[after(self.NIGHT) & (SHOPS["ds"] <= self.NIGHT + 14 * DAY)]
        assert ahead["y"].isna().all() and len(ahead) == 3 * 14
        assert ahead["promo"].tolist() == true["promo"].tolist() and 0 < ahead["promo"].mean() < 1
        assert ahead["holiday"].tolist() == true["holiday"].tolist() and (ahead["holiday"] == "Labor Day").sum() == 3
        before = rows[~after(self.NIGHT, rows)]
        pd.testing.assert_frame_equal(before, SHOPS[~after(self.NIGHT)], check_dtype=False)

    def test_a_door_opens_as_it_used_to(self):
        rows = te.evening(SHOPS, self.NIGHT, 14)
        weekday, known = rows["ds"].dt.dayofweek == 6, after(self.NIGHT, rows)
        sundays = rows[weekday & (rows["holiday"] == "")]
        assert sundays.groupby("unique_id")["closed"].nunique().eq(1).all() and rows["closed"].dtype == bool
        works = SHOPS["ds"].between(self.NIGHT + DAY, self.NIGHT + 9 * DAY)
        surprise = SHOPS.assign(closed=SHOPS["closed"] | works, y=SHOPS["y"].mask(works, 0.0))
        assert not te.evening(surprise, self.NIGHT, 14)[known & ~weekday & rows["holiday"].eq("")]["closed"].any()

    def test_what_nobody_planned_is_as_usual_and_never_no(self):
        rows = te.evening(BLIND, self.NIGHT, 14, ["promo"])
        usual = SHOPS[~after(self.NIGHT)].groupby("unique_id")["promo"].mean()
        days = future(rows, 14)
        assert days["promo"].tolist() == days["unique_id"].map(usual).tolist() and 0 < days["promo"].min() < 1

    def test_tonight_all_that_was_brought_is_known(self):
        night = last_day(SHOPS)
        pd.testing.assert_frame_equal(te.evening(SHOPS, night, 14, ["promo"]), SHOPS)
        assert te.evening(past(SHOPS), night, 14)["ds"].max() == night

    def test_a_store_that_opened_later_is_not_there(self):
        late = SHOPS[(SHOPS["unique_id"] != "S02") | after(self.NIGHT)]
        assert set(te.evening(late, self.NIGHT, 14)["unique_id"]) == {"S01", "S03"}

    def test_without_calendar(self):
        rows = te.evening(BARE, self.NIGHT, 14)
        assert list(rows) == [*KEYS, "y"] and rows["y"].isna().sum() == 3 * 14

    def test_what_has_a_plan(self):
        assert te.unplanned(SHOPS) == () and te.unplanned(BLIND) == ("promo",) == te.unplanned(past(SHOPS))
        assert te.unplanned(BARE) == ()
        once = SHOPS.assign(promo=SHOPS["promo"].where(SHOPS.index != SHOPS.index[-1]))
        assert te.unplanned(once) == ("promo",), "a plan with a hole is none"


class TestPastEvenings:
    @pytest.mark.parametrize("horizon", [1, 7, 14, 30])
    def test_a_new_day_moves_no_evening(self, horizon):
        newest, kept = last_day(BARE), []
        for back in range(45, -1, -1):
            rows = BARE[BARE["ds"] <= newest - back * DAY]
            nights = te.past_evenings(rows, horizon, since=BARE["ds"].min())
            assert nights[: len(kept)] == kept and len(nights) - len(kept) in (0, 1) or back == 45
            assert nights[-1] + horizon * DAY <= last_day(rows) < nights[-1] + (2 * horizon + 1) * DAY
            assert nights[0] - rows["ds"].min() >= te.YOUNG * DAY
            assert {two - one for one, two in zip(nights, nights[1:], strict=False)} <= {(horizon + 1) * DAY}
            assert te.past_evenings(rows, horizon) == nights[-te.EVENINGS :]
            kept = nights
        assert te.past_evenings(BARE, horizon, since=kept[-1]) == kept[-1:]

    def test_future_rows_do_not_count(self):
        assert te.past_evenings(SHOPS, 14) == te.past_evenings(past(SHOPS), 14)

    @pytest.mark.parametrize("days", [1, 20, 56, 70])
    def test_a_young_shop_has_no_past(self, days):
        assert te.past_evenings(BARE[BARE["ds"] < BARE["ds"].min() + days * DAY], 14) == []


def test_a_sample_is_spread_and_always_the_same():
    names = [f"S{number:03d}" for number in range(101)]
    history = pd.DataFrame({"unique_id": np.repeat(names, 2), "y": 1.0})
    some = te.sample(history, 5)
    assert some["unique_id"].unique().tolist() == ["S000", "S025", "S050", "S075", "S100"] and len(some) == 10
    assert te.sample(history[::-1], 5)["unique_id"].unique().tolist() == some["unique_id"].unique().tolist()[::-1]
    assert te.sample(history, 101) is history and te.sample(history)["unique_id"].nunique() == 101


def test_feasts_are_holidays_and_their_eves():
    days = te.feasts(SHOPS).merge(SHOPS)
    feast = set(days.loc[days["feast"], "ds"].dt.strftime("%m-%d"))
    assert feast == {"12-24", "12-25", "12-31", "01-01", "04-30", "05-01"} and days["feast"].sum() == 3 * 6
    assert not te.feasts(BARE)["feast"].any() and len(te.feasts(BARE)) == len(BARE)


@pytest.fixture(scope="module")
def told():
    "What three members would have said on all past evenings."
    scored, failures = te.past_forecasts(BLIND, 14, MEMBERS, te.past_evenings(BLIND, 14))
    assert failures.empty
    return scored


class TestChoice:
    @pytest.mark.parametrize(
        ("eur", "within", "joined"),
        [
            ({"a": 100.0, "b": 125.0, "c": 125.1}, 0.25, ["a", "b"]),
            ({"a": 100.0, "b": 125.0, "c": 101.0}, 0.0, ["a"]),
            ({"a": 0.0, "b": 0.0, "c": 0.1}, 0.25, ["a", "b"]),
            ({"a": 5.0}, 0.25, ["a"]),
        ],
    )
    def test_those_near_the_best(self, eur, within, joined):
        chosen = te.choose(pd.Series(eur), within)
        assert chosen.index[chosen].tolist() == joined
        many = te.choose(pd.DataFrame([eur, eur]), within)
        assert many.eq(chosen).all(axis=None)

    def test_costs_are_those_of_common_days(self, told):
        eur = te.costs_by_night(told, BAKERY_COSTS)
        assert list(eur) == sorted(MEMBERS) and list(eur.index) == te.past_evenings(BLIND, 14)
        night = told[(told["cutoff"] == eur.index[3]) & (told["model"] == "weeks")]
        error = night["yhat"] - night["y"]
        assert eur["weeks"].iloc[3] == pytest.approx((error.clip(lower=0) * 0.25 - error.clip(upper=0) * 0.5).sum())
        lost = told[(told["model"] != "week") | (told["unique_id"] != "S01")]
        others = te.costs_by_night(told[told["unique_id"] != "S01"], BAKERY_COSTS)
        pd.testing.assert_frame_equal(te.costs_by_night(lost, BAKERY_COSTS), others)
        assert te.costs_by_night(told[told["model"].eq("week") != told["ds"].dt.day.lt(15)], BAKERY_COSTS).empty

    def test_the_team_of_each_evening_by_hand(self, told):
        team, sums = te.as_team(told, BAKERY_COSTS), dict.fromkeys(MEMBERS, 0.0)
        sizes = []
        for _, rows in told.groupby("cutoff"):
            best = min(sums.values())
            joined = [name for name in MEMBERS if sums[name] <= 1.25 * best]
            sizes.append(len(joined))
            mean = rows[rows["model"].isin(joined)].groupby(KEYS)["yhat"].mean()
            ours = team[team["cutoff"] == rows["cutoff"].iloc[0]].set_index(KEYS)
            np.testing.assert_allclose(ours["yhat"], mean)
            assert ours["y"].tolist() == rows.drop_duplicates(KEYS)["y"].tolist()
            error = rows["yhat"] - rows["y"]
            paid = (error.clip(lower=0) * 0.25 - error.clip(upper=0) * 0.5).groupby(rows["model"]).sum()
            sums = {name: sums[name] + paid[name] for name in MEMBERS}
        assert sizes[0] == 3 and min(sizes) < 3, "the first evening takes all; yesterday's sales must fall out"

    def test_sales_of_an_evening_choose_none_of_its_members(self, told):
        last = told["cutoff"].max()
        worst = told[told["model"] == "yesterday"].set_index(["cutoff", *KEYS])["yhat"]
        twin = told.set_index(["cutoff", *KEYS]).index.map(worst)
        other = told.assign(y=told["y"].where(told["cutoff"] < last, twin))  # who was worst is right at last
        one, two = te.as_team(told, BAKERY_COSTS), te.as_team(other, BAKERY_COSTS)
        assert one["yhat"].equals(two["yhat"]) and not one["y"].equals(two["y"])
        early = told["cutoff"] < told["cutoff"].unique()[1]
        spoilt = te.as_team(told.assign(y=told["y"].mask(early, twin)), BAKERY_COSTS)
        changed = (one["yhat"] != spoilt["yhat"]).groupby(one["cutoff"]).any()
        assert not changed.iloc[0] and changed.iloc[1:].any()

    def test_who_joins_tonight_did_well_on_all_evenings(self, told):
        tonight = te.standing(BLIND, 14, MEMBERS, BAKERY_COSTS)
        eur = te.costs_by_night(told, BAKERY_COSTS).sum()
        assert tonight.joined == [name for name in sorted(MEMBERS) if eur[name] <= 1.25 * eur.min()] != sorted(MEMBERS)
        assert tonight.earned and len(te.past_evenings(BLIND, 14)) >= te.LEAST
        wide = te.standing(BLIND, 14, MEMBERS, BAKERY_COSTS, within=9.0)
        assert wide.joined == sorted(MEMBERS)


def errors(draw, days=26 * 14, series=4, feasts=0.0):
    "A team's past whose errors are known: `draw(size)` is their share of the forecast."
    night = pd.date_range("2022-01-01", periods=days // 14, freq="15D").repeat(14 * series)
    rows = pd.DataFrame({"cutoff": night, "unique_id": np.tile([f"S{n}" for n in range(series)], len(night) // series)})
    rows["ds"] = rows["cutoff"] + pd.to_timedelta(np.tile(np.arange(14).repeat(series) + 1, days // 14), unit="D")
    rows["yhat"] = 100.0
    rng = np.random.default_rng(0)
    return rows.assign(y=100 * (1 + draw(rng, rows)), shut=False, feast=rng.random(len(rows)) < feasts)


def answered(days=14, series=("S0",), yhat=100.0, **columns):
    "Tonight's answer of one member, and what is known of its days."
    night = pd.Timestamp("2023-06-01")
    index = pd.MultiIndex.from_product([series, pd.date_range(night, periods=days + 1)[1:]], names=KEYS)
    rows = index.to_frame(index=False)
    about = {"cutoff": night, "feast": False}
    return rows.assign(yhat=yhat, status="model").assign(**columns), rows.assign(**about)


class TestInterval:
    def test_limits_hold_what_they_promise(self):
        past_errors = errors(lambda rng, rows: 0.2 * rng.standard_normal(len(rows)))
        about = te.spread(past_errors, 14, BAKERY_COSTS)
        answer, rows = answered(series=("S0", "S1", "S2", "S3"))
        found = te.combine({"a": answer}, about, rows, 14, True)
        draws = 100 * (1 + 0.2 * np.random.default_rng(9).standard_normal((500, len(found))))
        inside = (draws >= found["yhat_lower"].to_numpy()) & (draws <= found["yhat_upper"].to_numpy())
        assert inside.mean() == pytest.approx(0.8, abs=0.03)

    def test_far_days_restless_series_and_holidays_have_wider_ones(self):
        def draw(rng, rows):
            far, restless = (rows["ds"] - rows["cutoff"]).dt.days > 7, rows["unique_id"] == "S3"
            return 0.1 * rng.standard_normal(len(rows)) * (1 + far) * (1 + 2 * restless)

        about = te.spread(errors(draw), 14, BAKERY_COSTS)
        answer, rows = answered(series=("S0", "S3"))
        width = te.combine({"a": answer}, about, rows, 14, True).eval("yhat_upper - yhat_lower").to_numpy()
        calm, restless = width[:14], width[14:]
        assert calm[10:].mean() == pytest.approx(2 * calm[:3].mean(), rel=0.25)
        assert restless.mean() == pytest.approx(3 * calm.mean(), rel=0.25)

        def wild(rng, rows):
            return rng.standard_normal(len(rows)) * np.where(rows["unique_id"] == "S3", 0.4, 0.04)

        about = te.spread(errors(wild), 14, BAKERY_COSTS)
        width = te.combine({"a": answer}, about, rows, 14, True).eval("yhat_upper - yhat_lower").to_numpy()
        assert width[:14].mean() == pytest.approx(2 * 1.28 * 4, rel=0.15), "four in five of its own days, not of all"

        def festive(rng, rows):
            return rng.standard_normal(len(rows)) * np.where(rng.random(len(rows)) < 2, 0.1, 0)

        past_errors = errors(festive, feasts=0.2)
        loud = past_errors["y"].where(~past_errors["feast"], 100 + 4 * (past_errors["y"] - 100))
        about = te.spread(past_errors.assign(y=loud), 14, BAKERY_COSTS)
        answer, rows = answered()
        feast = rows["ds"] == rows["ds"].iloc[5]
        width = te.combine({"a": answer}, about, rows.assign(feast=feast), 14, True).eval("yhat_upper - yhat_lower")
        assert width[5] > 2.5 * width.drop(5).max()

    def test_a_group_with_few_errors_borrows_from_all(self):
        past_errors = errors(lambda rng, rows: 0.1 * rng.standard_normal(len(rows)), series=1, feasts=0.05)
        about = te.spread(past_errors, 14, BAKERY_COSTS)
        assert past_errors["feast"].sum() < te.GROUP and set(about["limits"]) == {-1, 0, 1, 2, 3}
        answer, rows = answered()
        found = te.combine({"a": answer}, about, rows.assign(feast=True), 14, True)
        scale = 100 * about["scale"]["S0"]
        np.testing.assert_allclose(found["yhat_upper"], 100 + scale * about["limits"][-1][1])

    def test_parts_of_the_horizon(self):
        _, rows = answered()
        assert te.parts(rows, 14).tolist() == [0] * 4 + [1] * 3 + [2] * 4 + [3] * 3
        assert te.parts(rows[:1], 1).tolist() == [0] and te.parts(rows.assign(feast=True), 14).tolist() == [4] * 14

    @pytest.mark.parametrize("columns", [[], ["holiday"], ["holiday", "closed", "promo"]], ids=str)
    def test_parts_do_not_need_a_calendar(self, columns):
        history = (SHOPS if columns else past(SHOPS))[[*KEYS, "y", *columns]]
        limits = {-1: [-9.0, 9.0], 4: [-8.0, 8.0]} | {part: [-(part + 1) / 10, (part + 1) / 10] for part in range(4)}
        about = {"usual": {}, "scale": {}, "mean": 1.0, "limits": limits, "order": 0.0}
        tonight = te.Standing(["week"], about, True)
        found = te.play(history, 14, MEMBERS, MEMBERS, tonight)
        found = found[found["yhat"] > 0]
        step = (found["ds"] - last_day(history)).dt.days - 1
        np.testing.assert_allclose(found["yhat_upper"], found["yhat"] * (1 + (step * 4 // 14 + 1) / 10))

    def test_a_young_team_takes_the_middle_of_its_members(self):
        parts = [answered(yhat=yhat, yhat_lower=yhat - 10, yhat_upper=yhat + 5)[0] for yhat in (90.0, 100.0, 140.0)]
        found = te.combine(dict(enumerate(parts)), {}, answered()[1], 14, False)
        assert found["yhat"].eq(110).all() and found["order"].eq(110).all()
        assert found["yhat_lower"].eq(90).all() and found["yhat_upper"].eq(110).all(), "105 would lie below the mean"

    def test_a_closed_day_is_zero_whoever_says_so(self):
        open_, shut = answered(yhat_lower=80.0, yhat_upper=120.0), answered(yhat=0.0, yhat_lower=0.0, yhat_upper=0.0)[0]
        shut["status"] = np.where(shut["ds"].dt.dayofweek == 6, "closed", "model")
        about = te.spread(errors(lambda rng, rows: 0.1 * rng.standard_normal(len(rows))), 14, BAKERY_COSTS)
        found = te.combine({"a": open_[0], "b": shut}, about, open_[1], 14, True)
        sunday = found["ds"].dt.dayofweek == 6
        assert sunday.sum() == 2 and found["status"].eq("closed").equals(sunday)
        assert (found.loc[sunday, ["yhat", "yhat_lower", "yhat_upper", "order"]] == 0).all(axis=None)
        assert (found.loc[~sunday, ["yhat", "order"]] > 0).all(axis=None)

    def test_closed_days_of_the_past_say_nothing(self):
        past_errors = errors(lambda rng, rows: 0.1 * rng.standard_normal(len(rows)))
        shut = past_errors.index % 3 == 0
        one = te.spread(past_errors[~shut], 14, BAKERY_COSTS)
        assert te.spread(past_errors.assign(shut=shut, y=past_errors["y"].mask(shut, 0)), 14, BAKERY_COSTS) == one
        assert te.spread(past_errors.assign(shut=True), 14, BAKERY_COSTS) == {}

    def test_a_fallback_of_all_is_told(self):
        weak = answered(status="fallback: constant sales")
        assert te.combine({"a": weak[0], "b": weak[0]}, {}, weak[1], 14, False)["status"].eq(weak[0]["status"]).all()
        mixed = te.combine({"a": weak[0], "b": answered()[0]}, {}, weak[1], 14, False)
        assert mixed["status"].eq("model").all()


class TestOrder:
    PAST = errors(lambda rng, rows: 0.3 * rng.standard_normal(len(rows)))

    def order(self, over, under, **columns):
        answer, rows = answered(**columns)
        about = te.spread(self.PAST, 14, UnitCosts(over, under))
        return te.combine({"a": answer}, about, rows, 14, True)["order"]

    def test_it_grows_with_the_price_of_a_missing_loaf(self):
        orders = [self.order(0.5, under).iloc[0] for under in (0.0, 0.1, 0.3, 0.5, 1.0, 5.0, 50.0)]
        assert orders == sorted(orders) and orders[0] < 60 < orders[3] < 110 < orders[-1] and orders[3] > 95

    @pytest.mark.parametrize("yhat", [0.0, 0.01, 5.0, 100.0])
    def test_it_is_never_below_zero(self, yhat):
        for over, under in ((1, 0), (1, 1), (0, 1)):
            assert (self.order(over, under, yhat=yhat) >= 0).all()

    def test_it_is_the_quantile_that_the_prices_ask_for(self):
        error = (self.PAST["y"] - 100) / 100
        assert self.order(0.25, 0.5).iloc[0] == pytest.approx(100 * (1 + error.quantile(2 / 3)))

    def test_it_costs_less_than_the_mean_where_prices_differ(self):
        eur = {}
        for quantity in (100.0, self.order(0.1, 0.9).iloc[0]):
            error = quantity - self.PAST["y"]
            eur[quantity] = (error.clip(lower=0) * 0.1 - error.clip(upper=0) * 0.9).sum()
        assert eur[100.0] > 1.2 * min(eur.values())


def born_yesterday(history):
    newest = last_day(history)
    return history[(history["unique_id"] != "S03") | (history["ds"] >= newest)]


def without_sales(history):
    return history.assign(y=history["y"].mask(history["unique_id"] == "S02", history["y"] * 0))


def intermittent(history):
    return history.assign(y=history["y"].where(history["y"].isna() | (history.index % 9 == 0), 0))


POOR = {
    "newborn": born_yesterday,
    "one series": lambda history: history[history["unique_id"] == "S01"],
    "no holidays": lambda history: history.drop(columns="holiday"),
    "no doors": lambda history: history.drop(columns="closed"),
    "sales alone": lambda history: past(history)[[*KEYS, "y"]],
    "all zeros": lambda history: past(history)[[*KEYS, "y"]].assign(y=0.0),
    "one without sales": without_sales,
    "intermittent": intermittent,
    "young": lambda history: history[history["ds"] >= last_day(history) - 90 * DAY],
    "three weeks": lambda history: history[history["ds"] >= last_day(history) - 20 * DAY],
    "one day": lambda history: history[history["ds"] >= last_day(history)],
}


@pytest.mark.filterwarnings("ignore:history. ")
@pytest.mark.parametrize("poor", POOR)
@pytest.mark.parametrize("horizon", [1, 14])
def test_a_poor_history_gets_a_lawful_night(poor, horizon):
    history, members = check_history(POOR[poor](SHOPS)), {"week": seasonal_naive, "weeks": moving_average}
    tonight = te.standing(history[history["ds"] > last_day(history) - 250 * DAY], horizon, members, BAKERY_COSTS)
    found = check_forecast(te.play(history, horizon, members, members, tonight))
    assert len(found) == horizon * history["unique_id"].nunique() and found["ds"].min() == last_day(history) + DAY
    assert np.isfinite(found[["yhat", "yhat_lower", "yhat_upper", "order"]]).all(axis=None)
    assert (found["order"] >= 0).all()
    shut = found["status"] == "closed"
    assert (found.loc[shut, ["yhat", "yhat_lower", "yhat_upper", "order"]] == 0).all(axis=None)
    if poor == "all zeros":
        assert (found[["yhat", "order"]] == 0).all(axis=None)


@pytest.mark.parametrize("days", [120, 330])
def test_members_may_leave_limits_and_status_out(days):
    def bare(history, horizon):
        return moving_average(history, horizon)[[*KEYS, "yhat"]]

    history = SHOPS[SHOPS["ds"] > last_day(SHOPS) - days * DAY]
    tonight = te.standing(history, 14, {"bare": bare}, BAKERY_COSTS)
    assert tonight.earned == (days > 300)
    found = check_forecast(te.play(history, 14, {"bare": bare}, {"bare": bare}, tonight))
    np.testing.assert_array_equal(found["yhat"], moving_average(history, 14)["yhat"])
    assert found["status"].isin(["model", "closed"]).all() and np.isfinite(found["yhat_upper"]).all()


def test_the_same_night_whatever_the_way(tmp_path):
    members = MEMBERS | {"mstl": Recipe("mstl")}
    history = SHOPS[SHOPS["ds"] > last_day(SHOPS) - 120 * DAY]
    fresh = te.standing(history, 14, members, BAKERY_COSTS)
    ways = [{}, {"workers": 2}, {"folder": tmp_path}, {"folder": tmp_path}]
    assert [te.standing(history, 14, members, BAKERY_COSTS, **way) for way in ways] == [fresh] * 4
    assert len(list(tmp_path.glob("*.parquet"))) == 4 * len(te.past_evenings(history, 14))
    nights = [te.play(history, 14, members, members, fresh) for _ in range(2)]
    pd.testing.assert_frame_equal(*nights, check_exact=True)


class Spy:
    "Last week's rule that writes down on which evenings it was asked."

    def __init__(self, path):
        self.path = path

    def __call__(self, rows, horizon):
        with self.path.open("a") as file:
            file.write(f"{last_day(rows):%Y-%m-%d}\n")
        return seasonal_naive(rows, horizon)


def test_an_evening_more_costs_one_evening_more(tmp_path):
    newest = te.past_evenings(BLIND, 14)[-1] + 14 * DAY  # the day on which one more evening can be judged
    history = past(BLIND[BLIND["ds"] > newest - 160 * DAY])
    for last in (newest - DAY, newest):
        members = {"spy": Spy(tmp_path / "asked")}
        te.standing(history[history["ds"] <= last], 14, members, BAKERY_COSTS, folder=tmp_path / "kept")
    asked = (tmp_path / "asked").read_text().split()
    assert len(asked) > 4 and len(set(asked)) == len(asked) and asked[-1] == f"{newest - 14 * DAY:%Y-%m-%d}"


def test_members_are_asked_as_the_backtest_asks(told):
    night = told["cutoff"].unique()[4]
    view = partial(te.evening, unknown=["promo"])
    alone = backtest(BLIND, {"week": seasonal_naive}, 14, nights=[night], view=view).scored
    ours = told[(told["cutoff"] == night) & (told["model"] == "week")]
    np.testing.assert_array_equal(ours["yhat"], alone["yhat"])
    assert ours["feast"].notna().all()
