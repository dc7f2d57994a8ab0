"Metrics against a maintained library, and the rules that no library decides for us."

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from utilsforecast import losses

from mlworkbook.contract import seen
from mlworkbook.metrics import bias, coverage, mase, pinball, rmse, score, wape
from mlworkbook.sales import make_sales
from mlworkbook.value import BAKERY_COSTS, UnitCosts, error_cost

LESSON = Path(__file__).parent.parent / "nbs/play/22_metrics.ipynb"


def make_scored(seed=0, series=4, days=21):
    "Random scored frame with an interval, and the history it was forecast from."
    rng = np.random.default_rng(seed)
    names, dates = [f"S{n:02}" for n in range(series)], pd.date_range("2024-01-01", periods=200)
    history = pd.MultiIndex.from_product([names, dates], names=["unique_id", "ds"]).to_frame(index=False)
    history["y"] = rng.gamma(20, 5, len(history)).round()
    cutoff = history["ds"].max() - pd.Timedelta(days=days)
    table = history[history["ds"] > cutoff].reset_index(drop=True).assign(cutoff=cutoff)
    table["yhat"] = table["y"] * rng.uniform(0.7, 1.3, len(table))
    return table.assign(yhat_lower=table["yhat"] - 20, yhat_upper=table["yhat"] + 15), history[history["ds"] <= cutoff]


@pytest.mark.parametrize("seed", range(5))
def test_every_measure_equals_utilsforecast(seed):
    table, history = make_scored(seed)
    plain = table.drop(columns="cutoff").rename(columns={"yhat_lower": "yhat-lo-80", "yhat_upper": "yhat-hi-80"})
    mean_sales = plain.groupby("unique_id")["y"].mean().to_numpy()
    expected = {
        wape: losses.wape(plain, ["yhat"])["yhat"],
        rmse: losses.rmse(plain, ["yhat"])["yhat"],
        bias: losses.bias(plain, ["yhat"])["yhat"] / mean_sales,
        coverage: losses.coverage(plain, ["yhat"], level=80)["yhat"],
        lambda days: pinball(days, 0.9, column="yhat_upper"): losses.quantile_loss(plain, {"q": "yhat-hi-80"}, q=0.9)[
            "q"
        ],
        lambda days: mase(days, history): losses.mase(plain, ["yhat"], seasonality=7, train_df=history)["yhat"],
    }
    for measure, theirs in expected.items():
        ours = [measure(days) for _, days in table.groupby("unique_id")]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_table_per_series_and_cutoff_equals_utilsforecast(seed):
    table, history = make_scored(seed, series=3, days=60)
    first = table["cutoff"].iloc[0]
    nights = [first + pd.Timedelta(days=20 * number) for number in range(3)]
    whole = pd.concat([history, table[["unique_id", "ds", "y"]]])
    parts = []
    for night in nights:
        days = table[table["ds"].between(night + pd.Timedelta(days=1), night + pd.Timedelta(days=14))]
        parts.append(days.assign(cutoff=night))
    scored = pd.concat(parts, ignore_index=True)
    ours = score(scored, by=("unique_id", "cutoff"), history=whole, level=0.8, costs=BAKERY_COSTS)
    assert len(ours) == 9 and (ours["days"] == 14).all()
    plain = scored.rename(columns={"yhat_lower": "yhat-lo-80", "yhat_upper": "yhat-hi-80"})
    keys = ["unique_id", "cutoff"]

    def theirs(found):
        return found.sort_values(keys)[found.columns.difference([*keys, "quantile"])[0]].to_numpy()

    mean_sales = scored.groupby(keys)["y"].mean().to_numpy()
    lower = theirs(losses.quantile_loss(plain, {"q": "yhat-lo-80"}, q=0.1))
    upper = theirs(losses.quantile_loss(plain, {"q": "yhat-hi-80"}, q=0.9))
    expected = {
        "wape": theirs(losses.wape(plain, ["yhat"])),
        "rmse": theirs(losses.rmse(plain, ["yhat"])),
        "bias": theirs(losses.bias(plain, ["yhat"])) / mean_sales,
        "coverage": theirs(losses.coverage(plain, ["yhat"], level=80)),
        "pinball": (lower + upper) / 2,
    }
    scaled = []
    for night in nights:
        days = plain[plain["cutoff"] == night].drop(columns="cutoff")
        found = losses.mase(days, ["yhat"], seasonality=7, train_df=whole[whole["ds"] <= night])
        scaled.append(found.assign(cutoff=night))
    expected["mase"] = theirs(pd.concat(scaled))
    for name, values in expected.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-12, err_msg=name)
    overall = score(scored, by=(), history=whole, level=0.8).iloc[0]
    for name in ("mase", "pinball", "coverage"):
        assert overall[name] == pytest.approx(ours[name].mean())
    costs = error_cost(scored, BAKERY_COSTS, by=("unique_id", "cutoff"))["cost_eur"]
    np.testing.assert_allclose(ours["cost_eur"], costs)


