"Stages closed by their lessons alone: an empty folder and the notebooks that produce a deliverable."

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from mlworkbook.project.stages import closed, deliverables, gate
from mlworkbook.sales import make_sales, to_rossmann

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


def run(lesson):
    "Run a lesson as a learner with the solutions would."
    notebook = nbformat.read(lesson, as_version=4)
    resources = {"metadata": {"path": lesson.parent}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()


def test_lessons_close_the_gate_in_an_empty_folder(tmp_path, monkeypatch):  # nbs/conftest.py asks each lesson alone
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


@pytest.mark.parametrize("name", ["21_explore", "22_metrics", "23_baselines"])  # 24 has a test of its own
def test_a_shops_own_file_goes_through_by_changing_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path / "home"))
    path = tmp_path / "ventas.csv.gz"
    to_rossmann(make_sales(seed=3, series=5, days=1100)).to_csv(path, index=False)
    lesson = ROOT / "nbs" / "play" / f"{name}.ipynb"
    notebook = nbformat.read(lesson, as_version=4)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    ours = [cell for cell in cells if "history = load_sales()" in cell["source"].splitlines()]
    assert len(ours) == 1, "one line to change"
    ours[0]["source"] = ours[0]["source"].replace("history = load_sales()", f"history = load_sales({str(path)!r})")
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": lesson.parent}}
    ).execute()
    for stage, theirs in {"discover": set(), "play": {"data"} if name == "21_explore" else set()}.items():
        table = gate(tmp_path / "home" / "project", stage)
        assert set(table.loc[table["state"] == "met", "deliverable"]) == theirs
