"The rules that keep the tree honest (ARCHITECTURE.md, section 4)."

import ast
import importlib
import inspect
import io
import json
import re
import tokenize
import tomllib
import unicodedata
from pathlib import Path

import pytest

from mlworkbook.project.environment import declared

ROOT = Path(__file__).parent.parent
STAGES = {"start": "0", "discover": "1", "play": "2", "develop": "34", "deploy": "56"}
# who may import whom, and what lies where: the name of a wing is the package below `mlworkbook`, "" is the library
WINGS = {
    "ops": {"ops"},
    "": {"ops", ""},
    "project": {"ops", "", "project"},
    "course": {"ops", "", "project", "course"},
    "cli": {"ops", "", "project", "course", "cli"},
}
HOMES = {"library": "", "ops": "ops", "course": "course", "cli": "cli"}  # folders of notebooks outside the stages


def cells(path: Path, kind: str) -> list[str]:
    "Sources of a notebook's cells of one kind."
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


NOTEBOOKS = sorted(ROOT.glob("nbs/*/*.ipynb"), key=lambda path: (path.parent.name in HOMES, path.name))
# lessons for instructors lie in `course` and have exercises too
LESSONS = [path for path in NOTEBOOKS if any(source.startswith("@exercise(") for source in cells(path, "code"))]
REFERENCE = [path for path in NOTEBOOKS if path not in LESSONS]
MODULES = sorted(path for path in ROOT.glob("mlworkbook/**/*.py") if not path.stem.startswith("_"))
FORBIDDEN = {"utils", "helpers", "common", "core", "base", "misc", "new", "v2"}
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
# ceilings: lines are lines of code, without docstrings; exported lines are counted without imports, the longest cell
# without checks of exercises and written-down data; words are those of prose for each line of code that is open
LESSON = {"cells": 45, "exported": 150, "longest": 25, "words": 5}
REFERENCE_SIZES = {"cells": 60, "exported": 300, "longest": 40}
MOST = {"code lines": 13_770, "library": 7_365, "names": 492, "twice": 18}
BIG = {
    "03_stages",
    "11_charter",
    "12_value",
    "13_backlog",
    "14_sources",
    "15_contract",
    "16_sales",
    "21_explore",
    "22_metrics",
    "23_baselines",
    "24_prototype",
    "30_develop",
    "31_method",
    "32_environment",
    "33_gitflow",
    "34_forecaster",
    "35_testing",
    "36_backtesting",
    "38_tracking",
    "39_registry",
    "40_formats",
    "41_scale",
    "42_feedback",
    "44_solver",
    "45_stores",
    "51_options",
    "52_batch",
    "54_monitor",
    "55_retraining",
    "56_shop",
    "57_delivery",
    "58_service",
    "59_aws",
    "61_capstone",
    "exercises",
    "jury",
}
LONG = {
    "contract",
    "explore",
    "forecaster",
    "formats",
    "project.aws",
    "recipes",
    "registry",
    "retraining",
    "sales",
    "solver",
}
ids = {"ids": lambda path: path.stem}


def dotted(module: Path) -> str:
    "Name of a module below the package: `ops.files`."
    return ".".join(module.relative_to(ROOT / "mlworkbook").with_suffix("").parts)


def wing(module: str) -> str:
    "Wing of a module: `ops` of `ops.files`, nothing of `sales`."
    return module.rpartition(".")[0]


