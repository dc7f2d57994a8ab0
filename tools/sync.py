"""Regenerate the package from the notebooks and README.es.md from the cover; with --check, a change is a failure."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mlworkbook"
NOTE = "<!-- Generated from nbs/index.ipynb by `make export`; edit the notebook. -->\n"


def generated() -> dict[Path, bytes]:
    "Every generated file and its bytes; the notebooks too, because cleaning rewrites them."
    paths = [*PACKAGE.rglob("*.py"), *ROOT.glob("nbs/**/*.ipynb"), ROOT / "README.es.md"]
    aside = {".ipynb_checkpoints", "_modidx.py"}  # nbdev's own index stays out of the repository
    return {path: path.read_bytes() for path in paths if not aside & set(path.parts) and path.exists()}


def spanish_readme() -> str:
    "The text cells of the cover, with links that work from the root."
    cells = json.loads((ROOT / "nbs/index.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    text = "\n\n".join(texts).replace("](../", "](")
    for folder in ("start", "discover", "play", "develop", "deploy", "library", "ops", "course", "cli"):
        text = text.replace(f"]({folder}/", f"](nbs/{folder}/")
    return f"{NOTE}[English](README.md)\n\n{text}\n"


def regenerate() -> None:
    "Clean the notebooks, then export them into a package without leftovers."
    subprocess.run([Path(sys.executable).with_name("nbdev_clean"), "--fname", "nbs"], cwd=ROOT, check=True)
    for module in PACKAGE.rglob("*.py"):
        if module != PACKAGE / "__init__.py":
            module.unlink()
    subprocess.run([Path(sys.executable).with_name("nbdev_export")], cwd=ROOT, check=True)
    (ROOT / "README.es.md").write_text(spanish_readme(), encoding="utf-8")


before = generated()
regenerate()
after = generated()
changed = sorted(
    str(path.relative_to(ROOT)) for path in before.keys() | after.keys() if before.get(path) != after.get(path)
)
if "--check" in sys.argv and changed:
    sys.exit(
        f"Out of step with the notebooks, now regenerated: {', '.join(changed)}. Look at the change and commit it."
    )
print(f"{len(after)} files in step with the notebooks" + (f"; regenerated {', '.join(changed)}" if changed else ""))
