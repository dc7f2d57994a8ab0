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

from mlworkbook.project.delivery import check_release, check_workflow, rehearse
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


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("    timeout-minutes: 5\n", "", "job test without a limit"),
        ("python -m pytest", "python -m pytest || true", "pytest whose failure is forgiven"),
        ("pytest\n", "pytest\n        continue-on-error: true\n", "pytest whose failure is forgiven"),
        ("python -m", "|\n          pip install x\n          pytest", "w.yml:12: pip install x, expected versions"),
        ("run: python", "with: { v: 3.10 }\n        run: python", ":11: 3.10 without quotes, which YAML reads as 3.1,"),
        ("    timeout", "    strategy: { matrix: { v: [3.20] } }\n    timeout", "w.yml:8: 3.20 without quotes"),
    ],
)
def test_what_linters_let_pass_is_told_at_its_line(tmp_path, old, new, words):
    path = tmp_path / "w.yml"
    path.write_text(GOOD)
    assert old in GOOD and check_workflow(path) == path
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError) as error:
        check_workflow(path)
    assert words in str(error.value) and "problems" not in str(error.value)


@pytest.mark.parametrize(
    "run",
    ["pip install --constraint constraints.txt x", "pip install -c c.txt x", "pip install -r lock.txt"]
    + ["pip install --no-deps .", "echo pip installs", "make test", "grep x || true", "echo '3.10'", "v --to 3.12"],
)
def test_what_is_right_is_left_alone(tmp_path, run):
    path = tmp_path / "w.yml"
    path.write_text(GOOD.replace("python -m pytest", run))
    assert check_workflow(path) == path


@pytest.mark.parametrize("text", ["", "- on", "on: push", "on: push\njobs:\n\ta: 1\n", "on: push\njobs: [a]"])
def test_what_is_no_workflow_is_told(tmp_path, text):
    path = tmp_path / "w.yml"
    path.write_text(text)
    with pytest.raises(ValueError, match="the workflow (lacks|is no YAML)"):
        check_workflow(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_our_workflows_have_no_faults(path):
    assert check_workflow(path) == path


def test_our_workflows_do_what_they_promise():
    ours = {path.stem: yaml.safe_load(path.read_text()) for path in WORKFLOWS}
    assert set(ours) == {"ci", "docs", "nightly", "release"}
    matrix = ours["ci"]["jobs"]["test"]["strategy"]["matrix"]
    assert len(matrix["os"]) == 2 and matrix["python"] == ["3.11", "3.12", "3.13"]
    assert ours["release"][True] == {"push": {"tags": ["v*"]}}
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


@pytest.mark.parametrize(
    "triggers, event, ref, answer",
    [
        ("push", "push", "heads/any", True),
        ("push", "push", "tags/v1", True),
        ("[push, schedule]", "schedule", "heads/main", True),
        ("push", "pull_request", "heads/main", False),
        ("{push: {branches: [main]}}", "push", "heads/mainly", False),
        ("{push: {branches: main}}", "push", "heads/main", True),
        ("{push: {branches: [main]}}", "push", "tags/main", False),
        ("{push: {tags: ['v*']}}", "push", "tags/v1.0", True),
        ("{push: {tags: ['v*']}}", "push", "heads/v1.0", False),
        ("{push: {branches: ['feature/*']}}", "push", "heads/feature/a/b", False),
        ("{push: {branches: ['feature/**']}}", "push", "heads/feature/a/b", True),
        ("{push: {branches: ['**', '!main']}}", "push", "heads/main", False),
        ("{push: {branches: ['!main', '**']}}", "push", "heads/main", True),
        ("{pull_request: {branches: [main]}}", "pull_request", "heads/develop", False),
        ("{pull_request: {branches: [main]}}", "pull_request", "heads/main", True),
    ],
)
def test_what_starts_a_workflow(tmp_path, triggers, event, ref, answer):
    text = GOOD.replace("on: push", f"on: {triggers}").replace("python -m pytest", "true")
    repo = repository(tmp_path / "repo", text)
    assert rehearse(repo.path, "w.yml", event, f"refs/{ref}").empty is not answer


def test_a_matrix_runs_each_of_its_machines(tmp_path):
    text = GOOD.replace("ubuntu-latest", "${{ matrix.os }}").replace("python -m pytest", "echo ${{ matrix.v }}")
    matrix = 'strategy: { matrix: { os: [ubuntu-latest, macos-latest], v: ["3.10", 3.10] } }\n    timeout'
    table = rehearse(repository(tmp_path / "repo", text.replace("timeout", matrix, 1)).path, "w.yml")
    last = table[table["step"] != "actions/checkout"]
    assert sorted(last["said"]) == ["3.1", "3.1", "3.10", "3.10"] and last["on"].nunique() == 4


@pytest.mark.parametrize(
    "text, error, message",
    [
        (
            GOOD.replace(CHECKOUT, "actions/cache@v4"),
            ValueError,
            "action actions/cache@v4, expected actions/setup-python",
        ),
        (GOOD.replace("    timeout", "    needs: nobody\n    timeout"), ValueError, "act refused w.yml"),
        ("on: push", ValueError, "the workflow lacks `on` or `jobs`"),
    ],
)
def test_what_cannot_be_rehearsed_is_told(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        rehearse(repository(tmp_path / "repo", text).path, "w.yml")


def test_a_rehearsal_needs_a_commit_a_file_and_act(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="git clone .* failed in"):
        rehearse(tmp_path, "w.yml")
    repo = repository(tmp_path / "repo", GOOD)
    with pytest.raises(FileNotFoundError, match="x.yml was not found"):
        rehearse(repo.path, "x.yml")
    which = "mlworkbook.project.delivery.shutil.which"
    monkeypatch.setattr(which, lambda *a, path=None, **k: None if path else "/usr/bin/git")
    with pytest.raises(
        FileNotFoundError, match="act was not found beside Python; get it with pip install"
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
        ValueError, match=r"0 files: wheel, expected one; .*\n.*0 files: sdist"
    ):
        check_release(tmp_path / "nothing", "v1.0")
    release(release(tmp_path / "dist"), "2.0")
    with pytest.raises(ValueError, match="2 files: wheel, expected one; empty the folder and build again"):
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
