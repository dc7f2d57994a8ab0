"Gitflow from the graph: hand-made repositories, random ones, hostile ones, and nothing of the caller's touched."

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlworkbook.project import gitflow
from mlworkbook.project.gitflow import Repository, ask, check_repository

TEXTS = pd.read_csv(Path(gitflow.__file__).parents[1] / "data/gitflow.csv", index_col="rule")


class Shop(Repository):
    "A repository with the steps of Gitflow."

    def begin(self, commits=1, main="main"):
        self.git("symbolic-ref", "HEAD", f"refs/heads/{main}")
        for number in range(commits):
            self.commit(f"Import {number}", {"a.txt": f"{number}\n"})
        self.git("branch", "develop")
        return self

    def cut(self, branch, start="develop", commits=1):
        self.git("switch", "--create", branch, start)
        for number in range(commits):
            self.commit(f"Work {number} on {branch}", {branch.replace("/", "-"): f"{number}\n"})
        return self

    def join(self, branch, *homes, keep=False, ff=False, message=None):
        for home in homes:
            self.git("switch", home)
            said = f"--message={message or f'Merge branch {chr(39)}{branch}{chr(39)} into {home}'}"
            self.git("merge", *(["--ff-only"] if ff else ["--no-ff", said]), branch)
        if not keep:
            self.git("branch", "--delete", "--force", branch)
        return self

    def publish(self, branch, start, tag=True, homes=("main", "develop")):
        self.cut(branch, start).join(branch, *homes)
        if tag:
            self.git("tag", "v" + branch.split("/")[1], homes[0])
        return self

    def released(self):
        "After version 1.0, with work on develop that is not released."
        shutil.copytree(template().name, self.path, dirs_exist_ok=True)
        self.clock = count(1_600_000_000, 60)
        return self


@cache
def template():
    "The repository from which many tests start, made once."
    room = tempfile.TemporaryDirectory()
    repo = Shop(room.name).begin().cut("feature/first").join("feature/first", "develop")
    repo.publish("release/1.0", "develop").cut("feature/later").join("feature/later", "develop")
    return room


def adopted_late(repo):
    "Years of features merged into main before anybody said Gitflow."
    repo.begin().git("branch", "--delete", "develop")
    for name in ("feature/old", "wip"):
        repo.cut(name, "main").join(name, "main")
    repo.commit("Last of the old days")
    repo.git("branch", "develop")
    repo.cut("feature/new").join("feature/new", "develop").publish("release/1.0", "develop")


def features(repo):
    "Merged with a commit, by moving the name, by squash; and one that is open."
    repo.begin().cut("feature/a").join("feature/a", "develop").cut("feature/b", commits=3)
    repo.join("feature/b", "develop", ff=True).cut("feature/c").git("switch", "develop")
    repo.git("merge", "--squash", "feature/c")
    repo.commit("Feature c (#3)")
    repo.cut("feature/open").cut("bugfix/open")


def caught_up(repo):
    "Develop had nothing new after the release: git merge main only moved its name."
    repo.begin().cut("feature/a").join("feature/a", "develop").publish("release/1.0", "develop", homes=("main",))
    repo.join("main", "develop", ff=True, keep=True)
    repo.cut("feature/b").join("feature/b", "develop").publish("release/1.1", "develop")


def repaired(repo):
    repo.released().publish("hotfix/1.0.1", "main")


def repaired_through_main(repo):
    repo.released().publish("hotfix/1.0.1", "main", homes=("main",)).join("main", "develop", keep=True)


def repaired_by_moving_develop(repo):
    "Develop only moved to the hotfix, which then went to main with a commit."
    repo.begin().publish("release/1.0", "develop", homes=("main",)).join("main", "develop", ff=True, keep=True)
    repo.cut("hotfix/1.0.1", "main").join("hotfix/1.0.1", "develop", ff=True, keep=True)
    repo.join("hotfix/1.0.1", "main").git("tag", "v1.0.1", "main")


def repaired_during_release(repo):
    "Driessen's exception: the repair goes to the release that is open, and reaches develop with it."
    repo.released().cut("release/2.0").publish("hotfix/1.0.1", "main", homes=("main", "release/2.0"))


def octopus_of_repairs(repo):
    repo.released().cut("hotfix/a", "main").cut("hotfix/b", "main")
    for home in ("main", "develop"):
        repo.git("switch", home)
        repo.git("merge", "--no-ff", "--message=Merge branches 'hotfix/a' and 'hotfix/b'", "hotfix/a", "hotfix/b")
    repo.git("tag", "v1.0.1", "main")


