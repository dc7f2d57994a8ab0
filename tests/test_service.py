"The service: the same numbers as the batch, no question lost while models change, and an answer to every odd request."

import asyncio
import errno
import http.client
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pandas as pd
import pytest
from typer.testing import CliRunner

from mlworkbook import cli, registry, service
from mlworkbook.batch import run_batch
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.registry import SeriesRequest
from mlworkbook.sales import make_sales
from mlworkbook.solver import SOLVER, Fitted, Handed
from mlworkbook.tracking import connect, start_run

KEY = "a-key-of-the-bakery-chain"
QUICK = {"uncertainty_samples": 50}


@pytest.fixture(scope="module")
def history():
    "Four series with known columns and 14 days to come; one is too short, one is closed on a weekday."
    table = make_sales(0, series=4, days=200, horizon=14)
    names = table["unique_id"].unique()
    table = table[(table["unique_id"] != names[3]) | (table["ds"] > table["ds"].max() - pd.Timedelta(days=54))]
    monday = (table["unique_id"] == names[2]) & (table["ds"].dt.dayofweek == 0)
    table.loc[monday, "closed"] = True
    table.loc[monday & table["y"].notna(), "y"] = 0.0
    return table.reset_index(drop=True)


@pytest.fixture(scope="module")
def forecaster(history):
    return Forecaster(Params(**QUICK), SOLVER).fit(history)


@pytest.fixture(scope="module")
def served(forecaster):
    return service.ready(forecaster)


@pytest.fixture(scope="module")
def app(forecaster):
    return service.create_app(forecaster, keys=KEY)


def ask(app, *calls, key=KEY):
    "Answers to calls, made one after another inside this process."

    async def talk():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client:
            return [await client.request(method, path, **options) for method, path, options in calls]

    return asyncio.run(talk())


def post(app, body, **options):
    options = {"content": body} if isinstance(body, bytes) else {"json": body} | options
    return ask(app, ("POST", "/forecast", options))[0]


def days(answer):
    return pd.DataFrame(json.loads(b"[" + answer + b"]"))


def coming(forecaster, name, count, **changes):
    "Future days as a client writes them, from what the history knows, repeated when it knows too few."
    last, rows = registry.last_day(forecaster.history), forecaster.history
    known = rows[(rows["unique_id"] == name) & (rows["ds"] > last)]
    plain = [column for column in registry.known_columns(forecaster) if column not in ("closed", "holiday")]
    out = []
    for number, day in enumerate(pd.date_range(last, periods=count + 1)[1:]):
        row = known.iloc[number % len(known)]
        regressors = {column: float(row[column]) for column in plain} | changes
        out.append({"ds": f"{day:%Y-%m-%d}", "closed": bool(row.get("closed", False)), "regressors": regressors})
    return out


# the same numbers, whichever way they are found


@pytest.mark.parametrize("horizon", [1, 2, 7, 13, 14])
def test_every_way_gives_what_the_registry_would(forecaster, served, horizon):
    for name in forecaster.history["unique_id"].unique():
        request = SeriesRequest(unique_id=name, horizon=horizon)
        mine = days(service.answer_json(served, request))
        long = pd.DataFrame([day.model_dump() for day in registry.answer(forecaster, request)])
        pd.testing.assert_frame_equal(mine, long, rtol=1e-9, check_dtype=False)
        assert mine["yhat"].equals(long["yhat"])


@pytest.mark.parametrize("horizon", [1, 5, 30])
def test_future_days_are_used(forecaster, served, horizon):
    plain = [name for name in registry.known_columns(forecaster) if name not in ("closed", "holiday")]
    for name in served.kept:
        future = coming(forecaster, name, horizon, **{plain[0]: 1.0})
        future[0]["closed"] = True
        request = SeriesRequest(unique_id=name, horizon=horizon, future=future)
        mine = days(service.answer_json(served, request))
        long = pd.DataFrame([day.model_dump() for day in registry.answer(forecaster, request)])
        pd.testing.assert_frame_equal(mine, long, rtol=1e-9, check_dtype=False)
        assert mine.loc[0, "status"] == "closed" and mine.loc[0, "yhat"] == 0


def test_the_quick_way_is_taken_for_plain_questions(forecaster, served):
    names = list(served.kept)
    quick = [service.quick_answer(served, SeriesRequest(unique_id=name, horizon=7)) for name in names]
    assert [part is not None for part in quick] == [name in forecaster.models for name in names]
    assert all(isinstance(model, Fitted) for model in forecaster.models.values())


ODD = {
    "a day is missing": lambda future: future[:3] + future[4:],
    "too few days": lambda future: future[:5],
    "a day twice": lambda future: [future[0], *future],
    "one more than asked": lambda future: [*future, future[-1] | {"ds": "2100-01-01"}],
    "another year": lambda future: [day | {"ds": "1999" + day["ds"][4:]} for day in future],
    "no regressor": lambda future: [day | {"regressors": {}} for day in future],
    "a strange regressor": lambda future: [day | {"regressors": day["regressors"] | {"moon": 1}} for day in future],
    "not a number": lambda future: [
        day | {"regressors": dict.fromkeys(day["regressors"], float("nan"))} for day in future
    ],
    "infinite": lambda future: [day | {"regressors": dict.fromkeys(day["regressors"], float("inf"))} for day in future],
    "out of order": lambda future: future[::-1],
}


