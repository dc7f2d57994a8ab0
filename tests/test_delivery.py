"Promises of lesson 57: workflows read as the server reads them, rehearsals that touch nothing, releases true to a tag."

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from mlworkbook.project.delivery import (
    check_release,
    check_workflow,
    combinations,
    faults,
    jobs,
    read_workflow,
    rehearse,
    starts,
)
from mlworkbook.project.gitflow import Repository

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
GOOD = f"""name: good
on: push
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - uses: {CHECKOUT}
      - run: python -m pytest
"""


def on(text):
    "A workflow with these triggers."
    return read_workflow(f"on: {text}\njobs: {{ a: {{}} }}")


@pytest.mark.parametrize(
    "written, read",
    [("on", "on"), ("no", "no"), ("1:30", "1:30"), ("2020-01-01", "2020-01-01"), ("012", "012"), ("3.10", 3.1)]
    + [("true", True), ("null", None), ("", None), ("17", 17), ("-1.5", -1.5), ("'3.10'", "3.10"), ("<<", "<<")],
)
def test_only_true_false_null_and_numbers_are_not_text(written, read):
    assert read_workflow(f"on: push\nenv:\n  x: {written}\njobs:\n  a: {{}}\n")["env"] == {"x": read}


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the workflow has no `on`"),
        ("- on", "the workflow has no `on`"),
        ("on: push", "the workflow has no `jobs`, expected `on:` and `jobs:` at the margin; add it"),
        ("on: push\njobs:\n", "the workflow has no `jobs`"),
        ("on: push\njobs:\n\ta: 1\n", "line 3: found character"),
        ("on: [push\njobs: {}\n", "line 2: "),
        ("on: push\non: pull_request\njobs: {a: {}}", "line 2: `on` is there twice, expected once; join both"),
        ("on: push\njobs:\n  a: {}\n  b: {}\n  a: {}\n", "line 5: `a` is there twice"),
        ("on: push\njobs: [a]", r"`jobs` is \['a'\], expected a name for each job"),
        ("on: push\njobs: {a: ubuntu-latest}", "job a is 'ubuntu-latest', expected `runs-on` and `steps`"),
        ("on: push\njobs: {1: {}}", "job 1 is"),
        ("on: push\njobs: {a: {steps: pytest}}", "`steps` of a is 'pytest', expected a list with a dash for each"),
        ("on: push\njobs: {a: {steps: [pytest]}}", "a step of a is 'pytest', expected `run` or `uses`"),
        ("on: push\njobs: {a: {strategy: 3}}", "`strategy` of a is 3, expected a matrix"),
        ("on: {push: main}\njobs: {a: {}}", "`on: push` is 'main', expected branches, tags or nothing"),
        ("on: [[push]]\njobs: {a: {}}", "an event in `on`"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text, message):
    with pytest.raises(ValueError, match=message):
        read_workflow(text)


@pytest.mark.parametrize(
    "triggers, event, ref, answer",
    [
        ("push", "push", "refs/heads/any", True),
        ("push", "push", "refs/tags/v1", True),
        ("[push, schedule]", "schedule", "refs/heads/main", True),
        ("push", "pull_request", "refs/heads/main", False),
        ("{push: {branches: [main]}}", "push", "refs/heads/main", True),
        ("{push: {branches: [main]}}", "push", "refs/heads/mainly", False),
        ("{push: {branches: [main]}}", "push", "refs/tags/main", False),
        ("{push: {tags: ['v*']}}", "push", "refs/tags/v1.0", True),
        ("{push: {tags: ['v*']}}", "push", "refs/heads/v1.0", False),
        ("{push: {tags-ignore: [old]}}", "push", "refs/heads/main", False),
        ("{push: {branches-ignore: ['feature/**']}}", "push", "refs/heads/feature/a/b", False),
        ("{push: {branches-ignore: ['feature/*']}}", "push", "refs/heads/feature/a/b", True),
        ("{push: {branches: ['**', '!main']}}", "push", "refs/heads/main", False),
        ("{push: {branches: ['!main', '**']}}", "push", "refs/heads/main", True),
        ("{push: {branches: ['v[12].?']}}", "push", "refs/heads/v1", True),
        ("{push: {tags: ['v[0-9]+.[0-9]+']}}", "push", "refs/tags/v1.20", True),
        ("{push: {tags: ['v[0-9]+.[0-9]+']}}", "push", "refs/tags/v1.x", False),
        ("{push: {branches: main}}", "push", "refs/heads/main", True),
        ("{push: {paths: ['*.py']}}", "push", "refs/heads/main", True),
        ("{pull_request: {branches: [main]}}", "pull_request", "refs/heads/develop", False),
    ],
)
def test_what_starts_a_workflow(triggers, event, ref, answer):
    assert starts(on(triggers), event, ref) is answer


