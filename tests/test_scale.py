"Promises of many series: same rows on every engine, errors beside them, nothing lost, nothing done twice."

import contextlib
import os
import platform
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest

from ctrl_c import press
from mlworkbook import pieces, scale
from mlworkbook.baselines import seasonal_naive
from mlworkbook.contract import future
from mlworkbook.ops.spark import check_java, check_master, spark_session
from mlworkbook.pieces import batches
from mlworkbook.sales import make_sales, spoil_sales
from mlworkbook.scale import forecast_many, makespan, on_processes

java = shutil.which("java") or shutil.which("java", path=Path(os.environ.get("JAVA_HOME", ""), "bin"))
needs_java = pytest.mark.skipif(not java, reason="Java was not found: sudo apt-get install openjdk-17-jre-headless")
ENGINES = [
    "serial",
    "processes",
    pytest.param("spark", marks=[pytest.mark.slow, needs_java]),
]


@pytest.fixture(scope="module")
def history():
    "Twelve made-up shops, with the calendar of the week to come."
    return make_sales(seed=7, series=12, days=90, horizon=7)


@pytest.fixture(scope="module")
def spark():
    "One session for all tests of this file."
    session = spark_session("local[2,4]")
    yield session
    session.stop()


@pytest.fixture
def options(request):
    "Options of the engine that a test is about."
    session = {"session": request.getfixturevalue("spark")} if request.param == "spark" else {}
    return {"engine": request.param} | session


def zero(rows, horizon):
    "The simplest lawful forecast."
    return future(rows, horizon)[["unique_id", "ds"]].assign(yhat=0.0)


def last_sale(path="", stumble="", kill=""):
    "A model that travels by value; it notes what it gets, stumbles over one series and is killed by another."

    def model(rows, horizon):
        import os
        import signal

        names = list(rows["unique_id"].unique())
        if path:
            with Path(path).open("a") as notes:
                notes.write("".join(f"{name}\n" for name in names))
        if stumble in names:
            raise KeyError(f"{stumble} has no oven")
        if kill in names:
            os.kill(os.getpid(), signal.SIGKILL)
        days = future(rows, horizon)[["unique_id", "ds"]]
        return days.assign(yhat=days["unique_id"].map(rows.dropna().groupby("unique_id")["y"].last()))

    return model


def noted(path):
    "Series that the model got since the last question."
    names = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(names)


# --- same rows


