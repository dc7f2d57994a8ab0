"""Spoil a module in many small ways, try a sample and count what its tests notice; writes docs/mutation.csv."""

import random
import shutil
import subprocess
import sys
from csv import DictReader, DictWriter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs/mutation.csv"
SAMPLE = 150  # mutants of a module: a score of 0.9 is then known to within 0.05; all of them take hours
COLUMNS = ["module", "mutants", "tried", "killed", "score"]
MODULES = ["contract", "metrics", "project.gitflow", "project.stages", "value"]
# a docstring alone on its line changes nothing that a test could see
SETTINGS = r"""[mutmut]
source_paths = mlworkbook
only_mutate = mlworkbook/{path}.py
also_copy =
    mlworkbook
    nbs
    tools
    settings.ini
do_not_mutate_patterns = ^(    |        )"[^"]*"$
pytest_add_cli_args_test_selection = tests/test_{name}.py
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
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0"):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        settings = SETTINGS.format(path=module.replace(".", "/"), name=module.rpartition(".")[2])
        (copy / "setup.cfg").write_text(settings, encoding="utf-8")
        # no mutant has this name: mutmut makes them all, says so and stops
        subprocess.run([*mutmut, "run", "none"], cwd=copy, capture_output=True)
        names = sorted(results(copy))
        tried = random.Random(0).sample(names, min(SAMPLE, len(names)))
        subprocess.run([*mutmut, "run", "--max-children", "2", *tried], cwd=copy, check=True)
        found = results(copy)
        killed = sum(found[name] in ("killed", "timeout") for name in tried)
        for name in tried:
            if found[name] not in ("killed", "timeout"):
                subprocess.run([*mutmut, "show", name], cwd=copy, check=True)
    score = f"{killed / len(tried):.3f}"
    return dict(zip(COLUMNS, (module, len(names), len(tried), killed, score), strict=True))


def results(folder: Path) -> dict[str, str]:
    """What became of each mutant: killed, survived, timeout, not checked …"""
    said = subprocess.run(
        [sys.executable, "-m", "mutmut", "results", "--all", "true"],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return dict(line.strip().split(": ") for line in said.stdout.splitlines())


def main(wanted: list[str]) -> None:
    """Measure the modules named, or all of them, and renew their rows."""
    if unknown := [name for name in wanted if name not in MODULES]:
        raise SystemExit(f"{unknown[0]} is not among {', '.join(MODULES)}")
    rows = {row["module"]: row for row in DictReader(TABLE.open(encoding="utf-8"))} if TABLE.is_file() else {}
    for module in wanted or MODULES:
        rows[module] = mutate(module)
        print(rows[module])
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows[name] for name in sorted(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
