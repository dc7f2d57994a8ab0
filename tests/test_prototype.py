"Lesson 24: no model sees past its cutoff, odd stores get an answer, and a shop's own file goes through."

import ast
import json
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from mlworkbook.contract import check_forecast, future, seen
from mlworkbook.project.stages import deliverables, gate
from mlworkbook.sales import load_sales, make_sales, to_rossmann

LESSON = Path(__file__).parent.parent / "nbs" / "play" / "24_prototype.ipynb"
SETTINGS = {"HORIZON", "DAY", "RULE", "CALENDAR", "promotions", "rungs", "levers", "weather", "rivals"}
HORIZON, DAY = 14, pd.Timedelta(days=1)
CUTOFF = pd.Timestamp("2019-01-16")


def code():
    "Sources of the lesson's code cells, exercises left out."
    cells = nbformat.read(LESSON, as_version=4)["cells"]
    sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    return [text for text in sources if "### BEGIN SOLUTION" not in text and not text.startswith("@exercise")]


@pytest.fixture(scope="module")
def lesson():
    "Imports, functions and settings of the lesson, and what its exams would have chosen."
    history = load_sales(stores=["S24", "S71"])
    space = {"history": history[history["ds"] > CUTOFF - 400 * DAY], "best": "log", "WIDER": 1.3}
    for source in code():
        for node in ast.parse(source).body:
            targets = ast.walk(node.targets[0]) if isinstance(node, ast.Assign) else []
            names = {name.id for name in targets if isinstance(name, ast.Name)}
            kept = bool(names) and names <= SETTINGS
            if kept or isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                exec(compile(ast.Module([node], []), "lesson", "exec"), space)
    return space


def models(space):
    "Every model that the lesson examines, by name; the cheat is told apart."
    prototype, calendar = space["prototype"], space["CALENDAR"]
    found = {name: partial(prototype, known=known) for name, known in space["rungs"].items()}
    found |= {name: partial(prototype, known=calendar, **options) for name, options in space["levers"].items()}
    # the other rivals take seconds and reach nothing of the lesson
    found |= {name: space["rivals"][name] for name in [space["RULE"], "moving_average"]}
    return found | {name: space[name] for name in ["candidate", "usual_weather", "perfect_weather"]}


def scrambled(frame, columns):
    "The same frame with other values after the cutoff."
    frame, late = frame.copy(), frame["ds"] > CUTOFF
    for column in columns:
        frame.loc[late, column] = np.random.default_rng(24).permutation(frame.loc[late, column]) + 1.0
    return frame


def peeks(space, model):
    "Does a forecast change when sales and weather after the cutoff change, wherever the lesson could reach them?"
    kept = {name: space[name] for name in ["history", "weather"]}
    answers = []
    for changed in [False, True]:
        try:
            if changed:
                space["history"] = scrambled(kept["history"], ["y"])
                space["weather"] = scrambled(kept["weather"], ["rain", "temperature"])
            shop = space["history"].query("unique_id == 'S24'")
            answers.append(model(seen(shop, CUTOFF, HORIZON), HORIZON))
        finally:
            space.update(kept)
    return not answers[0].equals(answers[1])


def test_no_model_sees_past_its_cutoff(lesson):
    found = models(lesson)
    assert len(found) == 4 + 4 + 2 + 3
    assert {name for name, model in found.items() if peeks(lesson, model)} == {"perfect_weather"}


def test_a_model_that_peeks_is_caught(lesson):
    def sold(history, horizon):
        "Reads the answers from the lesson's own history."
        rows = future(history, horizon)[["unique_id", "ds"]]
        return rows.merge(lesson["history"][["unique_id", "ds", "y"]]).rename(columns={"y": "yhat"})

    def all_that_was_sold(history, horizon):
        "Only a mean, but of all days."
        level = lesson["history"].query("unique_id == 'S24'")["y"].mean()
        return future(history, horizon)[["unique_id", "ds"]].assign(yhat=level)

    assert peeks(lesson, sold) and peeks(lesson, all_that_was_sold)