@pytest.mark.parametrize("options", ENGINES, indirect=True)
@pytest.mark.parametrize("source", ["frame", "file", "folder"])
def test_same_rows_whatever_the_engine(history, options, source, tmp_path):
    given = history.sample(frac=1, random_state=3)
    if source != "frame":
        given = tmp_path / "history.parquet"
        history.to_parquet(given, index=False)
    if source == "folder":
        given = tmp_path / "many"
        given.mkdir()
        for number, (_, rows) in enumerate(history.groupby(history["unique_id"].factorize()[0] // 5)):
            rows.to_parquet(given / f"part-{number}.parquet", index=False, row_group_size=300)
    expected = pd.concat([seasonal_naive(rows, 7) for _, rows in history.groupby("unique_id")], ignore_index=True)
    result = forecast_many(given, seasonal_naive, 7, batch=5, **options)
    pd.testing.assert_frame_equal(result.forecast, expected, check_exact=True)
    assert result.failures.empty and list(result.failures) == ["unique_id", "error"]
    assert result.files == [] and len(list(result)) == 3


@pytest.mark.parametrize("options", ENGINES, indirect=True)
@pytest.mark.parametrize("form", ["datetime64[us]", "datetime64[s]", "date"])
def test_days_may_be_stored_in_any_unit(history, options, form, tmp_path):
    days = history["ds"].dt.date if form == "date" else history["ds"].astype(form)
    history.assign(ds=days).to_parquet(tmp_path / "history.parquet", index=False)
    result = forecast_many(tmp_path / "history.parquet", last_sale(), 7, **options)
    assert result.forecast.equals(forecast_many(history, last_sale(), 7).forecast)


def test_a_history_without_known_columns_needs_no_future_rows(history):
    plain = history.dropna(subset="y")[["unique_id", "ds", "y"]]
    assert len(forecast_many(plain, zero, 7).forecast) == 12 * 7


@pytest.mark.parametrize("batch", [1, 5, 12, 99])
def test_a_model_gets_batches(history, batch):
    sizes = []

    def spy(rows, horizon):
        sizes.append(rows["unique_id"].nunique())
        return zero(rows, horizon)

    forecast_many(history, spy, 7, batch=batch)
    assert sum(sizes) == 12 and max(sizes) == min(batch, 12)


def test_arguments_come_back_untouched(history):
    def rude(rows, horizon):
        answer = zero(rows, horizon)
        rows["y"] = -1.0
        return answer

    before = history.copy()
    forecast_many(history, rude, 7)
    pd.testing.assert_frame_equal(history, before)


# --- errors beside results


@pytest.mark.parametrize("options", ENGINES, indirect=True)
def test_a_series_that_fails_in_the_middle(history, options):
    result = forecast_many(history, last_sale(stumble="S07"), 7, batch=5, **options)
    assert result.failures.to_dict("records") == [{"unique_id": "S07", "error": "KeyError: 'S07 has no oven'"}]
    whole = forecast_many(history, last_sale(), 7).forecast
    assert result.forecast.equals(whole[whole["unique_id"] != "S07"].reset_index(drop=True))


@pytest.mark.parametrize("fault", ["nan", "inf", "negative", "gap", "repeat", "ended"])
def test_bad_sales_of_one_series_stop_no_other(history, fault):
    spoilt = spoil_sales(history, fault)
    bad = spoilt["unique_id"].iloc[0]
    result = forecast_many(spoilt, last_sale(), 7, batch=4)
    assert result.failures["unique_id"].tolist() == [bad]
    assert result.failures["error"].str.match("(Data|Value)Error: ").all()
    assert set(result.forecast["unique_id"]) == set(history["unique_id"]) - {bad}


def test_a_mistaken_year_is_the_fault_of_one_series(history):
    wrong = history.copy()
    last = wrong[(wrong["unique_id"] == "S02") & wrong["y"].notna()].index[-1]
    wrong.loc[last, "ds"] = pd.Timestamp("2062-03-31")
    result = forecast_many(wrong, last_sale(), 7, batch=4)
    assert result.failures["unique_id"].tolist() == ["S02"] and result.forecast["unique_id"].nunique() == 11


def test_a_batch_of_series_that_ended_is_noticed(history):
    late = history["ds"] > history["ds"].max() - pd.Timedelta(days=30)
    result = forecast_many(history[~(late & history["unique_id"].isin(["S01", "S02"]))], last_sale(), 7, batch=2)
    assert result.failures["unique_id"].tolist() == ["S01", "S02"]
    assert result.failures["error"].str.contains("sales end on .*, those of the chain on").all()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda answer: answer.iloc[1:], "1 wrong days, first nothing for S"),
        (lambda answer: answer.assign(yhat=np.nan), "'yhat' is nan"),
        (lambda answer: None, "Error"),
        (lambda answer: sys.exit(3), "RuntimeError: the model called exit(3)"),
    ],
)
def test_a_bad_answer_is_a_failure(history, spoil, reason):
    result = forecast_many(history, lambda rows, horizon: spoil(zero(rows, horizon)), 7)
    assert len(result.failures) == 12 and result.failures["error"].str.contains(reason, regex=False).all()
    assert result.parts == [] and result.forecast.empty and list(result.forecast) == ["unique_id", "ds", "yhat"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda rows: rows.drop(columns="y"), "no column 'y', expected unique_id, ds, y"),
        (lambda rows: rows.assign(y="many"), "column 'y' holds string, expected numbers"),
        (lambda rows: rows.assign(ds=rows["ds"].astype(str)), "column 'ds' holds string, expected days"),
        (lambda rows: rows.assign(ds=rows["ds"].dt.tz_localize("UTC")), "expected days without a time zone"),
        (lambda rows: rows.assign(unique_id=1), "column 'unique_id' holds int64, expected text"),
        (lambda rows: rows.assign(unique_id=rows["unique_id"].mask(rows.index == 30)), "has no unique_id"),
        (lambda rows: rows.iloc[:0], "(0 series|holds null)"),
        (lambda rows: rows.assign(y=np.nan), "no day with sales"),
    ],
)
@pytest.mark.parametrize("source", ["frame", "file"])
def test_what_is_no_history_is_refused(history, spoil, reason, source, tmp_path):
    bad = spoil(history)
    if source == "file":
        bad.to_parquet(tmp_path / "bad.parquet", index=False)
        bad = tmp_path / "bad.parquet"
    with pytest.raises(ValueError, match=f"^history: .*{reason}"):
        forecast_many(bad, zero, 7)


