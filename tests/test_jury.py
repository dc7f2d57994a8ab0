"Submissions that hang, delete, fork, flood, read or cheat: each for real, and none touches another."

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import pandas as pd
import pytest

from capstone_shop import terminal
from mlworkbook.course import jury
from mlworkbook.course.project import start_project
from mlworkbook.course.rubric import rubric
from mlworkbook.ops.sandbox import Bounds, sandbox_fault

FAULT = sandbox_fault()
# there a sandbox that is not installed is a failure; a kernel that forbids namespaces is not ours to mend
MUST = sys.platform == "linux" and os.environ.get("CI") == "true" and shutil.which("bwrap") is None
locked = pytest.mark.skipif(bool(FAULT) and not MUST, reason=FAULT or "the sandbox works")
HONEST = """
from mlworkbook.baselines import moving_average


def forecast(history, horizon):
    return moving_average(history, horizon, seasons=6)
"""
COSTS = ("over_eur: null, under_eur: null", "over_eur: 0.3, under_eur: 0.6")
EXAM = {"answers", "repeats", "closed", "unseen", "stranger"}
HOSTILE = {
    "hangs": ("while True:\n    pass", "it took more than 20 s"),
    "sleeps": ("import time\n\ntime.sleep(1000)", "it took more than 20 s"),
    "deletes": ("import shutil\n\nshutil.rmtree('CLASS')", "Error"),
    "forks": ("import os\n\nwhile True:\n    os.fork()", "processes"),
    "floods": ("for _ in range(1024):\n    print('x' * 2**20, flush=True)", "File too large"),
    "swells": ("kept = [bytearray(2**28) for _ in range(100)]", "emory"),
    "leaves": ("import os\n\nos._exit(0)", ""),
    "reads": ("open('SECRET').read()", "No such file"),
    "calls": ("import urllib.request\n\nurllib.request.urlopen('http://127.0.0.1:PORT')", "refused"),
    "cheats": (
        "from pathlib import Path\n\nimport mlworkbook.course.rubric as jury\n\n"
        "jury.rubric = jury.mark = lambda *words, **more: None\n"
        "for name in ('points.json', '../mark/points.json', 'CLASS/grades.csv'):\n"
        "    try:\n        Path(name).write_text('{}')\n    except OSError:\n        pass\n",
        "",
    ),
}


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    "A class: one honest submission, an empty one, and the hostile ones."
    folder = tmp_path_factory.mktemp("class")
    hand_in(folder, "honest", "")
    (folder / "empty").mkdir()
    return folder


def hand_in(folder, name, evil, **words):
    "Put a hostile submission in the class."
    sheet = start_project(folder / name, seed=11) / "discover.yaml"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace(*COSTS), encoding="utf-8")
    for key, value in words.items():
        evil = evil.replace(key, str(value))
    (folder / name / "forecast.py").write_text(evil + "\n" + HONEST)
    return folder / name


def photograph(folder):
    "Every file with its content."
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def honest(lessons):
    "What the honest one gets when it is alone."
    return jury.grade_project(lessons / "honest", bounds=Bounds(seconds=120))


def won(table):
    "Keys that were got."
    return set(table.loc[table["got"] == 1, "key"])


@locked
@pytest.mark.slow
class TestHostile:
    def test_the_honest_one_gets_its_exam(self, honest):
        assert won(honest) >= EXAM and "shop" in won(honest), honest[["key", "why"]].to_string()

    @pytest.mark.parametrize("name", ["hangs", "deletes", "forks", "floods", "swells", "leaves", "sleeps"])
    def test_a_hostile_one_loses_its_own_exam_and_nothing_else(self, lessons, honest, tmp_path, name):
        evil, said = HOSTILE[name]
        folder = tmp_path / "class"
        (folder / "neighbour").mkdir(parents=True)
        (folder / "neighbour" / "forecast.py").write_text(HONEST)
        hand_in(folder, name, evil, CLASS=folder)
        before = photograph(folder)
        table = jury.grade_project(folder / name, bounds=Bounds(seconds=20, memory_mb=1500, file_mb=16))
        assert photograph(folder) == before
        assert won(table) == {"shop"}, table[["key", "got", "why"]].to_string()
        why = table.set_index("key")["why"]["answers"]
        assert said in why and "no answer" in why, why

    def test_it_cannot_read_what_is_not_its_own(self, tmp_path):
        evil, said = HOSTILE["reads"]
        (tmp_path / "key.txt").write_text("token")
        table = jury.grade_project(hand_in(tmp_path, "reads", evil, SECRET=tmp_path / "key.txt"))
        assert said in table.set_index("key")["why"]["answers"]

    def test_it_cannot_call_anybody(self, tmp_path):
        evil, said = HOSTILE["calls"]
        with socket.create_server(("127.0.0.1", 0)) as server:
            table = jury.grade_project(hand_in(tmp_path, "calls", evil, PORT=server.getsockname()[1]))
            server.settimeout(0.2)
            with pytest.raises(TimeoutError):
                server.accept()
        assert said in table.set_index("key")["why"]["answers"]

    def test_it_cannot_write_its_own_grade(self, tmp_path, honest):
        folder = hand_in(tmp_path / "class", "cheats", HOSTILE["cheats"][0], CLASS=tmp_path / "class")
        (folder / "points.json").write_text(json.dumps({one.key: "" for one in rubric()}))
        (folder / "result.html").write_text("37 de 37")
        table = jury.grade_project(folder, bounds=Bounds(seconds=120))
        assert won(table) == won(honest)
        assert not (tmp_path / "class" / "grades.csv").exists()

    def test_the_same_word_gives_the_same_grades(self, lessons, honest):
        again = jury.grade_project(lessons / "honest", bounds=Bounds(seconds=120))
        pd.testing.assert_frame_equal(again, honest)


