"What is declared and why, imported, installed and locked: read by one table, and in agreement in this repository."

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from itertools import product
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import BuildString, MatchSpec, PackageRecord

from mlworkbook.project import environment
from mlworkbook.project.environment import Problem, declared, imported, report

ROOT = Path(__file__).parent.parent
SETTINGS = """[DEFAULT]
lib_name = shop
requirements =
    # frames
    pandas>=2,<3
    # drawings, only on a Mac
    tinta[graphs]>=1;sys_platform=='nowhere'
lab_requirements =
    # notebooks
    Jupyter_Lab>=4
npm_packages =
    @x/y@1
"""


def shop(folder, settings=SETTINGS, **files):
    "A project; `a_py` is its file `a.py`."
    folder.mkdir(exist_ok=True)
    for name, text in {"settings_ini": settings, **files}.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def installed(monkeypatch):
    "Say what is installed: name -> version."

    def pretend(**versions):
        monkeypatch.setattr(environment, "_installed", lambda name: versions.get(name.replace("-", "_")))

    return pretend


# this repository


def pins():
    "The lock, line by line."
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def test_every_dependency_of_ours_has_a_reason_and_one_place():
    assert declared(ROOT)["reason"].ne("").all()
    assert declared(ROOT).groupby("name")["specifier"].nunique().eq(1).all()


def test_nothing_of_ours_imports_what_is_not_declared():
    found = report(ROOT)
    undeclared = found[found["state"] == "undeclared"]
    assert undeclared.empty, undeclared[["name", "imported_by"]].to_string()
    users = found.set_index("name")["imported_by"]
    expected = {"mlworkbook/project/environment.py", "nbs/develop/32_environment.ipynb", "tests/test_cli.py"}
    assert expected <= set(users["pandas"])


def test_every_dependency_is_locked_once_wherever_it_holds():
    oldest = re.search(r"^min_python = 3\.(\d+)", (ROOT / "settings.ini").read_text(), flags=re.MULTILINE)[1]
    systems = [("Linux", "linux", "posix"), ("Darwin", "darwin", "posix"), ("Windows", "win32", "nt")]
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) and not pin.url and not pin.extras for pin in pins())
    # a Python comes out every year and is looked after for five
    for minor, (system, platform, family) in product(range(int(oldest), int(oldest) + 5), systems):
        here = default_environment() | {"platform_system": system, "sys_platform": platform, "os_name": family}
        here |= {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}
        locked = {}
        for pin in (pin for pin in pins() if not pin.marker or pin.marker.evaluate(here)):
            assert locked.setdefault(canonicalize_name(pin.name), pin) is pin, f"{pin.name} twice for {here}"
        for name, asked in declared(ROOT)[["name", "requirement"]].itertuples(index=False):
            if not asked.marker or asked.marker.evaluate(here):
                assert name in locked, f"{name} is not locked for {here}"
                version = str(locked[name].specifier).removeprefix("==")
                assert asked.specifier.contains(version, prereleases=True), f"{name} {version} for {here}"


def test_what_is_needed_is_locked_and_nothing_else():
    locked = {canonicalize_name(pin.name): pin for pin in pins() if not pin.marker or pin.marker.evaluate()}
    needed, queue, certain = set(), [*declared(ROOT)["requirement"]], True
    while queue:
        asked = queue.pop()
        name = canonicalize_name(asked.name)
        for key in {(name, extra) for extra in asked.extras or {""}} - needed:
            needed.add(key)
            try:
                found = distribution(name)
            except PackageNotFoundError:
                certain &= name not in locked
                continue
            certain &= name in locked and str(locked[name].specifier) == f"=={found.version}"
            for more in map(Requirement, found.requires or []):
                if not more.marker or any(more.marker.evaluate({"extra": extra}) for extra in {"", key[1]}):
                    queue.append(more)
    if certain:  # with other versions installed than those of the lock, nobody knows here what it needs
        assert {name for name, _ in needed if name in locked} == set(locked)


def test_what_is_installed_here_has_what_it_needs():
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "check", "--python", sys.executable], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_conda_brings_only_what_pip_does_not():
    found = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    specs, (lists,) = [one for one in found if isinstance(one, str)], [one for one in found if isinstance(one, dict)]
    names = {MatchSpec(spec, strict=True).name.normalized for spec in specs}
    assert {"python", "pip"} <= names and len(names) == len(specs)
    ours = {canonicalize_name(pin.name) for pin in pins()} | set(declared(ROOT)["name"])
    assert not names & ours - {"pip"}
    lock, project = lists["pip"]
    assert lock == "--constraint constraints.txt"
    (extras,) = re.fullmatch(r'--editable "\.\[([\w,]+)\]"', project).groups()
    assert environment._whole(ROOT, {"", *extras.split(",")}) >= set(declared(ROOT)["extra"])