def test_a_column_of_mixed_kinds_is_refused(history):
    mixed = history.assign(y=history["y"].astype(object).mask(history.index == 30, "many"))
    with pytest.raises(ValueError, match="^history: a column mixes kinds of values .*'many'"):
        forecast_many(mixed, zero, 7)


def test_rows_of_a_series_must_be_together(history, tmp_path):
    shuffled = pd.concat([history[history["unique_id"] != "S02"], history[history["unique_id"] == "S02"]])
    shuffled.to_parquet(tmp_path / "fine.parquet", index=False)
    assert forecast_many(tmp_path / "fine.parquet", zero, 7, batch=2).forecast["unique_id"].nunique() == 12
    torn = pd.concat([history, history[history["unique_id"] == "S02"]])
    torn.to_parquet(tmp_path / "torn.parquet", index=False)
    with pytest.raises(ValueError, match="the rows of S02 in torn.parquet are not together"):
        forecast_many(tmp_path / "torn.parquet", zero, 7, batch=2)


@pytest.mark.parametrize(
    ("wrong", "error", "reason"),
    [
        ({"engine": "dask"}, ValueError, "engine is 'dask', expected 'serial', 'processes' or 'spark'"),
        ({"workers": 0}, ValueError, "workers is 0, expected a whole number"),
        ({"batch": 2.5}, ValueError, "batch is 2.5, expected a whole number"),
        ({"batch": True}, ValueError, "batch is True"),
        ({"horizon": 0}, ValueError, "horizon is 0"),
        ({"forecast": "naive"}, ValueError, "forecast is 'naive', expected a function"),
        ({"history": "nowhere.parquet"}, FileNotFoundError, "nowhere.parquet does not exist, expected a parquet"),
    ],
)
def test_bad_orders(history, wrong, error, reason):
    with pytest.raises(error, match=reason):
        forecast_many(**{"history": history, "forecast": zero, "horizon": 7} | wrong)


# --- memory


def test_a_file_is_read_when_it_is_asked_for(history, tmp_path, monkeypatch):
    for number in range(40):
        name = f"S{number:02}"
        history[history["unique_id"] == "S01"].assign(unique_id=name).to_parquet(tmp_path / f"{name}.parquet")
    read = []
    monkeypatch.setattr(pieces, "tidy", lambda rows: read.append(1) or rows)
    found = batches(tmp_path, 2)
    assert next(found)[0] == 0 and len(read) == 1
    assert [number for number, _ in found] == list(range(1, 20))


def test_few_batches_fly_at_a_time(history):
    taken = []

    def piece(number):
        taken.append(number)
        return number, pieces.tidy(history[history["unique_id"] == "S01"])

    order = scale.Order(last_sale(), 7, scale.last_day(history))
    done = 0
    for _ in on_processes(order, map(piece, range(12)), 2):
        assert len(taken) <= done + 4 + 2, "more than two for each process wait"
        done += 1
    assert done == 12


# --- go on where it stopped


def test_what_is_done_is_not_done_again(history, tmp_path):
    notes, options = tmp_path / "notes", {"batch": 5, "folder": tmp_path / "kept"}
    model = last_sale(str(notes))
    first = forecast_many(history, model, 7, **options)
    assert noted(notes) == sorted(history["unique_id"].unique())
    again = forecast_many(history.sample(frac=1, random_state=1), model, 7, "processes", **options)
    assert noted(notes) == [] and again.files == first.files
    assert again.forecast.equals(first.forecast) and again.forecast.equals(forecast_many(history, model, 7).forecast)
    assert sorted(first.files) == sorted((tmp_path / "kept").iterdir()) and len(first.files) == 3
    assert pq.read_schema(first.files[0]).field("ds").type == "timestamp[us]", "Spark reads no nanoseconds"