def test_bread_behind_a_locked_door_is_paid_for():
    days = pd.DataFrame({"model": "a", "y": [10.0, 0.0], "yhat": [10.0, 8.0], "closed": [False, True]})
    measured = score(days, costs=UnitCosts(over_eur=0.25, under_eur=0.5)).iloc[0]
    assert (measured["days"], measured["wape"], measured["cost_eur"]) == (1, 0.0, 2.0)


def odd_groups():
    "Series of one day: a usual one, one that sold nothing, one that was closed."
    return pd.DataFrame(
        {
            "unique_id": ["S01", "S02", "S03"],
            "ds": pd.Timestamp("2024-01-08"),
            "cutoff": pd.Timestamp("2024-01-07"),
            "y": [10.0, 0.0, 0.0],
            "yhat": [8.0, 3.0, 4.0],
            "yhat_lower": [7.0, 1.0, 0.0],
            "yhat_upper": [12.0, 5.0, 6.0],
            "closed": [False, False, True],
        }
    )


def test_groups_without_sales_keep_their_row_and_lose_their_ratios():
    table = score(odd_groups(), by=("unique_id",), level=0.8, costs=BAKERY_COSTS).set_index("unique_id")
    assert table["days"].tolist() == [1, 1, 0]
    assert table.loc["S01", ["wape", "bias", "rmse", "coverage"]].tolist() == [0.2, -0.2, 2.0, 1.0]
    assert table.loc["S02", ["wape", "bias"]].isna().all() and table.loc["S02", "rmse"] == 3.0
    assert table.loc["S02", "coverage"] == 0.0 and table.loc["S02", "pinball"] == pytest.approx((0.9 + 0.5) / 2)
    assert table.loc["S03"].drop(["days", "cost_eur"]).isna().all()
    assert table["cost_eur"].tolist() == [1.0, 0.75, 1.0]


@pytest.mark.parametrize("groups", [[1], [2], [1, 2]])
def test_nothing_sold_at_all_is_measured_too(groups):
    table = score(odd_groups().iloc[groups], by=("unique_id",), costs=BAKERY_COSTS)
    assert table[["wape", "bias"]].isna().all(axis=None) and table["cost_eur"].gt(0).all()


def test_no_row_is_refused():
    with pytest.raises(ValueError, match="0 rows, expected at least 1"):
        score(odd_groups().iloc[:0], by=("unique_id",))


def test_limits_are_all_there_or_none():
    table, _ = make_scored(series=2)
    half = table.assign(yhat_lower=table["yhat_lower"].where(table["unique_id"] == "S00"))
    half["yhat_upper"] = table["yhat_upper"].where(table["unique_id"] == "S00")
    measured = score(half, by=("unique_id",), level=0.8).set_index("unique_id")[["coverage", "pinball"]]
    assert measured.loc["S00"].notna().all() and measured.loc["S01"].isna().all()
    for column in ("yhat_lower", "yhat_upper"):
        some = table.assign(**{column: table[column].where(table.index != 3)})
        with pytest.raises(ValueError, match="1 rows without .*first: .*S00"):
            score(some, by=())


def test_order_and_labels_of_rows_do_not_matter():
    table, history = make_scored()
    table["closed"] = table.index % 5 == 0
    table["y"] = table["y"].where(~table["closed"], 0.0)
    options = {"by": ("unique_id",), "history": history, "level": 0.8, "costs": BAKERY_COSTS}
    expected = score(table, **options)
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(score(shuffled, **options), expected)
    shuffled.index = [7] * len(shuffled)
    before = shuffled.copy()
    pd.testing.assert_frame_equal(score(shuffled, **options), expected)
    pd.testing.assert_frame_equal(shuffled, before)


