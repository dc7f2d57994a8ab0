"Runs: where they are kept, what they hold, and that a run is never left open or lost in a folder."

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlworkbook import tracking
from mlworkbook.contract import future
from mlworkbook.metrics import wape
from mlworkbook.ops import store as kept
from mlworkbook.value import BAKERY_COSTS, error_cost


def history(days=120, series=("S01", "S02"), seed=0):
    "Whole numbers with a weekly shape; the last series never sells."
    rng = np.random.default_rng(seed)
    ds = pd.date_range("2023-01-01", periods=days)
    parts = [pd.DataFrame({"unique_id": uid, "ds": ds, "y": rng.poisson(20, days) + 0.0}) for uid in series]
    return pd.concat(parts, ignore_index=True).assign(promo=1)


def ten(history, horizon):
    "A `Forecast` that always says 10."
    return future(history, horizon)[["unique_id", "ds"]].assign(yhat=10.0)


def scored_frame(model="ten", folds=3, seed=0):
    rows = history(seed=seed)
    cutoffs = sorted(rows["ds"].unique())[-14 * folds - 1 :: 14][:folds]
    parts = [
        rows[(rows["ds"] > cutoff) & (rows["ds"] <= cutoff + pd.Timedelta(days=14))].assign(cutoff=cutoff)
        for cutoff in cutoffs
    ]
    return pd.concat(parts, ignore_index=True).assign(yhat=10.0, model=model).drop(columns="promo")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    "A folder with a store, made once: creating the tables takes seconds."
    folder = tmp_path_factory.mktemp("año 1 %20#")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        tracking.connect(folder)
    return folder


def files(folder):
    return {path.name for path in Path(folder).iterdir()}


# where


def test_the_uri_does_not_depend_on_the_current_folder(tmp_path, monkeypatch):
    before = tracking.tracking_uri(tmp_path)
    monkeypatch.chdir("/")
    assert tracking.tracking_uri(tmp_path) == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    assert tracking.tracking_uri(tmp_path) == "http://server:5000"


