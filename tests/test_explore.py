"Promises of `explore`: known truth is covered, noise is not taken for signal, and hard histories do not break it."

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mlworkbook import explore
from mlworkbook.contract import check_history
from mlworkbook.explore import (
    calendar_effects,
    closures,
    load_weather,
    open_rows,
    outliers,
    plot_effects,
    plot_history,
    plot_season,
    profile,
    usual,
    weekly_strength,
)
from mlworkbook.sales import load_sales, make_sales, sales_truth

PUBLIC = (profile, calendar_effects, outliers, closures)


@pytest.fixture(scope="module")
def bakery():
    return load_sales()


@pytest.fixture(scope="module")
def products():
    return load_sales(level="product")


@pytest.fixture(scope="module")
def bakery_effects(bakery):
    return calendar_effects(bakery).set_index("name")


@pytest.fixture(scope="module")
def bakery_profile(bakery):
    return profile(bakery)


def shop(days, y=10.0, **columns):
    "One series of open days from a Monday on."
    ds = pd.date_range("2024-01-01", periods=days)
    return pd.DataFrame({"unique_id": "S01", "ds": ds, "y": y} | columns)


def by_day(history, rng, draw):
    "The same draw for all series of a day."
    days = pd.Series(history["ds"].unique())
    return history["ds"].map(dict(zip(days, draw(rng, len(days)), strict=True)))


def lift(history, truth, column, days):
    "What a cause truly added to the units sold on its days, all series together."
    rows = open_rows(history)
    own = truth.loc[rows["unique_id"]].reset_index(drop=True)
    rows = rows.reset_index(drop=True)
    plain = rows["y"] / (1 + own["promo"] * rows["promo"]) / np.where(rows["holiday"] == "Labor Day", own["labor"], 1)
    factor = own[column] if column == "labor" else 1 + own[column]
    on = rows[days[0]] == days[1]
    return (plain * factor)[on].sum() / plain[on].sum() - 1


# -- neighbours


def test_neighbours_are_the_same_weekday_of_the_same_series():
    made = make_sales(3, series=3, days=120)
    rows = open_rows(made)
    found, sold = explore._neighbours(rows, rows["y"].to_numpy()), made.set_index(["unique_id", "ds"])
    for place in [0, 5, 60, 119, 200, len(rows) - 1]:
        name, day = rows["unique_id"].iloc[place], rows["ds"].iloc[place]
        for column, week in enumerate([-4, -3, -2, -1, 1, 2, 3, 4]):
            key = (name, day + pd.Timedelta(days=7 * week))
            there = key in sold.index and not sold.loc[key, "closed"]
            assert found[place, column] == sold.loc[key, "y"] if there else np.isnan(found[place, column])


def test_usual_leaves_the_day_out_and_does_not_depend_on_the_order():
    rows = shop(70, y=np.arange(70.0))
    found = usual(rows, rows["y"].to_numpy())
    np.testing.assert_allclose(found[28:42], rows["y"][28:42])
    spiked = rows["y"].to_numpy().copy()
    spiked[30] = 1e6
    assert usual(rows, spiked)[30] == found[30] and usual(rows, spiked)[37] > found[37]
    mixed = rows.sample(frac=1, random_state=0)
    np.testing.assert_allclose(usual(mixed, mixed["y"].to_numpy()), found[mixed.index])


def test_usual_without_neighbours_is_empty():
    assert np.isnan(usual(shop(6), np.ones(6))).all()
    assert len(usual(shop(0), np.ones(0))) == 0


def test_blocks_keep_weeks_whole():
    days = pd.Series(pd.date_range("2015-12-28", periods=400))
    number = explore._blocks(days)
    assert number.groupby(number).size().iloc[1:-1].eq(28).all()
    assert days[number.diff() > 0].dt.dayofweek.eq(0).all()


# -- ratio