@pytest.mark.parametrize("case", ODD)
def test_odd_days_get_the_registry_s_answer_or_message(forecaster, served, case):
    name = next(iter(forecaster.models))
    future = ODD[case](coming(forecaster, name, 7))
    request = SeriesRequest(unique_id=name, horizon=7, future=future)

    def outcome(work):
        try:
            return work()
        except ValueError as error:
            return str(error)

    mine = outcome(lambda: days(service.answer_json(served, request))["yhat"].tolist())
    long = outcome(lambda: [day.yhat for day in registry.answer(forecaster, request)])
    assert mine == long
    assert (case == "out of order") == isinstance(mine, list), mine


def test_the_answer_is_the_batch_file(forecaster, history, app, tmp_path):
    def forecast(rows, horizon):
        return forecaster.predict(horizon, series=list(rows["unique_id"].unique()))

    night = pd.read_parquet(run_batch(history, forecast, 14, tmp_path, model="x").path)
    names = night["unique_id"].unique().tolist()
    answer = post(app, {"series": [{"unique_id": name, "horizon": 14} for name in names]}).json()
    mine = pd.DataFrame(answer["forecast"]).assign(ds=lambda rows: pd.to_datetime(rows["ds"]))
    night = night[["unique_id", "ds", "yhat", "yhat_lower", "yhat_upper", "status"]]
    pd.testing.assert_frame_equal(mine, night, check_exact=True, check_dtype=False)


def test_without_known_columns_any_horizon_is_usual(history):
    plain = Forecaster(Params(uncertainty_samples=0), SOLVER).fit(
        history[history["y"].notna()][["unique_id", "ds", "y"]]
    )
    served = service.ready(plain, 30)
    name = next(iter(plain.models))
    for horizon in (30, 60):
        mine = days(service.answer_json(served, SeriesRequest(unique_id=name, horizon=horizon)))
        assert len(mine) == horizon and mine["yhat_lower"].isna().all()
        assert mine["yhat"].tolist() == plain.predict(horizon, series=[name])["yhat"].tolist()


def test_nothing_is_kept_when_tomorrow_is_unknown(history):
    blind = Forecaster(Params(**QUICK), SOLVER).fit(history[history["y"].notna()])
    served = service.ready(blind)
    assert served.horizon == 0 and not served.kept
    name = next(iter(blind.models))
    with pytest.raises(ValueError, match="are known for 0 days"):
        service.answer_json(served, SeriesRequest(unique_id=name, horizon=1))
    app = service.create_app(blind, keys="")
    assert post(app, {"series": [{"unique_id": name, "horizon": 1}]}).status_code == 422


def test_prophet_itself_may_answer(history):
    "Multiplicative seasons cannot be solved: those series go to Prophet, through the long way."
    two = history[history["unique_id"] == history["unique_id"].iat[0]]
    slow = Forecaster(Params(seasonality_mode="multiplicative", uncertainty_samples=0), SOLVER).fit(two)
    (name,) = slow.models
    assert isinstance(slow.models[name], Handed)
    app = service.create_app(slow, keys="")
    answer = post(app, {"series": [{"unique_id": name, "horizon": 3}]}).json()["forecast"]
    assert [day["yhat"] for day in answer] == slow.predict(3)["yhat"].tolist()
    assert answer[0]["status"].startswith("Prophet: ")


# who may ask, and what


def test_every_answer_says_who_gave_it(app, forecaster):
    answer = post(app, {"series": [{"unique_id": next(iter(forecaster.models)), "horizon": 3}]})
    body = answer.json()
    assert answer.status_code == 200 and len(body["forecast"]) == 3
    assert {name: body[name] for name in ("model", "version", "run_id")} == {
        "model": "given",
        "version": "0",
        "run_id": "",
    }
    service.Forecasts(**body)
    (card,) = ask(app, ("GET", "/models", {}))[0].json()
    assert card["horizon"] == 14 and card["known"] == registry.known_columns(forecaster)
    assert card["series"] == list(forecaster.history["unique_id"].unique())


@pytest.mark.parametrize("path", ["/forecast", "/models", "/metrics", "/", "/%2e%2e/etc/passwd", "/docs"])
@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], KEY + "x", "é"])
def test_no_door_without_a_key(app, path, key):
    headers = {"Authorization": f"Bearer {key}".encode()} if key else {}
    (answer,) = ask(app, ("POST", path, {"headers": headers, "content": b"{"}), key="")
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer KEY" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json"])
def test_some_doors_are_open(app, path):
    assert ask(app, ("GET", path, {}), key="")[0].status_code == 200


def test_keys_can_be_replaced_one_after_another():
    old, new = "k" * 16, "n" * 16
    keys = service.read_keys(f"{old}, {new},")
    assert [service.allowed(f"{kind} {key}".encode(), keys) for kind, key in (("Bearer", old), ("bearer", new))] == [
        True,
        True,
    ]
    assert not service.allowed(b"Basic " + old.encode(), keys) and not service.allowed(old.encode(), keys)
    assert service.allowed(b"", ())


