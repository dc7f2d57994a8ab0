"""Import every module with the other Pythons of this computer; the newest also tests what goes from data to forecast.

Each of them, and this one, also gets the package alone, without extras: it has to run the first example of README.md.

The whole suite on every Python is what the workflow `ci` runs; here a part of it, side by side, in less than a minute.
No Python is ever downloaded: what is not found is skipped with a sentence. Packages come at the versions of the lock.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
OTHERS = [version for version in ("3.12", "3.13") if not sys.version.startswith(f"{version}.")]
TESTS = [f"tests/test_{name}.py" for name in ("contract", "metrics", "forecaster")]
IMPORTS = "import importlib, sys; [importlib.import_module(f'mlworkbook.{name}') for name in sys.argv[1:]]"
ALONE = 320  # MB that the package may bring without extras
ENV = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}


def find(version: str) -> Path | None:
    "An interpreter on the path, or one that pyenv keeps."
    command = [UV, "python", "find", "--no-python-downloads", "--system", version]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    kept = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob(f"{version}.*/bin/python")
    )
    return Path(found) if found else next(iter(kept), None)


def install(version: str, interpreter: Path) -> Path:
    "Make its environment, one after the other: they write to the same folder of the project; returns its Python."
    folder = ROOT / ".pythons" / version
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", interpreter, folder], check=True, env=ENV)
    command = [UV, "pip", "install", "--quiet", "--python", python, "--constraint", "constraints.txt"]
    subprocess.run([*command, "--editable", ".[course,dev]"], cwd=ROOT, check=True, env=ENV)
    return python


def test(version: str, python: Path, files: list[str]) -> tuple[int, str]:
    "Import and test with it; returns the exit code, and what was said."
    paths = [path for path in ROOT.glob("mlworkbook/**/*.py") if not path.stem.startswith("_")]
    modules = sorted(".".join(path.relative_to(ROOT / "mlworkbook").with_suffix("").parts) for path in paths)
    commands, said = [["-c", IMPORTS, *modules]], ""
    if files:
        commands.append(["-m", "pytest", "-q", "--disable-warnings", "-m", "not slow", *files])
    for command in commands:
        done = subprocess.run(
            [python, *command], cwd=ROOT, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said += done.stdout
        if done.returncode:
            said += f"Python {version} failed; try it alone: .pythons/{version}/bin/python -m pytest {TESTS[0]}\n"
            return done.returncode, said
    passed = f", {len(files)} files of tests passed" if files else ""
    return 0, f"{said}Python {version}: every module imported{passed}\n"


def alone(version: str, interpreter: Path) -> tuple[int, str]:
    "Install the package alone and run the first example of README.md; returns the exit code, and what was said."
    folder = ROOT / ".pythons" / f"{version}-alone"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", interpreter, folder], check=True, env=ENV)
    command = [UV, "pip", "install", "--quiet", "--python", python, "--constraint", "constraints.txt"]
    subprocess.run([*command, "--reinstall-package", "mlworkbook", "."], cwd=ROOT, check=True, env=ENV)
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)[1]
    done = subprocess.run([python, "-c", example], cwd=folder, env=ENV, capture_output=True, text=True)
    if done.returncode or "seasonal_naive" not in done.stdout:
        return 1, f"Python {version}: without extras, the first example of README.md failed\n{done.stdout}{done.stderr}"
    size = sum(path.stat().st_size for path in (folder / "lib").rglob("*") if path.is_file()) / 1e6
    if size > ALONE:
        return 1, f"Python {version}: without extras {size:.0f} MB are installed, expected {ALONE} at most\n"
    return 0, f"Python {version}: the package alone, {size:.0f} MB, runs the first example of README.md\n"


def main() -> int:
    "Ask each, side by side."
    pythons, worst = {}, 0
    for version in OTHERS:
        if interpreter := find(version):
            pythons[version] = install(version, interpreter)
        else:
            print(f"Python {version} was not found on this computer: skipped here, tested by the workflow ci")
    mine = ".".join(map(str, sys.version_info[:2]))
    for version, interpreter in {mine: Path(sys.executable), **{version: find(version) for version in pythons}}.items():
        code, said = alone(version, interpreter)
        print(said, end="")
        worst = worst or code
    files = [TESTS if version == max(pythons) else [] for version in pythons]
    with ThreadPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        for code, said in pool.map(test, pythons, pythons.values(), files):
            print(said, end="")
            worst = worst or code
    return worst


sys.exit(main())
