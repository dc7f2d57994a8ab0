"Promises of `charter`: what it refuses, what a signature holds, what travels through a file and a page."

import json
import re
from datetime import date, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlworkbook.project.charter import (
    Charter,
    Metric,
    compare,
    is_answer,
    load_charter,
    revise,
    save_charter,
    seals,
    sign,
    unanswered,
    write_page,
)

calm = settings(deadline=None, derandomize=True, max_examples=60)

SAVING = {"name": "saving", "unit": "razón", "today": 0.0, "target": 0.15, "better": "higher", "measured": "same days"}
COST = {"name": "cost", "unit": "EUR per store and day", "today": 19.14, "target": 16.27, "measured": "last year"}


def fields(**changes):
    "Everything a charter needs, with changes."
    return {
        "title": "Forecast",
        "on": "2019-05-03",
        "question": "How many units tomorrow?",
        "users": ["Jonas Weber", "Carmen Ruiz"],
        "decision": {"who": "Jonas Weber", "what": "units to bake", "when": "4:00"},
        "why_ml": ["35 stores each night"],
        "drop_if": "below 0.05 after three months",
        "out_of_scope": ["prices"],
        "metrics": [SAVING],
        "risks": [{"what": "distrust", "owner": "Jonas Weber", "mitigation": "he may correct"}],
        "assumptions": ["sales are close to demand"],
    } | changes


def made(**changes):
    "A charter with changes."
    return Charter(**fields(**changes))


def signed_by(*names, **changes):
    "A charter signed by some people."
    charter = made(**changes)
    for name in names:
        charter = sign(charter, name, "role", "2019-05-06")
    return charter


# answers


@pytest.mark.parametrize(
    "text",
    ["", "   ", "?", "¿?", "…", "-", "TBD", "tbd.", "T B D"[::2].lower(), "Por definir", "POR DEFINIR con Petra", "n/a"]
    + ["N.A.", "No sé", "lo que se pueda", "Mejorar lo que se pueda", "ya veremos", "pendiente", "to be defined", "xxx"]
    + ["TBD: ask Petra", "Depende.", "___"],
)
def test_what_is_no_answer(text):
    assert not is_answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "4:00",
        "sí",
        "no",
        "0,15",
        "Jonas",
        "¿Cuánto hornear mañana?",
        "todo el pan",
        "la merma queda pendiente de Petra",
    ]
    + ["сколько", "面包", "depende de Petra", "server tbd7"],
)
def test_what_is_an_answer(text):
    assert is_answer(text)


def test_every_question_can_be_unanswered():
    charter = made(
        question="TBD",
        users=["por definir"],
        decision={"who": "?", "what": "", "when": "TBD"},
        why_ml=[],
        drop_if="",
        out_of_scope=[],
        metrics=[SAVING | {"today": None, "target": None, "measured": "?"}],
        risks=[{"what": "distrust", "owner": "", "mitigation": "ya veremos"}],
        assumptions=[],
    )
    table = unanswered(charter)
    assert list(table["field"]) == [
        "question",
        "users",
        "decision.who",
        "decision.what",
        "decision.when",
        "why_ml",
        "drop_if",
        "out_of_scope",
        "metrics «saving».today",
        "metrics «saving».target",
        "metrics «saving».measured",
        "risks «distrust».owner",
        "risks «distrust».mitigation",
        "assumptions",
    ]
    assert (table["ask"].str.startswith("¿")).all() and list(table["answer"][:2]) == ["TBD", "por definir"]


def test_questions_to_ask_follow_the_language(monkeypatch):
    charter = made(drop_if="?")
    monkeypatch.setenv("MLWORKBOOK_LANG", "en")
    assert list(unanswered(charter)["ask"]) == ["Which result would stop us?"]


def test_a_full_charter_has_no_open_question():
    table = unanswered(made())
    assert table.empty and list(table) == ["field", "answer", "ask"]


def test_one_open_item_of_a_list_is_enough():
    assert list(unanswered(made(users=["Jonas", "TBD"]))["answer"]) == ["TBD"]


