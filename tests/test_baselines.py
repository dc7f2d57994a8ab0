"Promises of the cheap rivals: what they repeat, when they give 0, and what they do with poor histories."

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlworkbook.backtesting import backtest
from mlworkbook.baselines import (
    auto_ets,
    close,
    fill_closed,
    moving_average,
    mstl,
    naive,
    open_days,
    past_errors,
    seasonal_naive,
    smoothing,
)
from mlworkbook.contract import check_forecast, future, past, seen
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.trees import boosting

ROOT = Path(__file__).parent.parent
RIVALS = [naive, seasonal_naive, moving_average, auto_ets, mstl, boosting]
SHOPS = make_sales(seed=11, series=5, days=150, horizon=30, start="2021-09-01")


def shop(y, start="2024-01-01", name="S99", **columns):
    "History of one series; a list of `closed` may reach into the future."
    days = max([len(y), *(len(column) for column in columns.values())])
    sold = [*y, *[np.nan] * (days - len(y))]
    return pd.DataFrame({"unique_id": name, "ds": pd.date_range(start, periods=days), "y": sold, **columns})


def by_hand(history, horizon, season, seasons):
    "The same forecast in slow and simple words."
    rows = []
    for day in future(history, horizon).itertuples():
        series = past(history)[past(history)["unique_id"] == day.unique_id]
        opened = series[~series["closed"]].set_index("ds")["y"]
        alike = opened[[(day.ds - seen).days % season == 0 for seen in opened.index]]
        never = series.loc[series["ds"].dt.dayofweek == day.ds.dayofweek, "closed"].all()
        rows.append(0.0 if day.closed or never else alike.tail(seasons).mean())
    return np.array(rows)


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("horizon", [1, 7, 30])
def test_every_rival_is_a_forecast(rival, horizon):
    before = SHOPS.copy()
    forecast = check_forecast(rival(SHOPS, horizon))
    keys = future(SHOPS, horizon)
    pd.testing.assert_frame_equal(forecast[["unique_id", "ds"]], keys[["unique_id", "ds"]])
    assert list(forecast) == ["unique_id", "ds", "yhat", "status", "yhat_lower", "yhat_upper"]
    shut = keys["closed"].to_numpy()
    assert (forecast.loc[shut, ["yhat", "yhat_lower", "yhat_upper"]] == 0).all(axis=None)
    assert (forecast.loc[shut, "status"] == "closed").all() and (forecast.loc[~shut, "status"] == "model").all()
    pd.testing.assert_frame_equal(SHOPS, before)


@pytest.mark.parametrize(
    ("rival", "season", "seasons"), [(naive, 1, 1), (seasonal_naive, 7, 1), (moving_average, 7, 8)]
)
def test_rivals_repeat_what_they_say(rival, season, seasons):
    np.testing.assert_allclose(rival(SHOPS, 21)["yhat"], by_hand(SHOPS, 21, season, seasons))


@pytest.mark.parametrize("rival", RIVALS)
def test_order_of_rows_and_other_series_do_not_matter(rival):
    whole = rival(SHOPS, 14)
    pd.testing.assert_frame_equal(rival(SHOPS.sample(frac=1, random_state=0), 14), whole)
    if rival is boosting:  # it learns from the others
        return
    alone = rival(SHOPS[SHOPS["unique_id"] == "S03"], 14)
    pd.testing.assert_frame_equal(alone, whole[whole["unique_id"] == "S03"].reset_index(drop=True))


@pytest.mark.parametrize("rival", [rival for rival in RIVALS if rival is not boosting])
def test_rivals_without_a_calendar_take_no_promotion(rival):
    other = SHOPS.assign(promo=SHOPS["promo"].where(SHOPS["y"].notna(), 1))
    pd.testing.assert_frame_equal(rival(other, 14), rival(SHOPS, 14))


@pytest.mark.filterwarnings("ignore:history. 1 day")
@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize(
    "y",
    [[12.0], [12.0, 15.0], [3.0] * 6, [0.0] * 40, [7.0] * 60, [5.0, 0.0] * 20, [1.0] * 29 + [1e12], [0.5] * 30 + [0.0]],
)
def test_poor_histories_get_a_lawful_forecast(rival, y):
    forecast = check_forecast(rival(shop(y), 9))
    assert len(forecast) == 9
    if len(set(y)) == 1:
        assert (forecast["yhat"] == y[0]).all()


