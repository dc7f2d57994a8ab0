"""Import every module and test the chain from data to forecast with the other Pythons that are on this computer.

The whole suite on every Python is what the workflow `ci` runs; here a part of it, a minute each on two free cores.
No Python is ever downloaded: what is not found is skipped with a sentence. Packages come at the versions of the lock.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
OTHERS = [version for version in ("3.12", "3.13") if not sys.version.startswith(f"{version}.")]
TESTS = [f"tests/test_{name}.py" for name in ("contract", "metrics", "forecaster", "cli")]
IMPORTS = "import importlib, sys; [importlib.import_module(f'mlworkbook.{name}') for name in sys.argv[1:]]"


def find(version: str) -> Path | None:
    "An interpreter on the path, or one that pyenv keeps."
    command = [UV, "python", "find", "--no-python-downloads", "--system", version]
    found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    kept = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob(f"{version}.*/bin/python")
    )
    return Path(found) if found else next(iter(kept), None)


def main() -> int:
    "Test with each; the first that fails ends it."
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    for version in OTHERS:
        if (interpreter := find(version)) is None:
            print(f"Python {version} was not found on this computer: skipped here, tested by the workflow ci")
            continue
        folder = ROOT / ".pythons" / version
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([UV, "venv", "--quiet", "--python", interpreter, folder], check=True, env=env)
        install = [UV, "pip", "install", "--quiet", "--python", python, "--constraint", "constraints.txt"]
        subprocess.run([*install, "--editable", ".[lab,dev]"], cwd=ROOT, check=True, env=env)
        modules = sorted(path.stem for path in ROOT.glob("mlworkbook/*.py") if not path.stem.startswith("_"))
        tests = [
            "-m",
            "pytest",
            "-q",
            "--disable-warnings",
            "-m",
            "not slow",
            "-n",
            os.environ.get("WORKERS", "2"),
            "--dist",
            "loadfile",
        ]
        for command in (["-c", IMPORTS, *modules], [*tests, *TESTS]):
            if code := subprocess.run([python, *command], cwd=ROOT, env=env).returncode:
                print(f"Python {version} failed; try it alone: .pythons/{version}/bin/python -m pytest {TESTS[0]}")
                return code
        print(f"Python {version}: every module imported, {len(TESTS)} files of tests passed")
    return 0


sys.exit(main())
