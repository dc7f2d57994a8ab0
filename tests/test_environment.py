"What is declared, installed, imported and locked: read from any project, and in agreement in this one."

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from packaging.version import Version
from rattler import BuildString, MatchSpec, PackageRecord

from mlworkbook.project import environment
from mlworkbook.project.environment import Problem, check_environment, declared, imported, locked, problems, report

ROOT = Path(__file__).parent.parent
FILES = ["settings.ini", "constraints.txt", "environment.yml", "pyproject.toml"]

SETTINGS = """[DEFAULT]
lib_name = shop
min_python = 3.11
requirements =
    # frames
    pandas>=2,<3
    # drawings, only on a Mac
    tinta[graphs]>=1 ; sys_platform=='darwin'
lab_requirements =
    # notebooks
    Jupyter_Lab>=4
"""
CONSTRAINTS = """# tested
jupyter-lab==4.1
numpy==1.26 ; python_full_version < '3.12'
numpy==2.1 ; python_full_version >= '3.12'
pandas==2.3
tinta==1.0 ; sys_platform == 'darwin'
"""
ENVIRONMENT = """name: shop
channels: [conda-forge]
dependencies:
  - python=3.12
  - git
  - pip
  - pip:
      - --constraint constraints.txt
      - --editable ".[lab]"
"""
UNLOCKED = "settings.ini | 6 | pandas without a lock | a version of it in constraints.txt for"


def shop(folder, **texts):
    "A project whose three files agree, but for what is given."
    texts = {"settings": SETTINGS, "constraints": CONSTRAINTS, "environment": ENVIRONMENT} | texts
    names = {"settings": "settings.ini", "constraints": "constraints.txt", "environment": "environment.yml"}
    folder.mkdir(exist_ok=True, parents=True)
    for key, text in texts.items():
        (folder / names.get(key, key)).write_text(text.replace(" ;", ";").replace("; ", ";"), encoding="utf-8")
    return folder


def site(folder, *packages):
    "Installed packages: (name, version, what it needs, its files)."
    for name, version, needs, files in packages:
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        card = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *card]) + "\n", encoding="utf-8")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files), encoding="utf-8")
    return [str(folder)]


def said(project, path=()):
    "Every problem as one line."
    return [" | ".join(map(str, row)) for row in problems(project, path=path).itertuples(index=False)]


@pytest.fixture
def copy(tmp_path):
    "The project's own files, to be broken."
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_our_files_agree():
    assert check_environment(ROOT) == ROOT
    assert problems(ROOT).empty


def test_every_dependency_of_ours_has_a_reason():
    assert declared(ROOT)["reason"].ne("").all()
    assert declared(ROOT)["name"].is_unique


def test_nothing_of_ours_imports_what_is_not_declared():
    found = report(ROOT)
    undeclared = found[found["state"] == "undeclared"]
    assert undeclared.empty, undeclared[["name", "imported_by"]].to_string()


def test_our_lock_holds_nothing_in_vain(copy):
    with (copy / "constraints.txt").open("a", encoding="utf-8") as file:
        file.write("leftpad==1.0\n")
    line = len((copy / "constraints.txt").read_text(encoding="utf-8").splitlines())
    with pytest.raises(ValueError, match=rf"^constraints.txt:{line}: leftpad==1.0, expected only what something in"):
        check_environment(copy)


def test_the_oldest_python_is_the_same_everywhere():
    (oldest,) = re.findall(r"^min_python = 3\.(\d+)$", (ROOT / "settings.ini").read_text(), flags=re.MULTILINE)
    assert f'target-version = "py3{oldest}"' in (ROOT / "pyproject.toml").read_text()
    named = re.findall(r"(?:Python (?:>= )?3\.|\(3, )(\d+)", (ROOT / "Makefile").read_text())
    assert len(named) >= 3 and set(named) == {oldest}
    assert re.findall(r"Python 3\.(\d+) or newer", (ROOT / "README.md").read_text()) == [oldest]


def test_our_conda_packages_are_such_as_conda_reads():
    rows, _ = environment._environment(ROOT)
    specs = [row["text"] for row in rows if row["kind"] == "conda"]
    assert [str(MatchSpec(spec, strict=True)) for spec in specs] and "pip" in specs