def test_weak_series_fall_back_beside_good_ones_and_say_why():
    history = pd.concat(
        [SHOPS, shop([4.0] * 150 + [], "2021-09-01", promo=[0] * 180, closed=[False] * 180, holiday=[""] * 180)]
    )
    late = shop([9.0, 8.0], "2022-01-27", "S98", promo=[0] * 32, closed=[False] * 32, holiday=[""] * 32)
    forecast = auto_ets(pd.concat([history, late]), 14).set_index("unique_id")
    assert set(forecast.loc["S99", "status"]) == {"fallback: constant sales"}
    assert set(forecast.loc["S98", "status"]) == {"fallback: 2 days, 21 needed"}
    assert forecast.loc["S98", "yhat"].iloc[-7:].tolist() == [8.5, 8.5, 8.5, 8.5, 8.5, 9, 8]
    assert set(forecast.loc["S01", "status"]) <= {"model", "closed"}
    plain = seasonal_naive(late, 14)
    assert plain["status"].str.startswith("fallback: no open day").sum() == 10


def test_holidays_do_not_close_twice():
    closed = [False] * 28
    closed[11] = closed[23] = True  # a Friday in the past, and a Wednesday to come
    sold = [float(100 + day) for day in range(21)]
    sold[11] = 0.0
    history = shop(sold, closed=closed)
    forecast = seasonal_naive(history, 7)
    assert forecast["yhat"].tolist() == [114.0, 115.0, 0.0, 117.0, 118.0, 119.0, 120.0]
    assert forecast["status"].tolist() == ["model"] * 2 + ["closed"] + ["model"] * 4
    sold[18] = 0.0
    closed[18] = True
    assert seasonal_naive(shop(sold, closed=closed), 7)["yhat"].iloc[4] == 104.0
    blind = seasonal_naive(shop(sold), 7)
    assert blind["yhat"].iloc[2] == 116.0 and blind["yhat"].iloc[4] == 0.0


@pytest.mark.parametrize("rival", RIVALS)
def test_a_weekday_that_never_opened_stays_closed(rival):
    closed = [day % 7 == 6 for day in range(70)] + [False] * 14
    sold = [0.0 if closed[day] else 50.0 + day % 7 + day % 3 for day in range(70)]
    forecast = rival(shop(sold, closed=closed), 14)
    assert (forecast["status"] == "closed").tolist() == [day % 7 == 6 for day in range(14)]
    assert (forecast["yhat"] == 0).tolist() == [day % 7 == 6 for day in range(14)]


