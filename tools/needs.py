"""Say which tests cannot run here and the command that makes them run; with CI=true a missing tool is a failure."""

import os
import platform
import shutil
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
missing = []
if not any(map(shutil.which, BROWSERS)):
    install = "brew install --cask chromium" if platform.system() == "Darwin" else "sudo apt-get install chromium"
    missing.append(f"Chromium was not found: the site is built but not opened in a browser. Install it: {install}")
if not shutil.which("npm"):
    install = "brew install node" if platform.system() == "Darwin" else "sudo apt-get install npm"
    missing.append(
        f"npm was not found: Jira's documents are not held against Atlassian's schema. Install it: {install}"
    )
print("\n".join(missing) or "Chromium and npm found: every test can run")
sys.exit(bool(missing) and os.environ.get("CI") == "true")