def test_exam_hands_over_no_sale_after_a_cutoff(lesson, monkeypatch):
    given = []

    def spy(history, horizon):
        given.append(history)
        return lesson["seasonal_naive"](history, horizon)

    monkeypatch.setitem(lesson, "Parallel", lambda n_jobs: lambda calls: [call(*told) for call, told, _ in calls])
    cutoffs = [CUTOFF, CUTOFF - 90 * DAY]
    scored = lesson["exam"]({"spy": spy}, cutoffs, ["S24", "S71"])
    assert [rows.loc[rows["y"].notna(), "ds"].max() for rows in given] == cutoffs
    assert [rows["ds"].max() for rows in given] == [cutoff + HORIZON * DAY for cutoff in cutoffs]
    assert set(scored["unique_id"]) == {"S24", "S71"} and len(scored) == 2 * 2 * HORIZON
    assert scored["y"].equals(scored.merge(load_sales(), on=["unique_id", "ds"])["y_y"].rename("y"))


def works(history, days=365):
    "A shop closed for its last days."
    shut = (history["ds"] > history.loc[history["y"].notna(), "ds"].max() - days * DAY) & history["y"].notna()
    return history.assign(closed=shut | history["closed"], y=history["y"].mask(shut, 0.0))


def shop(days=500):
    "A made shop that opens every day but New Year and Christmas."
    return make_sales(seed=24, series=1, days=days, horizon=HORIZON)


