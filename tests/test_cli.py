"The terminal: what comes out on which stream, exit codes, and a whole run that repeats itself."

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer import Exit
from typer.testing import CliRunner

from ctrl_c import press
from jira_server import serve
from mlworkbook import decisions, pipeline, publishing, versions
from mlworkbook.cli import nightly
from mlworkbook.cli.app import app
from mlworkbook.cli.parameters import Job, Source, agreed, evening, prices, processes, recipes
from mlworkbook.cli.talk import counted, exit_codes
from mlworkbook.course.exercises import remember
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.ops.errors import DataError, Refused
from mlworkbook.ops.files import only_one, workspace, write_atomic
from mlworkbook.project.gitflow import Repository
from mlworkbook.project.stages import deliverables, record
from mlworkbook.recipes import Recipe
from mlworkbook.registry import log_panel
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.solver import SOLVER
from mlworkbook.tracking import connect, start_run

MLWORKBOOK = [sys.executable, "-c", "from mlworkbook.cli.app import main; main()"]
SMALL = ["--initial", "300", "--period", "25", "--horizon", "7", "--workers", "1"]


def call(*words):
    "A command in this process."
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def shop(tmp_path):
    "A file with two made-up stores."
    path = tmp_path / "shop.csv"
    make_sales(0, series=2, days=400, horizon=14).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    "Options of `monitor` for a made-up shop with a week of nights of its usual recipe, published elsewhere."
    from mlworkbook.batch import run_batch

    folder = tmp_path_factory.mktemp("watched")
    history = make_sales(3, series=2, days=400, horizon=14)
    for date in pd.date_range("2023-01-28", "2023-02-04"):  # the last day with sales
        run_batch(history, Recipe("prophet"), 7, folder / "nights", model="elsewhere", date=date)
    history.to_csv(folder / "shop.csv", index=False)
    return ["--data", folder / "shop.csv", "--nights", folder / "nights", "--out", folder, *SMALL]


class TestMonitor:
    def test_a_quiet_morning_then_a_stale_one(self, watched):
        quiet = call("monitor", *watched, "--today", "2023-02-05", "--json")
        found = json.loads(quiet.stdout)
        assert quiet.exit_code == 0 and found["alarms"] == [] and found["night"] == "2023-02-04"
        assert Path(found["files"]["page"]).read_text(encoding="utf-8").count("<img") == 2
        before = (watched[5] / "limits.json").read_bytes()
        stale = call("monitor", *watched, "--today", "2023-02-09")
        assert stale.exit_code == 4 and "freshness, whole chain: the last day with sales is 2023-02-04" in stale.stdout
        assert (
            "2 alarms on the morning of 2023-02-09" in stale.stdout
            and (watched[5] / "limits.json").read_bytes() == before
        )
        mute = call("monitor", *watched, "--today", "2023-02-09", "--quiet")
        assert mute.exit_code == 4 and not mute.stdout and "freshness, whole chain: the last day" in mute.stderr
        back = call("monitor", *watched, "--today", "2023-02-01")
        assert back.exit_code == 4 and "has a clock gone back?" in back.stdout and "nights from" in back.stderr

    def test_another_rate_is_said_and_set_when_asked(self, watched):
        again = call("monitor", *watched, "--today", "2023-02-05", "--false-alarms", "2")
        assert "limits.json is for 1 false alarms a month; --calibrate sets it again" in again.stderr
        call("monitor", *watched, "--today", "2023-02-05", "--false-alarms", "2", "--calibrate")
        assert json.loads((watched[5] / "limits.json").read_text())["false_alarms"] == 2

    def test_bad_options(self, watched, tmp_path):
        for options, text in (
            (["--today", "ayer"], "--today is 'ayer', expected a day such as 2024-06-03"),
            (["--today", "2023-02-05", "--nights", tmp_path / "none"], "no night before 2023-02-05 in .*none; publish"),
            (["--today", "2023-01-20"], "no night before 2023-01-20 in .*; publish one with: mlworkbook forecast"),
            (["--today", "2023-02-05", "--false-alarms", "9", "--calibrate"], "false_alarms is 9.0, expected a rate"),
        ):
            wrong = call("monitor", *watched, *options)
            assert wrong.exit_code == 2 and re.search(text, wrong.stderr), wrong.stderr


