"What an evening and a morning owe a shop that changes: late sales, doors that close, shops that open, who serves."

import pandas as pd
import pytest

from mlworkbook import pipeline, publishing, watching
from mlworkbook.baselines import seasonal_naive
from mlworkbook.evaluation import ORDER, TEAM, Leaderboard
from mlworkbook.evening import sentence, stays
from mlworkbook.ops.errors import DataError
from mlworkbook.recipes import RULE, Recipe
from mlworkbook.sales import make_sales
from mlworkbook.value import BAKERY_COSTS

HORIZON, LAST, DAY = 7, pd.Timestamp("2023-01-31"), pd.Timedelta(days=1)
SALES = make_sales(5, series=3, days=420, start="2022-01-03").drop(columns=["promo"], errors="ignore")
BAD = LAST - DAY  # the second of two days on which the whole chain sold nothing: it rings


def known(evening, sales=SALES, closed=True):
    "Sales until an evening."
    rows = sales[sales["ds"] <= evening + HORIZON * DAY]
    bad = rows["ds"].isin((BAD - DAY, BAD)) & (rows["ds"] <= evening)
    rows = rows.assign(y=rows["y"].where(rows["ds"] <= evening).mask(bad, 0.0))
    return rows.reset_index(drop=True) if closed else rows.drop(columns="closed").reset_index(drop=True)


@pytest.fixture
def shop(tmp_path):
    "A shop with nights until the evening before the bad day: options that every function takes."
    where = {"home": tmp_path / "home"}
    pipeline.train(known(BAD - 14 * DAY), Recipe(RULE), name="shop", horizon=HORIZON, **where)
    for back in range(10, 0, -1):
        publishing.publish("shop", known(BAD - back * DAY), horizon=HORIZON, **where)
    return where


def morning(day, where, sales=SALES):
    "Kinds and messages of the alarms of a morning."
    rang = watching.watch("shop", known(day - DAY, sales), today=day, horizon=HORIZON, **where).alarms
    return dict(zip(rang["kind"], rang["message"], strict=True))


def test_sales_that_come_late_ring_late(shop):
    publish = {"name": "shop", "horizon": HORIZON, **shop}
    publishing.publish(history=known(BAD - DAY), **publish)  # the file of the bad day does not come: the same again
    late = watching.watch("shop", known(BAD - DAY), today=BAD + DAY, horizon=HORIZON, **shop).alarms
    assert set(late["kind"]) == {"freshness"}
    publishing.publish(history=known(LAST), **publish)
    seen = watching.watch("shop", known(LAST), today=LAST + DAY, horizon=HORIZON, **shop)
    missed = seen.heard[seen.heard["ds"] == BAD + DAY]
    about = ["kind", "unique_id", "value"]
    said = set(seen.alarms[about].itertuples(index=False, name=None))
    assert "error" in set(missed["kind"]) and set(missed[about].itertuples(index=False, name=None)) <= said
    publishing.publish(history=known(LAST + DAY), **publish)
    assert "error" not in morning(LAST + 2 * DAY, shop), "what was heard is not said again"


def test_sales_on_time_ring_at_once(shop):
    publishing.publish("shop", known(BAD), horizon=HORIZON, **shop)
    assert "error" in morning(BAD + DAY, shop)


def test_nobody_asks_for_a_shop_that_has_closed(shop):
    gone = SALES[SALES["unique_id"] != SALES["unique_id"].iloc[-1]]
    assert "contract" not in morning(BAD - DAY, shop)
    before = watching.watch("shop", known(BAD - DAY, gone), today=BAD, horizon=HORIZON, **shop).alarms
    assert before["message"].str.contains("no sales of S03").any(), "missing, and in the last night: it is asked for"
    publishing.publish("shop", known(BAD, gone), horizon=HORIZON, ended=True, **shop)
    assert "contract" not in morning(BAD + DAY, shop, gone)


@pytest.mark.parametrize("marked", [True, False])
def test_closed_days_may_be_marked_or_not(tmp_path, marked):
    where = {"home": tmp_path / "home", "horizon": HORIZON}
    pipeline.train(known(LAST - DAY, closed=marked), Recipe(RULE), name="shop", **where)
    publishing.publish("shop", known(LAST - DAY, closed=marked), **where)
    night = publishing.publish("shop", known(LAST, closed=not marked), **where)
    assert night.state == "written" and night.date == f"{LAST:%Y-%m-%d}"
    with pytest.raises(DataError, match="column 'promo' is new"):
        publishing.publish("shop", known(LAST + DAY).assign(promo=0.0), **where)


def test_a_shop_of_three_days_repeats_their_mean_where_it_knows_no_better():
    rows = pd.DataFrame({"unique_id": "new", "ds": pd.date_range("2024-06-06", periods=3), "y": [60.0, 90.0, 0.0]})
    found = seasonal_naive(rows, 7).set_index(seasonal_naive(rows, 7)["ds"].dt.day_name().str[:3])["yhat"]
    assert found[["Thu", "Fri", "Sat"]].tolist() == [60, 90, 0] and found[["Sun", "Mon", "Tue", "Wed"]].eq(50).all()


def board(**eur):
    "A leaderboard with a team and what each row cost."
    table = pd.DataFrame({"model": list(eur), "eur_per_day": list(eur.values())}).sort_values("eur_per_day")
    table = table.assign(wape=0.1, bias=0.0, coverage=0.8, saved=1.0, low=0.5, high=1.5)
    scored = pd.DataFrame({"unique_id": ["S01", "S02"], "model": TEAM})
    names = [name for name in eur if name not in (TEAM, ORDER)]
    evenings = [LAST - back * DAY for back in range(5)]
    recipes = {name: Recipe(name) for name in names}
    return Leaderboard(table, scored, recipes, BAKERY_COSTS, pd.DataFrame(columns=["model", "error"]), evenings)


def test_the_page_says_why_a_team_serves_that_a_member_beat():
    beaten = board(team=12.0, boosting=11.0, seasonal_naive=16.0, **{ORDER: 10.0})
    said = sentence(beaten, beaten.recipe(TEAM), 3)
    assert "boosting was cheaper on these evenings" in said and ", 2 series together" in said and "all" not in said
    best = board(team=10.5, boosting=11.0, seasonal_naive=16.0)
    assert stays(best, TEAM) == "" and ", all 2 series together" in sentence(best, best.recipe(TEAM), 2)
