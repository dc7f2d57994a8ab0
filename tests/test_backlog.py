"Stories: what is wrong and on which line, what trackers get, and which test proves what."

import csv
import io
import json
from pathlib import Path

import pytest

from mlworkbook.project.backlog import (
    github_issues,
    invest,
    jira_csv,
    load_backlog,
    missing_tests,
    traceability,
)

ROOT = Path(__file__).parent.parent
GOOD = """\
version: 1
project: demo
epics:
  - {id: E1, title: The night}
stories:
  - id: S-1
    epic: E1
    role: baker
    want: the number at four
    benefit: bake without guessing
    priority: must
    points: 5
    criteria:
      - given: sales of yesterday
        when: it is four
        then: there is a file
        tests: [tests/test_value.py::test_cost_is_linear_in_prices]
  - id: S-2
    epic: E1
    role: owner
    want: the money
    benefit: pay only what saves
    priority: could
    points: 3
    criteria:
      - {given: a month, when: it ends, then: there is a report}
"""


def load(tmp_path, text, name="stories.yaml"):
    "A backlog from text or bytes."
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_backlog(path)


@pytest.fixture
def backlog(tmp_path):
    return load(tmp_path, GOOD)


def test_a_good_file_is_read_whole(backlog):
    assert [story.id for story in backlog.stories] == ["S-1", "S-2"] and backlog.epics[0].title == "The night"
    assert backlog.stories[0].criteria[0].tests == ("tests/test_value.py::test_cost_is_linear_in_prices",)
    with pytest.raises(ValueError, match="frozen"):
        backlog.stories[0].points = 1


def test_a_mark_at_the_start_of_the_file_is_no_error(tmp_path, backlog):
    assert load(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()) == backlog


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("id: S-2", "id: S-1", "line 18: id 'S-1' was used before; ids are unique"),
        ("{id: E1, title: The night}", "{id: E1, title: a}\n  - {id: E1, title: b}", "line 5: id 'E1' was used before"),
        ("    epic: E1\n    role: owner", "    epic: E9\n    role: owner", "line 19: epic is 'E9', expected one of E1"),
        ("priority: could", "priority: urgent", "line 23: stories.1..priority is 'urgent', expected 'must', 'should'"),
        ("points: 3", "points: 4", "line 24: stories.1..points is 4, expected 1, 2, 3, 5, 8 or 13"),
        ("points: 3", "points: 3.0", "line 24: stories.1..points: 3.0 came, expected a whole number"),
        ("points: 3", "points: true", "line 24: stories.1..points: True came, expected a whole number"),
        ("points: 3", "points: !!int ''", "line 24: '' cannot be read as int; put it between"),
        ("points: 3", "points: !!bool foo", "line 24: 'foo' cannot be read as bool; put it between"),
        ("points: 3", "points: !!timestamp foo", "line 24: stories.1..points is 'foo', expected 1, 2"),
        ("version: 1", "version: true", "line 1: version: True came, expected a whole number"),
        ("want: the money", 'want: "a\\0b"', "line 21: stories.1..want: .* came, expected text without control"),
        ("want: the money", 'want: "\\ud800"', "line 21: stories.1..want: .* came, expected text without control"),
        ("id: S-2", "id: E1", "line 18: id 'E1' was used before; ids are unique"),
        ("id: S-2", f"id: {'x' * 20}", "line 18: stories.1..id: 'x+' came, expected up to 19 letters"),
        ("    role: owner", "    role: owner\n    ? [a, b]\n    : 1", "line 21: a list or more keys came as a key"),
        ("  - {id: E1, title: The night}", "  hello", "line 3: epics is 'hello', expected a list"),
        ("  - {id: E1, title: The night}", "  - hello", "line 4: epics.0. is 'hello', expected fields with their"),
        ("points: 3", "points: '3'", "line 24: stories.1..points is '3', expected 1, 2, 3, 5, 8 or 13"),
        ("benefit: pay only what saves", "benefit: ' '", "line 22: stories.1..benefit is '', expected some text"),
        ("benefit: pay only what saves", "benefit:", "line 22: stories.1..benefit is None, expected text"),
        ("benefit: pay only what saves", "benefit: 0.5", "line 22: stories.1..benefit is 0.5, expected text"),
        ("    role: owner\n", "", "line 18: stories.1..role is missing; write it"),
        ("    role: owner", "    roll: owner", "line 20: stories.1..roll is no known field, .*; did you mean 'role'?"),
        ("    role: owner", "    role: owner\n    zzz: 1", "line 21: stories.1..zzz is no known field, .*take it out"),
        ("    role: owner", "    role: owner\n    role: baker", "line 21: key 'role' was given before; keep one"),
        ("id: S-2", "id: S 2", "line 18: stories.1..id: 'S 2' came, expected up to 19 letters, digits, - and _"),
        ("id: S-2", "id: 2", "line 18: stories.1..id is 2, expected text; put it between quotation marks"),
        ("project: demo\n", "", "line 1: project is missing; write it"),
        (
            "      - {given: a month, when: it ends, then: there is a report}",
            "      []",
            "line 25: stories.1..criteria is .., expected at least 1",
        ),
        (
            "    criteria:\n      - {given: a month, when: it ends, then: there is a report}\n",
            "",
            "line 18: stories.1..criteria is missing; write it",
        ),
        ("when: it ends, ", "", "line 26: stories.1..criteria.0..when is missing; write it"),
        ("    role: owner", "\trole: owner", "line 20: not YAML: .*; check indentation"),
        ("    role: owner", "   role: owner", "line 20: not YAML: .*; check indentation"),
        ("title: The night}", "title: The night", "not YAML: .*; check indentation"),
        ("role: baker", "role: &who baker\n    more: *who", "line 9: .who is an alias; write the value out"),
        (
            "role: owner",
            "role: !!python/object/apply:os.getcwd []",
            "line 20: the tag python/object.* is not read here",
        ),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(ValueError, match=f"stories.yaml, {said}" if said.startswith("line") else said):
        load(tmp_path, GOOD.replace(old, new))


