"""Say which tests cannot run here and the command that makes them run; with CI=true a missing tool is a failure."""

import os
import platform
import shutil
import sys

from mlworkbook.ops.sandbox import sandbox_fault
from mlworkbook.ops.spark import check_java
from mlworkbook.project.stores import missing as missing_stores

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
missing = []
if not any(map(shutil.which, BROWSERS)):
    install = "brew install --cask chromium" if platform.system() == "Darwin" else "sudo apt-get install chromium"
    missing.append(f"Chromium was not found: the site is built but not opened in a browser. Install it: {install}")
try:
    check_java(os.environ)
except RuntimeError as error:
    missing.append(f"Spark is not tested, and lesson 41 stops where it needs it. {error}")
missing += [f"The stores are not tested, and lesson 45 stops where it needs them: {lack}." for lack in missing_stores()]
if platform.system() == "Linux" and sandbox_fault():
    said = f"What learners hand in is not run: {sandbox_fault()}."
    if shutil.which("bwrap"):  # installed, but the kernel forbids it: said, and no failure
        print(said)
    else:
        missing.append(said)
print("\n".join(missing) or "Chromium, Java, bubblewrap and the stores found: every test can run")
sys.exit(bool(missing) and os.environ.get("CI") == "true")