def moved_main_after_a_release(repo):
    "Main only moved its name to develop, and inherited develop's merges."
    repo.released().join("main", "develop", keep=True).join("develop", "main", ff=True, keep=True)


def detached(repo):
    repo.released().git("switch", "--detach", "v1.0")
    repo.commit("Nobody's")


def old_name(repo):
    repo.begin(main="master").cut("feature/a").join("feature/a", "develop")
    repo.publish("release-1.0", "develop", tag=False, homes=("master", "develop")).git("tag", "1.0", "master")


def pull_requests(repo):
    repo.begin()
    for number, (branch, start, *homes) in enumerate(
        [("feature/a", "develop", "develop"), ("release/1.0", "develop", "main", "develop")]
    ):
        repo.cut(branch, start).join(branch, *homes, message=f"Merge pull request #{number} from shop/{branch}")
    repo.git("tag", "--annotate", "v1.0", "--message=1.0", "main")


def unnamed_from_develop(repo):
    "A release without repairs, whose branch is gone: it ends where develop ends."
    repo.released().join("develop", "main", keep=True, message="Version 2").git("tag", "v2.0", "main")


def two_names_at_one_tip(repo):
    "A feature or a hotfix? The merge does not say, and two branches end where it came from."
    repo.released().cut("feature/x", "main").git("branch", "hotfix/x")
    repo.join("feature/x", "main", "develop", keep=True, message="Version 1.1").git("tag", "v1.1", "main")


def two_roots(repo):
    "Main and develop were born apart and met in the first release."
    repo.begin().git("branch", "--delete", "develop")
    repo.git("switch", "--orphan", "develop")
    repo.commit("Another beginning", {"b.txt": "b"})
    repo.cut("release/1.0")
    repo.git("switch", "main")
    said = "--message=Merge branch 'release/1.0'"
    repo.git("merge", "--no-ff", "--allow-unrelated-histories", said, "release/1.0")
    repo.git("tag", "v1.0")
    repo.join("release/1.0", "develop")


def repaired_from_released_develop(repo):
    "Cut from a commit of develop that the release had already taken to main."
    repo.released().publish("hotfix/1.0.1", "main^2^").cut("hotfix/1.0.2", "v1.0^2^")


def pages(repo):
    repo.released().git("switch", "--orphan", "gh-pages")
    repo.commit("A site", {"index.html": "<p>"})


def long_support(repo):
    repo.released().cut("support/1.x", "v1.0")


def just_cut(repo):
    "Branches without commits of their own, and a release that is open."
    repo.released().cut("hotfix/1.0.1", "main", commits=0).cut("feature/new", "main", commits=0).cut("release/2.0")


LAWFUL = [adopted_late, features, caught_up, repaired, repaired_through_main, repaired_by_moving_develop,
    repaired_during_release, octopus_of_repairs, moved_main_after_a_release, detached, old_name, pull_requests,
    unnamed_from_develop, two_names_at_one_tip, two_roots, repaired_from_released_develop, pages, long_support,
    just_cut]


def direct_commit(repo):
    repo.released().git("switch", "main")
    repo.commit("Oops")
    return [("direct_commit", "main", "Oops")]


def direct_commit_under_a_release(repo):
    "Develop caught up with main afterwards, so that both lines share everything."
    repo.begin().git("switch", "main")
    repo.commit("Oops")
    repo.publish("release/1.0", "develop", homes=("main",)).join("main", "develop", ff=True, keep=True)
    return [("direct_commit", "main", "Oops")]


def moved_hotfix(repo):
    repo.released().cut("hotfix/1.0.1", "main").join("hotfix/1.0.1", "main", ff=True, keep=True)
    repo.join("hotfix/1.0.1", "develop").git("tag", "v1.0.1", "main")
    return [("direct_commit", "main", "Work 0 on hotfix/1.0.1")]


def deleted_feature_on_main(repo):
    repo.released().cut("feature/x").join("feature/x", "main", message="Merge pull request #4 from nora/feature/x")
    return [("wrong_merge", "feature/x", "Merge pull request #4 from nora/feature/x")]


def feature_on_main_by_its_tip(repo):
    repo.released().cut("feature/x").join("feature/x", "main", keep=True, message="Ship it")
    return [("wrong_merge", "feature/x", "Ship it")]


def develop_on_main(repo):
    repo.released().join("develop", "main", keep=True)
    return [("wrong_merge", "develop", "Merge branch 'develop' into main")]


