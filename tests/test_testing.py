"Promises of lesson 41: a forecaster saved with format 1 is still read, and still says what it said."

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mlworkbook import forecaster
from mlworkbook.forecaster import PROPHET, Forecaster

GOLDEN = Path(__file__).parent / "golden"


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
