"Promises of the exact solver: Prophet's model, Prophet's interval, Prophet's file; and Prophet where it cannot go."

import dataclasses
import subprocess
import sys
from contextlib import nullcontext
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from mlworkbook.backtesting import backtest
from mlworkbook.baselines import open_days
from mlworkbook.batch import run_batch
from mlworkbook.contract import check_forecast, check_scored, future, past
from mlworkbook.forecaster import Forecaster, Params, fit_series, predict_series, prophet_forecast, quiet, unfitted
from mlworkbook.registry import load_champion, log_panel, promote, rollback
from mlworkbook.sales import load_sales, make_sales, spoil_sales
from mlworkbook.solver import (
    SOLVER,
    Fitted,
    Handed,
    bend_days,
    columns,
    corners,
    cross_validation,
    fit_exact,
    layout,
    predict_exact,
    running_sums,
    solver_forecast,
)
from mlworkbook.tracking import log_backtest, start_run
from mlworkbook.value import UnitCosts
from solver_proof import TABLE, bakery, inputs, log_posterior, made, numbers, proof

PARAMS = Params()


def shop(days=400, **changes):
    "One made-up shop with a known month to come, and a column that is not 0 or 1."
    table = make_sales(7, series=1, days=days, horizon=31)
    place = np.arange(len(table))
    return table.assign(heat=20 + 9 * np.sin(place / 11) + place % 3, **changes)


def sums_of(series):
    plan = layout(series)
    return running_sums(plan, series, columns(plan, series))


@pytest.mark.parametrize("n", [60, 200, 330])
@pytest.mark.parametrize("bends", [0, 3, 25])
def test_running_sums_give_what_the_written_ramps_give(n, bends):
    sums = sums_of(shop())
    places = bend_days(n, Params(n_changepoints=bends))
    table = sums.table[:, :n]
    written = np.vstack([table, np.maximum(table[1] - table[1, places][:, None], 0)])
    np.testing.assert_allclose(sums.products(n, places), written @ written.T, rtol=1e-9, atol=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_corners_finds_the_lowest_point_from_anywhere(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 9))
    root = rng.normal(size=(size + 2, size)).cumsum(axis=1)  # neighbours look alike, as ramps do
    slopes, pull, price = root.T @ root, rng.normal(0, 5, size), rng.uniform(0.1, 5)

    def cost(parts):
        bend = parts[:size] - parts[size:]
        return bend @ slopes @ bend / 2 - pull @ bend + price * parts.sum()

    found = corners(slopes, pull, price, np.zeros(size))
    again = corners(slopes, pull, price, rng.normal(size=size))
    np.testing.assert_allclose(found, again, rtol=1e-6, atol=1e-8)
    other = minimize(cost, np.ones(2 * size), method="L-BFGS-B", bounds=[(0, None)] * 2 * size)
    assert cost(np.r_[np.maximum(found, 0), np.maximum(-found, 0)]) <= other.fun + 1e-9
    idle = found == 0
    assert (np.abs(pull - slopes @ found)[idle] <= price * (1 + 1e-6)).all()


def test_our_objective_is_that_of_prophets_own_program():
    series = shop()
    model = unfitted(series, PARAMS)
    data = model.preprocess(open_days(series)[["ds", "y", *model.extra_regressors]])
    for fit in (fit_exact, fit_series):
        k, m, delta, beta, sigma = numbers(fit(series, PARAMS))
        start = {"k": k, "m": m, "delta": delta, "beta": beta, "sigma_obs": sigma}
        with quiet():
            stan = model.stan_backend.model.log_prob(
                *model.stan_backend.prepare_data(start, dataclasses.asdict(data)), jacobian=False
            )
        assert stan.iloc[0, 0] == pytest.approx(log_posterior(data, k, m, delta, beta, sigma), rel=1e-6)


