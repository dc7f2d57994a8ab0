"""Pages that no file holds: one for each exported module, their list, and the order of the course."""

import ast
import csv
import dataclasses
import importlib
import inspect
import io
import json
import re
import textwrap
import tokenize
from pathlib import Path
from types import ModuleType

import nbdev_reader
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.project import Project

TEXTS = {
    "es": {
        "stages": {
            "start": "Antes de empezar",
            "discover": "Descubrir",
            "play": "Jugar",
            "develop": "Desarrollar",
            "deploy": "Desplegar",
        },
        "reference": "Referencia",
        "extra": "Consulta",
        "modules": "Los módulos del paquete",
        "about": "Cada módulo nace de una lección o de un cuaderno de referencia. Esta página los reúne: primero "
        "la biblioteca, después las demás alas.",
        "module": "Módulo",
        "what": "Qué hace",
        "lesson": "Lección",
        "notebook": "Cuaderno",
        "traceability": "De la historia a la prueba",
        "proof": "El propio cuaderno se construyó con historias de usuario. Cada criterio nombra las pruebas que lo "
        "demuestran; si una deja de existir, `make check` falla.",
        "story": "Como **{role}**, quiero {want}, para {benefit}.",
        "criterion": "Dado {given}, cuando {when}, entonces {then}.",
        "criteria": "Criterio de aceptación",
        "tests": "Lo prueban",
        "leaderboard": "La clasificación de las recetas",
        "ranking": "Todas contestan a lo mismo: {evenings} tardes, los 14 días después de cada una, y ninguna sabe más "
        "de lo que se sabía esa tarde: ni ventas posteriores, ni promociones sin planificar, ni puertas cerradas sin "
        "aviso. La lección {{doc}}`/develop/37_ranking` construye el examen, {{doc}}`/play/23_baselines` presenta a "
        "los rivales baratos y {{doc}}`/develop/34_forecaster` a Prophet. En negrita, lo mejor de cada columna.",
        "levels": {"store": "Por tienda: {} series", "product": "Por tienda y producto: {} series"},
        "measures": {
            "model": "Receta",
            "wape": "WAPE",
            "bias": "Sesgo",
            "coverage": "Cobertura",
            "eur_per_day": "EUR por día, toda la cadena",
            "share": "Parte de lo que cuesta la regla",
            "seconds": "Segundos",
        },
        "models": {
            "team": "equipo: la media de las que fueron bien",
            "team's order": "equipo: lo que conviene hornear",
            "naive": "ayer",
            "seasonal_naive": "la semana pasada, regla de la cadena",
            "moving_average": "ocho semanas",
            "mstl": "semana por LOESS y nivel suavizado",
            "auto_ets": "suavizado exponencial",
            "boosting": "árboles que aprenden de todas las series",
            "boosting_35": "los mismos árboles, de 35 en 35 series",
            "boosting_10": "los mismos árboles, de 10 en 10 series",
            "boosting_1": "los mismos árboles, cada serie por su lado",
            "prophet": "tendencia, semana, año, festivos y promociones",
        },
        "repeat": "En el equipo juegan `seasonal_naive`, `mstl`, `prophet` y `boosting`; las demás están para "
        "comparar. La cobertura cuenta los días abiertos y debería ser 0,80. Los segundos son de procesador, sin lo "
        "que tarda en importarse cada biblioteca; dependen de la máquina, las demás cifras no.",
        "elsewhere": "En otras tiendas",
        "shops": "Lo que cuesta cada receta, como parte de lo que cuesta la regla, en tiendas inventadas: cuatro "
        "cadenas, un servicio recién lanzado con 37 ceros que nadie marcó como cierre, y líneas cuyos días de la "
        "semana suben y bajan cada uno por su cuenta. Una receta sola puede salir casi el triple de cara que la regla; "
        "el equipo, no. Las tablas se repiten con `python benchmarks/bench_leaderboard.py --write`.",
        "sets": {
            "made 21, plan": "cadena 21, promociones planificadas",
            "made 21, no plan": "cadena 21, sin planificar",
            "made 22, plan": "cadena 22, promociones planificadas",
            "made 22, no plan": "cadena 22, sin planificar",
            "launch": "lanzamiento con ceros",
            "walk": "días de la semana que van por libre",
        },
        "set": "Tienda",
        "map": "El mapa del curso",
        "mapped": "Qué enseña cada lección, qué exporta y qué la prueba. Las celdas se comparan con su resultado "
        "guardado cada vez que corren las pruebas; cada respuesta equivocada del catálogo tiene que recibir su propia "
        "pista. Lo cuenta el propio sitio al construirse.",
        "teaches": "Enseña a",
        "exports": "Exporta",
        "tested": "La prueban",
        "names": "{} nombres",
        "counts": "{cells} celdas<br>{exercises} ejercicios, {wrong} respuestas equivocadas",
        "more_counts": "<br>{tests} pruebas",
        "aims": r"\*\*Al terminar sabrás\*\*",
        "download": "Descargar el cuaderno",
        "download_title": "Edición para resolver: las soluciones están vacías",
        "course": "El curso",
        "search": "Buscar en el curso…",
        "licence": "Código: MIT · Textos: CC BY 4.0 · Datos: ddop, BSD-3-Clause",
    },
    "en": {
        "stages": {
            "start": "Before you start",
            "discover": "Discover",
            "play": "Play",
            "develop": "Develop",
            "deploy": "Deploy",
        },
        "reference": "Reference",
        "extra": "Look up",
        "modules": "Modules of the package",
        "about": "Each module is born in a lesson or in a reference notebook. This page lists them: the library "
        "first, then the other wings.",
        "module": "Module",
        "what": "What it does",
        "lesson": "Lesson",
        "notebook": "Notebook",
        "traceability": "From story to test",
        "proof": "The workbook itself was built from user stories. Each criterion names the tests that prove it; "
        "`make check` fails when one of them no longer exists.",
        "story": "As **{role}** I want {want}, so that {benefit}.",
        "criterion": "Given {given}, when {when}, then {then}.",
        "criteria": "Acceptance criterion",
        "tests": "Proved by",
        "leaderboard": "The leaderboard of the recipes",
        "ranking": "All answer the same question: {evenings} evenings, the 14 days after each, and none knows more "
        "than was known that evening: no later sale, no promotion without a plan, no door shut without notice. The "
        "lesson {{doc}}`/develop/37_ranking` builds the exam, {{doc}}`/play/23_baselines` presents the cheap rivals "
        "and {{doc}}`/develop/34_forecaster` presents Prophet. The best of each column is bold.",
        "levels": {"store": "By store: {} series", "product": "By store and product: {} series"},
        "measures": {
            "model": "Recipe",
            "wape": "WAPE",
            "bias": "Bias",
            "coverage": "Coverage",
            "eur_per_day": "EUR per day, whole chain",
            "share": "Share of the rule's cost",
            "seconds": "Seconds",
        },
        "models": {
            "team": "team: the mean of those that did well",
            "team's order": "team: what to bake",
            "naive": "yesterday",
            "seasonal_naive": "last week, the chain's own rule",
            "moving_average": "eight weeks",
            "mstl": "a week by LOESS and a smoothed level",
            "auto_ets": "exponential smoothing",
            "boosting": "trees that learn from all series",
            "boosting_35": "the same trees, 35 series at a time",
            "boosting_10": "the same trees, 10 series at a time",
            "boosting_1": "the same trees, each series by itself",
            "prophet": "trend, week, year, holidays and promotions",
        },
        "repeat": "`seasonal_naive`, `mstl`, `prophet` and `boosting` play in the team; the others stand there to "
        "compare. Coverage counts open days and should be 0.80. Seconds are of the processor, without what each "
        "library takes to import; they depend on the machine, the other figures do not.",
        "elsewhere": "In other shops",
        "shops": "What each recipe costs as a share of the rule's cost, in made-up shops: four chains, a service just "
        "launched with 37 zeros that nobody marked as closed, and lines whose weekdays rise and fall each by itself. A "
        "single recipe may cost almost three times the rule; the team does not. To repeat the tables: `python "
        "benchmarks/bench_leaderboard.py --write`.",
        "sets": {
            "made 21, plan": "chain 21, promotions planned",
            "made 21, no plan": "chain 21, no plan",
            "made 22, plan": "chain 22, promotions planned",
            "made 22, no plan": "chain 22, no plan",
            "launch": "launch with zeros",
            "walk": "weekdays that walk by themselves",
        },
        "set": "Shop",
        "map": "The map of the course",
        "mapped": "What each lesson teaches, what it exports and what tests it. Cells are compared with their saved "
        "outputs whenever the tests run; each catalogued wrong answer must get a hint of its own. The site counts all "
        "this while it is built.",
        "teaches": "Teaches to",
        "exports": "Exports",
        "tested": "Tested by",
        "names": "{} names",
        "counts": "{cells} cells<br>{exercises} exercises, {wrong} wrong answers",
        "more_counts": "<br>{tests} tests",
        "aims": r"\*\*Al terminar sabrás\*\*",
        "download": "Download the notebook",
        "download_title": "Edition to solve: the solutions are left out",
        "course": "The course",
        "search": "Search the course…",
        "licence": "Code: MIT · Texts: CC BY 4.0 · Data: ddop, BSD-3-Clause",
    },
}