def octopus_on_main(repo):
    repo.released().cut("hotfix/1.0.1", "main").cut("feature/x")
    repo.join("hotfix/1.0.1", "develop", keep=True).git("switch", "main")
    repo.git("merge", "--no-ff", "--message=Merge branches 'hotfix/1.0.1' and 'feature/x'", "hotfix/1.0.1", "feature/x")
    repo.git("tag", "v1.0.1")
    return [("wrong_merge", "feature/x", "Merge branches 'hotfix/1.0.1' and 'feature/x'")]


def untagged_release(repo):
    repo.released().publish("release/2.0", "develop", tag=False)
    return [("untagged", "release/2.0", "Merge branch 'release/2.0' into main")]


def untagged_hotfix_before_any_release(repo):
    repo.begin().publish("hotfix/0.1", "main", tag=False)
    return [("untagged", "hotfix/0.1", "Merge branch 'hotfix/0.1' into main")]


def untagged_release_before_develop_caught_up(repo):
    repo.begin().publish("release/1.0", "develop", tag=False, homes=("main",)).join(
        "main", "develop", ff=True, keep=True
    )
    return [("untagged", "release/1.0", "Merge branch 'release/1.0' into main")]


def tag_on_the_branch(repo):
    repo.released().cut("release/2.0").git("tag", "v2.0")
    repo.join("release/2.0", "main", "develop")
    return [("untagged", "release/2.0", "Merge branch 'release/2.0' into main")]


def release_not_merged_back(repo):
    repo.released().publish("release/2.0", "develop", homes=("main",))
    return [("not_merged_back", "release/2.0", "Merge branch 'release/2.0' into main")]


def hotfix_not_merged_back(repo):
    repo.released().publish("hotfix/1.0.1", "main", homes=("main",))
    return [("not_merged_back", "hotfix/1.0.1", "Merge branch 'hotfix/1.0.1' into main")]


def hotfix_copied(repo):
    repo.released().cut("hotfix/1.0.1", "main").join("hotfix/1.0.1", "main", keep=True)
    repo.git("tag", "v1.0.1")
    repo.git("switch", "develop")
    repo.git("cherry-pick", "hotfix/1.0.1")
    return [("not_merged_back", "hotfix/1.0.1", "Merge branch 'hotfix/1.0.1' into main")]


def hotfix_from_develop(repo):
    repo.released().publish("hotfix/1.0.1", "develop")
    return [("cut_from_develop", "hotfix/1.0.1", "Merge branch 'feature/later' into develop")]


def open_hotfix_from_develop(repo):
    repo.released().cut("hotfix/1.0.1")
    return [("cut_from_develop", "hotfix/1.0.1", "Merge branch 'feature/later' into develop")]


def hotfix_from_develop_still_waiting(repo):
    repo.released().cut("hotfix/1.0.1").join("hotfix/1.0.1", "develop", keep=True)
    return [("cut_from_develop", "hotfix/1.0.1", "Merge branch 'feature/later' into develop")]


def feature_from_main(repo):
    repo.released().cut("feature/x", "main")
    return [("cut_from_main", "feature/x", "Merge branch 'release/1.0' into main")]


def merged_feature_from_main(repo):
    repo.released().cut("feature/x", "main").join("feature/x", "develop")
    return [("cut_from_main", "feature/x", "Merge branch 'release/1.0' into main")]


def feature_from_main_merged_and_going_on(repo):
    repo.released().cut("feature/x", "main").join("feature/x", "develop", keep=True).git("switch", "feature/x")
    repo.commit("More")
    return [("cut_from_main", "feature/x", "Merge branch 'release/1.0' into main")]


def misspelt(repo):
    repo.released().cut("faeture/x")
    return [("unknown_branch", "faeture/x", "Work 0 on faeture/x")]


def no_main(repo):
    repo.begin().git("switch", "develop")
    repo.git("branch", "--delete", "main")
    return [("no_main", "main", "")]


def no_develop(repo):
    repo.commit("All alone")
    repo.commit("Still alone")
    return [("no_develop", "develop", "")]


def neither(repo):
    repo.begin(main="trunk").git("branch", "--delete", "develop")
    return [("no_main", "main", ""), ("no_develop", "develop", "")]