@pytest.mark.parametrize("step", [1e-5, 1e-3])
def test_nothing_around_the_optimum_is_higher(step):
    series = shop()
    fitted, data, rng = fit_exact(series, PARAMS), inputs(series, PARAMS), np.random.default_rng(0)
    top = log_posterior(data, *numbers(fitted))
    for _ in range(300):
        k, m, delta, beta, sigma = numbers(fitted)
        noise = [rng.normal(0, step, np.shape(part)) for part in (k, m, delta, beta)]
        moved = [part + move for part, move in zip((k, m, delta, beta), noise, strict=True)]
        assert log_posterior(data, *moved, sigma * np.exp(rng.normal(0, step))) < top


CASES = {
    "as it comes": (shop(), PARAMS),
    "two years": (shop(days=760), PARAMS),
    "no calendar": (shop()[["unique_id", "ds", "y"]].dropna(), PARAMS),
    "straight": (shop(), Params(n_changepoints=0)),
    "bends everywhere": (shop(), Params(n_changepoints=60, changepoint_range=1, changepoint_prior_scale=1)),
    "few days": (shop(days=70), Params(changepoint_range=0.3)),
    "narrow": (shop(), Params(interval_width=0.5, uncertainty_samples=50, seed=4)),
    "no interval": (shop(), Params(uncertainty_samples=0)),
    "other scales": (shop(), Params(seasonality_prior_scale=0.1, holidays_prior_scale=0.02)),
    "large": (shop().assign(y=lambda rows: rows["y"] * 1e7), PARAMS),
    "small": (shop().assign(y=lambda rows: rows["y"] / 1e7), PARAMS),
}


@pytest.mark.parametrize("horizon", [1, 14])
@pytest.mark.parametrize("case", CASES)
def test_prophet_reads_our_file_and_says_the_same(case, horizon, tmp_path):
    series, params = CASES[case]
    panel = Forecaster(params, SOLVER).fit(series)
    assert isinstance(panel.models["S01"], Fitted)
    told, folder = panel.predict(horizon), panel.save(tmp_path)
    assert Forecaster.load(folder, SOLVER).predict(horizon).equals(told)
    by_prophet = Forecaster.load(folder).predict(horizon)
    top = told["yhat"].max()
    numbers = [name for name in told if name.startswith("yhat")]
    np.testing.assert_allclose(told[numbers] / top, by_prophet[numbers] / top, atol=1e-9)
    assert told["status"].equals(by_prophet["status"])