ODD = {
    "three weeks": (lambda: shop(70).tail(21 + HORIZON), "fallback: 21 open days, 56 needed"),
    "one day short": (lambda: shop(70).tail(55 + HORIZON), "fallback: 55 open days, 56 needed"),
    "just enough": (lambda: shop(70).tail(56 + HORIZON), "model"),
    "closed for a year": (lambda: works(shop()), "fallback: closed for 365 days"),
    "closed for a month": (lambda: works(shop(), 30), "model"),
    "zero sales": (lambda: shop().assign(y=lambda rows: rows["y"] * 0), "fallback: constant sales"),
    "constant sales": (
        lambda: shop().assign(y=lambda rows: rows["y"].where(rows["y"].isna() | rows["closed"], 7.0)),
        "fallback: constant sales",
    ),
    "constant promotion": (lambda: shop().assign(promo=1), "model"),
    "promotion only ahead": (lambda: shop().assign(promo=lambda rows: rows["y"].isna().astype(int)), "model"),
    "no known columns": (lambda: shop()[["unique_id", "ds", "y"]], "model"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_stores_get_a_forecast_that_says_how(lesson, name):
    make, status = ODD[name]
    rows = make()
    answer = check_forecast(lesson["prototype"](rows, HORIZON, ["holiday", "promo"]))
    assert len(answer) == HORIZON and set(answer["status"]) - {"closed"} == {status}
    assert np.isfinite(answer[["yhat", "yhat_lower", "yhat_upper"]]).all(axis=None)
    if status != "model":
        rule = lesson["seasonal_naive"](rows, HORIZON)
        assert answer["yhat"].equals(rule["yhat"])


def test_the_prototype_says_what_is_wrong_with_bad_input(lesson):
    rows = shop(100)
    with pytest.raises(ValueError, match="history: 0 rows without sales; expected at least one day with `y`"):
        lesson["prototype"](rows[:0], HORIZON)
    gaps = rows.assign(rain=np.where(rows["ds"].dt.day == 3, np.nan, 1.0))
    with pytest.raises(ValueError, match="'rain' is nan in 4 rows, first in row 2 .*2022-01-03.*known in advance"):
        lesson["prototype"](gaps, HORIZON, ["rain"])
    with pytest.raises(ValueError, match="horizon is 20, but .* are known for 14 days"):
        lesson["prototype"](rows, 20)


def test_a_closed_day_is_never_baked_and_draws_repeat(lesson):
    rows = make_sales(seed=1, series=3, days=400, horizon=HORIZON)
    rows.loc[rows["ds"] == rows["ds"].max(), "closed"] = True
    rows.loc[rows["ds"].dt.dayofweek == 2, ["y", "closed"]] = [0.0, True]
    rows.loc[rows["ds"] > rows["ds"].max() - HORIZON * DAY, "y"] = np.nan
    once = lesson["candidate"](rows, HORIZON)
    shut = (once["ds"] == rows["ds"].max()) | (once["ds"].dt.dayofweek == 2)
    assert (once.loc[shut, ["yhat", "yhat_lower", "yhat_upper"]] == 0).all(axis=None)
    np.random.seed(7)  # noqa: NPY002
    alone = lesson["candidate"](rows[rows["unique_id"] == "S03"], HORIZON)
    assert alone.equals(once[once["unique_id"] == "S03"].reset_index(drop=True))


def table(**columns):
    "Scored rows of one store."
    rows = pd.DataFrame({"unique_id": "S02", "cutoff": CUTOFF, "ds": CUTOFF + DAY, "status": "model"} | columns)
    return rows


def test_only_the_rule_bakes_what_it_says(lesson):
    rows = table(model=["seasonal_naive", "prophet"], y=100.0, yhat=100.0, yhat_lower=80.0, yhat_upper=120.0)
    plain, third = lesson["baked"](rows)["yhat"]
    assert plain == 100 and third == pytest.approx(100 + 20 * 0.4307 / 1.2816, abs=1e-3)
    even = lesson["baked"](rows, lesson["UnitCosts"](1, 1))["yhat"]
    assert list(even) == [100, 100]


def test_stretch_gives_the_share_it_promises(lesson):
    rng = np.random.default_rng(0)
    rows = table(y=rng.normal(100, 10, 4000), yhat=100.0, yhat_lower=98.0, yhat_upper=105.0)
    wider = lesson["stretch"](rows)
    rows = rows.assign(yhat_lower=100 - 2 * wider, yhat_upper=100 + 5 * wider)
    assert lesson["coverage"](rows) == pytest.approx(0.8, abs=1e-3)


def test_range_of_the_saving(lesson):
    rows = pd.DataFrame(
        [
            (model, store, cutoff, cutoff + day * DAY, 100.0, 100.0 - miss)
            for model, miss in {"seasonal_naive": 10.0, "moving_average": 6.0}.items()
            for store in ["S02", "S03"]
            for cutoff in [CUTOFF, CUTOFF - 90 * DAY]
            for day in range(1, HORIZON + 1)
        ],
        columns=["model", "unique_id", "cutoff", "ds", "y", "yhat"],
    ).assign(yhat_lower=lambda frame: frame["yhat"], yhat_upper=lambda frame: frame["yhat"])
    found = lesson["saving_range"](rows, "seasonal_naive", "moving_average")
    assert found == pytest.approx(dict.fromkeys(["low", "middle", "high"], 2 * 4 * 0.5 * 365))
    better = rows["model"].eq("moving_average") & rows["cutoff"].eq(CUTOFF)
    mixed = lesson["saving_range"](
        rows.assign(yhat=rows["yhat"].mask(better, 100.0)), "seasonal_naive", "moving_average"
    )
    assert mixed["low"] < mixed["middle"] < mixed["high"]
    assert mixed == lesson["saving_range"](
        rows.assign(yhat=rows["yhat"].mask(better, 100.0)), "seasonal_naive", "moving_average"
    )


@pytest.mark.slow
def test_a_shops_own_file_goes_through_and_closes_these_rows_only(tmp_path, monkeypatch):
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path / "home"))
    path = tmp_path / "ventas.csv.gz"
    to_rossmann(make_sales(seed=3, series=5, days=1100)).to_csv(path, index=False)
    notebook = nbformat.read(LESSON, as_version=4)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    ours = [cell for cell in cells if "load_sales()" in cell["source"]]
    assert len(ours) == 1 and ours[0]["source"].startswith("history = load_sales()\n"), "one line to change"
    ours[0]["source"] = ours[0]["source"].replace("load_sales()", f"load_sales({str(path)!r})")
    resources = {"metadata": {"path": LESSON.parent}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    outputs = json.dumps([cell["outputs"] for cell in cells])
    assert "perfect weather" not in outputs and "Stan" not in outputs and "stderr" not in outputs

    folder = tmp_path / "home" / "project"
    for stage in ["discover", "play", "develop", "deploy"]:
        table = gate(folder, stage)
        theirs = {entry.key for entry in deliverables(stage) if LESSON.stem in entry.lessons}
        assert set(table.loc[table["state"] == "met", "deliverable"]) == theirs
        assert set(table["state"]) <= {"met", "missing"}
    table = gate(folder, "play").set_index("deliverable")
    assert (
        table.loc[sorted(theirs := ["agreement", "feasibility", "prototype", "return"]), "why"]
        .str.contains("signed by")
        .all()
    )
    papers = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in theirs}
    assert papers["prototype"]["decision"] == ("go" if all(papers["prototype"]["met"].values()) else "no-go")
    assert papers["agreement"]["decision"] == papers["prototype"]["decision"]
    assert papers["prototype"]["cutoffs"][0] == "2024-12-21"
    assert not [path for path in folder.rglob("*") if path.suffix in (".rough", ".pkl", ".pickle")]

    (folder / "return.json").write_text("{}", encoding="utf-8")
    again = gate(folder, "play").set_index("deliverable")["state"]
    assert again["return"] == "invalid" and set(again[["agreement", "feasibility", "prototype"]]) == {"met"}
