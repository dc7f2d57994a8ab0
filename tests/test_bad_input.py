"Bad input through the terminal: a message with a way out, exit code 2, nothing half-written."

import errno
import json
import shlex
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from mlworkbook import decisions, publishing
from mlworkbook.cli.app import app
from mlworkbook.ops import store
from mlworkbook.ops.errors import DataError
from mlworkbook.ops.files import workspace
from mlworkbook.sales import make_sales


def run(*words):
    "`mlworkbook run` in this process."
    return CliRunner().invoke(app, ["run", *(str(word) for word in words)])


@pytest.fixture
def sales():
    "Two good stores, without columns known in advance."
    return make_sales(0, series=2, days=60)[["unique_id", "ds", "y"]]


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    "What a command writes by mistake lands here, and is seen."
    monkeypatch.chdir(tmp_path)


def refused(done, *texts):
    "The command said why, in one block, and left nothing behind."
    assert done.exit_code == 2, (done.exit_code, done.stderr)
    assert done.stdout == "" and "Traceback" not in done.stderr
    error = done.stderr[done.stderr.index("Error: ") :]
    for text in texts:
        assert text in error, error
    assert not workspace().exists() or not [
        path for path in workspace().rglob("*") if path.is_file() and not path.name.endswith(".lock")
    ]
    return error


def change(frame, row, column, value):
    "One cell of a table."
    frame = frame.copy()
    if not pd.api.types.is_number(value):
        frame[column] = frame[column].astype(object)
    frame.loc[frame.index[row], column] = value
    return frame


def as_text(sales, form):
    "Dates written in some way."
    return sales.assign(ds=sales["ds"].dt.strftime(form))


