"Promises of lesson 35: old forecasters still say what they said, and the tests themselves were tested."

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mlworkbook import forecaster
from mlworkbook.forecaster import PROPHET, Forecaster

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests/golden"


def moved(engine=PROPHET):
    "Days whose forecast is not the one that was kept."
    kept = pd.read_csv(GOLDEN / "forecast.csv", parse_dates=["ds"])
    found = Forecaster.load(GOLDEN / "forecaster", engine).predict(14)
    assert found[["unique_id", "ds", "status"]].equals(kept[["unique_id", "ds", "status"]])
    return kept.loc[~np.isclose(found["yhat"], kept["yhat"], rtol=0, atol=0.01), "ds"].nunique()


def test_an_old_forecaster_says_what_it_said():
    assert moved() == 0


def test_a_promotion_that_is_forgotten_is_noticed(monkeypatch):
    ahead = forecaster.days_ahead
    monkeypatch.setattr(forecaster, "days_ahead", lambda *given: ahead(*given).assign(promo=0))
    assert moved() == 7


def test_a_rounded_forecast_is_noticed():
    assert moved(replace(PROPHET, predict=lambda *given: PROPHET.predict(*given).round({"yhat": 1}))) >= 7


def test_the_modules_that_others_trust_have_tests_that_notice():
    tool = ast.parse((ROOT / "tools/mutants.py").read_text(encoding="utf-8"))
    modules = next(ast.literal_eval(node.value) for node in tool.body if ast.unparse(node).startswith("MODULES"))
    table = pd.read_csv(ROOT / "docs/mutation.csv")
    assert table["module"].tolist() == modules == ["contract", "metrics", "project.gitflow", "project.stages", "value"]
    assert np.allclose(table["score"], table["killed"] / table["tried"], rtol=0, atol=0.0005)
    assert (table["score"] >= 0.8).all() and (table["tried"] >= 150).all()
