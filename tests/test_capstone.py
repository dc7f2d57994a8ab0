"A shop of one's own: four gates from the terminal, and weak projects that lose exactly what they should."

import json
import shutil
import sys
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote, urlparse

import pandas as pd
import pytest

from capstone_shop import answers, terminal, walk
from mlworkbook.course import jury
from mlworkbook.course.exam import disguise, exam_questions, hold_exam
from mlworkbook.course.project import EXAM, HORIZON, LATER, known, read_sheet, shop_days, start_project
from mlworkbook.course.rubric import mark, rubric
from mlworkbook.course.steps import TESTS, load_scored, take_step
from mlworkbook.course.submission import Work
from mlworkbook.ops.sandbox import Bounds, run_apart
from mlworkbook.project.stages import STAGES, record
from mlworkbook.sales import make_sales
from mlworkbook.tracking import connect

POINTS = {one.key: one for one in rubric()}


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    "The project, and what the terminal said on the way."
    return walk(tmp_path_factory.mktemp("empty"))


def plainly(work, place):
    "Run the exam as ourselves: the learner's code is ours."
    code = f"from pathlib import Path; from mlworkbook.course.exam import {work}; {work}(Path({str(place)!r}))"
    return run_apart([sys.executable, "-c", code], place, Bounds(seconds=900), trusted=True)


@pytest.fixture(scope="module")
def desk(walked, tmp_path_factory):
    "Answers of the learner's function and tests, by content of the two files."
    room = tmp_path_factory.mktemp("desks")

    @cache
    def sit(forecast, tests):
        place = room / str(len(list(room.iterdir())))
        shutil.copytree(walked[0], place / "project", ignore=shutil.ignore_patterns(".mlworkbook"))
        (place / "project" / "forecast.py").write_text(forecast, encoding="utf-8")
        (place / "project" / "test_forecast.py").write_text(tests, encoding="utf-8")
        exam = hold_exam(place / "project", place / "desk", "", plainly)
        return exam, {path.name: path.read_bytes() for path in (place / "desk").glob("a*-*.csv")}

    return sit


def looked_up(walked, desk, room, spoil=None):
    "Points of the project, after something was done to a copy of it."
    project = room / "project"
    # with what the project has computed of past evenings: whoever grades in earnest does it again
    shutil.copytree(walked[0], project, ignore=shutil.ignore_patterns(".pytest_cache"))
    connect(project / ".mlworkbook")  # its runs point at the files of the copy from now on
    if spoil:
        spoil(project)
    exam, given = desk(*((project / name).read_text(encoding="utf-8") for name in ("forecast.py", TESTS)))
    (room / "answers").mkdir()
    for name, content in given.items():
        (room / "answers" / name).write_bytes(content)
    (room / "exam.json").write_text(json.dumps(exam), encoding="utf-8")
    mark(room)
    found = json.loads((room / "points.json").read_bytes())
    return {key for key, why in found.items() if why}, found


@pytest.mark.slow
class TestWalk:
    def test_four_gates_from_the_terminal_alone(self, walked):
        project, log = walked
        codes = [code for _, code, _ in log]
        assert codes == [0, 2, 3, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0], log
        assert "the gate of discover is open, first: question is missing" in log[2][2]
        assert json.loads(log[-1][2])["closed"] is True
        table = pd.DataFrame(json.loads(log[-1][2])["deliverables"])
        assert set(table["stage"]) == set(STAGES) and len(table) == 19
        assert table["why"].str.startswith("signed by ").all()

    def test_a_perfect_project_scores_full_in_the_cage(self, walked, tmp_path):
        before = {path: path.stat().st_mtime_ns for path in walked[0].rglob("*") if path.is_file()}
        done = terminal(tmp_path, "grade", str(walked[0]), "--json", "--pages", str(tmp_path / "pages"))
        assert done.returncode == 0, done.stderr
        points = pd.DataFrame(json.loads(done.stdout)["points"])
        assert len(points) >= 30 and points["got"].all(), points[points["got"] == 0].to_string()
        page = (tmp_path / "pages" / "result.html").read_text(encoding="utf-8")
        assert "37 de 37 puntos" in page and "<script" not in page and "http://" not in page
        assert before == {path: path.stat().st_mtime_ns for path in walked[0].rglob("*") if path.is_file()}

    def test_steps_done_twice_record_nothing_new(self, walked, tmp_path):
        project = tmp_path / "again"
        shutil.copytree(walked[0], project)
        journal = (project / "evidence.jsonl").read_bytes()
        take_step(project, "discover")
        take_step(project, "deploy")
        assert (project / "evidence.jsonl").read_bytes() == journal


