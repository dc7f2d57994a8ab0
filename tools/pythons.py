"""Import every module and test the chain from data to forecast with the other Pythons that are on this computer.

The whole suite on every Python is what the workflow `ci` runs; here a part of it, side by side, a minute on two cores.
No Python is ever downloaded: what is not found is skipped with a sentence. Packages come at the versions of the lock.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from subprocess import PIPE, STDOUT
from threading import Lock

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
OTHERS = [version for version in ("3.12", "3.13") if not sys.version.startswith(f"{version}.")]
TESTS = [f"tests/test_{name}.py" for name in ("contract", "metrics", "forecaster", "cli")]
IMPORTS = "import importlib, sys; [importlib.import_module(f'mlworkbook.{name}') for name in sys.argv[1:]]"

ONE = Lock()  # both installations write to the same folder of the project


def find(version: str) -> Path | None:
    "An interpreter on the path, or one that pyenv keeps."
    command = [UV, "python", "find", "--no-python-downloads", "--system", version]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    kept = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob(f"{version}.*/bin/python")
    )
    return Path(found) if found else next(iter(kept), None)


def test(version: str) -> tuple[int, str]:
    "Import and test with one of them; returns the exit code, and what was said."
    if (interpreter := find(version)) is None:
        return 0, f"Python {version} was not found on this computer: skipped here, tested by the workflow ci\n"
    folder = ROOT / ".pythons" / version
    python = folder / "bin" / "python"
    modules = sorted(path.stem for path in ROOT.glob("mlworkbook/*.py") if not path.stem.startswith("_"))
    install = [UV, "pip", "install", "--quiet", "--python", python, "--constraint", "constraints.txt"]
    first = [[*install, "--editable", ".[lab,dev]"]]
    if not python.exists():
        first.insert(0, [UV, "venv", "--quiet", "--python", interpreter, folder])
    tests = [python, "-m", "pytest", "-q", "--disable-warnings", "-m", "not slow", *TESTS]
    env, said = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}, ""
    for command in [*first, [python, "-c", IMPORTS, *modules], tests]:
        with ONE if command in first else nullcontext():
            done = subprocess.run(command, cwd=ROOT, env=env, stdout=PIPE, stderr=STDOUT, text=True)
        said += done.stdout
        if done.returncode:
            alone = f".pythons/{version}/bin/python -m pytest {TESTS[0]}"
            return done.returncode, f"{said}Python {version} failed; try it alone: {alone}\n"
    return 0, f"{said}Python {version}: every module imported, {len(TESTS)} files of tests passed\n"


def main() -> int:
    "Test with each, side by side."
    with ThreadPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        found = list(pool.map(test, OTHERS))
    print("".join(said for _, said in found), end="")
    return max(code for code, _ in found)


sys.exit(main())