def test_only_what_failed_is_tried_again(history, tmp_path):
    notes, folder = tmp_path / "notes", tmp_path / "kept"
    flaw = tmp_path / "flaw"
    flaw.touch()

    def moody(rows, horizon, notes=notes, flaw=flaw):
        with notes.open("a") as file:
            file.write("".join(f"{name}\n" for name in rows["unique_id"].unique()))
        if flaw.exists() and "S03" in set(rows["unique_id"]):
            raise ValueError("not today")
        return zero(rows, horizon)

    first = forecast_many(history, moody, 7, batch=6, folder=folder)
    assert first.failures["unique_id"].tolist() == ["S03"] and noted(notes)
    flaw.unlink()
    second = forecast_many(history, moody, 7, batch=6, folder=folder)
    assert noted(notes) == ["S03"] and second.failures.empty
    assert second.forecast.equals(forecast_many(history, zero, 7).forecast)


def test_what_changed_is_done_again(history, tmp_path):
    notes, options = tmp_path / "notes", {"batch": 4, "folder": tmp_path / "kept"}
    model = last_sale(str(notes))
    forecast_many(history, model, 7, **options)
    noted(notes)
    corrected = history.copy()
    corrected.loc[(corrected["unique_id"] == "S01") & corrected["y"].notna(), "y"] += 1
    corrected.loc[corrected["closed"], "y"] = corrected.loc[corrected["closed"], "y"].where(lambda y: y.isna(), 0)
    forecast_many(corrected, model, 7, **options)
    assert noted(notes) == ["S01", "S02", "S03", "S04"], "one shop's sales concern its batch only"
    forecast_many(history, model, 6, **options)
    assert len(noted(notes)) == 12
    forecast_many(history, last_sale(str(notes), stumble="nobody"), 7, **options)
    assert len(noted(notes)) == 12