@pytest.mark.parametrize("text", ["short", "has a space in its middle", "ñ" * 20, "k" * 20 + "," + "x" * 15])
def test_weak_keys_are_refused_and_not_shown(text):
    with pytest.raises(ValueError, match="MLWORKBOOK_API_KEYS cannot be used, expected 16 or more") as refusal:
        service.read_keys(text)
    assert text.split(",")[-1].strip() not in str(refusal.value)


def test_keys_come_from_the_environment(forecaster, monkeypatch):
    monkeypatch.setenv(service.KEYS, KEY)
    app = service.create_app(forecaster)
    assert ask(app, ("GET", "/models", {}))[0].status_code == 200
    assert ask(app, ("GET", "/models", {}), key="")[0].status_code == 401


def test_every_key_is_compared_in_constant_time(monkeypatch):
    seen, real = [], service.hmac.compare_digest
    monkeypatch.setattr(service.hmac, "compare_digest", lambda one, two: seen.append((one, two)) or real(one, two))
    keys = service.read_keys(f"{KEY},{'n' * 16}")
    assert service.allowed(f"Bearer {KEY}".encode(), keys)
    assert len(seen) == 2 and all(len(one) == len(two) == 32 for one, two in seen)


SERIES = {"unique_id": "NAME", "horizon": 3}
BAD = {
    "no body": b"",
    "not JSON": b"{",
    "not UTF-8": b'{"series": "\xff"}',
    "a list": [],
    "null": None,
    "empty": {},
    "no series": {"series": []},
    "series is text": {"series": "S01"},
    "unknown field": {"series": [SERIES], "debug": True},
    "unknown field inside": {"series": [SERIES | {"model": "x"}]},
    "no horizon": {"series": [{"unique_id": "NAME"}]},
    "horizon 0": {"series": [SERIES | {"horizon": 0}]},
    "horizon -1": {"series": [SERIES | {"horizon": -1}]},
    "horizon 367": {"series": [SERIES | {"horizon": 367}]},
    "horizon 1e30": {"series": [SERIES | {"horizon": 1e30}]},
    "horizon text": {"series": [SERIES | {"horizon": "all"}]},
    "horizon list": {"series": [SERIES | {"horizon": [1]}]},
    "unknown series": {"series": [{"unique_id": "nobody", "horizon": 3}]},
    "one of two unknown": {"series": [SERIES, {"unique_id": "nobody", "horizon": 3}]},
    "empty name": {"series": [{"unique_id": "", "horizon": 3}]},
    "name with a half letter": b'{"series": [{"unique_id": "\\ud800", "horizon": 3}]}',
    "name as a path": {"series": [{"unique_id": "../../etc/passwd", "horizon": 3}]},
    "no future days": {"series": [SERIES | {"future": []}]},
    "a date that is not": {"series": [SERIES | {"future": [{"ds": "2024-02-30"}]}]},
    "a date as a number": {"series": [SERIES | {"future": [{"ds": 20240101}]}]},
    "the year 1": {"series": [SERIES | {"future": [{"ds": "0001-01-01"}]}]},
    "NaN": b'{"series": [{"unique_id": "NAME", "horizon": NaN}]}',
    "a long number": b'{"series": [{"unique_id": "NAME", "horizon": ' + b"9" * 9000 + b"}]}",
    "deep": b"[" * 100_000,
    "too many": {"series": [SERIES] * 201},
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_the_client_s_fault(app, forecaster, case):
    name, body = next(iter(forecaster.models)), BAD[case]
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    body = body.replace(b"NAME", name.encode())
    (answer,) = ask(app, ("POST", "/forecast", {"content": body, "headers": {"Content-Type": "application/json"}}))
    assert answer.status_code in (400, 422), answer.text
    assert set(answer.json()) == {"detail", "request_id"} and len(answer.text) < 1000
    assert post(app, {"series": [SERIES | {"unique_id": name}]}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/forecast", 405),
        ("DELETE", "/models", 405),
        ("GET", "/forecast/", 404),
        ("GET", "/models/../../etc/passwd", 404),
        ("GET", "/models/%2e%2e%2f%2e%2e%2fetc/passwd", 404),
        ("GET", "//evil.example/", 404),
        ("GET", "/docs", 404),
        ("POST", "/health", 405),
    ],
)
def test_path_tricks_lead_nowhere(app, method, path, status):
    (answer,) = ask(app, (method, path, {}))
    assert answer.status_code == status and "location" not in answer.headers
    assert set(answer.json()) == {"detail", "request_id"}


def test_a_body_that_says_100_mb_is_not_read(app):
    async def endless():
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Length": "100000000", "Content-Type": "application/json"}
    (answer,) = ask(app, ("POST", "/forecast", {"content": endless(), "headers": headers}))
    assert answer.status_code == 413 and "1000000 bytes at most" in answer.json()["detail"]


def test_a_body_that_does_not_say_its_size_is_cut(app):
    sent = 0

    async def pieces():
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"0" * 1_000_000

    headers = {"Content-Type": "application/json"}
    (answer,) = ask(app, ("POST", "/forecast", {"content": pieces(), "headers": headers}))
    assert answer.status_code == 413 and sent <= 3


