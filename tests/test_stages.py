"Promises of `stages`: nothing recorded is lost, nothing is believed without looking, looking changes nothing."

import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing as closing_base
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from mlworkbook.ops.files import append, only_one
from mlworkbook.project import stages
from mlworkbook.project.stages import (
    JOURNAL,
    STAGES,
    Evidence,
    closed,
    deliverables,
    evidence,
    gate,
    gates,
    plot_progress,
    record,
)

DELIVERABLES = deliverables()

GOOD = {"format": 1, "stage": "discover", "deliverable": "kpi", "run_id": "a" * 32}


@pytest.fixture
def folder(tmp_path):
    "A project folder with one file in it."
    place = tmp_path / "project"
    place.mkdir()
    (place / "kpi.json").write_text('{"kpi_eur": 19.14}')
    return place


def state(folder, key="kpi", stage="discover", **options):
    "State and reason of one deliverable."
    row = gate(folder, stage, **options).set_index("deliverable").loc[key]
    return row["state"], row["why"]


def tree(folder):
    "Every file below a folder, with its bytes."
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# the table


def test_the_table_holds_the_deliverables_of_the_four_stages():
    assert STAGES == ("discover", "play", "develop", "deploy")
    assert {stage: [entry.key for entry in deliverables(stage)] for stage in STAGES} == {
        "discover": ["question", "why_ml", "kpi", "path", "sources"],
        "play": ["data", "prototype", "agreement", "feasibility", "return"],
        "develop": ["solution", "performance", "strategy", "tests", "pipeline"],
        "deploy": ["process", "infrastructure", "models", "end_to_end"],
    }
    assert all(entry.es != entry.en and entry.lessons for entry in DELIVERABLES)
    with pytest.raises(AttributeError):
        DELIVERABLES[0].key = "other"


def test_the_lessons_of_a_deliverable_belong_to_its_stage():
    tens = {"discover": "1", "play": "2", "develop": "34", "deploy": "56"}
    for entry in DELIVERABLES:
        assert all(lesson[0] in tens[entry.stage] and lesson[2] == "_" for lesson in entry.lessons), entry


def test_names_follow_the_language(monkeypatch):
    spanish = gates("nowhere")["name"].tolist()
    monkeypatch.setenv("MLWORKBOOK_LANG", "en")
    english = gates("nowhere")["name"].tolist()
    assert spanish[0] == "Pregunta de negocio clara" and english[0] == "Clear business question"
    assert not set(spanish) & set(english)


# recording


def test_a_file_is_recorded_with_its_fingerprint_and_signature(folder):
    written = record(
        folder,
        "discover",
        "kpi",
        file=folder / "kpi.json",
        signed_by="Carmen Ruiz",
        signed_on=date(2019, 5, 6),
        note="línea\nsegunda",
    )
    assert written.file == "kpi.json" and written.signed_on == "2019-05-06" and len(written.sha256) == 64
    assert evidence(folder) == [written]
    assert evidence(str(folder)) == [written]
    line = (folder / JOURNAL).read_text(encoding="utf-8")
    assert line.count("\n") == 1 and json.loads(line)["format"] == 1 and "línea" in line
    assert state(folder) == ("met", "signed by Carmen Ruiz on 2019-05-06: línea\nsegunda")


def test_the_latest_record_counts_and_the_older_ones_stay(folder):
    (folder / "b.json").write_text("b")
    for name in ("kpi.json", "b.json"):
        record(folder, "discover", "kpi", file=folder / name)
    (folder / "kpi.json").unlink()
    assert [entry.file for entry in evidence(folder)] == ["kpi.json", "b.json"]
    assert state(folder) == ("met", "not signed")
    (folder / "b.json").unlink()
    assert state(folder)[0] == "invalid"


def test_order_of_writing_counts_and_not_the_day_of_signing(folder):
    record(folder, "discover", "kpi", file=folder / "kpi.json", signed_by="Carmen Ruiz", signed_on="2019-05-08")
    record(folder, "discover", "kpi", file=folder / "kpi.json", signed_by="Carmen Ruiz", signed_on="2019-05-06")
    assert state(folder)[1] == "signed by Carmen Ruiz on 2019-05-06"