def lesson_code(*cells):
    "Code of some cells of the lesson."
    found = {cell["id"]: "".join(cell["source"]) for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"]}
    return "\n".join(found[cell] for cell in cells)


def test_every_measure_of_the_lesson_has_its_own_winner():
    (cell,) = [one for one in json.loads(LESSON.read_text(encoding="utf-8"))["cells"] if one["id"] == "me-winners"]
    rows = [row.split(maxsplit=1) for row in cell["outputs"][0]["data"]["text/plain"][1:]]
    winners = {measure: winner.strip() for measure, winner in rows}
    assert set(winners) == {"wape", "bias", "rmse", "coverage", "pinball", "mase", "cost_eur"}
    assert len(set(winners.values())) == 7


def test_nobody_of_the_cast_sees_a_day_after_the_cutoff():
    history = make_sales(seed=3, series=4, days=420)
    cutoff = history["ds"].max() - pd.Timedelta(days=20)

    def told(history, cheat=False):
        names = {"pd": pd, "np": np, "seen": seen, "history": history, "BAKERY_COSTS": BAKERY_COSTS}
        if cheat:
            names["seen"] = lambda history, cutoff, horizon: history[
                history["ds"] <= cutoff + pd.Timedelta(days=horizon)
            ]
        exec(lesson_code("me-cast", "me-answers"), names)
        return pd.concat(names["answers"](cutoff))

    later = history["ds"] > cutoff
    scrambled = history.assign(y=history["y"].where(~later, history["y"] * 3 + 1))
    pd.testing.assert_frame_equal(told(scrambled), told(history))
    assert told(history)["model"].nunique() == 7
    assert not told(scrambled, cheat=True)["yhat"].equals(told(history, cheat=True)["yhat"])


sales = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=30)


@given(sales, st.floats(0.01, 100))
def test_ratios_do_not_change_with_the_unit(pairs, factor):
    table = pd.DataFrame(pairs, columns=["y", "yhat"])
    if table["y"].sum() < 1e-3:
        return
    scaled = table * factor
    assert wape(scaled) == pytest.approx(wape(table), rel=1e-6, abs=1e-9)
    assert bias(scaled) == pytest.approx(bias(table), rel=1e-6, abs=1e-9)
    assert abs(bias(table)) <= wape(table) * (1 + 1e-9)


@given(sales)
def test_perfect_is_zero_and_worse_is_larger(pairs):
    table = pd.DataFrame(pairs, columns=["y", "yhat"])
    perfect = table.assign(yhat=table["y"])
    assert rmse(perfect) == 0 and pinball(perfect, 0.3) == 0
    assert rmse(table.assign(yhat=table["y"] + 5)) < rmse(table.assign(yhat=table["y"] + 9))


def test_mase_looks_at_no_day_after_the_cutoff():
    table, history = make_scored()
    later = table[["unique_id", "ds"]].assign(y=1e9)
    assert mase(table, pd.concat([history, later])) == mase(table, history)


def test_mase_scales_each_series_by_itself():
    table, history = make_scored(series=2)
    large = history["y"].where(history["unique_id"] != "S01", history["y"] * 50)
    loud = table["y"].where(table["unique_id"] != "S01", table["y"] * 50)
    loudly = table["yhat"].where(table["unique_id"] != "S01", table["yhat"] * 50)
    assert mase(table.assign(y=loud, yhat=loudly), history.assign(y=large)) == pytest.approx(mase(table, history))


def test_closed_days_count_only_when_something_was_sold():
    days = pd.DataFrame({"y": [10.0, 0.0], "yhat": [8.0, 0.0], "yhat_lower": [9.0, 0.0], "yhat_upper": [12.0, 0.0]})
    quiet = score(days.assign(status=["model", "closed"]), by=()).iloc[0]
    assert (quiet["days"], quiet["coverage"], quiet["wape"]) == (1, 1.0, 0.2)
    surprise = score(days.assign(y=[10.0, 5.0], closed=[False, True]), by=()).iloc[0]
    assert (surprise["days"], surprise["coverage"]) == (2, 0.5)