@pytest.mark.parametrize(
    "matrix, made",
    [
        ({}, []),
        ({"a": [1, 2], "b": ["x"]}, [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]),
        ({"a": [1, 2], "b": [3, 4], "exclude": [{"a": 1}]}, [{"a": 2, "b": 3}, {"a": 2, "b": 4}]),
        ({"include": [{"a": 1}, {"a": 2}]}, [{"a": 1}, {"a": 2}]),
        ({"a": [1, 2], "include": [{"c": 3}]}, [{"a": 1, "c": 3}, {"a": 2, "c": 3}]),
        ({"a": [1], "include": [{"a": 1, "c": 3}, {"a": 2}]}, [{"a": 1, "c": 3}, {"a": 2}]),
        ({"a": [1], "include": [{"c": 3}, {"c": 4}]}, [{"a": 1, "c": 4}]),
        ({"a": [1], "exclude": [{"a": 1}], "include": [{"a": 1, "c": 2}]}, [{"a": 1, "c": 2}]),
    ],
)
def test_a_matrix_is_multiplied_as_the_server_does(matrix, made):
    before = repr(matrix)
    assert combinations(matrix) == made and repr(matrix) == before


@pytest.mark.parametrize("matrix", ["${{ fromJSON(x) }}", {"a": "${{ x }}"}, {"a": 3.1}, {"a": [1], "include": ["x"]}])
def test_a_matrix_that_is_not_written_down_is_not_counted(matrix):
    with pytest.raises(ValueError, match="expected .*; write"):
        combinations(matrix)


def test_jobs_are_counted_with_what_they_need_and_where_they_run():
    text = """on: push
jobs:
  test:
    strategy: { matrix: { os: [a, b], python: ["3.10", 3.10, 3.0] } }
    runs-on: ${{matrix.os}}-latest
    steps: [{ uses: x, with: { python-version: "${{ matrix.python }}" } }]
  ship: { needs: [test, other], runs-on: c }
"""
    table = jobs(read_workflow(text))
    assert table["python"].tolist() == ["3.10", "3.1", "3"] * 2 + [""]
    assert table["runs_on"].tolist() == ["a-latest"] * 3 + ["b-latest"] * 3 + ["c"]
    assert table["needs"].tolist()[-1] == "test, other"


@pytest.mark.parametrize(
    "old, new, line, words",
    [
        (CHECKOUT, "actions/checkout@v7", 10, "action actions/checkout@v7, expected a commit of 40"),
        (CHECKOUT, "actions/checkout@3d3c42e", 10, "expected a commit of 40 hexadecimal digits"),
        ("permissions:\n  contents: read\n", "", 4, "job test without permissions"),
        ("\n  contents: read", " write-all", 3, "permissions: write-all"),
        ("    timeout-minutes: 5\n", "", 6, "job test without a limit"),
        ("python -m pytest", "python -m pytest || true", 11, "pytest whose failure is forgiven"),
        ("pytest\n", "pytest\n        continue-on-error: true\n", 11, "pytest whose failure is forgiven"),
        (
            "python -m pytest",
            "|\n          cd x\n          pip install pytest",
            13,
            "pip install pytest, expected versions",
        ),
        (
            "run: python",
            "with: { python-version: 3.10 }\n        run: python",
            11,
            "3.10 without quotes, which YAML reads as 3.1",
        ),
        ("run: python", "with: { python-version: 3.12 }\n        run: python", 11, "3.12 without quotes, expected"),
        (
            "    timeout",
            "    strategy: { matrix: { v: [3.20] } }\n    timeout",
            8,
            "3.20 without quotes, which YAML reads as 3.2",
        ),
        (
            "on: push",
            "on: pull_request_target\nenv: { A: '${{ secrets.B }}' }",
            3,
            "secrets.B }} in pull_request_target",
        ),
    ],
)
def test_each_fault_is_told_at_its_line(old, new, line, words):
    assert faults(GOOD) == [] and old in GOOD
    (fault,) = faults(GOOD.replace(old, new), "x.yml")
    assert fault.line == line and words in str(fault), str(fault)


@pytest.mark.parametrize(
    "run",
    ["pip install --constraint constraints.txt x", "pip install -c c.txt x", "pip install -r lock.txt"]
    + ["pip install --no-deps .", "echo pip installs", "make test", "flake8 --exit-zero", "grep x || true"],
)
def test_what_is_right_is_left_alone(run):
    assert faults(GOOD.replace("python -m pytest", run)) == []


def test_a_float_that_is_no_version_is_left_alone():
    assert faults(GOOD.replace("    timeout-minutes: 5", "    timeout-minutes: 1.50")) == []