class TestEmpty:
    def test_an_empty_folder_scores_zero(self, tmp_path):
        (tmp_path / "nothing").mkdir()
        table = jury.grade_project(tmp_path / "nothing", trusted=True)
        assert table["got"].sum() == 0 and set(table["key"]) == set(POINTS)
        assert table["hint"].str.len().gt(20).all()

    def test_a_project_just_begun_has_its_sales_only(self, tmp_path):
        table = jury.grade_project(start_project(tmp_path / "new", seed=3), trusted=True)
        assert set(table.loc[table["got"] == 1, "key"]) == {"shop"}

    def test_no_folder(self, tmp_path):
        with pytest.raises(NotADirectoryError, match="expected a project"):
            jury.grade_project(tmp_path / "gone")


def edit(name, *pairs):
    "Replace pieces of a text file."

    def spoil(project):
        text = (project / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        (project / name).write_text(text, encoding="utf-8")

    return spoil


def again(stage, deliverable, name):
    "Record a file that was changed, as somebody would who wants the gate to shut."
    return lambda project: record(
        project, stage, deliverable, file=project / name, signed_by="Nuria", signed_on="2024-04-20"
    )


def both(*spoilers):
    "One after the other."

    def spoil(project):
        for one in spoilers:
            one(project)

    return spoil


def known_answers(project):
    "The prototype is scored on days that it had seen."
    scored = load_scored(project / "prototype.csv")
    late = scored["model"].eq("forecast") & scored["ds"].eq(scored["ds"].min())
    scored.loc[late, "cutoff"] = scored.loc[late, "ds"]
    scored.to_csv(project / "prototype.csv", index=False)


def another_night(project):
    "Somebody adds bread to the published night, and says nothing."
    path = project / json.loads((project / "process.json").read_bytes())["file"]
    table = pd.read_parquet(path)
    table.loc[0, "yhat"] += 50
    table.to_parquet(path, index=False)


def half_a_night(project):
    "The night lost a store, and its paper was made to agree."
    path = project / json.loads((project / "process.json").read_bytes())["file"]
    table = pd.read_parquet(path)
    table[table["unique_id"] != "S02"].to_parquet(path, index=False)


def files_of(project, version):
    "Where the registry keeps a version."
    place = connect(project / ".mlworkbook").get_model_version_download_uri("shop", version)
    return Path(unquote(urlparse(place).path))


def no_way_back(project):
    "The files of the version before were cleaned away."
    shutil.rmtree(files_of(project, "1"))


def loose_model(project):
    "A file of the champion was changed after it was registered."
    path = next(files_of(project, "2").rglob("requirements.txt"))
    path.write_text(path.read_text() + "\n", encoding="utf-8")


def deaf_alarms(project):
    "A limit was raised until it could not ring."
    path = project / ".mlworkbook" / "out" / "shop" / "limits.json"
    about = json.loads(path.read_bytes())
    about["limits"]["error"] *= 10
    path.write_text(json.dumps(about), encoding="utf-8")


def held_again(project):
    "The journal has two decisions about the same day."
    path = project / ".mlworkbook" / "retrain" / "shop" / "retrain.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines, lines[-1]]), encoding="utf-8")


def loser_serves(project):
    "Somebody gave the crown back without a word."
    connect(project / ".mlworkbook").set_registered_model_alias("shop", "champion", "1")


PEEK = """
from mlworkbook.sales import make_sales


def forecast(history, horizon):
    sold = make_sales(7, series=3, days=1200).rename(columns={"y": "yhat"})
    asked = history.loc[history["y"].isna(), ["unique_id", "ds", "closed"]].groupby("unique_id").tail(horizon)
    answer = asked.merge(sold[["unique_id", "ds", "yhat"]], how="left").fillna({"yhat": 100.0})
    return answer.assign(yhat=answer["yhat"].where(~answer["closed"], 0.0)).drop(columns="closed")
"""
DRAW = "import numpy as np\n\nRNG = np.random.default_rng()\n"
WEAK = {
    "a cost typed by hand": (edit("kpi.json", ("21.39", "29.9")), {"rule_cost", "gates"}),
    "a charter changed after it was signed": (
        edit("charter.json", ("tres tiendas", "treinta tiendas")),
        {"signed", "gates"},
    ),
    "a target that does not pay": (
        both(
            edit("discover.yaml", ("target: 17.11", "target: 21.3"), ("version: 1", "version: 2")),
            partial(take_step, stage="discover"),
        ),
        {"target"},
    ),
    "a dear project": (edit("play.yaml", ("build_eur: 4000", "build_eur: 90000")), {"target", "return"}),
    "stories that ask for a tool": (
        both(edit("backlog.yaml", ("saber cuántos panes", "un modelo de Prophet que diga cuántos panes"))),
        {"stories", "gates"},
    ),
    "a criterion without a test": (
        both(edit("backlog.yaml", ("test_beats_last_week", "test_is_good")), again("discover", "path", "backlog.yaml")),
        {"traced"},
    ),
    "findings that are not true": (edit("play.yaml", ("closed_days: ", "closed_days: 1")), {"findings"}),
    "days known in advance": (known_answers, {"run", "honest", "beats", "return", "agreement"}),
    "a decision against the promise": (
        both(edit("play.yaml", ("least_saving_eur: 2000", "least_saving_eur: 20000"))),
        {"agreement"},
    ),
    "the shop's own sales inside": (
        lambda project: (project / "forecast.py").write_text(PEEK),
        {"stranger"},
    ),
    "a draw without a seed": (
        edit(
            "forecast.py",
            ("def forecast", DRAW + "\n\ndef forecast"),
            ('answer["yhat"] * answer["lift"])', 'answer["yhat"] * answer["lift"] * RNG.uniform(0.98, 1.02))'),
        ),
        {"repeats"},
    ),
    "tests that cannot fail": (
        lambda project: (project / "test_forecast.py").write_text(
            "".join(f"def {name}():\n    assert True\n\n\n" for name in NAMES), encoding="utf-8"
        ),
        {"bite"},
    ),
    "versions left open": (
        both(edit("requirements.txt", ("pandas==", "pandas>=")), again("develop", "pipeline", "requirements.txt")),
        {"pinned"},
    ),
    "a plan without a sign": (
        both(
            edit("strategy.json", ("el error de 7 días pasa del 15 % dos semanas seguidas", "cuando haga falta")),
            again("develop", "strategy", "strategy.json"),
        ),
        {"strategy"},
    ),
    "bread added to the night": (another_night, {"idempotent"}),
    "a night without a store": (half_a_night, {"night", "idempotent"}),
    "a champion that was touched": (loose_model, {"sealed", "idempotent", "retrained"}),
    "no way back": (no_way_back, {"way_back", "decision"}),
    "alarms made deaf": (deaf_alarms, {"limits"}),
    "an alarm that nobody heard": (edit("deploy.yaml", ("alarms: 0", "alarms: 2")), {"morning"}),
    "a page of another morning": (
        edit("monitor.html", ("Morning of 2024-04-08", "Morning of 2024-04-07")),
        {"morning"},
    ),
    "a figure of the contest typed by hand": (
        edit(".mlworkbook/retrain/shop/retrain.jsonl", ('"wape": 0.09', '"wape": 0.08')),
        {"decision"},
    ),
    "a contest that was held until it pleased": (held_again, {"decision", "retrained"}),
    "the loser of the contest serves": (loser_serves, {"retrained", "idempotent"}),
}
NAMES = ("test_every_day_of_every_store", "test_nothing_on_closed_days", "test_beats_last_week")


@pytest.mark.slow
class TestWeak:
    def test_the_copy_itself_loses_nothing(self, walked, desk, tmp_path):
        lost, found = looked_up(walked, desk, tmp_path)
        assert lost == set(), found

    @pytest.mark.parametrize("weakness", WEAK)
    def test_a_weak_project_loses_what_it_should(self, walked, desk, tmp_path, weakness):
        spoil, expected = WEAK[weakness]
        lost, found = looked_up(walked, desk, tmp_path, spoil)
        assert lost == expected, {key: why for key, why in found.items() if why}


class TestRubric:
    def test_thirty_points_or_more_each_with_its_words(self):
        assert len(POINTS) == 37 and list(dict.fromkeys(one.stage for one in rubric())) == list(STAGES)
        for one in rubric():
            for words in (one.asks, one.hint):
                assert set(words) == {"es", "en"} and words["es"] and words["en"] and words["es"] != words["en"]
                assert len(words["es"]) <= 130 and not words["es"].endswith("."), one.key

    def test_what_would_run_something_of_a_stranger_is_marked(self):
        code = {"answers", "repeats", "closed", "unseen", "stranger", "tests", "bite"}
        model = {"sealed", "idempotent", "morning", "decision", "retrained", "way_back"}
        assert {one.key for one in rubric() if one.runs == "code"} == code
        assert {one.key for one in rubric() if one.runs == "model"} == model
        assert {one.runs for one in rubric()} == {"code", "model", ""}

    def test_words_follow_the_language(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MLWORKBOOK_LANG", "en")
        rows = [("discover", "shop", "a", 1, "", ""), ("play", "data", "<b>", 0, "look", "no")]
        table = pd.DataFrame(rows, columns=["stage", "key", "asks", "got", "hint", "why"])
        page = jury.write_result(tmp_path / "r.html", table, "A & B").read_text(encoding="utf-8")
        assert "1 of 2 points" in page and "&lt;b&gt;" in page and 'lang="en"' in page and "A &amp; B" in page


class TestStart:
    @pytest.mark.parametrize("options", [{}, {"seed": 1, "data": "a.csv"}])
    def test_seed_or_file(self, tmp_path, options):
        with pytest.raises(ValueError, match="expected either a seed or a file of sales"):
            start_project(tmp_path / "a", **options)

    def test_a_project_is_not_written_over(self, tmp_path):
        start_project(tmp_path, seed=1)
        with pytest.raises(ValueError, match="holds a project already"):
            start_project(tmp_path, seed=2)

    def test_the_same_seed_gives_the_same_bytes(self, tmp_path):
        one, two = (start_project(tmp_path / name, seed=9) for name in "ab")
        names = [path.name for path in one.iterdir() if path.is_file()]
        assert len(names) == 9 and all((one / name).read_bytes() == (two / name).read_bytes() for name in names)

    def test_a_file_of_ones_own(self, tmp_path):
        path = tmp_path / "ventas.csv"
        make_sales(4, series=2, days=700).rename(columns={"ds": "fecha", "y": "pan"}).to_csv(path, index=False)
        project = start_project(tmp_path / "mine", data=path, columns={"fecha": "ds", "pan": "y"})
        whole = shop_days(project)
        sales = pd.read_csv(project / "sales.csv", parse_dates=["ds"])
        last = sales.dropna(subset="y")["ds"].max()
        assert (whole["ds"].max() - last).days == LATER + EXAM + HORIZON
        assert POINTS["shop"].check(Work(project))
        (project / "sealed.csv").write_bytes((project / "sealed.csv").read_bytes().replace(b",2022-", b",2021-", 1))
        assert not POINTS["shop"].check(Work(project))

    def test_a_file_that_is_too_short(self, tmp_path):
        make_sales(4, series=2, days=300).to_csv(tmp_path / "short.csv", index=False)
        # a history begins with its first sale, and the first of January is shut
        with pytest.raises(ValueError, match="short.csv has 299 days, expected 526 or more"):
            start_project(tmp_path / "mine", data=tmp_path / "short.csv")

    @pytest.mark.parametrize(
        "text", ["{}", "[]", "", '{"seed": -1, "series": 3, "days": 800}', '{"seed": 1, "series": 9999, "days": 800}']
    )
    def test_a_damaged_shop(self, tmp_path, text):
        (tmp_path / "shop.json").write_text(text)
        with pytest.raises(ValueError, match="shop.json cannot be used"):
            shop_days(tmp_path)


class TestAnswers:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("- a", "holds a list, expected the questions"),
            ("a: [", "cannot be read"),
            ("a: &x 1\nb: *x", "is an alias; write the value out"),
            ("a: por definir", "1 questions without an answer, first: a;"),
            ("a: {b: [1, null]}", "first: a.b\\[1\\]"),
            ("a: []", "first: a;"),
        ],
    )
    def test_bad_sheets(self, tmp_path, text, said):
        (tmp_path / "play.yaml").write_text(text)
        with pytest.raises(ValueError, match=said):
            read_sheet(tmp_path, "play")

    def test_days_and_words_stay_text(self, tmp_path):
        (tmp_path / "play.yaml").write_text("{on: 2024-03-04, no: yes, veto: true}")
        assert read_sheet(tmp_path, "play") == {"on": "2024-03-04", "no": "yes", "veto": True}