def test_ratio_of_one_number_a_block_is_the_usual_interval_of_a_mean():
    sold = pd.Series([11.0, 13, 12, 10, 14, 12])
    effect, lower, upper = explore._ratio(sold, pd.Series(10.0, sold.index), pd.Series(range(6)))
    half = 2.570582 * (sold / 10).std() / np.sqrt(6)
    assert (effect, lower, upper) == pytest.approx((0.2, 0.2 - half, 0.2 + half), rel=1e-5)


def test_ratio_counts_blocks_not_rows():
    rng = np.random.default_rng(0)
    sold = np.repeat(10 + rng.normal(size=8), 50)
    piece = np.repeat(np.arange(8), 50)
    few = explore._ratio(sold[::50], np.full(8, 10.0), pd.Series(range(8)))
    many = explore._ratio(sold, np.full(400, 10.0), pd.Series(piece))
    assert many == pytest.approx(few)


@pytest.mark.parametrize("pieces", [1, 2])
def test_ratio_of_too_few_blocks_has_no_interval(pieces):
    effect, lower, upper = explore._ratio(np.full(pieces, 12.0), np.full(pieces, 10.0), pd.Series(range(pieces)))
    assert effect == pytest.approx(0.2) and np.isnan([lower, upper]).all()


def test_ratio_to_nothing_is_unknown():
    assert np.isnan(explore._ratio(np.ones(4), np.zeros(4), pd.Series(range(4)))).all()


@pytest.mark.parametrize("level", [0, 1, 95, -0.1])
def test_level_is_a_ratio(level):
    made = make_sales(0, series=1, days=60)
    for call in (profile, calendar_effects):
        with pytest.raises(ValueError, match="level is .*, expected a ratio between 0 and 1"):
            call(made, level=level)


# -- calendar effects against the truth


@pytest.mark.parametrize(("level", "seeds", "least", "most"), [(0.8, 20, 0.66, 0.97), (0.95, 12, 0.86, 1.0)])
def test_intervals_cover_the_truth_about_as_often_as_promised(level, seeds, least, most):
    covered = []
    for seed in range(seeds):
        made, truth = make_sales(seed, series=2, days=1215), sales_truth(seed, series=2)
        found = calendar_effects(made, level=level).set_index("name")
        for name, right in {
            "promo": lift(made, truth, "promo", ("promo", 1)),
            "Labor Day": lift(made, truth, "labor", ("holiday", "Labor Day")),
        }.items():
            covered.append(found["lower"][name] <= right <= found["upper"][name])
    assert least <= np.mean(covered) <= most


