"The service: the numbers of the published night, no question lost when it changes, an answer to every odd request."

import asyncio
import errno
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mlworkbook import answers, service
from mlworkbook.batch import run_batch
from mlworkbook.cli import app as cli
from mlworkbook.contract import future, last_day
from mlworkbook.ops import web
from mlworkbook.pipeline import train
from mlworkbook.publishing import keep_sales
from mlworkbook.publishing import publish as publish_tonight
from mlworkbook.recipes import Recipe, team_of
from mlworkbook.registry import SeriesRequest
from mlworkbook.sales import make_sales
from mlworkbook.tracking import connect
from mlworkbook.versions import label, place_of, serving

KEY = "a-key-of-the-bakery-chain"
QUICK = Recipe("prophet", {"uncertainty_samples": 50})
TEAM = team_of({"seasonal_naive": Recipe("seasonal_naive"), "prophet": Recipe("prophet"), "mstl": Recipe("mstl")})
NAME = "S01"


@pytest.fixture(scope="module")
def history():
    "Four series with known columns and 14 days to come; one is too short, one is closed on a weekday."
    table = make_sales(0, series=4, days=200, horizon=14)
    table = table[(table["unique_id"] != "S04") | (table["ds"] > table["ds"].max() - pd.Timedelta(days=54))]
    monday = (table["unique_id"] == "S03") & (table["ds"].dt.dayofweek == 0)
    table.loc[monday, "closed"] = True
    table.loc[monday & table["y"].notna(), "y"] = 0.0
    return table.reset_index(drop=True)


def publish(home, history, recipe=QUICK, horizon=14, sales=True):
    "Publish a night as the pipeline does, without a registry; give the open night."
    place = place_of("bakery", home)
    about = {"recipe": recipe.to_json()}
    made = run_batch(history, recipe, horizon, place.nights, model=label("bakery", recipe), size=250, about=about)
    if sales:
        keep_sales(place, history, made)
    return answers.open_night("bakery", made.path, place.folder / "sales.parquet")


@pytest.fixture(scope="module")
def home(history, tmp_path_factory):
    "A workspace with one night, and without a registry."
    folder = tmp_path_factory.mktemp("home")
    publish(folder, history)
    return folder


@pytest.fixture(scope="module")
def served(home):
    (path,) = home.rglob("forecast.parquet")
    return answers.open_night("bakery", path, home / "out" / "bakery" / "sales.parquet")


def open_app(home, **options):
    app = service.create_app(folder=home, **options)
    app.state.keeper.refresh()
    return app


@pytest.fixture(scope="module")
def app(home):
    return open_app(home, keys=KEY)


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


def night_of(served, name):
    "Days of the night, as a table."
    return pd.DataFrame(map(json.loads, served.kept[name]))


def asked(served, name, changes, horizon=14):
    "Days of an answer, as a table; changes by number of the day, or the same for all."
    first = served.last + pd.Timedelta(days=1)
    every = changes if all(isinstance(key, int) for key in changes) else dict.fromkeys(range(horizon), changes)
    days = [{"ds": f"{first + pd.Timedelta(days=number):%Y-%m-%d}"} | change for number, change in every.items()]
    request = SeriesRequest(unique_id=name, horizon=horizon, future=days)
    return pd.DataFrame(json.loads(b"[" + served.answer(request) + b"]"))


def written_plan(history, name, horizon=14):
    "The plan of the night as a client would write it out, unplanned columns as what the night took for them."
    rows = future(history[history["unique_id"] == name], horizon)
    return {
        number: {
            **{"closed": bool(row.get("closed", False)), "holiday": row.get("holiday", "")},
            "regressors": {"promo": float(row["promo"])},
        }
        for number, row in enumerate(rows.to_dict("records"))
    }


# the night, as it is


@pytest.mark.parametrize("horizon", [1, 2, 13, 14])
def test_fewer_days_are_the_beginning_of_the_night(served, horizon):
    for name in served.kept:
        found = served.answer(SeriesRequest(unique_id=name, horizon=horizon))
        assert json.loads(b"[" + found + b"]") == [json.loads(day) for day in served.kept[name][:horizon]]


@pytest.mark.parametrize("recipe", [QUICK, TEAM, Recipe("seasonal_naive")], ids=lambda one: one.name)
def test_the_answer_is_the_published_file(history, tmp_path, recipe):
    publish(tmp_path, history, recipe)
    night = pd.read_parquet(next(tmp_path.rglob("forecast.parquet")))
    names = night["unique_id"].unique().tolist()
    answer = post(
        open_app(tmp_path, keys=""), {"series": [{"unique_id": name, "horizon": 14} for name in names]}
    ).json()
    mine = pd.DataFrame(answer["forecast"]).assign(ds=lambda rows: pd.to_datetime(rows["ds"]))
    pd.testing.assert_frame_equal(
        mine[list(night)[:-1]], night.drop(columns="model"), check_exact=True, check_dtype=False
    )
    assert mine["order"].notna().all() == (recipe is TEAM)


def test_more_days_than_the_night_has_are_refused(app, served):
    with pytest.raises(ValueError, match="horizon is 15, but this night has 14 days; ask for 14 at most"):
        served.answer(SeriesRequest(unique_id=NAME, horizon=15))
    assert post(app, {"series": [{"unique_id": NAME, "horizon": 15}]}).status_code == 422


# another plan than the night's

PROPHETS = {
    "prophet": QUICK,
    "team": TEAM,
    "without eves": Recipe("prophet", {"eves": False, "uncertainty_samples": 0}),
    "logarithm": Recipe("prophet", {"log": True, "uncertainty_samples": 0}),
    "multiplicative": Recipe("prophet", {"seasonality_mode": "multiplicative", "uncertainty_samples": 0}),
}