def test_relative_paths_start_in_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert record("project", "discover", "kpi", file="project/kpi.json").file == "kpi.json"
    monkeypatch.chdir(folder)
    assert record(".", "discover", "kpi", file="kpi.json").file == "kpi.json"
    assert closed(gate(".", "discover").query("deliverable == 'kpi'"))


def test_backslashes_become_slashes(folder, monkeypatch):
    (folder / "reports").mkdir()
    (folder / "reports" / "kpi.md").write_text("19.14")
    monkeypatch.chdir(folder)
    written = record(folder, "discover", "kpi", file="reports\\kpi.md")
    assert written.file == "reports/kpi.md"
    text = (folder / JOURNAL).read_text().replace("reports/kpi.md", "reports\\\\kpi.md")
    (folder / JOURNAL).write_text(text)
    assert evidence(folder)[0].file == "reports/kpi.md"
    assert state(folder)[0] == "met"


def test_a_moved_project_still_holds(folder, tmp_path):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    moved = folder.rename(tmp_path / "otro sitio")
    assert state(moved)[0] == "met" and state(folder)[0] == "missing"


def test_a_project_behind_a_link_and_a_link_that_stays_inside(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    (folder / "alias.json").symlink_to(folder / "kpi.json")
    assert record(tmp_path / "link", "discover", "kpi", file=folder / "kpi.json").file == "kpi.json"
    assert record(folder, "discover", "kpi", file=tmp_path / "link" / "alias.json").file == "kpi.json"


def test_a_run_needs_no_file_and_makes_the_folder(tmp_path):
    written = record(tmp_path / "new" / "project", "play", "prototype", run_id="b" * 32)
    assert written.run_id == "b" * 32 and evidence(tmp_path / "new" / "project") == [written]


# what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "discovery"}, "stage is 'discovery', expected one of discover, play, develop, deploy"),
        ({"stage": None}, "stage is None, expected one of discover, play, develop, deploy"),
        (
            {"deliverable": "data"},
            "deliverable is 'data', expected one of discover: question, why_ml, kpi, path, sources",
        ),
        ({"file": None}, "file is None and run_id None, expected exactly one"),
        (
            {"run_id": "a" * 32},
            f"file is 'kpi.json' and run_id '{'a' * 32}', expected exactly one",
        ),
        ({"file": None, "run_id": " "}, "run_id is empty, expected some text; leave it out when there is none"),
        ({"file": None, "run_id": 7}, "run_id is 7, expected text"),
        ({"file": ""}, "file is empty, expected some text; leave it out when there is none"),
        ({"signed_by": "Carmen Ruiz"}, "signed_by is 'Carmen Ruiz' and signed_on None, expected both or none"),
        ({"signed_on": "2019-05-06"}, "signed_by is None and signed_on '2019-05-06', expected both or none"),
        (
            {"signed_by": "", "signed_on": "2019-05-06"},
            "signed_by is empty, expected some text; leave it out when there is none",
        ),
        ({"note": None}, "note is None, expected text"),
        (
            {"file": "gone.json"},
            "gone.json is not there (a relative path starts where you are), expected a file",
        ),
        ({"file": "."}, ". is a folder, expected a file"),
        ({"file": "empty.json"}, "empty.json is empty, expected some content"),
        (
            {"file": "../outside.json"},
            "../outside.json lies outside the project folder {folder}; copy it inside and record the copy",
        ),
        (
            {"file": "..\\outside.json"},
            "../outside.json lies outside the project folder {folder}; copy it inside and record the copy",
        ),
        (
            {"file": "/etc/passwd"},
            "/etc/passwd lies outside the project folder {folder}; copy it inside and record the copy",
        ),
        (
            {"file": "leak.json"},
            "leak.json lies outside the project folder {folder}; copy it inside and record the copy",
        ),
        (
            {"file": "loop.json"},
            "loop.json is not there (a relative path starts where you are), expected a file",
        ),
        (
            {"file": "broken.json"},
            "broken.json is not there (a relative path starts where you are), expected a file",
        ),
        ({"file": "pipe"}, "pipe is not there (a relative path starts where you are), expected a file"),
        ({"file": ".lock"}, ".lock is empty, expected some content"),
        ({"file": "evidence.jsonl"}, "evidence.jsonl is the journal itself, expected a file of yours"),
    ],
)
def test_evidence_that_nobody_could_check_is_refused(folder, monkeypatch, change, message):
    (folder.parent / "outside.json").write_text("secret")
    (folder / "empty.json").touch()
    (folder / "leak.json").symlink_to(folder.parent / "outside.json")
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (folder / "broken.json").symlink_to(folder / "nothing.json")
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)
    record(folder, "play", "data", file="kpi.json")
    before = (folder / JOURNAL).read_bytes()
    with pytest.raises(ValueError) as error:
        record(folder, **({"stage": "discover", "deliverable": "kpi", "file": "kpi.json"} | change))
    assert str(error.value).startswith(message.format(folder=folder))
    assert (folder / JOURNAL).read_bytes() == before