def test_limits_can_be_changed(forecaster):
    name = next(iter(forecaster.models))
    app = service.create_app(forecaster, keys="", limits=service.Limits(series=1, horizon=5))
    assert post(app, {"series": [{"unique_id": name, "horizon": 6}]}).status_code == 422
    assert post(app, {"series": [{"unique_id": name, "horizon": 5}] * 2}).status_code == 422
    assert post(app, {"series": [{"unique_id": name, "horizon": 5}]}).status_code == 200
    with pytest.raises(ValueError, match="limit seconds is 0, expected a number > 0"):
        service.Limits(seconds=0)


def test_a_slow_computation_ends_in_time(forecaster, monkeypatch):
    monkeypatch.setattr(service, "answer_json", lambda *_: time.sleep(0.3) or b"{}")
    app = service.create_app(forecaster, keys="", limits=service.Limits(seconds=0.4))
    name, begin = next(iter(forecaster.models)), time.monotonic()
    answer = post(app, {"series": [{"unique_id": name, "horizon": 3}] * 50})
    assert answer.status_code == 503 and answer.headers["retry-after"] and time.monotonic() - begin < 2


def test_a_fault_of_ours_is_a_number_to_ask_about(forecaster, monkeypatch, caplog):
    app = service.create_app(forecaster, keys="")
    monkeypatch.setattr(service, "answer_json", lambda *_: 1 / 0)
    caplog.set_level(logging.INFO, "mlworkbook.service")
    answer = post(app, {"series": [{"unique_id": next(iter(forecaster.models)), "horizon": 3}]})
    assert answer.status_code == 500 and "division" not in answer.text
    (fault,) = [record for record in caplog.records if record.exc_info]
    assert fault.facts["request_id"] == answer.json()["request_id"] == answer.headers["x-request-id"]


# what is written down


@pytest.mark.parametrize("bad", [b"a\r\nSet-Cookie: x=1", b"a b", b"x" * 65, "ñ".encode(), b'"', b""])
def test_a_harmful_request_id_is_replaced(app, bad):
    assert service.request_id(b"till-7.a_B") == "till-7.a_B"
    assert service.request_id(bad) != bad.decode("latin-1")
    assert len(service.request_id(bad)) == 32


def test_logs_are_json_lines_without_keys(forecaster, tmp_path):
    with (tmp_path / "log").open("w+") as stream:
        handler = service.log_to(stream)
        try:
            app = service.create_app(forecaster, keys=KEY)
            path = '/x"}%0A{"event": "forged"}?key=' + KEY
            ask(app, ("GET", path, {"headers": {"X-Request-Id": "till-7"}}), ("GET", "/models", {}))
            ask(app, ("GET", "/models", {}), key="wrong-" + KEY)
        finally:
            service.logger.removeHandler(handler)
            service.logger.propagate = True
        stream.seek(0)
        text = stream.read()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["status"] for line in lines] == [404, 200, 401]
    assert lines[0]["request_id"] == "till-7" and {line["event"] for line in lines} == {"request"}
    assert KEY not in text


def test_figures_are_those_of_this_service(forecaster):
    app = service.create_app(forecaster, keys="")
    name = next(iter(forecaster.models))
    post(app, {"series": [{"unique_id": name, "horizon": 14}] * 3})
    post(app, {"series": [{"unique_id": name, "horizon": 3}]})
    text = ask(app, ("GET", "/a-page-of-nobody", {}), ("GET", "/metrics", {}))[1].text
    assert 'mlworkbook_forecasts_total{source="kept"} 3.0' in text
    assert 'mlworkbook_forecasts_total{source="computed"} 1.0' in text
    assert 'mlworkbook_requests_total{route="other",status="404"} 1.0' in text
    assert 'mlworkbook_champion_info{model="given",run_id="",version="0"} 1.0' in text


def test_the_document_allows_what_we_answer(app):
    pytest.importorskip("schemathesis")
    document = ask(app, ("GET", "/openapi.json", {}))[0].json()
    examples = document["components"]["schemas"]["Asked"]["examples"]
    assert [service.Asked(**example) for example in examples]
    assert {"200", "401", "413", "422", "503"} <= set(document["paths"]["/forecast"]["post"]["responses"])


# who is champion


@pytest.fixture(scope="module")
def store(tmp_path_factory, forecaster):
    "A registry with two versions of one model; the first is champion."
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        client = connect(folder)
        for _ in range(2):
            with start_run("any", folder=folder):
                registry.log_panel(forecaster, "bakery")
    client.set_registered_model_alias("bakery", "champion", "1")
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    return folder


@pytest.fixture
def copy(store, tmp_path):
    "The same registry, at another place, that a test may spoil; its files are found where they are now."
    folder = tmp_path / "store"
    shutil.copytree(store, folder)
    with service.closing(service.sqlite3.connect(folder / "mlflow.db")) as base, base:
        for table, column in (("model_versions", "storage_location"), ("logged_models", "artifact_location")):
            base.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", [store.as_uri(), folder.as_uri()])
    return folder


