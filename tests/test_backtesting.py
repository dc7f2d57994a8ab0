"Promises of the backtest: Prophet's own cutoffs and forecasts, no leak, no lost series, no work done twice."

import os
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ctrl_c import press
from mlworkbook.backtesting import backtest, cutoffs, plot_cutoffs
from mlworkbook.baselines import open_days, seasonal_naive
from mlworkbook.contract import check_scored, future, regressors, seen
from mlworkbook.forecaster import Params, named_days, prophet_forecast, quiet
from mlworkbook.metrics import score
from mlworkbook.sales import load_sales, make_sales

SHORT = {"initial": 60, "period": 30}


@pytest.fixture(scope="module")
def history():
    "Eight made-up shops, the last one born late."
    table = make_sales(seed=4, series=8, days=150)
    return table[(table["unique_id"] != "S08") | (table["ds"] > table["ds"].min() + pd.Timedelta(days=100))]


def zero(history, horizon):
    "The simplest lawful forecast."
    return future(history, horizon)[["unique_id", "ds"]].assign(yhat=0.0)


@pytest.mark.parametrize("horizon", [1, 7, 14, 180, 365])
@pytest.mark.parametrize("initial", [0, 90, 730, 849])
@pytest.mark.parametrize("period", [7, 30, 90, 180, 1000])
def test_cutoffs_are_prophets(horizon, initial, period):
    from prophet.diagnostics import generate_cutoffs

    table = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2016-01-02", periods=1215), "y": 1.0})
    ahead = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2019-05-01", periods=30), "y": np.nan})
    spans = [pd.Timedelta(days=days) for days in (horizon, initial, period)]
    ours = cutoffs(pd.concat([table, ahead]), horizon, initial=initial, period=period)
    assert ours == generate_cutoffs(table, *spans)


@pytest.mark.parametrize(
    ("days", "initial", "horizon"), [(100, 95, 10), (100, 100, 1), (5, 0, 5), (5, 0, 9), (745, 730, 15)]
)
def test_cutoffs_need_what_prophet_needs(days, initial, horizon):
    from prophet.diagnostics import generate_cutoffs

    table = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2016-01-02", periods=days), "y": 1.0})
    with pytest.raises(ValueError, match="Less data than horizon"):
        generate_cutoffs(table, *(pd.Timedelta(days=span) for span in (horizon, initial, 30)))
    with pytest.raises(ValueError, match=rf"spans {days - 1} days.*initial \+ horizon = {initial} \+ {horizon}"):
        cutoffs(table, horizon, initial=initial, period=30)
    assert len(cutoffs(table, 1, initial=days - 2, period=30)) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"period": 0}, {"period": -1}, {"period": 7.5}, {"initial": -1}, {"initial": "730 days"}, {"initial": True}],
    ids=str,
)
def test_cutoffs_take_whole_days(history, wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"^{name} is .*, expected a whole number of days"):
        cutoffs(history, 14, **wrong)


@pytest.mark.slow
def test_same_forecasts_as_cross_validation():
    history = load_sales(stores=["S02", "S25"])
    nights = cutoffs(history, 14, period=200)
    ours = backtest(history, {"prophet": prophet_forecast}, 14, period=200).scored
    assert sorted(ours["cutoff"].unique()) == nights
    for name, rows in history.groupby("unique_id"):
        with quiet():
            from prophet import Prophet
            from prophet.diagnostics import cross_validation

            model = Prophet(holidays=named_days(rows), daily_seasonality=False)
            for column in regressors(rows):
                model.add_regressor(column)
            model.fit(open_days(rows)[["ds", "y", *regressors(rows)]])
            theirs = cross_validation(model, "14 days", cutoffs=nights, disable_tqdm=True)
        mine = ours[(ours["unique_id"] == name) & (ours["status"] == "model")]
        both = mine.merge(theirs, on=["cutoff", "ds"], suffixes=("", "_theirs"), validate="1:1")
        assert len(both) == len(mine) > 0
        np.testing.assert_allclose(both["yhat"], both["yhat_theirs"].clip(lower=0), rtol=1e-6)