class TestOptions:
    def test_map(self):
        job = Source(map=["fecha=ds, ventas=y", "promo="])
        assert job.columns() == {"fecha": "ds", "ventas": "y", "promo": None}
        assert Source().columns() == {}
        with pytest.raises(ValueError, match="--map is 'ventas', expected the file's column and ours"):
            Source(map=["fecha=ds,ventas"]).columns()

    def test_stores(self):
        assert Source(stores=["2,5", "S07"]).kept() == [2, 5, "S07"]
        assert Source(stores=["2,5"], data=Path("shop.csv")).kept() == ["2", "5"]
        assert Source().kept() is None

    @pytest.mark.parametrize(
        ("job", "name"),
        [
            (Source(), "bakery"),
            (Source(level="chain"), "bakery-chain"),
            (Source(stores=["2,5"]), "bakery-2-5"),
            (Source(data=Path("a b/Mi tienda.v2.csv.gz")), "Mi-tienda"),
            (Source(data=Path("shop.csv"), name="other"), "other"),
        ],
    )
    def test_other_data_are_another_model(self, job, name):
        assert job.called() == name and not set(name) & set("/:.%\"'")

    @pytest.mark.parametrize("costs", ["1", "a,b", "1,2,3", ""])
    def test_costs(self, costs):
        with pytest.raises(ValueError, match=f"--costs is '{costs}', expected two numbers"):
            prices(Job(costs=costs))

    def test_workers(self):
        assert processes(Job(workers=3)) == 3 and 1 <= processes(Job()) <= 4
        with pytest.raises(ValueError, match="--workers is -1, expected 0"):
            processes(Job(workers=-1))

    def test_days_and_clocks(self):
        assert evening(Job(today="2024-06-03")) == pd.Timestamp("2024-06-03")
        assert evening(Job()) is None, "nobody looks at the clock for the bundled sales"
        assert evening(Job(data=Path("shop.csv"))) == pd.Timestamp.today().normalize()
        with pytest.raises(ValueError, match="--today is '3/6/24', expected a day such as 2024-06-03"):
            evening(Job(today="3/6/24"))

    def test_added_recipes(self):
        added = ["auto_ets", "short=mine:forecast", 'slow={"recipe": "mstl", "settings": {"window": 90}}']
        found = recipes(Job(add=added))
        assert list(found)[-3:] == ["auto_ets", "short", "slow"] and len(found) == len(recipes(Job())) + 3
        assert (found["auto_ets"].name, found["short"].name) == ("auto_ets", "mine:forecast")
        assert (found["slow"].name, found["slow"].settings) == ("mstl", {"window": 90})
        assert recipes(Job(engine="prophet"))["prophet"].settings == {"engine": "prophet"}
        with pytest.raises(ValueError, match="--engine is 'arima', expected solver or prophet"):
            recipes(Job(engine="arima"))

    def test_costs_and_spans_reach_the_agreement(self):
        asked = Job(costs="1,2", initial=300, period=30, horizon=7)
        plan = agreed(asked)
        assert (plan.costs.over_eur, plan.costs.under_eur, plan.initial, plan.period) == (1, 2, 300, 30)
        assert (plan.horizon, plan.rest) == (7, 7)
        assert agreed(Job(costs="1,2")).rest == 14, "a horizon of two weeks rests two weeks"

    def test_days_between_trainings_reach_the_agreement(self, monkeypatch):
        plans = []
        monkeypatch.setattr(nightly, "load", lambda job: make_sales(0, series=1, days=100, horizon=7))
        monkeypatch.setattr(pipeline, "retrain", lambda name, history, plan, **_: plans.append(plan))
        call("retrain", "--every", 21)
        assert plans[0].every == 21

    def test_one_is_no_plural(self):
        assert [counted(number, "day") for number in (0, 1, 1200)] == ["0 days", "1 day", "1,200 days"]
        assert counted(1, "story", "stories") == "1 story" and counted(2, "story", "stories") == "2 stories"


class TestExitCodes:
    @pytest.mark.parametrize(
        ("error", "code", "text"),
        [
            (DataError("y is -1"), 2, "Error: y is -1\n"),
            (OSError(28, "No space left on device"), 2, "Error: [Errno 28] No space left on device\n"),
            (Refused("worse than the baseline"), 3, "Error: worse than the baseline\n"),
            (KeyboardInterrupt(), 130, "interrupted: what was finished is kept, the same command goes on from there\n"),
            (
                RuntimeError("odd"),
                1,
                "Error: RuntimeError: odd\nthis was not expected: --verbose shows where it happened\n",
            ),
        ],
    )
    def test_every_failure_has_its_number(self, capsys, error, code, text):
        with pytest.raises(Exit) as left, exit_codes(False):
            raise error
        assert left.value.exit_code == code
        assert capsys.readouterr() == ("", text)

    def test_cause_inside_an_unexpected_error(self, capsys):
        with pytest.raises(Exit) as left, exit_codes(False):
            try:
                raise OSError(28, "No space left on device")
            except OSError as error:
                raise RuntimeError("could not write") from error
        assert left.value.exit_code == 2 and "No space left" in capsys.readouterr().err

    def test_verbose_shows_the_place(self, capsys):
        with pytest.raises(Exit), exit_codes(True):
            raise RuntimeError("odd")
        assert "Traceback" in capsys.readouterr().err

    @pytest.mark.parametrize("words", [["fly"], ["run", "--horizon", "two"], ["run", "--nothing"], ["student"]])
    def test_wrong_words(self, words):
        done = call(*words)
        assert done.exit_code == 2 and done.stdout == "" and done.stderr

    def test_help_of_every_command(self):
        whole = call("--help")
        assert whole.exit_code == 0 and "Exit codes: 0 fine" in whole.stdout
        names = ["run", "data", "backtest", "train", "promote", "rollback", "forecast", "progress", "student", "ui"]
        names += ["gitflow", "serve", "monitor", "retrain", "stores", "capstone", "grade", "gameday"]
        for name in names:
            assert f"\n  {name} " in whole.stdout
            assert call(name, "--help").exit_code == 0