KINDS = ("code", "markdown")
REFERENCE = "reference"  # key of the notebooks that are no lessons of a stage
HOMES = ("course", "library", "ops", "cli")  # their folders


@dataclasses.dataclass(frozen=True)
class Lesson:
    "What the site must know of a lesson, or of a reference notebook, before it reads it."

    docname: str  # "discover/12_value"
    number: str  # "12"; empty for a reference notebook
    stage: str  # "discover", or "reference"
    module: str  # "value", "ops.files"; empty when the lesson exports nothing

    @property
    def page(self) -> str:
        return f"api/{self.module}" if self.module else ""

    @property
    def kind(self) -> str:  # key of its name in TEXTS
        return "notebook" if self.stage == REFERENCE else "lesson"


def find_lessons(
    folder: Path,  # `nbs`
    stages: list[str],  # in the order of the course
) -> list[Lesson]:  # in reading order, reference notebooks last
    "Lessons are the numbered notebooks of the stages; the others follow by wing."
    lessons = []
    for home in [*stages, *HOMES]:
        for path in sorted((folder / home).glob("[0-9][0-9]_*.ipynb" if home in stages else "*.ipynb")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            found = re.search(r"^#\|\s*default_exp\s+([\w.]+)", "".join(cells[0]["source"]), re.M)
            number = path.stem.split("_")[0] if home in stages else ""
            stage = home if home in stages else REFERENCE
            lessons.append(Lesson(f"{home}/{path.stem}", number, stage, found[1] if found else ""))
    return lessons


def contents(
    lessons: list[Lesson],
    texts: dict,
    extra: list[str],  # pages that come after the lessons
) -> str:  # MyST
    "Tables of contents of the course, one for each stage, for the sidebar and the order of the pages."
    names = texts["stages"] | {REFERENCE: texts["reference"]}
    groups = {name: [] for name in [*names.values(), texts["extra"]]}
    for lesson in lessons:
        groups[names[lesson.stage]].append(lesson.docname)
    groups[texts["extra"]] += extra
    tree = "```{{toctree}}\n:hidden:\n:caption: {}\n\n{}\n```\n"
    return "\n".join(tree.format(name, "\n".join(pages)) for name, pages in groups.items() if pages)


def module_list(lessons: list[Lesson], texts: dict) -> str:
    "The page that lists the modules, as reStructuredText."
    lessons = sorted(lessons, key=lambda lesson: ("." in lesson.module, lesson.module))
    rows = [f"   * - {texts['module']}\n     - {texts['what']}\n     - {texts['notebook']}"]
    for lesson in lessons:
        what = rest(inspect.getdoc(importlib.import_module(f"mlworkbook.{lesson.module}")).splitlines()[0])
        rows.append(f"   * - :doc:`/{lesson.page}`\n     - {what}\n     - :doc:`/{lesson.docname}`")
    table = ".. list-table::\n   :header-rows: 1\n   :class: modules\n\n" + "\n".join(rows)
    tree = ".. toctree::\n   :hidden:\n\n" + "\n".join(f"   /{lesson.page}" for lesson in lessons)
    title = texts["modules"]
    return f"{title}\n{'=' * len(title)}\n\n{texts['about']}\n\n{table}\n\n{tree}\n"


def module_page(lesson: Lesson) -> str:
    "The page of one module, as reStructuredText."
    name = f"mlworkbook.{lesson.module}"
    title = f"{name}\n{'=' * len(name)}"
    return f"{title}\n\n.. automodule:: {name}\n   :members:\n\n" + "\n".join(constants(importlib.import_module(name)))


def traceability_page(
    path: Path,  # backlog.yaml
    texts: dict,
) -> str:  # MyST
    "Stories of the workbook, their criteria and the tests that prove them."
    from mlworkbook.project.backlog import load_backlog

    backlog = load_backlog(path)
    lines = [f"# {texts['traceability']}", texts["proof"]]
    for epic in backlog.epics:
        lines.append(f"## {epic.title}")
        for story in (story for story in backlog.stories if story.epic == epic.id):
            said = texts["story"].format(role=story.role, want=story.want, benefit=story.benefit)
            rows = [f"| {texts['criteria']} | {texts['tests']} |", "|---|---|"]
            for one in story.criteria:
                text = texts["criterion"].format(given=one.given, when=one.when, then=one.then)
                rows.append(f"| {text} | {'<br>'.join(f'`{test}`' for test in one.tests)} |")
            table = "\n".join(["```{table}", ":class: traceability", "", *rows, "```"])
            lines += [f"### {story.id}", said, table]
    return "\n\n".join(lines) + "\n"


def map_page(
    lessons: list[Lesson],
    folder: Path,  # of the repository
    texts: dict,
) -> str:  # MyST
    "What each lesson teaches, exports and is tested by, read from the files themselves."
    lines = [f"# {texts['map']}", texts["mapped"]]
    for stage, title in texts["stages"].items():
        rows = [
            f"| {texts['lesson']} | {texts['teaches']} | {texts['exports']} | {texts['tested']} |",
            "|---|---|---|---|",
        ]
        for lesson in (lesson for lesson in lessons if lesson.stage == stage):
            cells = json.loads((folder / f"nbs/{lesson.docname}.ipynb").read_text(encoding="utf-8"))["cells"]
            code, words = (
                "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind) for kind in KINDS
            )
            aims = re.search(rf"{texts['aims']}:? *([^\n]+)", words)[1]
            name = lesson.docname.split("_", 1)[1]
            catalogue = folder / f"tests/wrong_answers/{name}.py"
            numbers = {
                "cells": sum(cell["cell_type"] == "code" for cell in cells),
                "exercises": len(re.findall(r"^@exercise\(", code, re.M)),
                "wrong": len(re.findall(r"^@wrong\(", catalogue.read_text(encoding="utf-8"), re.M)),
                "tests": sum(
                    len(re.findall(r"^ *def test_", path.read_text(encoding="utf-8"), re.M))
                    for path in folder.glob(f"tests/test_{name}*.py")
                ),
            }
            tested = (texts["counts"] + texts["more_counts"] * bool(numbers["tests"])).format(**numbers)
            exports = ""
            if lesson.module:
                count = len(importlib.import_module(f"mlworkbook.{lesson.module}").__all__)
                exports = f"{{doc}}`{lesson.module} </{lesson.page}>`, {texts['names'].format(count)}"
            aims = aims.replace("|", "\\|")
            rows.append(f"| {{doc}}`/{lesson.docname}` | {aims} | {exports} | {tested} |")
        table = "\n".join(["```{table}", ":class: map", "", *rows, "```"])
        lines += [f"## {title}", table]
    return "\n\n".join(lines) + "\n"


def leaderboard_page(
    path: Path,  # leaderboard.csv, written by the benchmark
    texts: dict,
    point: str,  # between units and tenths
) -> str:  # MyST
    "Every recipe of the course on the same evenings, the cheapest errors first, and the team in other shops."
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    lines = [f"# {texts['leaderboard']}", texts["ranking"].format(evenings=table[0]["evenings"])]
    goals = {"wape": float, "bias": lambda text: abs(float(text)), "coverage": lambda text: abs(float(text) - 0.8)}
    goals |= dict.fromkeys(["eur_per_day", "share", "seconds"], float)

    digits = {"eur_per_day": 2, "seconds": 1}

    def shown(name: str, text: str, best: bool = False) -> str:
        text = f"{float(text):.{digits.get(name, 3)}f}".replace("-", "−").replace(".", point) if text else "·"
        return f"**{text}**" if best else text

    def grid(head: list[str], rows: list[list[str]]) -> str:
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---", *["--:"] * (len(head) - 1)], *rows])

    for level, title in texts["levels"].items():
        rows = sorted((row for row in table if row["set"] == level), key=lambda row: float(row["eur_per_day"]))
        best = {name: min(goal(row[name]) for row in rows if row[name]) for name, goal in goals.items()}
        cells = [
            [
                f"`{row['model']}`: {texts['models'][row['model']]}",
                *(
                    shown(name, row[name], bool(row[name]) and goal(row[name]) == best[name])
                    for name, goal in goals.items()
                ),
            ]
            for row in rows
        ]
        lines += [f"## {title.format(rows[0]['series'])}", grid(list(texts["measures"].values()), cells)]
    lines += [texts["repeat"], f"## {texts['elsewhere']}", texts["shops"]]
    share = {(row["set"], row["model"]): row["share"] for row in table}
    models = ["team", "team's order", "prophet", "boosting", "mstl"]
    cells = []
    for name, title in texts["sets"].items():
        best = min(float(share[name, model]) for model in models)
        row = [shown("share", share[name, model], float(share[name, model]) == best) for model in models]
        cells.append([title, *row])
    return "\n\n".join([*lines, grid([texts["set"], *(f"`{model}`" for model in models)], cells)]) + "\n"


def constants(
    module: ModuleType,  # exported from a lesson
) -> list[str]:  # one directive for each value or alias of a type, as the source writes it
    "Public names that are neither functions nor classes; a long table is left to the lesson."
    source = inspect.getsource(module)
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            value, comment = ast.unparse(node.value), comments(source).get(node.end_lineno, "")
            if isinstance(target, ast.Name) and target.id in module.__all__ and len(value) <= 120:
                found.append(f".. py:data:: {module.__name__}.{target.id}\n   :value: {value}\n\n   {rest(comment)}\n")
    return found


def rest(
    text: str,  # docstring or comment, where one backtick marks code, as in the lessons
) -> str:  # the same for reStructuredText
    "Keep stars, bars and trailing underscores as they are, outside of code."
    parts = re.split(r"(`+[^`]+`+)", text)
    parts[::2] = [re.sub(r"([*|\\]|_\b)", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def comments(source: str) -> dict[int, str]:
    "Comments by line."
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}


def docments(
    thing: object,  # function, method or class
) -> list[tuple[str, str, str]]:  # name (empty for what is returned), type as written, comment
    "Comments that stand beside each parameter, or beside each field of a dataclass, and beside what is returned."
    source = textwrap.dedent(inspect.getsource(thing))
    beside = comments(source)
    node = ast.parse(source).body[0]
    if isinstance(node, ast.ClassDef):
        if dataclasses.is_dataclass(thing):
            fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
            return [(one.target.id, ast.unparse(one.annotation), beside.get(one.end_lineno, "")) for one in fields]
        own = thing.__dict__.get("__init__")
        return docments(own) if inspect.isfunction(own) else []
    rules = node.args
    plain = [*rules.posonlyargs, *rules.args]
    pairs = list(zip(plain, [None] * (len(plain) - len(rules.defaults)) + rules.defaults, strict=True))
    pairs += [(rules.vararg, None)] * bool(rules.vararg)
    pairs += list(zip(rules.kwonlyargs, rules.kw_defaults, strict=True))
    pairs += [(rules.kwarg, None)] * bool(rules.kwarg)
    head = node.returns.end_lineno if node.returns else node.lineno
    found = []
    for arg, default in pairs:
        line = max(arg.end_lineno, default.end_lineno if default else 0)
        kind = ast.unparse(arg.annotation) if arg.annotation else ""
        if arg.arg not in ("self", "cls"):
            found.append((arg.arg, kind, beside.get(line, "") if line != head else ""))
    if node.returns:
        found.append(("", ast.unparse(node.returns), beside.get(head, "")))
    return found


def sections(
    text: str,  # docstring, perhaps with the blocks `Parameters` and `Returns` as NumPy writes them
) -> tuple[str, dict[str, str]]:  # the rest, and what each name means; what is returned has no name
    "Take the blocks out of a docstring."
    meant, block = {}, r"\n\n{}\n-+\n((?:\S.*\n(?:    .*(?:\n|$))+)+)"
    for title in ("Parameters", "Returns"):
        if found := re.search(block.format(title), text):
            for name, said in re.findall(r"^(\S.*)\n((?:    .*(?:\n|$))+)", found[1], flags=re.M):
                meant["" if title == "Returns" else name] = " ".join(said.split())
            text = text.replace(found[0], "\n\n" if text[found.end() :].strip() else "", 1)
    return text.strip(), meant


def describe(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    "Write a docstring as reStructuredText and add the fields for parameters and result."
    text, meant = sections("\n".join(lines).strip())
    text = re.sub(r"\n(?=(Raises|Source:|Warns) )", "\n\n", text)
    lines[:] = rest(text).splitlines()
    if what not in ("function", "method", "class", "exception"):
        return
    lines.append("")
    for arg, kind, comment in docments(obj):
        comment = comment or meant.get(arg, "")
        if arg:
            lines.append(f":param {arg}: {rest(comment)}")
            lines += [f":type {arg}: ``{kind}``"] if kind else []
        elif kind != "None" or comment:
            lines.append(f":returns: ``{kind}``" + f" – {rest(comment)}" * bool(comment))
    lines.append("")


class Course(Project):
    "The source folder and the pages that are made or lie elsewhere."

    made: dict[str, Path]  # name of a page, absolute path

    def discover(self, *args, **kwargs) -> set[str]:
        super().discover(*args, **kwargs)
        self._docname_to_path.update(self.made)
        self.docnames.update(self.made)
        return self.docnames


def choose(app: Sphinx, config: object) -> None:
    "Find the lessons and the words of the chosen language."
    app.texts = TEXTS[config.language]
    app.lessons = find_lessons(Path(app.srcdir), list(app.texts["stages"]))
    config.html_theme_options = config.html_theme_options | {"search_bar_text": app.texts["search"]}


def add_pages(app: Sphinx) -> None:
    "Let Sphinx find the pages that are made here, and the Markdown pages of this folder, as if they lay in `nbs`."
    exported = [lesson for lesson in app.lessons if lesson.module]
    app.extra = sorted(path.stem for path in Path(app.confdir).glob("*.md"))
    made = {name: Path(app.confdir) / f"{name}.md" for name in app.extra}
    if exported and app.builder.name != "gettext":  # docstrings are English in every edition
        folder = Path(app.doctreedir) / "api"
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"index": module_list(exported, app.texts)} | {item.module: module_page(item) for item in exported}
        for name, text in texts.items():
            made[f"api/{name}"] = folder / f"{name}.rst"
            made[f"api/{name}"].write_text(text, encoding="utf-8")
        app.extra.append("api/index")
        made["map"] = folder / "map.md"
        made["map"].write_text(map_page(app.lessons, Path(app.confdir).parent, app.texts), encoding="utf-8")
        app.extra.append("map")
        made["traceability"] = folder / "traceability.md"
        made["traceability"].write_text(
            traceability_page(Path(app.confdir).parent / "backlog.yaml", app.texts), encoding="utf-8"
        )
        app.extra.append("traceability")
        made["leaderboard"] = folder / "leaderboard.md"
        point = "," if app.config.language == "es" else "."
        text = leaderboard_page(Path(app.confdir) / "leaderboard.csv", app.texts, point)
        made["leaderboard"].write_text(text, encoding="utf-8")
        app.extra.append("leaderboard")
    app.project.__class__ = Course
    app.project.made = made


def number_titles(app: Sphinx, env: object) -> None:
    "Show the number of a lesson before its title in the sidebar, in links and at the foot of the pages."
    for lesson in (lesson for lesson in app.lessons if lesson.number):
        titles = [env.titles[lesson.docname], env.tocs[lesson.docname][0][0][0]]
        for title in titles:
            title.insert(0, [nodes.inline("", lesson.number, classes=["lesson-number"]), nodes.Text(" ")])


def prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    "Give MyST-NB the page instead of the notebook; the first page also holds the order of all others."
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        return
    more = [contents(app.lessons, app.texts, app.extra)] if docname == app.config.root_doc else []
    source[0] = nbdev_reader.read(source[0], app.config.language, more)


def add_context(app: Sphinx, page: str, template: str, context: dict, doctree: object) -> None:
    "Give the templates the lesson or the module that the page is about."
    context["texts"] = app.texts
    context["download"] = download
    if "body" in context:  # the visible label says it, and in the language of the page
        context["body"] = context["body"].replace('<summary aria-label="Toggle hidden content">', "<summary>")
    context["lesson"] = next((lesson for lesson in app.lessons if lesson.docname == page), None)
    context["born"] = next((lesson for lesson in app.lessons if lesson.page == page and page), None)


def write_downloads(app: Sphinx, error: Exception | None) -> None:
    "Write the learner's edition of every lesson where the pages link to it."
    from mlworkbook.course.exercises import student_notebook

    if error or app.builder.format != "html":
        return
    for lesson in (lesson for lesson in app.lessons if lesson.kind == "lesson"):
        path = Path(app.outdir) / download(lesson)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (Path(app.srcdir) / f"{lesson.docname}.ipynb").read_text(encoding="utf-8")
        path.write_text(json.dumps(student_notebook(json.loads(text)), ensure_ascii=False, indent=1), encoding="utf-8")


def download(lesson: Lesson) -> str:
    return f"_downloads/student/{lesson.docname}.ipynb"


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", choose)
    app.connect("builder-inited", add_pages)
    app.connect("source-read", prepare)
    app.connect("env-updated", number_titles)
    app.connect("html-page-context", add_context)
    app.connect("autodoc-process-docstring", describe)
    app.connect("build-finished", write_downloads)
    return {"parallel_read_safe": False}