def test_scored_frame_is_complete_and_lawful(history):
    models = {"week": seasonal_naive, "zero": zero}
    result = backtest(history, models, 14, **SHORT)
    assert result.failures.empty and list(result.failures) == ["unique_id", "cutoff", "model", "error"]
    scored = result.scored
    assert (scored["cutoff"] < scored["ds"]).all()
    assert ((scored["ds"] - scored["cutoff"]).dt.days <= 14).all()
    nights = cutoffs(history, 14, **SHORT)
    born = history.groupby("unique_id")["ds"].min()
    assert len(scored) == 2 * 14 * sum((born <= night).sum() for night in nights)
    sold = scored.merge(history, on=["unique_id", "ds"], suffixes=("", "_sold"))
    assert len(sold) == len(scored) and sold["y"].equals(sold["y_sold"])
    assert scored["status"].notna().all()
    for name in models:
        check_scored(result.of(name))
    assert "yhat_lower" not in result.of("zero") and "yhat_lower" in result.of("week")
    assert score(scored)["days"].nunique() == 1
    with pytest.raises(ValueError, match="no results of 'x', scored are week, zero"):
        result.of("x")


def test_a_series_not_born_yet_is_left_out(history):
    scored = backtest(history, {"week": seasonal_naive}, 14, **SHORT).scored
    first = history.loc[history["unique_id"] == "S08", "ds"].min()
    assert scored.loc[scored["unique_id"] == "S08", "cutoff"].min() >= first > scored["cutoff"].min()


def test_nobody_peeks(history):
    windows = []

    def spy(rows, horizon):
        windows.append(rows)
        answers = rows[["unique_id", "ds", "y"]].rename(columns={"y": "yhat"})
        rows["y"] = -1.0  # and it spoils what it was lent
        return zero(rows.assign(y=windows[-1]["y"]), horizon).drop(columns="yhat").merge(answers).fillna({"yhat": 0.0})

    before = history.copy()
    lent = [seen(history, night, 14) for night in cutoffs(history, 14, **SHORT)]
    for rows in lent:
        night = rows.loc[rows["y"].notna(), "ds"].max()
        assert rows.loc[rows["ds"] > night, "y"].isna().all() and rows["ds"].max() == night + pd.Timedelta(days=14)
        assert rows.loc[rows["ds"] > night, ["closed", "holiday", "promo"]].notna().all(axis=None)
    result = backtest(history, {"spy": spy, "zero": zero}, 14, **SHORT)
    assert (result.scored.query("model == 'zero'")["yhat"] == 0).all()
    pd.testing.assert_frame_equal(history, before)


def test_a_spy_finds_nothing(history):
    def spy(rows, horizon):
        answers = rows[["unique_id", "ds", "y"]].rename(columns={"y": "yhat"})
        return future(rows, horizon)[["unique_id", "ds"]].merge(answers).fillna({"yhat": 0.0})

    assert (backtest(history, {"spy": spy}, 14, **SHORT).scored["yhat"] == 0).all()


def broken_for(name, rows, horizon):
    "A model that stumbles over one series."
    if name in set(rows["unique_id"]):
        raise KeyError(f"{name} has no oven")
    return zero(rows, horizon)


def test_a_failure_stays_beside_the_results(history):
    result = backtest(history, {"picky": partial(broken_for, "S03"), "zero": zero}, 14, **SHORT)
    nights = cutoffs(history, 14, **SHORT)
    assert set(result.failures["unique_id"]) == {"S03"} and list(result.failures["cutoff"]) == nights
    assert result.failures["error"].eq("KeyError: 'S03 has no oven'").all()
    rows = result.scored.groupby("model")["unique_id"].unique().map(set)
    assert rows["zero"] - rows["picky"] == {"S03"}


