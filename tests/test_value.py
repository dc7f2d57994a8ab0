"Promises of `value`: the one cost formula of the package, return, break-even and sensitivity."

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlworkbook.value import (
    BAKERY_COSTS,
    UnitCosts,
    best_quantity,
    break_even,
    error_cost,
    plot_sensitivity,
    roi,
    sensitivity,
    yearly_cost,
)

calm = settings(deadline=None, derandomize=True, max_examples=60)
units = st.integers(0, 4000).map(lambda quarter: quarter / 4)
prices = st.integers(1, 64).map(lambda eighth: eighth / 8)
unit_costs = st.builds(UnitCosts, over_eur=prices, under_eur=prices)


@st.composite
def scored_frames(draw):
    "A few series over a few days."
    rows = draw(st.lists(st.tuples(st.sampled_from(["S02", "S03", "S05"]), units, units), min_size=1, max_size=30))
    frame = pd.DataFrame(rows, columns=["unique_id", "y", "yhat"])
    return frame.assign(ds=pd.Timestamp("2019-01-01") + pd.to_timedelta(np.arange(len(frame)) % 7, unit="D"))


def total(scored, costs):
    "Cost of everything."
    return error_cost(scored, costs, by=())["cost_eur"].item()


@calm
@given(scored_frames(), unit_costs)
def test_cost_is_what_a_loop_says(scored, costs):
    paid = dict.fromkeys(sorted(set(scored["unique_id"])), 0.0)
    for row in scored.itertuples():
        over = row.yhat - row.y
        paid[row.unique_id] += over * costs.over_eur if over > 0 else -over * costs.under_eur
    result = error_cost(scored, costs)
    assert list(result["unique_id"]) == list(paid)
    np.testing.assert_allclose(result["cost_eur"], list(paid.values()))
    np.testing.assert_allclose(result["over_eur"] + result["under_eur"], result["cost_eur"])


@calm
@given(scored_frames(), unit_costs)
def test_cost_is_never_negative_and_zero_when_perfect(scored, costs):
    assert (error_cost(scored, costs)[["over_eur", "under_eur", "cost_eur"]] >= 0).all(axis=None)
    assert total(scored.assign(yhat=scored["y"]), costs) == 0
    wrong = scored["y"].ne(scored["yhat"]).any()
    assert (total(scored, costs) > 0) == wrong


@calm
@given(scored_frames(), unit_costs, unit_costs, prices)
def test_cost_is_linear_in_prices(scored, one, two, factor):
    both = UnitCosts(one.over_eur + factor * two.over_eur, one.under_eur + factor * two.under_eur)
    assert total(scored, both) == pytest.approx(total(scored, one) + factor * total(scored, two))


@calm
@given(scored_frames(), unit_costs)
def test_cost_adds_up_over_series(scored, costs):
    by_series = error_cost(scored, costs)
    assert by_series["days"].sum() == len(scored) == error_cost(scored, costs, by=())["days"].item()
    assert by_series["cost_eur"].sum() == pytest.approx(total(scored, costs))
    parts = [total(part, costs) for _, part in scored.groupby("unique_id")]
    assert sum(parts) == pytest.approx(total(scored, costs))


@calm
@given(scored_frames(), unit_costs, st.integers(0, 20).map(lambda step: step / 20))
def test_smaller_errors_cost_in_proportion(scored, costs, reduction):
    better = scored.assign(yhat=scored["y"] + (scored["yhat"] - scored["y"]) * (1 - reduction))
    saving = sensitivity(scored, {"these": costs}, [reduction])["saving_eur"].item()
    assert yearly_cost(scored, costs) - yearly_cost(better, costs) == pytest.approx(saving, abs=1e-6)


@calm
@given(st.lists(units, min_size=1, max_size=40), unit_costs)
def test_the_quantile_minimises_cost(demand, costs):
    days = pd.DataFrame({"unique_id": "S02", "y": demand})
    best = best_quantity(days["y"], costs)
    assert best in demand
    plans = [best, *demand, *np.linspace(0, max(demand) + 1, 23)]
    every = pd.concat([days.assign(yhat=plan, model=number) for number, plan in enumerate(plans)])
    paid = error_cost(every, costs, by=("model",))["cost_eur"]
    assert paid[0] <= paid.min() + 1e-9


@pytest.mark.parametrize(("over", "under"), [(0.25, 0.5), (1.0, 0.2), (0.3, 0.3)])
def test_the_quantile_holds_on_days_not_seen(over, under):
    rng, costs = np.random.default_rng(7), UnitCosts(over, under)
    seen, unseen = rng.gamma(6, 30, 4000), pd.DataFrame({"y": rng.gamma(6, 30, 4000)})
    best = best_quantity(seen, costs)
    assert (unseen["y"] <= best).mean() == pytest.approx(costs.quantile, abs=0.03)
    for other in (0.7 * best, 0.85 * best, 1.15 * best, 1.3 * best):
        assert total(unseen.assign(yhat=best), costs) < total(unseen.assign(yhat=other), costs)


def test_extreme_prices_bake_the_least_or_the_most():
    assert best_quantity([3, 1, 2], UnitCosts(1, 0)) == 1
    assert best_quantity([3, 1, 2], UnitCosts(0, 1)) == 3