# what is refused


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"users": []}, r"users is \[\], expected at least 1; what nobody knows yet"),
        ({"users": "Jonas"}, "users is 'Jonas', expected a list; what nobody knows yet"),
        ({"users": [3]}, r"users\[0\] is 3, expected text"),
        ({"users": ["Jonas", "jonas "]}, "users names 'jonas' twice"),
        ({"metrics": []}, r"metrics is \[\], expected at least 1"),
        ({"metrics": [SAVING | {"name": f"m{i}"} for i in range(4)]}, r"metrics is .*, expected at most 3"),
        ({"metrics": [SAVING, SAVING]}, "metrics names 'saving' twice"),
        (
            {"metrics": [SAVING | {"target": -0.1}]},
            r"metrics\[0\]: target is -0.1, expected a number >= 0",
        ),
        ({"metrics": [SAVING | {"today": -1}]}, r"metrics\[0\]: today is -1, expected a number >= 0"),
        ({"metrics": [SAVING | {"target": float("nan")}]}, r"metrics\[0\]: target is nan, expected a finite number"),
        ({"metrics": [SAVING | {"target": float("inf")}]}, "target is inf, expected a finite number"),
        ({"metrics": [SAVING | {"target": True}]}, "target is True, expected a valid number"),
        ({"metrics": [SAVING | {"target": "0,15"}]}, "target is '0,15', expected a valid number"),
        ({"metrics": [SAVING | {"target": 0.0}]}, "target of saving is 0, expected higher than today's 0"),
        ({"metrics": [SAVING | {"target": 15.0}]}, "saving is 0.0 today and 15.0 as target, expected ratios up to 1"),
        ({"metrics": [COST | {"target": 19.14}]}, "target of cost is 19.14, expected lower than today's 19.14"),
        ({"metrics": [COST | {"target": 20.0}]}, "expected lower than today's 19.14; agree on a target"),
        ({"metrics": [COST | {"unit": "€ al día"}]}, "unit: '€ al día' came, expected a currency"),
        ({"metrics": [COST | {"unit": "céntimos"}]}, "expected a currency .EUR"),
        ({"metrics": [SAVING | {"unit": "%"}]}, "unit: '%' came, expected a currency .* or a ratio"),
        ({"metrics": [SAVING | {"unit": "por ciento"}]}, "or a ratio .razón: 0.15"),
        ({"metrics": [SAVING | {"better": "up"}]}, "better is 'up', expected 'lower' or 'higher'"),
        ({"metrics": [SAVING | {"name": " "}]}, "name: '' came, expected a name"),
        (
            {"metrics": [SAVING | {"goal": 1}]},
            r"metrics\[0\]: goal is no known field, expected some of better, measured, name",
        ),
        ({"risks": [{"what": "?", "owner": "", "mitigation": ""}]}, r"risks\[0\]: what: '\?' came, expected a name"),
        ({"title": "TBD"}, "title: 'TBD' came, expected a name"),
        ({"version": 0}, "version is 0, expected a number >= 1"),
        ({"version": "2"}, "version is '2', expected a valid integer"),
        ({"budget": 3}, "budget is no known field, expected some of assumptions, decision"),
        ({"on": "6 de mayo"}, "on: '6 de mayo' came, expected a day of the calendar"),
        ({"on": "2019-5-6"}, "expected a day of the calendar"),
        ({"on": "2019-02-30"}, "on: '2019-02-30' came, expected a day of the calendar"),
        ({"on": 20190503}, "on: 20190503 came, expected a day of the calendar"),
        ({"on": datetime(2019, 5, 3)}, "expected a day of the calendar"),
        ({"question": None}, "question is None, expected text; .*; what nobody knows yet"),
        ({"decision": "Jonas"}, "decision is 'Jonas', expected "),
        ({"question": 1, "drop_if": 2}, r"question is 1, expected text; .* \(and 1 more\)"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(ValueError, match=message) as error:
        made(**changes)
    assert "\n" not in str(error.value) and "pydantic" not in str(error.value) and not str(error.value).endswith(".")


@pytest.mark.parametrize("field", [name for name in fields()])
def test_no_line_may_be_left_out(field):
    left = fields()
    del left[field]
    with pytest.raises(ValueError, match=f"^{field} is missing; .* 'por definir' for a text"):
        Charter(**left)


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(ValueError) as error:
        made(question=["x"] * 200)
    assert len(str(error.value)) < 240


def test_days_and_words_are_read_in_one_way():
    assert made(on=date(2019, 5, 3)) == made() and made(title="  Forecast ") == made()


def test_a_metric_may_have_no_numbers_yet_and_up_to_three_fit():
    open_metric = COST | {"name": "other", "today": None}
    assert len(made(metrics=[SAVING, COST, open_metric]).metrics) == 3


def test_units_that_only_look_like_money_pass():
    for unit in ["panes por tienda", "pretzels decentes", "EUR por tienda y día", "recentado"]:
        assert Metric(**COST | {"unit": unit}).unit == unit


# what cannot be changed


@pytest.mark.parametrize("record", [made(), made().metrics[0], made().decision, signed_by("Carmen Ruiz").signatures[0]])
def test_records_cannot_be_changed(record):
    field = next(iter(type(record).model_fields))
    for change in (
        lambda: setattr(record, field, "x"),
        lambda: delattr(record, field),
        lambda: setattr(record, "y", 1),
    ):
        with pytest.raises((ValueError, AttributeError)):
            change()
    hash(record)


# signatures


def test_a_charter_with_open_questions_is_not_signed():
    with pytest.raises(
        ValueError, match="2 questions are unanswered, expected none before Carmen Ruiz signs; first: drop"
    ):
        sign(made(drop_if="?", metrics=[SAVING | {"measured": ""}]), "Carmen Ruiz", "owner", "2019-05-06")


@pytest.mark.parametrize(
    "name, role, on, message",
    [
        ("", "owner", "2019-05-06", "name: '' came, expected a name"),
        ("Carmen Ruiz", "?", "2019-05-06", "role: '\\?' came, expected a name"),
        ("Carmen Ruiz", "owner", "06/05/2019", "on: '06/05/2019' came, expected a day"),
        (
            "Carmen Ruiz",
            "owner",
            "2019-05-02",
            "Carmen Ruiz signed on 2019-05-02, expected 2019-05-03, the charter's, or later",
        ),
        (None, "owner", "2019-05-06", "name is None, expected"),
    ],
)
def test_what_is_no_signature(name, role, on, message):
    with pytest.raises(ValueError, match=message):
        sign(made(), name, role, on)


def test_signing_leaves_the_charter_as_it_was_and_keeps_the_content():
    charter = made()
    signed = sign(charter, "Carmen Ruiz", "owner", date(2019, 5, 3))
    assert charter.signatures == () and signed.model_copy(update={"signatures": ()}) == charter
    assert len(signed.signatures[0].digest) == 64 and seals(signed)["valid"].all()


def test_signing_twice_replaces():
    signed = signed_by("Carmen Ruiz", "Jonas Weber")
    again = sign(signed, "carmen ruiz ", "owner", "2019-05-08")
    assert [(one.name, one.on.isoformat()) for one in again.signatures] == [
        ("Jonas Weber", "2019-05-06"),
        ("carmen ruiz", "2019-05-08"),
    ]


CHANGES = {
    "title": "Other",
    "version": 7,
    "on": date(2019, 5, 4),
    "question": "How many units the day after?",
    "users": ("Jonas Weber",),
    "decision": made().decision.model_copy(update={"when": "5:00"}),
    "why_ml": ("fashion",),
    "drop_if": "never",
    "out_of_scope": (),
    "metrics": (Metric(**SAVING | {"target": 0.1}),),
    "risks": (),
    "assumptions": ("none",),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_field_breaks_the_signatures_and_is_named(field, tmp_path):
    assert set(CHANGES) == set(Charter.model_fields) - {"signatures"}
    changed = signed_by("Carmen Ruiz", "Jonas Weber").model_copy(update={field: CHANGES[field]})
    table = seals(changed)
    assert list(table["changed"]) == [field, field] and not table["valid"].any()
    with pytest.raises(
        ValueError, match=f"2 of 2 .* first: Carmen Ruiz .2019-05-06., changed since: {field}; .* sign again"
    ):
        save_charter(changed, tmp_path / "charter.json")


def test_only_who_signed_before_the_change_signs_again():
    changed = signed_by("Carmen Ruiz", "Jonas Weber").model_copy(update={"drop_if": "never"})
    half = sign(changed, "Jonas Weber", "baker", "2019-05-07")
    assert dict(zip(seals(half)["name"], seals(half)["valid"], strict=True)) == {
        "Carmen Ruiz": False,
        "Jonas Weber": True,
    }


@pytest.mark.parametrize("part", [{"digest": "0" * 64}, {"parts": ()}, {"parts": (("question", "0"),)}])
def test_a_signature_that_was_edited_does_not_hold(part, tmp_path):
    signed = signed_by("Carmen Ruiz")
    edited = signed.model_copy(update={"signatures": (signed.signatures[0].model_copy(update=part),)})
    with pytest.raises(ValueError, match="Carmen Ruiz .* changed since: [a-z]"):
        save_charter(edited, tmp_path / "charter.json")


def test_a_digest_depends_on_content_and_not_on_form():
    one, two, other = (
        signed_by("Ana", question=text).signatures[0] for text in ("¿Qué é?", "¿Que\u0301 e\u0301?", "¿Qué e?")
    )
    assert one.digest == two.digest != other.digest and one.parts == two.parts
    ints = signed_by("Ana", metrics=[SAVING | {"today": 0}])
    assert ints.signatures == signed_by("Ana").signatures


def test_seals_of_an_unsigned_charter():
    assert seals(made()).empty and seals(made())["valid"].dtype == bool


# versions


def test_a_new_version_may_come_on_the_same_day():
    assert revise(made(), "2019-05-03", drop_if="never").version == 2


def test_a_new_version_drops_signatures():
    signed = signed_by("Carmen Ruiz")
    new = revise(signed, "2019-05-07", metrics=[SAVING, COST])
    assert (new.version, new.on, new.signatures) == (2, date(2019, 5, 7), ()) and len(signed.signatures) == 1
    assert new.metrics[1] == Metric(**COST)


@pytest.mark.parametrize(
    "on, changes, message",
    [
        ("2019-05-02", {"drop_if": "never"}, "new version is of 2019-05-02, expected 2019-05-03 or later"),
        ("2019-05-07", {}, "nothing changes"),
        ("2019-05-07", {"drop_if": "below 0.05 after three months"}, "nothing changes"),
        ("2019-05-07", {"goal": "x"}, "goal is no known field"),
        ("2019-05-07", {"version": 5}, "version came as a change"),
        ("2019-05-07", {"signatures": ()}, "signatures came as a change"),
        ("2019-05-07", {"metrics": []}, "metrics is .., expected at least 1"),
        ("mayo", {"drop_if": "never"}, "on: 'mayo' came"),
    ],
)
def test_what_is_no_new_version(on, changes, message):
    with pytest.raises(ValueError, match=message):
        revise(made(), on, **changes)


SAID = "saving (razón): hoy 0, meta ≥"


def rows(old, new):
    "Rows of a comparison."
    return [tuple(row) for row in compare(old, new).itertuples(index=False)]


def test_equal_charters_show_no_changes():
    assert rows(made(), made()) == [] and list(compare(made(), made())) == ["field", "before", "after"]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"drop_if": "never"}, [("drop_if", "below 0.05 after three months", "never")]),
        ({"users": ["Jonas Weber", "Aylin"]}, [("users", "Jonas Weber · Carmen Ruiz", "Jonas Weber · Aylin")]),
        (
            {"users": ["Carmen Ruiz", "Jonas Weber"]},
            [("users", "Jonas Weber · Carmen Ruiz", "Carmen Ruiz · Jonas Weber")],
        ),
        ({"out_of_scope": []}, [("out_of_scope", "prices", "")]),
        (
            {"decision": {"who": "Jonas Weber", "what": "units to bake", "when": "5:00"}},
            [("decision", "Jonas Weber · units to bake · 4:00", "Jonas Weber · units to bake · 5:00")],
        ),
        (
            {"metrics": [SAVING | {"target": 0.1}]},
            [("metrics «saving»", f"{SAID} 0,15; same days", f"{SAID} 0,1; same days")],
        ),
        (
            {"metrics": [SAVING, COST | {"target": None}]},
            [("metrics «cost»", "", "cost (EUR per store and day): hoy 19,14, meta ≤ ?; last year")],
        ),
        (
            {"risks": [{"what": "distrust", "owner": "Carmen Ruiz", "mitigation": "he may correct"}]},
            [
                (
                    "risks «distrust»",
                    "distrust · Jonas Weber · he may correct",
                    "distrust · Carmen Ruiz · he may correct",
                )
            ],
        ),
    ],
)
def test_changes_between_versions(changes, expected):
    assert rows(made(), made(**changes)) == expected