def test_an_alias_that_bites_its_tail_ends():
    assert len(faults("on: push\njobs:\n  a: &a\n    env: { b: &b [*b, *b, *a] }\n")) == 2


def test_a_check_names_the_file(tmp_path):
    path = tmp_path / "ci.yml"
    path.write_text(GOOD)
    assert check_workflow(path) == path
    path.write_text(GOOD.replace(CHECKOUT, "a@v1").replace("    timeout-minutes: 5\n", ""))
    with pytest.raises(ValueError, match=r"2 problems:\nci.yml:6: .*\nci.yml:9: action a@v1"):
        check_workflow(path)
    path.write_text("on: push")
    with pytest.raises(ValueError, match="ci.yml: the workflow has no `jobs`"):
        check_workflow(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_our_workflows_have_no_faults(path):
    assert check_workflow(path) == path


def test_our_workflows_do_what_they_promise():
    ours = {path.stem: read_workflow(path.read_text()) for path in WORKFLOWS}
    assert set(ours) == {"ci", "docs", "nightly", "release"}
    counted = jobs(ours["ci"]).query("job == 'test'")
    assert counted["runs_on"].nunique() == 2 and set(counted["python"]) == {"3.11", "3.12", "3.13"}
    assert starts(ours["release"], "push", "refs/tags/v1.0") and not starts(ours["release"], "push", "refs/heads/main")
    rights = {
        (name, job): what.get("permissions", workflow["permissions"])
        for name, workflow in ours.items()
        for job, what in workflow["jobs"].items()
    }
    writes = {place: sorted(what) for place, what in rights.items() if "write" in what.values()}
    assert writes == {
        ("docs", "deploy"): ["id-token", "pages"],
        ("nightly", "report"): ["issues"],
        ("release", "publish"): ["contents", "id-token"],
    }
    here = "github.repository == 'mlworkbook/mlworkbook'"
    only = [("docs", "deploy"), ("nightly", "newest"), ("release", "publish")]
    assert all(ours[name]["jobs"][job]["if"] == here for name, job in only)


@pytest.mark.parametrize("open_already, expected", [("", "issue create --title"), ("7", "issue comment 7 --body")])
def test_the_night_opens_one_issue_and_then_adds_to_it(tmp_path, open_already, expected):
    nightly = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text())
    (step,) = nightly["jobs"]["report"]["steps"]
    fake = tmp_path / "gh"
    fake.write_text(
        f'#!/bin/sh\nif [ "$2" = list ]; then echo "{open_already}"; else echo "$@" >> "{tmp_path}/said"; fi\n'
    )
    fake.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TITLE": "It's broken", "RUN": "https://example/1"}
    subprocess.run(["bash", "-e", "-c", step["run"]], env=env, check=True)
    said = (tmp_path / "said").read_text()
    assert said.startswith(expected) and "https://example/1" in said and said.count("\n") == 1


def repository(folder, text, **files):
    "A throwaway repository with a workflow."
    repo = Repository(folder)
    repo.commit("Begin", {".github/workflows/w.yml": text, **files})
    return repo


def test_a_rehearsal_is_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hidden")
    text = GOOD.replace("python -m pytest", 'echo "$HOME|$MY_TOKEN|$https_proxy|$PWD"; ls -a; touch made')
    repo = repository(tmp_path / "repo", text, **{"kept.txt": "1"})
    (repo.path / "not_committed.txt").write_text("2")
    table = rehearse(repo.path, "w.yml")
    assert table["result"].tolist() == ["success", "success"]
    said = table["said"].iloc[1]
    home, token, proxy, place = said.splitlines()[0].split("|")
    assert home != os.environ.get("HOME") and not Path(home).exists()
    assert token == "" and "127.0.0.1" in proxy
    assert "kept.txt" in said and "not_committed.txt" not in said
    assert not place.startswith(str(repo.path)) and not (repo.path / "made").exists()


def test_what_fails_and_what_is_skipped_are_told(tmp_path):
    text = GOOD.replace(
        "python -m pytest", "exit 3\n      - run: echo never\n      - if: always()\n        run: echo late"
    )
    text += "  ship:\n    needs: test\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo sent\n"
    table = rehearse(repository(tmp_path / "repo", text).path, "w.yml")
    assert table[["job", "result"]].values.tolist() == [
        ["test", "success"],
        ["test", "failure"],
        ["test", "success"],
        ["ship", "skipped"],
    ]
    assert table["said"].tolist()[-2] == "late"


