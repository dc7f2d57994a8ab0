"Promises of the forecaster: guards, closed days, seeds, saving and reading back."

import json
import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlworkbook import forecaster
from mlworkbook.baselines import seasonal_naive
from mlworkbook.contract import check_forecast, last_day, past
from mlworkbook.forecaster import PROPHET, Forecaster, Params, doubt, fit_series, prophet_forecast
from mlworkbook.sales import load_sales, make_sales, spoil_sales


@pytest.fixture(scope="module")
def history():
    "Three made-up shops: the second closes on Sundays, the third is too young."
    table = make_sales(seed=3, series=3, days=120, horizon=14)
    sundays = (table["unique_id"] == "S02") & table["ds"].dt.weekday.eq(6)
    table.loc[sundays, "closed"] = True
    table.loc[sundays & table["y"].notna(), "y"] = 0.0
    young = (table["unique_id"] == "S03") & (table["ds"] < last_day(table) - pd.Timedelta(days=20))
    return table[~young].reset_index(drop=True)


@pytest.fixture(scope="module")
def panel(history):
    return Forecaster().fit(history)


@pytest.mark.parametrize(
    "wrong",
    [
        {"changepoint_prior_scale": 0},
        {"changepoint_prior_scale": float("nan")},
        {"seasonality_prior_scale": -1.0},
        {"holidays_prior_scale": float("inf")},
        {"interval_width": 1},
        {"interval_width": 80},
        {"changepoint_range": 0},
        {"n_changepoints": -1},
        {"n_changepoints": 2.5},
        {"uncertainty_samples": True},
        {"min_days": 13},
        {"seed": -1},
        {"growth": "logistic"},
        {"seasonality_mode": "both"},
    ],
    ids=str,
)
def test_settings_are_checked(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^{name} is .*, expected "):
        Params(**wrong)


def test_settings_are_frozen_and_reach_prophet(history):
    with pytest.raises(AttributeError):
        Params().seed = 1
    chosen = Params(n_changepoints=3, seasonality_mode="multiplicative", interval_width=0.5, uncertainty_samples=10)
    model = fit_series(history[history["unique_id"] == "S01"], chosen)
    assert (model.n_changepoints, model.seasonality_mode, model.interval_width) == (3, "multiplicative", 0.5)
    assert {"min_days", "seed"}.isdisjoint(chosen.settings())


def test_forecast_is_lawful(history, panel):
    forecast = check_forecast(panel.predict(14))
    assert len(forecast) == 3 * 14 and (forecast["ds"] > last_day(history)).all()
    assert list(forecast) == ["unique_id", "ds", "yhat", "yhat_lower", "yhat_upper", "status"]
    assert (forecast[["yhat", "yhat_lower", "yhat_upper"]] >= 0).all(axis=None)


def test_closed_days_are_zero_and_marked(history, panel):
    forecast = panel.predict(14).merge(history[["unique_id", "ds", "closed"]])
    assert forecast["closed"].any() and not forecast["closed"].all()
    shut = forecast[forecast["closed"]]
    assert (shut["status"] == "closed").all() and (shut[["yhat", "yhat_lower", "yhat_upper"]] == 0).all(axis=None)
    assert (forecast.loc[~forecast["closed"], "status"] != "closed").all()


def test_a_weekday_never_open_has_no_forecast(history):
    plan = history.copy()
    plan.loc[plan["y"].isna(), "closed"] = False  # somebody forgot to mark the Sundays to come
    forecast = prophet_forecast(plan[plan["unique_id"] == "S02"], 14)
    sundays = forecast["ds"].dt.weekday == 6
    assert (forecast.loc[sundays, "yhat"] == 0).all() and (forecast.loc[sundays, "status"] == "closed").all()
    assert (forecast.loc[~sundays, "status"] == "model").all()


def test_closed_days_do_not_enter_the_fit(history):
    rows = history[history["unique_id"] == "S02"]
    model = fit_series(rows, Params())
    assert len(model.history) == (rows["y"].notna() & ~rows["closed"]).sum()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.assign(closed=True, y=rows["y"].where(rows["y"].isna(), 0.0)), "never open"),
        (lambda rows: spoil_sales(rows, "zeros"), "no sales"),
        (lambda rows: spoil_sales(rows, "constant"), "constant sales"),
        (lambda rows: rows.tail(69), "open days, 56 needed"),
        (lambda rows: rows.tail(15), "1 open days, 56 needed"),
        (lambda rows: rows, ""),
    ],
    ids=["closed", "zeros", "constant", "short", "one row", "good"],
)
def test_doubtful_series_get_the_baseline_and_say_so(history, change, reason):
    rows = change(history[history["unique_id"] == "S01"].reset_index(drop=True))
    assert reason in doubt(rows, Params()) and bool(reason) == bool(doubt(rows, Params()))
    panel = Forecaster().fit(rows)
    forecast = check_forecast(panel.predict(14))
    if reason:
        assert not panel.models and reason in panel.fallbacks["S01"]
        open_rows = forecast[forecast["status"] != "closed"]
        assert open_rows["status"].str.startswith("fallback: ").all() and open_rows["status"].str.contains(reason).all()
        assert np.array_equal(forecast["yhat"], seasonal_naive(rows, 14)["yhat"])
    else:
        assert set(panel.models) == {"S01"} and not panel.fallbacks