@pytest.fixture(scope="module", params=PROPHETS)
def any_night(request, history, tmp_path_factory):
    "A night of each kind of recipe; nobody has planned the promotions of its last week."
    later = history["ds"] > last_day(history) + pd.Timedelta(days=7)
    rows = history.assign(promo=history["promo"].astype(float).mask(later))
    if request.param == "multiplicative":  # Prophet itself fits each series
        rows = rows[rows["unique_id"] == NAME]
    recipe = PROPHETS[request.param]
    return rows, recipe, publish(tmp_path_factory.mktemp("any"), rows, recipe)


def test_the_night_s_own_plan_gives_the_night(any_night):
    history, _, served = any_night
    for name in set(served.kept) - {"S04"}:
        pd.testing.assert_frame_equal(asked(served, name, written_plan(history, name)), night_of(served, name))
        pd.testing.assert_frame_equal(asked(served, name, {13: {}}), night_of(served, name))
        assert len(asked(served, name, {3: {}}, 5)) == 5


def test_a_promotion_is_worth_what_prophet_says(any_night):
    history, recipe, served = any_night
    told = history.assign(promo=history["promo"].where(history["y"].notna(), 1.0))
    prophet = Recipe("prophet") if recipe is TEAM else recipe
    before, after = (prophet.points(rows, 14).set_index(["unique_id", "ds"])["yhat"] for rows in (history, told))
    for name in set(served.kept) - {"S04"}:
        night, mine = night_of(served, name), asked(served, name, {"regressors": {"promo": 1}})
        gain = np.maximum((after - before)[name].to_numpy(), -night["yhat"])
        assert gain.abs().max() > 1
        for unit in ("yhat", "yhat_lower", "yhat_upper", "order"):
            if night[unit].notna().any():
                np.testing.assert_allclose(mine[unit], (night[unit] + gain).clip(lower=0), rtol=1e-9, atol=1e-9)
        assert mine["status"].equals(night["status"])


def test_the_solver_answers_what_it_can(history, tmp_path, served, monkeypatch):
    slow = publish(tmp_path, history[history["unique_id"] == NAME], PROPHETS["multiplicative"])
    asked(served, NAME, {0: {}}), asked(slow, NAME, {0: {}})
    monkeypatch.setattr(answers, "SOLVER", None)  # whom only the slow one still asks
    asked(served, NAME, {0: {}})
    with pytest.raises(AttributeError):
        asked(slow, NAME, {0: {}})


def test_a_holiday_and_its_eve(history, tmp_path):
    "A holiday that was met before moves its own day, and the day before it, where the recipe has eves."
    rows = history.assign(holiday="")
    rows.loc[rows["ds"].dt.day.isin([5, 17]), "holiday"] = "Feast"
    rows.loc[rows["ds"].dt.day.isin([4, 16]) & ~rows["closed"] & rows["y"].notna(), "y"] *= 2
    rows.loc[rows["y"].isna(), "holiday"] = ""
    served = publish(tmp_path, rows, QUICK)
    mine, night = asked(served, NAME, {6: {"holiday": "Feast"}}), night_of(served, NAME)
    told = rows.assign(holiday=rows["holiday"].mask(rows["ds"] == pd.Timestamp(night["ds"][6]), "Feast"))
    again = QUICK(told, 14).query("unique_id == @NAME")["yhat"].to_numpy()
    np.testing.assert_allclose(mine["yhat"], again, rtol=1e-9)
    assert list(np.flatnonzero(mine["yhat"] != night["yhat"])) == [5, 6]
    plain = publish(tmp_path / "b", rows, Recipe("prophet", QUICK.settings | {"eves": False}))
    moved = asked(plain, NAME, {6: {"holiday": "Feast"}})["yhat"] != night_of(plain, NAME)["yhat"]
    assert list(np.flatnonzero(moved)) == [6]
    with pytest.raises(ValueError, match="regressor 'eve_of_holiday' is unknown, expected promo"):
        asked(served, NAME, {"regressors": {"eve_of_holiday": 1}})


def test_doors_that_close_and_open(history, tmp_path):
    day = last_day(history) + pd.Timedelta(days=3)
    rows = history.assign(closed=history["closed"] | ((history["ds"] == day) & (history["unique_id"] == NAME)))
    for number, recipe in enumerate((QUICK, TEAM)):
        served = publish(tmp_path / str(number), rows, recipe)
        night, mine = night_of(served, NAME), asked(served, NAME, {0: {"closed": True}, 2: {"closed": False}})
        assert night.loc[2, "status"] == "closed" and night.loc[0, "yhat"] > 0
        assert mine.loc[0, "status"] == "closed" and mine.loc[0, ["yhat", "yhat_lower", "yhat_upper"]].eq(0).all()
        assert mine.loc[2, "status"] == "model" and mine.loc[2, "yhat"] > 0
        assert np.isnan(mine.loc[2, "yhat_lower"]), "a day without sales has no interval to lend"
        pd.testing.assert_frame_equal(mine.drop([0, 2]), night.drop([0, 2]))
        never = asked(served, "S03", {"closed": False})
        monday = pd.to_datetime(never["ds"]).dt.dayofweek == 0
        assert monday.any() and never.loc[monday, "status"].eq("closed").all() and never.loc[monday, "yhat"].eq(0).all()


def test_never_below_nothing(served):
    mine, night = asked(served, NAME, {"regressors": {"promo": -1e6}}), night_of(served, NAME)
    assert (
        mine[["yhat", "yhat_lower"]].eq(0).all(axis=None)
        and mine["yhat_upper"].ge(0).all()
        and night["yhat"].gt(0).any()
    )