def test_signatures_are_compared_too():
    before, after = signed_by("Carmen Ruiz"), signed_by("Carmen Ruiz", "Jonas Weber")
    ((field, gone, come),) = rows(before, after)
    assert (field, gone, come) == ("signatures «Jonas Weber»", "", "Jonas Weber · role · 2019-05-06")
    later = sign(before, "Carmen Ruiz", "role", "2019-05-09")
    assert [row[0] for row in rows(before, later)] == ["signatures «Carmen Ruiz»"]


# files

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(is_answer)


@calm
@given(words, st.lists(words, min_size=1, max_size=4, unique_by=lambda word: word.strip().casefold()), words)
def test_what_is_saved_comes_back(tmp_path_factory, question, users, drop_if):
    path = tmp_path_factory.mktemp("saved") / "charter.json"
    charter = signed_by("Carmen Ruiz", "Jonas Weber", question=question, users=users, drop_if=drop_if, metrics=[COST])
    assert save_charter(charter, path) == path and load_charter(path) == charter
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_json_that_a_person_can_read(tmp_path):
    path = save_charter(signed_by("Carmen Ruiz", question="¿Cuánto mañana?"), tmp_path / "new" / "charter.json")
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["format"] == 1 and "¿Cuánto mañana?" in text and text.endswith("}\n")
    assert text.count("\n") > 30
    first = path.read_bytes()
    assert save_charter(load_charter(path), path).read_bytes() == first


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda text: text[:100], r"charter.json: damaged.*line 7 column 2"),
        (
            lambda text: text.replace(",\n", "\n", 1),
            "damaged.*Expecting ',' delimiter: line 3 column 3 .*bring it back",
        ),
        (lambda text: "", "damaged.*line 1 column 1"),
        (lambda text: "[]", "or no charter"),
        (lambda text: '{"format": "1", "charter": {}}', "or no charter"),
        (lambda text: '{"format": 1}', "or no charter"),
        (
            lambda text: text.replace('"format": 1', '"format": 2'),
            "charter.json: format 2 came, .* reads up to 1; upgrade mlworkbook",
        ),
        (lambda text: text.replace('"question"', '"cuestion"'), "charter.json: question is missing"),
        (
            lambda text: text.replace('"drop_if":', '"budget": 3, "drop_if":'),
            "charter.json: budget is no known field, expected",
        ),
        (lambda text: text.replace("0.15", "NaN"), "target is nan, expected a finite number"),
        (
            lambda text: text.replace("0.15", "0.10"),
            "1 of 1 signatures no longer match; first: Carmen Ruiz .*: metrics; ",
        ),
        (lambda text: text.replace("2019-05-06", "2019-05-01"), "signed on 2019-05-01, expected 2019-05-03"),
        (lambda text: "[" * 100_000, "charter.json: damaged.*RecursionError"),
    ],
)
def test_files_that_are_not_a_charter(tmp_path, damage, message):
    path = save_charter(signed_by("Carmen Ruiz"), tmp_path / "charter.json")
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        load_charter(path)
    assert str(tmp_path) not in str(error.value)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "charter.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="charter.json: damaged"):
        load_charter(tmp_path / "charter.json")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.json is not there, expected a charter"):
        load_charter(tmp_path / "none.json")