PATHS = {
    "missing": (lambda path: None, "does not exist"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "binary": (lambda path: path.write_bytes(bytes(range(256)) * 9), "cannot be read as a table"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "header only": (lambda path: path.write_text("ds,y\n"), "expected"),
}


@pytest.mark.parametrize(("make", "text"), PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_path(tmp_path, make, text, ending):
    path = tmp_path / f"shop.{ending}"
    make(path)
    error = refused(run("--data", path))
    if not (make is PATHS["header only"][0] and ending != "csv"):
        assert text in error


@pytest.mark.parametrize("name", ["shop.xlsx", "shop", "shop.json"])
def test_path_of_another_kind(tmp_path, name):
    (tmp_path / name).write_text("{}")
    refused(run("--data", name), ".csv, .csv.gz or .parquet")


TABLES = {
    "no date column": (lambda sales: sales.drop(columns="ds"), "'ds'", "--map"),
    "no sales column": (lambda sales: sales.rename(columns={"y": "ventas"}), "'y'", "--map"),
    "dates that do not parse": (
        lambda sales: change(sales.astype({"ds": str}), 7, "ds", "yesterday"),
        "'yesterday'",
        "ISO",
    ),
    "ambiguous dates": (
        lambda sales: as_text(sales.loc[lambda t: t["ds"].dt.day <= 12], "%d/%m/%Y"),
        "day first or month first",
    ),
    "integer dates": (lambda sales: sales.assign(ds=sales["ds"].dt.strftime("%Y%m%d").astype(int)), "not numbers"),
    "time of day": (lambda sales: as_text(sales, "%Y-%m-%d 10:30"), "time of day"),
    "time zone": (lambda sales: as_text(sales, "%Y-%m-%d 00:00:00+02:00"), "time zone"),
    "repeated day": (lambda sales: pd.concat([sales, sales.iloc[[5]]]), "first"),
    "gap": (lambda sales: sales.drop(index=sales.index[9]), "--fill-gaps"),
    "missing sales": (lambda sales: change(sales, 4, "y", np.nan), "'y'", "missing"),
    "infinite sales": (lambda sales: change(sales, 4, "y", np.inf), "'y'", "inf"),
    "text in sales": (lambda sales: change(sales, 4, "y", "many"), "'y'", "many"),
    "negative sales": (lambda sales: change(sales, 4, "y", -3.0), "'y'", "-3"),
    "missing in a known column": (lambda sales: change(sales.assign(promo=0.0), 4, "promo", np.nan), "promo"),
    "infinite in a known column": (lambda sales: change(sales.assign(promo=0.0), 4, "promo", np.inf), "promo"),
    "weekly": (lambda sales: sales.iloc[:60:7], "day"),
    "monthly": (lambda sales: sales.iloc[:8].assign(ds=pd.date_range("2022-01-01", periods=8, freq="MS")), "day"),
    "a series that ends long before": (lambda sales: sales.drop(index=sales.index[30:60]), "--drop-ended"),
}


@pytest.mark.parametrize(("spoil", "texts"), [(spoil, texts) for spoil, *texts in TABLES.values()], ids=TABLES)
def test_table(sales, spoil, texts):
    spoil(sales).to_csv("shop.csv", index=False)
    refused(run("--data", "shop.csv"), *texts)


def test_column_twice(sales):
    sales.to_csv("shop.csv", index=False, header=["unique_id", "y", "y"])
    refused(run("--data", "shop.csv"), "'y'", "more than once")


def test_holidays_that_nobody_continues(sales):
    sales.assign(holiday="").to_csv("shop.csv", index=False)
    refused(run("--data", "shop.csv"), "holidays after", "--map THEIRS= to leave a column out")


@pytest.mark.parametrize("days", [1, 7, 60])
def test_a_short_history_gets_the_rule_and_is_told_why(sales, days):
    sales.iloc[:days].assign(promo=0.0).to_csv("shop.csv", index=False)
    done = run("--data", "shop.csv")
    assert done.exit_code == 0 and "Who forecasts: seasonal_naive" in done.stdout and "4 are needed" in done.stdout
    assert "promo is not planned" in done.stderr


OPTIONS = {
    "horizon 0": (["--horizon", 0], "horizon is 0, expected a whole number of days"),
    "horizon -1": (["--horizon", -1], "horizon is -1, expected a whole number of days"),
    "horizon beyond the calendar": (["--horizon", 60], "2019-06-10", "41"),
    "unknown store": (["--stores", "2,99"], "'S99'", "S02"),
    "unknown level": (["--level", "street"], "level is 'street'"),
    "initial": (["--initial", 5000], "initial + horizon = 5000 + 14"),
    "period": (["--period", 0], "period is 0"),
    "costs": (["--costs", "0.25,-1"], "under_eur is -1.0"),
    "map": (["--map", "ds"], "--map is 'ds'"),
    "workers": (["--workers", -2], "--workers is -2"),
}


@pytest.mark.parametrize(("words", "texts"), [(words, texts) for words, *texts in OPTIONS.values()], ids=OPTIONS)
def test_options(words, texts):
    refused(run(*words), *texts)


def test_unsorted_rows_are_accepted(sales):
    sales.sample(frac=1, random_state=0).to_csv("shop.csv", index=False)
    done = CliRunner().invoke(app, ["data", "--data", "shop.csv"])
    assert done.exit_code == 0, done.stderr


def test_one_huge_value_is_said_and_kept(sales):
    change(sales, 4, "y", 1e12).to_csv("shop.csv", index=False)
    done = CliRunner().invoke(app, ["data", "--data", "shop.csv", "--json", "--quiet"])
    assert done.exit_code == 0 and "warning: " in done.stderr and "1" in done.stderr
    assert float(done.stdout.split('"units": ')[1].split(",")[0]) > 1e12


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_who_never_changes_gets_a_night_by_the_rule(value):
    days = pd.date_range("2022-01-01", periods=90)
    pd.DataFrame({"unique_id": "S01", "ds": days, "y": value}).to_csv("shop.csv", index=False)
    done = run("--data", "shop.csv", "--initial", 40, "--period", 30, "--workers", 1)
    assert done.exit_code == 0 and "Who forecasts: seasonal_naive" in done.stdout, done.stderr
    assert ("warning: nothing was sold on any of these days" in done.stderr) == (value == 0)
    (night,) = workspace().rglob("forecast.parquet")
    assert pd.read_parquet(night, partitioning=None)["yhat"].tolist() == [value] * 14


@pytest.mark.slow
def test_a_shop_that_was_shut_on_all_evenings_of_the_exam_gets_a_night():
    y = [20.0 + day % 7 for day in range(90)] + [0.0] * 110
    pd.DataFrame({"unique_id": "S01", "ds": pd.date_range("2022-01-01", periods=200), "y": y}).to_csv(
        "shop.csv", index=False
    )
    done = run("--data", "shop.csv", "--workers", 1, "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and found["forecast"]["units"] == 0 and found["serves"] == "seasonal_naive"
    assert {row["wape"] for row in found["leaderboard"]} == {None}
    morning = CliRunner().invoke(app, ["monitor", "--data", "shop.csv", "--today", "2022-07-20"])
    assert morning.exit_code == 0, morning.stderr


def small():
    "Words of a run that passes its checks quickly."
    make_sales(0, series=1, days=120, horizon=14).to_csv("shop.csv", index=False)
    return ["--data", "shop.csv", "--initial", "60", "--period", "60", "--workers", "1"]


class TestPlaces:
    def test_tracking_store_is_a_folder(self, monkeypatch, tmp_path):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "runs"))
        refused(run(*small()), "is a folder", "sqlite:///")

    def test_tracking_database_is_a_folder(self):
        (workspace() / "mlflow.db").mkdir(parents=True)
        refused(run(*small()), "mlflow.db is a folder", "expected a database file")

    def test_tracking_store_is_no_database(self):
        workspace().mkdir(exist_ok=True)
        (workspace() / "mlflow.db").write_text("my notes, much longer than a header" * 9)
        done = run(*small())
        assert done.exit_code == 2 and "tracking store" in done.stderr and "cannot be written" in done.stderr

    def test_tracking_store_is_locked(self, monkeypatch):
        monkeypatch.setitem(store.check_store.__kwdefaults__, "wait", 0.5)
        workspace().mkdir(exist_ok=True)
        with closing(sqlite3.connect(workspace() / "mlflow.db", isolation_level=None)) as base:
            base.execute("BEGIN EXCLUSIVE")
            done = run(*small())
        assert done.exit_code == 2 and "another program has held it" in done.stderr

    def test_tracking_server_is_away(self, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        refused(run(*small()), "no tracking server answers at http://127.0.0.1:9")

    def test_workspace_is_a_file(self, monkeypatch, tmp_path):
        (tmp_path / "home").write_text("mine")
        monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path / "home"))
        done = run(*small())
        assert done.exit_code == 2 and "cannot be written" in done.stderr
        assert (tmp_path / "home").read_text() == "mine"

    def test_output_folder_is_a_file(self, tmp_path):
        (tmp_path / "out").write_text("mine")
        done = run(*small(), "--out", "out")
        assert done.exit_code == 2 and "cannot write in out: " in done.stderr and "another folder" in done.stderr
        assert (tmp_path / "out").read_text() == "mine"

    def test_output_folder_is_in_use(self, tmp_path, monkeypatch):
        from mlworkbook import pipeline
        from mlworkbook.ops.files import only_one

        for owner in (publishing, pipeline, decisions):  # seconds; a second command waits ten minutes
            monkeypatch.setattr(owner, "WAIT", 0.2)
        with only_one(tmp_path / "out"):
            done = run(*small(), "--out", "out")
        assert done.exit_code == 2 and "another process is writing in out; wait until it ends" in done.stderr


def mounted(folder, options, command):
    "A command while a small disk of its own is mounted at a folder; skip where mounting is not allowed."
    if not shutil.which("unshare"):
        pytest.skip("unshare is missing: cannot mount a small disk")
    folder.mkdir()
    mount = f"mount -t tmpfs -o {options} tmpfs {shlex.quote(str(folder))}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    whole = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        f"{mount} && {command}; code=$?; ls -AR {shlex.quote(str(folder))}; exit $code",
    ]
    return subprocess.run(whole, capture_output=True, text=True, timeout=280)


