"Every exercise of every lesson: the stub fails, the wrong answers get their hints, the solution passes."

import ast
import builtins
import importlib
import json
import re
import symtable
from pathlib import Path

import pytest

from mlworkbook.course.exercises import APART, solved, student_notebook, write_student

ROOT = Path(__file__).parent.parent
LESSONS = sorted(ROOT.glob("nbs/*/[0-9][0-9]_*.ipynb"), key=lambda path: path.name)
TEACHERS = [path for path in ROOT.glob("nbs/course/*.ipynb") if '"@exercise(' in path.read_text(encoding="utf-8")]
KEPT = {"night": ["cli.retry"]}  # exercises that keep the name of their first lesson: what is solved stays solved
EXERCISE = re.compile(r"^ +### BEGIN SOLUTION$|^@exercise\(", flags=re.MULTILINE)


def code_cells(notebook):
    "Source and tags of the code cells."
    cells = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    return [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]


SIMPLE = (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def changed(node):
    "Names that a statement changes in place: table.loc[...] = 1, trays.append(1), deliver(trays)."
    targets = node.targets if isinstance(node, ast.Assign) else [node.value] if isinstance(node, ast.Expr) else []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
        targets += node.value.args
    for target in targets:
        while isinstance(target, ast.Attribute | ast.Subscript | ast.Call):
            target = target.func if isinstance(target, ast.Call) else target.value
        if isinstance(target, ast.Name):
            yield target.id


def names(source):
    "Names that a cell makes, changes in place, makes whatever was before, reads now, and reads later."
    made, altered, bound, now, late = set(), set(), set(), set(), set()
    for node in ast.parse(source).body:
        scope = symtable.symtable(ast.unparse(node), "cell", "exec")
        here = [(scope, now)]
        own = {one.get_name() for one in scope.get_symbols() if one.is_assigned() or one.is_imported()}
        own |= {one.get_name() for one in scope.get_symbols() if one.is_namespace()}
        read = set()
        while here:  # a comprehension and a class run at once, a function when it is called
            table, kind = here.pop()
            for one in table.get_symbols():
                if one.is_referenced() and (table is scope or one.is_global()):
                    (late if kind is late else read).add(one.get_name())
            for child in table.get_children():
                at_once = kind is now and (child.get_type() == "class" or child.get_name().endswith(("comp", "expr")))
                here.append((child, now if at_once else late))
        loops = {
            one.id
            for part in ast.walk(node)
            for target in [getattr(part, "target", None), getattr(part, "optional_vars", None)]
            if isinstance(part, ast.For | ast.withitem) and target
            for one in ast.walk(target)
            if isinstance(one, ast.Name)
        }
        now |= read - bound - loops
        made |= own
        altered |= set(changed(node))
        bound |= own if isinstance(node, SIMPLE) else set()
    return made, altered, bound, now, late


def needed(sources):
    "Which cells the exercises need, directly or through others; nbval runs the rest."
    cells = [names(source) for source in sources]
    bodies = [ast.parse(source).body for source in sources]
    keep = [
        bool(EXERCISE.search(source)) or all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)
        for source, body in zip(sources, bodies, strict=True)
    ]
    steady = set(dir(builtins)) | {"display"}  # nobody changes these: what is imported, and what the package exports
    for source, (made, *_), kept in zip(sources, cells, keep, strict=True):
        steady |= made if kept and not EXERCISE.search(source) or source.startswith("#| export") else set()
    before = None
    while keep != before:
        before, live = list(keep), set()
        later = set().union(*(cell[-1] for cell, kept in zip(cells, keep, strict=True) if kept))
        for place, (made, altered, bound, now, _) in reversed(list(enumerate(cells))):
            if keep[place] or (made | altered - steady) & (live | later):
                keep[place], live = True, (live - bound) | now
    return keep


def wrong_answers(lesson):
    "Catalogue of a lesson, by exercise."
    module = importlib.import_module(f"wrong_answers.{lesson.stem.split('_')[-1]}")
    catalogue = {}
    for answer in vars(module).values():
        if name := getattr(answer, "exercise", None):
            catalogue.setdefault(name, []).append(answer)
    return catalogue


