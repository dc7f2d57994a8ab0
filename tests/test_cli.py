"The terminal: what comes out on which stream, exit codes, and a whole run that repeats itself."

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from ctrl_c import press
from jira_server import serve
from mlworkbook import cli
from mlworkbook.baselines import seasonal_naive
from mlworkbook.batch import only_one
from mlworkbook.exercises import remember, workspace, write_atomic
from mlworkbook.gitflow import Repository
from mlworkbook.sales import make_sales
from mlworkbook.stages import deliverables, record

MLWORKBOOK = [sys.executable, "-c", "from mlworkbook.cli import main; main()"]
SMALL = ["--initial", "300", "--period", "150", "--workers", "1"]


def call(*words):
    "A command in this process."
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture
def shop(tmp_path):
    "A file with two made-up stores."
    path = tmp_path / "shop.csv"
    make_sales(0, series=2, days=400, horizon=14).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    "Options of `monitor` for a made-up shop with a week of published nights."
    from mlworkbook.baselines import seasonal_naive
    from mlworkbook.batch import run_batch

    folder = tmp_path_factory.mktemp("watched")
    history = make_sales(3, series=2, days=400, horizon=14)
    for date in pd.date_range("2023-01-28", "2023-02-04"):  # the last day with sales
        run_batch(history, seasonal_naive, 7, folder / "nights", model="last week", date=date)
    history.to_csv(folder / "shop.csv", index=False)
    return ["--data", folder / "shop.csv", "--nights", folder / "nights", "--out", folder, *SMALL[:2], "--workers", "1"]


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
            (["--today", "2023-02-05", "--nights", tmp_path / "none"], "is no folder, expected the nights"),
            (["--today", "2023-01-20"], "no night in .* counts"),
            (["--today", "2023-02-05", "--false-alarms", "9", "--calibrate"], "false_alarms is 9.0, expected a rate"),
        ):
            wrong = call("monitor", *watched, *options)
            assert wrong.exit_code == 2 and re.search(text, wrong.stderr), wrong.stderr


class TestOptions:
    def test_map(self):
        job = cli.Source(map=["fecha=ds, ventas=y", "promo="])
        assert job.columns() == {"fecha": "ds", "ventas": "y", "promo": None}
        assert cli.Source().columns() == {}
        with pytest.raises(ValueError, match="--map is 'ventas', expected the file's column and ours"):
            cli.Source(map=["fecha=ds,ventas"]).columns()

    def test_stores(self):
        assert cli.Source(stores=["2,5", "S07"]).kept() == [2, 5, "S07"]
        assert cli.Source(stores=["2,5"], data=Path("shop.csv")).kept() == ["2", "5"]
        assert cli.Source().kept() is None

    @pytest.mark.parametrize(
        ("job", "name"),
        [
            (cli.Source(), "bakery"),
            (cli.Source(level="chain"), "bakery-chain"),
            (cli.Source(stores=["2,5"]), "bakery-2-5"),
            (cli.Source(data=Path("a b/Mi tienda.v2.csv.gz")), "Mi-tienda"),
            (cli.Source(data=Path("shop.csv"), name="other"), "other"),
        ],
    )
    def test_other_data_are_another_model(self, job, name):
        assert job.called() == name and not set(name) & set("/:.%\"'")

    @pytest.mark.parametrize("costs", ["1", "a,b", "1,2,3", ""])
    def test_costs(self, costs):
        with pytest.raises(ValueError, match=f"--costs is '{costs}', expected two numbers"):
            cli.Job(costs=costs).prices()

    def test_workers(self):
        assert cli.Job(workers=3).processes() == 3 and 1 <= cli.Job().processes() <= 4
        with pytest.raises(ValueError, match="--workers is -1, expected 0"):
            cli.Job(workers=-1).processes()