ODD = {
    "a day twice": ([{"ds": "DAY"}, {"ds": "DAY"}], "future day DAY is asked twice or not among"),
    "another year": ([{"ds": "1999-01-01"}], "1999-01-01 is asked twice or not among"),
    "after the horizon": ([{"ds": "LATE"}], "LATE is asked twice or not among"),
    "a strange column": ([{"ds": "DAY", "regressors": {"moon": 1}}], "regressor 'moon' is unknown, expected promo"),
    "a day as a column": ([{"ds": "DAY", "regressors": {"ds": 1}}], "regressor 'ds' is unknown"),
    "not a number": ([{"ds": "DAY", "regressors": {"promo": float("nan")}}], "is not a finite number"),
    "infinite": ([{"ds": "DAY", "regressors": {"promo": float("inf")}}], "is not a finite number"),
    "too large": ([{"ds": "DAY", "regressors": {"promo": 1e308}}], "is not a finite number; give smaller regressors"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_days_are_refused(served, case):
    days, text = json.dumps(ODD[case][0]), ODD[case][1]
    for word, ahead in (("DAY", 2), ("LATE", 8)):
        day = f"{served.last + pd.Timedelta(days=ahead):%Y-%m-%d}"
        days, text = days.replace(word, day), text.replace(word, day)
    with pytest.raises(ValueError, match=text):
        served.answer(SeriesRequest(unique_id=NAME, horizon=7, future=json.loads(days)))


def test_what_nobody_can_judge_is_refused_with_the_reason(history, tmp_path, served):
    with pytest.raises(ValueError, match="S04 has no model that knows its columns .*56 needed.*omit `future`"):
        asked(served, "S04", {"regressors": {"promo": 1}})
    rule = publish(tmp_path / "rule", history, Recipe("seasonal_naive"))
    with pytest.raises(ValueError, match="recipe is 'seasonal_naive' and has no Prophet"):
        asked(rule, NAME, {"closed": True})
    plain = publish(tmp_path / "plain", history[history["y"].notna()][["unique_id", "ds", "y"]])
    assert plain.columns == [] and asked(plain, NAME, {0: {"closed": True}}).loc[0, "status"] == "closed"
    with pytest.raises(ValueError, match="regressor 'promo' is unknown, expected none"):
        asked(plain, NAME, {"regressors": {"promo": 1}})


def spoil(path, how):
    "Damage a file in one of the ways that disks and people do."
    whole = path.read_bytes()
    if how == "cut":
        path.write_bytes(whole[:-9])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_bytes(b"unique_id,ds,yhat\n")
    elif how == "missing":
        path.unlink()
    elif how == "a pipe":
        path.unlink()
        os.mkfifo(path)
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    else:
        rows, about = pd.read_parquet(path), pq.read_metadata(path).metadata
        number = rows.columns[2]
        if how == "a day less":
            rows = rows.drop(index=3)
        elif how == "other days":
            rows = rows.assign(ds=rows["ds"] + pd.Timedelta(days=1))
        elif how == "no column":
            rows = rows.drop(columns=number)
        elif how == "below 0":
            rows.loc[3, number] = -1.0
        elif how == "a day twice":
            rows.loc[3] = rows.loc[4]
        elif how == "no rows":
            rows = rows.head(0)
        about = {name: text for name, text in about.items() if name in (b"fingerprint", b"night", b"recipe")}
        table = pa.Table.from_pandas(rows, preserve_index=False)
        pq.write_table(table.replace_schema_metadata(about), path)


DAMAGE = ["cut", "empty", "text", "missing", "a pipe", "a folder", "a day less", "no column", "below 0", "a day twice"]


@pytest.mark.parametrize("how", [*DAMAGE, "another night's", "other bytes"])
def test_without_the_night_s_sales_only_other_plans_are_refused(home, history, tmp_path, how):
    shutil.copytree(home, tmp_path / "home")
    (path,), sales = (
        (tmp_path / "home").rglob("forecast.parquet"),
        tmp_path / "home" / "out" / "bakery" / "sales.parquet",
    )
    if how == "another night's":
        other = publish(tmp_path / "other", history, Recipe("prophet"))
        shutil.copy(Path(other.stamp[1]), sales)
    elif how == "other bytes":  # where the file has sums of its pages, a byte is enough
        with pq.ParquetFile(sales) as file:
            table = file.read()
        pq.write_table(table, sales, write_page_checksum=True, compression="none")
        whole = bytearray(sales.read_bytes())
        whole[len(whole) // 3] ^= 255
        sales.write_bytes(bytes(whole))
    else:
        spoil(sales, how)
    served = answers.open_night("bakery", path, sales)
    assert served.why and len(night_of(served, NAME)) == 14
    app = open_app(tmp_path / "home", keys="")
    assert post(app, {"series": [SERIES | {"unique_id": NAME}]}).status_code == 200
    refused = post(app, {"series": [{"unique_id": NAME, "horizon": 2, "future": [{"ds": "2020-01-01"}]}]})
    assert refused.status_code == 422 and served.why[:40] in refused.json()["detail"]
    assert ask(app, ("GET", "/models", {}))[0].json()[0]["known"] == []


# who may ask, and what


def test_every_answer_says_who_gave_it(app, history):
    answer = post(app, {"series": [{"unique_id": NAME, "horizon": 3}]})
    body = answer.json()
    assert answer.status_code == 200 and len(body["forecast"]) == 3
    assert [body[name] for name in ("model", "version", "run_id")] == ["bakery", "", ""], "no registry can tell"
    assert body["recipe"] == label("bakery", QUICK) and body["last_day"] == f"{last_day(history):%Y-%m-%d}"
    service.Forecasts(**body)
    (card,) = ask(app, ("GET", "/models", {}))[0].json()
    assert card["horizon"] == 14 and card["known"] == ["closed", "holiday", "promo"]
    assert card["series"] == list(history["unique_id"].unique()) and card["recipe"] == body["recipe"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/forecast"), ("GET", "/models"), ("GET", "/metrics")])
@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], KEY + "x", "é"])
def test_no_door_without_a_key(app, method, path, key):
    headers = {"Authorization": f"Bearer {key}".encode()} if key else {}
    (answer,) = ask(app, (method, path, {"headers": headers, "json": {"series": [SERIES]}}), key="")
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer KEY" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json"])
def test_some_doors_are_open(app, path):
    assert ask(app, ("GET", path, {}), key="")[0].status_code == 200


