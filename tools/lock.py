"""Renew constraints.txt: the newest versions that settings.ini admits, resolved for every supported Python at once."""

import subprocess
import sys
from pathlib import Path

root = Path(__file__).parent.parent
resolved = subprocess.run(
    [
        Path(sys.executable).parent / "uv",
        "pip",
        "compile",
        "setup.py",
        "--all-extras",
        "--universal",
        "--python-version",
        "3.11",
        "--no-header",
        "--no-annotate",
        "--quiet",
        "--upgrade",
    ],
    cwd=root,
    check=True,
    capture_output=True,
    text=True,
).stdout
lines = [line for line in resolved.splitlines() if line and not line.startswith(("-", "#"))]
target = root / "constraints.txt"
target.write_text("# The tested set, renewed by `make lock`.\n" + "\n".join(lines) + "\n", encoding="utf-8")
print(f"{len(lines)} versions in {target.name}")