@pytest.mark.parametrize("case", ["as it comes", "two years", "few days"])
def test_prophet_started_at_our_numbers_stays_there(case):
    series, params = CASES[case]
    ours, model = fit_exact(series, params), unfitted(series, params)
    start = dict(zip(("k", "m", "delta", "beta", "sigma_obs"), numbers(ours), strict=True))
    with quiet():
        model.fit(open_days(series)[["ds", "y", *model.extra_regressors]], init=start)
    days = future(series, 28)
    one, two = (tell(fit, past(series), days, params) for tell, fit in ((predict_exact, ours), (predict_series, model)))
    np.testing.assert_allclose(one["yhat"], two["yhat"], rtol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_never_lower_than_prophet(case):
    series, params = CASES[case]
    data = inputs(series, params)
    ours, theirs = (log_posterior(data, *numbers(fit(series, params))) for fit in (fit_exact, fit_series))
    assert ours >= theirs - 1e-6 * abs(theirs)


def test_we_read_what_prophet_wrote(tmp_path):
    panel = Forecaster().fit(shop())
    again = Forecaster.load(panel.save(tmp_path), SOLVER)
    assert isinstance(again.models["S01"], Fitted)
    pd.testing.assert_frame_equal(again.predict(14), panel.predict(14), rtol=1e-9)


@pytest.mark.parametrize(
    ("params", "days", "change", "reason"),
    [
        (Params(growth="flat"), 200, None, "flat growth"),
        (Params(seasonality_mode="multiplicative"), 200, None, "multiplicative seasons"),
        (Params(min_days=14, n_changepoints=40), 35, None, "35 open days for 35 coefficients"),
        (PARAMS, 200, lambda rows: 100.0 + rows["ds"].dt.dayofweek, "no noise"),
    ],
    ids=["flat", "multiplicative", "short", "no noise"],
)
def test_what_cannot_be_solved_goes_to_prophet_and_says_so(params, days, change, reason, tmp_path):
    series = make_sales(7, series=1, days=days, horizon=14)[["unique_id", "ds", "y"]]
    series["y"] = 50 + series["y"]
    if change:
        series["y"] = change(series).where(series["y"].notna())
    series = series.dropna()
    model = fit_exact(series, params)
    assert isinstance(model, Handed) and model.reason == reason
    panel = Forecaster(params, SOLVER).fit(series)
    told = check_forecast(panel.predict(14))
    assert told["status"].eq(f"Prophet: {reason}").all()
    assert told.drop(columns="status").equals(prophet_forecast(series, 14, params).drop(columns="status"))
    loaded = Forecaster.load(panel.save(tmp_path), SOLVER).predict(14)
    np.testing.assert_allclose(loaded["yhat"], told["yhat"], rtol=1e-9)


@pytest.mark.parametrize("fault", ["zeros", "constant"])
def test_doubtful_series_get_the_same_fallback(fault):
    rows = spoil_sales(make_sales(3, series=1, days=120, horizon=14), fault)
    pd.testing.assert_frame_equal(solver_forecast(rows, 14), prophet_forecast(rows, 14))


def test_the_forecast_repeats_and_leaves_the_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (solver_forecast(shop(), 14) for _ in range(2))
    assert one.equals(two) and (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert not one.equals(solver_forecast(shop(), 14, Params(seed=1)))


@pytest.mark.parametrize("huge", [1e12, 0.5])
def test_one_odd_value_does_not_stop_it(huge):
    rows = shop()
    rows.loc[100, ["y", "closed"]] = huge, False
    with pytest.warns(UserWarning, match="times the usual") if huge > 1 else nullcontext():
        check_forecast(solver_forecast(rows, 14))


@pytest.fixture(scope="module")
def chain():
    "A store as usual, one that closes on Sundays, one that opened late, and a column that starts to vary late."
    rows = load_sales(stores=["S02", "S05", "S31"])
    return rows.assign(late=(rows["ds"] > "2018-12-01") & (rows["ds"].dt.day < 8)).astype({"late": float})


@pytest.mark.parametrize("params", [PARAMS, Params(n_changepoints=0, uncertainty_samples=0, min_days=300)], ids=str)
def test_all_cutoffs_at_once_are_the_cutoffs_one_by_one(chain, params):
    def usual(history, horizon):
        return solver_forecast(history, horizon, params)

    spans = {"initial": 730, "period": 157}
    table = check_scored(cross_validation(chain, 14, params=params, **spans))
    slow = backtest(chain, {"solver": usual}, 14, **spans).of("solver")
    assert {"model", "closed"} < set(table["status"]) and table["status"].str.startswith("fallback").any()
    pd.testing.assert_frame_equal(table[list(slow.drop(columns="model"))], slow.drop(columns="model"), rtol=1e-6)


def test_nights_of_another_model_are_asked_of_prophet(chain):
    few = chain[chain["unique_id"] == "S31"]
    table = cross_validation(few, 14, period=400, params=Params(growth="flat"))
    assert table["status"].isin(["Prophet: flat growth", "closed"]).all() and table["cutoff"].nunique() == 2


def test_a_later_day_changes_no_earlier_night(chain):
    changed = chain.assign(y=chain["y"].mask((chain["ds"] > "2019-03-20") & ~chain["closed"], 9.0))
    one, two = (cross_validation(rows, 14, period=90) for rows in (chain, changed))
    numbers = ["yhat", "yhat_lower", "yhat_upper"]
    early = one["cutoff"] < "2019-03-20"
    np.testing.assert_allclose(one.loc[early, numbers], two.loc[early, numbers], rtol=1e-9, atol=1e-9)
    assert early.any() and not np.allclose(one.loc[~early, numbers], two.loc[~early, numbers])


@pytest.mark.parametrize(
    "wrong", [{"horizon": 0}, {"horizon": 14, "period": 0}, {"horizon": 14, "initial": 5000}], ids=str
)
def test_impossible_nights_are_refused(chain, wrong):
    with pytest.raises(ValueError, match="expected|fewer than initial"):
        cross_validation(chain, **wrong)


def test_it_needs_no_prophet():
    code = (
        "import sys; from mlworkbook.sales import make_sales; from mlworkbook.solver import *; "
        "rows = make_sales(1, series=2, days=200, horizon=7); solver_forecast(rows, 7); cross_validation(rows, 7, "
        "initial=100); print('prophet' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_nightly_batch_takes_it(chain, tmp_path):
    done = run_batch(chain.drop(columns="late"), solver_forecast, 7, tmp_path, model="solver", date="2019-04-01")
    assert done.state == "written" and done.rows == 3 * 7


@pytest.mark.slow
def test_the_registry_takes_it_and_rolls_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    history, costs = make_sales(5, series=2, days=300, horizon=14), UnitCosts(over_eur=0.25, under_eur=0.5)
    scored = cross_validation(history, 14, initial=200).assign(model="solver")
    worse = scored.assign(model="cheap", yhat=0.0, yhat_lower=0.0)
    for params in (Params(), Params(seed=2)):
        with start_run("solver", experiment="shop"):
            log_backtest(scored, past(history), costs=costs)
            log_panel(Forecaster(params, SOLVER).fit(history), "shop")
        rivals = [scored, worse, scored.assign(model="champion")]
        assert promote("shop", pd.concat(rivals), costs, model="solver", baseline="cheap").promoted
    champion = load_champion("shop", engine=SOLVER)
    assert champion.params.seed == 2 and isinstance(champion.models["S01"], Fitted)
    np.testing.assert_allclose(champion.predict(14)["yhat"], load_champion("shop").predict(14)["yhat"], rtol=1e-8)
    assert rollback("shop") == "1" and load_champion("shop", engine=SOLVER).params.seed == 0


@pytest.fixture(scope="module")
def compared():
    "Every fourth series fitted by Prophet, by Prophet again and by the solver; the published table has them all."
    return proof(dict(islice((bakery() | made()).items(), 0, None, 4)))


# half of the young noisy made-up series are further apart than this: there Prophet stops twice at the same place, short
# of the top, and hardly differs from itself
LIMITS = {
    "bakery": {"half": 0.5, "three of four": 0.75, "nine of ten": 0.9, "worst": 1.0},
    "made": {"nine of ten": 0.9, "worst": 1.0},
}


def holds(table):
    "The promises, one by one."
    best = table[["posterior_prophet", "posterior_again"]].max(axis=1)
    yield "as high", (table["posterior_solver"] >= best - 1e-6 * best.abs()).all()
    for kind, rows in table.groupby(np.where(table["series"].str.startswith("bakery"), "bakery", "made")):
        for name, share in LIMITS[kind].items():
            ours, itself = rows["apart_solver"].quantile(share), rows["apart_again"].quantile(share)
            yield f"{kind} {name} apart", ours <= 3 * itself
        for figure, weight, limit in (("wape", "sold", 0.001), ("coverage", "told", 0.01)):
            prophet, solver = (
                np.average(rows[f"{figure}_{who}"], weights=rows[weight]) for who in ("prophet", "solver")
            )
            yield f"{kind} {figure}", abs(prophet - solver) <= limit


@pytest.mark.slow
def test_it_is_the_same_model_on_every_fourth_series(compared):
    assert len(compared) == 102 and compared["told"].min() > 0
    assert [name for name, right in holds(compared) if not right] == []


def test_the_published_table_keeps_the_promises():
    table = pd.read_csv(TABLE)
    assert len(table) == 405
    assert list(table["series"]) == [*bakery(), *made()]
    assert [name for name, right in holds(table) if not right] == []