def crown(folder, version):
    "Change the champion as MLflow does, in one transaction."
    with service.closing(service.sqlite3.connect(folder / "mlflow.db")) as base, base:
        base.execute("UPDATE registered_model_aliases SET version = ? WHERE alias = 'champion'", [version])


def files_of(folder, version):
    crown(folder, version)
    place = service.champion("bakery", folder).place
    return Path(service.url2pathname(service.urlparse(place).path))


def test_the_short_look_sees_what_mlflow_sees(store, monkeypatch):
    short = service.champion("bakery", store)
    assert short.place and short.version == "1"
    monkeypatch.setattr(service, "peek", lambda *_: (_ for _ in ()).throw(LookupError("another table")))
    long = service.champion("bakery", store)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    assert (long.version, long.run_id, long.seal, long.place) == (short.version, short.run_id, short.seal, "")
    with service.bring(short, store) as one, service.bring(long, store) as two:
        assert registry.fingerprints(one) == registry.fingerprints(two)
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        ("DROP TABLE registered_model_aliases", LookupError, "no such table"),
        ("ALTER TABLE model_versions RENAME COLUMN storage_location TO place", LookupError, "no such column"),
        ("DELETE FROM registered_models", ValueError, "no registered model 'bakery'; train one"),
    ],
)
def test_a_registry_that_is_not_as_we_know_it(copy, spoil, error, text):
    with service.closing(service.sqlite3.connect(copy / "mlflow.db")) as base, base:
        base.execute(spoil)
    with pytest.raises(error, match=text):
        service.peek(copy / "mlflow.db", "bakery")


def test_looking_writes_nothing_and_needs_no_mlflow(store, tmp_path):
    code = (
        "import sys; from pathlib import Path; from mlworkbook.service import Keeper; "
        f"keeper = Keeper('bakery', Path({str(store)!r})); assert keeper.refresh(), keeper.problem; "
        "print(*sorted({'mlflow', 'prophet', 'cmdstanpy', 'fastapi', 'sqlalchemy'} & set(sys.modules)))"
    )
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == ""
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_a_promotion_and_a_rollback_are_picked_up(copy):
    keeper = service.Keeper("bakery", copy)
    assert keeper.served is None and "being loaded" in keeper.problem
    seen = []
    for version in ("1", "1", "2", "1"):
        crown(copy, version)
        seen.append((keeper.refresh(), keeper.served.version, keeper.problem))
    assert seen == [(True, "1", ""), (False, "1", ""), (True, "2", ""), (True, "1", "")]


def broken(files, how):
    "Damage a model in one of the ways that disks, people and thieves do."
    model = next(files.rglob("*models.jsonl"))
    if how == "a byte changed":
        model.write_bytes(model.read_bytes()[:-5] + b"#" + model.read_bytes()[-4:])
    elif how == "empty":
        model.write_bytes(b"")
    elif how == "missing":
        model.unlink()
    elif how == "gone":
        shutil.rmtree(files)
    elif how == "a pickle beside it":
        (files / "extra.pkl").write_bytes(b"\x80\x04.")
    elif how == "a link":
        (files / "link").symlink_to("/etc/passwd")
    elif how == "a pipe":
        os.mkfifo(files / "pipe")
    elif how == "a new manifest":
        model.write_bytes(b"")
        registry.write_manifest(files)


DAMAGE = ["a byte changed", "empty", "missing", "gone", "a pickle beside it", "a link", "a pipe", "a new manifest"]


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_champion_does_not_replace_one_that_works(copy, how):
    keeper = service.Keeper("bakery", copy)
    assert keeper.refresh()
    before, kept = keeper.served, shutil.copytree(files_of(copy, "2"), copy / "kept")
    files = files_of(copy, "2")
    broken(files, how)
    assert not keeper.refresh() and keeper.served is before
    assert keeper.problem.startswith("version 2 of 'bakery': ")
    shutil.rmtree(files, ignore_errors=True)
    shutil.copytree(kept, files)
    assert keeper.refresh() and keeper.served.version == "2" and keeper.problem == ""


def test_the_registry_gone_and_back(copy):
    keeper = service.Keeper("bakery", copy)
    assert keeper.refresh()
    (copy / "mlflow.db").rename(copy / "away")
    assert not keeper.refresh() and keeper.served.version == "1" and "no registry at" in keeper.problem
    assert not (copy / "mlflow.db").exists(), "an empty registry was made"
    (copy / "mlflow.db").write_bytes(b"not a database, and not a short one either" * 99)
    assert not keeper.refresh() and keeper.served.version == "1" and keeper.problem
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    (copy / "away").replace(copy / "mlflow.db")
    assert not keeper.refresh() and keeper.problem == ""


def test_a_champion_that_is_withdrawn_stops_answering(copy):
    keeper = service.Keeper("bakery", copy)
    keeper.refresh()
    with service.closing(service.sqlite3.connect(copy / "mlflow.db")) as base, base:
        base.execute("DELETE FROM registered_model_aliases WHERE alias = 'champion'")
    assert not keeper.refresh() and keeper.served is None and "has no champion; promote one" in keeper.problem


