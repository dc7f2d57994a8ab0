"The official model: what is saved, what is refused before it runs, who may be champion, and the way back."

import hashlib
import json
import os
import pickle
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlworkbook import registry
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.sales import make_sales
from mlworkbook.tracking import connect, log_backtest, start_run
from mlworkbook.value import BAKERY_COSTS

BIN = str(Path(sys.executable).parent)


@pytest.fixture(scope="module")
def forecaster():
    "A small panel with known columns and 14 future days."
    return Forecaster(Params(uncertainty_samples=20)).fit(make_sales(0, series=2, days=120, horizon=14))


@pytest.fixture(scope="module")
def saved(tmp_path_factory, forecaster):
    folder = tmp_path_factory.mktemp("saved") / "model"
    return folder, registry.save_panel(forecaster, folder)


@pytest.fixture
def model(saved, tmp_path):
    "A copy that a test may spoil."
    folder, seal = saved
    copy = tmp_path / "model"
    for path in folder.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return copy, seal


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        connect(folder)
    return folder


def scored_frame(errors, days=14, seed=0):
    "Scored days of several models: each forecasts the sales plus its error, in units."
    rng = np.random.default_rng(seed)
    ds = pd.date_range("2024-01-01", periods=days)
    rows = pd.DataFrame({"unique_id": "S01", "ds": ds, "y": rng.integers(50, 90, days) + 0.0})
    rows["cutoff"] = ds[0] - pd.Timedelta(days=1)
    return pd.concat([rows.assign(yhat=rows["y"] + error, model=model) for model, error in errors.items()])


def register(name, scored, forecaster, store, model="good"):
    with start_run(model, folder=store) as run_id:
        log_backtest(scored[scored["model"] == model], scored, params={"name": model})
        return registry.log_panel(forecaster, name), run_id


# what is saved


def test_the_saved_model_holds_no_pickle(saved):
    folder, _ = saved
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"MLmodel", "panel.py", "requirements.txt", "input_example.json", "manifest.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".pt"))]
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes()[:2] not in (b"\x80\x03", b"\x80\x04", b"\x80\x05"), path
    assert (folder / "panel.py").read_text() == registry.MODEL_CODE


def test_requirements_are_exact_and_installed(saved):
    folder, _ = saved
    lines = (folder / "requirements.txt").read_text().split()
    assert lines == registry.requirements()
    assert all("==" in line for line in lines)
    assert {line.split("==")[0] for line in lines} >= {"mlworkbook", "prophet", "mlflow", "pandas"}


def test_the_input_is_described_and_has_an_example(saved):
    import mlflow

    folder, _ = saved
    about = mlflow.models.Model.load(str(folder))
    (request,) = json.loads((folder / "input_example.json").read_text())
    assert set(about.signature.inputs.to_dict()[0]["properties"]) == {"unique_id", "horizon", "future"}
    assert registry.SeriesRequest(**request).horizon == 1
    assert request["future"][0]["regressors"]


def test_the_forecast_survives_saving(saved, forecaster):
    import mlflow

    served = mlflow.pyfunc.load_model(str(saved[0]))
    uid = forecaster.history["unique_id"].iat[0]
    rows = served.predict([{"unique_id": uid, "horizon": 14}])
    mine = forecaster.predict(14, series=[uid])
    assert [row.yhat for row in rows] == mine["yhat"].tolist()
    assert [row.ds for row in rows] == mine["ds"].dt.strftime("%Y-%m-%d").tolist()


def test_a_model_without_known_columns(tmp_path):
    import mlflow

    plain = make_sales(0, series=1, days=120)[["unique_id", "ds", "y"]]
    registry.save_panel(Forecaster(Params(uncertainty_samples=0)).fit(plain), tmp_path / "model")
    served = mlflow.pyfunc.load_model(str(registry.check_manifest(tmp_path / "model")))
    rows = served.predict([{"unique_id": plain["unique_id"].iat[0], "horizon": 3}])
    assert len(rows) == 3 and rows[0].yhat_lower is None


def test_future_days_change_the_forecast(forecaster):
    request = registry.example_request(forecaster)
    usual = registry.answer(forecaster, registry.SeriesRequest(**request))
    request["future"][0]["closed"] = True
    (shut,) = registry.answer(forecaster, registry.SeriesRequest(**request))
    assert (shut.yhat, shut.status) == (0.0, "closed") and usual[0].status == "model"


