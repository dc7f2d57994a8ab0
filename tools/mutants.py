"""Spoil a module in many small ways and count how many the tests of that module notice; writes docs/mutation.csv."""

import json
import shutil
import subprocess
import sys
from csv import DictReader, DictWriter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs/mutation.csv"
MODULES = ["contract", "gitflow", "metrics", "stages", "value"]
# a docstring alone on its line changes nothing that a test could see
SETTINGS = r"""[mutmut]
source_paths = mlworkbook
only_mutate = mlworkbook/{module}.py
also_copy =
    mlworkbook
    nbs
    tools
    settings.ini
do_not_mutate_patterns = ^(    |        )"[^"]*"$
pytest_add_cli_args_test_selection = tests/test_{module}.py
pytest_add_cli_args =
    -p
    no:cacheprovider
    --hypothesis-seed=0
"""


def mutate(module: str) -> dict:
    """Run mutmut on a copy; one row of the table. What survives is printed."""
    mutmut = [sys.executable, "-m", "mutmut"]
    with TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        leave = shutil.ignore_patterns(".git", ".venv", "node_modules", "_site", "mutants", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, copy, ignore=leave)
        (copy / "setup.cfg").write_text(SETTINGS.format(module=module), encoding="utf-8")
        subprocess.run([*mutmut, "run", "--max-children", "2"], cwd=copy, check=True)
        subprocess.run([*mutmut, "export-cicd-stats"], cwd=copy, check=True)
        stats = json.loads((copy / "mutants/mutmut-cicd-stats.json").read_text(encoding="utf-8"))
        results = subprocess.run([*mutmut, "results"], cwd=copy, check=True, capture_output=True, text=True).stdout
        for line in results.splitlines():
            if line.strip().endswith(("survived", "no tests", "suspicious")):
                subprocess.run([*mutmut, "show", line.split(":")[0].strip()], cwd=copy, check=True)
    killed = stats["killed"] + stats["timeout"]
    return {"module": module, "mutants": stats["total"], "killed": killed, "score": f"{killed / stats['total']:.3f}"}


def main(wanted: list[str]) -> None:
    """Measure the modules named, or all of them, and renew their rows."""
    if unknown := [name for name in wanted if name not in MODULES]:
        raise SystemExit(f"{unknown[0]} is not among {', '.join(MODULES)}")
    rows = {row["module"]: row for row in DictReader(TABLE.open(encoding="utf-8"))} if TABLE.is_file() else {}
    for module in wanted or MODULES:
        rows[module] = mutate(module)
        print(rows[module])
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = DictWriter(file, ["module", "mutants", "killed", "score"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows[name] for name in sorted(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