def refusal(check, answer, language):
    "What the check says of an answer, in the language asked for."
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLWORKBOOK_LANG", language)
        with pytest.raises(AssertionError) as error:  # lesson 02 defines the classes anew
            check(answer)
    return str(error.value), type(error.value).__name__ == "UnsolvedError"


def prove(check, stub, catalogue, capsys):
    "Try the stub and every wrong answer on one check."
    assert refusal(check, stub, "es") == (
        f"{check.exercise}: sin resolver: escribe tu código en lugar de "
        "`raise NotImplementedError` y ejecuta las dos celdas",
        True,
    )
    assert len(catalogue) >= 3, f"{check.exercise} has {len(catalogue)} wrong answers in its catalogue, expected 3"
    hints = set()
    for answer in catalogue:
        spanish, unsolved = refusal(check, answer, "es")
        english, _ = refusal(check, answer, "en")
        assert answer.hint in spanish and not unsolved, f"{check.exercise}, {answer.__name__}: {spanish}"
        assert english != spanish and "función" not in english
        hints.add(spanish)
    assert len(hints) >= 3, f"{check.exercise}: the wrong answers share their hints: {hints}"


@pytest.mark.slow
@pytest.mark.parametrize("lesson", [*LESSONS, *sorted(TEACHERS)], ids=lambda path: path.stem)
def test_exercises(lesson, tmp_path, monkeypatch, capsys):
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(lesson.parent)
    catalogue, proven = wrong_answers(lesson), []
    namespace = {"__name__": "__main__", "display": lambda *things, **options: None}
    lessons, stub = code_cells(notebook), None
    stubs, keep = code_cells(student_notebook(notebook)), needed([source for source, _ in lessons])
    for (source, tags), (blanked, _), kept in zip(lessons, stubs, keep, strict=True):
        if not kept:
            continue
        if source != blanked:  # a solution
            scope = dict(namespace)
            exec(compile(blanked, f"{lesson.name} stub", "exec"), scope)
            (name,) = re.findall(r"^def (\w+)\(", source, flags=re.MULTILINE)
            stub = scope[name]
            assert '    "' in blanked, f"{lesson.name}: the stub of {name} has no docstring"
        try:
            exec(compile(source, f"{lesson.name}", "exec"), namespace)
        except Exception:
            if "raises-exception" not in tags:
                raise
        if match := re.search(r'^@exercise\("([^"]+)"\)\ndef (\w+)', source, flags=re.MULTILINE):
            assert f"✔ {match[1]}" in capsys.readouterr().out, f"{match[1]}: the solution did not pass"
            prove(namespace[match[2]], stub, catalogue.pop(match[1], []), capsys)
            proven.append(match[1])
    assert len(proven) >= 3, f"{lesson.name} has {len(proven)} exercises, expected 3 or more"
    assert not catalogue, f"wrong answers for exercises that do not exist: {list(catalogue)}"
    noun = lesson.stem.split("_")[-1]
    assert all(name.startswith(f"{noun}.") or name in KEPT.get(noun, ()) for name in proven)


def test_student_edition_stops_at_the_first_unsolved(tmp_path, monkeypatch):
    notebook = student_notebook(json.loads((ROOT / "nbs/course/exercises.ipynb").read_text(encoding="utf-8")))
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path))
    namespace = {"__name__": "__main__"}
    with pytest.raises(AssertionError, match="exercises.leftover: sin resolver"):
        for source, tags in code_cells(notebook):
            try:
                exec(source, namespace)
            except Exception:
                if "raises-exception" not in tags:
                    raise
    assert solved() == ["demo.total"]


def test_learners_get_the_lessons_and_no_link_leads_out_of_them(tmp_path):
    written = {path.as_posix() for path in write_student(tmp_path)}
    assert written == {"index.ipynb"} | {path.relative_to(ROOT / "nbs").as_posix() for path in LESSONS}
    there, linked = set(), set()
    for name in written:
        for folder, found in ((ROOT / "nbs", there), (tmp_path, linked)):
            for cell in json.loads((folder / name).read_text(encoding="utf-8"))["cells"]:
                text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
                targets = re.findall(r"\]\((?!https?:)([^)#]+\.ipynb)", text)
                found |= {((folder / name).parent / target).resolve().relative_to(folder) for target in targets}
    assert {path.as_posix() for path in linked} <= written
    assert there - linked == {path for path in there if path.parts[0] in APART} != set()
