"The project of lesson 61: its answers are read from the lesson, and walked from the terminal alone."

import json
import os
import re
import subprocess
import sys
from pathlib import Path

LESSON = Path(__file__).parent.parent / "nbs" / "deploy" / "61_capstone.ipynb"
MLWORKBOOK = [sys.executable, "-c", "from mlworkbook.cli.app import main; main()"]
TRAIN = ["run", "--name", "shop", "--costs", "0.3,0.6", "--workers", "1", "--quiet", "--data"]
MONTH = ["--name", "shop", "--data", "later.csv"]


def answers() -> dict[str, str]:
    "What the learner of the lesson wrote, by file."
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"]}

    def text(cell: str, name: str) -> str:
        return re.search(rf"^{name} = (\"\"\"|''')(.*?)\1$", cells[f"ca-my-{cell}"], flags=re.DOTALL | re.MULTILINE)[2]

    sheets = {f"{stage}.yaml": text(stage, "sheet") for stage in ("discover", "play", "develop", "deploy")}
    code = {"forecast.py": text("play", "function"), "test_forecast.py": text("develop", "tests")}
    return sheets | code | {"backlog.yaml": text("backlog", "stories")}


def terminal(folder: Path, *words: str) -> subprocess.CompletedProcess:
    "A command, as somebody types it in the folder."
    hidden = ("MLWORKBOOK_HOME", "MLFLOW_TRACKING_URI", "MLWORKBOOK_LANG")
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run([*MLWORKBOOK, *words], cwd=folder, env=env, capture_output=True, text=True)


def walk(place: Path) -> tuple[Path, list[tuple[str, int, str]]]:
    "Start in an empty folder and shut the four gates; returns the project, and what each command said."
    said, log = answers(), []

    def type_in(*words: str) -> None:
        done = terminal(project if project.exists() else place, *words)
        log.append((" ".join(words), done.returncode, done.stdout + done.stderr))

    def write(*names: str) -> None:
        for name in names:
            (project / name).write_text(said[name], encoding="utf-8")

    project = place / "mine"
    type_in("capstone", "start", "--seed", "7", "--folder", "mine")
    write("discover.yaml", "backlog.yaml")
    type_in("capstone", "discover")
    price = re.search(r"the rule costs ([0-9.]+) EUR", log[-1][2])[1]
    figures = f"today: {price}, target: {0.8 * float(price):.2f}"
    said["discover.yaml"] = said["discover.yaml"].replace("today: null, target: null", figures)
    write("discover.yaml")
    type_in("capstone", "play")
    type_in("capstone", "discover")
    type_in("stages", "--folder", ".", "--stage", "discover")
    write("play.yaml", "forecast.py")
    type_in("capstone", "play")
    type_in(*TRAIN, "sales.csv")
    write("develop.yaml", "test_forecast.py")
    type_in("capstone", "develop")
    type_in("capstone", "deploy")
    type_in("monitor", *MONTH, "--today", "2024-04-08")
    type_in("retrain", *MONTH, "--if-due", "--costs", "0.3,0.6", "--workers", "1")
    write("deploy.yaml")
    type_in("capstone", "deploy")
    type_in("stages", "--folder", ".", "--json")
    return project, log
