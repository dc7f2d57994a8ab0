"Promises of lesson 41: a forecaster saved with format 1 is still read, and still says what it said."

from pathlib import Path

import numpy as np
import pandas as pd

from mlworkbook import forecaster
from mlworkbook.forecaster import Forecaster

GOLDEN = Path(__file__).parent / "golden"


def moved():
    "Days whose forecast is not the one that was kept."
    kept = pd.read_csv(GOLDEN / "forecast.csv", parse_dates=["ds"])
    found = Forecaster.load(GOLDEN / "forecaster").predict(14)
    assert found[["unique_id", "ds", "status"]].equals(kept[["unique_id", "ds", "status"]])
    return kept.loc[~np.isclose(found["yhat"], kept["yhat"], rtol=0, atol=0.01), "ds"].nunique()


def test_an_old_forecaster_says_what_it_said():
    assert moved() == 0


def test_a_promotion_that_is_forgotten_is_noticed(monkeypatch):
    ahead = forecaster.days_ahead
    monkeypatch.setattr(forecaster, "days_ahead", lambda *given: ahead(*given).assign(promo=0))
    assert moved() == 7


def test_a_rounded_forecast_is_noticed(monkeypatch):
    predict = forecaster.predict_series
    monkeypatch.setattr(forecaster, "predict_series", lambda *given: predict(*given).round({"yhat": 1}))
    assert moved() >= 7