def test_a_changed_charter_can_still_be_looked_at_and_revised(tmp_path):
    path = save_charter(signed_by("Carmen Ruiz"), tmp_path / "charter.json")
    path.write_text(path.read_text(encoding="utf-8").replace("0.15", "0.1"), encoding="utf-8")
    changed = load_charter(path, check=False)
    new = sign(revise(changed, "2019-05-08", drop_if="never"), "Carmen Ruiz", "owner", "2019-05-08")
    save_charter(new, path)
    assert load_charter(path) == new


# a signed file is not changed silently


def test_a_draft_may_be_saved_over(tmp_path):
    path = save_charter(made(), tmp_path / "charter.json")
    save_charter(made(drop_if="never"), path)
    assert load_charter(path).drop_if == "never"


def test_more_signatures_and_newer_versions_may_be_saved_over(tmp_path):
    path = save_charter(signed_by("Carmen Ruiz"), tmp_path / "charter.json")
    both = signed_by("Carmen Ruiz", "Jonas Weber")
    save_charter(both, path)
    save_charter(revise(both, "2019-05-07", drop_if="never"), path)
    assert load_charter(path).version == 2


@pytest.mark.parametrize(
    "other",
    [
        made(),
        signed_by("Jonas Weber"),
        signed_by("Carmen Ruiz", drop_if="never"),
        signed_by("Carmen Ruiz", "Jonas Weber", version=1, users=["Petra Vogel"]),
    ],
)
def test_a_signed_version_is_not_replaced(tmp_path, other):
    path = save_charter(signed_by("Carmen Ruiz"), tmp_path / "charter.json")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="holds version 1 signed by Carmen Ruiz; make the next"):
        save_charter(other, path)
    assert path.read_bytes() == before