def test_settings_are_part_of_what_the_installer_compares():
    assert '{ file = "settings.ini" }' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "settings.ini",
            "    pandas>=2.2.1",
            "    pandas>=2.2.1\n    Pandas<3",
            "Pandas<3, expected one declaration of p",
        ),
        ("settings.ini", "    pyarrow>=17", "    pyarrow >= 17", "'>=', expected a requirement such as"),
        (
            "settings.ini",
            "    jupyterlab>=4.3",
            "    jupyterlab>=4.3\n    NumPy",
            "NumPy, expected one declaration of num",
        ),
        ("settings.ini", "    rich>=13.9", "    rich>=13.9\n    leftpad", "leftpad without a lock, expected a version"),
        ("settings.ini", "requirements =", "requirements =\nrequirements =", "option 'requirements' in section 'DEFA"),
        ("settings.ini", "min_python = 3.11", "min_python = old", "Python '>=old', expected the oldest Python"),
        ("settings.ini", "[DEFAULT]", "user = x", "File contains no section headers, expected [DEFAULT]"),
        ("constraints.txt", "numpy==", "numpy==1.0\nnumpy==", "expected one version of numpy for Python 3.11 on Linu"),
        ("constraints.txt", "numpy==", "numpy==1.0\n# numpy==", "numpy==1.0, expected numpy>=1.26 as in settings.ini:"),
        ("constraints.txt", "numpy==", "numpy>=", "expected name==version, and no address"),
        ("constraints.txt", "idna==", "--index-url x\nidna==", "--index-url x, expected name==version"),
        ("constraints.txt", "idna==", "idna @ file:x.whl\nidna==", "idna @ file:x.whl, expected name==version"),
        ("environment.yml", "python=3.12", "python>=3.10", "which admits Python 3.10, expected python>=3.11"),
        ("environment.yml", "- git", "- git\n  - GIT", "git again, expected it once"),
        ("environment.yml", "- git", "- git\n  - Jupyter.Server", "jupyter-server, expected only what pip does not"),
        ("environment.yml", "- git", "- git\n  - 3.4", "'3.4', expected a package such as git"),
        ("environment.yml", "- git", "- git\n  - =3", "'=3', expected a package such as python=3.12"),
        ("environment.yml", "name: mlworkbook", "name: x\nname: y", "`name` again, expected each key once"),
        ("environment.yml", "lab,dev,docs,spark", "lab,test", "the extra 'test', expected one of all, aws, dev"),
        ("environment.yml", "- --editable", "- leftpad>=1\n      - --editable", "leftpad>=1, expected the project and"),
        (
            "pyproject.toml",
            "[build-system]",
            '[project]\ndependencies = ["x"]\n[build-system]',
            "declares x too, expecte",
        ),
        (
            "pyproject.toml",
            "[build-system]",
            "[build-system",
            "Expected ']' at the end of a table declaration, expecte",
        ),
    ],
)
def test_broken_copies_are_refused_at_their_line(copy, name, old, new, message):
    text = (copy / name).read_text(encoding="utf-8")
    start = re.search(rf"^.*{re.escape(old)}", text, flags=re.MULTILINE).end() - len(old)
    (copy / name).write_text(text[:start] + new + text[start + len(old) :], encoding="utf-8")
    found = [str(Problem(**row)) for row in problems(copy, path=[]).to_dict("records")]
    (told, *_) = [line for line in found if message in line] or [found]
    place = re.match(r"([\w.]+)(?::(\d+))?: ", told)
    assert place[1] == name
    first = text[:start].count("\n") + 1
    assert place[2] is None or first <= int(place[2]) <= first + new.count("\n") + 1, told
    assert place[2] or "old" in message
    assert told.count("; ") >= 1 and not told.endswith(".")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "No such file or directory, expected a file that can be read"),
        (lambda path: (path.unlink(), path.mkdir()), ": a folder, expected a file that can be read"),
        (lambda path: path.write_bytes(b"# one\n# panader\xeda\n"), ":2: byte 0xed, expected UTF-8 text"),
        (lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()), ":1: a byte order mark, expected plain"),
    ],
)
def test_files_that_cannot_be_read(copy, name, spoil, message):
    spoil(copy / name)
    if "No such" in message and name == "pyproject.toml":
        assert problems(copy).empty
        return
    if "No such" in message and name == "settings.ini":
        message = "no file that declares packages, expected settings.ini with `requirements`, pyproject.toml"
    found = [str(Problem(**row)) for row in problems(copy, path=[]).to_dict("records")]
    assert any(message in line for line in found), found