def test_noise_is_rarely_significant():
    alarms = []
    for seed in range(12):
        rng, made = np.random.default_rng(seed), make_sales(seed, series=3, days=800)
        made = made.assign(
            day=by_day(made, rng, lambda rng, n: (rng.random(n) < 0.2).astype(int)),
            week=by_day(made, rng, lambda rng, n: np.repeat(rng.random(n // 7 + 1) < 0.2, 7)[:n].astype(int)),
            spell=by_day(made, rng, lambda rng, n: np.repeat(rng.random(n // 21 + 1) < 0.2, 21)[:n].astype(int)),
            number=by_day(made, rng, lambda rng, n: rng.normal(size=n)),
        )
        found = calendar_effects(made, level=0.9).set_index("name").loc[["day", "week", "spell", "number"]]
        alarms += [*((found["lower"] > 0) | (found["upper"] < 0))]
    assert np.mean(alarms) < 0.2


def test_days_are_clusters_and_so_are_weeks(bakery):
    "Invented promotions, the same weeks in all stores: whoever counts store-days cries wolf far too often."
    shops = bakery.loc[
        bakery["unique_id"].isin(["S17", "S24", "S27", "S33", "S34"]), ["unique_id", "ds", "y", "closed"]
    ]
    book, ours = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        draw = {
            f"f{n}": by_day(shops, rng, lambda rng, n: np.repeat(rng.random(n // 7 + 1) < 0.2, 7)[:n].astype(int))
            for n in range(8)
        }
        world = shops.assign(**draw)
        rows = open_rows(world)
        away = rows["y"] / usual(rows, rows["y"].to_numpy()) - 1
        for name in draw:
            group = away.groupby(rows[name])
            book.append(abs(group.mean().diff().iloc[-1]) > 1.96 * np.sqrt((group.var() / group.size()).sum()))
        found = calendar_effects(world)
        ours += [*((found["lower"] > 0) | (found["upper"] < 0))]
    assert np.mean(ours) < 0.15 < 0.25 < np.mean(book)


def test_more_stores_alike_do_not_make_an_interval_narrower():
    one = make_sales(7, series=1, days=700)
    copies = pd.concat([one.assign(unique_id=f"S{number:02d}") for number in range(1, 7)], ignore_index=True)
    alone, crowd = calendar_effects(one), calendar_effects(copies)
    pd.testing.assert_frame_equal(alone, crowd, check_exact=False, rtol=1e-6)


def test_effects_do_not_depend_on_units_or_order():
    made = make_sales(8, series=2, days=500)
    found = calendar_effects(made)
    pd.testing.assert_frame_equal(found, calendar_effects(made.assign(y=made["y"] * 7)), rtol=1e-6)
    pd.testing.assert_frame_equal(found, calendar_effects(made.sample(frac=1, random_state=1)), rtol=1e-6)


def test_a_number_counts_per_unit():
    rng, made = np.random.default_rng(5), make_sales(5, series=2, days=600, noise=0.02)
    heat = by_day(made, rng, lambda rng, n: rng.normal(15, 5, n))
    warm = made.assign(heat=heat, y=made["y"] * 1.02**heat)
    found = calendar_effects(warm).set_index("name").loc["heat"]
    assert found["kind"] == "numeric" and found["effect"] == pytest.approx(0.02, abs=0.001)
    assert found["lower"] > 0.015 and found["upper"] < 0.025 and found["lower"] < found["effect"] < found["upper"]
    tenth = calendar_effects(warm.assign(heat=heat * 1e6)).set_index("name").loc["heat"]
    assert tenth["effect"] == pytest.approx(found["effect"] / 1e6, rel=0.02)


def test_overlapping_causes_are_told_apart():
    made = make_sales(9, series=2, days=900, noise=0.03)
    rng = np.random.default_rng(9)
    other = by_day(made, rng, lambda rng, n: np.repeat(rng.random(n // 7 + 1) < 0.3, 7)[:n].astype(int))
    other = (other & (made["ds"].dt.dayofweek < 5)) | made["promo"].where(made["ds"].dt.dayofweek < 3, 0)
    found = calendar_effects(made.assign(other=other, y=made["y"] * (1 + 0.5 * other))).set_index("name")
    truth = lift(made, sales_truth(9, series=2), "promo", ("promo", 1))
    assert found["effect"]["other"] == pytest.approx(0.5, abs=0.03)
    assert found["effect"]["promo"] == pytest.approx(truth, abs=0.03)


def test_tell_apart_names_the_twin():
    information = np.array([[4.0, 2, 4, 0], [2, 3, 2, 0], [4, 2, 4, 0], [0, 0, 0, 0]])
    assert explore._tell_apart(information, list("abcd")) == ["", "", "not told apart from a", "no variation"]


def test_twins_and_constants_are_said_and_do_not_disturb():
    made = make_sales(6, series=2, days=500)
    more = made.assign(twin=made["promo"], zero=0, one=1, big=1e9, store=made["unique_id"].eq("S01").astype(int))
    alone, found = calendar_effects(made).set_index("name"), calendar_effects(more).set_index("name")
    assert found["status"]["twin"] == "not told apart from promo"
    assert set(found["status"][["zero", "one", "big", "store"]]) == {"no variation"}
    assert found.loc[["twin", "zero", "one", "big", "store"], ["effect", "lower", "upper"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(alone, found.loc[alone.index], rtol=1e-6)


@pytest.mark.parametrize(("count", "interval"), [(1, False), (2, False), (3, True), (6, True)])
def test_too_few_days_have_no_interval(count, interval):
    days = 28 * 16
    flag = np.zeros(days, int)
    flag[[28 * number + 50 for number in range(count)]] = 1
    sold = 100 + np.random.default_rng(count).normal(0, 3, days) + 50 * flag
    row = calendar_effects(shop(days, y=sold, flag=flag)).iloc[0]
    assert row["days"] == row["blocks"] == count and row["effect"] == pytest.approx(0.5, abs=0.1)
    assert (np.isfinite(row["lower"]) and row["lower"] < 0.5 < row["upper"]) == interval
    assert (row["status"] == "") == interval


def test_ten_days_of_one_block_are_one_piece_of_evidence():
    flag = np.zeros(300, int)
    flag[140:150] = 1
    row = calendar_effects(shop(300, y=100 + 20.0 * flag, flag=flag)).iloc[0]
    assert row["days"] == 10 and row["blocks"] <= 2 and np.isnan(row["lower"])
    assert row["status"] == "too few blocks for an interval"


def test_a_cause_that_is_nearly_always_there_needs_days_without_it():
    flag = np.ones(300, int)
    flag[150] = 0
    row = calendar_effects(shop(300, y=np.where(flag, 120.0, 100.0), flag=flag)).iloc[0]
    assert row["effect"] == pytest.approx(0.2, abs=0.01) and np.isnan(row["lower"])


def test_closed_holidays_are_said():
    made = make_sales(2, series=2, days=800)
    found = calendar_effects(made).set_index("name")
    assert set(found["status"][["Christmas Day", "New Year's Day"]]) == {"closed on all of them"}
    assert (found["days"][["Christmas Day", "New Year's Day"]] == 0).all()


def test_without_causes_there_are_no_effects():
    plain = make_sales(2, series=2, days=100)[["unique_id", "ds", "y"]]
    found = calendar_effects(plain)
    assert found.empty and list(found) == ["kind", "name", "days", "blocks", "effect", "lower", "upper", "status"]
    assert len(outliers(plain)) >= 0 and len(profile(plain)) == 2


def test_block_is_a_whole_number_of_days():
    with pytest.raises(ValueError, match="expected a whole number of days"):
        calendar_effects(make_sales(0, series=1, days=60), block=0)


# -- hard histories


@pytest.mark.parametrize("call", PUBLIC)
def test_no_sales_at_all_is_refused_by_the_contract(call):
    with pytest.raises(ValueError, match="rows without sales"):
        call(make_sales(0, series=1, days=30).head(0))


@pytest.mark.parametrize("call", PUBLIC)
def test_input_is_left_alone_and_future_rows_change_nothing(call):
    made, ahead = make_sales(4, series=3, days=400), make_sales(4, series=3, days=400, horizon=28)
    before = ahead.copy()
    pd.testing.assert_frame_equal(call(made), call(ahead))
    pd.testing.assert_frame_equal(ahead, before)


@pytest.mark.parametrize("call", PUBLIC)
@pytest.mark.parametrize("y", [0.0, 7.0])
def test_flat_histories_do_not_divide_by_zero(call, y):
    flat = shop(900, y=y, closed=False, holiday="", promo=([1] * 7 + [0] * 14) * 42 + [0] * 18)
    with np.errstate(all="raise"):
        found = call(flat)
    if call is outliers:
        assert found.empty
    if call is profile:
        assert found[["weekly", "yearly"]].isna().all(axis=None)
    if call is calendar_effects and y:
        assert found["effect"].tolist() == pytest.approx([0], abs=1e-9)


@pytest.mark.parametrize("call", PUBLIC)
def test_a_store_that_never_opened_is_no_crash(call):
    made = make_sales(1, series=2, days=200)
    dead = made["unique_id"].eq("S02")
    found = call(made.assign(closed=made["closed"] | dead, y=made["y"].mask(dead, 0)))
    if call is profile:
        assert found.loc["S02", "open_days"] == 0 and found.loc["S02", "closed_share"] == 1
    only = shop(60, y=0.0, closed=True, holiday="", promo=0)
    assert call(only) is not None


@pytest.mark.parametrize("call", PUBLIC)
def test_three_weeks_of_history(call):
    found = call(make_sales(1, series=1, days=21))
    if call is profile:
        assert found[["trend", "change", "weekly", "yearly"]].isna().all(axis=None)


def test_a_new_store_beside_old_ones():
    made = make_sales(1, series=3, days=500)
    young = made[(made["unique_id"] != "S03") | (made["ds"] > made["ds"].max() - pd.Timedelta(days=21))]
    found = profile(young)
    assert found.loc["S03", "born_late"] == 479 and np.isnan(found.loc["S03", "trend"])
    assert found.loc[["S01", "S02"], "born_late"].eq(0).all()


def test_a_year_of_closed_doors_is_found_and_reopening_is_a_reason():
    made = make_sales(1, series=6, days=1100)
    shut = made["unique_id"].eq("S02") & made["ds"].between("2023-01-01", "2023-12-31")
    made = made.assign(closed=made["closed"] | shut, y=made["y"].mask(shut, 0))
    back = made["unique_id"].eq("S02") & made["ds"].between("2024-01-02", "2024-01-04")
    made.loc[back & ~made["closed"], "y"] *= 6
    row, longest = profile(made).loc["S02"], closures(made).iloc[0]
    assert row["longest_closed"] == 366 and row["closed_from"] == pd.Timestamp("2023-01-01")
    assert longest["unique_id"] == "S02" and longest["last"] == pd.Timestamp("2024-01-01")
    odd = outliers(made)
    assert odd["reason"].eq("reopened after 366 closed days").any()
    assert np.isfinite(calendar_effects(made).set_index("name").loc["promo", "lower"])


def test_weather_with_a_gap_is_named(bakery):
    weather = load_weather()
    weather.loc[weather["ds"] == "2017-03-04", "rain"] = np.nan
    with pytest.raises(ValueError, match=r"'rain' is nan in \d+ rows, first in row \d+ \(S02, 2017-03-04\)"):
        calendar_effects(bakery.merge(weather))


# -- profile and closures


def test_profile_counts_what_a_loop_counts():
    made = make_sales(12, series=3, days=800)
    made.loc[made.index[::97], "y"] = 0.0
    found = profile(made)
    for name, series in made.groupby("unique_id"):
        opened = series[~series["closed"]]
        row = found.loc[name]
        assert row["days"] == len(series) and row["open_days"] == len(opened)
        assert row["zero_days"] == (opened["y"] == 0).sum() > 0
        assert row["closed_share"] == pytest.approx(series["closed"].mean())
        assert row[["mean", "median"]].tolist() == pytest.approx([opened["y"].mean(), opened["y"].median()])
        assert row["change"] == pytest.approx(series["y"].tail(365).sum() / series["y"].head(365).sum() - 1)
        sold = opened.set_index("ds")["y"]
        pairs = [
            (y, sold[day - pd.Timedelta(days=364)]) for day, y in sold.items() if day - pd.Timedelta(days=364) in sold
        ]
        assert row["trend"] == pytest.approx(sum(y for y, _ in pairs) / sum(y for _, y in pairs) - 1)


def test_trend_covers_the_truth():
    covered = []
    for seed in range(8):
        found = profile(make_sales(seed, series=5, days=1215))
        growth = sales_truth(seed, series=5)["growth"]
        covered += [*found["trend_lower"].le(growth) & found["trend_upper"].ge(growth)]
    assert np.mean(covered) > 0.85


def test_strengths_follow_the_truth():
    rng = np.random.default_rng(0)
    day = np.arange(1400)
    noise = shop(1400, y=100 + rng.normal(0, 10, 1400))
    week = shop(1400, y=np.where(day % 7 == 5, 200.0, 100.0))
    year = noise.assign(y=noise["y"] * (1 + 0.3 * np.sin(2 * np.pi * day / 365.25)))
    assert weekly_strength(noise) < 0.02 and explore._yearly_strength(noise) < 0.3
    assert weekly_strength(week) == pytest.approx(1, abs=0.01)
    assert explore._yearly_strength(year) > 0.9 and weekly_strength(year) < 0.02
    grown = week.assign(y=week["y"] * 1.5 ** (day / 365))
    assert weekly_strength(grown) > 0.95


def test_one_hot_summer_is_no_season():
    rng = np.random.default_rng(1)
    days = shop(1400, y=100 + rng.normal(0, 10, 1400))
    hot = days.assign(y=days["y"] * np.where(days["ds"].between("2025-06-01", "2025-08-31"), 1.4, 1.0))
    every = days.assign(y=days["y"] * np.where(days["ds"].dt.month.isin([6, 7, 8]), 1.4, 1.0))
    assert explore._yearly_strength(hot) < 0.2 < 0.9 < explore._yearly_strength(every)


def test_closures_are_runs_of_one_series():
    made = pd.concat([shop(30), shop(30).assign(unique_id="S02")], ignore_index=True)
    made["closed"] = made.index.isin([*range(3, 12), *range(27, 37), 50])
    made["y"] = made["y"].mask(made["closed"], 0.0)
    found = closures(made, 2)
    assert found["days"].tolist() == [9, 7, 3] and found["unique_id"].tolist() == ["S01", "S02", "S01"]
    assert found["first"].tolist() == [
        pd.Timestamp("2024-01-04"),
        pd.Timestamp("2024-01-01"),
        pd.Timestamp("2024-01-28"),
    ]
    assert found["last"].iloc[0] == pd.Timestamp("2024-01-12")
    pd.testing.assert_frame_equal(found, closures(made.drop(columns="closed"), 2))
    assert closures(made).shape == (2, 4) and closures(made, 31).empty


# -- outliers


def test_a_spike_is_found_with_its_size():
    made = make_sales(13, series=6, days=400)
    place = made.index[(made["unique_id"] == "S03") & (made["ds"] == "2022-09-14")]
    assert not made.loc[place, "closed"].item()
    usual_y = made.loc[place, "y"].item()
    made.loc[place, "y"] = 4 * usual_y
    odd = outliers(made)
    first = odd.iloc[0]
    assert (first["unique_id"], first["ds"], first["reason"]) == ("S03", pd.Timestamp("2022-09-14"), "unexplained")
    assert first["y"] == 4 * usual_y and first["expected"] == pytest.approx(usual_y, rel=0.3) and first["far"] > 15
    assert odd["far"].abs().ge(5).all() and odd["far"].abs().is_monotonic_decreasing
    assert len(outliers(made, times=3)) > len(odd)


def test_reasons_go_from_the_certain_to_the_vague():
    made = make_sales(14, series=6, days=730)

    def change(days, factor, stores=("S01",)):
        on = made["ds"].isin(pd.to_datetime(days)) & made["unique_id"].isin(stores) & ~made["closed"]
        assert on.any()
        made.loc[on, "y"] = (made.loc[on, "y"] * factor).round()

    change(["2022-05-01", "2022-05-02", "2022-12-24"], 5, made["unique_id"].unique())
    change(["2022-08-10"], 4, made["unique_id"].unique())
    change(["2022-09-07"], 0)
    change(["2023-03-08"], 5)
    late = made["unique_id"].eq("S06") & (made["ds"] < "2022-06-01")
    made = made[~late].reset_index(drop=True)
    change(["2022-06-03"], 6, ["S06"])
    odd = outliers(made).set_index(["unique_id", "ds"])["reason"]
    right = {
        ("S01", "2022-05-02"): "day after Labor Day",
        ("S02", "2022-12-24"): "day before Christmas Day",
        ("S02", "2022-08-10"): "the whole chain that day",
        ("S01", "2022-09-07"): "sold nothing: closed?",
        ("S01", "2023-03-08"): "unexplained",
        ("S06", "2022-06-03"): "opening weeks",
    }
    assert {key: odd[key[0], pd.Timestamp(key[1])] for key in right} == right
    assert odd[:, pd.Timestamp("2022-05-01")].eq("Labor Day").all()


def test_a_promotion_is_a_reason_only_when_it_is_known_to_lift():
    rng = np.random.default_rng(15)
    flag = np.repeat(rng.random(120) < 0.15, 7).astype(int)
    sold = 100 * (1 + 1.2 * flag) * (1 + 0.05 * rng.normal(size=840))
    noise = np.repeat(rng.random(120) < 0.15, 7).astype(int)
    odd = outliers(shop(840, y=sold, noise=noise, promo=flag))
    assert odd["far"].gt(0).sum() > 50 and odd.loc[odd["far"] > 0, "reason"].eq("promo").mean() > 0.95
    assert not odd["reason"].eq("noise").any()


def test_robust_distance_ignores_the_odd_days_themselves():
    rng = np.random.default_rng(16)
    sold = 100 + rng.normal(0, 3, 700)
    sold[rng.choice(700, 25, replace=False)] += 200
    odd = outliers(shop(700, y=sold))
    assert len(odd) == 25 and odd["far"].min() > 20 and odd["expected"].between(90, 110).all()


def test_one_unit_more_in_a_constant_series_is_not_odd():
    sold = np.full(200, 7.0)
    sold[100], sold[150] = 8.0, 60.0
    assert outliers(shop(200, y=sold))["y"].tolist() == [60.0]


# -- the bakery


def test_promotions_lift_what_they_promote(products):
    kinds = products.groupby(products["unique_id"].str[-3:])
    found = {name: calendar_effects(rows).set_index("name").loc["promo"] for name, rows in kinds}
    assert found["109"]["effect"] == pytest.approx(0.31, abs=0.02) and found["109"]["lower"] > 0.2
    assert found["110"]["lower"] < 0.16 < found["110"]["upper"] and found["110"]["lower"] > 0.1
    assert found["101"]["lower"] < 0 < found["101"]["upper"] and abs(found["101"]["effect"]) < 0.06


def test_holidays_of_the_bakery(bakery, bakery_effects):
    kinds = bakery_effects.groupby("kind").size()
    assert kinds["holiday"] == 15 and kinds["binary"] == 4
    assert bakery_effects["status"]["Reformation Day"] == "too few blocks for an interval"
    assert bakery_effects["lower"]["German Unity Day"] > 0.2
    rows = open_rows(bakery)
    rows = rows.assign(expected=usual(rows, rows["y"].to_numpy()))
    days = rows[rows["holiday"] != ""].groupby("ds")[["y", "expected"]].sum()
    times = days["y"] / days["expected"]
    assert 0.6 < times.min() < 0.8 and 1.7 < times.max() < 2


def test_week_and_trend_of_the_bakery(bakery, bakery_profile):
    chain = profile(load_sales(level="chain")).loc["chain"]
    assert chain["weekly"] == pytest.approx(0.8, abs=0.03) and chain["change"] == pytest.approx(-0.25, abs=0.01)
    assert -0.15 < chain["trend_lower"] < chain["trend_upper"] < -0.1
    late = bakery_profile[bakery_profile["born_late"] > 27]
    assert late["first"].astype(str).to_dict() == {"S05": "2018-05-03", "S22": "2018-06-07"}
    assert bakery_profile["longest_closed"].max() == 21 and len(bakery_profile) == 35


def test_outliers_of_the_bakery_have_reasons(bakery):
    odd = outliers(bakery)
    assert len(odd) < 0.02 * len(bakery) and odd["reason"].eq("unexplained").mean() < 0.25
    christmas_eve = odd[odd["ds"] == "2018-12-24"]
    assert len(christmas_eve) > 10 and christmas_eve["reason"].eq("day before Christmas Day").all()
    ahead = outliers(load_sales(stores=["S34"], horizon=7)).set_index("ds")["reason"]
    last = outliers(load_sales(stores=["S34"])).set_index("ds")["reason"]
    assert ahead["2019-04-30"] == "day before Labor Day" and last["2019-04-30"] == "unexplained"


def test_weather_joins_every_row(bakery):
    weather = load_weather()
    joined = bakery.merge(weather)
    assert len(joined) == len(bakery) and list(weather) == ["unique_id", "ds", "rain", "temperature"]
    assert not weather.duplicated(["unique_id", "ds"]).any() and weather.notna().all(axis=None)
    assert weather["rain"].between(0, 100).all() and weather["temperature"].between(-25, 40).all()
    assert weather.groupby("ds")["temperature"].nunique().max() <= 6
    check_history(joined)


# -- pictures


@pytest.fixture
def ax():
    figure = plt.figure()
    yield figure.subplots()
    plt.close(figure)


def test_plots_draw_on_what_they_are_given(ax):
    made = make_sales(3, series=2, days=800, horizon=7)
    for draw in (plot_history, plot_season, lambda rows, ax: plot_season(rows, ax, cycle="year")):
        ax.clear()
        assert draw(made, ax) is ax and ax.get_xlabel() and "units" in ax.get_ylabel() + "units"
        assert ax.has_data()
    ax.clear()
    assert plot_effects(calendar_effects(made), ax) is ax and ax.get_xlabel() and ax.get_ylabel()
    plt.figure()
    assert plot_history(made) is plt.gca()
    plt.close("all")


def test_plot_history_leaves_closed_days_out(ax):
    made = make_sales(3, series=1, days=50)
    made.loc[10, ["y", "closed"]] = [0.0, True]
    lines = {line.get_label(): line for line in plot_history(made, ax).get_lines()}
    assert np.isnan(lines["S01, day"].get_ydata()[10])
    assert len(lines["S01, closed"].get_xdata()) == made["closed"].sum()


def test_plot_history_refuses_a_crowd(ax):
    with pytest.raises(ValueError, match="history has 7 series, expected 6 at most"):
        plot_history(make_sales(3, series=7, days=50), ax)


def test_plot_season_shows_weekdays_or_years(ax):
    made = make_sales(3, series=2, days=800)
    plot_season(made, ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    ax.clear()
    assert [line.get_label() for line in plot_season(made, ax, cycle="year").get_lines()] == ["2022", "2023", "2024"]
    with pytest.raises(ValueError, match="cycle is 'month', expected 'week' or 'year'"):
        plot_season(made, ax, cycle="month")


def test_plot_effects_tells_sure_from_unsure_without_colour(ax):
    rows = [("sure", 0.3, 0.1, 0.5), ("unsure", 0.2, -0.1, 0.5), ("once", 0.4, np.nan, np.nan), ("none", *[np.nan] * 3)]
    table = pd.DataFrame(rows, columns=["name", "effect", "lower", "upper"]).assign(days=3)
    plot_effects(table, ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["unsure (3 d)", "sure (3 d)", "once (3 d)"]
    full, hollow, cross = (points.get_offsets().tolist() for points in ax.collections[1:4])
    assert (full, hollow, cross) == ([[0.3, 1]], [[0.2, 0]], [[0.4, 2]])


@pytest.mark.slow
def test_105_series_take_seconds(products):
    import time

    for call in PUBLIC:
        start = time.process_time()
        call(products)
        assert time.process_time() - start < 15, call.__name__