FAULTY = [direct_commit, direct_commit_under_a_release, moved_hotfix, deleted_feature_on_main,
    feature_on_main_by_its_tip, develop_on_main, octopus_on_main, untagged_release,
    untagged_hotfix_before_any_release, untagged_release_before_develop_caught_up, tag_on_the_branch,
    release_not_merged_back, hotfix_not_merged_back, hotfix_copied, hotfix_from_develop, open_hotfix_from_develop,
    hotfix_from_develop_still_waiting, feature_from_main, merged_feature_from_main,
    feature_from_main_merged_and_going_on, misspelt, no_main, no_develop, neither]
REPAIRABLE = [untagged_release, hotfix_not_merged_back, misspelt, no_develop, feature_from_main]
REPAIRABLE += [open_hotfix_from_develop]
named = {"ids": lambda build: build.__name__}


def findings(path, *names):
    "Rule, branch and subject of the commit, as the check tells them."
    log = ask(path, "log", "--all", "--encoding=UTF-8", "--format=%H %s").splitlines()
    subjects, table = dict(line.split(" ", 1) for line in log), check_repository(path, *names)
    return [(row.rule, row.branch, subjects.get(row.commit, "")) for row in table.itertuples()]


@pytest.mark.parametrize("build", LAWFUL, **named)
def test_lawful_repositories_are_left_alone(build, tmp_path):
    build(repo := Shop(tmp_path / "repo"))
    table = check_repository(repo.path)
    assert table.empty and list(table) == ["rule", "branch", "commit", "detail", "way_out"], table["detail"].tolist()


def test_a_repository_without_commits_breaks_nothing(tmp_path):
    assert check_repository(Repository(tmp_path / "repo").path).empty


@pytest.mark.parametrize("build", FAULTY, **named)
def test_each_fault_is_found_and_nothing_else(build, tmp_path):
    repo = Shop(tmp_path / "repo")
    expected = build(repo)
    copy = Repository(tmp_path / "copy", "Iker", origin=repo)
    assert sorted(findings(copy.path)) == sorted(expected), "a clone knows the same"


def test_every_rule_has_a_repository_that_breaks_it_and_both_languages(monkeypatch, tmp_path):
    tested = Path(__file__).read_text(encoding="utf-8")
    assert all(f'("{rule}",' in tested for rule in TEXTS.index if rule != "shallow")
    words = dict.fromkeys(("branch", "subject", "main", "develop", "commit", "name"), "<pan>")
    for text in TEXTS.to_numpy().ravel():
        assert "{" not in text.format(**words) and text.strip() == text and not text.endswith(".")
    hotfix_not_merged_back(repo := Shop(tmp_path / "repo"))
    assert "la próxima versión" in check_repository(repo.path)["detail"].item()
    monkeypatch.setenv("MLWORKBOOK_LANG", "en")
    assert "the next version" in check_repository(repo.path)["detail"].item()


@pytest.mark.parametrize("build", REPAIRABLE, **named)
def test_the_way_out_leads_out(build, tmp_path):
    build(repo := Shop(tmp_path / "repo"))
    (way_out,) = check_repository(repo.path)["way_out"]
    way_out = way_out.replace("VERSION", "v9 -m 9").split("; si ")[0].rpartition(": ")[2]
    for command in way_out.split("; "):
        assert shlex.split(command)[0] == "git"
        repo.git(*shlex.split(command)[1:])
    assert check_repository(repo.path).empty