class TestData:
    def test_makes_and_checks_a_shop(self, tmp_path):
        made = call("data", "--make", tmp_path / "a.csv", "--series", 3, "--days", 100)
        assert made.exit_code == 0 and "1 shop" not in made.stdout
        table = pd.read_csv(tmp_path / "a.csv")
        assert table["unique_id"].nunique() == 3
        seen = json.loads(call("data", "--data", tmp_path / "a.csv", "--json").stdout)
        assert seen["series"] == 3 and seen["known"] == ["promo"] and len(seen["stores"]) == 3
        assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]

    def test_parquet_and_csv_hold_the_same(self, tmp_path):
        for name in ("a.csv", "a.parquet"):
            assert call("data", "--make", tmp_path / name, "--series", 2, "--days", 100).exit_code == 0
        one, two = (
            json.loads(call("data", "--data", tmp_path / name, "--json").stdout) for name in ("a.csv", "a.parquet")
        )
        assert one == two

    @pytest.mark.parametrize("spoil", ["", "text", "small", "map"])
    def test_a_large_file_is_handed_on(self, tmp_path, monkeypatch, spoil):
        path, sales = tmp_path / "a.parquet", make_sales(0, series=2, days=100, horizon=14)
        sales.assign(**{"shelf": "low"} if spoil == "text" else {}).to_parquet(path, index=False)
        monkeypatch.setattr(publishing, "MOST", 10**6 if spoil == "small" else 100)
        monkeypatch.setattr(nightly, "load", lambda job: "loaded")
        mapped = ["ventas=y"] if spoil == "map" else None
        assert nightly._sold(Job(data=path, map=mapped)) == ("loaded" if spoil else path)

    def test_never_over_a_file(self, tmp_path):
        path = tmp_path / "mine.csv"
        path.write_text("mine")
        done = call("data", "--make", path)
        assert done.exit_code == 2 and "exists already" in done.stderr and path.read_text() == "mine"

    def test_needs_a_known_ending(self, tmp_path):
        done = call("data", "--make", tmp_path / "a.xlsx")
        assert done.exit_code == 2 and "ends in .csv or .parquet" in done.stderr and not list(tmp_path.iterdir())

    def test_columns_by_other_names(self, tmp_path):
        days = pd.date_range("2024-01-01", periods=30).strftime("%Y-%m-%d")
        pd.DataFrame({"fecha": days, "ventas": 5, "nota": "x"}).to_csv(tmp_path / "a.csv", index=False)
        done = call("data", "--data", tmp_path / "a.csv", "--map", "fecha=ds,ventas=y,nota=", "--json")
        assert json.loads(done.stdout)["units"] == 150

    def test_quiet_says_nothing(self, shop):
        done = call("data", "--data", shop, "--quiet")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")

    def test_what_is_left_out_is_said(self, shop):
        table = pd.read_csv(shop)
        ended = table[(table["unique_id"] != "S02") | (table["ds"] < "2022-12-01")]
        ended.to_csv(shop, index=False)
        done = call("data", "--data", shop, "--drop-ended", "--json", "--quiet")
        assert json.loads(done.stdout)["series"] == 1 and "S02" in done.stderr

    def test_missing_days_may_be_closed_days(self, shop):
        table = pd.read_csv(shop)
        gaps = table[table["ds"] != "2022-06-01"]
        gaps.to_csv(shop, index=False)
        refused = call("data", "--data", shop)
        assert refused.exit_code == 2 and "in the terminal: --fill-gaps" in refused.stderr
        assert call("data", "--data", shop, "--fill-gaps").exit_code == 0


