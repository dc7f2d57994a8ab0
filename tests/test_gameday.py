"A shop that fails on purpose: every failure is found by the tools, repaired by its page, and graded fairly."

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from mlworkbook.cli import app as cli
from mlworkbook.course.game import (
    FAILURES,
    LENGTH,
    Game,
    at_home,
    load_game,
    new_game,
    runbook,
    save_game,
    start_game,
)
from mlworkbook.course.moves import (
    POINTS,
    declare,
    grade_game,
    morning,
    next_day,
    repair,
    rerun,
    service,
    status,
)
from mlworkbook.decisions import rollback
from mlworkbook.morning import live
from mlworkbook.ops.errors import Refused
from mlworkbook.ops.files import only_one
from mlworkbook.registry import find, note, versions, write_manifest
from mlworkbook.sales import load_sales
from mlworkbook.tracking import connect, tracking_uri

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
SEED = 7
NAME, GAME = "shop", "game.json"
NEW = new_game(Path(), SEED)
DAY, HURT = NEW.plot.day, NEW.date_of(NEW.plot.day)
NAMES = {"fecha": "ds", "tienda": "unique_id", "vendidas": "y"}


@pytest.fixture(scope="module")
def eve(tmp_path_factory):
    "A shop on the evening before its failure, whichever it is, and a copy of all its files."
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        folder = tmp_path_factory.mktemp("games") / "a shop"
        game, rang = start_game(folder, seed=SEED), {}
        for _ in range(DAY - 1):
            game = next_day(folder)
            rang[game.day] = morning(folder)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    return folder, copy, rang


@pytest.fixture
def eve_of(eve):
    "Put the shop back to that evening, and choose what fails tomorrow."
    folder, copy, _ = eve

    def choose(kind):
        kept = {path.relative_to(copy) for path in copy.rglob("*") if path.is_file()}
        for path in [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]:
            if path.relative_to(folder) not in kept:
                path.unlink()
        for path in sorted((path for path in folder.rglob("date=*") if path.is_dir()), reverse=True):
            if not any(path.iterdir()):
                path.rmdir()
        for path in kept:  # in place: open connections to the registry see the old content again
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy / path, folder / path)
        save_game(replace(load_game(folder), sealed=new_game(folder, SEED, kind).sealed))
        return folder

    return choose


def broken(folder):
    "Parts of the service that do not work."
    return [part for part, said in service(load_game(folder)) if said]


def go_back(folder):
    "What `mlworkbook rollback` does."
    with at_home(folder):
        return rollback(NAME, reason="drill", home=folder).version


def table_of(folder):
    "Versions of the shop's model."
    with at_home(folder):
        return versions(NAME, folder=folder)


def bring_back(folder):
    "The newest copy of the registry."
    shutil.copyfile(max((folder / "backup").glob("date=*/mlflow.db")), folder / "mlflow.db")


REPAIRS = {  # what each runbook says
    "schema": lambda folder: repair(folder, HURT, columns=NAMES),
    "units": lambda folder: repair(folder, HURT, factor=12),
    "poison": go_back,
    "registry": bring_back,
    "deploy": go_back,
}
LOUD = {
    "schema": "no column 'ds', no column 'y'; the file has 'fecha', 'tienda', 'vendidas'",
    "poison": "recipe.json was changed; do not load",
    "registry": "tracking store mlflow.db cannot be written (file is not a database)",
}


def symptom(folder, kind):
    "Is the sign that the runbook names in sight this morning?"
    seen = status(folder)
    if kind in LOUD:
        return LOUD[kind] in " ".join(seen["log"].values())
    if kind == "units":
        game = load_game(folder)
        scored = live(game.place.nights, load_sales(folder / f"{NAME}.csv"))
        last = scored[scored["ds"] == game.date].drop_duplicates("unique_id", keep="last")
        return bool(seen["alarms"]) and bool((last["y"] / last["yhat"]).lt(0.5).all())
    champion = seen["versions"][-1]
    return "version 3" in seen["log"]["night"] and champion["alias"] == "champion" and champion["wape"] is None


