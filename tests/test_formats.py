"Promises of the formats: the same forecast back, nothing run that was not asked for, and clear refusals."

import ast
import io
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import joblib
import numpy as np
import onnx
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn import __version__ as sklearn_version
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlworkbook import formats, graphs
from mlworkbook.contract import future
from mlworkbook.forecaster import Forecaster, Params, quiet
from mlworkbook.formats import (
    FORMATS,
    UnsafeError,
    answers,
    compare,
    contents,
    digest,
    kind,
    load,
    members,
    save,
)
from mlworkbook.graphs import NewerError, OnnxForecast, prophet_onnx, to_onnx
from mlworkbook.sales import make_sales

ROOT = Path(__file__).parent.parent
OLD = ROOT / "tests/data/formats"
ROWS = pd.DataFrame({"last_week": [100.0, 120, 90, 300, 80, 110], "two_weeks": [95.0, 130, 85, 280, 70, 120]})
DAYS = pd.DataFrame({"ds": pd.date_range("2024-03-25", periods=10), "promo": [0.0, 1.0] * 5, "holiday": ""})
DAYS.loc[6, "holiday"] = "Easter Sunday"


class Trap:
    "Leaves a mark when its file is opened."

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return exec, (f"open({str(self.mark)!r}, 'w').close()",)


def pack(files):
    "A zip file of those files."
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as out:
        for name, content in files.items():
            out.writestr(name, content)
    return packed.getvalue()


def known_history(**options):
    "A shop that closes on Sundays, with a promotion, a number known in advance and named days."
    table = make_sales(seed=5, series=1, days=200, horizon=14, **options)
    table["closed"] = table["ds"].dt.weekday.eq(6)
    table["price"] = 2 + np.sin(np.arange(len(table))) / 3
    table["holiday"] = np.where(table["ds"].dt.day.eq(17), "Market day", "")
    table.loc[table["closed"] & table["y"].notna(), "y"] = 0.0
    return table


@pytest.fixture(scope="module")
def history():
    return known_history()


@pytest.fixture(scope="module")
def forecaster(history):
    return Forecaster(Params()).fit(history)


@pytest.fixture(scope="module")
def prophet(forecaster):
    return next(iter(forecaster.models.values()))


@pytest.fixture(scope="module")
def linear():
    return make_pipeline(StandardScaler(), LinearRegression()).fit(ROWS, [98.0, 123, 88, 296, 77, 113])


@pytest.fixture(scope="module")
def saved(linear, prophet, tmp_path_factory):
    "The same model in every format that takes it; Spark has a test of its own."
    folder = tmp_path_factory.mktemp("saved")
    models = {how: prophet if how == "json" else linear for how in FORMATS if how != "spark"}
    return {how: save(model, folder / how, how) for how, model in models.items()}


def test_prophet_comes_back_the_same(prophet, history, tmp_path):
    rows = future(history, 14).drop(columns="unique_id")
    found = compare(prophet, rows, ["pickle", "joblib", "json", "onnx", "mlflow", "skops", "mleap"], tmp_path)
    refused = found["refused"] != ""
    assert refused[refused].index.tolist() == ["skops", "mleap"]
    assert (found.loc[["pickle", "joblib", "json", "mlflow"], "difference"] == 0).all()
    assert found.loc["onnx", "difference"] < 1e-9 and found.loc["onnx", "bytes"] * 10 < found.loc["json", "bytes"]
    assert (found.loc[~refused, ["bytes", "save_ms", "load_ms"]] > 0).all(axis=None)


@pytest.mark.parametrize("how", ["pickle", "joblib", "skops", "onnx", "mleap", "mlflow"])
def test_a_linear_model_comes_back_the_same(how, saved, linear):
    assert np.abs(answers(saved[how].load(), ROWS) - linear.predict(ROWS)).max() < 1e-10


def test_a_bundle_without_a_scaler_comes_back_the_same(tmp_path):
    model = make_pipeline(LinearRegression()).fit(ROWS, [98.0, 123, 88, 296, 77, 113])
    assert np.allclose(answers(save(model, tmp_path / "bundle", "mleap").load(), ROWS), model.predict(ROWS), rtol=1e-12)