def test_everything_wrong_is_told_at_once_in_order(tmp_path):
    wrong = GOOD.replace("points: 5", "points: 6").replace("id: S-2", "id: S-1").replace("project: demo", "projekt: x")
    with pytest.raises(ValueError) as told:
        load(tmp_path, wrong)
    lines = [int(line.split("line ")[1].split(":")[0]) for line in str(told.value).splitlines()]
    assert lines == [1, 2, 12, 18]


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "line 1: nothing came, expected version, project"),
        ("# only a comment\n", "line 1: nothing came"),
        ("- a\n", "line 1: .'a'. came, expected version, project, epics and stories"),
        ("stories", "line 1: stories came, expected version, project"),
        ("version: 2\nwhatever: 1\n", "line 1: version 2 was written by a newer mlworkbook.*upgrade mlworkbook"),
        (b"version: 1\nproject: caf\xe9\n", "is not UTF-8 text .byte 23.; save it as UTF-8"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        ("a: \x00", "not YAML"),
        ("a: " + "[" * 30000, "line 1: lists nested too deep"),
        ("version: 1\nstories: " + "x" * 5000, "line 2: stories is 'x{56}[.]{3}, expected a list"),
    ],
)
def test_what_is_no_backlog_is_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        load(tmp_path, text)


def test_a_bomb_of_aliases_is_refused_before_it_grows(tmp_path):
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(ValueError, match="line 2: .a0 is an alias"):
        load(tmp_path, "\n".join(lines))


def test_a_text_of_several_lines_becomes_one(tmp_path):
    backlog = load(tmp_path, GOOD.replace("want: the money", f"want: |\n      the\n      {'m' * 300}"))
    want = backlog.stories[1].want
    assert want == f"the {'m' * 300}"
    *_, row = csv.DictReader(io.StringIO(jira_csv(backlog), newline=""))
    assert row["Summary"] == want[:255] and want in row["Description"]
    assert len(github_issues(backlog)[1]["title"]) == 255 and want in github_issues(backlog)[1]["body"]
    assert all(len(name) <= 50 for one in github_issues(backlog) for name in one["labels"])


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(FileNotFoundError, match="is not there, expected a YAML file"):
            load_backlog(path)


@pytest.mark.parametrize(
    "old, new, letter",
    [
        ("want: the money", "want: what S-1 leaves", "I"),
        ("want: the money", "want: una tabla en Spark", "N"),
        ("benefit: pay only what saves", "benefit: have it", "V"),
        ("points: 3", "points: 13", "E"),
        ("points: 3", "points: 13", "S"),
        ("then: there is a report", "then: es muy rápido", "T"),
    ],
)
def test_invest_finds_each_symptom(tmp_path, backlog, old, new, letter):
    assert invest(backlog).empty
    found = invest(load(tmp_path, GOOD.replace(old, new)))
    assert set(found["story"]) == {"S-2"} and letter in set(found["letter"]) and found["reason"].str.len().min() > 5