class TestWhereItLooks:
    def test_a_folder_inside_and_a_worktree_and_a_bare_one(self, tmp_path):
        repo = Shop(tmp_path / "repo")
        expected = direct_commit(repo)
        (repo.path / "deep" / "er").mkdir(parents=True)
        repo.git("worktree", "add", str(tmp_path / "tree"), "develop")
        bare = Repository(tmp_path / "bare", bare=True)
        repo.git("push", str(bare.path), "--all")
        repo.git("push", str(bare.path), "--tags")
        for place in (repo.path / "deep" / "er", repo.path / ".git", tmp_path / "tree", bare.path, str(repo.path)):
            assert findings(place) == expected

    def test_a_shallow_clone_is_not_judged(self, tmp_path):
        direct_commit(repo := Shop(tmp_path / "repo"))
        subprocess.run(["git", "clone", "-q", "--depth=2", f"file://{repo.path}", tmp_path / "cut"], check=True)
        table = check_repository(tmp_path / "cut")
        assert table["rule"].tolist() == ["shallow"] and "--unshallow" in table["way_out"].item()
        subprocess.run(shlex.split(table["way_out"].item()), cwd=tmp_path / "cut", check=True, capture_output=True)
        assert findings(tmp_path / "cut") == [("direct_commit", "main", "Oops")]

    def test_a_remote_that_is_ahead_counts(self, tmp_path):
        repo = Shop(tmp_path / "repo").released()
        copy = Repository(tmp_path / "copy", "Iker", origin=repo)
        copy.git("branch", "main", "origin/main")
        repo.git("switch", "main")
        repo.commit("Oops")
        assert check_repository(copy.path).empty
        copy.git("fetch", "origin")
        assert findings(copy.path) == [("direct_commit", "main", "Oops")]

    def test_other_names(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin(main="prod")
        repo.git("branch", "--move", "develop", "next")
        repo.cut("feature/a", "next").join("feature/a", "next").cut("topic-b", "next")
        assert findings(repo.path, ("prod",), "next") == [("unknown_branch", "topic-b", "Work 0 on topic-b")]
        assert [rule for rule, *_ in findings(repo.path)] == ["no_main", "no_develop"]

    @pytest.mark.parametrize(
        ("name", "said"), [("nowhere", "not a folder"), ("file", "not a folder"), ("", "not a git repository")]
    )
    def test_bad_places(self, tmp_path, name, said):
        (tmp_path / "file").write_text("")
        with pytest.raises((OSError, ValueError), match=said):
            check_repository(tmp_path / name)

    def test_a_damaged_repository(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        (repo.path / ".git" / "refs" / "heads" / "main").write_text("1" * 40 + "\n")
        with pytest.raises(ValueError, match="git log .* failed in .*repo.*bad object"):
            check_repository(repo.path)

    def test_no_git(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="git was not found; get it with conda"):
            check_repository(tmp_path)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
    def test_somebody_elses(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        for path in (repo.path, repo.path / ".git"):
            os.chown(path, 54_321, 54_321)
        with pytest.raises(ValueError, match="dubious ownership(.|\n)*safe.directory"):
            check_repository(repo.path)


def snapshot(folder):
    "Every file below a folder, with its bytes and its time."
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    "A caller whose configuration and environment would change everything, and what must not happen to it."
    home, hooks = tmp_path / "their home", tmp_path / "hooks"
    (home / ".config" / "git").mkdir(parents=True)
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-checkout", "reference-transaction", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path / 'hooked'))}\nexit 1\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        "[user]\n name = Mallory\n email = m@evil.example\n[commit]\n gpgsign = true\n[init]\n defaultBranch = trunk\n"
        f"[core]\n hooksPath = {hooks}\n autocrlf = true\n[merge]\n conflictStyle = diff3\n ff = only\n"
        "[log]\n showSignature = true\n[color]\n ui = always\n[i18n]\n logOutputEncoding = latin1\n"
        "[tag]\n gpgsign = true\n[alias]\n log = status\n"
    )
    (home / ".config" / "git" / "ignore").write_text("*.txt\n")
    (home / ".config" / "git" / "attributes").write_text("* binary\n")
    theirs = Repository(tmp_path / "their repo", "Mallory")
    theirs.commit("Mine", {"mine.txt": "mine"})
    settings = {"HOME": home, "XDG_CONFIG_HOME": home / ".config", "GIT_DIR": theirs.path / ".git"}
    settings |= {"GIT_WORK_TREE": theirs.path, "GIT_INDEX_FILE": theirs.path / ".git" / "index", "TZ": "Asia/Tokyo"}
    settings |= {
        "GIT_AUTHOR_NAME": "Mallory",
        "GIT_COMMITTER_DATE": "1 +0000",
        "LC_ALL": "es_ES.UTF-8",
        "LANG": "de_DE",
    }
    settings |= {"GIT_CONFIG_COUNT": 1, "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Mallory"}
    settings |= {"GIT_CONFIG_GLOBAL": home / ".gitconfig", "GIT_CONFIG_SYSTEM": home / ".gitconfig"}
    settings |= {"GIT_EDITOR": "false", "GIT_PAGER": "false", "GIT_DEFAULT_HASH": "sha256"}
    before = {place: snapshot(place) for place in (home, theirs.path)}
    with monkeypatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, str(value))
        yield tmp_path
    assert {place: snapshot(place) for place in before} == before, "something of the caller was touched"
    assert not (tmp_path / "hooked").exists(), "a hook of the caller ran"


class TestNobodyElsesBusiness:
    def story(self, path):
        repo = Shop(path, "Nora")
        repaired(repo)
        repo.git("tag", "--annotate", "v9", "--message=ñ")
        repo.cut("feature/ñandú").git("switch", "develop")
        repo.commit("Otra", {"a.txt": "uno\r\ndos\n", "Work 0": "x"})
        said = repo.git("merge", "--no-edit", "feature/ñandú")
        return repo.git("show-ref"), repo.git("log", "--all", "--format=fuller", "--date=local"), said

    def test_the_same_ids_anywhere(self, tmp_path, hostile):
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("GIT_")]:
                patch.delenv(name)
            patch.setenv("HOME", str(tmp_path / "other home"))
            patch.setenv("TZ", "America/Lima")
            one = self.story(tmp_path / "one")
        two = self.story(tmp_path / "a place" / "two")
        assert one == two and "Mallory" not in one[1] and "refs/heads/main" in one[0]

    def test_ids_are_those_of_always(self, tmp_path):
        repo = Repository(tmp_path / "repo", "Nora")
        assert repo.commit("Say hello", {"hello.txt": "hola\n"})[:10] == "0a44a99e4e"
        assert repo.git("log", "--format=%an <%ae> %ai") == "Nora <nora@panaderia.example> 2019-06-03 09:03:00 +0000"

    def test_the_check_listens_to_nobody_and_leaves_no_trace(self, tmp_path, hostile):
        repo = Shop(tmp_path / "repo")
        repo.released().git("switch", "main")
        repo.commit("Más ñ")
        before = snapshot(repo.path)
        assert findings(repo.path) == [("direct_commit", "main", "Más ñ")] and snapshot(repo.path) == before

    def test_nothing_in_the_repository_is_run(self, tmp_path):
        repo, trap = Shop(tmp_path / "repo").released(), tmp_path / "trap"
        trap.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path / 'sprung'))}\n")
        trap.chmod(0o755)
        for key in ("core.fsmonitor", "core.pager", "gpg.program", "core.sshCommand", "pager.log", "core.editor"):
            repo.git("config", key, str(trap))
        repo.git("config", "log.showSignature", "true")
        text = repo.git("cat-file", "commit", "develop")
        signed = text.replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n\n", 1)
        (tmp_path / "signed").write_text(signed)
        made = repo.git("hash-object", "-t", "commit", "-w", str(tmp_path / "signed"))
        repo.git("update-ref", "refs/heads/develop", made)
        assert check_repository(repo.path).empty and not (tmp_path / "sprung").exists()

    def test_names_and_subjects_of_strangers(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        tip = repo.git("rev-parse", "main")
        for name in ("-x", "it's", 'say"hi"', "$(touch${IFS}sprung)", "a,b;c", "emoji-🥖", "into", "x" * 200):
            repo.git("update-ref", f"refs/heads/{name}", tip)
        repo.git("switch", "main")
        repo.commit("\x1b[31mRed\x07 {main} % \u202eback")
        table = check_repository(repo.path)
        assert table["rule"].tolist() == ["direct_commit"] + ["unknown_branch"] * 8
        shown = "".join(table["detail"])
        assert shown.isprintable() and "\\x1b[31mRed\\x07 {main} % \\u202eback" in shown and "x" * 61 not in shown
        for row in table.iloc[1:].itertuples():
            words = shlex.split(row.way_out)
            assert words[:2] == ["git", "switch"] and words[2].rstrip(";") == row.branch
        assert not (repo.path / "sprung").exists() and not Path("sprung").exists()

    def test_a_message_that_imitates_a_merge(self, tmp_path):
        repo = Shop(tmp_path / "repo").released()
        repo.git("switch", "main")
        repo.commit("Merge branch 'release/9'")
        assert [row[0] for row in findings(repo.path)] == ["direct_commit"]

    def test_only_its_own_repositories_are_opened(self, tmp_path):
        mine = tmp_path / "mine"
        subprocess.run(["git", "init", "-q", mine], check=True)
        before = snapshot(mine)
        for place in (mine, tmp_path):
            with pytest.raises(ValueError, match="is no throwaway repository and stays as it is"):
                Repository(place)
        assert snapshot(mine) == before and not (tmp_path / ".git").exists()
        outer = Repository(tmp_path / "outer")
        inner = Repository(outer.path / "inner")
        shutil.rmtree(inner.path / ".git")
        with pytest.raises(ValueError, match="not a git repository"):
            inner.git("add", "--all")

    def test_copies_share_the_clock_and_failures_say_what_git_said(self, tmp_path):
        server = Repository(tmp_path / "server", bare=True)
        nora, iker = (Repository(tmp_path / who, who, origin=server) for who in ("Nora", "Iker"))
        moments = [int(who.git("show", "-s", "--format=%ct", who.commit("x"))) for who in (nora, iker, nora)]
        assert moments == sorted(set(moments))
        nora.git("push", "origin", "main")
        assert server.git("rev-parse", "main") == nora.git("rev-parse", "HEAD")
        with pytest.raises(ValueError, match=r"git switch 'no such' failed in .*invalid reference: no such"):
            nora.git("switch", "no such")
        assert "invalid reference" in nora.git("switch", "no such", check=False)


@pytest.mark.parametrize(
    ("subject", "branch", "rule"),
    [
        ("Merge branch 'feature/x'", "feature/x", "wrong_merge"),
        ("Merge branch 'feature/x' into 'main'", "feature/x", "wrong_merge"),
        ("Merge branch 'it's' of example.com:a b into main", "it's", "wrong_merge"),
        ("Merge remote-tracking branch 'origin/wip'", "wip", "wrong_merge"),
        ("Merge pull request #12 from shop/feature/x/y", "feature/x/y", "wrong_merge"),
        ("Merge pull request #1 in SHOP/repo from bugfix/x to main", "bugfix/x", "wrong_merge"),
        ("Merged in release-2 (pull request #3)", "release-2", "untagged"),
        ("Merge branch 'hotfix-2'", "hotfix-2", "untagged"),
        ("Merge branch 'support/1' into main", "support/1", "untagged"),
        ("Merge everything into one file", "main", "untagged"),
        ("Merge branch 'my-hotfix/2'", "my-hotfix/2", "wrong_merge"),
    ],
)
def test_what_a_subject_says(subject, branch, rule, tmp_path):
    repo = Shop(tmp_path / "repo").released()
    repo.cut("tmp", "main").join("tmp", "main", message=subject).join("main", "develop", keep=True)
    assert findings(repo.path) == [(rule, branch, subject)]


class Story:
    "A lawful history in memory, one random step after another, and ways to break it."

    def __init__(self):
        self.parents, self.subjects, self.tags = {}, {}, {}
        self.tips, self.number = {}, 0
        self.commit("main", "Import")
        self.tips["develop"] = self.tips["main"]

    def commit(self, branch, subject, *more):
        self.number += 1
        name = str(self.number)
        self.parents[name] = (*([self.tips[branch]] if branch in self.tips else []), *more)
        self.subjects[name] = subject
        self.tips[branch] = name
        return name

    def cut(self, branch, start, commits=1):
        self.tips[branch] = self.tips[start]
        for _ in range(commits):
            self.commit(branch, "Work")

    def join(self, branch, home, style="named"):
        said = {
            "named": f"Merge branch '{branch}' into {home}",
            "asked": f"Merge pull request #1 from shop/{branch}",
            "short": f"Merge branch '{branch}'",
        }[style]
        return self.commit(home, said, self.tips[branch])

    def write(self, folder):
        "The same as a real repository."
        lines = []
        for commit, parents in self.parents.items():
            who = f"N <n@x.example> {1_559_552_400 + 60 * int(commit)} +0000"
            lines += [f"commit refs/heads/scratch\nmark :{commit}\nauthor {who}\ncommitter {who}"]
            lines += [f"data {len(self.subjects[commit])}\n{self.subjects[commit]}"]
            lines += [f"{word} :{one}" for word, one in zip(("from", "merge"), parents, strict=False)] + [""]
        refs = {f"heads/{name}": tip for name, tip in self.tips.items()} | self.tags | {"heads/scratch": None}
        lines += [f"reset refs/{name}\nfrom {f':{tip}' if tip else '0' * 40}\n" for name, tip in refs.items()]
        subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
        subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input="\n".join(lines).encode(), check=True)
        return [(row.rule, row.branch) for row in check_repository(folder).itertuples()]

    def line(self, tip):
        while tip:
            yield tip
            tip = next(iter(self.parents[tip]), None)

    def on_main(self, commit):
        found, todo = set(), [self.tips["main"]]
        while todo:
            found.add(one := todo.pop())
            todo += [parent for parent in self.parents[one] if parent not in found]
        return commit in found

    def feature(self, draw):
        name = f"feature/{self.number}"
        self.cut(name, "develop", draw(st.integers(1, 3)))
        if draw(st.booleans()):
            self.step_aside(draw)
        how = draw(st.sampled_from(["merge", "open", "forward"]))
        if how == "merge":
            self.join(name, "develop", draw(st.sampled_from(["named", "asked", "short"])))
        if how == "forward" and self.tips["develop"] in self.line(self.tips[name]):
            self.tips["develop"] = self.tips[name]
        if how != "open" and draw(st.booleans()):
            del self.tips[name]

    def step_aside(self, draw):
        "Develop goes on while a branch is open."
        for _ in range(draw(st.integers(1, 2))):
            self.commit("develop", "Small step")

    def version(self, draw, kind="release", start="develop", tag=True, back=True, ways=("branch", "main", "forward")):
        name, style = f"{kind}/{self.number}", draw(st.sampled_from(["named", "asked", "short"]))
        self.cut(name, start, draw(st.integers(1, 2)))
        if draw(st.booleans()):
            self.step_aside(draw)
        merge = self.join(name, "main", style)
        if tag:
            self.tags[f"tags/v{self.number}"] = merge
        if back:
            how = draw(st.sampled_from(ways))
            if how == "forward" and self.on_main(self.tips["develop"]):
                self.tips["develop"] = self.tips["main"]
            else:
                self.join(name if how == "branch" else "main", "develop", "named")
        if draw(st.booleans()):
            del self.tips[name]
        return name

    def hotfix(self, draw, **options):
        return self.version(draw, "hotfix", "main", **options)


