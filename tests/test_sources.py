"Many cases of the scorecard and of the profile of the extract (lesson 14)."

import json
from importlib.resources import files

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mlworkbook.project.sources import (
    Answer,
    Source,
    check_extract,
    closures,
    load_sources,
    odd_closures,
    plot_scorecard,
    profile,
    quality,
    save_sources,
    scorecard,
)

WEIGHTS = {"access": 0.4, "quality": 0.6}
WHO = {"owner": "Petra Vogel", "action": "export costs", "due": "2019-05-24"}


def source(name="till", access=5, quality=3, vetoes=(), **who):
    "A source whose named answers are vetoes."
    scores = {"access": access, "quality": quality}
    answers = {key: Answer(score, f"{key} was asked", key in vetoes) for key, score in scores.items()}
    return Source(name, answers, **(WHO | who if vetoes else who))


def frame(days=14, start="2019-04-01", stores=(2, 3)):
    "An extract without faults: two products, right labels, everything sold."
    dates = pd.date_range(start, periods=days)
    rows = [(day, store, product, 5.0) for store in stores for product in (101, 110) for day in dates]
    table = pd.DataFrame(rows, columns=["date", "store", "product", "demand"])
    return table.assign(weekday=table["date"].dt.day_name().str[:3].str.upper(), is_holiday=0)


def found(raw):
    "Rows of every check that found something."
    table = profile(raw)
    return {row.check: row.rows for row in table.itertuples() if row.verdict != "passed"}


def line(raw, check):
    "One row of the profile."
    return profile(raw).set_index("check").loc[check]


@pytest.fixture(scope="module")
def raw():
    return pd.read_parquet(files("mlworkbook").joinpath("data", "bakery.parquet"))


@pytest.fixture(scope="module")
def findings(raw):
    before = raw.copy()
    table = profile(raw).set_index("check")
    pd.testing.assert_frame_equal(raw, before)
    return table


def test_the_profile_finds_what_is_known_about_the_extract(findings):
    rows = {
        "weekday labels": 127_575,
        "fractional units": 42,
        "closed days": 8_964,
        "odd closures": 510,
        "late openings": 5_217,
        "unsold products": 708,
    }
    assert findings["rows"][findings["rows"] > 0].to_dict() == {key: rows[key] for key in findings.index if key in rows}
    assert set(findings.index[findings["verdict"] == "passed"]) == {
        "missing days",
        "missing values",
        "constant columns",
        "repeated rows",
        "negative units",
    }
    assert list(findings.index[findings["verdict"] == "wrong"]) == ["fractional units", "weekday labels"]


def test_the_details_are_the_facts_of_the_source(findings):
    detail = findings["detail"]
    assert detail["weekday labels"] == "2016-01-02 is SAT, labelled FRI; days from date to label: -1"
    stores = "22 25 28 29 31 36 40 44 46 47 49 50"
    assert detail["closed days"] == f"12 stores close on Sundays and holidays: {stores}"
    assert detail["odd closures"] == "170 times; most on 2018-08-15"
    assert detail["late openings"] == "store 5 opens on 2018-05-03; store 22 opens on 2018-06-07"
    assert findings["first"]["weekday labels"] == "2016-01-02, store 2, product 101"


def test_the_zeros_of_the_extract_are_all_explained(raw, findings):
    assert findings.loc[findings["verdict"] == "explain", "rows"].sum() == (raw["demand"] == 0).sum() == 15_399


def test_correct_labels_make_the_finding_disappear(raw, findings):
    fixed = raw.assign(weekday=raw["date"].dt.day_name().str[:3].str.upper())
    after = profile(fixed)
    assert line(fixed, "weekday labels")["verdict"] == "passed" and line(fixed, "weekday labels")["detail"] == ""
    assert quality(after).score == 4 and quality(findings.reset_index()).score == 3


def test_a_frame_without_faults_has_no_findings():
    assert found(frame()) == {}
    assert quality(profile(frame())) == Answer(5, "fallan 0 de 11 pruebas")


FAULTS = {
    "negative units": ("demand", -1.0),
    "fractional units": ("demand", 2.5),
    "unsold products": ("demand", 0.0),
    "weekday labels": ("weekday", "SUN"),
}


@pytest.mark.parametrize("check", FAULTS)
def test_one_fault_gives_one_finding_at_its_place(check):
    table = frame()
    column, value = FAULTS[check]
    table.loc[table.index[17], column] = value
    assert found(table) == {check: 1}
    row = line(table, check)
    assert row["first"] == "2019-04-04, store 2, product 110"
    assert row["share"] == pytest.approx(1 / 56) and row["column"] == column


