"The one reader of YAML: plain values, the line of everything, and what it refuses."

import pytest

from mlworkbook.ops.errors import DataError
from mlworkbook.ops.yamls import load

TEXT = """\
# stories
name: panadería
days: [2024-03-01, 4:00]
on: no
python: 3.10
flags: {a: true, b: ~, c: -1_000, d: 1e3, e: 'true'}
stories:
  - id: P-01
    note: |
      two
      lines
  - &x id: P-02
"""


def test_values_are_plain_and_follow_the_newer_standard(tmp_path):
    (tmp_path / "stories.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    for found in (load(TEXT), load(tmp_path / "stories.yaml")):
        assert found.data == {
            "name": "panadería",
            "days": ["2024-03-01", "4:00"],
            "on": "no",
            "python": 3.1,
            "flags": {"a": True, "b": None, "c": -1000, "d": 1000.0, "e": "true"},
            "stories": [{"id": "P-01", "note": "two\nlines\n"}, {"id": "P-02"}],
        }
        assert {type(value) for value in found.data["flags"].values()} == {bool, type(None), int, float, str}


def test_every_place_knows_its_line_and_what_stands_there():
    found = load(TEXT, name="stories.yaml")
    places = ((), ("days", 1), ("stories", 0, "note"), ("stories", 1, "id"))
    assert [found.line(*place) for place in places] == [2, 3, 9, 12]
    assert found.line("stories", 1, "role") == 12 and found.line("stories", 7) == 7 and found.line("none") == 2
    assert found.at("stories", 0) == "stories.yaml, line 8" and found.written[("python",)] == "3.10"


@pytest.mark.parametrize("text", ["", "# nothing\n", "~", "---"])
def test_an_empty_file_is_none(text):
    assert load(text).data is None and load(text).at("version") == "text, line 1"


@pytest.mark.parametrize(
    "text, said",
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: key 'a' was given before"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: key 'b' was given before"),
        ("a: &x [1]\nb: *x\n", "line 2: [*]x is an alias"),
        ("b: 1\n? [a]\n: 1\n", "line 2: a list or more keys came as a key"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []\n", "line 2: the tag python/object/apply:os.getcwd is not read"),
        ("a: !!set {x}\n", "line 1: the tag set is not read"),
        ("a: !Ref b\n", "line 1: the tag !Ref is not read"),
        ("a: !!int ''\n", "line 1: '' cannot be read as int"),
        ("a: !!bool foo\n", "line 1: 'foo' cannot be read as bool"),
        ("a: !!float x\n", "line 1: 'x' cannot be read as float"),
        ("a: 1\n b: 2\n", "line 2: not YAML: .*; check indentation"),
        ("a: 1\n\tb: 2\n", "line 2: not YAML: .*; check indentation"),
        ("a: 1\nb: {c", "line 2: not YAML: .*; check indentation"),
        ("a: 1\n---\nb: 2\n", "line 2: not YAML: .*document"),
        ("a: 1\nb: \x00", "line 2: not YAML: a character that it does not allow"),
        ("a: " + "[" * 30_000, "line 1: lists nested too deep, expected 20 at most"),
        ("a: x\n" * 300_000, "has 1500000 characters, expected 1000000 at most"),
    ],
)
def test_what_is_refused_has_its_line(text, said):
    with pytest.raises(DataError, match=f"^text,? {said}"):
        load(text)


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(DataError, match="line 2: .a0 is an alias"):
        load("\n".join(lines))


def test_tags_can_be_read_as_if_they_were_not_there():
    found = load("a: !Sub x\nb: !GetAtt [y, {z: !If 1}]\nc: 2\n", tags=True)
    assert found.data == {"a": "x", "b": ["y", {"z": "1"}], "c": 2}
    with pytest.raises(DataError, match="key 'a' was given before"):
        load("a: !Sub x\na: 1\n", tags=True)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.yaml is not there"):
        load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: caf\xe9\n")
    with pytest.raises(DataError, match="latin.yaml is not UTF-8 text .byte 6.; save it as UTF-8"):
        load(tmp_path / "latin.yaml")
    (tmp_path / "twice.yaml").write_text("a: 1\na: 1\n")
    with pytest.raises(DataError, match="^twice.yaml, line 2: key"):
        load(tmp_path / "twice.yaml")