def test_the_python_of_conda_is_one_that_we_admit():
    (spec,) = re.findall(r"^  - (python.*)", (ROOT / "environment.yml").read_text(), flags=re.MULTILINE)
    (oldest,) = re.findall(r"^min_python = (.+)$", (ROOT / "settings.ini").read_text(), flags=re.MULTILINE)
    versions = [f"{major}.{minor}.1" for major, minor in [(2, 7), (4, 0), *((3, minor) for minor in range(30))]]
    record = (PackageRecord("python", version, BuildString("h1_0"), 0, "linux-64") for version in versions)
    admitted = [str(one.version) for one in record if MatchSpec(spec).matches(one)]
    assert admitted and all(SpecifierSet(f">={oldest},<4").contains(version) for version in admitted)


def test_the_oldest_python_is_the_same_everywhere():
    (oldest,) = re.findall(r"^min_python = 3\.(\d+)$", (ROOT / "settings.ini").read_text(), flags=re.MULTILINE)
    assert f'target-version = "py3{oldest}"' in (ROOT / "pyproject.toml").read_text()
    named = re.findall(r"(?:Python (?:>= )?3\.|\(3, )(\d+)", (ROOT / "Makefile").read_text())
    assert len(named) >= 3 and set(named) == {oldest}
    assert re.findall(r"Python 3\.(\d+) or newer", (ROOT / "README.md").read_text()) == [oldest]


def test_settings_are_part_of_what_the_installer_compares():
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"file": "settings.ini"} in table["tool"]["uv"]["cache-keys"]


# any project


def test_declared(tmp_path):
    frame = declared(str(shop(tmp_path)))
    assert frame.drop(columns="requirement").to_dict("list") == {
        "name": ["pandas", "tinta", "jupyter-lab"],
        "extra": ["", "", "lab"],
        "specifier": ["<3,>=2", ">=1", ">=4"],
        "reason": ["frames", "drawings, only on a Mac", "notebooks"],
        "file": ["settings.ini"] * 3,
        "line": [5, 7, 10],
    }
    assert declared(shop(tmp_path, "[DEFAULT]\nlib_name = x\n")).empty


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("requirements = a b\nlab_requirements = a\n", ["3: a, expected one declaration of a, such as a in line 2"]),
        ("lab_requirements = a\nrequirements = a\n", ["3: a, expected one declaration of a"]),
        ("requirements = a.b>=1\n    A_B\n", ["3: A_B, expected one declaration of a-b, such as a.b>=1 in line 2"]),
        ("requirements =\nx_requirements = a a\n", ["3: a, expected one declaration of a"]),
        ("requirements = a\n\n    # why\n    @b\n", ["5: '@b', expected a requirement such as pandas>=2.2"]),
        ("requirements = a >= 1 a>=latest\n", ["2: '>=', expected a requirement", "2: 'a>=latest', expected"]),
    ],
)
def test_all_that_is_wrong_in_a_declaration_is_told_at_once(tmp_path, text, faults):
    with pytest.raises(ValueError) as error:
        declared(shop(tmp_path, "[DEFAULT]\n" + text))
    lines = str(error.value).splitlines()
    assert len(lines) == len(faults)
    assert all(line.startswith("settings.ini:" + fault) for line, fault in zip(lines, faults, strict=True)), lines


@pytest.mark.parametrize(
    "text",
    [
        "requirements =\nx_requirements = a\ny_requirements = a>1\n",
        "requirements = a>=2;python_version>='3.12' a<2;python_version<'3.12'\n",
        "requirements = a\nx_requirements = a[fast]\n",
        "requirements = a\nnpm_packages = a a\n",
    ],
)
def test_what_only_looks_like_twice(tmp_path, text):
    assert "a" in set(declared(shop(tmp_path, "[DEFAULT]\n" + text))["name"])


def test_a_reason_ends_with_its_group(tmp_path):
    text = "[DEFAULT]\nrequirements =\n    # frames\n    a\n    b\nx_requirements = c\n"
    assert declared(shop(tmp_path, text))["reason"].tolist() == ["frames", "frames", ""]


