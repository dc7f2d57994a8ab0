"""The loop as it is lived: evenings and mornings by installed commands, killed and started again, and what they leave.

`LIVED=long` makes the long form, for the nightly workflow: every command of all evenings killed twice, more seeds.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lived_shop import CORRECTED, EXAM, HORIZON, LIFE, NAME, OPENS, KilledShop, Shop, SpokenShop, till
from mlworkbook import decisions, pipeline, publishing, team, watching
from mlworkbook.backtesting import backtest
from mlworkbook.cli import app as cli
from mlworkbook.evaluation import TEAM
from mlworkbook.morning import rings
from mlworkbook.recipes import RULE, Recipe, team_of
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.tracking import connect
from mlworkbook.versions import Champion, lineage, place_of

pytestmark = pytest.mark.slow
LONG = os.environ.get("LIVED") == "long"
DAY = pd.Timedelta(days=1)


def table(day, date):
    "A published night, as it was after a day."
    return pd.read_parquet(BytesIO(day.nights[date]))


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    "The shop, and what was there after each of its days."
    shop = Shop(tmp_path_factory.mktemp("typed"))
    return shop, list(shop.live())


def test_every_evening_has_its_night(typed):
    before = {}
    for day in typed[1]:
        evening, date = day.evening, day.evening.sent or day.evening.date
        wanted = [int(words[0]) if words[0].isdecimal() else 0 for words in evening.typed]
        assert day.codes[:-1] == wanted, (evening, day.said)
        if evening.copies == 1:
            assert max(day.nights) == date, f"the newest night of {evening.date} begins after the newest sales"
            night = table(day, date)
            assert night["ds"].min() == pd.Timestamp(date) + DAY and night["ds"].nunique() == HORIZON
            sent = till(date)
            names = sent.loc[sent["ds"] == pd.Timestamp(date), "unique_id"].unique()
            assert set(night["unique_id"]) == set(names) and len(night) == HORIZON * len(names)
            assert not night.duplicated(["unique_id", "ds"]).any() and night["yhat"].notna().all()
        changed = {name for name in before if before[name] != day.nights.get(name)}
        assert changed <= {date}, "what was published stays as it was"
        assert set(day.nights) - set(before) <= {date}
        before = day.nights
    assert len(before) == len({one.evening.sent or one.evening.date for one in typed[1]}) == 9


def test_every_morning_says_how_it_is(typed):
    mornings = [(day.evening, day.codes[-1], day.said[-1]) for day in typed[1]]
    assert mornings[0][1] == 0 and mornings[0][2]["days"] == 0 and mornings[0][2]["alarms"] == []
    for evening, code, said in mornings:
        if evening.copies > 1:
            assert code == 2 and said == {}
            continue
        rang = {one["kind"] for one in said["alarms"]}
        assert code == (4 if rang else 0)
        assert ("freshness" in rang) == (evening.rang == "freshness"), (evening, said["alarms"])
        assert said["night"] == (evening.sent or evening.date)


def test_who_served_and_why(typed):
    shop, days = typed
    rule = lineage(Recipe(RULE))
    (number, first), *others = days[-1].versions.items()
    assert (number, first) == (1, rule)
    actions = [(date, action) for date, action, *_ in days[-1].decisions]
    assert actions == [
        ("2023-12-19", "promoted"),
        ("2023-12-21", "refused"),  # a single recipe asks for a team's place
        ("2023-12-25", "rolled back"),  # after that night, before the next one
        ("2023-12-27", "promoted"),  # somebody asked for it
    ]
    team = days[-1].decisions[0][2]
    assert days[-1].decisions[1][3] == team and "a team serves" in days[-1].decisions[1][4]
    (refused,) = [
        said["decision"]
        for day in days
        for said in day.said
        if (said.get("decision") or {}).get("reason") == "the evening" and said["decision"]["action"] == "refused"
    ]
    assert refused["date"] == "2023-12-26" and "taken out of service on 2023-12-25 (no bread" in refused["verdict"]
    made = [(day.evening.date, said["recipe"]["recipe"]) for day in days for said in day.said if "forecast" in said]
    assert {name for date, name in made if date in ("2023-12-18", "2023-12-26")} == {RULE}
    assert {name for date, name in made if date not in ("2023-12-18", "2023-12-26")} == {TEAM}
    client = connect(shop.home)
    assert (
        lineage(Recipe(TEAM, days[1].said[0]["recipe"]["settings"]))
        == client.get_model_version_by_alias(NAME, "champion").tags["lineage"]
    )
    registered = {version for _, action, version, *_ in days[-1].decisions if action == "promoted"}
    assert registered <= {str(number) for number in days[-1].versions} and len(days[-1].versions) == 4


def test_what_happened_is_in_the_nights(typed):
    days = {day.evening.date: day for day in typed[1]}
    late = days["2023-12-20"]
    assert late.said[0]["forecast"]["state"] == "unchanged" and late.nights == days["2023-12-19"].nights
    opened = days[f"{OPENS:%Y-%m-%d}"]
    assert opened.said[0]["opened"] == ["S04"]
    assert (table(opened, opened.evening.date).query("unique_id == 'S04'")["yhat"] > 0).any()
    closed = days["2023-12-24"]
    assert closed.said[1]["ended"] == ["S03"] and closed.said[0] == {}
    feast = table(days["2023-12-23"], "2023-12-23").query("ds == '2023-12-25'")
    assert (feast["yhat"] == 0).all() and set(feast["status"]) == {"closed"}
    known, unknown = (table(days[date], date).query("unique_id == 'S01'") for date in ("2023-12-23", "2023-12-24"))
    both = known.merge(unknown, on="ds", suffixes=("", "_unplanned")).query("ds >= '2023-12-26'")
    assert len(both) == 5 and both["yhat"].sum() > 1.03 * both["yhat_unplanned"].sum(), "a promotion that was planned"


def test_the_same_in_python_and_each_evening_twice(typed, tmp_path):
    shop = SpokenShop(tmp_path)
    for day, was in zip(shop.live(), typed[1], strict=True):
        assert day.codes == was.codes and day.state == was.state, day.evening
        if day.codes[-2] == 0 and day.evening.typed[-1][0] != "retrain":
            code, said = shop.type(("forecast", *day.evening.typed[-1][1:]), pd.Timestamp(day.evening.date))
            assert (code, said["forecast"]["state"]) == (0, "unchanged"), day.evening
            assert shop.look(day.evening, day.codes, day.said).state == was.state


def test_killed_at_any_instant_it_ends_the_same(typed, tmp_path):
    usual, evenings = typed[0].took, LIFE if LONG else LIFE[:2]
    shop = KilledShop(tmp_path, seed=17, times=2 if LONG else 1, usual=usual)
    for day, was in zip(shop.live(evenings), typed[1], strict=False):
        assert day.codes == was.codes, (day.evening, day.said)
        assert day.nights == was.nights, day.evening
        assert day.versions == was.versions and day.decisions == was.decisions, day.evening
    assert len(shop.killed) >= (40 if LONG else 3), shop.killed


class Cut(BaseException):
    "The light goes out."


LASTING = ("set_registered_model_alias", "delete_registered_model_alias", "create_model_version")


def cut(monkeypatch, number):
    "Let the light go out before a step that lasts: an alias, a version, a line of the journal; count the steps."
    count = [0]

    def before(real):
        def step(*words, **options):
            count[0] += 1
            if count[0] == number:
                raise Cut
            return real(*words, **options)

        return step

    for owner, name in [(pipeline, "write"), (decisions, "write"), *((mlflow.MlflowClient, name) for name in LASTING)]:
        monkeypatch.setattr(owner, name, before(getattr(owner, name)))
    return count


@pytest.mark.parametrize("command", [("promote",), ("rollback", "--reason", "no bread"), *[("retrain",)] * LONG])
def test_cut_before_any_step_and_typed_again(command, tmp_path, monkeypatch):
    today, number = pd.Timestamp("2023-12-18"), 0
    agreed = decisions.Agreed(horizon=HORIZON, recipes={"prophet": Recipe("prophet")}, **EXAM)
    monkeypatch.setattr(decisions, "Agreed", lambda **_: agreed)
    base = SpokenShop(tmp_path / "base")
    base.folder.mkdir()
    before = [("train", "--recipe", RULE), ("forecast",), ("train", "--recipe", TEAM)]
    before += [("promote",)] if command[0] == "rollback" else []
    till(today).to_csv(base.sales, index=False)
    assert [base.type(words, today)[0] for words in before] == [0] * len(before)
    states = []
    while not states or number:
        shop = SpokenShop(shutil.copytree(base.folder, tmp_path / f"cut-{number}"))
        if number:
            with monkeypatch.context() as light:
                count = cut(light, number)
                with suppress(Cut):
                    shop.type(command, today)
                if count[0] < number:  # it ended before that step
                    break
        assert shop.type(command, today)[0] == 0, f"cut before step {number}"
        serves = connect(shop.home).get_model_version_by_alias(NAME, "champion").version
        states.append((serves, shop.look(None, [], []).state))
        assert states[-1] == states[0], f"cut before step {number}"
        number += 1
    assert number > 2, "at least an alias and a line of the journal"


@pytest.mark.parametrize("seed", range(1, 6) if LONG else [1])
def test_a_fall_under_nightly_runs_rings_within_a_week(seed):
    few = {} if LONG else {"recipes": {"prophet": Recipe("prophet")}, "initial": 280, "period": 30}
    rang, opening = fallen(seed, decisions.Agreed(horizon=HORIZON, **few))
    assert opening.alarms.empty and opening.limits is None and opening.judged.empty, "nothing to judge yet"
    late, calm = [days for days in rang if days > 0], [days for days in rang if days <= 0]
    assert late and late[0] <= 7, f"mornings after the fall that rang: {late}"
    assert len(calm) <= 2, f"{len(calm)} of 14 calm mornings rang, where one a month was chosen"


def fallen(seed, agreed, *, calm=14, patience=7):
    "Mornings that rang, counted from a fall of 10 % on, until one after it; and the first morning of all."
    sales = make_sales(seed, series=4, days=420, horizon=HORIZON, start="2022-03-01")
    last = sales["ds"].max() - HORIZON * DAY
    first = last - (calm + patience - 1) * DAY
    fall, rang, opening = first + calm * DAY, [], None
    sales["y"] = sales["y"].mask(sales["ds"] >= fall, (sales["y"] * 0.9).round())
    for evening in pd.date_range(first, last):
        history = sales[sales["ds"] <= evening + HORIZON * DAY]
        history = history.assign(y=history["y"].where(history["ds"] <= evening))
        pipeline.run_evening("fall", history, agreed)
        morning = watching.watch("fall", history, today=evening + DAY, horizon=HORIZON)
        opening = opening or morning
        if len(morning.alarms):
            rang.append((evening - fall).days + 1)
            if rang[-1] > 0:
                break
    return rang, opening


@pytest.fixture(scope="module")
def unborn(tmp_path_factory):
    "A shop before its first night, and where it is."
    home = tmp_path_factory.mktemp("unborn")
    return place_of("shop", home), make_sales(1, series=4, days=420, start="2022-03-01")


PAIR = team_of({RULE: Recipe(RULE), "prophet": Recipe("prophet")})


@pytest.mark.parametrize("recipe", [Recipe("prophet"), PAIR], ids=["single", "team"])
def test_past_nights_are_what_would_have_been_published(recipe, unborn):
    place, history = unborn
    past = watching.past_of(place, recipe, history, 14)
    assert (past["ds"] - past["cutoff"]).max() == 3 * DAY, "of each day the newest forecast will be judged"
    assert past["ds"].dt.dayofweek.nunique() == 7 and past["cutoff"].nunique() == 26
    nights = past["cutoff"].unique()
    for night in (nights[0], nights[13], nights[-1]):
        known = publishing.as_known(history, night, 14)
        said = publishing.asks(place, Champion("1", recipe, None, (), None, ""), known, 14)(known, 14)
        both = past[past["cutoff"] == night].merge(said, on=["unique_id", "ds"], suffixes=("", "_said"))
        assert len(both) == 12 and both["yhat"].to_numpy() == pytest.approx(both["yhat_said"].to_numpy(), abs=1e-6)


def test_limits_are_near_those_of_nightly_evenings(tmp_path, monkeypatch):
    place, sales = place_of("shop", tmp_path), make_sales(21, series=4, days=700, start="2022-04-01")
    last = sales["ds"].max()
    found = watching.limits_of(place, PAIR, sales, last).limits
    monkeypatch.setattr(watching, "NEW", 1)
    monkeypatch.setattr(watching, "past_nights", lambda *_: list(pd.date_range(last - 133 * DAY, last - 14 * DAY)))
    nightly = watching.limits_of(place, PAIR, sales, last, again=True)
    assert nightly.days >= 115 and nightly.lead == 1
    for family in ("error", "error of a series", "bias", "bias of a series"):
        assert 0.5 < found[family] / nightly.limits[family] < 1.5, (family, found, nightly.limits)


def test_a_fall_that_mixed_leads_would_hide(tmp_path):
    sales, prophet = make_sales(24, series=4, days=760, horizon=14, start="2022-11-01"), Recipe("prophet")
    opened = sales["ds"].min() + 699 * DAY
    fall = opened + 41 * DAY
    fallen = sales.assign(y=sales["y"].mask(sales["ds"] >= fall, (sales["y"] * 0.9).round()))
    limits = watching.limits_of(place_of("shop", tmp_path), prophet, fallen, opened)
    nights, view = list(pd.date_range(opened, fall + 8 * DAY)), partial(team.evening, unknown=())
    nightly = backtest(fallen, {"prophet": prophet}, 1, nights=nights, view=view, batch=4).of("prophet")
    mornings = np.array([(day - fall).days for day in rings(nightly, fallen, limits)["ds"].unique()])
    assert len(mornings[mornings <= 0]) <= 2, f"calm mornings that rang: {mornings}"
    assert (mornings > 0).any(), f"mornings after the fall that rang: {mornings}"


@pytest.mark.parametrize(("days", "judged"), [(96, None), (98, 30), (130, 60), (380, 78), (700, 78)])
def test_short_histories_have_fewer_nights(days, judged, tmp_path):
    sales = make_sales(1, series=2, days=days)
    limits = watching.limits_of(place_of("shop", tmp_path), Recipe(RULE), sales, sales["ds"].max())
    assert (limits and limits.days) == judged


def test_a_team_without_any_past_evening(tmp_path):
    sales = make_sales(1, series=2, days=123)
    assert team.past_evenings(sales, 39) == [], "none has ended"
    limits = watching.limits_of(place_of("shop", tmp_path), PAIR, sales, sales["ds"].max(), horizon=39)
    assert limits.days >= 28 and "coverage" not in limits.limits, "nobody has earned an interval"


def test_days_on_which_all_doors_are_shut_tell_nothing(tmp_path):
    sales = make_sales(1, series=2, days=100)
    sunday = sales["ds"].dt.dayofweek.eq(6)
    sales = sales.assign(closed=sales["closed"] | sunday, y=sales["y"].mask(sunday, 0))
    assert watching.limits_of(place_of("shop", tmp_path), Recipe(RULE), sales, sales["ds"].max()) is None


@pytest.mark.parametrize("horizon", [1, 2, 6, 7, 13, 14, 28])
def test_past_nights_meet_every_day_of_the_week(horizon):
    for days in (40, 60, 120, 230, 420, 800):
        sales = make_sales(1, series=1, days=days)
        nights = watching.past_nights(sales, horizon)
        assert len(nights) <= 26 and all(night + horizon * DAY <= sales["ds"].max() for night in nights)
        assert all(night >= sales["ds"].min() + 56 * DAY for night in nights)
        assert len(nights) < 7 or {night.dayofweek for night in nights} == set(range(7)), (days, nights)


def walk(rng):
    "Weekdays that walk by themselves."
    steps = rng.normal(0, 6, (40, 7)).cumsum(axis=0)
    return {"shop": np.clip(100 + steps, 5, None).ravel()}


def launch(rng):
    "A launch, and a jump."
    days = np.arange(280)
    level = np.where(days < 30, 3 + days, 33) * np.where(days >= 200, 2.5, 1)
    return {"shop": rng.poisson(level * np.tile([1, 0.9, 0.9, 1, 1.2, 1.6, 0.7], 40))}


def zeros(rng):
    "37 zeros that nobody marked as closed."
    y = rng.poisson(np.tile([40, 38, 39, 42, 55, 70, 20], 43)).astype(float)
    y[150:187] = 0
    return {"shop": y, "other": rng.poisson(30, len(y))}


def alone(rng):
    "A single series."
    return {"shop": rng.poisson(np.tile([20, 18, 21, 22, 30, 44, 12], 44))}


def rare(rng):
    "Sales on one day of five."
    return {name: rng.poisson(3, 300) * (rng.random(300) < 0.2) for name in ("shop", "other")}


def young(rng):
    "Five stores, one of them new."
    week = np.tile([1, 0.9, 0.9, 1, 1.2, 1.5, 0.8], 40)
    stores = {f"S{number}": rng.poisson(20 * (number + 1) * week) for number in range(4)}
    return stores | {"new": rng.poisson(25 * week[-9:])}


@pytest.mark.parametrize("shape", [walk, launch, zeros, alone, rare, young])
def test_a_first_run_always_ends_with_a_night(shape, tmp_path):
    end = pd.Timestamp("2024-05-31")
    for seed in range(3 if LONG else 1):
        made = shape(np.random.default_rng([seed, 4]))
        parts = [
            pd.DataFrame({"unique_id": name, "ds": pd.date_range(end=end, periods=len(y)), "y": np.round(y)})
            for name, y in made.items()
        ]
        pd.concat(parts).to_csv(tmp_path / f"{seed}.csv", index=False)
        words = ["run", "--data", tmp_path / f"{seed}.csv", "--workers", 1, "--today", "2024-06-01", "--json"]
        done = CliRunner().invoke(cli.app, [str(word) for word in [*words, "--name", f"shop-{seed}"]])
        assert done.exit_code == 0, done.stderr
        result = json.loads(done.stdout)
        night = pd.read_parquet(result["files"]["forecast"], partitioning=None)
        assert len(night) == 14 * len(made) and night["ds"].min() == end + DAY and night["yhat"].ge(0).all()
        assert "Who forecasts" in Path(result["files"]["report"]).read_text(encoding="utf-8")
        rows = {row["model"]: row for row in result["leaderboard"]}
        serves = rows[result["serves"]]
        assert result["evenings"] >= 4 and result["failures"] == []
        if result["serves"] != RULE:
            assert serves["high"] >= 0, f"seed {seed}: dearer than the rule beyond its interval: {serves}"
            assert serves["saved"] > 0, f"seed {seed}: who serves was dearer than the rule: {serves}"


def test_plain_mlflow_answers_and_breaks_nothing(tmp_path):
    till("2023-12-18").to_csv(tmp_path / "shop.csv", index=False)
    history = load_sales(tmp_path / "shop.csv", horizon=HORIZON)
    agreed = decisions.Agreed(horizon=HORIZON, recipes={"mstl": Recipe("mstl"), "prophet": Recipe("prophet")}, **EXAM)
    board, row, version, alias = pipeline.examine_and_train(NAME, history, agreed)
    assert (row, alias) == (TEAM, "champion")
    night = pd.read_parquet(publishing.publish(NAME, history, horizon=HORIZON).path, partitioning=None)
    connect()
    model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    asked = [{"unique_id": "S01", "horizon": HORIZON}]
    answer = pd.DataFrame([dict(row) if isinstance(row, dict) else row.model_dump() for row in model.predict(asked)])
    assert len(answer) == HORIZON and set(answer["unique_id"]) == {"S01"}
    expected = night[night["unique_id"] == "S01"]["yhat"].to_numpy()
    assert answer["yhat"].to_numpy() == pytest.approx(expected, abs=1e-6)
    again = publishing.publish(NAME, history, horizon=HORIZON)
    assert again.state == "unchanged" and again.version == version
    late = till(CORRECTED)
    late[late["unique_id"] != "S03"].to_csv(tmp_path / "shop.csv", index=False)
    later = publishing.publish(NAME, load_sales(tmp_path / "shop.csv", horizon=HORIZON), horizon=HORIZON, ended=True)
    assert (later.date, later.state, later.version) == ("2023-12-27", "written", version)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    "More series than a team's past looks at, as a frame and as a file, and who serves: a team registered with a few."
    room = tmp_path_factory.mktemp("chain")
    history = make_sales(5, series=310, days=150, horizon=7).drop(columns="holiday")
    history.to_parquet(room / "chain.parquet", index=False, row_group_size=5000)
    served = {RULE: Recipe(RULE), "boosting": Recipe("boosting"), "slow": Recipe(RULE, {"season": 14})}
    pipeline.train(history[history["unique_id"] < "S004"], team_of(served), name="chain", horizon=7, home=room)
    return history, room / "chain.parquet", room


def sent(chain, what, workers, folder, **options):
    "A night of the chain, with its champion, in a folder of its own."
    return publishing.publish("chain", what, horizon=7, workers=workers, home=chain[2], out=folder, **options)


def test_a_chain_in_a_file_is_the_chain_in_a_frame(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "GROUP", 50)
    nights = []
    for number, (what, workers) in enumerate([(chain[0], 1), (chain[0], 2), (chain[1], 1), (str(chain[1]), 2)]):
        night = sent(chain, what, workers, tmp_path / str(number))
        assert (night.state, night.rows, len(night.opened), night.ended) == ("written", 310 * 7, 307, ())
        assert sent(chain, what, workers, tmp_path / str(number)).state == "unchanged"
        nights.append([path.read_bytes() for path in (night.path, tmp_path / str(number) / publishing.SALES)])
    assert all(night == nights[0] for night in nights)


def test_a_large_chain_is_not_copied_every_night(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "MOST", 1000)
    sent(chain, chain[1], 1, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "forecast"]


@pytest.mark.parametrize(
    ("spoil", "options", "reason"),
    [
        (lambda rows: rows, {"today": "2022-05-29"}, "sales of 2022-05-30 came on 2022-05-29"),
        (lambda rows: rows[rows["unique_id"] > "S002"], {}, "2 of 310 series of the last night are not in these sales"),
        (lambda rows: rows.assign(shelf=0.0), {}, "column 'shelf' is new, expected promo besides"),
        (lambda rows: rows.drop(columns="promo"), {}, "column 'promo' is missing, expected promo besides"),
        (lambda rows: team.evening(rows, pd.Timestamp("2022-05-29"), 7), {}, "this file is older"),
    ],
    ids=["clock", "gone", "new", "missing", "older"],
)
def test_what_is_refused_of_a_frame_is_refused_of_a_file(chain, spoil, options, reason, tmp_path):
    first = sent(chain, chain[1], 1, tmp_path)
    spoil(chain[0]).to_parquet(tmp_path / "bad.parquet", index=False)
    for what in (spoil(chain[0]), tmp_path / "bad.parquet"):
        with pytest.raises(ValueError, match=reason):
            sent(chain, what, 1, tmp_path, **options)
    assert [path.name for path in first.path.parent.parent.iterdir() if path.is_dir()] == ["date=2022-05-30"]


def test_a_file_waits_for_its_first_champion(chain, tmp_path):
    with pytest.raises(ValueError, match="'chain' has no champion yet"):
        publishing.publish("chain", chain[1], home=tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from mlworkbook import batch, publishing

publishing.GROUP = 50
real, count = batch.write_atomic, []

def dying(path, content):
    done = real(path, content)
    count.append(path)
    if len(count) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

batch.write_atomic = dying
if __name__ == "__main__":
    publishing.publish("chain", sys.argv[1], horizon=7, workers=2, home=sys.argv[2], out=sys.argv[3])
"""


def test_a_chain_killed_in_the_middle_goes_on(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "GROUP", 50)
    (tmp_path / "killed.py").write_text(KILLED)
    command = [sys.executable, tmp_path / "killed.py", chain[1], chain[2], tmp_path / "out"]
    assert subprocess.run(command, timeout=300).returncode == -signal.SIGKILL
    assert not list((tmp_path / "out" / "forecast").glob("date=*"))
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "forecast").glob(".date=*/0*.parquet")}
    assert len(parts) == 3
    asked = []
    said = publishing.play_team
    monkeypatch.setattr(publishing, "play_team", lambda *given, **more: asked.append(1) or said(*given, **more))
    night = sent(chain, chain[1], 1, tmp_path / "out")
    assert len(asked) == 4, "groups that were not ready"
    assert night.path.read_bytes() == sent(chain, chain[0], 1, tmp_path / "calm").path.read_bytes()


def test_the_benchmark_of_a_large_chain_runs():
    command = [sys.executable, "benchmarks/bench_large.py", "--series", "260", "--days", "200"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("7280 rows written") == 2 and "limit 240 s, 4096 MB" in done.stdout
