"The first stage, closed by its lessons alone: an empty folder and the notebooks that produce a deliverable."

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from mlworkbook.stages import closed, deliverables, gate

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


def run(lesson):
    "Run a lesson as a learner with the solutions would."
    notebook = nbformat.read(lesson, as_version=4)
    resources = {"metadata": {"path": lesson.parent}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()


def test_lessons_close_the_gate_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path))
    folder = tmp_path / "project"
    assert set(gate(folder, "discover")["state"]) == {"missing"}
    makers = {name for entry in deliverables("discover") for name in entry.lessons}
    lessons = sorted(ROOT / "nbs" / "discover" / f"{name}.ipynb" for name in makers)
    for lesson in lessons:
        before = gate(folder, "discover").set_index("deliverable")["state"]
        run(lesson)
        after = gate(folder, "discover").set_index("deliverable")["state"]
        theirs = {entry.key for entry in deliverables("discover") if lesson.stem in entry.lessons}
        assert set(after.index[after != before]) == theirs, f"{lesson.stem} closed something else"
    table = gate(folder, "discover")
    assert closed(table), table.to_string()
    assert table["why"].str.contains("signed by ").all()
    assert not [path for path in folder.rglob("*") if re.search(r"\.(rough|pkl|pickle)$", path.name)]

    (folder / "kpi.json").write_text("{}", encoding="utf-8")
    again = gate(folder, "discover").set_index("deliverable")["state"]
    assert again["kpi"] == "invalid" and set(again.drop("kpi")) == {"met"}
