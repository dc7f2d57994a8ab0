"What is installed, declared and promised by the repository's own pages."

import inspect
import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import mlworkbook
from mlworkbook.course.exercises import APART
from mlworkbook.project.environment import report

ROOT = Path(__file__).parent.parent
LESSONS = sorted(ROOT.glob("nbs/*/[0-9][0-9]_*.ipynb"), key=lambda path: path.name)


def settings():
    "The one place where dependencies are declared."
    parser = ConfigParser(delimiters=["="])
    parser.read(ROOT / "settings.ini", encoding="utf-8")
    return parser["DEFAULT"]


def python(code):
    "Run code in a fresh interpreter and return what it prints."
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("module", ["mlworkbook", "mlworkbook.cli.app"])
def test_import_is_light(module):
    heavy = {"pandas", "numpy", "prophet", "mlflow", "statsforecast", "matplotlib", "pandera"}
    loaded = python(f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))")
    assert loaded == ""


def test_the_heaviest_wait_until_they_are_used():
    names = sorted(path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("mlworkbook/**/[a-z]*.py"))
    modules = ", ".join(".".join(name.parts) for name in names)
    heavy = {"prophet", "mlflow", "statsforecast", "matplotlib", "scipy", "sklearn", "boto3", "fastapi", "pandera"}
    assert modules.count(",") > 30
    assert python(f"import sys, {modules}; print(*sorted({heavy} & set(sys.modules)))") == ""


def test_the_front_door_shows_its_names_and_loads_them_when_asked():
    shown = python("import mlworkbook as mw; print(*dir(mw))").split()
    assert sorted([*mlworkbook.__all__, "__version__"]) == sorted(shown) and 15 <= len(shown) <= 25
    for name in mlworkbook.__all__:
        thing = getattr(mlworkbook, name)
        assert thing.__name__ == name and thing.__module__.startswith("mlworkbook.")
        assert not (ROOT / f"mlworkbook/{name}.py").exists(), f"{name} would be a module after its import"
    with pytest.raises(AttributeError, match="nothing"):
        mlworkbook.nothing  # noqa: B018
    hint = (ROOT / "mlworkbook/__init__.py").read_text(encoding="utf-8")
    assert {name for name in mlworkbook.__all__ if f"import {name} as {name}\n" not in hint} == set()
    assert (ROOT / "mlworkbook/py.typed").exists()


@pytest.mark.parametrize("name", sorted({*mlworkbook.__all__} - {"DataError", "Refused"}))
def test_the_front_door_says_what_every_parameter_means(name):
    thing = getattr(mlworkbook, name)
    parameters, (_, _, block) = set(inspect.signature(thing).parameters), inspect.getdoc(thing).partition("Parameters")
    said = dict(re.findall(r"^(\w+)\n    (\S.*)$", block, flags=re.MULTILINE))
    assert parameters <= set(said), parameters - set(said)


LACKS = {
    "mlflow": "from mlworkbook.tracking import connect; connect('nowhere')",
    "psutil": "from mlworkbook.tracking import this_process; this_process()",
    "pydantic": "mw.train",
    "statsforecast": "from mlworkbook.baselines import auto_ets; auto_ets(mw.load_sales(stores=[2], horizon=14), 14)",
    "sklearn": "mw.boosting(mw.load_sales(stores=[2], horizon=14), 14)",
    "prophet": "mw.prophet_forecast(mw.load_sales(stores=[2], horizon=14), 14)",
    "jinja2": "from mlworkbook.ops.pages import render; render('base', title='')",
    "matplotlib": "from mlworkbook.ops.pages import picture; picture(print, '')",
}


@pytest.mark.parametrize("package", LACKS)
def test_a_missing_extra_is_one_sentence_with_its_command(package, tmp_path):
    code = f"import sys; sys.modules[{package!r}] = None; import mlworkbook as mw; {LACKS[package]}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert not [*tmp_path.iterdir()], "nothing is left of what could not be done"
    last = done.stderr.strip().splitlines()[-1]
    assert re.search(rf'MissingExtra: {package} is not installed; get it with: pip install "mlworkbook\[\w+\]"$', last)


def test_the_terminal_says_which_extra_is_missing():
    code = "import sys; sys.modules['mlflow'] = None; from mlworkbook.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "forecast"], capture_output=True, text=True)
    assert done.returncode == 2 and 'pip install "mlworkbook[shop]"' in done.stderr and "Traceback" not in done.stderr


def test_the_leaderboard_judges_what_is_installed():
    code = """
import sys
from importlib.util import find_spec as found
for name in ("statsforecast", "sklearn", "scipy", "prophet", "cmdstanpy", "mlflow"):
    sys.modules[name] = None
import mlworkbook as mw, mlworkbook.recipes as recipes
recipes.find_spec = lambda name: None if name in ("statsforecast", "sklearn") else found(name)
import mlworkbook.evaluation as evaluation, mlworkbook.forecaster as forecaster
evaluation.find_spec = forecaster.find_spec = lambda name: None
history = mw.load_sales(stores=[2], horizon=14)
board = mw.leaderboard(history, 14, mw.UnitCosts(0.25, 0.5))
print(*board.table["model"], board.table[["low", "high"]].notna().any(axis=None))
"""
    assert set(python(code).split()) == {"prophet", "team", "team's", "order", "seasonal_naive", "False"}