def test_a_tiny_frame_gives_exactly_these_findings():
    table = frame(days=21)
    age, store = (table["date"] - table["date"].min()).dt.days, table["store"]
    table.loc[(store == 3) & (age < 9), "demand"] = 0.0
    table.loc[(store == 2) & (table["date"].dt.dayofweek == 6), "demand"] = 0.0
    table.loc[4, "demand"] = 0.25
    table = pd.concat([table.drop(index=8), table.iloc[[10]]])
    expected = {
        "missing days": 1,
        "repeated rows": 1,
        "fractional units": 1,
        "closed days": 6,
        "late openings": 18,
    }
    assert found(table) == expected
    assert line(table, "missing days")["first"] == "2019-04-09, store 2, product 101"
    assert line(table, "missing days")["share"] == pytest.approx(1 / 84)
    assert line(table, "late openings")["detail"] == "store 3 opens on 2019-04-10"
    assert quality(profile(table)).score == 2


def closing(days=35):
    "Three stores, five weeks: store 3 closes every Sunday, all close on Easter Monday, a holiday."
    table = frame(days, stores=(2, 3, 4))
    table.loc[(table["store"] == 3) & (table["date"].dt.dayofweek == 6), "demand"] = 0.0
    table.loc[table["date"] == "2019-04-22", ["is_holiday", "demand"]] = [1, 0.0]
    return table


def test_habits_holidays_and_general_closures_are_not_odd():
    table = closing()
    table.loc[table["date"] == "2019-04-30", "demand"] = 0.0
    table.loc[(table["date"] == "2019-04-22") & (table["store"] == 4), "demand"] = 5.0
    assert found(table) == {"closed days": 2 * (5 + 2 + 3)}
    assert line(table, "closed days")["detail"] == "1 stores close on Sundays and holidays: 3"


def test_an_odd_closure_is_told_with_its_day_and_its_stores():
    table = closing()
    for store, day in [(4, "2019-04-09"), (3, "2019-04-09"), (2, "2019-04-12"), (4, "2019-04-14")]:
        table.loc[(table["store"] == store) & (table["date"] == day), "demand"] = 0.0
    row = line(table, "odd closures")
    assert row["rows"] == 8 and row["verdict"] == "explain" and row["first"] == "2019-04-12, store 2, product 101"
    assert row["detail"] == "4 times; most on 2019-04-09"
    odd = odd_closures(check_extract(table))
    assert set(table.loc[odd, "date"].dt.day) == {9, 12, 14} and line(table, "closed days")["rows"] == 16
    one_store = table[table["store"] == 3].reset_index(drop=True)
    assert not odd_closures(one_store).any(), "with one store nobody tells an odd closure from a general one"


def test_a_kind_of_day_comes_from_the_date_and_not_from_the_label():
    table = closing().assign(weekday="SUN")
    pd.testing.assert_frame_equal(closures(table), closures(closing()))
    assert closures(table).loc[3, ["SAT", "SUN", "HOL"]].tolist() == [0, 1, 1]


def test_a_column_that_always_says_the_same_is_found():
    table = frame().assign(chain="one", rain=np.arange(56), empty=np.nan)
    row = line(table, "constant columns")
    assert row["column"] == "chain empty" and row["verdict"] == "explain" and row["rows"] == 56


def test_unknown_values_are_counted_and_nothing_else_is_made_of_them():
    table = frame()
    table.loc[3, "demand"] = np.nan
    table.loc[5, "weekday"] = None
    found_rows = found(table)
    assert found_rows["missing values"] == 2 and "weekday labels" not in found_rows and "closed days" not in found_rows
    assert line(table, "missing values")["column"] == "demand weekday"
    table.loc[3, "demand"] = np.inf
    assert found(table) == {"missing values": 1, "negative units": 1}


@pytest.mark.parametrize(
    ("shift", "words"),
    [(-1, "-1"), (1, "+1"), (-2, "-2"), (3, "+3")],
)
def test_the_direction_of_the_labels_is_told(shift, words):
    table = frame()
    table["weekday"] = (table["date"] + pd.Timedelta(days=shift)).dt.day_name()
    assert line(table, "weekday labels")["detail"].endswith(f"; days from date to label: {words}")


def test_labels_without_one_shift_or_in_other_words_are_told_so():
    table = frame()
    table.loc[[0, 1], "weekday"] = ["TUE", "FRI"]
    assert line(table, "weekday labels")["detail"].endswith(": +1 +3")
    assert line(frame().assign(weekday="lunes"), "weekday labels")["detail"].endswith(
        "labelled LUN; days from date to label: +nan"
    )
    assert found(frame().assign(weekday=frame()["weekday"].str.lower())) == {}


def test_order_and_index_of_the_rows_do_not_matter(raw):
    some = raw[raw["store"].isin([2, 5, 22])]
    shuffled = some.sample(frac=1, random_state=1).set_index(np.zeros(len(some), int))
    columns = ["check", "verdict", "rows", "share"]
    pd.testing.assert_frame_equal(profile(some)[columns], profile(shuffled)[columns])