@pytest.mark.parametrize(
    "day",
    [
        "06/05/2019",
        "2019-5-6",
        "20190506",
        "2019-W19-1",
        "2019-02-30",
        "2019-05-06T10:00",
        "",
        " 2019-05-06",
        "٢٠١٩-٠٥-٠٦",
    ]
    + [datetime(2019, 5, 6, 10), pd.Timestamp("2019-05-06")],
)
def test_a_day_has_one_form(folder, day):
    with pytest.raises(ValueError, match="signed_on is '.*', expected a day as YYYY-MM-DD, such as 2019-05-06"):
        record(folder, "discover", "kpi", file=folder / "kpi.json", signed_by="Carmen Ruiz", signed_on=day)


def test_a_day_that_is_a_number_is_refused(folder):
    with pytest.raises(ValueError, match="signed_on is 20190506, expected text"):
        record(folder, "discover", "kpi", file=folder / "kpi.json", signed_by="Carmen Ruiz", signed_on=20190506)


def test_a_file_in_the_place_of_the_folder(folder):
    with pytest.raises(OSError, match=r"cannot write in .*kpi.json: "):
        record(folder / "kpi.json", "discover", "kpi", run_id="a")
    for call in (lambda: evidence(folder / "kpi.json"), lambda: gate(folder / "kpi.json", "discover")):
        with pytest.raises(NotADirectoryError) as error:
            call()
        assert str(error.value) == f"{folder}/kpi.json is a file, expected the project folder; choose another name"


def test_a_folder_that_cannot_be_written(folder, monkeypatch):
    with pytest.raises(OSError, match="cannot write in .*kpi.json/sub: Not a directory; what was there before is unch"):
        record(folder / "kpi.json" / "sub", "discover", "kpi", run_id="a")
    (folder / JOURNAL).mkdir()
    with pytest.raises(OSError, match=r"cannot write in .*project: Is a directory"):
        record(folder, "discover", "kpi", run_id="a")
    (folder / JOURNAL).rmdir()

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(stages, "append", refuse)
    with pytest.raises(PermissionError, match="cannot write in .*: Permission denied; .*change the permissions"):
        record(folder, "discover", "kpi", run_id="a")
    assert evidence(folder) == []


def test_a_full_disk_leaves_the_journal_as_it_was(folder, monkeypatch):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    before = (folder / JOURNAL).read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device; what was there before is unchanged"):
        record(folder, "discover", "path", file=folder / "kpi.json")
    assert (folder / JOURNAL).read_bytes() == before


def test_a_process_that_never_lets_go_is_named(folder, monkeypatch):
    monkeypatch.setattr(stages, "_WAIT", 0.1)
    with only_one(folder), pytest.raises(BlockingIOError, match=f"another process is writing in {folder}; wait until"):
        record(folder, "discover", "kpi", file=folder / "kpi.json")
    assert evidence(folder) == []