class TestExitCodes:
    @pytest.mark.parametrize(
        ("error", "code", "text"),
        [
            (ValueError("y is -1"), 2, "Error: y is -1\n"),
            (OSError(28, "No space left on device"), 2, "Error: [Errno 28] No space left on device\n"),
            (cli.Refused("worse than the baseline"), 3, "Error: worse than the baseline\n"),
            (KeyboardInterrupt(), 130, "interrupted: what was finished is kept, the same command goes on from there\n"),
            (
                RuntimeError("odd"),
                1,
                "Error: RuntimeError: odd\nthis was not expected: --verbose shows where it happened\n",
            ),
        ],
    )
    def test_every_failure_has_its_number(self, capsys, error, code, text):
        with pytest.raises(cli.typer.Exit) as left, cli.exit_codes(False):
            raise error
        assert left.value.exit_code == code
        assert capsys.readouterr() == ("", text)

    def test_cause_inside_an_unexpected_error(self, capsys):
        with pytest.raises(cli.typer.Exit) as left, cli.exit_codes(False):
            try:
                raise OSError(28, "No space left on device")
            except OSError as error:
                raise RuntimeError("could not write") from error
        assert left.value.exit_code == 2 and "No space left" in capsys.readouterr().err

    def test_verbose_shows_the_place(self, capsys):
        with pytest.raises(cli.typer.Exit), cli.exit_codes(True):
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
        assert {"lesson": "58_cli", "solved": 1, "total": 3} in after["lessons"]
        assert "1 of" in call("progress").stdout

    def test_student_never_overwrites(self, tmp_path):
        assert call("student", tmp_path / "mine").exit_code == 0
        lesson = tmp_path / "mine" / "deploy" / "58_cli.ipynb"
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
        from mlworkbook import tools

        def pretend(*states):
            found = [
                tools.Finding(f"t{n}", f"Tool {n}", state, "", "", "why", "get it", required)
                for n, (state, required) in enumerate(states)
            ]
            monkeypatch.setattr(tools, "doctor", lambda machine: found)

        pretend(("found", True), ("missing", False), ("too old", False))
        well = call("doctor", "--json")
        assert well.exit_code == 0 and json.loads(well.stdout)["healthy"]
        assert json.loads(well.stdout)["tools"][1]["next_command"] == "get it"
        pretend(("found", True), ("broken", True))
        ill = call("doctor")
        assert ill.exit_code == 3 and "the course needs Tool 1" in ill.stderr and "get it" in ill.stdout

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
        assert bad.exit_code == 2 and "bad.yaml, line 2: 'projekt' is no known key" in bad.stderr
        assert call("backlog", "--file", own, "--send").exit_code == 2

    def test_backlog_sends_only_when_told(self, monkeypatch):
        monkeypatch.setattr("mlworkbook.backlog.SETTLE", 0)
        own = Path(__file__).parent.parent / "backlog.yaml"
        monkeypatch.setenv("JIRA_EMAIL", "me@example.com")
        monkeypatch.setenv("JIRA_TOKEN", "s3cr3t")
        with serve() as jira:
            words = ["backlog", "--file", own, "--jira", jira.url, "--project", "PAN"]
            assert "nothing was created: add --send" in call(*words).stdout and not jira.issues
            sent = call(*words, "--send", "--json")
            assert {row["state"] for row in json.loads(sent.stdout)["jira"]} == {"created"}
            assert {row["state"] for row in json.loads(call(*words, "--send", "--json").stdout)["jira"]} == {"exists"}
            jira.fail("serverInfo", 401)
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
        ("name", "said"), [("nowhere", "does not exist"), ("file", "is a file"), ("", "is not in a git")]
    )
    def test_gitflow_needs_a_repository(self, tmp_path, name, said):
        (tmp_path / "file").write_text("")
        refused = call("gitflow", tmp_path / name)
        assert refused.exit_code == 2 and said in refused.stderr and refused.stdout == ""

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