class TestCourse:
    def test_progress_counts_what_is_solved(self):
        before = json.loads(call("progress", "--json").stdout)
        remember("cli.retry")
        after = json.loads(call("progress", "--json").stdout)
        assert before["solved"] == 0 and after["solved"] == 1 and after["total"] == before["total"] >= 3
        assert {"lesson": "53_night", "solved": 1, "total": 3} in after["lessons"]
        assert "1 of" in call("progress").stdout

    def test_student_never_overwrites(self, tmp_path):
        assert call("student", tmp_path / "mine").exit_code == 0
        lesson = tmp_path / "mine" / "deploy" / "53_night.ipynb"
        assert "raise NotImplementedError" in lesson.read_text(encoding="utf-8")
        lesson.write_text("my work")
        again = call("student", tmp_path / "mine")
        assert "0 lessons written" in again.stdout and lesson.read_text() == "my work"

    def test_student_refuses_a_file(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        done = call("student", tmp_path / "file")
        assert done.exit_code == 2 and "choose another name" in done.stderr


class TestProject:
    def test_stages_checks_the_evidence_again(self):
        folder = workspace() / "project"
        empty = call("stages", "--json")
        assert empty.exit_code == 0 and not json.loads(empty.stdout)["closed"] and not folder.exists()
        report = write_atomic(folder / "kpi.json", b"{}")
        record(folder, "discover", "kpi", file=report, signed_by="Carmen Ruiz", signed_on="2019-05-06")
        shown = " ".join(call("stages").stdout.split())
        assert "1 of 19 deliverables met" in shown and "signed by Carmen Ruiz on 2019-05-06" in shown
        report.write_text("{} ")
        states = {
            row["deliverable"]: row["state"] for row in json.loads(call("stages", "--json").stdout)["deliverables"]
        }
        assert states["kpi"] == "invalid" and states["question"] == "missing"

    def test_an_open_gate_has_its_exit_code(self):
        refused = call("stages", "--stage", "discover")
        assert refused.exit_code == 3 and "the gate of discover is open: 5 of 5" in refused.stderr
        folder = workspace() / "elsewhere"
        for entry in deliverables("discover"):
            record(folder, "discover", entry.key, file=write_atomic(folder / entry.key, b"done"))
        assert call("stages", "--stage", "discover", "--folder", folder).exit_code == 0
        wrong = call("stages", "--stage", "dance")
        assert wrong.exit_code == 2 and "expected one of discover, play" in wrong.stderr

    def test_doctor_counts_required_tools_only(self, monkeypatch):
        from mlworkbook.course import doctor

        def pretend(*states):
            found = [
                doctor.Finding(f"t{n}", f"Tool {n}", state, "", "", "why", "get it", required)
                for n, (state, required) in enumerate(states)
            ]
            monkeypatch.setattr(doctor, "checkup", lambda: found)

        pretend(("found", True), ("missing", False), ("too old", False))
        well = call("doctor", "--json")
        assert well.exit_code == 0 and json.loads(well.stdout)["healthy"]
        assert json.loads(well.stdout)["tools"][1]["next_command"] == "get it"
        pretend(("found", True), ("broken", True))
        ill = call("doctor")
        assert ill.exit_code == 3 and "al curso le falta: Tool 1;" in ill.stderr and "get it" in ill.stdout
        monkeypatch.setenv("MLWORKBOOK_LANG", "en")
        ill = call("doctor")
        assert "the course needs Tool 1;" in ill.stderr and "✘ Tool 1" in ill.stdout and "broken" in ill.stdout

    @pytest.mark.slow
    def test_doctor_looks_at_this_machine(self):
        began = time.monotonic()
        done = start("doctor", "--json", env=os.environ | {"JIRA_TOKEN": "s3cr3t-value"})
        out, err = done.communicate(timeout=60)
        assert done.returncode in (0, 3) and time.monotonic() - began < 20
        states = {tool["tool"]: tool["state"] for tool in json.loads(out)["tools"]}
        assert states["python"] == "found" and "s3cr3t" not in out + err

    def test_backlog_checks_and_exports(self, tmp_path):
        own = Path(__file__).parent.parent / "backlog.yaml"
        done = call("backlog", "--file", own, "--csv", tmp_path / "j.csv", "--github", tmp_path / "g.json", "--json")
        about = json.loads(done.stdout)
        assert done.exit_code == 0 and about["stories"] == len(json.loads((tmp_path / "g.json").read_text())) >= 12
        assert about["invest"] == [] and len(pd.read_csv(tmp_path / "j.csv")) > about["stories"]
        (tmp_path / "bad.yaml").write_text("version: 1\nprojekt: x\n")
        bad = call("backlog", "--file", tmp_path / "bad.yaml")
        assert bad.exit_code == 2 and "bad.yaml, line 2: projekt is no known field" in bad.stderr
        assert call("backlog", "--file", own, "--send").exit_code == 2

    def test_backlog_sends_only_when_told(self, monkeypatch):
        own = Path(__file__).parent.parent / "backlog.yaml"
        monkeypatch.setenv("JIRA_EMAIL", "me@example.com")
        monkeypatch.setenv("JIRA_TOKEN", "s3cr3t")
        with serve() as jira:
            words = ["backlog", "--file", own, "--jira", jira.url, "--project", "PAN"]
            assert "nothing was created: add --send" in call(*words).stdout and not jira.issues
            sent = call(*words, "--send", "--json")
            assert {row["state"] for row in json.loads(sent.stdout)["jira"]} == {"created"}
            assert {row["state"] for row in json.loads(call(*words, "--send", "--json").stdout)["jira"]} == {"exists"}
            jira.faults = [("serverInfo", 401, 0)]
            refused = call(*words, "--verbose")
            assert refused.exit_code == 2 and "check JIRA_EMAIL and JIRA_TOKEN" in refused.stderr
            assert "s3cr3t" not in refused.stderr + refused.stdout

    def test_gitflow_judges_a_repository(self, tmp_path):
        repo = Repository(tmp_path / "a repo")
        repo.commit("Start")
        repo.git("branch", "develop")
        lawful = call("gitflow", repo.path, "--json")
        assert (
            lawful.exit_code == 0
            and json.loads(lawful.stdout)["lawful"]
            and "no rule" in call("gitflow", repo.path).stdout
        )
        for number in range(22):
            repo.git("branch", f"odd-{number:02}")
        broken = call("gitflow", repo.path)
        assert broken.exit_code == 3 and "22 broken rules of Gitflow in" in broken.stderr
        assert "git branch --move feature/odd-19" in broken.stdout and "odd-20" not in broken.stdout
        assert "and 2 more: --json" in broken.stdout
        rows = json.loads(call("gitflow", repo.path, "--json").stdout)["broken"]
        assert [row["rule"] for row in rows] == ["unknown_branch"] * 22 and rows[21]["branch"] == "odd-21"
        assert call("gitflow", repo.path, "--quiet").stdout == ""
        other = call("gitflow", repo.path, "--main", "odd-00", "--develop", "odd-01", "--json")
        assert {row["branch"] for row in json.loads(other.stdout)["broken"]} >= {"main", "develop", "odd-02"}

    @pytest.mark.parametrize(
        ("name", "said"), [("nowhere", "not a folder"), ("file", "not a folder"), ("", "not a git repo")]
    )
    def test_gitflow_needs_a_repository(self, tmp_path, name, said):
        (tmp_path / "file").write_text("")
        refused = call("gitflow", tmp_path / name)
        assert refused.exit_code == 2 and said in refused.stderr and refused.stdout == ""

    def test_only_a_project_of_ones_own_is_run_without_a_sandbox(self, tmp_path):
        (tmp_path / "ana").mkdir()
        done = call("grade", tmp_path, "--mine")
        assert done.exit_code == 2 and "--mine is for one of your own" in done.stderr

    def test_capstone_begins_a_project_and_waits_for_answers(self, tmp_path):
        begun = call("capstone", "start", "--seed", 5, "--folder", tmp_path, "--json")
        assert begun.exit_code == 0 and "forecast.py" in json.loads(begun.stdout)["files"]
        assert call("capstone", "start", "--seed", 5, "--folder", tmp_path).exit_code == 2
        early = call("capstone", "play", "--folder", tmp_path)
        assert early.exit_code == 3 and "the gate of discover is open" in early.stderr
        unknown = call("capstone", "dance", "--folder", tmp_path)
        assert unknown.exit_code == 2 and "expected start, discover, play, develop, deploy" in unknown.stderr

    def test_grade_needs_something_to_grade(self, tmp_path):
        assert "expected one for each submission" in call("grade", tmp_path).stderr
        gone = call("grade", tmp_path / "gone")
        assert gone.exit_code == 2 and gone.stdout == ""

    def test_gitflow_needs_git(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        refused = call("gitflow", tmp_path)
        assert refused.exit_code == 2 and "git was not found" in refused.stderr and "conda install" in refused.stderr

    def test_a_damaged_journal_is_told(self):
        folder = workspace() / "project"
        write_atomic(folder / "evidence.jsonl", b'{"format": 99}\n')
        told = call("stages")
        assert told.exit_code == 2 and "upgrade mlworkbook" in told.stderr


def start(*words, **options):
    "A command in a process of its own, able to receive Ctrl-C."
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*MLWORKBOOK, *map(str, words)], **pipes, **options)


EVENING = "2023-02-10"
KEYS = {"name", "version", "recipe", "forecast", "opened", "ended", "leaderboard", "serves", "evenings", "days"}
KEYS |= {"failures", "decision", "files"}
SPAN = {"date", "state", "rows", "units", "first", "last"}


def write_until(path, evening, *, ahead=14, **changes):
    "Write the sales of two made-up stores as a till sends them that evening, the calendar of the next days included."
    rows, evening = make_sales(0, series=2, days=430, horizon=14), pd.Timestamp(evening)
    rows = rows[rows["ds"] <= evening + pd.Timedelta(days=ahead)]
    rows.assign(y=rows["y"].where(rows["ds"] <= evening), **changes).to_csv(path, index=False)
    return path