# the journal


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            GOOD | {"format": 2, "files": ["a"]},
            "has format 2, this version reads up to 1; upgrade mlworkbook",
        ),
        (
            GOOD | {"format": 99, "stage": "retire"},
            "has format 99, this version reads up to 1; upgrade mlworkbook",
        ),
        (GOOD | {"format": "1"}, "is damaged: its format is '1', expected a number from 1 to 1"),
        (GOOD | {"format": True}, "is damaged: its format is True, expected a number from 1 to 1"),
        (GOOD | {"format": 0}, "is damaged: its format is 0, expected a number from 1 to 1"),
        ({"stage": "discover"}, "is damaged: its format is None, expected a number from 1 to 1"),
        (
            {"format": 1},
            "is damaged: Evidence.__init__() missing 2 required positional arguments: 'stage' and 'deliverable'",
        ),
        (GOOD | {"stage": "retire"}, "is damaged: stage is 'retire', expected one of discover, play, develop, deploy"),
        (
            GOOD | {"stage": ["discover"]},
            "is damaged: stage is ['discover'], expected one of discover, play, develop, deploy",
        ),
        (
            GOOD | {"deliverable": "none"},
            "is damaged: deliverable is 'none', expected one of discover: question, why_ml, kpi, path, sources",
        ),
        (GOOD | {"file": "a"}, "is damaged: file is 'a' and run_id"),
        (GOOD | {"run_id": 3}, "is damaged: run_id is 3, expected text"),
        (
            GOOD | {"signed_by": "Carmen Ruiz"},
            "is damaged: signed_by is 'Carmen Ruiz' and signed_on None, expected both or none",
        ),
        ('{"format": 1, oops}', "is damaged: Expecting property name"),
    ],
)
def test_a_journal_that_cannot_be_trusted_is_left_alone(folder, line, message):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    with (folder / JOURNAL).open("a") as file:
        file.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    before = tree(folder)
    newer = message.startswith("has format")
    way_out = "upgrade mlworkbook" if newer else "bring it back, or delete it and record again"
    for call in (
        lambda: record(folder, "discover", "path", file=folder / "kpi.json"),
        lambda: gate(folder, "play"),
        lambda: evidence(folder),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value).startswith(f"line 2 of evidence.jsonl {message}")
        assert str(error.value).endswith(way_out)
    assert tree(folder) == before


def test_keys_of_a_later_version_with_this_format_are_passed_over(folder):
    line = json.dumps(GOOD | {"mood": "good"}) + "\n"
    (folder / JOURNAL).write_text(line)
    assert evidence(folder) == [Evidence("discover", "kpi", run_id="a" * 32)]
    record(folder, "discover", "path", file=folder / "kpi.json")
    assert (folder / JOURNAL).read_text().startswith(line)


def test_every_possible_cut_loses_only_the_cut_line(folder, caplog):
    record(folder, "discover", "kpi", file=folder / "kpi.json", note="ñandú")
    first = (folder / JOURNAL).read_bytes()
    record(folder, "discover", "path", file=folder / "kpi.json", note="ñandú")
    whole = (folder / JOURNAL).read_bytes()
    for size in range(len(first) + 1, len(whole) - 1):
        (folder / JOURNAL).write_bytes(whole[:size])
        caplog.clear()
        record(folder, "discover", "sources", file=folder / "kpi.json")
        assert "line 2 of evidence.jsonl was cut short and is skipped; record its deliverable again" in caplog.text
        assert [entry.deliverable for entry in evidence(folder)] == ["kpi", "sources"]
        assert (folder / JOURNAL).read_bytes().startswith(whole[:size] + b"\n")


def test_only_the_end_of_line_missing_loses_nothing(folder, caplog):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    (folder / JOURNAL).write_bytes((folder / JOURNAL).read_bytes()[:-1])
    record(folder, "discover", "path", file=folder / "kpi.json")
    assert [entry.deliverable for entry in evidence(folder)] == ["kpi", "path"] and not caplog.text