@pytest.mark.slow
class TestRun:
    def test_a_whole_night_and_the_next_ones(self, shop, tmp_path):
        words = ["run", "--data", shop, *SMALL, "--out", tmp_path / "out"]
        first = start(*words, "--json").communicate(timeout=280)
        result = json.loads(first[0])
        assert [row["model"] for row in result["league"]][-1] != "prophet"
        assert result["version"] == "1" and result["forecast"]["rows"] == 28
        assert "Traceback" not in first[1] and "warning" not in first[1].lower() and "plotly" not in first[1]
        assert [line[:14] for line in first[1].splitlines() if line.startswith("✔")][-2:] == [
            "✔ forecast    ",
            "✔ report      ",
        ]
        page = Path(result["files"]["report"]).read_bytes()
        night = Path(result["files"]["forecast"]).read_bytes()
        assert b"an interval should" in page.lower() and b"https://" not in page

        again = call(*words, "--json", "--quiet")
        assert again.stderr == "" and again.exit_code == 0
        second = json.loads(again.stdout)
        assert second["forecast"].pop("state") == "unchanged"
        assert second == {**result, "forecast": second["forecast"]} and result["forecast"].pop("state") == "written"
        assert second["forecast"] == result["forecast"]
        assert Path(result["files"]["report"]).read_bytes() == page
        assert Path(result["files"]["forecast"]).read_bytes() == night
        assert call(*words, "--quiet").stdout == ""

        shown = call(*words)
        assert re.search(r"prophet +[\d.]+% +[+-][\d.]+% +\d+% +[\d.]+", shown.stdout)
        assert "make lab" in shown.stdout and "make ui" in shown.stdout

        nightly = call("forecast", "--data", shop, "--json", "--out", tmp_path / "out")
        assert json.loads(nightly.stdout)["state"] == "unchanged"
        table = call("backtest", "--data", shop, *SMALL, "--json")
        assert json.loads(table.stdout)["league"] == result["league"]
        assert "version 1 is champion" in call("train", "--data", shop, *SMALL).stdout
        none = call("promote", "--data", shop, *SMALL)
        assert none.exit_code == 2 and "no challenger" in none.stderr
        alone = call("rollback", "--name", "shop")
        assert alone.exit_code == 2 and "replaced no champion" in alone.stderr

        later = pd.read_csv(shop)
        later.loc[(later["y"] > 0).idxmax(), "y"] += 1
        later.to_csv(shop, index=False)
        renewed = json.loads(call(*words, "--json", "--quiet").stdout)
        assert renewed["version"] == "2" and renewed["forecast"]["state"] == "replaced"
        back = call("rollback", "--name", "shop", "--reason", "a test")
        assert back.exit_code == 0 and "version 1 is champion again" in back.stdout
        assert (
            json.loads(call("forecast", "--data", shop, "--json", "--out", tmp_path / "out").stdout)["version"] == "1"
        )

    def test_retrained_when_it_is_due(self, shop, tmp_path):
        words = ["--data", shop, *SMALL, "--out", tmp_path / "out", "--horizon", 7]
        empty = call("retrain", *words, "--date", "2022-12-01", "--json", "--who", "ana")
        first = json.loads(empty.stdout)
        assert empty.exit_code == 0 and (first["action"], first["version"], first["who"]) == ("promoted", "1", "ana")
        again = call("retrain", *words, "--date", "2022-12-01", "--json")
        assert json.loads(again.stdout) == first and again.exit_code == 0
        for date, said in [
            ("2022-11-30", "before the last decision, of 2022-12-01; set the clock right"),
            ("2022-12-03", "ask again on 2022-12-08 or later"),
            ("2029-01-01", "expected a day with sales"),
            ("Monday", "--date is 'Monday', expected a day such as 2024-06-03"),
        ]:
            told = call("retrain", *words, "--date", date)
            assert told.exit_code == 2 and said in told.stderr and told.stdout == ""
        wait = call("retrain", *words, "--date", "2022-12-05", "--if-due", "--json")
        assert wait.exit_code == 0 and json.loads(wait.stdout)["action"] == "wait"
        with only_one(tmp_path / "out"):
            assert "another process is writing" in call("retrain", *words).stderr

        broken = pd.read_csv(shop)
        late = pd.to_datetime(broken["ds"]).between("2023-01-10", "2023-01-12")
        broken["y"] = broken["y"].mask(late, broken["y"] // 12)
        broken.to_csv(tmp_path / "boxes.csv", index=False)
        boxes = ["--data", tmp_path / "boxes.csv", "--name", "shop", *words[2:], "--date", "2023-01-12"]
        repair = call("retrain", *boxes, "--if-due")
        assert repair.exit_code == 2 and "ask whether the unit changed" in repair.stderr
        done = call("retrain", *words, "--date", "2023-01-12", "--if-due", "--json")
        second = json.loads(done.stdout)
        assert done.exit_code == {"promoted": 0, "refused": 3}[second["action"]]
        assert second["reason"] == "42 days since the last training, 28 agreed" and second["previous"] == "1"

        alone = call("rollback", "--name", "shop", "--reason", "no bread on Sundays")
        lines = [json.loads(line) for line in (workspace() / "retrain" / "shop" / "retrain.jsonl").open()]
        if second["action"] == "promoted":
            assert alone.exit_code == 0 and "version 1 is champion again" in alone.stdout
            assert lines[-1]["action"] == "rolled back" and lines[-1]["reason"] == "no bread on Sundays"
        assert [one["action"] for one in lines][:3] == ["begun", "promoted", "repair"]

    def test_the_gate_says_no(self, shop, tmp_path, monkeypatch):
        def poor(history, horizon, **options):
            return seasonal_naive(history, horizon).assign(
                yhat=lambda table: table["yhat"] * 3, yhat_upper=lambda table: table["yhat"] * 4
            )

        monkeypatch.setattr("mlworkbook.forecaster.prophet_forecast", poor)
        words = ["run", "--data", shop, *SMALL, "--out", tmp_path / "out"]
        for _ in range(2):  # the second time nothing is registered again
            done = call(*words)
            assert done.exit_code == 3, done.stderr
            assert "version 1 of 'shop' refused: wape" in done.stderr and "of the baseline" in done.stderr
        assert not list((tmp_path / "out").rglob("*.parquet")) and not (tmp_path / "out" / "report.html").exists()
        nothing = call("forecast", "--data", shop)
        assert nothing.exit_code == 2 and "'shop' has no champion; train one with: mlworkbook run" in nothing.stderr

    def test_interrupted_and_continued(self, shop, tmp_path):
        words = ["run", "--data", shop, *SMALL, "--out", tmp_path / "out"]
        running = start(*words, start_new_session=True)
        for _ in range(1200):
            if list((workspace() / "backtest").glob("*.parquet")) or running.poll() is not None:
                break
            time.sleep(0.1)
        out, error = press(running, patience=20)
        assert running.returncode == 130 and out == ""
        assert "interrupted: what was finished is kept" in error and "Traceback" not in error
        kept = {path: path.stat().st_mtime_ns for path in (workspace() / "backtest").glob("*.parquet")}
        done = call(*words, "--json")
        assert done.exit_code == 0 and json.loads(done.stdout)["version"] == "1"
        assert kept and {path: path.stat().st_mtime_ns for path in kept} == kept