def test_all_problems_are_told_at_once_and_in_order(tmp_path):
    shop(tmp_path, constraints="pandas==1.0\nnumpy\n", environment="dependencies:\n  - python=3.9\n  - pandas\n")
    with pytest.raises(ValueError, match="^7 problems:\n") as error:
        check_environment(tmp_path)
    lines = str(error.value).splitlines()[1:]
    assert [line.split(" ")[0] for line in lines] == [
        "constraints.txt:1:",
        "constraints.txt:2:",
        "environment.yml:",
        "environment.yml:2:",
        "environment.yml:3:",
        "settings.ini:8:",
        "settings.ini:11:",
    ]
    frame = problems(tmp_path)
    assert list(frame) == ["file", "line", "found", "expected", "way_out"] and len(frame) == 7


def test_a_small_shop_agrees_with_itself(tmp_path):
    assert check_environment(shop(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1 | no mapping"),
        ("- python\n- git\n", "1 | no mapping"),
        ("python\n", "1 | no mapping"),
        ("dependencies:\n", "1 | `dependencies` that is no list"),
        ("name: x\ndependencies: python\n", "2 | `dependencies` that is no list"),
        ("name: x\ndependencies:\n  python: 3\n", "3 | `dependencies` that is no list"),
        ("dependencies:\n  - python=3.12\n\t- git\n", "3 | found character '\\t' that cannot start any token"),
        ("dependencies:\n  - python=3.12\n - git\n", "3 | expected <block end>, but found"),
        ("dependencies: [python=3.12, git\n", "2 | expected ',' or ']', but got"),
        ("dependencies: [python]\n---\nname: two\n", "2 | but found another document"),
        ("dependencies: [*git]\n", "1 | found undefined alias"),
        ("dependencies:\n  - python=3.12\n  -\n", "3 | ''"),
        ("dependencies:\n  - python=3.12\n  - [git]\n", "3 | 'something nested'"),
        ("dependencies:\n  - python=3.12\n  - {pip: pandas}\n", "3 | 'something nested'"),
        ("dependencies:\n  - python=3.12\n  - {conda: [x], pip: [y]}\n", "3 | 'something nested'"),
        ("dependencies:\n  - python=3.12\n  - true\n", "3 | 'true'"),
        ("dependencies:\n  - python=3.12\n  - git 2 x y\n", "0 | no list for pip | the project and its constraints"),
        ("dependencies:\n  - python=3.12\n  - a b\n", "3 | 'a b'"),
        ("dependencies:\n  - git\n", "0 | no python"),
        ("name: x\ndependancies:\n  - git\n", "1 | the keys name, dependancies | a mapping with `name`"),
        (
            "dependencies:\n  - python=3.12\n  - pip:\n      - -c constraints.txt\n      - .\n",
            "0 | a list for pip without",
        ),
        ("dependencies: [python=3.12, pip, {pip: [.]}]\n", "0 | a list for pip without the lock"),
        ("dependencies: [python=3.12, pip, {pip: [-c constraints.txt]}]\n", "0 | a list for pip without the project"),
        ("dependencies: [python=3.12, pip, {pip: [-c other.txt, .]}]\n", "0 | a list for pip without the lock"),
        ("dependencies: [python=3.12, pip, {pip: [-c constraints.txt, ., -r more.txt]}]\n", "1 | -r more.txt"),
        ("dependencies: [python=3.12, pip, {pip: [-c constraints.txt, -e ., '']}]\n", "1 |  | the project and"),
        ('dependencies: [python=3.12, pip, {pip: [--constraint=constraints.txt, "./[lab, all]"]}]\n', None),
        (
            "dependencies: [conda-forge::python=3.12, Git=2.*, 'make>=4', 'node[version=\">=20\"]', pip, "
            "{pip: [-c constraints.txt, .]}]\n",
            None,
        ),
        ("dependencies: " + "[" * 1500 + "]" * 1500 + "\n", ""),
    ],
)
def test_environment_files(tmp_path, text, message):
    found = said(shop(tmp_path, environment=text))
    if message is None:
        assert found == []
    else:
        assert any(line.startswith("environment.yml | " + message) for line in found), found


CONDA_PYTHONS = [
    "python",
    "python=3.12",
    "python=3.12.*",
    "python==3.12",
    "python==3.12.4",
    "python 3.12.*",
    "python=3",
    "python>=3.11",
    "python>=3.11,<3.13",
    "python >=3.11,<3.13",
    "python>=3.10",
    "python<3.13",
    "python>3.11",
    "python!=3.12.4,>=3.11",
    "python~=3.11",
    "python=3.11|=3.12",
    "python=3.10|=3.12",
    "python[version='>=3.11,<4']",
    'python[version="=3.12"]',
    "conda-forge::python=3.13",
    "python=3.12=h1_0",
    "python>=4",
]