def without(path, column="", series=""):
    "Take a column or a series out of a file."
    rows = pd.read_csv(path)
    rows = rows.drop(columns=column) if column else rows[rows["unique_id"] != series]
    rows.to_csv(path, index=False)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    "A home in which `run` was called once, as a person does: in a process of its own; what it said."
    folder = tmp_path_factory.mktemp("served")
    home, sales = folder / "home", write_until(folder / "shop.csv", EVENING)
    words = ["run", "--data", sales, "--today", EVENING, *SMALL, "--json"]
    running = start(*words, env=os.environ | {"MLWORKBOOK_HOME": str(home)})
    out, err = running.communicate(timeout=280)
    assert running.returncode == 0, err
    return home, json.loads(out), err


@pytest.fixture
def served(first_run, tmp_path, monkeypatch):
    "A copy of that home, and today's file: `--data` and all other options of an evening."
    shutil.copytree(first_run[0], tmp_path / "home")
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path / "home"))
    sales = write_until(tmp_path / "shop.csv", EVENING)
    return ["--data", sales, "--name", "shop", "--today", EVENING, *SMALL]


def nights():
    "Bytes of every published night, by date."
    paths = sorted((workspace() / "out" / "shop" / "forecast").glob("date=*/forecast.parquet"))
    return {path.parent.name[5:]: path.read_bytes() for path in paths}


def registered():
    "Numbers of all versions, and those that have an alias."
    client = connect()
    found = client.search_model_versions("name = 'shop'")
    aliases = client.get_registered_model("shop").aliases
    return sorted(int(one.version) for one in found), {alias: str(number) for alias, number in aliases.items()}


def refuses(text, *words, code=2):
    "A sentence, an exit code, nothing on the output stream, and the shop's nights and versions as they were."
    before = nights(), registered()
    done = call(*words)
    assert done.exit_code == code and done.stdout == "", done.output
    last = done.stderr[done.stderr.index("Error: ") :]
    assert re.search(text, last) and "Traceback" not in done.stderr and "unexpected" not in last, done.stderr
    assert (nights(), registered()) == before and before[0]


