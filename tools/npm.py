"""Fetch the npm packages that settings.ini names, without running them and without what they depend on."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from configparser import ConfigParser
from pathlib import Path

root = Path(__file__).parent.parent
settings = ConfigParser(delimiters=["="])
settings.read(root / "settings.ini", encoding="utf-8")
if not shutil.which("npm"):
    sys.exit(0)  # tools/needs.py says what is left out
for package in settings["DEFAULT"]["npm_packages"].split():
    target = root / "node_modules" / package.rpartition("@")[0]
    with tempfile.TemporaryDirectory(dir=root / ".venv") as folder:
        packed = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, capture_output=True, text=True)
        if packed.returncode:
            sys.exit(f"npm could not fetch {package}: {packed.stderr.strip()[-500:]}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            archive.extractall(Path(folder, "out"), filter="data")
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(folder, "out", "package").rename(target)