@pytest.mark.parametrize("spec", CONDA_PYTHONS)
def test_pythons_are_read_as_conda_reads_them(spec):
    conda = MatchSpec(spec)
    for version in ["2.7.18", "3.9.1", "3.10.0", "3.11.0", "3.11.9", "3.12.0", "3.12.4", "3.13.1", "4.0.0"]:
        ours = any(bounds.contains(version) for bounds in environment._pythons(spec))
        assert ours == conda.matches(PackageRecord("python", version, BuildString("h1_0"), 0, "linux-64")), version


@pytest.mark.parametrize(
    ("spec", "fine"),
    [("python=3.12", True), ("python>=3.11", True), ("python=3.11|=3.13", True), ("python=3.12.*", True)]
    + [("python", False), ("python=3", False), ("python>=3.10", False), ("python<3.13", False), ("python=2.7", False)]
    + [("python=3.10|=3.12", False), ("python=>3.12", False), ("python>4,<3", False), ("python=x.y", False)],
)
def test_the_python_of_conda_is_one_that_the_project_admits(tmp_path, spec, fine):
    found = said(shop(tmp_path, environment=ENVIRONMENT.replace("python=3.12", f"'{spec}'")))
    assert (found == []) == fine, found
    assert fine or found[0].startswith("environment.yml | 4 | ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pandas==2.3\n", "", f"{UNLOCKED} Python 3.11 on Linux"),
        ("pandas==2.3", "pandas==2.3; python_version<'3.14'", f"{UNLOCKED} Python 3.14 on Linux"),
        ("pandas==2.3", "pandas==2.3; sys_platform!='win32'", f"{UNLOCKED} Python 3.11 on Windows"),
        ("pandas==2.3", "pandas==3.0", "constraints.txt | 5 | pandas==3.0 | pandas<3,>=2 as in settings.ini:6"),
        ("tinta==1.0", "tinta==0.9", "constraints.txt | 6 | tinta==0.9 | tinta[graphs]>=1"),
        ("< '3.12'", "<= '3.12'", "constraints.txt | 4 | numpy==2.1 | one version of numpy for Python 3.12 on Linux"),
        ("pandas==2.3", "pandas==2.3 --hash=sha256:0", "constraints.txt | 5 | pandas==2.3 --hash=sha256:0 | name=="),
        ("pandas==2.3", "pandas==2.*", "constraints.txt | 5 | pandas==2.* | name==version"),
        ("pandas==2.3", "pandas[sql]==2.3", "constraints.txt | 5 | pandas[sql]==2.3 | name==version"),
        ("pandas==2.3", "-e .", "constraints.txt | 5 | -e . | name==version"),
        ("pandas==2.3", "git+ssh://x/y", "constraints.txt | 5 | git+ssh://x/y | name==version"),
        ("pandas==2.3", "Pandas==2.3  # by hand", None),
        ("pandas==2.3", "pandas==2.3rc1", None),
        ("tinta==1.0", "tinta==1.0+local", None),
    ],
)
def test_locks(tmp_path, old, new, message):
    found = said(shop(tmp_path, constraints=CONSTRAINTS.replace(old, new)))
    assert found == [] if message is None else found[0].startswith(message), found


def test_a_lock_is_wanted_where_the_requirement_holds_and_only_there(tmp_path):
    assert said(shop(tmp_path, constraints=CONSTRAINTS.replace("; sys_platform == 'darwin'", ""))) == []
    elsewhere = CONSTRAINTS.replace("sys_platform == 'darwin'", "sys_platform == 'linux'")
    (told,) = said(shop(tmp_path, constraints=elsewhere))
    assert "tinta without a lock" in told and told.count("Python 3.11 on Darwin") == 1


def test_only_five_pythons_are_promised_and_an_upper_bound_counts(tmp_path):
    lock = CONSTRAINTS.replace("pandas==2.3", "pandas==2.3 ; python_version < '3.16'")
    assert said(shop(tmp_path, constraints=lock)) == []
    capped = "[project]\nname='shop'\nrequires-python='>=3.11,<3.13'\ndependencies=['pandas>=2']\n"
    lock = "pandas==2.3 ; python_version < '3.13'\n"
    where = ENVIRONMENT.replace("[lab]", "")
    shop(tmp_path / "two", constraints=lock, environment=where, **{"pyproject.toml": capped})
    (tmp_path / "two" / "settings.ini").unlink()
    assert said(tmp_path / "two") == []