def test_a_full_disk_does_not_stop_the_service(copy, monkeypatch):
    keeper = service.Keeper("bakery", copy)
    keeper.refresh()
    crown(copy, "2")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(service.shutil, "copytree", full)
    assert not keeper.refresh() and keeper.served.version == "1" and "No space left" in keeper.problem
    monkeypatch.undo()
    assert keeper.refresh() and keeper.served.version == "2"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_log_that_cannot_be_written_does_not_stop_the_service(forecaster, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    stream = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115, the test closes it when it can
    handler = service.log_to(stream)
    try:
        app = service.create_app(forecaster, keys="")
        assert post(app, {"series": [{"unique_id": next(iter(forecaster.models)), "horizon": 2}]}).status_code == 200
    finally:
        service.logger.removeHandler(handler)
        service.logger.propagate = True
        handler.stream = None
        with pytest.raises(OSError, match="No space left"):
            stream.close()


def test_nobody_waits_while_a_model_is_loaded(copy, monkeypatch):
    keeper = service.Keeper("bakery", copy)
    keeper.refresh()
    crown(copy, "2")
    inside, go = threading.Event(), threading.Event()
    real = service.ready

    def slow(*args, **kwargs):
        inside.set()
        go.wait(10)
        return real(*args, **kwargs)

    monkeypatch.setattr(service, "ready", slow)
    thread = threading.Thread(target=keeper.refresh)
    thread.start()
    assert inside.wait(10) and keeper.served.version == "1"
    go.set()
    thread.join()
    assert keeper.served.version == "2"


def test_the_watch_looks_less_often_after_failures(monkeypatch):
    keeper, waits = service.Keeper("bakery"), []

    class Stop:
        def wait(self, seconds):
            waits.append(seconds)
            return len(waits) == 12

    outcomes = iter(["x"] * 9 + ["", "", "x"])
    monkeypatch.setattr(keeper, "refresh", lambda: setattr(keeper, "problem", next(outcomes)))
    keeper.watch(1.0, Stop())
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60, 60, 1, 1, 2]


def test_without_a_champion_the_way_out_is_told(tmp_path):
    app = service.create_app("bakery", folder=tmp_path, keys="")
    calls = [("POST", "/forecast", {"json": {"series": [SERIES]}}), ("GET", "/models", {}), ("GET", "/ready", {})]
    first = ask(app, *calls)
    app.state.keeper.refresh()
    later = ask(app, *calls)
    assert [answer.status_code for answer in [*first, *later]] == [503] * 6
    assert "being loaded" in first[0].text and "make one: mlworkbook run" in later[0].text
    assert later[0].headers["retry-after"] and ask(app, ("GET", "/health", {}))[0].status_code == 200


def test_strangers_are_not_told_where_our_files_are(tmp_path):
    app = service.create_app("bakery", folder=tmp_path, keys=KEY)
    app.state.keeper.refresh()
    assert str(tmp_path) in ask(app, ("GET", "/ready", {}))[0].text
    (stranger,) = ask(app, ("GET", "/ready", {}), key="")
    assert stranger.status_code == 503 and str(tmp_path) not in stranger.text and "see the log" in stranger.text


@pytest.mark.parametrize(("options", "text"), [({"every": 0}, "every is 0"), ({"horizon": 0}, "horizon is 0")])
def test_what_cannot_be_is_said_at_once(options, text):
    with pytest.raises(ValueError, match=text):
        service.create_app("bakery", keys="", **options)


# real processes


class Running:
    "A service in a process of its own."

    def __init__(self, folder, program, **environment):
        self.log = (folder / "service.log").open("w+")
        command = [str(part) for part in program]
        home = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=home)
        first = self.process.stdout.readline()
        assert first.startswith("forecasts at "), self.written()
        self.port = int(first.split("//")[1].split()[0].rsplit(":", 1)[1])

    def written(self):
        self.log.flush()
        return Path(self.log.name).read_text()

    def line(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None, line=None, **headers):
        line = line or self.line()
        line.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"} | headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())

    def until(self, version):
        "Wait until a version answers."
        for _ in range(300):
            status, said = self.call("GET", "/ready")
            if status == 200 and said["version"] == version:
                return said
            time.sleep(0.1)
        raise AssertionError(f"{said}\n{self.written()[-2000:]}")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        return code


SERVE = """
import sys
from pathlib import Path
from mlworkbook.service import Limits, create_app, listen, log_to, run_app

place, limits = listen("127.0.0.1", 0), Limits(seconds=1.5)
print(f"forecasts at http://127.0.0.1:{place.getsockname()[1]}", flush=True)
log_to(sys.stderr)
run_app(create_app("bakery", folder=Path(sys.argv[1]), keys="", every=0.2, limits=limits), place, limits)
"""


@pytest.fixture(scope="module")
def running(store, tmp_path_factory):
    "A service with short patience, shared by the tests of the network."
    crown(store, "1")
    service_process = Running(tmp_path_factory.mktemp("running"), [sys.executable, "-c", SERVE, store])
    service_process.until("1")
    yield service_process
    assert service_process.end() == 0