def lawful_story(draw):
    story = Story()
    for _ in range(draw(st.integers(0, 8))):
        draw(st.sampled_from([story.feature, story.version, story.hotfix]))(draw)
    return story


quick = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@quick
@given(st.data())
def test_random_lawful_histories_are_left_alone(data):
    with tempfile.TemporaryDirectory() as folder:
        assert lawful_story(data.draw).write(folder) == []


FAULTS = ["direct", "untagged", "not back", "hotfix not back", "feature", "develop", "from develop"]
FAULTS += ["from main", "name"]


@quick
@given(st.data(), st.sampled_from(FAULTS))
def test_one_broken_rule_is_found_and_nothing_else(data, fault):
    draw = data.draw
    story = lawful_story(draw)
    story.feature(draw)
    story.version(draw)
    story.step_aside(draw)
    if fault == "direct":
        story.commit("main", "Oops")
        expected = ("direct_commit", "main")
    elif fault == "untagged":
        expected = ("untagged", story.version(draw, tag=False))
    elif fault == "not back":
        expected = ("not_merged_back", story.version(draw, back=False))
    elif fault == "hotfix not back":
        expected = ("not_merged_back", story.hotfix(draw, back=False))
    elif fault == "feature":
        story.cut("feature/x", "develop", draw(st.integers(1, 3)))
        story.join("feature/x", "main", draw(st.sampled_from(["named", "asked"])))
        expected = ("wrong_merge", "feature/x")
    elif fault == "from main":
        story.version(draw, ways=("branch",))  # main itself is not in develop
        story.cut("feature/x", "main", draw(st.integers(1, 3)))
        if draw(st.booleans()):
            story.join("feature/x", "develop", draw(st.sampled_from(["named", "asked", "short"])))
        expected = ("cut_from_main", "feature/x")
    elif fault == "name":
        story.cut("faeture/x", draw(st.sampled_from(["main", "develop"])), draw(st.integers(0, 2)))
        expected = ("unknown_branch", "faeture/x")
    elif fault == "develop":
        story.join("develop", "main")
        expected = ("wrong_merge", "develop")
    else:
        # had develop only moved its name to main, nothing would tell its old commits from the hotfix's
        expected = ("cut_from_develop", story.version(draw, "hotfix", "develop", ways=("branch", "main")))
    with tempfile.TemporaryDirectory() as folder:
        assert story.write(folder) == [expected]


def test_thousands_of_commits(tmp_path):
    "Features merged into develop, a release after each 250, one of them untagged."
    story = Story()
    for number in range(1, 4001):
        story.cut(f"feature/{number}", "develop")
        story.join(f"feature/{number}", "develop")
        del story.tips[f"feature/{number}"]
        if number % 250 == 0:
            story.cut(f"release/{number}", "develop")
            for home in ("develop", "main"):
                merge = story.join(f"release/{number}", home)
            story.tags |= {f"tags/v{number}": merge} if number != 2000 else {}
            del story.tips[f"release/{number}"]
    began = time.monotonic()
    assert story.write(tmp_path) == [("untagged", "release/2000")] and time.monotonic() - began < 10