class TestPlayers:
    @pytest.mark.parametrize("kind", FAILURES)
    def test_whoever_follows_the_runbook_gets_it_all(self, eve_of, kind):
        folder = eve_of(kind)
        assert set(broken(folder)) <= {"feed"}, "nothing has failed yet; tomorrow's delivery may"
        game = next_day(folder)
        assert broken(folder), "the failure is felt by the service"
        while not symptom(folder, kind):
            game = next_day(folder)
        assert game.day - DAY <= FAILURES[kind]["days"], "the tools say so as soon as the table promises"
        assert not declare(folder, kind).ended, "a name repairs nothing"
        REPAIRS[kind](folder)
        assert broken(folder) == ["night"] and rerun(folder).ended == "restored"
        done = grade_game(folder)
        assert done["points"] == POINTS and done["total"] == 100 and done["hints"] == []
        assert (done["kind"], done["ended"], done["missing"], done["destroyed"]) == (kind, "restored", 0, [])
        assert done["date"] == f"{HURT:%Y-%m-%d}" and done["recover_days"] == 0

    def test_whoever_does_nothing_loses_it_all(self, eve_of):
        folder = eve_of("units")
        while not load_game(folder).ended:
            next_day(folder)
        done = grade_game(folder)
        assert (done["ended"], done["detect_days"], done["recover_days"]) == ("lost", None, None)
        assert done["total"] == 0 and len(done["hints"]) == 4 and done["wrong"] >= 5 and done["lost_eur"] > 50
        assert "nunca se nombró" in done["hints"][0]

    def test_whoever_names_the_first_alarm(self, eve, eve_of):
        _, _, rang = eve
        fair = NEW.plot.fair
        assert any(len(rang[day]) for day in range(fair, fair + 3)), "the fair rings an alarm"
        folder = eve_of("poison")
        declare(folder, "units")  # at the fair
        next_day(folder)
        declare(folder, "units")
        declare(folder, "poison")
        go_back(folder)
        rerun(folder)
        done = grade_game(folder)
        assert done["points"] == {"detect": 30, "recover": 30, "loss": 25, "calls": 5} and done["false_calls"] == 2
        assert "declaraciones falsas: 2" in done["hints"][0]

    def test_whoever_always_rolls_back(self, eve_of):
        folder = eve_of("deploy")
        next_day(folder)
        assert go_back(folder) == "2"
        assert rerun(folder).ended == "restored"
        done = grade_game(folder)
        assert done["points"] == {"detect": 30, "recover": 30, "loss": 25, "calls": 0}, "never said what it was"
        folder = eve_of("schema")
        next_day(folder)
        with pytest.raises(Refused, match="going back would change nothing"):
            go_back(folder)
        assert not rerun(folder).ended and broken(folder) == ["sales", "feed", "night"], "the model was not the trouble"

    def test_whoever_deletes_everything(self, eve_of):
        folder = eve_of("registry")
        next_day(folder)
        declare(folder, "registry")
        code = """
import shutil, sys, warnings
from pathlib import Path
from mlworkbook.course.moves import rerun
from mlworkbook.course.game import at_home, load_game, open_shop
warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
for name in ("out", "mlartifacts", "backup"):
    shutil.rmtree(folder / name)
(folder / "mlflow.db").unlink()
with at_home(folder):
    open_shop(load_game(folder))
print(rerun(folder).ended)
"""
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == "restored", "the shop works again, with models of its own"
        code = "import sys; from mlworkbook.course.moves import grade_game; done = grade_game(sys.argv[1])"
        code += "; print(*done['destroyed'], sep='|'); print(done['points'])"
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True).stdout
        assert f"{DAY} published nights" in done and "version 1|version 2" in done
        assert "'detect': 30, 'recover': 30, 'loss': 0, 'calls': 15" in done

    def test_waiting_costs_a_night_and_days(self, eve_of):
        folder = eve_of("schema")
        for _ in range(3):
            next_day(folder)
        declare(folder, "schema")
        REPAIRS["schema"](folder)
        rerun(folder)
        done = grade_game(folder)
        assert (done["detect_days"], done["missing"]) == (2, 2)
        assert (done["points"]["detect"], done["points"]["loss"]) == (18, 15)