STRAYS = [
    ("pandas", "2.3", ["numpy>=1"], []),
    ("numpy", "2.1" if sys.version_info >= (3, 12) else "1.26", ["pandas"], []),
    ("Jupyter-Lab", "4.1", ["sock[fast]", "old; python_version<'3'", "all-of-it; extra=='all'"], []),
    ("sock", "1.0", ["wire; extra=='fast'", "string; extra=='slow'"], []),
    ("wire", "3.0", [], []),
]


def test_what_is_locked_in_vain(tmp_path):
    lock = CONSTRAINTS.replace("tinta==1.0 ; sys_platform == 'darwin'\n", "")
    declaration = re.sub(r"    # drawings.*\n.*\n", "", SETTINGS)
    path = site(tmp_path / "site", *STRAYS)
    project = shop(tmp_path / "shop", settings=declaration, constraints=lock + "sock==1.0\nwire==3.0\n")
    assert said(project, path) == []
    shop(project, settings=declaration, constraints=lock + "sock==1.0\nwire==3.0\nstring==1\nold==1\nall-of-it==1\n")
    assert [line.split(" | ")[2] for line in said(project, path)] == ["string==1", "old==1", "all-of-it==1"]
    assert "only what something in settings.ini needs" in said(project, path)[0]


@pytest.mark.parametrize("unknown", ["sock", "wire", "version"])
def test_what_cannot_be_known_is_not_said(tmp_path, unknown):
    lock = CONSTRAINTS.replace("tinta==1.0 ; sys_platform == 'darwin'\n", "") + "sock==1.0\nwire==3.0\nstring==1\n"
    declaration = re.sub(r"    # drawings.*\n.*\n", "", SETTINGS)
    path = site(tmp_path / "site", *(package for package in STRAYS if package[0] != unknown))
    if unknown == "version":
        lock = lock.replace("wire==3.0", "wire==3.1")
    assert said(shop(tmp_path / "shop", settings=declaration, constraints=lock), path) == []


def test_declared_in_settings(tmp_path):
    frame = declared(shop(tmp_path))
    assert frame.to_dict("list") == {
        "name": ["pandas", "tinta", "jupyter-lab"],
        "extra": ["", "", "lab"],
        "specifier": ["<3,>=2", ">=1", ">=4"],
        "reason": ["frames", "drawings, only on a Mac", "notebooks"],
        "file": ["settings.ini"] * 3,
        "line": [6, 8, 11],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("requirements = a b\nlab_requirements = a\n", ":6: a, expected one declaration of a, such as a in line 5"),
        ("requirements = a.b>=1\n    A_B\n", ":6: A_B, expected one declaration of a-b, such as a.b>=1 in line 5"),
        ("requirements =\nx_requirements = a a\n", ":6: a, expected one declaration of a"),
        ("requirements = a\n\n    # why\n    @b\n", ":8: '@b', expected a requirement such as pandas>=2.2"),
        ("requirements = a>=latest\n", ":5: 'a>=latest', expected a requirement"),
        ("requirements = %(nothing)s\n", "Bad value substitution"),
        ("requirements = 5%\n", "'%' must be followed by '%' or '('"),
        ("requirements = a\nrequirements = b\n", ":6: option 'requirements' in section 'DEFAULT' already exists"),
        (
            "requirements = a\nnonsense\n",
            ":6: Source contains parsing errors, expected [DEFAULT] and one `key = value`",
        ),
        ("requirements = a\n[DEFAULT]\n[x]\n[x]\n", ":8: section 'x' already exists"),
    ],
)
def test_settings_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "settings.ini").write_text("[DEFAULT]\n# names\nlib_name = x\nmin_python = 3.11\n" + text)
    with pytest.raises(ValueError, match=re.escape(message)):
        declared(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "requirements =\nx_requirements = a\ny_requirements = a>1\n",
        "requirements = a>=2;python_version>='3.12' a<2;python_version<'3.12'\n",
        "requirements = a\nx_requirements = a[fast]\n",
        "requirements = a\n[other]\nrequirements = a a\n",
        "requirements = a\nnpm_packages = a a\n",
    ],
)
def test_what_only_looks_like_twice(tmp_path, text):
    (tmp_path / "settings.ini").write_text("[DEFAULT]\nmin_python = 3.11\n" + text)
    assert "a" in set(declared(tmp_path)["name"])