def test_score_has_a_row_for_each_group():
    table, history = make_scored()
    both = pd.concat([table.assign(model="a"), table.assign(model="b", yhat=table["y"])])
    per_model = score(both, history=history).set_index("model")
    assert per_model.loc["b", ["wape", "bias", "rmse", "mase"]].eq(0).all()
    assert per_model.loc["a", "wape"] == wape(table)
    assert list(score(both, by=("model", "unique_id"))["unique_id"]) == ["S00", "S01", "S02", "S03"] * 2


def test_score_keeps_a_missing_interval_apart():
    table, _ = make_scored(series=1)
    mixed = pd.concat(
        [table.assign(model="with"), table.drop(columns=["yhat_lower", "yhat_upper"]).assign(model="without")]
    )
    measured = score(mixed).set_index("model")["coverage"]
    assert 0 <= measured["with"] <= 1 and np.isnan(measured["without"])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"y": [1.0]}), "no column 'yhat'"),
        (pd.DataFrame({"y": [], "yhat": []}), "0 rows"),
        (pd.DataFrame({"unique_id": ["S02"], "y": [np.nan], "yhat": [1.0]}), "1 rows without y or yhat, first: .*S02"),
        (pd.DataFrame({"y": [0.0], "yhat": [1.0]}), "needs some sales"),
    ],
)
def test_what_cannot_be_measured_is_refused(table, message):
    for measure in (wape, bias):
        with pytest.raises(ValueError, match=message):
            measure(table)


@pytest.mark.parametrize("quantile", [0, 1, 90, -0.1, float("nan")])
def test_pinball_refuses_what_is_no_ratio(quantile):
    with pytest.raises(ValueError, match="expected a ratio between 0 and 1"):
        pinball(pd.DataFrame({"y": [1.0], "yhat": [1.0]}), quantile)


def test_mase_names_the_series_without_a_scale():
    table, history = make_scored()
    with pytest.raises(ValueError, match="no scale for S02 at"):
        mase(table, history[(history["unique_id"] != "S02") | (history.groupby("unique_id").cumcount() < 3)])
    with pytest.raises(ValueError, match="no scale for S00"):
        mase(table, history.assign(y=5.0))


NEEDS = {  # what each measure reads
    wape: ["y", "yhat"],
    bias: ["y", "yhat"],
    rmse: ["y", "yhat"],
    coverage: ["y", "yhat_lower", "yhat_upper"],
    lambda days: pinball(days, 0.9, column="yhat_upper"): ["y", "yhat_upper"],
    lambda days: mase(days, make_scored()[1]): ["unique_id", "cutoff", "y", "yhat"],
    lambda days: score(days, by=("unique_id",)): ["unique_id", "y", "yhat"],
}


@pytest.mark.parametrize(("measure", "column"), [(measure, name) for measure in NEEDS for name in NEEDS[measure]])
def test_a_column_that_is_missing_or_has_a_hole_is_named(measure, column):
    table, _ = make_scored()
    with pytest.raises(ValueError, match=f"^no column '{column}' in .*; a scored frame has `y` and `yhat`$"):
        measure(table.drop(columns=column))
    table[column] = table[column].where(table.index != 30)
    with pytest.raises(ValueError, match=f"^1 rows without .*{column}.*; score only forecast days that have sales$"):
        measure(table)


def test_the_place_of_a_hole_is_a_series_and_a_day():
    table, _ = make_scored()
    table.loc[30, "y"] = np.nan
    series, day = table.loc[30, ["unique_id", "ds"]]
    with pytest.raises(ValueError, match=f"'unique_id': '{series}', 'ds': {re.escape(repr(day))}"):
        wape(table)


@pytest.mark.parametrize("index", [[7] * 84, range(500, 584)])
def test_a_repeated_index_changes_nothing(index):
    table, history = make_scored()
    expected = score(table, history=history, by=("unique_id",))
    pd.testing.assert_frame_equal(score(table.set_axis(index), history=history, by=("unique_id",)), expected)
    assert mase(table.set_axis(index), history.set_axis([3] * len(history))) == pytest.approx(mase(table, history))


def test_series_that_sell_fractions_of_a_unit_have_a_scale():
    table, history = make_scored()
    small = [
        frame.assign(**{name: frame[name] / 1e4 for name in ("y", "yhat") if name in frame})
        for frame in (table, history)
    ]
    assert mase(*small) == pytest.approx(mase(table, history))
    assert score(small[0], by=()).loc[0, "wape"] == pytest.approx(wape(table))