@pytest.mark.parametrize(
    "params",
    [
        Params(),
        Params(seasonality_mode="multiplicative"),
        Params(growth="flat"),
        Params(n_changepoints=0),
        Params(n_changepoints=1, changepoint_prior_scale=5.0),
    ],
    ids=["plain", "multiplicative", "flat", "straight", "one bend"],
)
def test_the_graph_says_what_the_forecaster_says(params, history):
    forecaster = Forecaster(params).fit(history)
    (series,) = forecaster.models
    rows = future(history, 14)
    yhat = OnnxForecast(to_onnx(forecaster, series)).predict(rows["ds"], rows)
    right = forecaster.predict(14)
    assert np.abs(yhat - right["yhat"]).max() / right["yhat"].max() < 1e-9
    assert (yhat[right["status"] == "closed"] == 0).all() and (right["status"] == "closed").any()


def test_the_graph_is_never_below_zero(history):
    sold = np.where(history["closed"], 0.0, np.linspace(300, -20, len(history)).round())
    falling = history.assign(y=history["y"].where(history["y"].isna(), sold))
    forecaster = Forecaster(Params(changepoint_range=1.0)).fit(falling)
    (series,) = forecaster.models
    rows = future(falling, 14)
    raw = OnnxForecast(prophet_onnx(forecaster.models[series])).predict(rows["ds"], rows)
    assert raw.min() < 0 <= OnnxForecast(to_onnx(forecaster, series)).predict(rows["ds"], rows).min()


def test_a_new_holiday_means_nothing_to_the_graph_as_to_prophet(forecaster, history):
    (series,) = forecaster.models
    rows = future(history, 14).assign(holiday="Never seen")
    yhat = OnnxForecast(to_onnx(forecaster, series)).predict(rows["ds"], rows)
    right = forecaster.predict(14, future=rows)
    assert np.allclose(yhat, right["yhat"], rtol=1e-9)


def bend(model, **changes):
    "A Prophet with something that the graph cannot say."
    changed = graphs.copy(model)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"growth": "logistic"}, "logistic growth"),
        ({"mcmc_samples": 100}, "a posterior of many samples"),
        ({"scaling": "minmax"}, "a floor under the sales"),
        ({"country_holidays": "DE"}, "the holidays of a country"),
        (
            {"holidays": pd.DataFrame({"ds": pd.to_datetime(["2024-01-06"]), "holiday": "E", "upper_window": 1})},
            "more than a day",
        ),
        ({"holidays": pd.DataFrame({"ds": pd.to_datetime(["2024-01-06"] * 2), "holiday": ["E", "F"]})}, "two holidays"),
        ({"seasonalities": {"summer": {"condition_name": "is_summer"}}}, "a season with a condition"),
        ({"extra_regressors": {"rain": {"predictor_spec": {"type": "linear"}}}}, "a regressor that is forecast"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_graph_refuses_what_it_cannot_say(changes, reason, prophet):
    with pytest.raises(ValueError, match=f"cannot express .*{reason}.*; keep the model as JSON"):
        prophet_onnx(bend(prophet, **changes))


def test_a_graph_that_differs_is_not_written(prophet, monkeypatch):
    numbers = graphs._graph_numbers

    def wrong(*words):
        found = numbers(*words)
        return found | {"speeds": found["speeds"] * 1.001}

    monkeypatch.setattr(graphs, "_graph_numbers", wrong)
    with pytest.raises(ValueError, match="away from Prophet, expected 1e-6 at most"):
        prophet_onnx(prophet)


def test_a_series_without_a_model_has_no_graph():
    young = make_sales(seed=1, series=1, days=30)
    forecaster = Forecaster(Params()).fit(young)
    (series,) = forecaster.fallbacks
    with pytest.raises(ValueError, match="has no model, it repeats last week's sales .*open days"):
        to_onnx(forecaster, series)
    with pytest.raises(ValueError, match="unknown series 'S99'"):
        to_onnx(forecaster, "S99")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda known: known.pop("price"), "no column 'price'; .* needs holiday, closed, .*price"),
        (lambda known: known.pop("holiday"), "no column 'holiday'"),
        (lambda known: known.pop("closed"), "no column 'closed'"),
        (lambda known: known.update(price=[1.0]), "'price' has 1 values for 14 days"),
        (lambda known: known.update(price=[1.0] * 13 + [float("nan")]), "'price' is nan in row 13"),
        (lambda known: known.update(price=["cheap"] * 14), "could not convert"),
    ],
    ids=["no price", "no holiday", "no closed", "short", "nan", "text"],
)
def test_the_reader_wants_all_that_is_known(spoil, message, forecaster, history):
    (series,) = forecaster.models
    rows = future(history, 14)
    known = {name: list(rows[name]) for name in rows if name not in ("unique_id", "ds", "y")}
    reader = OnnxForecast(to_onnx(forecaster, series))
    assert len(reader.predict(list(rows["ds"].dt.strftime("%Y-%m-%d")), known)) == 14
    spoil(known)
    with pytest.raises(ValueError, match=message):
        reader.predict(rows["ds"], known)