def imported(source: str, package: str = "") -> dict[str, int]:
    "Modules of ours that a piece of code imports, also inside functions and for type checkers, and the first line."
    found = {}
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom):
            parts = ["mlworkbook", *filter(None, package.split("."))]
            start = ".".join(parts[: len(parts) + 1 - node.level]) + "." if node.level else ""
            place = (start + (node.module or "")).strip(".")
            names = [place, *(f"{place}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.removeprefix("mlworkbook.") in {dotted(path) for path in MODULES}:
                found.setdefault(name.removeprefix("mlworkbook."), node.lineno)
    return found


def upward(module: str, source: str) -> list[str]:
    "Imports of a module that go up, with their lines."
    names = imported(source, wing(module)).items()
    return [f"line {line}: {module} imports {name}" for name, line in names if wing(name) not in WINGS[wing(module)]]


def exported_by(notebook: Path) -> str:
    "The module that a notebook makes; empty when it makes none."
    return next(iter(re.findall(r"^#\|\s*default_exp (\S+)$", cells(notebook, "code")[0], flags=re.MULTILINE)), "")


def noun(notebook: Path) -> str:
    "Name of a notebook, and of the module it exports."
    return notebook.stem.split("_", 1)[-1] if notebook.stem[0].isdigit() else notebook.stem


def test_every_notebook_has_its_own_number_and_name():
    numbered = [path for path in NOTEBOOKS if path.parent.name in STAGES]
    places, names = [path.stem.split("_")[0] for path in numbered], [noun(path) for path in NOTEBOOKS]
    assert len(set(places)) == len(places) and len(set(names)) == len(names)
    for path in numbered:
        assert re.fullmatch(r"\d\d_[a-z]+", path.stem), path.stem
        assert path.stem[0] in STAGES[path.parent.name], f"{path.stem} does not belong in {path.parent.name}"
    assert not FORBIDDEN & set(names)
    assert {path.parent.name for path in NOTEBOOKS} == {*STAGES, *HOMES}


SHOWN = re.compile(r"^print\(inspect\.getsource\((\w+)\)\)$")


def test_a_source_that_a_lesson_prints_is_the_one_of_today():
    shown = 0
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if not (found := SHOWN.match("".join(cell["source"]))):
                continue
            code = "\n".join(cells(path, "code"))
            module = re.search(rf"from (mlworkbook\S*) import .*\b{found[1]}\b", code)[1]
            source = inspect.getsource(getattr(importlib.import_module(module), found[1]))
            assert "".join(cell["outputs"][0]["text"]) == source + "\n", f"{path.stem}: execute it again"
            shown += 1
    assert shown == 2


@pytest.mark.parametrize("notebook", NOTEBOOKS, **ids)
def test_a_module_is_named_after_its_notebook(notebook):
    code, name = cells(notebook, "code"), exported_by(notebook)
    assert name.rpartition(".")[2] == noun(notebook) or not name and notebook in LESSONS
    if name:
        assert code[0] == f"#| default_exp {name}", "the directive stands alone in the first cell"
        assert wing(name) == HOMES.get(notebook.parent.name, wing(name)), f"{name} lies in another wing"
    assert not re.search(r"^#\|\s*export \S", "\n".join(code), flags=re.MULTILINE), "no export into another module"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_every_module_has_one_notebook(module):
    makers = [path.stem for path in NOTEBOOKS if exported_by(path) == dotted(module)]
    assert len(makers) == 1, f"{module.name} is exported by {makers or 'nobody: delete it'}"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_imports_go_down_only(module):
    assert upward(dotted(module), module.read_text(encoding="utf-8")) == []


def test_an_import_upwards_is_named_with_its_line():
    text = "import os\n\n\ndef work():\n    from ..course.exercises import exercise\n"
    assert upward("ops.files", text) == ["line 5: ops.files imports course.exercises"]
    assert upward("sales", "from .cli.app import main") == ["line 1: sales imports cli.app"]
    assert upward("sales", "import mlworkbook.project.aws") == ["line 1: sales imports project.aws"]
    assert upward("project.aws", "from ..sales import load_sales\nfrom .stages import record") == []


def test_no_module_imports_itself_on_a_detour():
    graph = {
        dotted(path): set(imported(path.read_text(encoding="utf-8"), wing(dotted(path)))) - {dotted(path)}
        for path in MODULES
    }
    while ready := {name for name, needed in graph.items() if not needed & set(graph)}:
        graph = {name: needed for name, needed in graph.items() if name not in ready}
    assert not graph, f"these modules import one another: {sorted(graph)}"


def test_lessons_use_only_what_came_before():
    born = {exported_by(path): path.stem for path in NOTEBOOKS if path.parent.name in STAGES} | {"": ""}
    for path in (path for path in NOTEBOOKS if path.parent.name in STAGES):
        code = "\n".join(cells(path, "code"))
        for name in imported(re.sub(r"(?m)^\s*[!%].*$", "", code)):
            assert born.get(name, "") <= path.stem, f"{path.stem} uses {name}, which {born[name]} makes"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_public_functions_are_documented(module):
    tree, lines = ast.parse(module.read_text(encoding="utf-8")), module.read_text(encoding="utf-8").splitlines()
    assert ast.get_docstring(tree), "the `> sentence` of the title cell is missing"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module.stem}.{node.name} has no docstring"
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            block = (ast.get_docstring(node) or "").partition("Parameters\n----------\n")[2]
            for argument in arguments:
                assert argument.annotation is not None, f"{module.stem}.{node.name}({argument.arg}) has no type"
                line, last = lines[argument.lineno - 1], lines[argument.end_lineno - 1]
                assert "#" in last or "help=" in line or f"{argument.arg}\n    " in block, (
                    f"{module.stem}.{node.name}({argument.arg}) is not explained"
                )
            assert node.returns is not None, f"{module.stem}.{node.name} has no return type"


@pytest.mark.parametrize("lesson", LESSONS, **ids)
def test_every_lesson_has_its_sections_and_exercises(lesson):
    texts, code = cells(lesson, "markdown"), cells(lesson, "code")
    assert re.fullmatch(r"# [^\n]+\n\n> [^\n]+", texts[0]), (
        "the first text cell is title and English sentence, nothing else"
    )
    assert all(word in texts[1] for word in ("**Al terminar sabrás**", "**Necesitas**", "**Tiempo**"))
    headings = [text.splitlines()[0][3:] for text in texts if text.startswith("## ")]
    assert headings[-3:] == ["Ejercicios", "Resumen", "Para seguir"], headings
    assert 3 <= len(headings) - 3 <= 9, headings
    checks = [source for source in code if source.startswith("@exercise(")]
    assert len(checks) >= 3 and len(set(checks)) == len(checks)
    solutions = [source for source in code if re.search(r"^ +### BEGIN SOLUTION$", source, flags=re.MULTILINE)]
    assert len(solutions) == len(checks)
    assert [text for text in texts if re.match(r"\*\*Ejercicio \d", text)]
    assert sum(text.startswith("**Ejercicio ") for text in texts) == len(checks)


@pytest.mark.parametrize("notebook", REFERENCE, **ids)
def test_a_reference_notebook_is_short_and_sober(notebook):
    texts, code = cells(notebook, "markdown"), cells(notebook, "code")
    assert re.fullmatch(r"# [^\n]+\n\n> [^\n]+", texts[0]), (
        "the first text cell is title and English sentence, nothing else"
    )
    everything = "\n".join(texts + code)
    of_lessons = ("**Al terminar sabrás**", "**Tiempo**", "## Ejercicios", "## Resumen", "@exercise(", "BEGIN SOLUTION")
    assert not [word for word in of_lessons if word in everything], "a reference notebook teaches nothing"
    assert [source for source in code[1:] if not source.startswith("#| export")], "a demonstration is missing"


def is_import(node: ast.stmt) -> bool:
    "Does a statement only import, also for a type checker alone, or name the module's log?"
    if isinstance(node, ast.If):
        return all(map(is_import, node.body))
    log = isinstance(node, ast.Assign) and ast.unparse(node).startswith("logger = ")
    return log or isinstance(node, ast.Import | ast.ImportFrom)


def code_lines(source: str, imports: bool = True) -> int:
    "Lines of code: without blank lines, comments and docstrings, and if wanted without imports."
    source = re.sub(r"(?m)^\s*[!%].*$", "pass", source)
    lines, tree = set(), ast.parse(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    for node in tree.body:
        if not imports and is_import(node):
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return len(lines)


def is_data(source: str) -> bool:
    "Does a cell hold nothing but written-down values?"
    body = ast.parse(source).body
    return all(isinstance(node, ast.Assign | ast.AnnAssign) and written_down(node.value) for node in body)


def written_down(node: ast.expr) -> bool:
    "Are there only literals and calls of classes on literals?"
    kinds = ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Set | ast.Call | ast.Name | ast.Attribute | ast.keyword
    return all(isinstance(one, kinds | ast.Load | ast.UnaryOp | ast.USub) for one in ast.walk(node))


def sizes(path: Path) -> dict[str, float]:
    "What the ceilings measure of a notebook."
    shown = [
        cell
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if not "".join(cell["source"]).startswith("#| hide")
    ]
    code = ["".join(cell["source"]) for cell in shown if cell["cell_type"] == "code"]
    exported = [source for source in code if source.startswith("#| export")]
    plain = [re.sub(r"(?m)^\s*[!%].*$", "pass", source) for source in code if not source.startswith("%%")]
    counted = [s for s in plain if not s.startswith("@exercise(") and not is_data(s)]
    words = sum(len("".join(cell["source"]).split()) for cell in shown if cell["cell_type"] == "markdown")
    tagged = [cell for cell in shown if "hide-input" in cell["metadata"].get("tags", [])]
    folded = ["".join(cell["source"]) for cell in tagged]
    seen = [source for source in plain if source not in folded and not all(map(is_import, ast.parse(source).body))]
    return {
        "cells": len(shown),
        "exported": sum(code_lines(source, imports=False) for source in exported),
        "longest": max((code_lines(source, imports=False) for source in counted), default=0),
        "words": words / max(1, sum(map(code_lines, seen))),
    }


def too_big(path: Path) -> dict[str, float]:
    "The sizes of a notebook that are beyond its ceilings."
    found, most = sizes(path), LESSON if path in LESSONS else REFERENCE_SIZES
    return {
        name: round(found[name], 1)
        for name, limit in most.items()
        if (found[name] < limit if name == "words" else found[name] > limit)
    }


@pytest.mark.parametrize("path", NOTEBOOKS, **ids)
def test_notebooks_keep_to_the_ceilings(path):
    assert bool(too_big(path)) == (path.stem in BIG), f"{too_big(path)}; BIG only shrinks"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_modules_keep_to_the_ceiling(module):
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert (lines > 350) == (dotted(module) in LONG), f"{lines} lines; LONG only shrinks"


def test_the_package_can_be_kept_in_mind():
    texts = {dotted(path): path.read_text(encoding="utf-8") for path in MODULES}
    counts = {name: code_lines(text) for name, text in texts.items()}
    assert sum(counts.values()) <= MOST["code lines"]
    assert sum(count for name, count in counts.items() if not wing(name)) <= MOST["library"]
    exported = [
        (name, module)
        for module, text in texts.items()
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    ]
    assert len(exported) <= MOST["names"]
    names = [name for name, _ in exported]
    twice = {name for name in names if names.count(name) > 1}
    assert len(twice) <= MOST["twice"], sorted(twice)


@pytest.mark.parametrize("path", NOTEBOOKS, **ids)
def test_saved_outputs_travel(path):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert len(text.encode()) <= 300_000, "more than 300 kB"
    outputs = json.dumps([cell.get("outputs", []) for cell in notebook["cells"]])
    places = re.findall(
        r"(?:/(?:home|root|Users|tmp|work)/|site-packages)[^\"\\ ]*", re.sub(r'"image/png": "[^"]*"', "", outputs)
    )
    assert not [place for place in places if "ipykernel_" not in place], places[:3]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    run = longest = 0
    for cell in notebook["cells"]:
        run = run + 1 if cell["cell_type"] == "code" else 0
        longest = max(longest, run)
    assert longest <= 3, f"{longest} code cells in a row"
    for cell in notebook["cells"]:
        pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        assert not pictures or "".join(cell["source"]).startswith("#| fig-alt: "), (
            f"{cell['id']}: figure without alternative text"
        )


def test_links_between_notebooks_exist():
    for notebook in [*NOTEBOOKS, *ROOT.glob("nbs/*.ipynb")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+\.ipynb)", "\n".join(cells(notebook, "markdown"))):
            assert (notebook.parent / target).exists(), f"{notebook.stem} links {target}"


def plain(text):
    "For the order of a dictionary: no capitals, no accents."
    return unicodedata.normalize("NFD", text.casefold()).encode("ascii", "ignore").decode()


def test_the_glossary_pairs_the_words_of_the_lessons():
    lines = (ROOT / "docs/glosario.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    words = [plain(row[0]) for row in rows]
    assert len(words) > 80 and words == sorted(set(words)), "in the order of a dictionary, each word once"
    for spanish, english, meaning, link in rows:
        title, target = re.fullmatch(r"\[(.+)\]\(\.\./(nbs/.+\.ipynb)\)", link).groups()
        texts = cells(ROOT / target, "markdown")
        assert texts[0].startswith(f"# {title}\n"), target
        assert spanish.casefold() in "\n".join(texts).casefold(), f"{target} never says {spanish}"
        assert english and meaning.endswith("."), spanish
    no_terms = {"una vez", "pretzels", "módulos", "paquetes"}
    for notebook in NOTEBOOKS:
        text = "\n".join(cells(notebook, "markdown"))
        for word in re.findall(r"(?<!\*)\*([^*\n]+)\* \((?:`[^`]+`|\*[^*]+\*)\)", text):
            assert word in no_terms or plain(word) in words, f"{notebook.stem} pairs {word!r}, the glossary does not"


def test_only_settings_declare_dependencies():
    assert not declared(ROOT).empty and not [*ROOT.glob("*requirements*.txt")]
    assert not {"project", "dependency-groups"} & set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))


def test_tests_are_counted_by_their_own_name():
    modules = {path.stem for path in ROOT.glob("tests/wrong_answers/*.py")} - {"__init__"}
    with_exercises = {noun(path) for path in LESSONS if any(c.startswith("@exercise(") for c in cells(path, "code"))}
    assert modules == with_exercises, "every lesson has a catalogue of wrong answers, and no other"


@pytest.mark.parametrize("path", NOTEBOOKS, **ids)
def test_a_shown_error_does_not_stop_a_plain_nbdev_test(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if "raises-exception" in cell["metadata"].get("tags", []):
            assert cell["source"][0] == "#| notest\n", f"cell {cell['id']} raises: its first line says #| notest"