@pytest.mark.slow
def test_slow_clients_are_sent_away_and_others_do_not_notice(running, forecaster):
    name = next(iter(forecaster.models))
    head = b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    slow = {part: socket.create_connection(("127.0.0.1", running.port)) for part in (b"", b"POST /fore", head)}
    for part, line in slow.items():
        line.sendall(part)
    begin = time.monotonic()
    assert running.call("POST", "/forecast", {"series": [{"unique_id": name, "horizon": 14}]})[0] == 200
    assert time.monotonic() - begin < 1.5
    answers = []
    for line in slow.values():
        line.settimeout(10)
        answers.append(b"".join(iter(lambda line=line: line.recv(4096), b"")))
        line.close()
    assert answers[:2] == [b"", b""] and answers[2].startswith(b"HTTP/1.1 408")
    assert b"did not arrive within 1.5 s" in answers[2] and time.monotonic() - begin < 8


@pytest.mark.slow
def test_100_mb_are_refused_at_once(running):
    line = running.line()
    line.putrequest("POST", "/forecast")
    line.putheader("Content-Length", "100000000")
    line.endheaders()
    try:
        for _ in range(100):
            line.send(b"0" * 1_000_000)
    except (BrokenPipeError, ConnectionResetError):
        return  # the door was closed: no answer can be read from a line that was cut
    assert line.getresponse().status == 413


@pytest.mark.slow
def test_broken_http_is_answered(running):
    for text, status in ((b"HELLO\r\n\r\n", b"400"), (b"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", b"400")):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
            line.sendall(text)
            assert line.recv(4096).split()[1] == status
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\rb\r\nConnection: close\r\n\r\n")
        assert b"a\rb" not in line.recv(4096)
    assert running.call("GET", "/health")[0] == 200


@pytest.mark.slow
def test_500_connections_at_once(running, forecaster):
    body = json.dumps({"series": [{"unique_id": next(iter(forecaster.models)), "horizon": 14}]}).encode()
    request = b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    lines = [socket.create_connection(("127.0.0.1", running.port), timeout=30) for _ in range(500)]
    for _ in range(2):
        for line in lines:
            line.sendall(request % (len(body), body))
        assert {line.recv(65536)[:12] for line in lines} == {b"HTTP/1.1 200"}
        time.sleep(0.1)
        for line in lines:  # what is left of a long answer
            line.setblocking(False)
            while True:
                try:
                    if not line.recv(65536):
                        break
                except BlockingIOError:
                    break
            line.settimeout(30)
    for line in lines:
        line.close()


def terminal(*words):
    "Run a command of ours as a process and read its JSON."
    command = [str(Path(sys.executable).with_name("mlworkbook")), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_whole_way(tmp_path, monkeypatch):
    "Train, promote, serve, batch equal, promote again without a lost request, rollback: real processes all along."
    monkeypatch.chdir(tmp_path)
    shop = tmp_path / "shop.csv"
    make_sales(0, series=3, days=240, horizon=14).to_csv(shop, index=False)
    job = ["run", "--data", shop, "--initial", "180", "--period", "60", "--workers", "1", "--json", "--quiet"]
    night = pd.read_parquet(terminal(*job)["files"]["forecast"])
    program = [Path(sys.executable).with_name("mlworkbook"), "serve", "--name", "shop", "--port", "0", "--every", "0.2"]
    one = Running(tmp_path, program, **{service.KEYS: KEY})
    key = {"Authorization": f"Bearer {KEY}"}
    names = night["unique_id"].unique().tolist()
    question = {"series": [{"unique_id": name, "horizon": 14} for name in names]}

    def same_as_the_file(night):
        answer = one.call("POST", "/forecast", question, **key)[1]
        rows = pd.DataFrame(answer["forecast"]).assign(ds=lambda rows: pd.to_datetime(rows["ds"]))
        pd.testing.assert_frame_equal(rows, night[list(rows)], check_exact=True, check_dtype=False)
        return answer["version"], answer["run_id"]

    stop, seen = threading.Event(), []

    def client(number):
        line, asked = one.line(), {"series": [{"unique_id": names[0], "horizon": 14 - number}]}
        while not stop.is_set():
            status, answer = one.call("POST", "/forecast", asked, line=line, **key)
            seen.append((number, status, answer.get("version"), answer["forecast"][0]["yhat"]))
            time.sleep(0.02)

    clients = [threading.Thread(target=client, args=[number]) for number in range(2)]
    try:
        one.until("1")
        assert one.call("POST", "/forecast", question)[0] == 401
        first = same_as_the_file(night)
        for thread in clients:
            thread.start()
        make_sales(0, series=3, days=247, horizon=14).to_csv(shop, index=False)
        later = pd.read_parquet(terminal(*job)["files"]["forecast"])
        one.until("2")
        second = same_as_the_file(later)
        assert terminal("rollback", "--name", "shop", "--json")["version"] == "1"
        one.until("1")
        assert same_as_the_file(night) == first
        stop.set()
        for thread in clients:
            thread.join()
        assert first[0] == "1" and second[0] == "2" and first[1] != second[1]
        assert {status for _, status, *_ in seen} == {200} and len(seen) > 50
        for number in range(2):
            order = [version for who, _, version, _ in seen if who == number]
            assert set(order) == {"1", "2"} and order[0] == order[-1] == "1"
            changes = sum(before != after for before, after in zip(order, order[1:], strict=False))
            assert changes == 2, "a version came, went and came again"
        assert len({(version, yhat) for _, _, version, yhat in seen}) == 2, "an answer mixed two versions"
        line = one.line()  # the last question: half of it before the order to stop, half of it after
        line.putrequest("POST", "/forecast")
        for name, value in ({"Content-Type": "application/json", "Content-Length": "13"} | key).items():
            line.putheader(name, value)
        line.endheaders(b'{"series"')
        time.sleep(0.3)
        one.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        line.send(b":[]}")
        assert line.getresponse().status == 422
        assert KEY not in one.written()
    finally:
        stop.set()
        code = one.end()
    assert code == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--host", "0.0.0.0"], "--host is 0.0.0.0 and there is no key; set MLWORKBOOK_API_KEYS"),
        (["--port", "PORT"], "cannot be used"),
        (["--every", "0", "--port", "0"], "every is 0.0, expected seconds > 0"),
        (["--horizon", "-1", "--port", "0"], "horizon is -1"),
    ],
)
def test_the_terminal_says_what_it_cannot_do(words, text, monkeypatch):
    monkeypatch.delenv(service.KEYS, raising=False)
    with service.listen("127.0.0.1", 0) as taken:
        words = [word.replace("PORT", str(taken.getsockname()[1])) for word in words]
        done = CliRunner().invoke(cli.app, ["serve", *words])
    assert done.exit_code == 2 and text in done.stderr, done.output