def test_a_home_with_an_accent_gets_no_twin(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    tracking.connect(tmp_path / "José Pan")
    assert (tmp_path / "José Pan" / "mlflow.db").is_file()
    assert files(tmp_path) == {"José Pan"}


def test_a_run_leaves_nothing_in_the_current_folder(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with tracking.start_run("here", folder=store) as run_id:
        tracking.log_backtest(scored_frame(), history())
    assert files(tmp_path) == set()
    assert {"mlflow.db", "mlartifacts"} <= files(store)
    assert (store / "mlartifacts" / run_id / "artifacts" / "series.json").is_file()


def test_a_folder_in_place_of_the_database(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(OSError, match=r"mlflow.db is a folder, expected a database file; move it away or set"):
        tracking.connect(tmp_path)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", Path("/proc/mlworkbook")):
        with pytest.raises(OSError, match="cannot be written .*; set MLWORKBOOK_HOME or MLFLOW_TRACKING_URI to"):
            tracking.connect(folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="cannot be written"):
        tracking.connect(tmp_path)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to look at" * 50)
    with pytest.raises(OSError, match="file is not a database"):
        tracking.connect(tmp_path)
    assert "not a database" in (tmp_path / "mlflow.db").read_text()


def test_a_locked_database(store):
    holder = sqlite3.connect(store / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    with pytest.raises(OSError, match="locked.*another program has held it for 0.2 s"):
        kept.check_store(tracking.tracking_uri(store), wait=0.2)
    assert time.monotonic() - start < 5
    holder.close()
    kept.check_store(tracking.tracking_uri(store), wait=0.2)


@pytest.mark.parametrize("uri", ["mlruns", "./mlruns", "file:///tmp/mlruns"])
def test_a_folder_as_store(uri, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ValueError, match="is a folder, expected a database or a server; try sqlite:///"):
        tracking.connect(tmp_path)


@pytest.mark.parametrize("uri", ["postgresql://me:secret@db/runs", "postgresql+psycopg://db/runs", "mysql://db/runs"])
def test_a_database_without_its_server(uri, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ValueError, match="is a database: the files of its runs would stay on this computer") as said:
        tracking.connect(tmp_path)
    assert "secret" not in str(said.value)


def test_another_folder_is_another_store(store, tmp_path):
    shutil.copy(store / "mlflow.db", tmp_path / "mlflow.db")
    here, there = tracking.connect(store), tracking.connect(tmp_path)
    assert here.tracking_uri == tracking.tracking_uri(store) != there.tracking_uri == tracking.tracking_uri(tmp_path)
    there.create_registered_model("only there")
    assert not tracking.connect(store).search_registered_models("name = 'only there'")
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_server_that_does_not_answer(monkeypatch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    start = time.monotonic()
    with pytest.raises(OSError, match=f"no tracking server answers at http://127.0.0.1:{port} .*; start it or unset"):
        tracking.connect(tmp_path)
    assert time.monotonic() - start < 15


# what


def test_log_backtest_writes_everything(store):
    scored, rows = scored_frame(), history()
    with tracking.start_run("full", folder=store) as run_id:
        params = {"horizon": 14, "note": None}
        assert tracking.log_backtest(scored, rows, params=params, costs=BAKERY_COSTS) == run_id
    client = tracking.connect(store)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"horizon": "14", "note": "None"}
    assert run.data.metrics["wape"] == pytest.approx(wape(scored))
    assert run.data.metrics["cost_eur"] == pytest.approx(error_cost(scored, BAKERY_COSTS, by=())["cost_eur"].iloc[0])
    assert {"version.python", "version.prophet", "version.mlworkbook"} <= set(run.data.tags)
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("history", tracking.digest(rows))
    steps = client.get_metric_history(run_id, "fold_wape")
    folds = [wape(days) for _, days in scored.groupby("cutoff")]
    assert [step.step for step in steps] == [0, 1, 2]
    assert [step.value for step in steps] == pytest.approx(folds)
    assert {file.path for file in client.list_artifacts(run_id)} == {"forecast.png", "series.json"}
    table = client.load_table(run.info.experiment_id, "series.json", run_ids=[run_id])
    assert list(table["unique_id"]) == ["S01", "S02"]
    assert table["wape"].tolist() == pytest.approx([wape(days) for _, days in scored.groupby("unique_id")])


@pytest.mark.parametrize("shut", [["S02"], ["S01", "S02"]])
def test_who_sold_nothing_is_logged_without_a_ratio(store, shut):
    scored = scored_frame()
    scored.loc[scored["unique_id"].isin(shut), "y"] = 0.0
    with tracking.start_run("shut", folder=store) as run_id:
        tracking.log_backtest(scored, history(), costs=BAKERY_COSTS)
    client = tracking.connect(store)
    run = client.get_run(run_id)
    metrics = run.data.metrics
    assert metrics["cost_eur"] > 0 and ("wape" in metrics) == (len(shut) == 1)
    table = client.load_table(run.info.experiment_id, "series.json", run_ids=[run_id]).set_index("unique_id")
    assert table.loc[shut, "wape"].isna().all() and table.loc[shut, "cost_eur"].gt(0).all()


def test_no_run_no_log(store):
    tracking.connect(store)
    with pytest.raises(ValueError, match="no run is open; write `with start_run"):
        tracking.log_backtest(scored_frame(), history())


def test_one_model_per_run(store):
    both = pd.concat([scored_frame("a"), scored_frame("b")])
    with (
        tracking.start_run("both", folder=store),
        pytest.raises(ValueError, match="2 models in one run, expected 1: a, b"),
    ):
        tracking.log_backtest(both, history())


def test_train_predict_hides_the_days_it_scores(store):
    seen = []

    def spy(rows, horizon):
        seen.append(rows.copy())
        return ten(rows, horizon)

    rows = history()
    before = rows.copy()
    with tracking.start_run("spy", folder=store):
        scored = tracking.train_predict(rows, spy, 14)
    pd.testing.assert_frame_equal(rows, before)
    (given,) = seen
    assert given.groupby("unique_id")["y"].apply(lambda y: y.isna().sum()).tolist() == [14, 14]
    assert given["promo"].notna().all()
    assert (scored["ds"] > given.loc[given["y"].notna(), "ds"].max()).all()
    assert scored.merge(rows, on=["unique_id", "ds"], suffixes=("", "_sold")).eval("y == y_sold").all()
    assert len(scored) == 28


@pytest.mark.parametrize("horizon", [0, -1, 1.5, "14", 120, 500])
def test_train_predict_refuses_impossible_horizons(store, horizon):
    with tracking.start_run("bad", folder=store), pytest.raises(ValueError, match="horizon is"):
        tracking.train_predict(history(), ten, horizon)


def test_digest_sees_every_value():
    rows = history(days=12_000, series=("S01",))
    changed = {
        "sale": rows.assign(y=rows["y"].mask(rows.index == 11_500, 99.0)),
        "day": rows.assign(ds=rows["ds"] + pd.Timedelta(days=1)),
        "name": rows.rename(columns={"promo": "promotion"}),
        "series": rows.assign(unique_id="S02"),
        "order": rows.iloc[::-1],
        "fewer": rows.iloc[:-1],
    }
    prints = {name: tracking.digest(table) for name, table in changed.items()}
    assert len({tracking.digest(rows), *prints.values()}) == 1 + len(prints)
    assert tracking.digest(rows) == tracking.digest(rows.set_index(rows.index + 5))
    code = "import pandas as pd; from mlworkbook.tracking import digest; print(digest(pd.DataFrame({'a': ['x', 'y']})))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == tracking.digest(pd.DataFrame({"a": ["x", "y"]}))


# comparing


def test_what_changed_lists_only_differences(store):
    runs = {}
    for name, params, rows in [
        ("one", {"a": 1, "b": 2}, history()),
        ("two", {"a": 1, "b": 3, "c": 4}, history(seed=1)),
    ]:
        with tracking.start_run(name, folder=store) as runs[name]:
            tracking.log_backtest(scored_frame(), rows, params=params)
    table = tracking.what_changed(runs["one"], runs["two"], folder=store).set_index(["kind", "name"])
    assert set(table.index) == {("data", "history"), ("param", "b"), ("param", "c")}
    assert table.loc[("param", "b")].tolist() == ["2", "3"]
    assert table.loc[("param", "c"), "before"] is None
    assert tracking.what_changed(runs["one"], runs["one"], folder=store).empty
    side = tracking.compare_runs([runs["two"], runs["one"]], folder=store)
    assert side["run"].tolist() == ["two", "one"]
    assert side["b"].tolist() == ["3", "2"]


def test_plot_scored_draws_both_lines_and_breaks_at_gaps():
    ax = tracking.plot_scored(scored_frame(folds=1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("day", "units per day")
    sold, forecast = ax.get_lines()
    assert len(sold.get_ydata()) == 14 and set(forecast.get_ydata()) == {20.0}
    apart = pd.concat(
        [
            scored_frame(folds=1),
            scored_frame(folds=1).assign(
                ds=lambda days: days["ds"] - pd.Timedelta(days=60),
                cutoff=lambda days: days["cutoff"] - pd.Timedelta(days=60),
            ),
        ]
    )
    assert np.isnan(tracking.plot_scored(apart).get_lines()[-2].get_ydata()).any()


# ending


def status(store, run_id):
    return tracking.connect(store).get_run(run_id).info.status


def test_an_exception_closes_the_run_as_failed(store):
    with pytest.raises(ZeroDivisionError), tracking.start_run("crash", folder=store) as run_id:
        1 / 0  # noqa: B018
    assert status(store, run_id) == "FAILED"


def test_ctrl_c_closes_the_run(store):
    with pytest.raises(KeyboardInterrupt), tracking.start_run("stop", folder=store) as run_id:
        raise KeyboardInterrupt
    assert status(store, run_id) == "FAILED"


def test_a_killed_run_is_closed_by_the_next_one(store):
    code = f"""
import os, signal
from mlworkbook.tracking import start_run
with start_run("victim", folder={str(store)!r}) as run_id:
    print(run_id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    victim = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    run_id = victim.stdout.strip()
    assert victim.returncode == -9 and status(store, run_id) == "RUNNING"
    with tracking.start_run("alive", folder=store) as alive:
        assert status(store, run_id) == "KILLED"
        with tracking.start_run("child", folder=store) as child:
            assert status(store, alive) == "RUNNING"
    run = tracking.connect(store).get_run(run_id)
    assert run.data.tags["mlworkbook.closed"] == "process was gone when a later run started"
    assert status(store, alive) == status(store, child) == "FINISHED"


def test_runs_of_living_processes_and_other_machines_are_left_alone(store):
    client = tracking.connect(store)
    group = tracking.experiment_id(client, "others")
    host, pid, birth = kept.this_process().rsplit(":", 2)
    tags = {
        "living": kept.this_process(),
        "elsewhere": f"{host}-2:{pid}:{birth}",
        "recycled": f"{host}:{pid}:{float(birth) - 100}",
    }
    runs = {name: client.create_run(group, tags={kept.PROCESS: tag}).info.run_id for name, tag in tags.items()}
    runs["foreign"] = client.create_run(group).info.run_id
    assert tracking.close_dead_runs(client, group) == [runs["recycled"]]
    assert {name: status(store, run) for name, run in runs.items()} == {
        "living": "RUNNING",
        "elsewhere": "RUNNING",
        "recycled": "KILLED",
        "foreign": "RUNNING",
    }


def test_a_deleted_experiment_comes_back(store):
    client = tracking.connect(store)
    group = tracking.experiment_id(client, "deleted")
    client.delete_experiment(group)
    with tracking.start_run("again", experiment="deleted", folder=store) as run_id:
        assert client.get_run(run_id).info.experiment_id == group


def test_a_child_is_shown_under_its_parent(store):
    with (
        tracking.start_run("mother", folder=store) as mother,
        tracking.start_run("child", folder=store, parent=mother) as child,
    ):
        assert tracking.connect(store).get_run(child).data.tags["mlflow.parentRunId"] == mother


@pytest.mark.slow
def test_two_processes_may_open_a_new_store_at_once(tmp_path):
    code = f"from mlworkbook.tracking import start_run\nwith start_run('x', folder={str(tmp_path)!r}) as it: print(it)"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    runs = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert {status(tmp_path, run) for run in runs} == {"FINISHED"} and len(runs) == 2


# quiet


@pytest.mark.slow
def test_no_warning_and_no_output(tmp_path):
    "A new store, a run and a comparison in a fresh Python: MLflow warns of nothing and prints nothing."
    code = f"""
import sys, warnings
sys.path.insert(0, {str(Path(__file__).parent)!r})
warnings.simplefilter("error")
# SQLAlchemy's own notice about how MLflow asks it for tables: nothing that we could change
warnings.filterwarnings("ignore", message="The ``noload`` loader strategy")
warnings.filterwarnings("ignore", module="(google|graphene|flask|starlette|fastapi|pydantic|docker|alembic)")
from test_tracking import history, scored_frame, ten
from mlworkbook import tracking
from mlworkbook.value import BAKERY_COSTS
with tracking.start_run("a", folder={str(tmp_path)!r}) as run:
    tracking.log_backtest(scored_frame(), history(), params={{"a": 1}}, costs=BAKERY_COSTS)
with tracking.start_run("b", folder={str(tmp_path)!r}) as other:
    tracking.train_predict(history(), ten, 7)
assert len(tracking.compare_runs([run, other], folder={str(tmp_path)!r})) == 2
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr[-2000:]


# a real server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    "A real `mlflow server` on a free port."
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | quiet | {"PATH": path}, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    uri = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                kept.check_store(uri, wait=1)
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()[-3000:]
                time.sleep(1)
        yield uri
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


@pytest.mark.slow
def test_the_same_code_writes_to_a_server(server, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    with tracking.start_run("remote", folder=tmp_path) as run_id:
        tracking.log_backtest(scored_frame(), history(), costs=BAKERY_COSTS)
    client = tracking.connect(tmp_path)
    assert client.get_run(run_id).data.metrics["fold_wape"] > 0
    assert {file.path for file in client.list_artifacts(run_id)} == {"forecast.png", "series.json"}
    assert files(tmp_path) == set()
    assert not re.search("http", capsys.readouterr().out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(tracking.compare_runs([run_id])) == 1