def test_declared_in_pyproject(tmp_path):
    (tmp_path / "settings.ini").write_text("[other]\ntool = yes\n")
    (tmp_path / "pyproject.toml").write_text(
        """[project]
name = "shop"
requires-python = ">=3.12"
dependencies = [
  # frames
  "Pandas>=2",
  'tinta', # drawings
  "numpy ; python_version>'3'",
]
[project.optional-dependencies]
lab = ["jupyterlab>=4", "Pandas[sql]"]
test = ["pytest"]
docs = ["pytest"]
"""
    )
    frame = declared(tmp_path)
    assert frame["name"].tolist() == ["pandas", "tinta", "numpy", "jupyterlab", "pandas", "pytest", "pytest"]
    assert frame["extra"].tolist() == ["", "", "", "lab", "lab", "test", "docs"]
    assert frame["reason"].tolist() == ["frames", "drawings", "", "", "", "", ""]
    assert frame["line"].tolist() == [6, 7, 8, 11, 11, 12, 13]
    assert set(frame["file"]) == {"pyproject.toml"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project]\ndependencies = ['a b']\n", "pyproject.toml:2: 'a b', expected a requirement"),
        ("[project]\ndependencies = ['a', 'A']\n", "pyproject.toml:2: A, expected one declaration of a"),
        ("[project]\ndependencies = 'pandas'\n", "dependencies is 'pandas', expected TOML whose dependencies are"),
        ("[project]\ndependencies = [1]\n", "dependencies is [1], expected"),
        ("[project]\noptional-dependencies = {x = 'a'}\n", "x is 'a', expected TOML"),
        ("[project]\noptional-dependencies = 3\n", "expected TOML whose dependencies"),
        ("[project]\nname = \n", "pyproject.toml:2: Invalid value, expected TOML"),
        ("[[project]]\nname = 'x'\n", "expected"),
        ("project = 3\n[tool]\n", "no file that declares packages"),
        ("[tool.x]\n", "no file that declares packages, expected settings.ini with `requirements`"),
    ],
)
def test_pyproject_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)):
        declared(tmp_path)


def test_declared_in_requirements(tmp_path):
    (tmp_path / "requirements.txt").write_text(
        "# header\n\n-c constraints.txt\n--index-url http://x/#y\n# frames\npandas>=2 # no: beside\nnumpy==2.1 \\\n"
        "    --hash=sha256:12 \\\n    --hash=sha256:13\nPy_YAML ; python_version > '3'  \n"
        "tinta[a,b]~=1.0 --no-binary x\n"
    )
    frame = declared(tmp_path)
    assert frame["name"].tolist() == ["pandas", "numpy", "py-yaml", "tinta"]
    assert frame["reason"].tolist() == ["no: beside", "frames", "frames", "frames"]
    assert frame["line"].tolist() == [6, 7, 10, 11]
    assert frame["specifier"].tolist() == [">=2", "==2.1", "", "~=1.0"]


@pytest.mark.parametrize("line", ["./local.whl", "pandas=2", "git+file:x", "pandas 2", "a==1 b==2"])
def test_requirements_without_a_name(tmp_path, line):
    (tmp_path / "requirements.txt").write_text(f"a\n{line}\n")
    with pytest.raises(ValueError, match=rf"^requirements.txt:2: {re.escape(repr(line))}, expected a requirement"):
        declared(tmp_path)


def test_the_three_readers_agree(tmp_path):
    rng = random.Random(32)
    for number in range(20):
        names = rng.sample(["Pan", "masa-madre", "Horno_2", "sal.fina", "agua", "x"], rng.randint(1, 6))
        wanted = [name + rng.choice(["", ">=1", "~=1.2", "!=1.4.0,<2", "==2.*", "[a]>=3rc1"]) for name in names]
        texts = {
            "settings.ini": "[DEFAULT]\nmin_python = 3.11\nrequirements =\n"
            + "".join(f"    {one}\n" for one in wanted),
            "pyproject.toml": "[project]\ndependencies = [\n" + "".join(f'  "{one}",\n' for one in wanted) + "]\n",
            "requirements.txt": "".join(f"{one}\n" for one in wanted),
        }
        frames = []
        for name, text in texts.items():
            folder = tmp_path / f"{number}{name}"
            folder.mkdir()
            (folder / name).write_text(text)
            frames.append(declared(folder).drop(columns=["file", "line"]))
        assert frames[0].equals(frames[1]) and frames[0].equals(frames[2]) and len(frames[0]) == len(wanted)