BAD = {
    "horizon 0": {"horizon": 0},
    "horizon 400": {"horizon": 400},
    "horizon as text": {"horizon": "seven"},
    "no series": {"unique_id": ""},
    "unknown series": {"unique_id": "S99", "future": None},
    "extra field": {"colour": "red"},
    "no such day": {"future": [{"ds": "2024-02-31"}]},
    "not a day": {"future": [{"ds": "tomorrow"}]},
    "unknown regressor": {"future": [{"ds": "2024-03-01", "regressors": {"weather": 1.0}}]},
    "missing regressors": {"future": [{"ds": "2024-03-01"}]},
    "no future days": {"future": []},
    "horizon beyond the calendar": {"horizon": 15, "future": None},
}


@pytest.mark.parametrize("change", BAD.values(), ids=list(BAD))
def test_bad_requests_are_refused(saved, forecaster, change):
    import mlflow

    served = mlflow.pyfunc.load_model(str(saved[0]))
    with pytest.raises(mlflow.MlflowException) as refusal:
        served.predict([registry.example_request(forecaster) | change])
    assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"


# the manifest


def test_whoever_runs_it_where_it_lies_adds_nothing(model):
    folder, seal = model
    path = str(folder / "panel.py")
    code = f"from importlib.machinery import SourceFileLoader as Run; Run('panel', {path!r}).load_module()"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=kept)
    registry.check_manifest(folder, seal)


def test_an_intact_folder_passes(model):
    folder, seal = model
    assert registry.check_manifest(folder, seal) == folder
    assert registry.check_manifest(str(folder)) == folder


def plant_pickle(folder):
    (folder / "python_model.pkl").write_bytes(pickle.dumps(Bomb()))


def plant_loader(folder):
    (folder / "bomb.py").write_text(f"open({BOMB!r}, 'w')\ndef _load_pyfunc(path): ...\n")
    text = (folder / "MLmodel").read_text()
    (folder / "MLmodel").write_text(text.replace("mlflow.pyfunc.loaders.code_model", "bomb"))


def plant_code_folder(folder):
    (folder / "code").mkdir()
    (folder / "code" / "prophet.py").write_text(f"open({BOMB!r}, 'w')\n")


def rewrite_model_code(folder):
    (folder / "panel.py").write_text(f"open({BOMB!r}, 'w')\n" + registry.MODEL_CODE)


