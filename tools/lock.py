"""Renew constraints.txt: the newest versions that settings.ini admits, resolved for every supported Python at once.

With --keep, versions that are still admitted stay: only what is new in settings.ini, and what it needs, is added.
"""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from tempfile import TemporaryDirectory

root = Path(__file__).parent.parent
target = root / "constraints.txt"
settings = ConfigParser(delimiters=["="])
settings.read(root / "settings.ini", encoding="utf-8")
with TemporaryDirectory() as folder:
    output = Path(folder) / target.name
    output.write_bytes(target.read_bytes() if "--keep" in sys.argv else b"")
    subprocess.run(
        [
            Path(sys.executable).parent / "uv",
            "pip",
            "compile",
            "setup.py",
            "--all-extras",
            "--universal",
            "--python-version",
            settings["DEFAULT"]["min_python"],
            "--no-header",
            "--no-annotate",
            "--quiet",
            "--output-file",
            output,
        ],
        cwd=root,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    resolved = output.read_text(encoding="utf-8")
lines = [line for line in resolved.splitlines() if line and not line.startswith(("-", "#"))]
target.write_text("# The tested set, renewed by `make lock`.\n" + "\n".join(lines) + "\n", encoding="utf-8")
print(f"{len(lines)} versions in {target.name}")