def test_locked(tmp_path):
    frame = locked(shop(tmp_path))
    assert frame["name"].tolist() == ["jupyter-lab", "numpy", "numpy", "pandas", "tinta"]
    assert frame["version"].tolist() == ["4.1", "1.26", "2.1", "2.3", "1.0"] and frame["line"].tolist() == [
        2,
        3,
        4,
        5,
        6,
    ]
    assert frame["marker"].ne("").tolist() == [False, True, True, False, True]
    assert all(Version(version) for version in frame["version"])
    with pytest.raises(ValueError, match="^constraints.txt: No such file or directory, expected a file that can be re"):
        locked(tmp_path / "nowhere")


def test_report_has_a_state_for_everything(tmp_path):
    project = shop(
        tmp_path / "shop",
        settings="[DEFAULT]\nlib_name = shop\nmin_python = 3.11\nrequirements =\n    # w\n"
        "    same old new out gone<2 free strict>=2 far;sys_platform=='nowhere'\nlab_requirements = lab\n",
        constraints="same==1.0\nold==1.10\nnew==1.9\ngone==1\nstrict==2\nlab==1\nout==1; sys_platform == 'nowhere'\n",
        **{"use.py": "import same_module.part, shop, borrowed, nobody\n"},
    )
    path = site(
        tmp_path / "site",
        *[
            (name, version, [], [])
            for name, version in [("old", "1.9"), ("new", "1.10"), ("free", "1"), ("strict", "1")]
        ],
        ("same", "1.0.0", [], ["same_module/__init__.py", "same_module/part.py"]),
        ("Bor-Rowed", "7", [], ["borrowed.py"]),
        ("out", "3", [], []),
    )
    frame = report(project, path=path).set_index("name")
    assert frame["state"].to_dict() == {
        "same": "as tested",
        "old": "outdated",
        "new": "ahead",
        "out": "unlocked",
        "gone": "missing",
        "free": "unlocked",
        "strict": "refused",
        "far": "elsewhere",
        "lab": "missing",
        "bor-rowed": "undeclared",
        "nobody": "undeclared",
    }
    assert frame.loc["same", "imported_by"] == ["use.py"] and frame.loc["nobody", "imported_by"] == ["use.py"]
    assert frame.loc["bor-rowed", "installed"] == "7" and pd.isna(frame.loc["nobody", "installed"])
    assert frame["reason"].to_dict()["same"] == "w" and frame.loc["old", "imported_by"] == []
    assert "lab" not in set(report(project, path=path, extras=[])["name"])
    assert "lab" in set(report(project, path=path, extras=["lab"])["name"])


def test_a_group_that_does_not_count_makes_its_imports_undeclared(tmp_path):
    project = shop(tmp_path / "shop", **{"a.py": "import jupyter_lab\n", "b.py": "import pandas\n"})
    path = site(tmp_path / "site", ("Jupyter-Lab", "4.1", [], ["jupyter_lab/__init__.py"]))
    state = report(project, path=path).set_index("name")["state"]
    assert state["jupyter-lab"] == "as tested" and state["pandas"] == "missing"
    state = report(project, path=path, extras=[]).set_index("name")["state"]
    assert state["jupyter-lab"] == "undeclared"
    state = report(project, path=path, extras=[], files=[project / "b.py"]).set_index("name")["state"]
    assert list(state.index) == ["pandas", "tinta"]


def test_one_module_of_many_packages_needs_only_one_of_them(tmp_path):
    project = shop(tmp_path / "shop", **{"a.py": "import space.one\nimport other.two\n"})
    path = site(
        tmp_path / "site",
        ("pandas", "2.3", [], ["space/one.py"]),
        ("space-two", "1", [], ["space/two.py"]),
        ("oa", "1", [], ["other/x.cpython-311-x86_64-linux-gnu.so"]),
        ("ob", "1", [], ["other/y.pyd", "../../bin/tool.py"]),
    )
    frame = report(project, path=path).set_index("name")
    assert frame.loc["pandas", "imported_by"] == ["a.py"]
    assert frame.index[frame["state"] == "undeclared"].tolist() == ["oa or ob"]


def test_report_works_without_lock_and_refuses_what_cannot_be_read(tmp_path):
    (tmp_path / "requirements.txt").write_text("pandas\n")
    assert report(tmp_path)["state"].tolist() == ["unlocked"]
    (tmp_path / "constraints.txt").write_text("pandas\n")
    with pytest.raises(ValueError, match=r"^constraints.txt:1: pandas, expected name==version"):
        report(tmp_path)
    with pytest.raises(ValueError, match="^nowhere: no file that declares packages"):
        report(tmp_path / "nowhere")


