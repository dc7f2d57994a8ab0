"""Load the service and `mlflow models serve` with the same model, one after the other, with the same client.

The client is wrk, written in C (Debian: apt-get install wrk). The service answers from a published night of a Prophet:
kept as it is, or moved by what another promotion on all its days is worth. MLflow serves the Prophet that was fitted on
the same sales, which forecasts when asked; a registered recipe would also fit each time. Read the ratios: both servers
had the same machine, in the same run.
A smaller run for tests: bench_service.py --stores 2 --seconds 1 --requests 1000
"""

import argparse
import http.client
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import psutil

from measure import memory
from mlworkbook.batch import run_batch
from mlworkbook.contract import regressors
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.publishing import keep_sales
from mlworkbook.recipes import Recipe
from mlworkbook.registry import log_panel
from mlworkbook.sales import load_sales
from mlworkbook.solver import SOLVER
from mlworkbook.tracking import connect, start_run
from mlworkbook.versions import label, lineage, place_of

BIN = Path(sys.executable).parent
AIMS = {"kept": 250, "computed": 30}  # times the requests/s of `mlflow models serve`
LUA = """
wrk.method, wrk.body = "POST", os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"
local pause = tonumber(os.getenv("PAUSE"))
if pause > 0 then function delay() return math.random(0, 2 * pause) end end
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(port: int, method: str, path: str, body: dict | None = None) -> tuple[int, bytes]:
    "Status and content of one answer."
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = line.getresponse()
    return answer.status, answer.read()


@contextmanager
def running(command: list, port: int, path: str):
    "Run a server; give its process and the seconds until it was ready."
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment = os.environ | quiet | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            while True:
                try:
                    if ask(port, "GET", path)[0] == 200:
                        break
                except OSError:
                    pass
                if server.poll() is not None:
                    log.seek(0)
                    raise SystemExit(log.read().decode()[-2000:])
                time.sleep(0.02)
            yield psutil.Process(server.pid), time.perf_counter() - start
        finally:
            server.terminate()
            server.wait(30)


def spent(server: psutil.Process) -> float:
    "CPU seconds of a server and its children; other programs of the machine do not count."
    return sum(sum(one.cpu_times()[:2]) for one in [server, *server.children(recursive=True)])


def load(
    server: psutil.Process, port: int, path: str, body: dict, seconds: float, connections: int = 8, pause: float = 0
) -> dict:
    "Load a server with wrk: `rate` in requests/s, `p50` and `p99` in ms, `cpu` ms of one request, `count`."
    before = spent(server)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA)
        script.flush()
        address = f"http://127.0.0.1:{port}{path}"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "--latency"]
        environment = os.environ | {"BODY": json.dumps(body), "PAUSE": str(round(pause))}
        said = subprocess.run(
            [*command, "-s", script.name, address], capture_output=True, text=True, check=True, env=environment
        ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{path} did not answer all:\n{said}")
    units = {"us": 0.001, "ms": 1, "s": 1000}
    times = {
        f"p{share}": float(value) * units[unit]
        for share, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", said)
    }
    count = int(re.search(r"(\d+) requests in", said)[1])
    rate, cpu = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), 1000 * (spent(server) - before) / count
    return times | {"rate": rate, "cpu": cpu, "count": count}


def model(stores: int, folder: Path) -> tuple[Path, list[str], list[dict]]:
    "Register a champion and publish its night; where its files are, its series, and another plan of promotions."
    kept = sorted(load_sales(level="store", ended="drop")["unique_id"].unique())[:stores]
    history = load_sales(level="product", stores=[int(name[1:]) for name in kept], horizon=14, ended="drop")
    client, recipe, place = connect(folder), Recipe("prophet"), place_of("bakery", folder)
    with start_run("bench", folder=folder):
        tags = {"lineage": lineage(recipe)}
        version = log_panel(Forecaster(Params(), SOLVER).fit(history), "bakery", tags=tags)
    client.set_registered_model_alias("bakery", "champion", version)
    about = {"recipe": recipe.to_json()}
    made = run_batch(history, recipe, 14, place.nights, model=label("bakery", recipe), size=250, about=about)
    keep_sales(place, history, made)
    files, ahead = next(path.parent for path in folder.rglob("MLmodel")), history[history["y"].isna()]
    known, days = regressors(history)[0], ahead["ds"].drop_duplicates()
    return (
        files,
        history["unique_id"].unique().tolist(),
        [{"ds": f"{d:%Y-%m-%d}", "regressors": {known: 1}} for d in days],
    )


def ours(names: list[str], plan: list[dict], options: argparse.Namespace) -> dict[str, dict]:
    "All figures of the service."
    port, one = free_port(), {"unique_id": names[0], "horizon": 14}
    more = {"kept": {}, "first time": {"future": plan}, "computed": {"future": plan}}
    program = [BIN / "mlworkbook", "serve", "--port", port]
    with running(program, port, "/ready") as (process, seconds):
        while not json.loads(ask(port, "GET", "/ready")[1])["version"]:
            time.sleep(0.1)  # it answers already, and imports MLflow to ask who made the night
        used, every = spent(process), {}
        for name, future in more.items():
            start, used_before = time.perf_counter(), spent(process)
            asked = {"series": [{"unique_id": series, "horizon": 14} | future for series in names]}
            status, _ = ask(port, "POST", "/forecast", asked)
            every[name] = time.perf_counter() - start, spent(process) - used_before
            if status != 200:
                raise SystemExit(f"{status} for all series")
        rates = {}
        for name in AIMS:
            rates[name] = load(process, port, "/forecast", {"series": [one | more[name]]}, options.seconds)
        connections = 16
        pause = 1000 * connections / (rates["kept"]["rate"] / 2)
        half = load(process, port, "/forecast", {"series": [one]}, options.seconds, connections, pause)
        before, seen = memory(process), 0
        while seen < options.requests:
            need = (options.requests - seen) / rates["kept"]["rate"]
            seen += load(process, port, "/forecast", {"series": [one]}, min(60, need + 1))["count"]
        after = memory(process)
    print(f"start to ready {seconds:.1f} s, {used:.1f} CPU s")
    for name, rate in (rates | {"kept, half load": half}).items():
        times = f"p50 {rate['p50']:.1f} ms   p99 {rate['p99']:.1f} ms   {rate['cpu']:.2f} CPU ms each"
        print(f"{name:<18} {rate['rate']:12.0f} requests/s   {times}")
    for name, (took, cpu) in every.items():
        print(f"{len(names)} series in one request, {name:<10} {1000 * took:6.0f} ms, {1000 * cpu:4.0f} CPU ms")
    print(f"memory {before:.0f} MB, after {seen} more requests {after:.0f} MB")
    return rates


def mlflow(files: Path, names: list[str], options: argparse.Namespace) -> dict:
    "Figures of `mlflow models serve`."
    port = free_port()
    program = [BIN / "mlflow", "models", "serve", "-m", files, "--env-manager", "local", "--port", port]
    with running([*program, "--host", "127.0.0.1"], port, "/ping") as (process, seconds):
        body = {"inputs": [{"unique_id": names[0], "horizon": 14}]}
        ask(port, "POST", "/invocations", body)
        rate = load(process, port, "/invocations", body, options.seconds)
        times = f"p50 {rate['p50']:.0f} ms   p99 {rate['p99']:.0f} ms   {rate['cpu']:.1f} CPU ms each"
        print(f"mlflow models serve{rate['rate']:12.1f} requests/s   {times}")
        print(f"                   ready in {seconds:.1f} s, {memory(process):.0f} MB")
    return rate


def main() -> None:
    "Print the table."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=int, default=35, help="how many of the 35, with three products each")
    parser.add_argument("--seconds", type=float, default=10, help="of each load")
    parser.add_argument("--requests", type=int, default=100_000, help="after which memory is looked at again")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk was not found; install it: sudo apt-get install wrk")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MLWORKBOOK_HOME": folder}
        files, names, plan = model(options.stores, Path(folder))
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        theirs = mlflow(files, names, options)
        rates = ours(names, plan, options)
    missed = []
    for name, aim in AIMS.items():
        faster, lighter = rates[name]["rate"] / theirs["rate"], theirs["cpu"] / rates[name]["cpu"]
        print(f"{name:<18} {faster:6.0f} times mlflow models serve (aim {aim}), {lighter:6.0f} times by CPU")
        missed += [name] if faster < aim else []
    if missed:
        raise SystemExit(f"under the aim: {', '.join(missed)}")


if __name__ == "__main__":
    main()