def test_two_wild_rows_do_not_explode():
    rows = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2024-01-01", periods=2), "y": [700.0, 1000.0]})
    forecast = prophet_forecast(rows, 60)
    assert forecast["yhat"].max() <= 1000 and forecast["status"].str.startswith("fallback").all()


def test_a_series_that_stan_gives_up_is_a_fallback(history):
    def refuse(series, params):
        raise RuntimeError("Error during optimization!\nsee console")

    panel = Forecaster(engine=replace(PROPHET, fit=refuse)).fit(history[history["unique_id"] == "S01"])
    assert panel.fallbacks == {"S01": "Prophet did not converge (Error during optimization!)"}
    assert panel.predict(7)["status"].str.contains("did not converge").any()


def test_columns_that_never_vary_are_left_out(history):
    rows = history[history["unique_id"] == "S01"].assign(never=0.0, always=1.0)
    rows["new"] = rows["y"].isna().astype(float)  # varies only in days to come
    model = fit_series(rows, Params())
    assert list(model.extra_regressors) == ["promo"]
    assert np.isfinite(prophet_forecast(rows, 14)["yhat"]).all()


def test_a_promotion_and_a_holiday_change_the_forecast():
    rows = make_sales(seed=8, series=1, days=760, horizon=150)
    rows = rows[rows["ds"] <= last_day(rows) + pd.Timedelta(days=150)]
    quiet = prophet_forecast(rows.assign(promo=rows["promo"].where(rows["y"].notna(), 0)), 14)
    busy = prophet_forecast(rows.assign(promo=rows["promo"].where(rows["y"].notna(), 1)), 14)
    assert (busy["yhat"] > quiet["yhat"] * 1.05)[quiet["status"] == "model"].all()
    day = rows.loc[rows["y"].isna() & ~rows["closed"], "ds"].iloc[3]
    named = rows.assign(holiday=rows["holiday"].mask(rows["ds"] == day, "Labor Day"))
    labor = prophet_forecast(named, 14, Params()).set_index("ds")["yhat"]
    plain = prophet_forecast(rows, 14, Params()).set_index("ds")["yhat"]
    assert abs(labor[day] / plain[day] - 1) > 0.05
    assert np.allclose(labor.drop(day), plain.drop(day), rtol=0.02)


def test_same_seed_same_interval_whatever_happens_around(history, panel):
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = panel.predict(14)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    np.random.random(5)  # noqa: NPY002
    pd.testing.assert_frame_equal(first, panel.predict(14), check_exact=True)
    alone = panel.predict(14, series=["S02"])
    pd.testing.assert_frame_equal(
        alone, first[first["unique_id"] == "S02"].reset_index(drop=True), check_exact=True, check_dtype=True
    )
    other = Forecaster(Params(seed=1)).fit(history[history["unique_id"] == "S02"]).predict(14)
    assert other["yhat"].equals(alone["yhat"]) and not other["yhat_upper"].equals(alone["yhat_upper"])


def test_processes_change_nothing(history, panel):
    twice = Forecaster().fit(history, workers=2)
    pd.testing.assert_frame_equal(twice.predict(14), panel.predict(14), check_exact=True)


def test_order_of_rows_changes_nothing(history, panel):
    mixed = Forecaster().fit(history.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(mixed.predict(14), panel.predict(14), check_exact=True)


def test_no_interval_without_draws(history):
    forecast = prophet_forecast(history, 14, Params(uncertainty_samples=0))
    assert list(forecast) == ["unique_id", "ds", "yhat", "status"]
    check_forecast(forecast)


def test_quick_stan_gives_the_same_bits(history):
    with forecaster.quiet():
        from prophet import Prophet

        rows = past(history[history["unique_id"] == "S01"])
        theirs = Prophet(weekly_seasonality=True, yearly_seasonality=False, daily_seasonality=False)
        theirs.fit(rows.loc[~rows["closed"], ["ds", "y"]])
    ours = fit_series(rows[["unique_id", "ds", "y", "closed"]], Params())
    assert all(np.array_equal(ours.params[name], theirs.params[name]) for name in theirs.params)


def test_silence(history, capfd, caplog):
    caplog.set_level(logging.INFO)
    prophet_forecast(history, 14)
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if "cmdstan" in record.name or "plotly" in record.message]