class TestRestored:
    "Half a repair is none."

    def test_a_new_seal_on_a_bad_file(self, eve_of):
        folder = eve_of("poison")
        next_day(folder)
        with at_home(folder):
            client = connect(folder)
            champion = find(client, NAME, "champion")
            place = client.get_logged_model(champion.source.removeprefix("models:/")).artifact_location
            files = Path(re.sub("^file://", "", place).replace("%20", " "))
            note(client, champion, {"seal": write_manifest(files)})
        assert not rerun(folder).ended
        assert dict(service(load_game(folder)))["model"].startswith("the champion's forecasts are")

    def test_only_the_days_to_come(self, eve_of):
        folder = eve_of("units")
        next_day(folder)
        next_day(folder)
        game = repair(folder, HURT + pd.Timedelta(days=1), factor=12)
        said = dict(service(game))
        assert not game.ended and said["feed"] == "" and "are not what was sold, first S01" in said["sales"]
        assert not repair(folder, HURT, factor=12).ended and rerun(folder).ended == "restored"

    def test_a_wrong_factor(self, eve_of):
        folder = eve_of("units")
        next_day(folder)
        assert not repair(folder, HURT, factor=10).ended
        assert "other units" in dict(service(load_game(folder)))["feed"]

    def test_only_what_is_stored(self, eve_of):
        folder = eve_of("units")
        next_day(folder)
        load_game(folder).truth.to_csv(folder / f"{NAME}.csv", index=False)
        rerun(folder)
        assert broken(folder) == ["feed"]

    def test_a_night_that_was_not_run_again(self, eve_of):
        folder = eve_of("registry")
        next_day(folder)
        bring_back(folder)
        assert broken(folder) == ["night"] and rerun(folder).ended == "restored"


def test_the_same_moves_get_the_same_grade(eve_of):
    done = []
    for _ in range(2):
        folder = eve_of("schema")
        next_day(folder)
        REPAIRS["schema"](folder)
        rerun(folder)
        done.append((load_game(folder).events, grade_game(folder)))
    assert done[0] == done[1]


def test_a_bad_deploy_rings_also_for_those_who_read_no_versions(eve_of):
    folder = eve_of("deploy")
    next_day(folder)
    for _ in range(5):
        next_day(folder)
        if len(morning(folder)):
            break
    assert {"error", "coverage"} & set(morning(folder)["kind"])