def test_keys_can_be_replaced_one_after_another(home):
    old, new = "k" * 16, "n" * 16
    app = open_app(home, keys=f"{old}, {new},")
    heads = [f"Bearer {old}", f"bearer {new}", f"Basic {old}", old, f"Bearer {old}x"]
    said = ask(app, *[("GET", "/models", {"headers": {"Authorization": head}}) for head in heads], key="")
    assert [answer.status_code for answer in said] == [200, 200, 401, 401, 401]


@pytest.mark.parametrize("text", ["", ",", " , "])
def test_no_key_is_no_key(home, text):
    assert web.read_keys(text) == [] and web.is_allowed(None, [])
    assert ask(open_app(home, keys=text), ("GET", "/models", {}), key="")[0].status_code == 200


@pytest.mark.parametrize("text", ["short", "has a space in its middle", "ñ" * 20, "k" * 20 + "," + "x" * 15])
def test_weak_keys_are_refused_and_not_shown(text):
    with pytest.raises(ValueError, match="MLWORKBOOK_API_KEYS cannot be used, expected 16 or more") as refusal:
        web.read_keys(text)
    assert text.split(",")[-1].strip() not in str(refusal.value)


def test_keys_come_from_the_environment(home, monkeypatch):
    monkeypatch.setenv("MLWORKBOOK_API_KEYS", KEY)
    app = open_app(home)
    assert ask(app, ("GET", "/models", {}))[0].status_code == 200
    assert ask(app, ("GET", "/models", {}), key="")[0].status_code == 401


def test_every_key_is_compared_in_constant_time(monkeypatch):
    seen, real = [], web.hmac.compare_digest
    monkeypatch.setattr(web.hmac, "compare_digest", lambda one, two: seen.append((one, two)) or real(one, two))
    keys = web.read_keys(f"{KEY},{'n' * 16}")
    assert web.is_allowed(KEY, keys)
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
def test_bad_input_is_the_client_s_fault(app, case):
    name, body = NAME, BAD[case]
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    body = body.replace(b"NAME", name.encode())
    (answer,) = ask(app, ("POST", "/forecast", {"content": body, "headers": {"Content-Type": "application/json"}}))
    assert answer.status_code in (400, 422), answer.text
    assert set(answer.json()) == {"detail"} and len(answer.text) < 1000
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
    assert set(answer.json()) == {"detail"}


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


def test_limits_can_be_changed(home):
    app = open_app(home, keys="", limits=web.Limits(series=1, body=200))
    assert post(app, {"series": [{"unique_id": NAME, "horizon": 5}] * 2}).status_code == 422
    assert post(app, {"series": [{"unique_id": NAME * 99, "horizon": 5}]}).status_code == 413
    assert post(app, {"series": [{"unique_id": NAME, "horizon": 5}]}).status_code == 200
    with pytest.raises(ValueError, match="limit seconds is 0, expected a number > 0"):
        web.Limits(seconds=0)


def test_a_slow_computation_ends_in_time(home, monkeypatch):
    monkeypatch.setattr(answers.Night, "answer", lambda *_: time.sleep(0.3) or b"{}")
    app = open_app(home, keys="", limits=web.Limits(seconds=0.4))
    begin = time.monotonic()
    answer = post(app, {"series": [SERIES | {"unique_id": NAME, "future": [{"ds": "2020-01-01"}]}] * 50})
    assert answer.status_code == 503 and answer.headers["retry-after"] and time.monotonic() - begin < 2


def test_a_fault_of_ours_is_a_number_to_ask_about(home, monkeypatch):
    app = open_app(home, keys="")
    monkeypatch.setattr(answers.Night, "answer", lambda *_: 1 / 0)
    answer = post(app, {"series": [{"unique_id": NAME, "horizon": 3}]})
    assert answer.status_code == 500 and "division" not in answer.text
    assert len(answer.headers["x-request-id"]) == 32 and "X-Request-ID" in answer.json()["detail"]


# what is written down


@pytest.mark.parametrize("bad", [b"a b", b"x" * 65, "ñ".encode(), b'"', b'x"}{"event": "forged"', b""])
def test_a_harmful_request_id_is_replaced(app, bad):
    good, other = ask(app, *[("GET", "/health", {"headers": {"X-Request-ID": one}}) for one in (b"till-7.a_B", bad)])
    assert good.headers["x-request-id"] == "till-7.a_B"
    assert len(other.headers["x-request-id"]) == 32 and other.headers["x-request-id"].isalnum()


def test_figures_are_those_of_this_service(home):
    app = open_app(home, keys="")
    days = [{"ds": f"{app.state.keeper.night.last + pd.Timedelta(days=1):%Y-%m-%d}", "closed": True}]
    post(app, {"series": [{"unique_id": NAME, "horizon": 14}, {"unique_id": NAME, "horizon": 3}] * 2})
    post(app, {"series": [{"unique_id": NAME, "horizon": 3, "future": days}]})
    text = ask(app, ("GET", "/a-page-of-nobody", {}), ("GET", "/metrics", {}))[1].text
    assert 'mlworkbook_forecasts_total{source="kept"} 4.0' in text
    assert 'mlworkbook_forecasts_total{source="computed"} 1.0' in text
    assert "mlworkbook_problem 1.0" in text, "there is no registry"
    assert 'http_request_duration_seconds_count{handler="/forecast",method="POST",status="200"} 2.0' in text
    assert 'http_request_duration_seconds_count{handler="none",method="GET",status="404"} 1.0' in text
    seconds = text.split("\nmlworkbook_night_timestamp_seconds ")[1].split()[0]
    assert pd.Timestamp(float(seconds), unit="s") == app.state.keeper.night.last