def test_the_reader_needs_onnxruntime_and_numpy_only(forecaster, history, tmp_path):
    (series,) = forecaster.models
    (tmp_path / "model.onnx").write_bytes(to_onnx(forecaster, series))
    rows = future(history, 14)
    known = {name: rows[name].tolist() for name in rows if name not in ("unique_id", "ds", "y")}
    asked = {"days": rows["ds"].dt.strftime("%Y-%m-%d").tolist(), "known": known}
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    (tmp_path / "mlworkbook").mkdir()
    for name in ("__init__", "graphs"):  # what a small machine would be given
        shutil.copy(ROOT / f"mlworkbook/{name}.py", tmp_path / f"mlworkbook/{name}.py")
    script = """
import json, pathlib, sys
for name in ("pandas", "prophet", "onnx", "sklearn", "joblib", "mlflow", "packaging", "yaml"):
    sys.modules[name] = None
from mlworkbook.graphs import OnnxForecast
asked = json.loads(pathlib.Path("asked.json").read_text())
reader = OnnxForecast(pathlib.Path("model.onnx").read_bytes())
print(json.dumps(reader.predict(asked["days"], asked["known"]).tolist()))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert np.allclose(json.loads(done.stdout), forecaster.predict(14)["yhat"], rtol=1e-9)


@pytest.mark.parametrize("how", ["pickle", "joblib"])
def test_the_attack_is_real_and_load_stops_it(how, tmp_path, saved):
    path, mark = tmp_path / "model", tmp_path / "mark"
    {"pickle": lambda trap: path.write_bytes(pickle.dumps(trap)), "joblib": lambda trap: joblib.dump(trap, path)}[how](
        Trap(mark)
    )
    with pytest.raises(ValueError, match="may run any program, so it needs the sha256 that save"):
        load(path, how)
    with pytest.raises(ValueError, match="is not what was saved"):
        load(path, how, sha256=saved[how].sha256)
    assert not mark.exists()
    joblib.load(path) if how == "joblib" else pickle.loads(path.read_bytes())
    assert mark.exists(), "the trap does nothing: this test proves nothing"


@pytest.mark.parametrize("how", [name for name in FORMATS if name not in ("mlflow", "spark")])
@pytest.mark.parametrize("compress", [0, 3])
def test_no_format_opens_a_trap(how, compress, tmp_path):
    path, mark = tmp_path / f"model.{how}", tmp_path / "mark"
    joblib.dump(Trap(mark), path, compress=compress)
    with pytest.raises(ValueError, match="holds (packed )?pickle, expected|needs the sha256"):
        load(path, how)
    assert not mark.exists()


def faulty(how, content):
    "The same artefact, spoilt in some ways."
    return {
        "blank": content[:90] + bytes(60) + content[150:],
        "half": content[: len(content) // 2],
        "almost": content[:-3],
        "empty": b"",
        "noise": np.random.default_rng(0).bytes(500),
        "text": b"hello",
        "renamed": pack({"other": b"x"}) if how != "zip" else b"{}",
        "braces": b"{}" if how != "onnx" else b"\x08\x08",
    }


@pytest.mark.parametrize("fault", faulty("", b"x" * 200))
@pytest.mark.parametrize("how", ["pickle", "joblib", "json", "skops", "onnx", "mleap"])
def test_spoilt_files_are_refused(how, fault, saved, tmp_path):
    content = faulty(how, saved[how].path.read_bytes())[fault]
    (tmp_path / "model").write_bytes(content)
    for proof in ({}, {"sha256": saved[how].sha256}, {"sha256": digest({"": content})}):
        with pytest.raises(ValueError, match=r"model( is damaged| holds|: loading| is not what was saved)"):
            load(tmp_path / "model", how, **proof)


@pytest.mark.parametrize("how", ["pickle", "joblib", "json", "skops", "onnx", "mleap"])
@pytest.mark.parametrize("other", ["pickle", "json", "skops", "onnx", "mleap"])
def test_the_name_of_a_file_is_not_believed(how, other, saved, tmp_path):
    if how == other or {how, other} == {"pickle", "joblib"}:
        return
    path = tmp_path / f"model.{how}"
    shutil.copy(saved[other].path, path)
    with pytest.raises(ValueError, match=f"holds {other}, expected {how}"):
        load(path, how, sha256=saved[how].sha256)


def test_what_is_not_there_or_not_plain_is_refused(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match="does not exist, expected a saved model"):
        load(tmp_path / "nothing", "json")
    (tmp_path / "link").symlink_to(saved["json"].path)
    with pytest.raises(ValueError, match="is a link or a device"):
        load(tmp_path / "link", "json")
    with pytest.raises(ValueError, match="no format is called 'word', known are pickle, joblib"):
        load(saved["json"].path, "word")
    with pytest.raises(ValueError, match="exists already, json writes a file"):
        save(saved["json"].load(), tmp_path, "json")
    with pytest.raises(ValueError, match="exists already, mlflow writes a folder"):
        save(saved["json"].load(), tmp_path, "mlflow")


def test_a_touched_folder_of_mlflow_runs_nothing(linear, tmp_path):
    logged, mark = save(linear, tmp_path / "model", "mlflow"), tmp_path / "mark"
    (logged.path / "code").mkdir()
    (logged.path / "code/intruder.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    about = yaml.safe_load((logged.path / "MLmodel").read_text())
    about["flavors"]["python_function"] |= {"loader_module": "intruder", "code": "code"}
    (logged.path / "MLmodel").write_text(yaml.safe_dump(about))
    for proof, message in (({}, "needs the sha256"), ({"sha256": logged.sha256}, "is not what was saved")):
        with pytest.raises(ValueError, match=message):
            load(logged.path, "mlflow", **proof)
    assert not mark.exists()


@pytest.mark.parametrize(
    "change", [lambda folder: (folder / "more").write_bytes(b""), lambda folder: (folder / "requirements.txt").unlink()]
)
def test_a_file_more_or_less_is_noticed(change, linear, tmp_path):
    logged = save(linear, tmp_path / "model", "mlflow")
    change(logged.path)
    with pytest.raises(ValueError, match="is not what was saved"):
        logged.load()


def test_skops_builds_only_what_is_allowed(tmp_path):
    forest = RandomForestRegressor(3, max_depth=2, random_state=0).fit(ROWS, range(6))
    kept = save(forest, tmp_path / "forest", "skops")
    with pytest.raises(UnsafeError, match=r"skops does not know sklearn.tree._tree.Tree, 1 of 1 .*trusted="):
        kept.load()
    again = load(kept.path, "skops", trusted=["sklearn.tree._tree.Tree"])
    assert (again.predict(ROWS) == forest.predict(ROWS)).all()


def test_skops_does_not_build_a_strangers_class(tmp_path):
    (tmp_path / "model").write_bytes(skops.io.dumps(Trap(tmp_path / "mark")))
    with pytest.raises(UnsafeError, match="skops does not know .* 1 of 2"):
        load(tmp_path / "model", "skops")
    assert not (tmp_path / "mark").exists()


def changed_graph(content, change):
    "An ONNX file with a change."
    model = onnx.load_from_string(content)
    change(model)
    return model.SerializeToString()


def elsewhere(model):
    "Numbers that are said to be in another file."
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "secret.bin"


def foreign(model):
    "An operation that comes with no onnxruntime."
    model.graph.node[0].domain = "com.stranger"
    model.opset_import.add(domain="com.stranger", version=1)


@pytest.mark.parametrize("change", [elsewhere, foreign], ids=lambda change: change.__name__)
def test_a_graph_reads_no_other_file_and_runs_no_foreign_operation(change, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.zeros(8).tofile("secret.bin")
    Path("model").write_bytes(changed_graph(saved["onnx"].path.read_bytes(), change))
    with pytest.raises(ValueError, match="is damaged"):
        load("model", "onnx")


def newer_mlflow(files):
    about = yaml.safe_load(files["MLmodel"]) | {"mlflow_version": "99.0"}
    return files | {"MLmodel": yaml.safe_dump(about).encode()}


def newer_zip(name, **changes):
    def change(files):
        parts = members(files[""])
        parts[name] = json.dumps(json.loads(parts[name]) | changes).encode()
        return {"": pack(parts)}

    return change


def newer_onnx(**changes):
    def change(model):
        for name, value in changes.items():
            setattr(model.opset_import[0] if name == "version" else model, name, value)

    return lambda files: {"": changed_graph(files[""], change)}


def newer_pickle(files):
    return {"": files[""].replace(sklearn_version.encode(), b"9.9.9")}


@pytest.mark.parametrize(
    "how, change, message",
    [
        ("pickle", newer_pickle, "saved by scikit-learn 9.9.9, this is .*get scikit-learn 9.9.9"),
        ("joblib", newer_pickle, "saved by scikit-learn 9.9.9"),
        (
            "json",
            lambda files: {"": json.dumps(json.loads(files[""]) | {"__prophet_version": "99.0"}).encode()},
            "prophet 99.0",
        ),
        ("skops", newer_zip("schema.json", protocol=99, _skops_version="9.9"), "skops 9.9 wrote protocol 99"),
        ("onnx", newer_onnx(ir_version=99), "a newer ONNX wrote this graph"),
        ("onnx", newer_onnx(version=999), "a newer ONNX wrote this graph"),
        ("mleap", newer_zip("bundle.json", version="7.0.0"), "MLeap 7.0.0 wrote this bundle"),
        ("mlflow", newer_mlflow, "saved by mlflow 99.0"),
    ],
    ids=["pickle", "joblib", "json", "skops", "ir", "opset", "mleap", "mlflow"],
)
def test_a_model_from_the_future_is_told_apart_from_a_damaged_one(how, change, message, saved, tmp_path):
    files = change(contents(saved[how].path))
    for name, content in files.items():
        path = tmp_path / "model" / name if name else tmp_path / "model"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(NewerError, match=message):
        load(tmp_path / "model", how, sha256=digest(files))


def test_a_graph_of_a_later_format_is_refused(prophet, monkeypatch):
    monkeypatch.setattr(graphs, "GRAPH", 2)
    content = prophet_onnx(prophet)
    monkeypatch.setattr(graphs, "GRAPH", 1)
    with pytest.raises(NewerError, match="graph of format 2, this version reads up to 1"):
        OnnxForecast(content)


def test_a_zip_is_unpacked_in_memory_and_only_if_it_is_small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "model").write_bytes(pack({"../outside": b"x", "schema.json": b"{}"}))
    with pytest.raises(ValueError):
        load(inner / "model", "skops")
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]
    monkeypatch.setattr(formats, "_LARGEST", 1000)
    with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("schema.json", bytes(100_000))
    (inner / "model").write_bytes(packed.getvalue())
    assert len(packed.getvalue()) < 1000
    with pytest.raises(ValueError, match="100000 bytes when unpacked, expected 1000 at most"):
        load(inner / "model", "skops")


@pytest.mark.parametrize(
    "model, how, message",
    [
        (Ridge().fit(ROWS, range(6)), "mleap", "Ridge: expected a Pipeline of StandardScaler and LinearRegression"),
        (make_pipeline(StandardScaler(), Ridge()).fit(ROWS, range(6)), "mleap", "StandardScaler and Ridge: expected"),
        (make_pipeline(LinearRegression()).fit(ROWS.to_numpy(), range(6)), "mleap", "without column names"),
        (Ridge().fit(ROWS, range(6)), "json", "Ridge has no JSON of its own"),
        (print, "skops", "builtin_function_or_method is none"),
        (Ridge().fit(ROWS.to_numpy(), range(6)), "onnx", "fitted on a table"),
        (RandomForestRegressor(2).fit(ROWS, range(6)), "onnx", "keep it with skops"),
        (print, "mlflow", "no flavour of MLflow"),
        (Ridge().fit(ROWS, range(6)), "spark", "its own PipelineModel, not a Ridge"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_model_that_a_format_cannot_express_is_refused(model, how, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save(model, tmp_path / "model", how)
    assert not (tmp_path / "model").exists()


def test_a_missing_package_comes_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModuleNotFoundError, match=r'onnxruntime is not installed.*pip install "mlworkbook\[formats\]"'):
        OnnxForecast(b"")


EXPECTED = json.loads((OLD / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_models_of_older_versions_still_say_the_same(name, recwarn):
    model = load(OLD / name, name.rpartition(".")[2])
    right = np.array(EXPECTED[name])
    assert np.abs(answers(model, DAYS if "prophet" in name else ROWS) - right).max() / right.max() < 1e-6


def test_every_older_artefact_has_its_numbers_and_none_is_a_pickle():
    files = {path.name: contents(path) for path in OLD.iterdir() if path.name != "expected.json"}
    assert set(files) == set(EXPECTED)
    assert {kind(content) for content in files.values()} == {"json", "onnx", "skops", "mleap"}


OPENS = {
    "pickle": {"load", "loads", "Unpickler"},
    "cloudpickle": {"load", "loads"},
    "joblib": {"load"},
    "dill": {"load"},
}


def unpickling(source):
    "Calls that open a pickle, as `module.name`."
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    found = {f"{node.value.id}.{node.attr}" for node in calls if node.attr in OPENS.get(node.value.id, ())}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module in OPENS]
    found |= {f"{node.module}.{a.name}" for node in imports for a in node.names if a.name in OPENS[node.module]}
    return found | {"read_pickle" for node in calls if node.value.id == "pd" and node.attr == "read_pickle"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("mlworkbook/*.py")), ids=lambda path: path.stem)
def test_no_module_opens_a_pickle_that_it_did_not_write(path):
    found = unpickling(path.read_text(encoding="utf-8"))
    assert found == ({"pickle.loads", "joblib.load"} if path.stem == "formats" else set())


@pytest.mark.parametrize("path", sorted(ROOT.glob("nbs/*/*.ipynb")), ids=lambda path: path.stem)
def test_no_lesson_opens_a_pickle_that_it_did_not_write(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    traps = {
        "40_formats": {"pickle.load", "pickle.loads", "joblib.load"},
        "39_registry": {"pickle.loads"},
    }  # of what they just wrote
    allowed = traps.get(path.stem, set())
    assert unpickling(source) <= allowed


def test_the_search_for_pickles_finds_them():
    assert unpickling("import pickle\npickle.load(file)") and unpickling("from joblib import load")
    assert not unpickling("json.loads(text)\npickle.dumps(x)")


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("java"), reason="Spark needs Java 17: sudo apt-get install openjdk-17-jre-headless"
)
def test_spark_keeps_its_own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.regression import LinearRegression as SparkRegression
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
    try:
        stages = [VectorAssembler(inputCols=list(ROWS), outputCol="features"), SparkRegression(labelCol="y")]
        model = Pipeline(stages=stages).fit(session.createDataFrame(ROWS.assign(y=[98.0, 123, 88, 296, 77, 113])))
        kept = save(model, tmp_path / "model", "spark")
        assert kind(contents(kept.path)) == "spark"
        assert (answers(kept.load(), ROWS) == answers(model, ROWS)).all()
        metadata = next(kept.path.glob("metadata/part-*"))
        metadata.write_text(metadata.read_text().replace('"sparkVersion":"', '"sparkVersion":"9'))
        with pytest.raises(ValueError, match="is not what was saved"):
            kept.load()
        with pytest.raises(NewerError, match="saved by pyspark 9"):
            load(kept.path, "spark", sha256=digest(contents(kept.path)))
    finally:
        session.stop()


def test_prophet_is_imported_quietly(saved, capfd):
    with quiet():
        pass
    saved["json"].load()
    assert capfd.readouterr().out == ""