@pytest.mark.parametrize("rival", RIVALS)
def test_a_store_that_never_opened_gets_zero(rival):
    forecast = rival(shop([0.0] * 30, closed=[True] * 44), 14)
    assert (forecast["yhat"] == 0).all() and (forecast["status"] == "closed").all()


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("horizon", [0, -3, 2.5, "14"])
def test_impossible_horizons_are_refused(rival, horizon):
    with pytest.raises(ValueError, match="horizon is "):
        rival(SHOPS, horizon)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"season": 0}, "season is 0, expected a whole number >= 1"),
        ({"season": 7.0}, "season is 7.0"),
        ({"seasons": -1}, "seasons is -1"),
        ({"level": 80}, "level is 80, expected a ratio"),
        ({"level": 0}, "level is 0"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        moving_average(SHOPS, 7, **options)


def test_unknown_calendar_is_refused():
    with pytest.raises(ValueError, match="horizon is 31"):
        seasonal_naive(SHOPS, 31)


def test_limits_hold_their_share_and_widen():
    rng = np.random.default_rng(0)
    sold = 500 + rng.normal(0, 20, (40, 365))
    days = pd.date_range("2023-01-01", periods=365)
    history = pd.concat([pd.DataFrame({"unique_id": f"S{n:02d}", "ds": days, "y": y}) for n, y in enumerate(sold)])
    actual = rng.normal(500, 20, 40 * 14)
    for rival in RIVALS:
        forecast = rival(history, 14)
        inside = ((actual >= forecast["yhat_lower"]) & (actual <= forecast["yhat_upper"])).mean()
        assert inside == pytest.approx(0.8, abs=0.09), rival.__name__
        wide = rival(history, 14, level=0.95)
        assert (wide["yhat_upper"] >= forecast["yhat_upper"]).all()
    walk = shop(500 + np.cumsum(rng.normal(0, 5, 700)))
    width = naive(walk, 28).eval("yhat_upper - yhat_lower")
    assert width.iloc[-1] > 3 * width.iloc[0]


def test_limits_are_the_quantiles_of_past_errors():
    rows = shop(np.arange(28.0) ** 2)
    found = past_errors(rows, rows["y"], 7, 2, 0.8).loc["S99"]
    for step in (1, 2):
        errors = (rows["y"] - rows["y"].shift(7 * step)).dropna()
        assert found.loc[step, "upper"] == pytest.approx(np.quantile(errors, 0.9))
        assert found.loc[step, "lower"] == 0


def test_filling_touches_closed_days_only():
    history = load_sales(stores=["S02", "S22"])
    filled = fill_closed(history)
    shut = history["closed"]
    pd.testing.assert_series_equal(filled.loc[~shut, "y"], history.loc[~shut, "y"])
    s02 = filled[filled["unique_id"] == "S02"].set_index("ds")["y"]
    assert s02["2018-12-25"] == s02["2018-12-18"] > 0 and s02["2018-12-26"] == s02["2018-12-19"]
    sundays = filled[(filled["unique_id"] == "S22") & (filled["ds"].dt.dayofweek == 6)]
    assert (sundays["y"] == 0).all()
    pd.testing.assert_frame_equal(fill_closed(shop([1.0, 2.0])), shop([1.0, 2.0]))


def test_closed_days_do_not_bend_exponential_smoothing():
    rng = np.random.default_rng(4)
    sold = np.round(np.tile([80.0, 90, 100, 110, 120, 160, 140], 20) + rng.normal(0, 4, 140))
    closed = np.zeros(147, dtype=bool)
    closed[[132, 133, 136]] = True
    history = shop(np.where(closed[:140], 0.0, sold), closed=closed)
    usual = np.array([80, 90, 100, 110, 120, 160, 140])
    good, bent = auto_ets(history, 7), auto_ets(history.drop(columns="closed"), 7)
    assert np.abs(good["yhat"] - usual).max() < 8
    assert np.abs(bent["yhat"] - usual).max() > 15
    assert bent.eval("yhat_upper - yhat_lower").mean() > 2 * good.eval("yhat_upper - yhat_lower").mean()


def test_close_marks_and_keeps_what_it_is_given():
    history = shop([5.0] * 14, closed=[False] * 15 + [True] + [False] * 5)
    days = future(history, 7)[["unique_id", "ds"]]
    given = days.assign(yhat=3.0, yhat_lower=1.0, yhat_upper=9.0, status=["fallback: short"] * 3 + ["model"] * 4)
    forecast = close(given, history)
    assert forecast["yhat"].tolist() == [3, 0, 3, 3, 3, 3, 3] and forecast["yhat_upper"].tolist()[1] == 0
    assert forecast["status"].tolist() == ["fallback: short", "closed", "fallback: short"] + ["model"] * 4
    assert close(given[["unique_id", "ds", "yhat"]], shop([5.0]))["status"].eq("model").all()
    assert (given["yhat"] == 3).all()


def test_open_days_without_a_calendar_are_all_days():
    assert len(open_days(shop([0.0, 1.0]))) == 2
    assert len(open_days(shop([0.0, 1.0], closed=[True, False, False]))) == 1


def test_smoothing_gives_the_numbers_of_statsforecast():
    y = np.random.default_rng(1).normal(100, 5, 120)
    answer = smoothing(7).forecast(y=y, h=7, level=[80.0])
    assert list(answer) == ["mean", "lo-80.0", "hi-80.0"]
    forecast = auto_ets(shop(y), 7)
    np.testing.assert_allclose(forecast["yhat_lower"], answer["lo-80.0"])
    np.testing.assert_allclose(forecast["yhat_upper"], answer["hi-80.0"])


CUTOFF = pd.Timestamp("2022-01-10")


def scrambled(history, cutoff):
    "The same history with other sales after the cutoff."
    late = history["ds"] > cutoff
    other = np.random.default_rng(23).permutation(history.loc[late, "y"]) * 2 + 1
    return history.assign(y=history["y"].where(~late, pd.Series(other, history.index[late])))


def peeks(model, history, horizon=14):
    "Does a forecast change when sales after the cutoff change?"
    answers = [model(rows, horizon) for rows in (history, scrambled(history, CUTOFF))]
    return not answers[0].equals(answers[1])


@pytest.mark.parametrize("rival", RIVALS)
def test_no_rival_sees_a_day_after_its_cutoff(rival):
    history = past(SHOPS)

    def honest(history, horizon):
        return rival(seen(history, CUTOFF, horizon), horizon)

    def smoothed(history, horizon):
        busy = history.groupby("unique_id")["y"].transform(lambda y: y.rolling(3, center=True, min_periods=1).mean())
        return honest(history.assign(y=busy.where(~history["closed"], 0.0)), horizon)

    assert not peeks(honest, history)
    assert peeks(smoothed, history), "a mean made before the sales are cut must be caught"


def test_boosting_learns_from_other_series_and_says_so():
    alone = boosting(SHOPS[SHOPS["unique_id"] == "S01"], 14)
    among = boosting(SHOPS, 14)
    among = among[among["unique_id"] == "S01"].reset_index(drop=True)
    assert not np.allclose(alone["yhat"], among["yhat"]) and "others" in boosting.__doc__


def test_boosting_repeats_itself_whatever_the_order_of_rows():
    first = boosting(SHOPS, 14)
    pd.testing.assert_frame_equal(first, boosting(SHOPS.sample(frac=1, random_state=3), 14))


def test_boosting_finds_what_a_known_column_does():
    history = make_sales(seed=5, series=6, days=400, horizon=14, noise=0.05)
    ahead = history["y"].isna()
    on, off = (boosting(history.assign(promo=history["promo"].where(~ahead, value)), 14) for value in (1, 0))
    lift = on.loc[on["yhat"] > 0, "yhat"].sum() / off.loc[off["yhat"] > 0, "yhat"].sum() - 1
    assert 0.1 < lift < 0.4, "the truth lies between 0.1 and 0.4"


@pytest.mark.parametrize("rival", RIVALS)
def test_hard_stores_get_a_lawful_forecast(rival):
    three_weeks = SHOPS[SHOPS["ds"] >= past(SHOPS)["ds"].max() - pd.Timedelta(days=20)]
    works = (SHOPS["ds"] > "2021-11-01") & SHOPS["y"].notna()
    shut = SHOPS.assign(closed=SHOPS["closed"] | works, y=SHOPS["y"].mask(works, 0.0))
    for history in (three_weeks, shut, SHOPS.assign(promo=1)):
        forecast = check_forecast(rival(history, 14))
        assert len(forecast) == 5 * 14 and np.isfinite(forecast[["yhat", "yhat_lower", "yhat_upper"]]).all(axis=None)


@pytest.mark.parametrize("rival", RIVALS)
def test_holes_in_known_columns_and_no_rows_are_refused(rival):
    with pytest.raises(ValueError, match="'promo' is nan in 1 row, first in row 40"):
        rival(SHOPS.assign(promo=SHOPS["promo"].where(SHOPS.index != 40)), 14)
    with pytest.raises(ValueError, match="0 rows without sales"):
        rival(SHOPS[:0], 14)


def lesson():
    "Cells of lesson 23 by id."
    cells = json.loads((ROOT / "nbs/play/23_baselines.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def test_the_lesson_scores_as_the_backtest_does():
    history = load_sales(stores=["S02", "S05", "S34"])
    space = {
        "history": history,
        "newest": history["ds"].max() - pd.Timedelta(days=14),
        "seasonal_naive": seasonal_naive,
    }
    exec("\n".join([lesson()["ba-imports"], lesson()["ba-lesson-imports"], lesson()["ba-league"]]), space)
    models = {"naive": naive, "seasonal_naive": seasonal_naive, "moving_average": moving_average}
    ours, tool = space["league"](models), backtest(history, models, 14, initial=900, period=90).scored
    keys = ["model", "cutoff", "unique_id", "ds"]
    ours, tool = (rows.sort_values(keys, ignore_index=True) for rows in (ours, tool))
    pd.testing.assert_frame_equal(ours[[*keys, "y", "yhat", "status"]], tool[[*keys, "y", "yhat", "status"]])


def leaderboard():
    "The table that the benchmark wrote, by set and model."
    with (ROOT / "docs/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return {(row["set"], row["model"]): row for row in csv.DictReader(file)}


def test_the_lesson_quotes_the_leaderboard_truly():
    table, shown = leaderboard(), {}
    for line in lesson()["ba-table-seen"].splitlines():
        if found := re.match(r"\| `(\w+)` \| (.*) \|", line):
            shown[found[1]] = [float(cell.replace(".", "").replace(",", ".")) for cell in found[2].split(" | ")]
    rivals = {"naive", "seasonal_naive", "moving_average", "mstl", "auto_ets", "boosting", "boosting_1", "prophet"}
    assert set(shown) == rivals
    for model, cells in shown.items():
        store, product = table["store", model], table["product", model]
        true = [(row[name], digits) for row in (store, product) for name, digits in (("wape", 3), ("eur_per_day", 0))]
        assert cells == [round(float(text), digits) for text, digits in true], model
    costs = [cells[1] for cells in shown.values()]
    assert costs == sorted(costs)
