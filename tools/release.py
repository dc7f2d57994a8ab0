"""Build wheel and sdist into dist/ without a network and check what would be published; it never publishes.

`make release` uses the tag of the version in settings.ini; `make release TAG=v0.1.0` is what the workflow says.
"""

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from tempfile import TemporaryDirectory

from mlworkbook.project.delivery import check_release

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
UV = Path(sys.executable).with_name("uv")


def run(*words: object, **options) -> str:
    "Run a command and give back what it printed; stop with its complaint when it fails."
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{Path(str(words[0])).name} {words[1]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


settings = ConfigParser(delimiters=["="])
settings.read(ROOT / "settings.ini", encoding="utf-8")
version = settings["DEFAULT"]["version"]
tag = sys.argv[1] if len(sys.argv) > 1 else f"v{version}"
if tag != f"v{version}":
    sys.exit(f"tag {tag}, expected v{version}, the version in settings.ini; change one of them")
tagged = run("git", "tag", "--points-at", "HEAD", cwd=ROOT).split()
changes = run("git", "status", "--porcelain", cwd=ROOT).splitlines()
unreleased = f"## {version} (unreleased)" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
pushed = os.environ.get("GITHUB_REF_TYPE") == "tag"
shutil.rmtree(DIST, ignore_errors=True)
with TemporaryDirectory() as folder:
    # from a copy of what git knows, so that nothing else of this folder gets in; the wheel is made out of the sdist
    source = Path(folder, "source")
    for name in run("git", "ls-files", "-z", cwd=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    run(UV, "build", "--no-build-isolation", "--offline", "--python", sys.executable, "--out-dir", DIST, cwd=source)
    (DIST / ".gitignore").unlink(missing_ok=True)
    wheel, sdist = check_release(DIST, tag)
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run(UV, "pip", "install", "--offline", "--no-deps", "--target", Path(folder, "site"), wheel)
    said = run(
        *(sys.executable, "-c", "import mlworkbook; print(mlworkbook.__version__, mlworkbook.__file__)"),
        env=os.environ | {"PYTHONPATH": str(Path(folder, "site"))},
        cwd=folder,
    )
    installed, place = said.split(maxsplit=1)
    if installed != version or not place.startswith(folder):
        sys.exit(f"the installed wheel says {said.strip()}, expected {version} from {folder}")
for path in (wheel, sdist):
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.1f} MB")
print(f"checked against {tag}: names, versions, contents, description, installation")
before = [
    *([f"commit or undo {len(changes)} changes"] if changes else []),
    *([] if tag in tagged or pushed else [f"git tag --annotate {tag}"]),
    *([f"write the date of {version} in CHANGELOG.md"] if unreleased else []),
]
print("Nothing was published. " + (f"Before you push the tag: {'; '.join(before)}" if before else "Push the tag."))
if pushed and before:
    sys.exit(f"{tag} was pushed too early: take the tag away, do what is said above, and tag again")