def test_csv_survives_quotes_and_lines(tmp_path):
    text = GOOD.replace("want: the money", 'want: "a, \\"b\\"; c\\nd"')
    header, *rows = csv.reader(io.StringIO(jira_csv(load(tmp_path, text)), newline=""))
    assert header.count("Labels") == 2 and {len(row) for row in rows} == {len(header)}
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["Work type"] for row in table] == ["Epic", "Story", "Story"]
    assert table[2]["Summary"] == 'a, "b"; c d' and {row["Parent"] for row in table[1:]} == {table[0]["Work item ID"]}
    assert "\n* Dado a month" in table[2]["Description"]


def test_github_gets_a_box_for_each_criterion(backlog):
    issues = github_issues(backlog)
    assert [issue["title"] for issue in issues] == ["S-1 · the number at four", "S-2 · the money"]
    assert issues[0]["body"].count("- [ ] ") == 1 and issues[0]["labels"] == ["mlworkbook-demo-S-1", "E1", "must"]
    assert json.loads(json.dumps(issues)) == issues


def test_traceability_has_a_row_for_each_pair(backlog):
    table = traceability(backlog)
    assert table.values.tolist() == [
        ["S-1", 1, "tests/test_value.py::test_cost_is_linear_in_prices"],
        ["S-2", 1, ""],
    ]


@pytest.mark.parametrize(
    "test, said",
    [
        ("tests/test_x.py::test_there", None),
        ("tests/test_x.py::TestGroup::test_inside", None),
        ("nbs/there.ipynb", None),
        ("tests/test_x.py", "is no test"),
        ("tests/test_x.py::test_gone", "tests/test_x.py::test_gone is no test"),
        ("tests/test_x.py::test_inside", "is no test"),
        ("tests/test_x.py::TestGroup::test_there", "is no test"),
        ("tests/test_x.py::TestGroup", "is no test"),
        ("tests/test_x.py::helper", "is no test"),
        ("tests/test_x.py::Group::test_inside", "is no test"),
        ("tests/test_x.py::test_later", None),
        ("tests/test_x.py::test_number", "is no test"),
        ("tests/test_broken.py::test_there", "is no test"),
        ("tests/notes.txt", "is no test"),
        ("nbs/there.ipynb::test_there", "is no test"),
        ("tests/test_gone.py::test_there", "tests/test_gone.py does not exist"),
        ("nbs/gone.ipynb", "nbs/gone.ipynb does not exist"),
    ],
)
def test_a_test_that_nobody_wrote_is_found(tmp_path, test, said):
    (tmp_path / "tests").mkdir()
    code = "def helper(): ...\ndef test_there(): ...\nclass TestGroup:\n    def test_inside(self): ...\n"
    code += "class Group:\n    def test_inside(self): ...\nasync def test_later(): ...\nclass test_number: ...\n"
    (tmp_path / "tests/test_x.py").write_text(code)
    (tmp_path / "tests/test_broken.py").write_text("def test_there(:\n")
    (tmp_path / "tests/notes.txt").write_text("def test_there(): ...\n")
    (tmp_path / "nbs").mkdir()
    (tmp_path / "nbs/there.ipynb").write_text("{}")
    text = GOOD.replace("tests/test_value.py::test_cost_is_linear_in_prices", test)
    text = text.replace("then: there is a report}", f"then: there is a report, tests: ['{test}']}}")
    found = missing_tests(load(tmp_path, text), tmp_path)
    assert len(found) == (2 if said else 0) and all(said in one for one in found)
    assert not said or found[0].startswith("S-1, criterion 1: ")


def test_a_criterion_without_a_test_is_found(backlog):
    assert missing_tests(backlog, ROOT) == ["S-2, criterion 1: no test proves it"]


def test_the_workbooks_own_stories_are_proven():
    own = load_backlog(ROOT / "backlog.yaml")
    assert missing_tests(own, ROOT) == []
    assert {"alumna", "ingeniera", "profesor"} == {story.role for story in own.stories}