@pytest.mark.slow
def test_questions_that_the_document_allows_or_forbids(forecaster):
    "MLWORKBOOK_CASES asks for more cases than the usual few; half of the series that are asked for exist."
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    app = service.create_app(forecaster, keys=KEY)
    cases, seen, names = int(os.environ.get("MLWORKBOOK_CASES", "100")), [], list(forecaster.models)
    rules = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance]
    rules.append(checks.response_schema_conformance)
    phases, calm = [Phase.explicit, Phase.generate], list(HealthCheck)
    quick = settings(max_examples=cases, deadline=None, database=None, phases=phases, suppress_health_check=calm)

    def ask_one(case):
        asked = case.body.get("series") if isinstance(case.body, dict) else None
        for one in asked if isinstance(asked, list) else []:
            if isinstance(one, dict) and len(str(one)) % 2:
                one["unique_id"] = names[len(seen) % len(names)]
        answer = case.call(headers={"Authorization": f"Bearer {KEY}"})
        case.validate_response(answer, checks=rules)
        seen.append(answer.status_code)

    operation = schemathesis.openapi.from_asgi("/openapi.json", app)["/forecast"]["POST"]
    for mode in schemathesis.GenerationMode:
        quick(given(case=operation.as_strategy(generation_mode=mode))(ask_one))()
    assert {200, 422} <= set(seen) and max(seen) < 500 and len(seen) >= cases, sorted(set(seen))


@pytest.mark.slow
def test_the_recipe_of_the_container_builds_and_runs(tmp_path):
    "On a base made here, because no image can be pulled; it fetches packages, so it runs only when it is asked to."
    absent = [tool for tool in ("buildah", "mmdebstrap") if not shutil.which(tool)]
    if absent:
        pytest.skip(f"no builder of containers: {', '.join(absent)} not found (apt-get install buildah mmdebstrap)")
    if os.environ.get("MLWORKBOOK_CONTAINER") != "1":
        pytest.skip("fetches Debian and Python packages and takes minutes: set MLWORKBOOK_CONTAINER=1 to build")
    store = ["--root", tmp_path / "root", "--runroot", tmp_path / "run", "--storage-driver", "vfs"]
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n")

    def shell(*words, **options):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **options)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def buildah(verb, *words, **options):
        return shell("buildah", *store, verb, *words, env=os.environ | {"BUILDAH_ISOLATION": "chroot"}, **options)

    debian = ["--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm"]
    shell("mmdebstrap", *debian, tmp_path / "base.tar")
    base = buildah("from", "scratch")
    buildah("add", base, tmp_path / "base.tar", "/")
    buildah("commit", base, "localhost/base")
    mounts = ["--volume", f"{settings}:/etc/pip.conf:ro", "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"]
    recipe = ["--build-arg", "BASE=localhost/base", "--file", "infra/Dockerfile", "--tag", "service", "."]
    buildah("build", *mounts, *recipe, cwd=Path(__file__).parent.parent)
    box = buildah("from", "localhost/service")
    assert buildah("run", box, "--", "id", "-u") == "10001"
    command = ["buildah", *store, "run", box, "--", "mlworkbook", "serve", "--port", "0"]
    one = Running(tmp_path, command, BUILDAH_ISOLATION="chroot")
    try:
        assert one.call("GET", "/health")[0] == 200
        for _ in range(100):
            status, said = one.call("GET", "/ready")
            if "being loaded" not in said["detail"]:
                break
            time.sleep(0.1)
        assert status == 503 and "no registry at /registry/mlflow.db" in said["detail"]
    finally:
        one.process.terminate()
        one.end()