def test_when_everything_fails_the_reasons_remain(history):
    def never(rows, horizon):
        raise RuntimeError("no luck")

    result = backtest(history, {"never": never}, 14, **SHORT)
    assert result.scored.empty and {"unique_id", "ds", "yhat", "y", "cutoff", "model"} <= set(result.scored)
    assert len(result.failures) == len(backtest(history, {"zero": zero}, 14, **SHORT).scored) // 14


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answer: answer.iloc[1:], "1 wrong days, first nothing for S"),
        (lambda answer: answer.iloc[:0], "14 wrong days, first nothing for S"),
        (lambda answer: answer.assign(ds=answer["ds"] + pd.Timedelta(days=1)), "2 wrong days, first nothing for S"),
        (lambda answer: answer.assign(unique_id="S99"), "28 wrong days"),
        (lambda answer: answer.assign(yhat=np.nan), "'yhat' is nan"),
        (lambda answer: answer.assign(yhat=-5.0), "'yhat' is -5"),
        (lambda answer: pd.concat([answer, answer]), "drop the copies"),
        (lambda answer: answer.drop(columns="yhat"), "no column 'yhat'"),
        (lambda answer: None, "Error"),
    ],
)
def test_a_bad_answer_is_a_failure(history, spoil, reason):
    rows = history[history["unique_id"] == "S01"]
    result = backtest(rows, {"bad": lambda table, horizon: spoil(zero(table, horizon))}, 14, initial=130)
    assert result.scored.empty and reason in result.failures["error"].iloc[0]


def test_processes_and_order_change_nothing(history):
    models = {"week": seasonal_naive, "picky": partial(broken_for, "S03"), "here": lambda rows, days: zero(rows, days)}
    one = backtest(history, models, 14, **SHORT)
    two = backtest(history.sample(frac=1, random_state=0), models, 14, workers=2, **SHORT)
    pd.testing.assert_frame_equal(one.scored, two.scored, check_exact=True)
    pd.testing.assert_frame_equal(one.failures, two.failures)