def test_blank_lines_and_windows_ends_are_read(folder, caplog):
    (folder / JOURNAL).write_bytes(b"\n" + json.dumps(GOOD).encode() + b"\r\n  \n")
    assert len(evidence(folder)) == 1 and not caplog.text


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(DELIVERABLES), st.text(st.characters(exclude_categories=["Cs"])))))
@example([(DELIVERABLES[0], "signed: ")])
def test_whatever_is_written_is_read_back(tmp_path_factory, entries):
    place = tmp_path_factory.mktemp("project")
    (place / "a.md").write_text("a")
    written = [record(place, entry.stage, entry.key, file=place / "a.md", note=note) for entry, note in entries]
    assert evidence(place) == written
    latest = {(entry.stage, entry.key): note for entry, note in entries}
    table = gates(place)
    assert table["state"].eq("met").sum() == len(latest)
    for row in table[table["state"] == "met"].itertuples():
        note = latest[row.stage, row.deliverable]
        assert row.why == (f"not signed: {note}" if note else "not signed")


def test_append_joins_nothing(tmp_path):
    path = tmp_path / "journal"
    for line in ("one", "dós"):
        append(path, line)
    path.write_bytes(path.read_bytes() + b"cu")
    append(path, "three")
    assert path.read_bytes() == "one\ndós\ncu\nthree\n".encode()


WORKER = """
import sys
from mlworkbook.project.stages import record
folder, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in range(count):
    record(folder, "play", "prototype", run_id=f"{name}-{number}", note="ñ" * 200)
"""


@pytest.mark.slow
def test_many_processes_lose_nothing(tmp_path):
    place = tmp_path / "project"
    names = [f"worker{number}" for number in range(4)]
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, place, name, "30"]) for name in names]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * 4
    assert len((place / JOURNAL).read_text(encoding="utf-8").splitlines()) == 120
    run_ids = [entry.run_id for entry in evidence(place)]
    for name in names:  # and each worker's own lines are in its order
        assert [run_id for run_id in run_ids if run_id.startswith(name)] == [f"{name}-{number}" for number in range(30)]


@pytest.mark.slow
def test_a_killed_process_lets_go_and_loses_at_most_its_line(tmp_path):
    place = tmp_path / "project"
    worker = subprocess.Popen([sys.executable, "-c", WORKER, place, "victim", "100000"])
    while not (place / JOURNAL).exists() or len((place / JOURNAL).read_bytes()) < 5000:
        assert worker.poll() is None
    worker.kill()
    worker.wait()
    before = [entry.run_id for entry in evidence(place)]
    assert before == [f"victim-{number}" for number in range(len(before))]
    record(place, "play", "data", run_id="after")
    assert [entry.run_id for entry in evidence(place)] == [*before, "after"]


# the gate


def test_a_gate_closes_when_everything_is_shown_and_opens_again(folder):
    table = gate(folder, "discover")
    assert list(table) == ["stage", "deliverable", "name", "state", "evidence", "why"]
    assert table["state"].eq("missing").all() and not closed(table)
    assert table["why"][2] == "nothing was recorded; see 12_value"
    for entry in deliverables("discover"):
        assert not closed(gate(folder, "discover"))
        record(folder, "discover", entry.key, file=folder / "kpi.json")
    assert closed(gate(folder, "discover")) and not closed(gates(folder))
    (folder / "kpi.json").write_text('{"kpi_eur": 19.15}')
    assert gate(folder, "discover")["state"].eq("invalid").all() and not closed(gate(folder, "discover"))
    (folder / "kpi.json").write_text('{"kpi_eur": 19.14}')
    assert closed(gate(folder, "discover"))


def test_all_stages_in_one_table_that_json_understands(folder):
    record(folder, "play", "data", file=folder / "kpi.json")
    table = gates(folder)
    pd.testing.assert_frame_equal(table, pd.concat([gate(folder, stage) for stage in STAGES], ignore_index=True))
    assert len(table) == 19 and table.map(lambda value: type(value) is str).all(axis=None)
    assert json.loads(table.to_json(orient="records"))[5]["state"] == "met"


def test_an_empty_table_is_not_closed(folder):
    assert not closed(gate(folder, "play")[:0])