def test_an_older_version_does_not_replace_a_signed_newer_one(tmp_path):
    new = sign(revise(made(), "2019-05-07", drop_if="never"), "Carmen Ruiz", "owner", "2019-05-07")
    path = save_charter(new, tmp_path / "charter.json")
    with pytest.raises(ValueError, match="holds version 2 signed by Carmen Ruiz; make the next"):
        save_charter(signed_by("Carmen Ruiz"), path)


def test_what_was_signed_may_be_restored_over_an_edited_file(tmp_path):
    signed = signed_by("Carmen Ruiz")
    path = save_charter(signed, tmp_path / "charter.json")
    path.write_text(path.read_text(encoding="utf-8").replace("0.15", "0.1"), encoding="utf-8")
    save_charter(signed, path)
    assert load_charter(path) == signed


def test_broken_signatures_are_not_saved(tmp_path):
    broken = signed_by("Carmen Ruiz").model_copy(update={"drop_if": "never"})
    with pytest.raises(ValueError, match="no longer match"):
        save_charter(broken, tmp_path / "charter.json")
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError):
        save_charter(made(), tmp_path / "file" / "charter.json")


# pages

EVIL = '<script>alert("x")</script><img src="http://example.invalid/x.png" onerror=alert(1)> & "\''


class Tags(HTMLParser):
    "Tags of a page, its text, and whether they close in order."

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("place", ["title", "question", "users", "risks", "metrics", "signatures"])
def test_what_people_write_is_text_on_the_page(tmp_path, place):
    value = {
        "title": EVIL,
        "question": EVIL,
        "users": [EVIL],
        "risks": [{"what": EVIL, "owner": EVIL, "mitigation": EVIL}],
        "metrics": [COST | {"name": EVIL, "measured": EVIL}],
    }
    charter = made(**{place: value[place]}) if place in value else sign(made(), EVIL, EVIL, "2019-05-06")
    pages = [charter._repr_html_(), write_page(charter, tmp_path / "charter.html").read_text(encoding="utf-8")]
    for page in pages:
        tags = Tags(page)
        assert not tags.open and not {"script", "img", "link", "iframe"} & set(tags.seen)
        assert not [name for name in tags.attributes if name.startswith("on") or name in ("src", "href")]
        assert EVIL.replace("\n", "") in tags.text