def test_a_learner_needs_no_nbdev():
    names = {Requirement(line).name for line in settings()["requirements"].split()}
    assert not names & {"nbdev", "fastcore", "execnb", "nbval", "pytest", "sphinx"}
    for module in ROOT.glob("mlworkbook/*.py"):
        assert not re.search(r"^(from|import) (nbdev|fastcore)", module.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_lessons_import_only_what_a_learner_installs():
    found = report(ROOT, extras=["course", "spark", "formats", "aws", "service", "stores", "jira"], files=LESSONS)
    strange = found[found["state"] == "undeclared"]
    assert strange.empty, strange[["name", "imported_by"]].to_string()


OPTIONAL = {
    "scale": ["spark"],
    "spark": ["spark"],
    "feedback": ["spark"],
    "formats": ["formats", "spark"],
    "aws": ["aws", "formats"],
    "backlog": ["jira"],
    "exam": ["lab"],
    "jury": ["lab"],
    "service": ["service"],
    "web": ["service"],
    "graphs": ["formats", "spark"],
    "stores": ["aws", "stores"],
}  # modules that say what to install when their extra is missing
SETS = [list(extras) for extras in sorted({(), *map(tuple, OPTIONAL.values())})]


@pytest.mark.parametrize("extras", SETS, ids=str)
def test_the_package_imports_only_what_everybody_gets(extras):
    files = [path for path in ROOT.glob("mlworkbook/**/*.py") if OPTIONAL.get(path.stem, []) == extras]
    found = report(ROOT, extras=["shop", "project", *extras], files=files)
    strange = found[found["state"] == "undeclared"]
    assert strange.empty, strange[["name", "imported_by"]].to_string()


def test_the_package_alone_asks_for_little():
    assert 5 < len(settings()["requirements"].split()) <= 14


def test_versions_agree():
    version = settings()["version"]
    assert python("import mlworkbook; print(mlworkbook.__version__)") == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_is_short_and_true():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120 and "README.es.md" in text.splitlines()[0]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {name for name in re.findall(r"`?make ([a-z]+)", text)} <= targets
    for lesson in LESSONS:
        assert f"(nbs/{lesson.parent.name}/{lesson.name})" in text, f"README.md does not show {lesson.stem}"
        cover = (ROOT / "nbs/index.ipynb").read_text(encoding="utf-8")
        assert f"({lesson.parent.name}/{lesson.name})" in cover, f"the cover does not show {lesson.stem}"
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page.name} links {target}"


def test_readme_example_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    printed = python("\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)))
    assert "prophet" in printed and "seasonal_naive" in printed and "wape" in printed


def test_nothing_speaks_of_a_machine_or_a_registry():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    words = ["/ro" + "ot/", "/wo" + "rk/", "pypi" + ".org", "python" + "hosted", "debian" + ".org", "npm" + "js"]
    for name in listed.split("\0"):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".parquet", ".png", ".ico", ".onnx", ".skops", ".mleap"):
            text = re.sub(r'"image/png": "[^"]*"', "", path.read_text(encoding="utf-8"))
            assert not [word for word in words if word in text], name


@pytest.mark.slow
def test_wheel_carries_data_licences_and_lessons(tmp_path):
    command = ["uv", "build", "--wheel", "--no-build-isolation", "--quiet", "--offline", "--out-dir", str(tmp_path)]
    subprocess.run([Path(sys.executable).with_name("uv"), *command[1:]], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry,) = [archive.read(name).decode() for name in names if name.endswith("entry_points.txt")]
    assert "mlworkbook/data/bakery.parquet" in names and "mlworkbook/data/LICENSE.ddop-BSD-3" in names
    assert {f"mlworkbook/data/{name}" for name in ("runbooks/units.md", "monitor.csv", "shop.csv")} <= set(names)
    packed = {name.removeprefix("mlworkbook/lessons/") for name in names if name.startswith("mlworkbook/lessons/")}
    assert packed == {
        path.relative_to(ROOT / "nbs").as_posix()
        for path in ROOT.glob("nbs/**/*.ipynb")
        if not {".ipynb_checkpoints", *APART} & set(path.parts)
    }
    assert not [name for name in names if name.startswith(("tests", "tools", "nbs"))]
    assert {f"mlworkbook/{name}" for name in ("settings.ini", "constraints.txt", "environment.yml")} <= set(names)
    assert {"mlworkbook/py.typed", "mlworkbook/templates/base.html"} <= set(names)
    assert "mlworkbook/_modidx.py" not in names
    workflows = {name for name in names if name.startswith("mlworkbook/.github/workflows/")}
    assert len(workflows) == len([*ROOT.glob(".github/workflows/*.yml")])
    assert "mlworkbook/infra/template.yaml" in names
    assert "mlworkbook = mlworkbook.cli.app:main" in entry


def test_the_container_is_given_all_that_the_wheel_is_made_of():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    given = [line[1:] for line in lines if line.startswith("!")]
    asked = re.findall(r'here / "([^"]+)"(?: / "([^"]+)")?', (ROOT / "setup.py").read_text(encoding="utf-8"))
    paths = ["/".join(filter(None, parts)) for parts in asked]
    assert {"infra", "settings.ini"} <= set(paths)
    assert [path for path in paths if not any(path == one or path.startswith(f"{one}/") for one in given)] == []