def test_prophet_does_not_depend_on_processes():
    history = make_sales(seed=6, series=7, days=130)
    one, two = (backtest(history, {"p": prophet_forecast}, 7, initial=110, workers=workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(one.scored, two.scored, check_exact=True)


@pytest.mark.parametrize(("batch", "sizes"), [(1, [1] * 8), (3, [2, 3, 3]), (8, [8]), (100, [8])])
def test_a_model_gets_as_many_series_as_it_is_promised(history, batch, sizes):
    given = []

    def spy(rows, horizon):
        given.append(rows["unique_id"].nunique())
        return zero(rows, horizon)

    late = history["ds"].max() - pd.Timedelta(days=20)
    backtest(history, {"spy": spy}, 14, initial=(late - history["ds"].min()).days, batch=batch)
    assert sorted(given) == sizes


def test_who_learns_from_others_needs_them_together(history):
    def shared(rows, horizon):
        return zero(rows, horizon).assign(yhat=rows["y"].mean())

    answers = backtest(history, {"shared": shared}, 14, initial=130, batch=8).scored["yhat"]
    assert answers.nunique() == 1 < backtest(history, {"shared": shared}, 14, initial=130).scored["yhat"].nunique()


class Counter:
    "A model that counts how often it is called, also from other processes."

    def __init__(self, path: Path, name: str = ""):
        self.path, self.name = path, name

    def __call__(self, rows, horizon):
        with self.path.open("a") as file:
            file.write("x")
        return zero(rows, horizon)

    def since(self):
        "Calls since the last question."
        calls = len(self.path.read_text()) if self.path.exists() else 0
        self.path.unlink(missing_ok=True)
        return calls


def test_what_is_done_is_not_done_again(history, tmp_path):
    model, options = Counter(tmp_path / "calls"), SHORT | {"folder": tmp_path / "kept"}
    first = backtest(history, {"m": model}, 14, **options)
    tasks = model.since()
    assert tasks == len(list((tmp_path / "kept").glob("*.parquet"))) > 2
    again = backtest(history.sample(frac=1, random_state=1), {"m": model}, 14, workers=2, **options)
    assert model.since() == 0
    pd.testing.assert_frame_equal(first.scored, again.scored, check_exact=True)


def test_what_changed_is_done_again(history, tmp_path):
    model, options = Counter(tmp_path / "calls"), SHORT | {"folder": tmp_path / "kept"}
    nights = cutoffs(history, 14, **SHORT)
    backtest(history, {"m": model}, 14, **options)
    tasks = model.since()
    for change in (
        lambda: backtest(history, {"other": model}, 14, **options),
        lambda: backtest(history, {"m": model}, 13, **options),
        lambda: backtest(history, {"m": Counter(model.path, "else")}, 14, **options),
        lambda: backtest(history.assign(promo=1 - history["promo"]), {"m": model}, 14, **options),
        lambda: backtest(history.rename(columns={"promo": "offer"}), {"m": model}, 14, **options),
    ):
        change()
        assert model.since() == tasks
    corrected = history.copy()
    corrected.loc[(corrected["ds"] == nights[-1]) & (corrected["unique_id"] == "S01"), ["y", "closed"]] = [1.0, False]
    backtest(corrected, {"m": model}, 14, **options)
    assert model.since() == 1, "one store's sales of the last night concern one task only"


def test_settings_are_part_of_the_key(tmp_path):
    history = make_sales(seed=6, series=1, days=130)
    files = []
    for seed in (0, 1, 0):
        model = partial(prophet_forecast, params=Params(seed=seed, uncertainty_samples=50))
        backtest(history, {"p": model}, 7, initial=110, folder=tmp_path)
        files.append(len(list(tmp_path.iterdir())))
    assert files == [1, 2, 2]


def test_failures_are_tried_again(history, tmp_path):
    options = SHORT | {"folder": tmp_path}
    backtest(history, {"m": partial(broken_for, "S03")}, 14, **options)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".parquet"]
    kept = len(list(tmp_path.iterdir()))
    result = backtest(history, {"m": partial(broken_for, "S03")}, 14, **options)
    assert len(result.failures) == len(cutoffs(history, 14, **SHORT)) and len(list(tmp_path.iterdir())) == kept


INTERRUPTED = """
import os, sys, time
from pathlib import Path
from mlworkbook.backtesting import backtest
from mlworkbook.baselines import seasonal_naive
from mlworkbook.sales import make_sales

def slow(rows, horizon):
    time.sleep(float(os.environ.get("WAIT", "0.3")))
    return seasonal_naive(rows, horizon)

history = make_sales(seed=0, series=12, days=150)
print("ready", flush=True)
backtest(history, {"slow": slow}, 7, initial=60, period=10, workers=int(sys.argv[2]), folder=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_and_started_again(tmp_path, workers):
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED)
    kept = tmp_path / "kept"
    command = [sys.executable, str(script), str(kept), str(workers)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert run.stdout.readline() == b"ready\n"
    deadline = time.monotonic() + 60
    while len(list(kept.glob("*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    _, errors = press(run)
    done = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.parquet")}
    assert run.returncode != 0 and b"KeyboardInterrupt" in errors and 3 <= len(done) < 18
    subprocess.run(command, check=True, timeout=120, capture_output=True, env=os.environ | {"WAIT": "0"})
    files = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert len(files) == 18 and done.items() <= files.items()


def test_progress_is_for_terminals(history, capfd):
    backtest(history, {"zero": zero}, 14, initial=130, progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_strange_value_is_said_once(history):
    rows = history.copy()
    rows.loc[rows.index[10], ["y", "closed"]] = [1e12, False]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backtest(rows, {"week": seasonal_naive}, 14, initial=130)
    assert len([warning for warning in caught if "1e+12" in str(warning.message)]) == 1


def test_bad_orders(history, tmp_path):
    with pytest.raises(ValueError, match="expected functions by name"):
        backtest(history, {}, 14)
    with pytest.raises(ValueError, match="expected functions by name"):
        backtest(history, {"week": "seasonal_naive"}, 14)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file, expected a folder"):
        backtest(history, {"zero": zero}, 14, folder=tmp_path / "file", **SHORT)
    for wrong in (0, -1, 2.5, True, "all"):
        with pytest.raises(ValueError, match="^batch is .*, expected a whole number of series"):
            backtest(history, {"zero": zero}, 14, batch=wrong, **SHORT)
    with pytest.raises(ValueError, match="horizon is 0"):
        backtest(history, {"zero": zero}, 0, **SHORT)


def test_picture_of_cutoffs():
    nights = list(pd.date_range("2024-03-01", periods=3, freq="30D"))
    ax = plot_cutoffs(nights, 14, pd.Timestamp("2024-01-01"), plt.figure().subplots())
    assert len(ax.patches) == 6 and [label.get_text() for label in ax.get_yticklabels()][0] == "2024-03-01"
    assert [ax.get_xlabel(), ax.get_ylabel()] == ["day", "cutoff"] and len(ax.get_legend().get_texts()) == 2
    plt.close(ax.figure)