def test_broken_signatures_show_on_the_page():
    charter = signed_by(EVIL).model_copy(update={"drop_if": "never"})
    page = charter._repr_html_()
    assert "firmó otra cosa; cambió: drop_if" in page and "<script" not in page
    assert "firmó otra cosa" not in signed_by("Carmen Ruiz")._repr_html_()


def test_unanswered_lines_show_on_the_page():
    page = made(drop_if="", metrics=[COST | {"today": None}])._repr_html_()
    assert page.count("⚠") == 2 and "⚠" not in made()._repr_html_()


def test_the_page_stands_alone(tmp_path, monkeypatch):
    page = write_page(signed_by("Carmen Ruiz"), tmp_path / "new" / "charter.html").read_text(encoding="utf-8")
    assert page.startswith('<!doctype html>\n<html lang="es">') and 'name="viewport"' in page
    assert not re.search(r"https?:|url\(|@import", page)
    for said in [
        "Jonas Weber",
        "How many units",
        "4:00",
        "prices",
        "distrust",
        "sales are close",
        "Carmen Ruiz · role",
    ]:
        assert said in page
    monkeypatch.setenv("MLWORKBOOK_LANG", "en")
    english = write_page(made(), tmp_path / "charter.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in english and "Dropped if" in english and "Se deja si" not in english