def test_the_gate_of_an_unknown_stage(folder):
    with pytest.raises(ValueError, match="stage is 'retire', expected one of discover"):
        gate(folder, "retire")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "kpi.json is not there"),
        (
            lambda path: path.write_text('{"kpi_eur": 19.15}'),
            "the file changed after it was recorded; bring it back or record it again",
        ),
        (lambda path: path.write_text(""), "kpi.json is empty, expected some content"),
        (lambda path: (path.unlink(), path.mkdir()), "kpi.json is a folder, expected a file"),
        (
            lambda path: (
                path.rename(path.parent.parent / "out.json"),
                path.symlink_to(path.parent.parent / "out.json"),
            ),
            "kpi.json lies outside the project folder",
        ),
    ],
)
def test_what_happens_to_the_file_afterwards(folder, spoil, why):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    record(folder, "discover", "path", file=folder / "kpi.json")
    spoil(folder / "kpi.json")
    found, reason = state(folder)
    assert found == "invalid" and why in reason
    assert gate(folder, "discover")["evidence"][2] == "kpi.json"


def test_a_file_that_cannot_be_read_does_not_hide_the_others(folder, monkeypatch):
    for key in ("kpi", "path"):
        record(folder, "discover", key, file=folder / "kpi.json")
    calls = iter([PermissionError(13, "Permission denied"), None])
    real = stages.fingerprint

    def once(path):
        if error := next(calls):
            raise error
        return real(path)

    monkeypatch.setattr(stages, "fingerprint", once)
    table = gate(folder, "discover")
    assert table["state"].tolist()[2:4] == ["invalid", "met"]
    assert "Permission denied" in table["why"][2]


OUTSIDE = "lies outside the project folder"


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("/etc/passwd", OUTSIDE),
        ("../out.json", OUTSIDE),
        ("sub/../../out.json", OUTSIDE),
        ("a\u0000b", "null byte"),
    ],
)
def test_a_path_written_by_hand_leads_nowhere(folder, file, why):
    (folder.parent / "out.json").write_text("secret")
    line = {"format": 1, "stage": "discover", "deliverable": "kpi", "file": file, "sha256": "0" * 64}
    (folder / JOURNAL).write_text(json.dumps(line) + "\n")
    found, reason = state(folder)
    assert found == "invalid" and why in reason


def test_looking_writes_nothing(folder):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    before = tree(folder.parent)
    gates(folder)
    gates(folder.parent / "nowhere")
    assert tree(folder.parent) == before and not (folder.parent / "nowhere").exists()


def test_without_runs_mlflow_is_not_imported(folder):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    code = "import sys; from mlworkbook.project.stages import gates; gates(sys.argv[1]); print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n" and done.stderr == ""


# the picture


def test_the_picture_says_everything_in_words(folder):
    record(folder, "discover", "kpi", file=folder / "kpi.json")
    (folder / "gone.md").write_text("x")
    record(folder, "play", "data", file=folder / "gone.md")
    (folder / "gone.md").unlink()
    table = gates(folder)
    before = table.copy()
    axes = plt.figure().subplots(2)
    assert plot_progress(table, axes[0]) is axes[0]
    words = [text.get_text() for text in axes[0].texts]
    assert len(words) == len(axes[0].patches) == 19
    for text, row in zip(words, table.itertuples(), strict=True):
        first, *name = text.split("\n")
        mark = {"met": "✔", "missing": "○", "invalid": "✘"}[row.state]
        assert first == f"{mark} {row.state}" and " ".join(name) == row.name and max(map(len, name)) <= 17
    looks = {"met": ("0.85", None), "missing": ("white", None), "invalid": ("white", "////")}
    place = table.groupby("stage").cumcount()
    for box, text, x, row in zip(axes[0].patches, axes[0].texts, place, table.itertuples(), strict=True):
        color, hatch = looks[row.state]
        assert (to_hex(box.get_facecolor()), box.get_hatch() or None) == (to_hex(color), hatch)
        assert box.get_bbox().bounds == pytest.approx((x + 0.03, STAGES.index(row.stage) - 0.42, 0.94, 0.84))
        assert to_hex(box.get_edgecolor()) == to_hex("0.4")
        assert text.get_position() == (x + 0.5, STAGES.index(row.stage))
        assert (text.get_ha(), text.get_va(), text.get_fontsize()) == ("center", "center", 8)
        paper = text.get_bbox_patch()
        assert (paper is not None) == (row.state == "invalid")
        if paper:
            assert to_hex(paper.get_facecolor()) == to_hex("white") and paper.get_edgecolor()[3] == 0
            assert paper.get_boxstyle().pad == 2 / 8
    labels = [label.get_text() for label in axes[0].get_yticklabels()]
    assert labels == ["discover\n1 / 5", "play\n0 / 5", "develop\n0 / 5", "deploy\n0 / 4"]
    assert axes[0].get_yticks().tolist() == [0, 1, 2, 3] and not axes[0].get_xticks().size
    assert (axes[0].get_ylabel(), axes[0].get_xlabel()) == ("stage", "deliverables")
    assert axes[0].get_xlim() == (0, 5) and axes[0].get_ylim() == (3.5, -0.5)
    assert not axes[1].texts
    pd.testing.assert_frame_equal(table, before)
    plt.sca(axes[1])
    assert plot_progress(table[table["stage"] == "deploy"]) is axes[1] and axes[1].get_xlim() == (0, 4)
    plt.close("all")


# runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    "A real SQLite store in a folder whose name needs care, with a run of each kind."
    import logging

    import mlflow

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    place = tmp_path_factory.mktemp("mi panadería")
    uri = f"sqlite:///{place}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    group = client.create_experiment("prototype", artifact_location=(place / "mlartifacts").as_uri())
    kinds = {kind: client.create_run(group).info.run_id for kind in ("FINISHED", "RUNNING", "FAILED", "KILLED", "gone")}
    for kind in ("FINISHED", "FAILED", "KILLED"):
        client.set_terminated(kinds[kind], kind)
    client.set_terminated(kinds["gone"])
    client.delete_run(kinds["gone"])
    return uri, place, kinds


@pytest.mark.slow
def test_only_a_finished_run_counts(folder, runs, monkeypatch):
    uri, place, kinds = runs
    monkeypatch.chdir(folder.parent)
    for key, kind in zip(("data", "prototype", "agreement", "feasibility"), list(kinds)[:4], strict=True):
        record(folder, "play", key, run_id=kinds[kind])
    record(folder, "play", "return", run_id="0" * 32)
    record(folder, "discover", "path", run_id=kinds["gone"])
    before = tree(place), tree(folder.parent), sorted(folder.parent.rglob("*"))
    table = gates(folder, tracking_uri=uri)
    assert (tree(place), tree(folder.parent), sorted(folder.parent.rglob("*"))) == before
    play = table[table["stage"] == "play"]
    assert play["state"].tolist() == ["met"] + ["invalid"] * 4
    assert play["evidence"].iloc[0] == "run " + kinds["FINISHED"]
    way_out = "expected FINISHED; wait for it, or record one that ended well"
    assert play["why"].tolist() == [
        "not signed",
        *(f"the run is {kind}, {way_out}" for kind in ("RUNNING", "FAILED", "KILLED")),
        "the store has no run with this id; record another run, or point tracking_uri at its store",
    ]
    assert state(folder, "path", tracking_uri=uri) == ("invalid", "the run was deleted; restore it or record another")


@pytest.mark.slow
def test_a_run_follows_what_happens_to_it(folder, runs):
    from mlflow import MlflowClient

    uri, _, kinds = runs
    client = MlflowClient(uri)
    run_id = client.create_run(client.get_run(kinds["FINISHED"]).info.experiment_id).info.run_id
    record(folder, "play", "prototype", run_id=run_id)

    def look():
        return state(folder, "prototype", "play", tracking_uri=uri)[0]

    assert look() == "invalid"
    client.set_terminated(run_id)
    assert look() == "met"
    client.delete_run(run_id)
    assert look() == "invalid"
    client.restore_run(run_id)
    assert look() == "met"