def change_a_number(folder):
    path = next((folder / "artifacts").rglob("*models.jsonl"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1", b"2", 1))


def remove_requirements(folder):
    (folder / "requirements.txt").unlink()


def link_a_file(folder):
    (folder / "requirements.txt").unlink()
    (folder / "requirements.txt").symlink_to(folder / "conda.yaml")


def link_a_folder(folder):
    (folder / "code").symlink_to(folder / "artifacts")


def remove_manifest(folder):
    (folder / "manifest.json").unlink()


def empty_manifest(folder):
    (folder / "manifest.json").write_text("")


def list_manifest(folder):
    (folder / "manifest.json").write_text("[1, 2]")


def forge_manifest(folder):
    change_a_number(folder)
    registry.write_manifest(folder)


BOMB = ""
SPOILERS = {
    plant_pickle: "python_model.pkl was added",
    plant_loader: "MLmodel was changed",
    plant_code_folder: "code/prophet.py was added",
    rewrite_model_code: "panel.py was changed",
    change_a_number: "models.jsonl was changed",
    remove_requirements: "requirements.txt is missing",
    link_a_file: "requirements.txt is a link",
    link_a_folder: "code is a link",
    remove_manifest: "model without manifest.json",
    empty_manifest: "is not the one that was registered",
    list_manifest: "is not the one that was registered",
    forge_manifest: "is not the one that was registered",
}


class Bomb:
    "Leaves a trace when it is unpickled."

    def __reduce__(self):
        return open, (BOMB, "w")


@pytest.mark.parametrize(("spoil", "said"), SPOILERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_spoiled_folder_is_refused(model, spoil, said, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "BOMB", str(tmp_path / "trace"))
    folder, seal = model
    spoil(folder)
    with pytest.raises(ValueError, match=f"{said}.*; do not load"):
        registry.check_manifest(folder, seal)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("content", ["", "[1, 2]", "null", "{"])
def test_an_unreadable_manifest_is_refused_without_a_seal_too(model, content):
    (model[0] / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match="manifest.json cannot be read"):
        registry.check_manifest(model[0])


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [plant_pickle, plant_loader, rewrite_model_code, forge_manifest])
def test_a_spoiled_champion_is_refused_before_anything_runs(spoil, store, forecaster, tmp_path, monkeypatch):
    "In the store itself: loading, promoting and rolling back say no, and the trap does not go off."
    monkeypatch.setitem(globals(), "BOMB", str(tmp_path / "trace"))
    name, scored = f"spoiled-{spoil.__name__}", scored_frame({"good": 1, "seasonal_naive": 9})
    register(name, scored, forecaster, store)
    registry.promote(name, scored, BAKERY_COSTS, model="good", folder=store)
    register(name, scored, forecaster, store)
    client = connect(store)
    for alias in ("champion", "challenger"):
        version = registry.find(client, name, alias)
        model = client.get_logged_model(version.source.removeprefix("models:/"))
        spoil(Path(urllib.request.url2pathname(model.artifact_location.removeprefix("file://"))))
    with pytest.raises(ValueError, match="version 1 of 'spoiled.*do not load"):
        registry.load_champion(name, folder=store)
    with pytest.raises(ValueError, match="version 2 of 'spoiled.*do not load"):
        registry.promote(name, scored, BAKERY_COSTS, model="good", folder=store)
    assert str(registry.find(client, name, "champion").version) == "1"
    assert "decision" not in registry.find(client, name, "challenger").tags
    assert not (tmp_path / "trace").exists()


def test_a_version_that_somebody_else_made_is_refused(store, tmp_path):
    client = connect(store)
    (tmp_path / "model").mkdir()
    client.create_registered_model("foreign")
    version = client.create_model_version("foreign", str(tmp_path / "model"))
    client.set_registered_model_alias("foreign", "champion", version.version)
    with pytest.raises(ValueError, match="has no seal, expected a version made by log_panel"):
        registry.load_champion("foreign", folder=store)


# the gate


BASE, GOOD = {"wape": 0.2, "cost_eur": 100.0}, {"wape": 0.1, "cost_eur": 50.0}


@pytest.mark.parametrize(
    ("candidate", "champion", "passes", "said"),
    [
        (GOOD, None, True, "better than the baseline"),
        (BASE, None, False, "wape 0.2 against 0.2 of the baseline; cost_eur 100 against 100 of the baseline"),
        ({"wape": 0.1, "cost_eur": 110.0}, None, False, "refused: cost_eur 110 against 100 of the baseline"),
        ({"wape": 0.3, "cost_eur": 50.0}, None, False, "refused: wape 0.3 against 0.2 of the baseline"),
        (GOOD, GOOD, True, "no worse than the champion"),
        (GOOD, {"wape": 0.09, "cost_eur": 60.0}, False, "refused: wape 0.1 against 0.09 of the champion"),
        (GOOD, {"wape": 0.11, "cost_eur": 40.0}, False, "refused: cost_eur 50 against 40 of the champion"),
        ({"wape": float("nan"), "cost_eur": 50.0}, None, False, "wape nan against 0.2"),
    ],
)
def test_gate(candidate, champion, passes, said):
    decision = registry.gate(candidate, BASE, champion)
    assert decision.promoted is passes and said in decision.reason
    assert decision.figures["baseline_wape"] == 0.2
    assert ("champion_wape" in decision.figures) is (champion is not None)


def test_the_exam_is_the_days_the_sales_and_the_prices():
    days = scored_frame({"good": 1})
    same = registry.exam(days.assign(yhat=0.0, model="other").sample(frac=1, random_state=0), BAKERY_COSTS)
    assert registry.exam(days, BAKERY_COSTS) == same
    others = [
        registry.exam(days.iloc[1:], BAKERY_COSTS),
        registry.exam(days.assign(y=days["y"] + 1), BAKERY_COSTS),
        registry.exam(days, type(BAKERY_COSTS)(over_eur=0.3, under_eur=0.5)),
    ]
    assert same not in others and len(set(others)) == 3


# the story


def test_challenger_champion_and_back(store, forecaster):
    scored = scored_frame({"good": 2, "better": 1, "bad": 30, "seasonal_naive": 9})
    with pytest.raises(ValueError, match="'story' has no challenger; log_panel registers one"):
        registry.promote("story", scored, BAKERY_COSTS, model="good", folder=store)
    first, run_id = register("story", scored, forecaster, store)
    client = connect(store)
    assert str(registry.find(client, "story", "challenger").version) == first
    with pytest.raises(ValueError, match="'story' has no champion; register a model with log_panel and promote it"):
        registry.load_champion("story", folder=store)
    with pytest.raises(ValueError, match="'story' has no champion; there is nothing to roll back"):
        registry.rollback("story", folder=store)

    decision = registry.promote("story", scored, BAKERY_COSTS, model="good", folder=store)
    champion = registry.find(client, "story", "champion")
    assert decision.promoted and str(champion.version) == first
    assert registry.find(client, "story", "challenger") is None
    assert champion.run_id == run_id
    assert champion.tags["decision"] == "promoted" and champion.tags["reason"] == decision.reason
    assert float(champion.tags["cost_eur"]) == decision.figures["cost_eur"]
    assert client.get_run(run_id).outputs.model_outputs[0].model_id in champion.source

    loaded = registry.load_champion("story", folder=store)
    pd.testing.assert_frame_equal(loaded.predict(14), forecaster.predict(14))

    bad, _ = register("story", scored, forecaster, store, "bad")
    with pytest.raises(
        ValueError, match="refused: wape .* of the baseline; cost_eur .* of the baseline; wape .* of the champion"
    ):
        registry.promote("story", scored, BAKERY_COSTS, model="bad", folder=store)
    assert str(registry.find(client, "story", "champion").version) == first
    assert registry.find(client, "story", "challenger").tags["decision"] == "refused"

    better, _ = register("story", scored, forecaster, store, "better")
    registry.promote("story", scored, BAKERY_COSTS, model="better", folder=store)
    third, _ = register("story", scored, forecaster, store, "better")
    registry.promote("story", scored, BAKERY_COSTS, model="better", folder=store)
    assert registry.rollback("story", reason="ran out", folder=store) == better
    assert registry.rollback("story", folder=store) == first
    with pytest.raises(ValueError, match="version 1 of 'story' replaced no champion"):
        registry.rollback("story", folder=store)
    table = registry.versions("story", folder=store).set_index("version")
    assert table["decision"].to_dict() == {
        first: "promoted",
        bad: "refused",
        better: "rolled back",
        third: "rolled back",
    }
    assert table["alias"].to_dict() == {first: "champion", bad: "", better: "", third: ""}
    assert table.loc[third, "rollback_reason"] == "ran out"


def test_rollback_to_a_deleted_version(store, forecaster):
    scored = scored_frame({"good": 1, "seasonal_naive": 9})
    for _ in range(2):
        register("gone", scored, forecaster, store)
        registry.promote("gone", scored, BAKERY_COSTS, model="good", folder=store)
    connect(store).delete_model_version("gone", "1")
    with pytest.raises(ValueError, match="version 1 of 'gone' was deleted"):
        registry.rollback("gone", folder=store)
    assert str(registry.find(connect(store), "gone", "champion").version) == "2"


def test_figures_must_be_the_candidates_own(store, forecaster):
    scored = scored_frame({"good": 5, "seasonal_naive": 9})
    register("own", scored, forecaster, store)
    flattering = scored_frame({"good": 1, "seasonal_naive": 9})
    with pytest.raises(ValueError, match="are not those of the challenger's run; call log_backtest"):
        registry.promote("own", flattering, BAKERY_COSTS, model="good", folder=store)
    with pytest.raises(ValueError, match="the 0 scored days of 'nobody'"):
        registry.promote("own", scored, BAKERY_COSTS, model="nobody", folder=store)


def test_all_take_the_same_exam(store, forecaster):
    scored = scored_frame({"good": 1, "seasonal_naive": 9})
    register("exam", scored, forecaster, store)
    fewer = scored.reset_index(drop=True)
    fewer = fewer.drop(index=fewer.index[fewer["model"] == "seasonal_naive"][0])
    with pytest.raises(ValueError, match="'good' and 'seasonal_naive' were scored on different days"):
        registry.promote("exam", fewer, BAKERY_COSTS, model="good", folder=store)
    with pytest.raises(ValueError, match="no model 'other' in scored, which holds good, seasonal_naive"):
        registry.promote("exam", scored, BAKERY_COSTS, model="good", baseline="other", folder=store)
    registry.promote("exam", scored, BAKERY_COSTS, model="good", folder=store)

    later = scored_frame({"good": 1, "champion": 2, "seasonal_naive": 9}, seed=1)
    register("exam", later, forecaster, store)
    without = later[later["model"] != "champion"]
    with pytest.raises(
        ValueError, match="champion, version 1, was examined on other days or prices; backtest it again"
    ):
        registry.promote("exam", without, BAKERY_COSTS, model="good", folder=store)
    decision = registry.promote("exam", later, BAKERY_COSTS, model="good", folder=store)
    assert decision.figures["champion_wape"] == pytest.approx(2 * decision.figures["wape"])


def test_no_run_no_model(store, forecaster):
    connect(store)
    with pytest.raises(ValueError, match="no run is open; log the backtest and the model together"):
        registry.log_panel(forecaster, "none")


def test_no_version_at_all(store):
    with pytest.raises(ValueError, match="no registered model 'nothing'; log_panel makes the first version"):
        registry.versions("nothing", folder=store)


@pytest.mark.slow
def test_no_warning_and_no_output(tmp_path):
    code = f"""
import sys, warnings
sys.path.insert(0, {str(Path(__file__).parent)!r})
import mlflow.pyfunc  # warns of its own type hints
warnings.simplefilter("error")
# SQLAlchemy's own notice about how MLflow asks it for tables: nothing that we could change
warnings.filterwarnings("ignore", message="The ``noload`` loader strategy")
from test_registry import *
panel = Forecaster(Params(uncertainty_samples=20)).fit(make_sales(0, series=2, days=120, horizon=14))
scored = scored_frame({{"good": 1, "seasonal_naive": 9}})
for _ in range(2):
    register("quiet", scored, panel, {str(tmp_path)!r})
    registry.promote("quiet", scored, BAKERY_COSTS, model="good", folder={str(tmp_path)!r})
registry.rollback("quiet", folder={str(tmp_path)!r})
registry.load_champion("quiet", folder={str(tmp_path)!r}).predict(14)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr[-2000:]


# real servers


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def serve(tmp_path):
    "Start `mlflow …` servers and end them."
    started = []

    def start(port, ready, *arguments, **environment):
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        path = os.pathsep.join([BIN, os.environ["PATH"]])
        log = (tmp_path / f"{port}.log").open("w+")
        command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(
            command,
            env=os.environ | quiet | {"PATH": path} | environment,
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        started.append((process, log))
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=2).close()
                return f"http://127.0.0.1:{port}"
            except OSError:
                assert process.poll() is None, Path(log.name).read_text()[-3000:]
                time.sleep(1)
        raise AssertionError(Path(log.name).read_text()[-3000:])

    yield start
    for process, log in started:
        if process.poll() is None:
            os.killpg(process.pid, 15)
        process.wait(30)
        log.close()


def post(url, body):
    "Status and text of an answer."
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + "/invocations", content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.slow
def test_mlflow_serves_forecasts_and_answers_400_to_bad_input(saved, forecaster, serve):
    folder = registry.check_manifest(*saved)
    url = serve(free_port(), "/ping", "models", "serve", "-m", str(folder), "--env-manager", "local")
    good = registry.example_request(forecaster)
    status, answer = post(url, {"inputs": [good, {"unique_id": good["unique_id"], "horizon": 14}]})
    assert status == 200 and len(answer["predictions"]) == 15
    mine = forecaster.predict(14, series=[good["unique_id"]])
    assert [row["yhat"] for row in answer["predictions"][1:]] == pytest.approx(mine["yhat"].tolist(), rel=1e-12)
    for case, change in BAD.items():
        status, answer = post(url, {"inputs": [good | change]})
        assert status == 400, f"{case}: {status} {answer}"
    assert post(url, b"not json")[0] == 400
    assert post(url, {"inputs": "S01"})[0] == 400
    assert post(url, {"inputs": [{"horizon": 3}]})[0] == 400
    assert post(url, {"inputs": [good]})[0] == 200


@pytest.mark.slow
def test_the_registry_works_over_http(serve, forecaster, monkeypatch, tmp_path, capsys):
    place = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination",
        str(tmp_path / "files"),
    ]
    url = serve(free_port(), "/health", "server", "--workers", "1", *place)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    scored = scored_frame({"good": 1, "bad": 30, "seasonal_naive": 9})
    for _ in range(2):
        version, _ = register("remote", scored, forecaster, None)
        registry.promote("remote", scored, BAKERY_COSTS, model="good")
    pd.testing.assert_frame_equal(registry.load_champion("remote").predict(14), forecaster.predict(14))
    register("remote", scored, forecaster, None, "bad")
    with pytest.raises(ValueError, match="refused: wape"):
        registry.promote("remote", scored, BAKERY_COSTS, model="bad")
    assert registry.rollback("remote", reason="why not") == "1"
    assert registry.versions("remote")["decision"].tolist() == ["promoted", "rolled back", "refused"]
    for path in (tmp_path / "files").rglob("requirements.txt"):
        path.write_text("other-package")
    with pytest.raises(ValueError, match="requirements.txt was changed"):
        registry.load_champion("remote")
    with pytest.raises(ValueError, match="'nobody' has no champion"):
        registry.load_champion("nobody")
    with pytest.raises(ValueError, match="'nobody' has no challenger"):
        registry.promote("nobody", scored, BAKERY_COSTS, model="good")
    assert capsys.readouterr().out == ""


def test_sha_is_what_everybody_calls_sha256(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"bread")
    seal = registry.write_manifest(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text()) == {"a/b.txt": hashlib.sha256(b"bread").hexdigest()}
    assert seal == hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()