@pytest.mark.slow
class TestRun:
    def test_the_first_one(self, first_run):
        home, result, said = first_run
        assert set(result) == KEYS and set(result["forecast"]) == SPAN
        assert (result["name"], result["version"], result["serves"]) == ("shop", "1", "team")
        assert result["forecast"]["date"] == EVENING and result["forecast"]["rows"] == 14
        assert (result["forecast"]["first"], result["forecast"]["last"]) == ("2023-02-11", "2023-02-17")
        assert (result["evenings"], result["days"]) == (4, 28), "days are counted once, not once for each store"
        models = {row["model"] for row in result["leaderboard"]}
        assert models == {"team", "team's order", "prophet", "boosting", "mstl", "seasonal_naive"}
        costs = [row["eur_per_day"] for row in result["leaderboard"]]
        assert costs == sorted(costs) and result["decision"]["action"] == "promoted"
        assert "Traceback" not in said and "warning" not in said.lower() and "plotly" not in said
        assert [line[:12] for line in said.splitlines() if line.startswith("✔")] == [
            "✔ load and c",
            "✔ the evenin",
            "✔ report    ",
        ]
        night = pd.read_parquet(result["files"]["forecast"], partitioning=None)
        assert night["yhat"].sum() == pytest.approx(result["forecast"]["units"])
        page = (home / "out" / "shop" / "report.html").read_text(encoding="utf-8")
        assert "Who forecasts: team" in page and "the interval should hold" in page.lower() and "https://" not in page

    def test_once_more_changes_nothing(self, served, first_run):
        before, page = nights(), (workspace() / "out" / "shop" / "report.html").read_bytes()
        again = call("run", *served, "--json", "--quiet")
        assert again.exit_code == 0
        assert all("was moved" in line for line in again.stderr.splitlines())  # the workspace is a copy: said once
        result, first = json.loads(again.stdout), first_run[1]
        assert result["forecast"] == first["forecast"] | {"state": "unchanged"} and result["decision"] is None
        same = KEYS - {"forecast", "decision", "files"}
        assert {key: result[key] for key in same} == {key: first[key] for key in same}
        assert nights() == before and registered() == ([1], {"champion": "1"})
        assert (workspace() / "out" / "shop" / "report.html").read_bytes().count(b"<img") == page.count(b"<img")
        assert call("run", *served, "--quiet").output == ""
        late = call("run", *served, "--today", "2023-02-11", "--quiet")
        assert f"warning: no newer sales came: the newest are of {EVENING}" in late.stderr and not late.stdout
        assert "no newer sales came" in call("forecast", *served, "--today", "2023-02-11", "--quiet").stderr
        shown = call("run", *served)
        assert f"Tomorrow morning: mlworkbook monitor --data {shlex.quote(str(served[1]))} --name shop" in shown.stdout
        assert re.search(r"prophet +[\d.]+% +[+-][\d.]+% +\d+% +[\d.]+", shown.stdout)
        assert "Who forecasts: team" in shown.stdout and "Tomorrow morning: mlworkbook monitor" in shown.stdout

    def test_the_steps_say_the_same(self, served, first_run):
        nightly = json.loads(call("forecast", *served, "--json").stdout)
        assert set(nightly) == {"name", "version", "recipe", "forecast", "opened", "ended", "files"}
        assert nightly["forecast"] == first_run[1]["forecast"] | {"state": "unchanged"}
        table = json.loads(call("backtest", *served, "--json").stdout)
        assert table["leaderboard"] == first_run[1]["leaderboard"] and table["serves"] == "team"
        assert (table["evenings"], table["days"], table["failures"]) == (4, 28, [])
        assert "version 1: team is champion" in call("train", *served).stdout
        assert registered() == ([1], {"champion": "1"})

    def test_the_first_morning_has_nothing_to_judge(self, served):
        morning = call("monitor", *served, "--today", "2023-02-11")
        assert morning.exit_code == 0 and "nothing to judge yet on 2023-02-11" in morning.stdout
        found = json.loads(call("monitor", *served, "--today", "2023-02-11", "--json").stdout)
        assert (found["alarms"], found["days"], found["night"]) == ([], 0, EVENING)
        assert Path(found["files"]["page"]).is_file()

    def test_tomorrow_has_a_night_of_its_own(self, served):
        before = nights()
        write_until(served[1], "2023-02-12")
        late = [*served, "--today", "2023-02-12"]
        made = json.loads(call("forecast", *late, "--json").stdout)
        assert (made["forecast"]["date"], made["forecast"]["first"]) == ("2023-02-12", "2023-02-13")
        assert list(nights()) == [EVENING, "2023-02-12"] and nights()[EVENING] == before[EVENING]
        judged = json.loads(call("monitor", *served, "--today", "2023-02-13", "--json").stdout)
        assert judged["days"] == 2 and judged["night"] == "2023-02-12"
        assert [one for one in judged["alarms"] if one["kind"] == "freshness"] == []
        stale = call("monitor", *served, "--today", "2023-02-15")
        assert stale.exit_code == 4 and "the last published night is 2023-02-12" in stale.stdout

    def test_a_corrected_past_replaces_the_night(self, served):
        before, rows = nights(), pd.read_csv(served[1])
        rows.loc[rows.index[rows["ds"] == "2023-02-09"], "y"] += 40
        rows.to_csv(served[1], index=False)
        again = json.loads(call("forecast", *served, "--json").stdout)
        assert again["forecast"]["state"] == "replaced" and nights()[EVENING] != before[EVENING]

    def test_who_loses_changes_nothing_but_the_exit_code(self, served):
        before = nights()
        entered = json.loads(call("train", *served, "--recipe", "mstl", "--json").stdout)
        assert (entered["version"], entered["alias"], entered["serves"]) == ("2", "challenger", "mstl")
        refused = call("promote", *served, "--json")
        assert refused.exit_code == 3 and "shop version 2 refused: a team serves" in refused.stderr
        found = json.loads(refused.stdout)
        assert not found["promoted"] and found["decision"]["action"] == "refused" and found["serves"]
        assert registered()[1] == {"champion": "1", "challenger": "2"} and nights() == before
        alone = call("rollback", "--name", "shop", "--reason", "a test")
        assert alone.exit_code == 3 and "going back would change nothing" in alone.stderr

    def test_a_night_comes_also_when_the_challenger_is_refused(self, served):
        write_until(served[1], "2023-02-11")
        add = ["--add", 'copy={"recipe": "seasonal_naive", "settings": {"season": 14}}']
        done = call("run", *served, "--today", "2023-02-11", *add, "--json")
        result = json.loads(done.stdout)
        assert done.exit_code == 0 and result["decision"]["action"] == "refused", result["decision"]
        assert result["forecast"]["date"] == "2023-02-11" and list(nights()) == [EVENING, "2023-02-11"]
        assert result["version"] == "1" and registered() == ([1], {"champion": "1"})
        assert set(result) == KEYS, "the same structure, also when something was refused"
        page = (workspace() / "out" / "shop" / "report.html").read_text(encoding="utf-8")
        assert "refused" in page

    def test_a_way_back_needs_a_name_when_there_are_several(self, served):
        alone = call("rollback", "--reason", "a test")
        assert alone.exit_code == 3 and "going back would change nothing" in alone.stderr
        connect(workspace()).create_registered_model("other")
        assert "--name is missing, expected one of other, shop" in call("rollback", "--reason", "a test").stderr

    def test_rolled_back_and_brought_back(self, tmp_path):
        words = ["--data", write_until(tmp_path / "shop.csv", EVENING), "--today", EVENING, *SMALL]
        first = call("train", *words, "--recipe", "seasonal_naive", "--json")
        assert json.loads(first.stdout)["alias"] == "champion"
        won = json.loads(call("run", *words, "--json").stdout)
        assert won["decision"]["action"] == "promoted" and won["decision"]["previous"] == "1"
        back = call("rollback", "--name", "shop", "--reason", "no bread on Sundays", "--json")
        assert back.exit_code == 0 and json.loads(back.stdout)["decision"]["reason"] == "no bread on Sundays"
        night = json.loads(call("forecast", *words, "--json").stdout)
        assert night["version"] == "1" and night["forecast"]["state"] == "replaced"
        stays = json.loads(call("run", *words, "--json").stdout)
        assert stays["version"] == "1" and "taken out of service" in stays["decision"]["verdict"]
        write_until(words[1], "2023-02-11")
        again = call("retrain", *words, "--today", "2023-02-11", "--json")
        assert again.exit_code == 0 and json.loads(again.stdout)["action"] == "promoted"
        lines = [json.loads(line)["action"] for line in (workspace() / "retrain" / "shop" / "retrain.jsonl").open()]
        done = [one for one in lines if one not in ("begun", "going back")]
        assert done == ["promoted", "rolled back", "promoted"]

    def test_retrained_when_it_is_due(self, served, tmp_path):
        late = [*served, "--date"]
        told = call("retrain", *late, EVENING, "--json", "--who", "ana")
        first = json.loads(told.stdout)
        assert told.exit_code == 0 and (first["action"], first["who"]) == ("promoted", "mlworkbook run"), first
        write_until(served[1], "2023-02-14")
        late[5] = "2023-02-14"
        old = call("retrain", *late, "2023-02-14", "--if-due")
        assert old.exit_code == 2 and "the last published night is 2023-02-10" in old.stderr, "the night comes first"
        assert call("forecast", *served, "--today", "2023-02-14").exit_code == 0
        wait = call("retrain", *late, "2023-02-14", "--if-due", "--json")
        assert wait.exit_code == 0 and json.loads(wait.stdout)["action"] == "wait"
        done = call("retrain", *late, "2023-02-14", "--json", "--who", "ana")
        second = json.loads(done.stdout)
        assert done.exit_code == 0 and (second["version"], second["previous"], second["who"]) == ("2", "1", "ana")
        assert json.loads(call("retrain", *late, "2023-02-14", "--json").stdout) == second
        refuses("before the last decision, of 2023-02-14; set the clock right", "retrain", *late, "2023-02-12")
        refuses("--date is 'Monday', expected a day such as 2024-06-03", "retrain", *late, "Monday")

        write_until(served[1], "2023-02-15")
        late[5] = "2023-02-15"
        assert call("forecast", *served, "--today", "2023-02-15").exit_code == 0
        rows = pd.read_csv(served[1])
        box = pd.to_datetime(rows["ds"]).between("2023-02-13", "2023-02-15")
        rows.assign(y=rows["y"].mask(box, rows["y"] // 12)).to_csv(served[1], index=False)
        before = nights(), registered()
        repair = call("retrain", *late, "2023-02-15", "--if-due", "--every", 1, "--json")
        assert repair.exit_code == 2 and json.loads(repair.stdout)["action"] == "repair"
        assert "repair the data and ask again" in repair.stderr and (nights(), registered()) == before

    def test_interrupted_and_continued(self, tmp_path):
        words = ["run", "--data", write_until(tmp_path / "shop.csv", EVENING), "--today", EVENING, *SMALL]
        running = start(*words, start_new_session=True)
        for _ in range(1200):
            if list((workspace() / "backtest").glob("*.parquet")) or running.poll() is not None:
                break
            time.sleep(0.1)
        out, error = press(running, patience=20)
        assert running.returncode == 130 and out == "", error
        assert "interrupted: what was finished is kept" in error and "Traceback" not in error
        kept = {path: path.stat().st_mtime_ns for path in (workspace() / "backtest").glob("*.parquet")}
        done = call(*words, "--json")
        assert done.exit_code == 0 and json.loads(done.stdout)["version"] == "1"
        now = {path: path.stat().st_mtime_ns for path in (workspace() / "backtest").glob("*.parquet")}
        assert kept and {path: now[path] for path in kept} == kept and len(now) > len(kept)

    def test_two_at_once_wait_for_each_other(self, served):
        both = [start("train", *served, "--recipe", one, "--json") for one in ("mstl", "prophet")]
        said = [one.communicate(timeout=280) for one in both]
        assert [one.returncode for one in both] == [0, 0], said
        assert {json.loads(out)["version"] for out, _ in said} == {"2", "3"}
        numbers, aliases = registered()
        assert numbers == [1, 2, 3] and aliases["champion"] == "1" and aliases["challenger"] in ("2", "3")


@pytest.mark.slow
class TestBadEvenings:
    "Each a sentence and exit code 2, and the last good night untouched."

    @pytest.mark.parametrize("command", ["forecast", "run", "retrain", "train", "monitor"])
    def test_no_file(self, served, command):
        refuses("nobody.csv does not exist, expected a .csv", command, *served, "--data", "nobody.csv")

    def test_an_older_file(self, served):
        write_until(served[1], "2023-02-08")
        for command in ("forecast", "run"):
            refuses(
                f"sales end on 2023-02-08, but the night of {EVENING} is published: this file is older",
                command,
                *served,
            )

    def test_sales_after_today(self, served):
        for command in ("forecast", "run"):
            refuses(f"sales of {EVENING} came on 2023-02-09", command, *served, "--today", "2023-02-09")
        refuses("--today is 'ayer', expected a day such as 2024-06-03", "forecast", *served, "--today", "ayer")
        write_until(served[1], "2023-02-11")
        bad = served[:4] + served[6:]  # no --today: the clock of this machine, long after these sales
        assert json.loads(call("forecast", *bad, "--json").stdout)["forecast"]["date"] == "2023-02-11"

    def test_a_store_that_does_not_come(self, served):
        without(served[1], series="S02")
        for command in ("forecast", "run"):
            refuses("1 of 2 series of the last night.*first 'S02'.*\nin the terminal: --drop-ended", command, *served)
        done = call("forecast", *served, "--drop-ended", "--json")
        result = json.loads(done.stdout)
        assert done.exit_code == 0 and result["ended"] == ["S02"] and result["forecast"]["rows"] == 7
        write_until(served[1], EVENING)
        assert json.loads(call("forecast", *served, "--json").stdout)["opened"] == ["S02"]

    def test_other_stores_altogether(self, served):
        rows = pd.read_csv(served[1])
        rows.assign(unique_id="X" + rows["unique_id"]).to_csv(served[1], index=False)
        for more in ([], ["--drop-ended"]):
            refuses("2 of 2 series of the last night are not in these sales, first 'S01'", "forecast", *served, *more)

    def test_other_columns(self, served):
        without(served[1], column="promo")
        refuses("column 'promo' is missing, expected holiday, promo besides", "forecast", *served)
        write_until(served[1], EVENING, weather=20)
        refuses("column 'weather' is new.*\nin the terminal: --map", "forecast", *served)
        assert call("forecast", *served, "--map", "weather=").exit_code == 0
        done = call("run", *served, "--json")
        result = json.loads(done.stdout)
        assert done.exit_code == 0 and result["decision"], "who serves is examined again with other columns"
        assert call("forecast", *served).exit_code == 0

    def test_a_horizon_beyond_the_known_holidays(self, served):
        for command in ("forecast", "run"):
            refuses("horizon is 20, but nothing says which days are holidays", command, *served, "--horizon", 20)

    @pytest.mark.parametrize(
        ("added", "text"),
        [
            ("croissant", "recipe is 'croissant', expected seasonal_naive, auto_ets"),
            ('x={"recipe": "mstl", "settings": {"speed": 1}}', "recipe 'mstl' has no setting 'speed', expected season"),
            ('x={"recipe": "mstl", "settings": {"season": 0}}', "setting 'season' of 'mstl' is 0, expected a whole"),
            ('x={"recipe"', "recipe is .*, expected .*recipe"),
            ("team=mstl", "recipe 'team' has a name of the leaderboard's own"),
            ("seasonal_naive=mstl", "recipe 'seasonal_naive' has a name of the leaderboard's own"),
        ],
    )
    def test_an_unknown_recipe_or_setting(self, served, added, text):
        refuses(text, "run", *served, "--add", added)

    def test_own_recipes_that_fail_are_left_out_and_named(self, served, tmp_path, monkeypatch):
        write_own(tmp_path, monkeypatch)
        own = [f"--add={name}=mine:{name}" for name in ("stumbles", "holes", "tomorrow", "oracle", "absent")]
        done = call("run", *served, *own, "--add=gone=nowhere:forecast", "--json")
        result = json.loads(done.stdout)
        assert done.exit_code == 0 and result["forecast"]["state"] == "unchanged" and result["decision"] is None
        said = {row["model"]: row["error"] for row in result["failures"]}
        assert "no flour" in said["stumbles"] and "'yhat' is nan in 7 rows" in said["holes"]
        assert "wrong days, first nothing for S01" in said["tomorrow"] and "same whatever was sold" in said["oracle"]
        assert "cannot be imported" in said["absent"] and "put nowhere.py in this folder" in said["gone"]
        assert {row["model"] for row in result["leaderboard"]}.isdisjoint(said)

    @pytest.mark.parametrize(
        ("way", "text"),
        [("stumbles", "no flour"), ("holes", "'yhat' is nan"), ("tomorrow", "lacks 2 days"), ("absent", "imported")],
    )
    def test_an_own_recipe_that_serves_and_fails(self, served, tmp_path, monkeypatch, way, text):
        write_own(tmp_path, monkeypatch)
        history = load_sales(served[1], horizon=7)
        version = pipeline.train(history, Recipe("mine:good"), name="shop", horizon=7)
        connect().set_registered_model_alias("shop", "champion", version)
        good = json.loads(call("forecast", *served, "--json").stdout)
        assert good["version"] == version and good["forecast"]["state"] == "replaced"
        source = (tmp_path / "mine.py").read_text().replace("def good(", "def old(").replace(f"def {way}(", "def good(")
        (tmp_path / "mine.py").write_text(source)
        sys.modules.pop("mine")
        write_until(served[1], "2023-02-11")
        refuses(text, "forecast", *served, "--today", "2023-02-11")

    def test_no_champion(self, served):
        other = [*served, "--name", "other"]
        refuses("'other' has no champion yet; the first run makes one: mlworkbook run", "forecast", *other)
        refuses("'shop' has no challenger; register one with: mlworkbook train", "promote", *served)
        refuses("'other' has no champion; there is nothing to go back from", "rollback", "--name", "other")
        refuses("no night before 2023-02-11", "monitor", *other, "--today", "2023-02-11")
        refuses("name is 'a/b', expected letters", "forecast", *served, "--name", "a/b")

    def test_a_champion_of_a_newer_format(self, served, monkeypatch):
        connect().delete_registered_model_alias("shop", "champion")
        with monkeypatch.context() as newer:
            newer.setattr(versions, "FORMAT", 99)
            version = pipeline.train(load_sales(served[1], horizon=7), Recipe("mstl"), name="shop", horizon=7)
        text = f"version {version} of 'shop' cannot serve: recipe.json has format 99, this version reads 2; update"
        refuses(text, "forecast", *served)
        healed = call("run", *served, "--json")
        assert healed.exit_code == 0 and f"warning: {text}" in healed.stderr
        assert json.loads(healed.stdout)["serves"] == "team" and registered()[1]["champion"] != version

    def test_a_champion_of_older_days_still_serves(self, served):
        history = load_sales(served[1], horizon=7)
        with start_run("older days", experiment="shop"):
            version = log_panel(Forecaster(Params(), SOLVER).fit(history), "shop", alias="champion")
        night = json.loads(call("forecast", *served, "--json").stdout)
        assert (night["version"], night["recipe"]["recipe"]) == (version, "prophet")
        assert night["forecast"]["state"] == "replaced" and night["forecast"]["rows"] == 14

    def test_damaged_files_of_the_champion(self, served):
        for path in (workspace() / "mlartifacts").rglob("recipe.json"):
            path.write_text(path.read_text().replace("0.25", "0.75"))
        refuses("version 1 of 'shop' cannot serve", "forecast", *served)
        healed = call("run", *served, "--json")
        assert healed.exit_code == 0 and "takes its place" in healed.stderr
        assert json.loads(healed.stdout)["version"] == "2"

    def test_a_folder_in_use_or_closed(self, served, monkeypatch):
        for owner in (publishing, pipeline, decisions):
            monkeypatch.setattr(owner, "WAIT", 0.2)
        with only_one(workspace() / "out" / "shop"):
            refuses("another process is writing in .*; wait until it ends", "forecast", *served)
        with only_one(workspace() / "retrain" / "shop"):
            refuses("another process is writing in", "retrain", *served, "--date", EVENING)
        (workspace() / "file").write_text("")
        refuses("cannot write in .*file", "forecast", *served, "--out", workspace() / "file" / "out")


OWN = """
import numpy as np
from mlworkbook.baselines import seasonal_naive

def good(rows, horizon): return seasonal_naive(rows, horizon)[["unique_id", "ds", "yhat"]]
def stumbles(rows, horizon): raise RuntimeError("no flour")
def holes(rows, horizon): return good_(rows, horizon).assign(yhat=np.nan)
def tomorrow(rows, horizon): return good_(rows, horizon).assign(ds=lambda table: table["ds"] + np.timedelta64(1, "D"))
def oracle(rows, horizon): return good_(rows, horizon).assign(yhat=5.0)
def good_(rows, horizon): return seasonal_naive(rows, horizon)[["unique_id", "ds", "yhat"]]
"""


def write_own(folder, monkeypatch):
    "Recipes of one's own, in the current folder."
    (folder / "mine.py").write_text(OWN)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