def test_a_folder_is_a_folder(history, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file, expected a folder"):
        forecast_many(history, zero, 7, folder=tmp_path / "file")


INTERRUPTED = """
import os, sys, time
from mlworkbook.contract import future
from mlworkbook.sales import make_sales
from mlworkbook.scale import forecast_many

def slow(rows, horizon):
    time.sleep(float(os.environ.get("WAIT", "0.3")))
    return future(rows, horizon)[["unique_id", "ds"]].assign(yhat=0.0)

history = make_sales(seed=0, series=24, days=60, horizon=7)
print("ready", flush=True)
result = forecast_many(history, slow, 7, sys.argv[2], batch=2, folder=sys.argv[1])
print(len(result.forecast), len(result.failures))
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["serial", "processes"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_killed_and_started_again(tmp_path, engine, end):
    script, kept = tmp_path / "run.py", tmp_path / "kept"
    script.write_text(INTERRUPTED)
    command = [sys.executable, str(script), str(kept), engine]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert run.stdout.readline() == b"ready\n"
    deadline = time.monotonic() + 120
    while len(list(kept.glob("*.parquet"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    if end == signal.SIGINT:
        press(run)
    else:
        os.killpg(run.pid, end)
        run.communicate(timeout=60)
    done = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.parquet")}
    assert run.returncode != 0 and 3 <= len(done) < 12
    again = subprocess.run(
        command, check=True, timeout=240, capture_output=True, text=True, env=os.environ | {"WAIT": "0"}
    )
    assert again.stdout.split() == ["ready", str(24 * 7), "0"]
    files = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.parquet")}
    assert len(files) == 12 and done.items() <= files.items()


# --- killed workers


def once(path, name):
    "A model whose process is killed the first time that it meets a series."

    def model(rows, horizon):
        import os
        import signal

        if name in set(rows["unique_id"]) and not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return future(rows, horizon)[["unique_id", "ds"]].assign(yhat=0.0)

    return model


@pytest.mark.parametrize("options", ENGINES[1:], indirect=True)
@pytest.mark.parametrize("kept", [False, True])
def test_a_killed_worker_costs_nothing(history, options, kept, tmp_path):
    folder = {"folder": tmp_path / "kept"} if kept else {}
    result = forecast_many(history, once(tmp_path / "flag", "S05"), 7, batch=2, **folder, **options)
    assert result.failures.empty and (tmp_path / "flag").exists()
    pd.testing.assert_frame_equal(result.forecast, forecast_many(history, zero, 7).forecast, check_exact=True)


@pytest.mark.parametrize("options", ENGINES[1:], indirect=True)
def test_a_series_that_kills_every_worker_becomes_an_error(history, options, tmp_path):
    notes = tmp_path / "notes"
    kill = {"batch": 3, "folder": tmp_path / "kept"} | options
    result = forecast_many(history, last_sale(str(notes), kill="S05"), 7, **kill)
    assert result.failures["unique_id"].tolist() == ["S05"]
    assert result.failures["error"].str.startswith("ProcessDied: its process was killed each time").all()
    assert noted(notes).count("S05") <= 8, "not for ever"
    whole = forecast_many(history, last_sale(), 7).forecast
    assert result.forecast.equals(whole[whole["unique_id"] != "S05"].reset_index(drop=True))


def test_a_batch_that_must_be_alone_waits_without_a_warning(history, recwarn):
    def slow(rows, horizon):
        time.sleep(0.5)
        return seasonal_naive(rows, horizon)

    order = scale.Order(slow, 7, pd.Timestamp("2022-03-31"))
    (number, rows), (other, more) = list(batches(history, 6))
    running = scale._submit(2, order, number, rows)
    alone = scale._submit(1, order, other, more)
    assert running.done() and alone.result().number == other
    assert not [warning for warning in recwarn if "resize" in str(warning.message)]


@pytest.mark.slow
def test_workers_killed_from_outside(history, tmp_path):
    folder = tmp_path / "kept"

    def slow(rows, horizon):
        time.sleep(0.3)
        return future(rows, horizon)[["unique_id", "ds"]].assign(yhat=0.0)

    killed = []

    def killer():
        for wanted in (2, 5):
            while len(list(folder.glob("*.parquet"))) < wanted:
                time.sleep(0.02)
            while len(killed) < wanted // 2:
                for worker in psutil.Process().children():
                    with contextlib.suppress(psutil.Error):
                        if "LokyProcess" in " ".join(worker.cmdline()):
                            worker.kill()
                            killed.append(worker.pid)
                            break

    thread = threading.Thread(target=killer, daemon=True)
    thread.start()
    result = forecast_many(history, slow, 7, "processes", batch=1, folder=folder)
    thread.join(30)
    assert len(killed) == 2 and result.failures.empty
    assert result.forecast.equals(forecast_many(history, zero, 7).forecast)


# --- Java, Spark and its master


def fake_java(folder, said, code=0):
    "A program called java that says something."
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin/java"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program.parent)


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ('openjdk version "11.0.2"', 0, "Java is 11.0.2"),
        ('java version "1.8.0_391"', 0, "Java is 1.8.0"),
        ("no Java runtime present", 1, "Java does not run"),
    ],
)
def test_java_that_will_not_do(tmp_path, said, code, reason):
    path = fake_java(tmp_path, said, code)
    for environ in ({"PATH": path}, {"JAVA_HOME": str(tmp_path), "PATH": os.environ["PATH"]}):
        with pytest.raises(RuntimeError, match=f"{reason}.*Spark needs Java 17 or newer: .*engine='processes'"):
            check_java(environ)


def test_java_that_will_do(tmp_path):
    assert check_java({"PATH": fake_java(tmp_path, 'openjdk version "21.0.1"')}) == "21.0.1"


@pytest.mark.parametrize("environ", [{"PATH": ""}, {}, {"JAVA_HOME": "/nowhere", "PATH": os.environ["PATH"]}], ids=str)
def test_missing_java_is_told_with_the_command(environ):
    with pytest.raises(RuntimeError, match="Java was not found") as failure:
        check_java(environ)
    if platform.system() == "Linux" and Path("/usr/bin/apt-get").exists():
        assert "sudo apt-get install openjdk-17-jre-headless" in str(failure.value)


WITHOUT = """
import sys
if sys.argv[1] == "pyspark":
    sys.modules["pyspark"] = None
from mlworkbook.contract import future
from mlworkbook.sales import make_sales
from mlworkbook.scale import forecast_many

def zero(rows, horizon):
    return future(rows, horizon)[["unique_id", "ds"]].assign(yhat=0.0)

history = make_sales(seed=7, series=3, days=60, horizon=7)
print(len(forecast_many(history, zero, 7, "processes").forecast))
try:
    forecast_many(history, zero, 7, "spark")
except (ImportError, RuntimeError) as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ("pyspark", 'ImportError pyspark is not installed: .* -m pip install "mlworkbook\\[spark\\]"'),
        ("java", "RuntimeError Java was not found in JAVA_HOME, /nowhere; Spark needs Java 17"),
    ],
)
def test_without_spark_everything_else_works(tmp_path, lacks, says):
    (tmp_path / "run.py").write_text(WITHOUT)
    environ = os.environ | ({"JAVA_HOME": "/nowhere"} if lacks == "java" else {})
    command = [sys.executable, str(tmp_path / "run.py"), lacks]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("21\n"), done.stdout
    assert pd.Series([done.stdout]).str.contains(says).all(), done.stdout