def test_imports_are_read_and_not_run(tmp_path):
    cells = [
        '{"cell_type": "markdown", "source": ["import text"]}',
        '{"cell_type": "code", "source": ["%matplotlib inline\\n", "import numpy\\n", "await late()"]}',
    ]
    files = {
        "use.py": "import os, yaml as y\nfrom . import near\nimport mine, package.part\n"
        "def late():\n    from PIL.Image import open\n# import commented\ntext = 'import quoted'\nraise SystemExit\n",
        "mine.py": "",
        "package/__init__.py": "import deep.er\n",
        "package/part.py": "",
        "sub/job.py": "import helper, mine\n",
        "sub/helper.py": "import __future__\n",
        "lesson.ipynb": f'{{"cells": [{", ".join(cells)}]}}',
        ".venv/lib/x.py": "import hidden\n",
        "build/x.py": "import hidden\n",
        "environment/x.py": "import shown\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {(one.module, one.file, one.line) for one in imported(tmp_path).itertuples()}
    assert found == {
        ("PIL", "use.py", 5),
        ("deep", "package/__init__.py", 1),
        ("numpy", "lesson.ipynb", 2),
        ("shown", "environment/x.py", 1),
        ("yaml", "use.py", 1),
    }
    assert imported(shop(tmp_path / "bare")).empty


def test_what_is_not_python_is_warned_of_and_hides_nothing(tmp_path):
    with pytest.warns(UserWarning, match="old.py"):
        assert imported(shop(tmp_path, old_py="print 'x'\n", zoo_py="import yaml\n"))["module"].tolist() == ["yaml"]


def test_without_deptry_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(environment.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match=r"mlworkbook\[lab\]"):
        imported(shop(tmp_path))


def test_report_has_a_state_for_everything(tmp_path, installed):
    declaration = "[DEFAULT]\nrequirements =\n    # w\n    same old strict>=2 gone far;sys_platform=='nowhere'\n"
    lock = "# tested\nsame==1.0\nold==1.10\nsame==9; sys_platform == 'nowhere'\n"
    project = shop(tmp_path, declaration, constraints_txt=lock, use_py="import same.part\nimport nobody\n")
    installed(same="1.0", old="1.9", strict="1", far="1", nobody="7")
    frame = report(project).set_index("name")
    expected = ["as tested", "untested", "refused", "missing", "elsewhere", "undeclared"]
    assert frame["state"].to_dict() == dict(
        zip(["same", "old", "strict", "gone", "far", "nobody"], expected, strict=True)
    )
    assert frame["imported_by"].to_dict() == dict.fromkeys(frame.index, []) | {"same": ["use.py"], "nobody": ["use.py"]}
    assert frame.loc["old", ["installed", "locked", "reason"]].tolist() == ["1.9", "1.10", "w"]
    assert frame.loc["nobody", ["installed", "extra", "reason"]].tolist() == ["7", "", ""]


def test_an_import_of_an_extra_that_does_not_count_is_undeclared_and_says_which(tmp_path):
    project = shop(tmp_path, a_py="import jupyter_lab\n", b_py="import pandas\n")
    assert "undeclared" not in set(report(project)["state"])
    bare = report(project, extras=[]).set_index("name")
    assert bare.loc["jupyter-lab", ["state", "extra", "reason"]].tolist() == ["undeclared", "lab", "notebooks"]
    shop(tmp_path, SETTINGS + "all_extras = some\nsome_extras = lab\n")
    assert "undeclared" not in set(report(project, extras=["all"])["state"])
    assert list(report(project, extras=[], files=[project / "b.py"])["name"]) == ["pandas", "tinta"]


def test_a_module_that_several_packages_bring_needs_only_one_of_them(tmp_path, monkeypatch):
    owners = {"space": ["space-two", "Pandas"], "other": ["ob", "oa"]}
    monkeypatch.setattr(environment.metadata, "packages_distributions", lambda: owners)
    frame = report(shop(tmp_path, a_py="import space.one\nimport other.two\n")).set_index("name")
    assert frame.loc["pandas", "imported_by"] == ["a.py"]
    assert frame.index[frame["state"] == "undeclared"].tolist() == ["oa"]


def test_a_problem_says_where_what_and_the_way_out():
    one = Problem("x.yml", 3, "a tab", "spaces", "replace it")
    assert str(one) == "x.yml:3: a tab, expected spaces; replace it"
    assert str(Problem("x.yml", 0, "a", "b", "c")).startswith("x.yml: ") and one < Problem("x.yml", 4, "", "", "")
