"""What nbval needs to run cleaned notebooks as tests: `pytest --nbval nbs`."""

import shutil
import tempfile
from pathlib import Path

import pytest

from mlworkbook.project.stages import deliverables, gate

nbval = pytest.importorskip("nbval.plugin")

LONG = ["play", "deploy", "develop"]  # stages whose lessons take their time


def pytest_collection_modifyitems(items):
    "Short lessons come last, so that no process is left alone with a long one at the end."
    stages = {item: item.path.parent.name for item in items}
    items.sort(key=lambda item: LONG.index(stages[item]) if stages[item] in LONG else len(LONG))


@pytest.hookimpl(hookwrapper=True)
def pytest_collect_file(file_path, parent):
    "Give cleaned cells an execution count, or nbval takes their outputs for forgotten ones."
    outcome = yield
    for collector in outcome.get_result() or []:
        if isinstance(collector, nbval.IPyNbFile):
            collector.__class__ = Lesson


class Lesson(nbval.IPyNbFile):
    "A lesson, run with a workspace of its own, so that nothing of an earlier run can help or harm."

    def setup(self):
        self.home = tempfile.mkdtemp(prefix="mlworkbook-")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLWORKBOOK_HOME", self.home)
            for name in ("MLWORKBOOK_LANG", "MLFLOW_TRACKING_URI", "MPLBACKEND"):
                patch.delenv(name, raising=False)
            super().setup()
        execute = self.kernel.kc.execute

        def with_history(*args, **kwargs):  # nbval issue 194: without history a trailing `;` hides nothing
            return execute(*args, **kwargs | {"store_history": True})

        self.kernel.kc.execute = with_history

    def teardown(self):
        super().teardown()
        ours, met = set(), set()
        for stage in ("discover", "play"):  # what needs no store of runs
            ours |= {entry.key for entry in deliverables(stage) if self.path.stem in entry.lessons}
            table = gate(Path(self.home) / "project", stage)
            met |= set(table.loc[(table["state"] == "met") & table["why"].str.contains("signed by "), "deliverable"])
        shutil.rmtree(self.home, ignore_errors=True)
        assert met == ours, f"{self.path.stem} closed {sorted(met)}, expected {sorted(ours)}"

    def collect(self):
        for item in super().collect():
            item.cell["execution_count"] = item.cell_num + 1
            yield item