def test_a_store_that_opens_within_a_week_was_closed():
    table = frame(days=20)
    age = (table["date"] - table["date"].min()).dt.days
    for days, check in [(7, "odd closures"), (8, "late openings")]:
        late = table.assign(demand=table["demand"].mask((table["store"] == 3) & (age < days), 0.0))
        assert found(late)[check] == 2 * days, days


def test_closures_are_shares_of_the_days_since_the_opening():
    table = frame(days=28)
    sunday = table["date"].dt.dayofweek == 6
    table.loc[sunday & (table["store"] == 3) & (table["date"] > "2019-04-07"), "demand"] = 0.0
    table.loc[table["date"] == "2019-04-22", ["is_holiday", "demand"]] = [1, 0.0]
    shares = closures(check_extract(table))
    assert shares.loc[3, "SUN"] == 0.75 and shares.loc[2, "SUN"] == 0 and (shares["HOL"] == 1).all()
    assert (shares["MON"] == 0).all()
    assert line(table, "closed days")["detail"].endswith("close on Sundays and holidays: none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns=["weekday", "is_holiday"]), "the extract lacks weekday, is_holiday; expected date,"),
        (lambda t: t.head(0), "none of 0 rows has date, store, product and demand"),
        (lambda t: t.assign(demand=np.nan), "none of 56 rows"),
        (
            lambda t: t.assign(date=t["date"].astype(str)),
            "date is .*first: '2019-04-01'; expected datetime64 without a zone",
        ),
        (lambda t: t.assign(date=t["date"].dt.tz_localize("UTC")), "expected datetime64 without a zone"),
        (lambda t: t.assign(date=t["date"] + pd.Timedelta(hours=4)), "carries a time of day, first: 2019-04-01 04"),
        (lambda t: t.assign(demand=t["demand"].astype(str)), "demand is .*first: '5.0'; expected .*numbers"),
        (lambda t: t.assign(is_holiday="no"), "is_holiday is .*first: 'no'; expected .*numbers"),
    ],
)
def test_an_extract_that_cannot_be_read_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        profile(change(frame()))


def test_quality_never_falls_below_one():
    checks = pd.DataFrame({"check": list("abcdefg"), "verdict": "wrong"})
    assert quality(checks).score == 1
    assert quality(checks.assign(verdict="explain")).score == 5


def test_score_is_the_weighted_mean():
    table = scorecard([source(access=5, quality=3)], WEIGHTS)
    assert list(table.columns) == [
        *("source", "access", "quality", "score", "state", "why", "owner", "action", "due", "rank")
    ]
    assert table["score"].item() == pytest.approx(3.8) and table["state"].item() == "ready"


def test_a_blocked_source_comes_after_every_ready_one():
    best = source("ERP", 5, 5, vetoes=["access"])
    table = scorecard([best, source("paper", 1, 1), source("till", 4, 4)], WEIGHTS)
    assert list(table["source"]) == ["till", "paper", "ERP"] and list(table["rank"]) == [1, 2, 3]
    blocked = table.iloc[-1]
    assert blocked["score"] == 5 and blocked["state"] == "blocked" and blocked["why"] == "access: access was asked"
    assert blocked[["owner", "action", "due"]].to_dict() == WHO