@pytest.mark.parametrize(
    "run, said",
    [
        ("echo one; printf two; exit 3", ["one", "two"]),
        ("set -x; echo one; false", ["+ echo one", "one", "+ false"]),
    ],
)
def test_the_last_words_of_a_step_that_fails_are_heard(tmp_path, run, said):
    # act drops what it has not read when the step ends, and always a line without an end
    table = rehearse(repository(tmp_path / "repo", GOOD.replace("python -m pytest", run)).path, "w.yml")
    assert table["said"].iloc[1].splitlines() == said
    assert table["result"].iloc[1] == "failure"


def test_nothing_runs_when_nothing_starts(tmp_path):
    repo = repository(tmp_path / "repo", GOOD.replace("on: push", "on: {push: {tags: ['v*']}}"))
    assert rehearse(repo.path, "w.yml").empty


@pytest.mark.parametrize(
    "text, error, message",
    [
        (
            GOOD.replace(CHECKOUT, "actions/cache@v4"),
            ValueError,
            "action actions/cache@v4, expected actions/setup-python",
        ),
        (GOOD.replace("    timeout", "    needs: nobody\n    timeout"), ValueError, "act refused w.yml"),
        ("on: push", ValueError, "the workflow has no `jobs`"),
    ],
)
def test_what_cannot_be_rehearsed_is_told(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        rehearse(repository(tmp_path / "repo", text).path, "w.yml")


def test_a_rehearsal_needs_a_commit_a_file_and_act(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="cannot be cloned: .*; name a folder with git init and a commit"):
        rehearse(tmp_path, "w.yml")
    repo = repository(tmp_path / "repo", GOOD)
    with pytest.raises(FileNotFoundError, match="x.yml was not found"):
        rehearse(repo.path, "x.yml")
    which = "mlworkbook.project.delivery.shutil.which"
    monkeypatch.setattr(which, lambda *a, path=None, **k: None if path else "/usr/bin/git")
    with pytest.raises(
        FileNotFoundError, match="act was not found, expected it beside Python; get it with pip install"
    ):
        rehearse(repo.path, "w.yml")


def release(folder, version="1.0", inside="x/__init__.py"):
    "A wheel and an sdist of a package."
    folder.mkdir(exist_ok=True)
    card = f"Metadata-Version: 2.1\nName: x\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"x-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"x-{version}.dist-info/METADATA", card)
        archive.writestr(inside, "")
    with tarfile.open(folder / f"x-{version}.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo(f"x-{version}/PKG-INFO")
        member.size = len(card)
        archive.addfile(member, io.BytesIO(card.encode()))
    return folder


def test_a_release_is_what_its_tag_says(tmp_path):
    wheel, sdist = check_release(release(tmp_path / "dist"), "v1.0")
    assert wheel.suffix == ".whl" and sdist.name == "x-1.0.tar.gz"


@pytest.mark.parametrize("tag", ["1.0", "v", "v1.0-final", "release", ""])
def test_a_tag_that_is_no_version_is_refused(tmp_path, tag):
    with pytest.raises(ValueError, match="expected v and a version, such as v0.1.0"):
        check_release(release(tmp_path / "dist"), tag)


def test_another_version_than_the_tags_is_refused(tmp_path):
    with pytest.raises(ValueError, match="2 problems:\n.*version 1.0, expected 1.1, as the tag says"):
        check_release(release(tmp_path / "dist"), "v1.1")


@pytest.mark.parametrize(
    "inside", [".env", "x/.git/config", "x/__pycache__/a.pyc", "keys/id_rsa", "x/.ipynb_checkpoints/a"]
)
def test_what_nobody_wants_to_publish_is_found(tmp_path, inside):
    with pytest.raises(ValueError, match="holds .*, expected only what is published on purpose"):
        check_release(release(tmp_path / "dist", inside=inside), "v1.0")


def test_one_wheel_and_one_sdist_are_wanted(tmp_path):
    with pytest.raises(
        ValueError, match=r"0 files \*.whl, expected one wheel; .*\n.*0 files \*.gz, expected one sdist"
    ):
        check_release(tmp_path / "nothing", "v1.0")
    release(release(tmp_path / "dist"), "2.0")
    with pytest.raises(ValueError, match=r"2 files \*.whl, expected one wheel; empty the folder and build again"):
        check_release(tmp_path / "dist", "v1.0")
    broken = release(tmp_path / "broken")
    next(broken.glob("*.whl")).write_bytes(b"not a zip")
    with pytest.raises(ValueError, match="expected a package that can be opened"):
        check_release(broken, "v1.0")


@pytest.mark.slow
def test_make_release_refuses_another_tag_and_stops_before_publishing():
    command = [sys.executable, "tools/release.py"]
    refused = subprocess.run([*command, "v99.0"], cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode and "tag v99.0, expected v" in refused.stderr
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "Nothing was published." in done.stdout, done.stderr