def test_future_rows_can_come_later(history, panel):
    later = Forecaster().fit(past(history))
    with pytest.raises(ValueError, match="horizon is 14, but closed, holiday, promo of"):
        later.predict(14)
    ahead = history[history["y"].isna()].drop(columns="y")
    forecast = later.predict(14, future=ahead)
    assert np.allclose(forecast["yhat"], panel.predict(14)["yhat"], rtol=0.02)
    with pytest.raises(ValueError, match="'promo' is inf"):
        later.predict(14, future=ahead.assign(promo=np.inf))


def test_questions_it_cannot_answer(history, panel):
    with pytest.raises(ValueError, match="has seen no history; call fit"):
        Forecaster().predict(7)
    with pytest.raises(ValueError, match="1 unknown series, first: 'S9'; this forecaster knows S01, S02, S03"):
        panel.predict(7, series=["S01", "S9"])
    with pytest.raises(ValueError, match="horizon is 0"):
        panel.predict(0)
    with pytest.raises(ValueError, match="has seen no history"):
        Forecaster().save("nowhere")


def test_round_trip_is_exact(panel, tmp_path):
    folder = panel.save(tmp_path / "deep" / "folder")
    loaded = Forecaster.load(folder)
    assert loaded.params == panel.params and loaded.fallbacks == panel.fallbacks
    pd.testing.assert_frame_equal(loaded.predict(14), panel.predict(14), check_exact=True)
    again = Forecaster.load(loaded.save(tmp_path / "again"))
    pd.testing.assert_frame_equal(again.predict(14), panel.predict(14), check_exact=True)
    assert not [path for path in folder.iterdir() if path.suffix in (".pkl", ".pickle", ".rough")]


def test_saving_again_replaces_and_a_crash_keeps_the_old(history, panel, tmp_path, monkeypatch):
    folder = panel.save(tmp_path)
    other = Forecaster(Params(seed=9)).fit(history[history["unique_id"] == "S01"])
    write = forecaster.write_atomic

    def dies_at_the_index(path, content):
        if path.name == "forecaster.json":
            raise OSError("No space left on device")
        write(path, content)

    monkeypatch.setattr(forecaster, "write_atomic", dies_at_the_index)
    with pytest.raises(OSError, match="No space"):
        other.save(folder)
    assert set(Forecaster.load(folder).models) == set(panel.models)
    monkeypatch.setattr(forecaster, "write_atomic", write)
    other.save(folder)
    assert set(Forecaster.load(folder).models) == {"S01"} and len(list(folder.iterdir())) == 3


def test_what_cannot_be_read(panel, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no forecaster: forecaster.json is missing"):
        Forecaster.load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file, expected a folder"):
        panel.save(tmp_path / "file")
    folder = panel.save(tmp_path / "good")
    index = folder / "forecaster.json"
    good = json.loads(index.read_text())
    for broken in ("{", "[]", "{}", '{"format": 1}'):
        index.write_text(broken)
        with pytest.raises(ValueError, match=r"forecaster\.json is damaged"):
            Forecaster.load(folder)
    index.write_text(json.dumps(good | {"format": 2}))
    with pytest.raises(ValueError, match="has format 2, this version reads up to 1; update mlworkbook"):
        Forecaster.load(folder)
    index.write_text(json.dumps(good))
    models = folder / good["files"]["models.jsonl"]
    models.write_bytes(models.read_bytes()[:-1])
    with pytest.raises(ValueError, match="is missing or damaged; save the forecaster again"):
        Forecaster.load(folder)
    models.unlink()
    with pytest.raises(ValueError, match="is missing or damaged"):
        Forecaster.load(folder)


@pytest.mark.slow
def test_the_interval_holds_about_what_it_promises():
    history = load_sales(stores=["S02", "S17", "S21", "S24", "S33", "S44"])
    inside = []
    for cutoff in pd.to_datetime(["2018-07-20", "2018-10-18", "2019-01-16"]):
        rows = history[history["ds"] <= cutoff + pd.Timedelta(days=14)]
        forecast = prophet_forecast(rows.assign(y=rows["y"].where(rows["ds"] <= cutoff)), 14).merge(rows)
        forecast = forecast[forecast["status"] == "model"]
        inside.append(forecast["y"].between(forecast["yhat_lower"], forecast["yhat_upper"]))
    assert 0.7 < pd.concat(inside).mean() < 0.93
