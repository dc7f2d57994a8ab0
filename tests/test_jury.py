"Submissions that hang, delete, fork, flood, read or cheat: each for real, and none touches another."

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from capstone_shop import terminal
from mlworkbook.course import jury
from mlworkbook.course.capstone import RUBRIC, start
from mlworkbook.course.jury import Limits

HONEST = """
from mlworkbook.baselines import moving_average


def forecast(history, horizon):
    return moving_average(history, horizon, seasons=6)
"""
COSTS = ("over_eur: null, under_eur: null", "over_eur: 0.3, under_eur: 0.6")
EXAM = {"answers", "repeats", "closed", "unseen", "stranger"}
HOSTILE = {
    "hangs": ("while True:\n    pass", "it took more than 2 s"),
    "sleeps": ("import time\n\ntime.sleep(1000)", "it took more than 1 s"),
    "deletes": ("import shutil\n\nshutil.rmtree('CLASS')", "Error"),
    "forks": ("import os\n\nwhile True:\n    os.fork()", "processes"),
    "floods": ("for _ in range(1024):\n    print('x' * 2**20, flush=True)", "File too large"),
    "swells": ("kept = [bytearray(2**28) for _ in range(100)]", "emory"),
    "leaves": ("import os\n\nos._exit(0)", ""),
    "reads": ("open('SECRET').read()", "Permission denied"),
    "calls": ("import urllib.request\n\nurllib.request.urlopen('http://127.0.0.1:PORT')", "there is no network"),
    "cheats": (
        "from pathlib import Path\n\nimport mlworkbook.course.capstone as jury\n\n"
        "jury.grade = jury.mark = lambda *words, **more: None\n"
        "for name in ('points.json', '../mark/points.json', 'CLASS/grades.csv'):\n"
        "    try:\n        Path(name).write_text('{}')\n    except OSError:\n        pass\n",
        "",
    ),
}
locked = pytest.mark.skipif(not jury.landlock(), reason="this system cannot lock a program in")


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    "A class: one honest submission, an empty one, and the hostile ones."
    folder = tmp_path_factory.mktemp("class")
    hand_in(folder, "honest", "")
    (folder / "empty").mkdir()
    return folder


def hand_in(folder, name, evil, **words):
    "Put a hostile submission in the class."
    sheet = start(folder / name, seed=11) / "discover.yaml"
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
    return jury.grade_alone(lessons / "honest", limits=Limits(seconds=120))