@locked
@pytest.mark.slow
def test_a_class_in_one_table(lessons, honest, tmp_path):
    done = terminal(
        tmp_path,
        "grade",
        str(lessons),
        "--csv",
        str(tmp_path / "grades.csv"),
        "--pages",
        str(tmp_path / "pages"),
        "--json",
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "grades.csv").set_index("submission")
    assert table.loc["honest", "points"] == honest["got"].sum() and table.loc["empty", "points"] == 0
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == ["empty.html", "honest.html"]
    assert set(json.loads(done.stdout)["protection"]) == {"files", "network", "processes", "memory and time"}


class TestCopy:
    def test_plain_files_only(self, tmp_path):
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "exam.csv").write_text("secret")
        work = tmp_path / "work"
        (work / "deep" / "er").mkdir(parents=True)
        (work / "deep" / "er" / "a.txt").write_text("a")
        (work / "link").symlink_to(tmp_path / "outside" / "exam.csv")
        (work / "folder").symlink_to(tmp_path / "outside")
        os.mkfifo(work / "pipe")
        (work / "large").write_bytes(b"x" * (2**20 + 1))
        said = jury.copy_plain(work, tmp_path / "copy", Bounds(file_mb=1))
        kept = sorted(
            path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()
        )
        assert kept == ["deep/er/a.txt"] and said.startswith("left out 3 files")

    def test_too_much_in_all(self, tmp_path):
        (tmp_path / "work").mkdir()
        for name in "abc":
            (tmp_path / "work" / name).write_bytes(b"x" * 2**20)
        said = jury.copy_plain(tmp_path / "work", tmp_path / "copy", Bounds(disk_mb=2))
        assert "left out 1 files" in said and len(list((tmp_path / "copy").iterdir())) == 2


class TestWithoutASandbox:
    @pytest.fixture(autouse=True)
    def none(self, monkeypatch):
        "A computer on which nothing can be run apart."
        monkeypatch.setattr(jury, "sandbox_fault", lambda: "bubblewrap was not found; install it")

    def test_nothing_handed_in_is_run_and_the_result_says_so(self, tmp_path):
        folder = hand_in(tmp_path, "evil", f"open({str(tmp_path / 'ran')!r}, 'w')")
        (folder / "test_forecast.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        table = jury.grade_project(folder).set_index("key")
        unseen = table["why"].eq("not examined here: bubblewrap was not found; install it")
        assert set(table.index[unseen]) == {one.key for one in rubric() if one.runs}
        assert table.loc[unseen, "hint"].str.contains("no se ha examinado aquí; bubblewrap was not found").all()
        assert set(table.index[table["got"] == 1]) == {"shop"} and not (tmp_path / "ran").exists()
        page = jury.write_result(tmp_path / "r.html", table.reset_index(), "evil").read_text(encoding="utf-8")
        assert "1 de 37 puntos; 13 sin examinar aquí" in page

    def test_the_instructor_is_told(self):
        assert "not examined here: bubblewrap was not found" in jury.protections()["sandbox"]

    def test_ones_own_project_is_examined(self, tmp_path):
        table = jury.grade_project(hand_in(tmp_path, "mine", ""), trusted=True)
        assert won(table) >= EXAM


class TestFolders:
    def test_one_project_or_many(self, tmp_path):
        assert not jury.is_project(tmp_path)
        (tmp_path / "forecast.py").touch()
        assert jury.is_project(tmp_path)

    def test_a_folder_without_submissions(self, tmp_path):
        with pytest.raises(ValueError, match="expected one for each submission"):
            jury.grade_all(tmp_path)

    def test_no_folder(self, tmp_path):
        with pytest.raises(NotADirectoryError, match="is no folder"):
            jury.grade_project(Path(tmp_path / "gone"))