def test_a_master_that_is_not_there():
    start = time.monotonic()
    with pytest.raises(ConnectionError, match="no Spark master answers at 127.0.0.1:1 .*start it, correct the address"):
        check_master("spark://127.0.0.1:1")
    assert time.monotonic() - start < 10
    assert check_master("local[2,4]") == "local[2,4]"
    with pytest.raises(ConnectionError, match=r"127.0.0.1:1 \(.*, 127.0.0.1:2 \("):
        check_master("spark://127.0.0.1:1,127.0.0.1:2")


@pytest.mark.parametrize("master", ["spark://", "spark://host", "spark://host:door", "spark://:7077", "spark://h:0"])
def test_a_master_has_an_address(master):
    with pytest.raises(ValueError, match="expected spark://HOST:PORT, such as spark://127.0.0.1:7077"):
        check_master(master)


@pytest.mark.slow
@needs_java
def test_spark_goes_on_where_a_loop_stopped(history, spark, tmp_path):
    notes, options = tmp_path / "notes", {"batch": 5, "folder": tmp_path / "kept"}
    model = last_sale(str(notes))
    first = forecast_many(history, model, 7, **options)
    noted(notes)
    history.to_parquet(tmp_path / "history.parquet", index=False)
    for given in (history, tmp_path / "history.parquet"):
        again = forecast_many(given, model, 7, "spark", session=spark, **options)
        assert noted(notes) == [] and again.files == first.files
    theirs = spark.read.parquet(*map(str, first.files))
    assert theirs.count() == 12 * 7 and dict(theirs.dtypes)["ds"].startswith("timestamp")


@pytest.mark.slow
@needs_java
def test_a_session_comes_back_as_it_was(history, spark):
    spark.conf.set("spark.sql.session.timeZone", "America/Sao_Paulo")
    result = forecast_many(history, last_sale(), 7, "spark", session=spark)
    assert spark.conf.get("spark.sql.session.timeZone") == "America/Sao_Paulo"
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert result.forecast.equals(forecast_many(history, last_sale(), 7).forecast)
    assert spark_session("local[2,4]") is spark
    with pytest.raises(ValueError, match=r"Spark is open on local\[2,4\], expected local\[1\]; stop"):
        spark_session("local[1]")


CLUSTER = """
import signal
import sys
import time
from pathlib import Path
from mlworkbook.ops.spark import spark_session
from mlworkbook.scale import forecast_many

signal.alarm(500)  # whoever waits for its words is not to wait for ever
master, room = sys.argv[1], Path(sys.argv[2])
try:
    spark_session(master, memory="512m", patience=1)
except RuntimeError as refusal:
    print(refusal, flush=True)
session = spark_session(master, memory="512m", patience=120)

def slow(rows, horizon):
    time.sleep(0.1)
    with open(notes, "a") as file:
        file.write("x")
    days = rows.loc[rows["y"].isna(), ["unique_id", "ds"]]
    return days.assign(yhat=days["unique_id"].map(rows.dropna().groupby("unique_id")["y"].last()))

for name in sys.argv[3:]:
    while session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 3:  # two workers and this one
        time.sleep(0.05)
    notes, folder = str(room / f"{name}.txt"), room / name if name == "kept" else None
    result = forecast_many(room / "history.parquet", slow, 7, "spark", batch=2, folder=folder, session=session)
    result.forecast.to_parquet(room / f"{name}.parquet")
    print(len(result.failures), len(result.files), flush=True)
session.stop()
"""