def test_all_vetoes_are_told_and_equal_scores_share_a_rank():
    table = scorecard([source("b"), source("a"), source("c", 1, 1, vetoes=["access", "quality"])], WEIGHTS)
    assert list(table["rank"]) == [1, 1, 3] and list(table["source"]) == ["b", "a", "c"]
    assert table["why"].iloc[2] == "access: access was asked; quality: quality was asked"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"access": 0.4, "quality": 0.7}, "sum to 1.1, expected 1; divide each by their sum"),
        ({"access": 0, "quality": 0}, "sum to 0, expected 1"),
        ({}, "sum to 0, expected 1"),
        ({"access": -0.4, "quality": 1.4}, "the weight of access is -0.4, expected a number >= 0"),
        ({"access": float("nan"), "quality": 1.0}, "the weight of access is nan"),
        ({"access": "0.4", "quality": 0.6}, "the weight of access is '0.4'"),
        ({"access": True, "quality": 0}, "the weight of access is True"),
        ({"access": 0.4, "score": 0.6}, "the weight of score is 0.6, expected .* a name that is free"),
        (
            {"access": 0.4, "quality": 0.1, "relevance": 0.5},
            "till answers access, quality, the weights are for access, quality, relevance",
        ),
        ({"access": 1.0}, "till answers access, quality, the weights are for access"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        scorecard([source()], weights)


def test_weights_may_miss_one_by_a_rounding():
    assert scorecard([source(access=4, quality=4)], {"access": 1 / 3, "quality": 2 / 3})["score"].item() == 4


def test_sources_need_names_of_their_own():
    with pytest.raises(ValueError, match="the sources are till, ERP, till; expected .*own name"):
        scorecard([source(), source("ERP"), source()], WEIGHTS)
    with pytest.raises(ValueError, match="the sources are none; expected one or more"):
        scorecard([], WEIGHTS)
    with pytest.raises(ValueError, match="expected a name"):
        source(" ")


@pytest.mark.parametrize("score", [0, 6, 2.5, "3", True, None, float("nan")])
def test_scores_are_whole_numbers_from_one_to_five(score):
    with pytest.raises(ValueError, match="expected a whole number from 1 to 5"):
        Answer(score, "asked")


def test_answers_need_a_reason_and_a_clear_veto():
    with pytest.raises(ValueError, match="score=3, reason='  '.*a reason in words"):
        Answer(3, "  ")
    with pytest.raises(ValueError, match="veto='no'.*veto True or False"):
        Answer(3, "asked", veto="no")
    with pytest.raises(ValueError, match="name='till', answers={'access': 3}.*an Answer for each"):
        Source("till", {"access": 3})


@pytest.mark.parametrize("empty", ["owner", "action", "due"])
def test_a_veto_says_who_does_what_by_when(empty):
    with pytest.raises(ValueError, match=f"ERP is blocked by access; say who .*'{empty}'"):
        source("ERP", vetoes=["access"], **{empty: ""})
    assert source("ERP", **{empty: ""}).vetoes == ()


@pytest.mark.parametrize("due", ["24.05.2019", "2019-02-30", "20190524", "soon"])
def test_due_is_a_day(due):
    with pytest.raises(ValueError, match="expected a day as YYYY-MM-DD"):
        source(due=due)


def test_records_keep_what_they_were_given():
    answers = {"access": Answer(5, "asked")}
    one = Source("till", answers)
    answers["quality"] = Answer(1, "asked")
    assert list(one.answers) == ["access"]
    with pytest.raises(AttributeError):
        one.name = "other"


def test_saved_sources_come_back(tmp_path):
    sources = [source(), source("Straße · ERP", 1, 5, vetoes=["access"])]
    path = save_sources(tmp_path / "new" / "sources.json", sources, WEIGHTS)
    assert load_sources(path) == (sources, WEIGHTS)
    assert "Straße" in path.read_text(encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="sum to 0.4"):
        save_sources(path, sources, {"access": 0.4})
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_asks_for_an_upgrade(tmp_path):
    path = save_sources(tmp_path / "sources.json", [source()], WEIGHTS)
    path.write_text(json.dumps({"format": 2, "anything": []}))
    with pytest.raises(ValueError, match="sources.json .*format is 2, expected 1 .upgrade mlworkbook"):
        load_sources(path)


def spoil(**change):
    "Replace parts of the saved content."
    return lambda content: json.dumps(content | change).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: json.dumps(content).encode()[:-20],
        lambda content: b"",
        lambda content: b"\xff\xfe\x00",
        lambda content: b"[]",
        lambda content: b"null",
        lambda content: b"{}",
        spoil(format="1"),
        spoil(format=True),
        spoil(format=0),
        spoil(weights=None),
        spoil(weights={"access": 1}),
        spoil(sources=None),
        spoil(sources=[]),
        spoil(sources=[None]),
        spoil(sources=[{"name": "till"}]),
        spoil(sources=[{"name": "till", "answers": {"access": {"score": 9, "reason": "asked"}}}]),
        spoil(sources=[{"name": 3, "answers": {}}]),
        spoil(sources=[{"name": "till", "answers": {}, "colour": "red"}]),
    ],
)
def test_a_damaged_file_is_told_by_name(tmp_path, damage):
    path = save_sources(tmp_path / "sources.json", [source()], WEIGHTS)
    path.write_bytes(damage(json.loads(path.read_bytes())))
    with pytest.raises(ValueError, match="^sources.json cannot be used .*; bring it back or save it again"):
        load_sources(path)


def test_a_file_that_is_not_there_is_another_matter(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_sources(tmp_path / "sources.json")


def test_the_picture_tells_blocked_sources_without_colour():
    table = scorecard([source("ERP", 5, 5, vetoes=["access"]), source("till")], WEIGHTS)
    axes = plt.figure().subplots(2)
    assert plot_scorecard(table, axes[1]) is axes[1] and not axes[0].patches
    till, erp = axes[1].patches
    assert erp.get_hatch() and not till.get_hatch() and erp.get_width() == 5
    assert [label.get_text() for label in axes[1].get_yticklabels()] == ["1 · till", "2 · ERP"]
    words = [text.get_text() for text in axes[1].texts]
    assert words[0].strip() == "3.80" and words[1].startswith("5.00 access:")
    assert "1 to 5" in axes[1].get_xlabel()
    plt.close("all")