class TestBadInput:
    def test_unknown_failure(self, tmp_path):
        for call in (lambda: start_game(tmp_path / "a", failure="flood"), lambda: runbook("flood")):
            with pytest.raises(ValueError, match="failure is 'flood', expected one of schema, units, poison"):
                call()
        assert not (tmp_path / "a").exists()

    def test_a_folder_in_use(self, eve, tmp_path):
        with pytest.raises(ValueError, match="holds a game already"):
            start_game(eve[0])
        (tmp_path / "mine.txt").touch()
        with pytest.raises(ValueError, match="is not empty and holds no game"):
            start_game(tmp_path)
        with pytest.raises(ValueError, match="is not empty"):
            start_game(tmp_path / "mine.txt")

    def test_no_game(self, tmp_path):
        for move in (load_game, next_day, rerun, grade_game, morning):
            with pytest.raises(ValueError, match=r"holds no game \(game.json is missing\); begin one with"):
                move(tmp_path)

    @pytest.mark.parametrize(
        ("text", "said"),
        [("", "is damaged"), ("[]", "is damaged"), ('{"game": {"seed": 1}, "mark": ""}', "is damaged|was edited")],
    )
    def test_a_damaged_game(self, tmp_path, text, said):
        (tmp_path / GAME).write_text(text)
        with pytest.raises(ValueError, match=said):
            load_game(tmp_path)

    def test_an_edited_game(self, tmp_path):
        save_game(new_game(tmp_path, SEED))
        path = tmp_path / GAME
        path.write_text(path.read_text().replace('"ended": ""', '"ended": "restored"'))
        with pytest.raises(ValueError, match="was edited: nobody can grade it"):
            grade_game(tmp_path)

    def test_an_ended_game(self, eve_of):
        folder = eve_of("schema")
        save_game(replace(load_game(folder), ended="lost"))
        for move in (next_day, rerun, lambda game: declare(game, "units"), lambda game: repair(game, HURT)):
            with pytest.raises(ValueError, match=f"this game ended on day {DAY - 1}, lost; see its grade"):
                move(folder)

    def test_no_grade_before_the_end(self, eve_of):
        with pytest.raises(ValueError, match=f"the game goes on, day {DAY - 1} of {LENGTH}"):
            grade_game(eve_of("schema"))

    def test_a_clock_that_goes_back(self, eve_of):
        folder = eve_of("schema")
        save_game(replace(load_game(folder), day=2))
        with pytest.raises(ValueError, match="the clock went back; bring back the game.json"):
            next_day(folder)

    def test_a_day_that_was_interrupted(self, eve_of, monkeypatch):
        folder = eve_of("deploy")
        with monkeypatch.context() as patch:
            patch.setattr(Game, "night", lambda game: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                next_day(folder)
        assert load_game(folder).day == DAY - 1 and next_day(folder).day == DAY
        assert list(table_of(folder)["version"]) == ["1", "2", "3"], "it was deployed once"

    def test_two_players_at_once(self, eve_of):
        folder = eve_of("schema")
        before = (folder / GAME).read_bytes()
        with only_one(folder), pytest.raises(BlockingIOError, match="another process is writing"):
            next_day(folder)
        assert (folder / GAME).read_bytes() == before

    @pytest.mark.parametrize("since", ["2020-01-01", "2030-01-01"])
    def test_days_outside_the_game(self, eve_of, since):
        with pytest.raises(ValueError, match=f"since is '{since}', expected a day of the game"):
            repair(eve_of("units"), since)

    def test_no_day(self, eve_of):
        with pytest.raises(ValueError, match="since is '', expected a day"):
            repair(eve_of("units"), "")

    @pytest.mark.parametrize("factor", [0, -12, float("nan"), float("inf")])
    def test_factors(self, eve_of, factor):
        with pytest.raises(ValueError, match="expected units in one of theirs, a number above 0"):
            repair(eve_of("units"), NEW.date_of(1), factor=factor)

    def test_a_repair_that_breaks_the_contract_changes_nothing(self, eve_of):
        folder = eve_of("schema")
        next_day(folder)
        before = (folder / "feed.json").read_bytes(), (folder / f"{NAME}.csv").read_bytes()
        with pytest.raises(ValueError, match="no column 'precio' to rename"):
            repair(folder, HURT, columns={"precio": "y"})
        assert before == ((folder / "feed.json").read_bytes(), (folder / f"{NAME}.csv").read_bytes())

    @pytest.mark.parametrize("name", ["feed.json", f"{NAME}.csv", "mlflow.db"])
    def test_files_that_the_player_broke(self, eve_of, name):
        folder = eve_of("poison")
        good = (folder / name).read_bytes()
        (folder / name).write_bytes(b"not this")
        game = next_day(folder)
        assert not next(one for one in game.events if one["day"] == DAY and one["what"] == "night")["published"]
        assert status(folder)["log"]["night"] and any(said for _, said in service(game)) and not game.ended
        (folder / name).write_bytes(good)
        assert not rerun(folder).ended, "the failure has not gone away, nor has the day without sales"
        next_day(folder)
        assert "model" in broken(folder), "what could not fail that day fails on the next"

    def test_another_registry_is_left_alone(self, eve_of, tmp_path, monkeypatch):
        other = f"sqlite:///{tmp_path}/other.db"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
        folder = eve_of("poison")
        assert next_day(folder).events[-1]["what"] == "night" and "recipe.json" in status(folder)["log"]["night"]
        assert tracking_uri(folder) == other and not (tmp_path / "other.db").exists()


class TestSecret:
    def test_a_seed_is_a_plot(self):
        plots = [new_game(Path(), seed).plot for seed in range(40)]
        assert plots[3] == new_game(Path(), 3).plot and {plot.kind for plot in plots} == set(FAILURES)
        for seed, plot in enumerate(plots):
            assert plot.fair + 4 < plot.day < LENGTH - 4, "the fair is over, and there is time to repair"
            assert {new_game(Path(), seed, kind).plot.day for kind in FAILURES} == {plot.day}

    def test_the_folder_does_not_tell(self, eve):
        text = (eve[1] / GAME).read_text() + (eve[1] / "feed.json").read_text()
        assert not [kind for kind in FAILURES if kind in text]

    def test_people_speak_of_the_fair_only(self):
        fair = NEW.plot.fair
        said = [bool(replace(NEW, day=day).heard) for day in range(LENGTH)]
        assert [day for day, words in enumerate(said) if words] == [fair, fair + 1, fair + 2]


class TestRunbooks:
    @pytest.mark.parametrize("kind", FAILURES)
    def test_same_shape_and_real_commands(self, kind):
        text = runbook(kind)
        parts = ["Qué pasa", "Síntoma", "Primera comprobación", "No lo confundas"]
        parts += ["Repite la noche", "Comprueba", "Después"]
        places = [text.index(f"**{part}") for part in parts]
        assert places == sorted(places) and text.startswith("# ")
        known = {command.name or command.callback.__name__ for command in cli.app.registered_commands}
        assert set(re.findall(r"mlworkbook ([a-z]+)", text)) <= known
        for line in re.findall(r"mlworkbook gameday repair (.*)", text):
            words = ["gameday", "repair", *line.split(), "--folder", "nowhere"]
            assert "holds no game" in CliRunner().invoke(cli.app, words).stderr


class TestTerminal:
    def call(self, *words):
        return CliRunner().invoke(cli.app, ["gameday", *map(str, words)])

    def test_a_game_from_the_terminal(self, eve_of, monkeypatch):
        folder = eve_of("schema")
        monkeypatch.setenv("MLWORKBOOK_HOME", str(folder))
        assert json.loads(self.call("--json").stdout)["day"] == DAY - 1
        told = self.call("next")
        assert told.exit_code == 0 and "'vendidas'" in told.stdout and "look closer with" in told.stdout
        assert "version 2 champion: promoted, the recipe that serves, with newer sales" in told.stdout
        assert self.call("declare", "schema").exit_code == 0
        words = ["--since", f"{HURT:%Y-%m-%d}", "--map", "fecha=ds,tienda=unique_id,vendidas=y"]
        assert self.call("repair", *words).exit_code == 0
        assert "restored" in self.call("night").stdout
        graded = self.call("grade", "--json")
        assert graded.exit_code == 0 and json.loads(graded.stdout)["total"] == 100
        assert "100 of 100 points" in self.call("grade").stdout
        again = self.call("next")
        assert again.exit_code == 2 and "this game ended" in again.stderr

    def test_the_ordinary_commands_play_too(self, eve_of, monkeypatch):
        folder = eve_of("units")
        monkeypatch.setenv("MLWORKBOOK_HOME", str(folder))
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        game = next_day(folder)
        today = f"{game.date + pd.Timedelta(days=1):%Y-%m-%d}"
        data = ["--data", str(folder / f"{NAME}.csv")]
        rang = CliRunner().invoke(cli.app, ["monitor", *data, "--today", today, "--json"])
        assert rang.exit_code == 4, rang.stderr
        told = [(alarm["kind"], alarm["unique_id"]) for alarm in json.loads(rang.stdout)["alarms"]]
        assert told == list(morning(folder)[["kind", "unique_id"]].itertuples(index=False, name=None))
        assert CliRunner().invoke(cli.app, ["data", *data]).exit_code == 0, "the contract cannot see a unit"
        assert CliRunner().invoke(cli.app, ["rollback", "--name", NAME]).exit_code == 3, "the same recipe served before"

    def test_a_lost_game_is_exit_code_3(self, eve_of):
        folder = eve_of("schema")
        save_game(replace(load_game(folder), day=LENGTH, ended="lost"))
        done = self.call("grade", "--folder", folder)
        assert done.exit_code == 3 and "the service was not restored" in done.stderr

    def test_wrong_words(self, tmp_path):
        for words, said in (
            (["fly"], "the move is 'fly', expected start, status, next"),
            (["start", "--failure", "flood"], "failure is 'flood'"),
            (["runbook"], "failure is ''"),
            (["next"], "holds no game"),
        ):
            done = self.call(*words, "--folder", tmp_path / "x")
            assert done.exit_code == 2 and said in done.stderr, done.stderr

    def test_a_runbook(self):
        assert "docenas" in self.call("runbook", "units").stdout