@pytest.mark.slow
@needs_java
def test_a_real_cluster_whose_workers_come_late_and_burn_down(tmp_path):
    from spark_cluster import cluster

    history = make_sales(seed=9, series=40, days=60, horizon=7)
    history.to_parquet(tmp_path / "history.parquet", index=False)
    (tmp_path / "run.py").write_text(CLUSTER)
    rounds = {"free": "0 0", "kept": "0 20"}
    with cluster(tmp_path) as spark, (tmp_path / "errors.txt").open("w") as errors:
        command = [sys.executable, str(tmp_path / "run.py"), spark.master, str(tmp_path), *rounds]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        try:
            assert "had no worker free in 1 s; start one: spark-class" in run.stdout.readline()
            spark.add_worker("first")
            for name, said in rounds.items():
                spark.add_worker(name)
                notes, deadline = tmp_path / f"{name}.txt", time.monotonic() + 400
                while (len(notes.read_text()) if notes.exists() else 0) < 8 and time.monotonic() < deadline:
                    assert run.poll() is None, (tmp_path / "errors.txt").read_text()[-2000:]
                    time.sleep(0.05)
                spark.kill(name)
                at_death = len(notes.read_text())
                assert 8 <= at_death < 20, "it was killed in the middle"
                assert run.stdout.readline().strip() == said, (tmp_path / "errors.txt").read_text()[-2000:]
            assert run.wait(timeout=100) == 0, (tmp_path / "errors.txt").read_text()[-2000:]
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
    expected = forecast_many(history, last_sale(), 7).forecast
    for name in rounds:
        found = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert not found.duplicated(["unique_id", "ds"]).any()
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


# --- progress and queues


@pytest.mark.parametrize("options", ENGINES, indirect=True)
def test_a_bar_on_every_engine(history, options, monkeypatch):
    seen = []

    class Bar:
        def __init__(self, total, unit, disable):
            assert unit == "series" and disable is None
            self.total, self.n = total, 0

        def __enter__(self):
            return self

        def __exit__(self, *error):
            seen.append(self.n)

        def update(self, more):
            assert more >= 0, "a bar does not go back"
            self.n += more
            seen.append(self.n)

    monkeypatch.setattr(scale, "tqdm", Bar)
    forecast_many(history, last_sale(), 7, batch=5, progress=True, **options)
    assert seen[-1] == 12 and len(set(seen)) > 1


def test_progress_is_for_terminals(history, capfd):
    forecast_many(history, zero, 7, progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_queue_by_hand():
    assert makespan([3, 3, 2, 2, 2], 2) == 7
    assert makespan([1, 1, 4], 2) == 5 and makespan([4, 1, 1], 2) == 4
    assert makespan([2], 3, fixed=10) == 12 and makespan([], 4, fixed=1.5) == 1.5


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_a_queue_keeps_between_its_limits(workers):
    rng = np.random.default_rng(workers)
    for _ in range(50):
        tasks = rng.exponential(1, int(rng.integers(1, 40)))
        least = max(tasks.sum() / workers, tasks.max())
        found = makespan(tasks, workers)
        assert least - 1e-9 <= found <= tasks.sum() / workers + tasks.max() * (1 - 1 / workers) + 1e-9
        longest = makespan(np.sort(tasks)[::-1], workers)
        assert longest <= (4 / 3 - 1 / (3 * workers)) * max(least, best_of_pairs(tasks, workers)) + 1e-9


def best_of_pairs(tasks, workers):
    "Another lower limit: of the longest workers + 1 tasks, two meet at one worker."
    longest = np.sort(tasks)[::-1]
    return longest[workers - 1] + longest[workers] if len(tasks) > workers else 0.0