def test_the_document_allows_what_we_answer(app):
    pytest.importorskip("schemathesis")
    document = ask(app, ("GET", "/openapi.json", {}))[0].json()
    examples = document["components"]["schemas"]["Asked"]["examples"]
    assert [service.Asked(**example) for example in examples]
    assert {"200", "401", "413", "422", "503"} <= set(document["paths"]["/forecast"]["post"]["responses"])


# which night answers, and who made it


OTHER = Recipe("prophet", QUICK.settings | {"changepoint_prior_scale": 0.5})


@pytest.fixture
def shop(home, tmp_path):
    "The same night at another place, that a test may spoil."
    return shutil.copytree(home, tmp_path / "shop")


def horizon(keeper):
    "Days of the night that answers."
    return len(keeper.night.kept[NAME])


def file_of(shop):
    return max(shop.rglob("forecast.parquet"))


def next_day(history):
    "The same sales, a day later: the last known day is the first of those that were to come."
    last = last_day(history)
    rows = history[history["ds"] > history["ds"].min()]
    return rows.assign(y=rows["y"].mask(rows["ds"] == last + pd.Timedelta(days=1), 1.0 * ~rows["closed"]))


def test_newer_and_replaced_nights_are_picked_up(shop, history):
    keeper = service.Keeper("bakery", shop)
    assert keeper.night is None and "being opened" in keeper.problem
    assert keeper.refresh() and keeper.night.last == last_day(history)
    first = keeper.night
    assert not keeper.refresh() and keeper.night is first
    publish(shop, history, OTHER)
    assert keeper.refresh() and keeper.night.recipe == label("bakery", OTHER) and keeper.night.kept != first.kept
    publish(shop, next_day(history), QUICK, 13)
    assert keeper.refresh() and keeper.night.last == last_day(history) + pd.Timedelta(days=1)
    assert horizon(keeper) == 13 and keeper.night.known


def test_a_night_whose_sales_are_still_being_written_waits(shop, history):
    keeper = service.Keeper("bakery", shop)
    keeper.refresh()
    first = keeper.night
    later = next_day(history)
    publish(shop, later, QUICK, 13, sales=False)
    assert not keeper.refresh() and keeper.night is first
    publish(shop, later, QUICK, 13)
    assert keeper.refresh() and horizon(keeper) == 13 and not keeper.night.why
    publish(shop, later, OTHER, 13, sales=False)
    os.utime(file_of(shop), (time.time() + 60, time.time() + 60))
    assert (
        keeper.refresh() and keeper.night.recipe == label("bakery", OTHER) and "another night's" in keeper.night.why
    )
    assert service.Keeper("bakery", shop).refresh(), "who has nobody that answers does not wait"


@pytest.mark.parametrize("how", [*DAMAGE, "other days", "no rows"])
def test_a_damaged_night_does_not_replace_one_that_works(shop, history, how):
    keeper = service.Keeper("bakery", shop)
    keeper.refresh()
    first = keeper.night
    publish(shop, next_day(history), QUICK, 13)
    path = file_of(shop)
    kept = path.read_bytes()
    spoil(path, how)
    for late in (keeper, service.Keeper("bakery", shop)):  # who starts now takes the last whole one
        late.refresh()
        assert late.night.last == first.last and late.night.kept == first.kept
        assert ("night date=" in late.problem and "cannot be used" in late.problem) != (how == "missing")
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    path.write_bytes(kept)
    assert keeper.refresh() and horizon(keeper) == 13 and "cannot be used" not in keeper.problem


def test_damage_under_the_night_that_answers_changes_nothing(shop, history):
    publish(shop, next_day(history), QUICK, 13)
    keeper = service.Keeper("bakery", shop)
    keeper.refresh()
    spoil(file_of(shop), "cut")
    assert not keeper.refresh() and horizon(keeper) == 13 and "cannot be used" in keeper.problem


def test_nights_withdrawn_and_a_disk_that_goes_away(shop, history):
    publish(shop, next_day(history), QUICK, 13)
    keeper = service.Keeper("bakery", shop)
    keeper.refresh()
    nights = shop / "out" / "bakery" / "forecast"
    nights.rename(shop / "away")
    assert not keeper.refresh() and horizon(keeper) == 13 and service._NONE in keeper.problem
    (shop / "away").rename(nights)
    shutil.rmtree(file_of(shop).parent)
    assert keeper.refresh() and horizon(keeper) == 14, "the last but one answers again"
    shutil.rmtree(file_of(shop).parent)
    (nights / "date=someday-ok").mkdir()
    assert not keeper.refresh() and keeper.night is None and service._NONE in keeper.problem