RUN = shlex.join([sys.executable, "-c", "from mlworkbook.cli.app import main; main()", "run"])


@pytest.mark.slow
class TestDisks:
    def test_output_folder_is_read_only(self, tmp_path):
        done = mounted(tmp_path / "out", "ro", f"{RUN} {shlex.join(small())} --out {tmp_path / 'out'}")
        assert done.returncode == 2 and "Read-only file system" in done.stderr and "another folder" in done.stderr
        assert done.stdout.split() == [f"{tmp_path / 'out'}:"]

    def test_disk_fills_while_writing(self, tmp_path):
        done = mounted(tmp_path / "out", "size=12k", f"{RUN} {shlex.join(small())} --out {tmp_path / 'out'}")
        assert done.returncode == 2 and "No space left on device" in done.stderr and "Traceback" not in done.stderr
        assert "report.html" not in done.stdout and "rough" not in done.stdout

    def test_disk_of_the_workspace_is_full(self, tmp_path):
        words = f"MLWORKBOOK_HOME={tmp_path / 'home'} {RUN} {shlex.join(small())} --out {tmp_path / 'out'}"
        done = mounted(tmp_path / "home", "size=300k", words)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
        assert "full" in done.stderr or "space" in done.stderr
        assert not list((tmp_path / "out").rglob("*.parquet"))


def test_full_disk_is_told_apart():
    from mlworkbook.cli.talk import _reason

    assert "No space left" in _reason(OSError(errno.ENOSPC, "No space left on device"))
    assert "tracking store cannot be written" in _reason(sqlite3.OperationalError("database or disk is full"))
    assert _reason(RuntimeError("odd")) is None
    assert textwrap.dedent(_reason(DataError("a\nb"))) == "a\nb"


def test_what_a_library_says_below_us_is_not_bad_input(monkeypatch):
    monkeypatch.setattr("mlworkbook.sales.load_bakery", lambda *_, **__: pd.to_datetime("no day"))
    done = CliRunner().invoke(app, ["data"])
    assert done.exit_code == 1 and "this was not expected" in done.output, done.output
