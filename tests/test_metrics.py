"Metrics against a maintained library, and the rules that no library decides for us."

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from utilsforecast import losses

from mlworkbook.metrics import bias, coverage, mase, pinball, rmse, score, wape


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