def test_a_night_that_cannot_be_read_now_is_read_later(shop, history, monkeypatch):
    keeper = service.Keeper("bakery", shop)
    keeper.refresh()
    publish(shop, next_day(history), QUICK, 13)
    real = answers._read_table

    def full(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(answers, "_read_table", full)
    assert not keeper.refresh() and horizon(keeper) == 14 and "Input/output error" in keeper.problem
    monkeypatch.setattr(answers, "_read_table", real)
    assert keeper.refresh() and horizon(keeper) == 13
    monkeypatch.setattr(service, "_newest", full)
    assert not keeper.refresh() and horizon(keeper) == 13 and "Input/output error" in keeper.problem


def test_nights_may_stand_elsewhere(home, history, tmp_path):
    publish(tmp_path, history, OTHER)
    app = service.create_app(folder=home, out=tmp_path / "out" / "bakery", keys="")
    app.state.keeper.refresh()
    assert post(app, {"series": [{"unique_id": NAME, "horizon": 1}]}).json()["recipe"] == label("bakery", OTHER)


@pytest.fixture(scope="module")
def store(tmp_path_factory, history):
    "A workspace with three versions: champion, another recipe, and the champion's again."
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for recipe, rows in ((QUICK, history), (OTHER, history), (QUICK, next_day(history))):
            train(rows, recipe, name="bakery", horizon=13, home=folder)
        publish_tonight("bakery", history, home=folder)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    return folder


@pytest.fixture
def copy(store, tmp_path):
    "The same workspace at another place; the files of its versions stay where they are."
    return shutil.copytree(store, tmp_path / "copy")


def change(folder, words, *values):
    "Change the registry as MLflow does, in one transaction."
    with closing(sqlite3.connect(folder / "mlflow.db")) as base, base:
        base.execute(words, values)


def test_looking_writes_nothing(store, tmp_path):
    code = (
        "from pathlib import Path; from mlworkbook.service import Keeper; "
        f"keeper = Keeper('bakery', Path({str(store)!r})); assert keeper.refresh(), keeper.problem; "
        "assert keeper.night.known('S01') and keeper.night.made_by[0] == '1' and not keeper.problem"
    )
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before
    assert not list(tmp_path.iterdir()), "MLflow left a folder behind"


def test_an_alias_that_points_nowhere_and_a_server_that_is_not_there(copy, monkeypatch):
    keeper = service.Keeper("bakery", copy)
    assert keeper.refresh() and keeper.night.made_by[0] == "1"
    change(copy, "UPDATE registered_model_aliases SET version = 99 WHERE alias = 'champion'")
    assert keeper.refresh() and keeper.night.made_by[0] == "3" and keeper.problem == "", "the newest of its lineage"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    begin = time.monotonic()
    assert not keeper.refresh() and keeper.night.made_by[0] == "3" and "no tracking server answers" in keeper.problem
    late = service.Keeper("bakery", copy)
    assert late.refresh() and late.night.made_by == ("", "") and time.monotonic() - begin < 20


def test_a_night_answers_while_the_registry_is_silent(copy, monkeypatch):
    keeper, seen = service.Keeper("bakery", copy), []
    monkeypatch.setattr(service, "maker", lambda *_: seen.append(keeper.night) or ("7", "run"))
    assert keeper.refresh() and seen[0].made_by == ("", "") and keeper.night.made_by == ("7", "run")


def test_a_night_is_signed_by_who_made_it(copy, history):
    "The champion if it is of the night's lineage, else the newest version that is; a promotion waits for its night."
    keeper = service.Keeper("bakery", copy)
    assert keeper.refresh() and keeper.night.made_by[0] == "1" and keeper.problem == ""
    run = connect(copy).get_model_version("bakery", "1").run_id
    assert keeper.night.made_by[1] == run and f'"version":"1","run_id":"{run}"' in keeper.night.head.decode()
    change(copy, "UPDATE registered_model_aliases SET version = 2 WHERE alias = 'champion'")
    assert keeper.refresh() and keeper.night.made_by[0] == "3"
    kept = keeper.night.kept
    change(copy, "UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE version = 3")
    assert keeper.refresh() and keeper.night.made_by[0] == "1" and keeper.night.kept is kept
    publish(copy, history, OTHER)
    assert keeper.refresh() and keeper.night.made_by[0] == "2"
    change(copy, "DELETE FROM model_version_tags WHERE key = 'lineage'")
    assert not keeper.refresh() and keeper.night.made_by[0] == "2", "a champion of older days has no lineage"
    change(copy, "DELETE FROM registered_model_aliases")
    assert keeper.refresh() and keeper.night.made_by[0] == "" and len(keeper.night.kept) == 4


def test_the_registry_gone_and_back(copy, history):
    keeper = service.Keeper("bakery", copy)
    assert keeper.refresh()
    (copy / "mlflow.db").rename(copy / "away")
    assert not keeper.refresh() and keeper.night.made_by[0] == "1" and "no registry at" in keeper.problem
    assert not (copy / "mlflow.db").exists(), "an empty registry was made"
    publish(copy, next_day(history), QUICK, 13)
    assert keeper.refresh() and keeper.night.made_by[0] == "1", "a new night by the same recipe"
    publish(copy, next_day(history), OTHER, 13)
    assert keeper.refresh() and keeper.night.made_by[0] == "", "nobody can tell who made this one"
    (copy / "mlflow.db").write_bytes(b"not a database, and not a short one either" * 99)
    assert not keeper.refresh() and horizon(keeper) == 13 and keeper.problem
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    (copy / "away").replace(copy / "mlflow.db")
    assert keeper.refresh() and keeper.night.made_by[0] == "2" and keeper.problem == ""


def test_a_model_loaded_by_plain_mlflow_serves_and_publishes_on(store, history, monkeypatch):
    "MLflow leaves a note beside the files of a version that somebody loads."
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    connect(store)
    import mlflow

    model = mlflow.pyfunc.load_model("models:/bakery@champion")
    (row,) = model.predict([{"unique_id": NAME, "horizon": 1}])
    assert any(store.rglob("registered_model_meta")), "MLflow does not do this any more: the test can go"
    assert serving(place_of("bakery", store)).version == "1"
    assert publish_tonight("bakery", history, home=store).state == "unchanged"
    answer = post(open_app(store, keys=""), {"series": [{"unique_id": NAME, "horizon": 1}]}).json()
    assert answer["version"] == "1"
    got = row if isinstance(row, dict) else row.model_dump()
    assert answer["forecast"][0]["yhat"] == pytest.approx(got["yhat"], rel=1e-6)
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def test_nobody_waits_while_a_night_is_opened(shop, history, monkeypatch):
    keeper = service.Keeper("bakery", shop)
    keeper.refresh()
    publish(shop, next_day(history), QUICK, 13)
    inside, go, real = threading.Event(), threading.Event(), service.open_night

    def slow(*args):
        inside.set()
        go.wait(10)
        return real(*args)

    monkeypatch.setattr(service, "open_night", slow)
    thread = threading.Thread(target=keeper.refresh)
    thread.start()
    assert inside.wait(10) and horizon(keeper) == 14
    go.set()
    thread.join()
    assert horizon(keeper) == 13


def test_without_a_night_the_way_out_is_told(tmp_path):
    app = service.create_app("bakery", folder=tmp_path, keys="")
    calls = [("POST", "/forecast", {"json": {"series": [SERIES]}}), ("GET", "/models", {}), ("GET", "/ready", {})]
    first = ask(app, *calls)
    app.state.keeper.refresh()
    later = ask(app, *calls)
    assert [answer.status_code for answer in [*first, *later]] == [503] * 6
    assert "being opened" in first[0].text and service._NONE in later[0].text
    assert later[0].headers["retry-after"] and ask(app, ("GET", "/health", {}))[0].status_code == 200


def test_strangers_are_not_told_where_our_files_are(home, app, tmp_path):
    (known,), (stranger,) = ask(app, ("GET", "/ready", {})), ask(app, ("GET", "/ready", {}), key="")
    assert f"no registry at {home}" in known.json()["problem"] and known.json()["status"] == "ready"
    assert stranger.status_code == 200 and str(home) not in stranger.text and "see the log" in stranger.text
    none = ask(open_app(tmp_path, keys=KEY), ("GET", "/ready", {}), key="")[0]
    assert none.status_code == 503 and "see the log" in none.text


@pytest.mark.parametrize(("options", "text"), [({"every": 0}, "every is 0"), ({"keys": "short"}, "key 1 of")])
def test_what_cannot_be_is_said_at_once(options, text):
    with pytest.raises(ValueError, match=text):
        service.create_app("bakery", **{"keys": ""} | options)


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

    def until(self, **what):
        "Wait until a night or a version answers."
        for _ in range(300):
            status, said = self.call("GET", "/ready")
            if status == 200 and what.items() <= said.items():
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
from mlworkbook.ops.web import Limits, listen, run_app
from mlworkbook.service import create_app

place, limits = listen("127.0.0.1", 0), Limits(seconds=1.5)
print(f"forecasts at http://127.0.0.1:{place.getsockname()[1]}", flush=True)
run_app(create_app("bakery", folder=Path(sys.argv[1]), keys="", every=0.2, limits=limits), place, limits)
"""


@pytest.fixture(scope="module")
def running(home, tmp_path_factory):
    "A service with short patience, shared by the tests of the network."
    service_process = Running(tmp_path_factory.mktemp("running"), [sys.executable, "-c", SERVE, home])
    service_process.until(status="ready")
    yield service_process
    assert service_process.end() == 0


SLOW = b"POST /forecast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


def rest(line):
    "All that still comes over a connection, until the other side ends it."
    line.settimeout(10)
    with line:
        return b"".join(iter(lambda: line.recv(4096), b""))


@pytest.mark.slow
def test_slow_bodies_are_sent_away_whenever_they_come_and_others_do_not_notice(running):
    fresh, used = (socket.create_connection(("127.0.0.1", running.port)) for _ in range(2))
    used.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert used.recv(4096).startswith(b"HTTP/1.1 200")
    for line in (fresh, used):
        line.sendall(SLOW)
    begin = time.monotonic()
    assert running.call("POST", "/forecast", {"series": [{"unique_id": NAME, "horizon": 14}]})[0] == 200
    assert time.monotonic() - begin < 1.5
    for line in (fresh, used):
        answer = rest(line)
        assert b"HTTP/1.1 408" in answer and b"did not arrive within 1.5 s" in answer
    assert time.monotonic() - begin < 8


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx was not found (apt-get install nginx-light)")
def test_nginx_in_front_holds_back_slow_and_long_headers(running, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = (Path(__file__).parent.parent / "infra" / "nginx.conf").read_text()
    for old, new in (("8080", f"127.0.0.1:{port}"), (":8000", f":{running.port}"), ("10s", "1s"), ("65s", "2s")):
        assert old in config
        config = config.replace(old, new)
    (tmp_path / "nginx.conf").write_text(config)
    about = f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error;"
    command = ["nginx", "-p", tmp_path, "-e", tmp_path / "error", "-c", tmp_path / "nginx.conf", "-g", about]
    server = subprocess.Popen(list(map(str, command)))
    try:
        for _ in range(100):
            try:
                used, fresh, long, body = (socket.create_connection(("127.0.0.1", port)) for _ in range(4))
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        used.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert used.recv(4096).startswith(b"HTTP/1.1 200")
        begin = time.monotonic()
        fresh.sendall(b"POST /fore")
        used.sendall(b"POST /fore")
        body.sendall(SLOW)
        long.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000 + b"\r\n\r\n")
        assert b" 400 " in rest(long)[:20]
        assert rest(fresh) == rest(used) == b"" and rest(body)[:12] in (b"", b"HTTP/1.1 408")
        assert time.monotonic() - begin < 8
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.slow
def test_everything_written_down_is_json_without_what_clients_hide(running):
    path = '/x"}%0A{"event":"forged"}?key=' + KEY
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-ID: till-7\r\nConnection: close\r\n\r\n".encode())
        assert b" 404 " in line.recv(4096)
    lines = [json.loads(line) for line in running.written().splitlines()]
    (mine,) = (line for line in lines if line["correlation_id"] == "till-7")
    assert "forged" in mine["message"] and mine["message"].endswith(" 404") and mine["levelname"] == "INFO"
    assert KEY not in running.written()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.slow
def test_a_log_that_cannot_be_written_does_not_stop_the_service(home):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", SERVE, str(home)]
        one = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=full, text=True)
    port = int(one.stdout.readline().rsplit(":", 1)[1])
    try:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        line.request("GET", "/health")
        assert line.getresponse().status == 200
    finally:
        one.terminate()
        one.wait(30)
        one.stdout.close()


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
def test_500_connections_at_once(running):
    body = json.dumps({"series": [{"unique_id": NAME, "horizon": 14}]}).encode()
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
    "First run, serve, the next evening and a corrected one without a lost request: real processes all along."
    monkeypatch.chdir(tmp_path)
    shop, place = tmp_path / "shop.csv", ["--out", tmp_path / "elsewhere"]

    def evening(command, days, extra=0.0):
        rows = make_sales(0, series=3, days=days, horizon=14)
        rows["y"] += extra * rows["y"].gt(0)
        rows.to_csv(shop, index=False)
        about = ["--data", shop, "--today", f"{last_day(rows):%Y-%m-%d}", "--workers", "1", "--json", "--quiet", *place]
        return pd.read_parquet(terminal(command, *about)["files"]["forecast"])

    night = evening("run", 240)
    program = [Path(sys.executable).with_name("mlworkbook"), "serve", "--name", "shop", "--port", "0", "--every", "0.2"]
    one = Running(tmp_path, [*program, *place], MLWORKBOOK_API_KEYS=KEY)
    key, names = {"Authorization": f"Bearer {KEY}"}, night["unique_id"].unique().tolist()
    question = {"series": [{"unique_id": name, "horizon": 14} for name in names]}

    def same_as_the_file(night):
        answer = one.call("POST", "/forecast", question, **key)[1]
        rows = pd.DataFrame(answer["forecast"]).assign(ds=lambda rows: pd.to_datetime(rows["ds"]))
        pd.testing.assert_frame_equal(rows, night[list(rows)], check_exact=True, check_dtype=False)
        assert answer["recipe"] == night["model"].iat[0] and answer["version"] == "1" and len(answer["run_id"]) == 32
        return answer["last_day"]

    stop, seen = threading.Event(), []

    def client(number):
        line, asked = one.line(), {"series": [{"unique_id": names[0], "horizon": 14 - number}]}
        while not stop.is_set():
            status, answer = one.call("POST", "/forecast", asked, line=line, **key)
            seen.append((number, status, answer.get("last_day"), answer["forecast"][0]["yhat"]))
            time.sleep(0.02)

    clients = [threading.Thread(target=client, args=[number]) for number in range(2)]
    try:
        first = one.until(status="ready", version="1")["night"]
        assert one.call("POST", "/forecast", question)[0] == 401
        assert same_as_the_file(night) == first
        for thread in clients:
            thread.start()
        later = evening("forecast", 241)
        assert later["ds"].min() == night["ds"].min() + pd.Timedelta(days=1)
        one.until(night=f"{later['ds'].min() - pd.Timedelta(days=1):%Y-%m-%d}")
        second = same_as_the_file(later)
        corrected = evening("forecast", 241, 5.0)
        for _ in range(100):
            if one.call("POST", "/forecast", question, **key)[1]["forecast"][0]["yhat"] == corrected["yhat"].iat[0]:
                break
            time.sleep(0.1)
        assert same_as_the_file(corrected) == second
        stop.set()
        for thread in clients:
            thread.join()
        assert {status for _, status, *_ in seen} == {200} and len(seen) > 50
        for number in range(2):
            order = [(day, yhat) for who, _, day, yhat in seen if who == number]
            changes = sum(before != after for before, after in zip(order, order[1:], strict=False))
            assert changes == 2 and len(set(order)) == 3, "a night came, went and came again"
            assert order[0] == (first, night["yhat"].iat[0]) and order[-1] == (second, corrected["yhat"].iat[0])
        assert len(set(row[2:] for row in seen)) == 3, "an answer mixed two nights"
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
    ],
)
def test_the_terminal_says_what_it_cannot_do(words, text, monkeypatch):
    monkeypatch.delenv("MLWORKBOOK_API_KEYS", raising=False)
    with web.listen("127.0.0.1", 0) as taken:
        words = [word.replace("PORT", str(taken.getsockname()[1])) for word in words]
        done = CliRunner().invoke(cli.app, ["serve", *words])
    assert done.exit_code == 2 and text in done.stderr, done.output


@pytest.mark.slow
def test_questions_that_the_document_allows_or_forbids(home, served):
    "MLWORKBOOK_CASES asks for more cases than the usual few; half of the series that are asked for exist."
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    app = open_app(home, keys="")
    cases, seen, names = int(os.environ.get("MLWORKBOOK_CASES", "100")), [], list(served.kept)
    rules = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance]
    rules.append(checks.response_schema_conformance)
    phases, calm = [Phase.explicit, Phase.generate], list(HealthCheck)
    quick = settings(max_examples=cases, deadline=None, database=None, phases=phases, suppress_health_check=calm)

    def ask_one(case):
        asked = case.body.get("series") if isinstance(case.body, dict) else None
        for one in asked if isinstance(asked, list) else []:
            if isinstance(one, dict) and len(str(one)) % 2:
                one["unique_id"] = names[len(seen) % len(names)]
        answer = case.call()
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
            if "being opened" not in said["detail"]:
                break
            time.sleep(0.1)
        assert status == 503 and service._NONE in said["detail"]
    finally:
        one.process.terminate()
        one.end()