def won(table):
    "Keys that were got."
    return set(table.loc[table["got"] == 1, "key"])


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
        if name == "deletes" and not jury.landlock():
            pytest.skip("this system cannot lock a program in")
        before = photograph(folder)
        # a slow computer takes its time to hand out memory; one that only waits is waited for four times as long
        seconds = {"swells": 60, "hangs": 2, "sleeps": 1}.get(name, 8)
        table = jury.grade_alone(folder / name, limits=Limits(seconds=seconds, memory_mb=1500, file_mb=16))
        assert photograph(folder) == before
        assert won(table) == {"shop"}, table[["key", "got", "why"]].to_string()
        why = table.set_index("key")["why"]["answers"]
        assert said in why and "no answer" in why, why

    @locked
    @pytest.mark.parametrize("name", ["reads"])
    def test_it_cannot_read_what_is_not_its_own(self, tmp_path, name):
        evil, said = HOSTILE[name]
        (tmp_path / "key.txt").write_text("token")
        folder = hand_in(tmp_path, name, evil, SECRET=tmp_path / "key.txt")
        table = jury.grade_alone(folder, limits=Limits(seconds=60))
        assert said in table.set_index("key")["why"]["answers"]

    def test_it_cannot_call_anybody(self, tmp_path):
        evil, said = HOSTILE["calls"]
        table = jury.grade_alone(hand_in(tmp_path, "calls", evil, PORT=9), limits=Limits(seconds=60))
        assert said in table.set_index("key")["why"]["answers"]

    def test_it_cannot_write_its_own_grade(self, tmp_path, honest):
        folder = hand_in(tmp_path / "class", "cheats", HOSTILE["cheats"][0], CLASS=tmp_path / "class")
        (folder / "points.json").write_text(json.dumps({one.key: "" for one in RUBRIC}))
        (folder / "result.html").write_text("37 de 37")
        table = jury.grade_alone(folder, limits=Limits(seconds=120))
        assert won(table) == won(honest)
        assert not (tmp_path / "class" / "grades.csv").exists() or not jury.landlock()

    def test_no_process_survives(self, tmp_path):
        evil = "import os, time\n\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(987)"
        jury.grade_alone(hand_in(tmp_path, "hides", evil), limits=Limits(seconds=30))
        time.sleep(0.5)
        alive = [
            one
            for one in psutil.process_iter(["cmdline"])
            if "jury import inside" in " ".join(one.info["cmdline"] or [])
        ]
        assert not [
            one
            for one in alive
            if one.status() != psutil.STATUS_ZOMBIE and str(tmp_path) in " ".join(one.info["cmdline"])
        ]

    def test_the_same_word_gives_the_same_grades(self, lessons, honest):
        again = jury.grade_alone(lessons / "honest", limits=Limits(seconds=120))
        pd.testing.assert_frame_equal(again, honest)


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
        said = jury.copy_plain(work, tmp_path / "copy", Limits(file_mb=1))
        kept = sorted(
            path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()
        )
        assert kept == ["deep/er/a.txt"] and said.startswith("left out 3 files")

    def test_too_much_in_all(self, tmp_path):
        (tmp_path / "work").mkdir()
        for name in "abc":
            (tmp_path / "work" / name).write_bytes(b"x" * 2**20)
        said = jury.copy_plain(tmp_path / "work", tmp_path / "copy", Limits(disk_mb=2))
        assert "left out 1 files" in said and len(list((tmp_path / "copy").iterdir())) == 2


class TestCage:
    @locked
    def test_the_lock_holds(self, tmp_path):
        code = f"""
import sys
from pathlib import Path
from mlworkbook.course.jury import Limits, fence
place = Path({str(tmp_path / "room")!r})
fence(place, Limits())
(place / "mine.txt").write_text("yes")
other, kept = Path({str(tmp_path / "other.txt")!r}), Path({str(tmp_path / "kept.txt")!r})
for work in (lambda: other.write_text("no"), kept.unlink, kept.read_text):
    try:
        work()
    except PermissionError:
        continue
    sys.exit("the lock did not hold")
"""
        (tmp_path / "room").mkdir()
        (tmp_path / "kept.txt").write_text("kept")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "room" / "mine.txt").read_text() == "yes" and (tmp_path / "kept.txt").read_text() == "kept"

    def test_what_was_worked_before_the_fence_stood_does_not_count(self, tmp_path):
        code = f"""
import time
from pathlib import Path
from mlworkbook.course.jury import Limits, fence
def work(seconds):
    begun = time.process_time()
    while time.process_time() < begun + seconds:
        pass
work(2)
fence(Path({str(tmp_path)!r}), Limits(seconds=1))
work(0.6)
print("alive", flush=True)
work(1000)
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
        assert done.stdout == "alive\n" and done.returncode in (-signal.SIGKILL, -signal.SIGXCPU), done.stderr

    def test_what_the_system_lacks_is_said(self, monkeypatch):
        monkeypatch.setattr(jury, "landlock", lambda: 0)
        monkeypatch.setattr(jury, "apart", lambda: ())
        said = jury.protections()
        assert (
            "cannot lock" in said["files"]
            and "can open again" in said["network"]
            and "can survive" in said["processes"]
        )

    def test_last_words_are_harmless(self, tmp_path):
        (tmp_path / "said").write_bytes(b"x" * 10_000 + b"\n\x1b[2Jboo\xff\n")
        assert jury.last_words(tmp_path / "said") == "?[2Jboo\ufffd"


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
            jury.grade_alone(Path(tmp_path / "gone"))
