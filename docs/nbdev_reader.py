"""Turn a lesson into a page: what nbdev and the exercises need in the notebook is not what a reader needs to see."""

import json
import re

LABELS = {
    "es": {
        "solution": ("Ver la solución", "Ocultar la solución"),
        "check": ("Ver la comprobación", "Ocultar la comprobación"),
        "long": ("Ver el código", "Ocultar el código"),
    },
    "en": {
        "solution": ("Show the solution", "Hide the solution"),
        "check": ("Show the check", "Hide the check"),
        "long": ("Show the code", "Hide the code"),
    },
}
LONG = 40  # lines of an exported cell that a page shows unasked: more is read when the text has been understood
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION *$", re.M | re.S)


def read(
    text: str,  # a notebook, as it is stored
    language: str = "es",  # language of the labels
    more: list[str] = (),  # text cells to add at the end, in MyST
) -> str:  # the notebook that MyST-NB renders
    "Drop hidden cells and directives, fold solutions, checks and long code, give figures a text, shorten tracebacks."
    notebook = json.loads(text)
    notebook["metadata"]["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    notebook["cells"] = [shown for cell in notebook["cells"] for shown in show(cell, LABELS[language])]
    for place, text in enumerate(more):
        notebook["cells"].append({"cell_type": "markdown", "id": f"more-{place}", "metadata": {}, "source": text})
    return json.dumps(notebook)


def show(
    cell: dict,  # as stored
    labels: dict,  # of the folded parts
) -> list[dict]:  # none, one, or two: the stub of an exercise and its solution
    "Cells of the page that stand for one cell of the notebook."
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return [cell | {"source": without_summary(source)}]
    if cell["cell_type"] != "code":
        return [cell]
    options = dict(re.findall(r"^#\|\s*([\w-]+):?\s*(.*?)\s*$", source, re.M))
    if "hide" in options or "default_exp" in options:
        return []
    source = re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip("\n")
    outputs = [short(output) for output in cell["outputs"]]
    if SOLUTION.search(source):
        stub = cell | {"id": f"{cell['id']}-stub", "outputs": []}
        stub["source"] = SOLUTION.sub(r"\1raise NotImplementedError", source)
        solution = cell | {"source": SOLUTION.sub(r"\2", source).rstrip("\n"), "outputs": outputs}
        return [stub, fold(solution, *labels["solution"])]
    cell = cell | {"source": source, "outputs": outputs}
    if re.search(r"^@exercise\(", source, re.M):
        return [fold(cell, *labels["check"])]
    if "hide-input" in cell["metadata"].get("tags", []):
        return [fold(cell, *labels["long"])]
    if {"export", "exporti"} & set(options) and source.count("\n") >= LONG:
        names = ", ".join(re.findall(r"^(?:def|class) ([a-zA-Z]\w*)", source, re.M))
        return [fold(cell, *(f"{label}: {names}" if names else label for label in labels["long"]))]
    if alt := options.get("fig-alt"):
        return [set_up(cell, image={"alt": alt})]
    return [cell]


def without_summary(
    text: str,  # a text cell
) -> str:  # the same without the English sentence under the title
    "Leave out the module docstring, which the page of the module shows."
    return re.sub(r"\A(# .+\n)\s*(?:>.*\n?)+", r"\1", text)


def fold(cell: dict, closed: str, opened: str) -> dict:
    "Hide the code of a cell behind a label."
    tags = [*cell["metadata"].get("tags", []), "hide-input"]
    cell = cell | {"metadata": cell["metadata"] | {"tags": tags}}
    return set_up(cell, code_prompt_show=closed, code_prompt_hide=opened)


def set_up(cell: dict, **options) -> dict:
    "Add options that MyST-NB reads."
    return cell | {"metadata": cell["metadata"] | {"mystnb": options}}


def short(
    output: dict,  # as stored
) -> dict:  # the same, or an error without its traceback
    "Show an error by its name and message: the way to it runs through files that the reader does not have."
    if output["output_type"] != "error" or len(output["traceback"]) == 1:
        return output
    return output | {"traceback": [f"{output['ename']}: {output['evalue']}"]}