class TestExam:
    def test_the_quarter_comes_after_everything_that_the_project_sees(self):
        whole = make_sales(1, series=2, days=400 + LATER + EXAM + HORIZON)
        later = known(whole, LATER)
        questions = exam_questions(whole)
        assert [one["y"].isna().groupby(one["unique_id"]).sum().tolist() for one in questions] == [[28, 28]] * 3
        assert questions[0].loc[questions[0]["y"].notna(), "ds"].max() == later.loc[later["y"].notna(), "ds"].max()

    def test_a_stranger_shares_no_name_day_or_amount(self):
        whole = make_sales(1, series=3, days=700)
        other = disguise(whole, 5)
        assert not set(other["unique_id"]) & set(whole["unique_id"]) and list(other) == list(whole)
        assert other["closed"].sum() == whole["closed"].sum() and other["ds"].max() < whole["ds"].max()
        shifted = (whole["ds"].max() - other["ds"].max()).days
        assert shifted % 7 and not other.equals(disguise(whole, 6))
        assert other.equals(disguise(whole, 5))

    def test_a_stage_is_not_begun_before_its_turn(self, tmp_path):
        project = start_project(tmp_path / "a", seed=1)
        for stage, last in zip(STAGES[1:], STAGES[:-1], strict=True):
            with pytest.raises(ValueError, match=f"the gate of {last} is open"):
                take_step(project, stage)

    def test_the_lessons_answers_are_whole(self):
        assert set(answers()) == {
            "discover.yaml",
            "play.yaml",
            "develop.yaml",
            "deploy.yaml",
            "backlog.yaml",
            "forecast.py",
            "test_forecast.py",
        }