@pytest.mark.slow
def test_the_store_mlflow_points_at_is_used(folder, runs, monkeypatch):
    import mlflow

    uri, place, kinds = runs
    record(folder, "play", "prototype", run_id=kinds["FINISHED"])
    monkeypatch.chdir(folder.parent)
    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(uri)
        assert state(folder, "prototype", "play")[0] == "met"
        mlflow.set_tracking_uri(uri.replace(" ", "%20").replace("í", "%C3%AD"))
        assert state(folder, "prototype", "play")[0] == "met"
        assert not [path for path in place.parent.rglob("*%20*")]
        mlflow.set_tracking_uri(f"sqlite:///{folder.parent}/none.db")
        assert state(folder, "prototype", "play")[0] == "invalid"
    finally:
        mlflow.set_tracking_uri(before)
    assert not (folder.parent / "none.db").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("sqlite:///{0}/none.db", "there is no run database at {0}/none.db; point tracking_uri at another"),
        ("sqlite:///none.db?timeout=3", "there is no run database at {0}/none.db; point tracking_uri at another"),
        ("sqlite:///{0}", "there is no run database at {0}; point tracking_uri at another"),
        ("sqlite:///{0}/empty.db", "no store of MLflow answers (*readonly*"),
        ("sqlite:///{0}/text.db", "no store of MLflow answers (*file is not a database*"),
        ("sqlite:///{0}/other.db", "no store of MLflow answers (*readonly*"),
        ("{0}/mlruns", "the store {0}/mlruns is a folder, expected a database or a server"),
        ("file://{0}/mlruns", "the store file://{0}/mlruns is a folder, expected a database or a server"),
        ("http://ana:secret@127.0.0.1:9", "no store of MLflow answers (*http://127.0.0.1:9*"),
        ("http://ana:secret@127.0.0.1:many", "no store of MLflow answers (*http://127.0.0.1:many*"),
        ("https://127.0.0.1:9", "no store of MLflow answers (*"),
        ("http://", "no store of MLflow answers (*"),
        ("bread://here", "no store of MLflow answers (*"),
    ],
)
def test_a_store_that_is_not_there_stays_away(folder, tmp_path, monkeypatch, uri, why):
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("flour and water, but no rows\n" * 50)
    with closing_base(sqlite3.connect(tmp_path / "other.db")) as base:
        base.execute("CREATE TABLE runs (price REAL)")
    monkeypatch.chdir(tmp_path)
    for key in ("prototype", "data"):
        record(folder, "play", key, run_id="a" * 32)
    record(folder, "play", "return", file=folder / "kpi.json")
    before = tree(tmp_path), sorted(tmp_path.rglob("*"))
    environment, start = dict(os.environ), time.monotonic()
    table = gate(folder, "play", tracking_uri=uri.format(tmp_path)).set_index("deliverable")
    assert os.environ == environment and time.monotonic() - start < 30
    assert table["state"].to_dict() == {
        "data": "invalid",
        "prototype": "invalid",
        "agreement": "missing",
        "feasibility": "missing",
        "return": "met",
    }
    pattern = re.escape(why.format(tmp_path)).replace(r"\*", ".*")
    assert re.fullmatch(pattern, table["why"]["data"]), table["why"]["data"]
    assert "secret" not in table["why"].str.cat()
    assert sorted(tmp_path.rglob("*")) == before[1]
    assert tree(tmp_path) == before[0]


class Answer(BaseHTTPRequestHandler):
    "A server that is not MLflow."

    def do_GET(self):
        self.send_response(self.server.code)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        "Say nothing."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "why"),
    [
        (500, "no store of MLflow answers"),
        (503, "no store of MLflow answers"),
        (404, "no store of MLflow answers"),
        (200, "the store has no run with this id"),
    ],
)
def test_another_server_is_not_believed(folder, code, why):
    record(folder, "play", "prototype", run_id="a" * 32)
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        server.code = code
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        found, reason = state(folder, "prototype", "play", tracking_uri=uri)
        server.shutdown()
    assert found == "invalid" and reason.startswith(why)


def test_the_lesson_of_a_deliverable_is_a_path_of_the_course():
    lessons = {path.stem for path in Path(__file__).parent.parent.glob("nbs/*/*.ipynb")}
    assert {"12_value", "34_forecaster"} <= lessons & {lesson for entry in DELIVERABLES for lesson in entry.lessons}