LESSON = [
    {"cell_type": "markdown", "source": ["import text"]},
    {
        "cell_type": "code",
        "source": ["%matplotlib inline\n", "!pip install shell\n", "import magic\n", "if 1:\n", "    %time"],
    },
    {"cell_type": "code", "source": "%%bash\nimport screen"},
    {"cell_type": "code", "source": ["await late()"]},
]


def test_imports_are_read_and_not_run(tmp_path):
    files = {
        "use.py": "import os, yaml as y\nfrom . import near\nfrom .near import x\nimport mine, package.part, lib\n"
        "def late():\n    from PIL.Image import open\n# import commented\ntext = 'import quoted'\nraise SystemExit\n",
        "mine.py": "",
        "package/__init__.py": "import deep.er\n",
        "src/lib/__init__.py": "import sibling\n",
        "src/lib/sibling.py": "",
        "numpy/table.csv": "x\n",
        "sub/job.py": "import helper, mine, numpy\n",
        "sub/helper.py": "import __future__\n",
        "lesson.ipynb": json.dumps({"cells": LESSON}),
        "venv/pyvenv.cfg": "",
        "venv/lib/x.py": "import hidden\n",
        ".git/x.py": "import hidden\n",
        "node_modules/x.py": "import hidden\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert imported(tmp_path) == {
        "PIL": ["use.py"],
        "deep": ["package/__init__.py"],
        "magic": ["lesson.ipynb"],
        "numpy": ["sub/job.py"],
        "yaml": ["use.py"],
    }
    assert imported(tmp_path, [tmp_path / "sub/job.py"]) == {"numpy": ["sub/job.py"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [("old.py", b"print 'x'\n"), ("bytes.py", b"\xff\xfe"), ("nul.py", b"a\0b"), ("x.ipynb", b"{}"), ("y.ipynb", b"[")],
)
def test_what_is_not_python_is_warned_of_and_hides_nothing(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "zoo.py").write_text("import yaml\n")
    with pytest.warns(UserWarning, match=f"^{name} is not Python that can be read"):
        assert imported(tmp_path) == {"yaml": ["zoo.py"]}


def test_arguments_come_back_as_they_were(tmp_path):
    project = shop(tmp_path)
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    declared(str(project)), locked(str(project)), report(str(project)), problems(str(project))
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before


def test_pip_reads_our_list_as_we_do(tmp_path):
    rows, _ = environment._environment(ROOT)
    (tmp_path / "list.txt").write_text("\n".join(row["text"] for row in rows if row["kind"] == "pip"))
    (tmp_path / "constraints.txt").write_text("absent==1\n")
    (tmp_path / "setup.py").write_text("raise SystemExit('pip read the project and its extras')")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--no-index",
        "--no-build-isolation",
        "-r",
        "list.txt",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=kept | {"PIP_CONFIG_FILE": os.devnull}, capture_output=True, text=True
    )
    assert "pip read the project and its extras" in done.stdout + done.stderr, done.stderr


def test_a_reason_ends_with_its_group_and_problems_come_in_the_order_of_the_lines(tmp_path):
    text = "[DEFAULT]\nmin_python = 3.11\nrequirements =\n    # frames\n    a\n    b\nx_requirements = c\n"
    (tmp_path / "settings.ini").write_text(text)
    assert declared(tmp_path)["reason"].tolist() == ["frames", "frames", ""]
    (tmp_path / "settings.ini").write_text(text.replace("    b\n", "    A\n").replace("= c", "= @c"))
    with pytest.raises(ValueError, match=r"^2 problems:\nsettings.ini:6: A, .*\nsettings.ini:7: '@c', "):
        declared(tmp_path)


def test_a_python_that_is_no_text_is_a_problem_and_no_accident(tmp_path):
    shop(tmp_path, **{"pyproject.toml": "[project]\nname = 3\nrequires-python = 3.11\ndependencies = ['pandas']\n"})
    (tmp_path / "settings.ini").unlink()
    assert "pyproject.toml | 0 | Python '3.11' | the oldest Python, such as 3.11" in " ".join(said(tmp_path))


def test_the_first_of_two_locks_counts_until_one_is_taken_out(tmp_path):
    (tmp_path / "requirements.txt").write_text("old\n")
    (tmp_path / "constraints.txt").write_text("old==2\nold==1\n")
    assert report(tmp_path, path=site(tmp_path / "site", ("old", "1", [], [])))["locked"].tolist() == ["2"]