def test_groups_keep_their_order_columns_and_types():
    days = pd.DataFrame(
        {"unique_id": ["S03", "S02"] * 2, "model": ["b", "b", "a", "a"], "y": [4, 4, 4, 4], "yhat": [5, 3, 4, 6]}
    )
    before = days.copy()
    result = error_cost(days, BAKERY_COSTS, by=("model", "unique_id"))
    assert list(result) == ["model", "unique_id", "days", "over_eur", "under_eur", "cost_eur"]
    assert result["cost_eur"].tolist() == [0.5, 0.0, 0.5, 0.25]
    assert result["days"].dtype == error_cost(days[:2], BAKERY_COSTS, by=())["days"].dtype == int
    assert error_cost(days, BAKERY_COSTS, by="model")["cost_eur"].tolist() == [0.5, 0.75]
    pd.testing.assert_frame_equal(days, before)


def test_a_year_counts_days_once_and_cutoffs_apart():
    days = pd.DataFrame({"unique_id": ["S02", "S03"], "ds": pd.Timestamp("2019-04-01"), "y": 10.0, "yhat": 12.0})
    assert yearly_cost(days, BAKERY_COSTS) == 365 * 1.0
    cutoffs = pd.concat([days.assign(cutoff=pd.Timestamp(day)) for day in ("2019-03-30", "2019-03-31")])
    assert yearly_cost(cutoffs, BAKERY_COSTS) == 365 * 1.0


good = pd.DataFrame({"unique_id": ["S02", "S03"], "ds": pd.Timestamp("2019-04-01"), "y": 10.0, "yhat": 12.0})


@pytest.mark.parametrize(
    ("scored", "message"),
    [
        (good.drop(columns="y"), r"no column \['y'\], it has \['unique_id', 'ds', 'yhat'\]; join"),
        (good.drop(columns=["unique_id", "yhat"]), r"no column \['unique_id', 'yhat'\]"),
        (good[:0], "no rows"),
        (
            good.assign(y=[np.nan, 1]),
            "y is nan in 1 of 2 rows, expected .*; first: unique_id S02, ds 2019-04-01;",
        ),
        (good.assign(yhat=[1, np.inf]), "yhat is inf in 1 of 2 rows.*first: unique_id S03"),
        (good.assign(yhat=["3", "many"]), "yhat is many"),
        (good.assign(y=pd.array([1, pd.NA], dtype="Int64")), "y is <NA>"),
        (good.assign(model=["a", "b"]), "holds 2 models and `by` is"),
    ],
)
def test_rows_without_a_price_are_refused(scored, message):
    with pytest.raises(ValueError, match=message):
        error_cost(scored, BAKERY_COSTS)


def test_numbers_of_any_type_are_priced():
    assert total(good.assign(y=pd.array([10, 10], dtype="Int64"), yhat=["12", "12"]), BAKERY_COSTS) == 1.0


@pytest.mark.parametrize("price", [-0.25, math.nan, math.inf, "0.25", None])
def test_impossible_prices_are_refused(price):
    with pytest.raises(ValueError, match="over_eur is .*expected EUR per unit"):
        UnitCosts(price, 0.5)
    with pytest.raises(ValueError, match="under_eur is "):
        UnitCosts(0.5, price)


def test_prices_cannot_be_both_zero_or_changed():
    with pytest.raises(ValueError, match="both 0"):
        UnitCosts(0, 0)
    with pytest.raises(AttributeError):
        BAKERY_COSTS.over_eur = 1.0
    assert BAKERY_COSTS.quantile == pytest.approx(2 / 3)


@pytest.mark.parametrize("demand", [[], [1.0, np.nan]])
def test_quantity_needs_known_days(demand):
    with pytest.raises(ValueError, match="expected >= 1 day"):
        best_quantity(pd.Series(demand, dtype=float), BAKERY_COSTS)


@calm
@given(st.floats(0, 1e6), st.floats(1, 1e5), st.floats(0, 1e5))
def test_return_is_zero_at_break_even(saving, build, run):
    days = break_even(saving, build_eur=build, run_eur=run)
    if days == math.inf:
        assert saving <= run
    else:
        assert days == int(days) >= 1
        assert roi(saving, build_eur=build, run_eur=run, years=days / 365) >= -1e-9
        if days > 1:
            assert roi(saving, build_eur=build, run_eur=run, years=(days - 1) / 365) <= 1e-9


@pytest.mark.parametrize(
    "wrong",
    [{"build_eur": -1.0}, {"build_eur": 1.0, "run_eur": -1.0}, {"build_eur": 1.0, "years": 0}, {"build_eur": math.nan}],
)
def test_projects_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="expected a known saving, costs >= 0 and years > 0"):
        roi(100.0, **wrong)


def test_a_free_project_or_an_unknown_saving_has_no_return():
    with pytest.raises(ValueError, match="both 0"):
        break_even(100.0, build_eur=0.0)
    with pytest.raises(ValueError, match="saving nan"):
        roi(math.nan, build_eur=1.0)


def test_sensitivity_wants_ratios():
    with pytest.raises(ValueError, match="reduction is 15, expected a ratio 0-1"):
        sensitivity(good, {"these": BAKERY_COSTS}, [0.1, 15])


def test_plot_has_a_line_for_each_pair_of_costs_and_units():
    table = sensitivity(good, {"low": UnitCosts(0.1, 0.2), "high": BAKERY_COSTS}, [0.1, 0.2])
    axes = plt.figure().subplots(2)
    assert plot_sensitivity(table, axes[0]) is axes[0]
    assert [line.get_label() for line in axes[0].lines] == ["low", "high"]
    assert len({line.get_linestyle() for line in axes[0].lines}) == 2
    assert "%" in axes[0].get_xlabel() and "EUR" in axes[0].get_ylabel()
    np.testing.assert_allclose(axes[0].lines[1].get_ydata() * 1000, table["saving_eur"][2:])
    plt.close("all")
