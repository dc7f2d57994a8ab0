"Gitflow from the graph: hand-made repositories, random ones, hostile ones, and nothing of the caller's touched."

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlworkbook.ops.language import say
from mlworkbook.project.gitflow import (
    RULES,
    Graph,
    Names,
    Repository,
    broken_rules,
    check_repository,
    conflicts,
    find_git,
    lanes,
    merged_into,
    merged_names,
    plot_graph,
    read_graph,
    suggestion,
    surroundings,
    visible,
)


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
        self.clock = Repository(self.path).clock
        return self


@cache
def template():
    "The repository from which many tests start, made once."
    room = tempfile.TemporaryDirectory()
    repo = Shop(room.name).begin().cut("feature/first").join("feature/first", "develop")
    repo.publish("release/1.0", "develop").cut("feature/later").join("feature/later", "develop")
    return room


def empty(repo):
    pass


def begun(repo):
    repo.begin()


def imported(repo):
    repo.begin(commits=4)


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


def released(repo):
    repo.released()


def released_twice(repo):
    repo.released().publish("release/2.0", "develop")


def caught_up(repo):
    "Develop had nothing new after the release: git merge main only moved its name."
    repo.begin().cut("feature/a").join("feature/a", "develop").publish("release/1.0", "develop", homes=("main",))
    repo.join("main", "develop", ff=True, keep=True)
    repo.cut("feature/b").join("feature/b", "develop").publish("release/1.1", "develop")


def repaired(repo):
    repo.released().publish("hotfix/1.0.1", "main")


def repaired_through_main(repo):
    repo.released().publish("hotfix/1.0.1", "main", homes=("main",)).join("main", "develop", keep=True)


def repaired_before_any_release(repo):
    repo.begin().publish("hotfix/0.0.1", "main", homes=("main",)).join("main", "develop", ff=True, keep=True)


def repaired_by_moving_develop(repo):
    "Develop only moved to the hotfix, which then went to main with a commit."
    repo.begin().publish("release/1.0", "develop", homes=("main",)).join("main", "develop", ff=True, keep=True)
    repo.cut("hotfix/1.0.1", "main").join("hotfix/1.0.1", "develop", ff=True, keep=True)
    repo.join("hotfix/1.0.1", "main").git("tag", "v1.0.1", "main")


def repaired_during_release(repo):
    "Driessen's exception: the repair goes to the release that is open, and reaches develop with it."
    repo.released().cut("release/2.0").publish("hotfix/1.0.1", "main", homes=("main", "release/2.0"))


def octopus(repo):
    repo.begin().cut("feature/a").cut("feature/b").cut("feature/c").git("switch", "develop")
    repo.git("merge", "--no-ff", "--message=Merge branches 'feature/a', 'feature/b' and 'feature/c' into develop",
             "feature/a", "feature/b", "feature/c")  # fmt: skip


def octopus_of_repairs(repo):
    repo.released().cut("hotfix/a", "main").cut("hotfix/b", "main")
    for home in ("main", "develop"):
        repo.git("switch", home)
        repo.git("merge", "--no-ff", "--message=Merge branches 'hotfix/a' and 'hotfix/b'", "hotfix/a", "hotfix/b")
    repo.git("tag", "v1.0.1", "main")


def moved_main(repo):
    "The first release only moved the name of main."
    repo.begin().cut("feature/a").join("feature/a", "develop").join("develop", "main", ff=True, keep=True)
    repo.cut("feature/b").join("feature/b", "develop").publish("release/2.0", "develop")


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


def unnamed(repo):
    "Nothing tells where the merge came from; it has its tag and is in develop."
    repo.begin().cut("tmp").join("tmp", "main", "develop", message="Version 1").git("tag", "v1", "main")


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


def moved_main_after_a_release(repo):
    "Main only moved its name to develop, and inherited develop's merges."
    repo.released().join("main", "develop", keep=True).join("develop", "main", ff=True, keep=True)


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


LAWFUL = [empty, begun, imported, adopted_late, features, released, released_twice, caught_up, repaired]
LAWFUL += [repaired_through_main, repaired_before_any_release, repaired_by_moving_develop, repaired_during_release]
LAWFUL += [
    octopus,
    octopus_of_repairs,
    moved_main,
    detached,
    old_name,
    pull_requests,
    unnamed,
    unnamed_from_develop,
    pages,
    long_support,
]
LAWFUL += [just_cut, two_names_at_one_tip, two_roots, moved_main_after_a_release, repaired_from_released_develop]


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


def squash_on_main(repo):
    repo.released().cut("hotfix/1.0.1", "main").git("switch", "main")
    repo.git("merge", "--squash", "hotfix/1.0.1")
    repo.commit("Repair (#9)")
    repo.join("hotfix/1.0.1", "develop").git("tag", "v1.0.1", "main")
    return [("direct_commit", "main", "Repair (#9)")]


def moved_hotfix(repo):
    repo.released().cut("hotfix/1.0.1", "main").join("hotfix/1.0.1", "main", ff=True, keep=True)
    repo.join("hotfix/1.0.1", "develop").git("tag", "v1.0.1", "main")
    return [("direct_commit", "main", "Work 0 on hotfix/1.0.1")]


def pull_on_main(repo):
    "Two people committed on main; git pull joined them."
    repo.released().git("switch", "--create", "theirs", "main")
    repo.commit("Theirs", {"t": "t"})
    repo.git("switch", "main")
    repo.commit("Ours", {"o": "o"})
    repo.join("theirs", "main", message="Merge branch 'main' of example.com:shop")
    return [("direct_commit", "main", "Theirs"), ("direct_commit", "main", "Ours")]


def feature_on_main(repo):
    repo.released().cut("feature/x").join("feature/x", "develop", "main", keep=True)
    return [("wrong_merge", "feature/x", "Merge branch 'feature/x' into main")]


def deleted_feature_on_main(repo):
    repo.released().cut("feature/x").join("feature/x", "main", message="Merge pull request #4 from nora/feature/x")
    return [("wrong_merge", "feature/x", "Merge pull request #4 from nora/feature/x")]


def feature_on_main_by_its_tip(repo):
    repo.released().cut("feature/x").join("feature/x", "main", keep=True, message="Ship it")
    return [("wrong_merge", "feature/x", "Ship it")]


def develop_on_main(repo):
    repo.released().join("develop", "main", keep=True)
    return [("wrong_merge", "develop", "Merge branch 'develop' into main")]


def nameless_branch_on_main(repo):
    repo.released().cut("wip", "main").join("wip", "main")
    return [("wrong_merge", "wip", "Merge branch 'wip' into main")]


def octopus_on_main(repo):
    repo.released().cut("hotfix/1.0.1", "main").cut("feature/x")
    repo.join("hotfix/1.0.1", "develop", keep=True).git("switch", "main")
    repo.git("merge", "--no-ff", "--message=Merge branches 'hotfix/1.0.1' and 'feature/x'", "hotfix/1.0.1", "feature/x")
    repo.git("tag", "v1.0.1")
    return [("wrong_merge", "feature/x", "Merge branches 'hotfix/1.0.1' and 'feature/x'")]


def octopus_that_moves_main(repo):
    "Without --no-ff, an octopus starts by moving main to its first branch."
    repo.released().cut("hotfix/a", "main").cut("hotfix/b", "main").git("switch", "main")
    repo.git("merge", "--message=Merge branches 'hotfix/a' and 'hotfix/b'", "hotfix/a", "hotfix/b")
    repo.git("tag", "v1.0.1", "main")
    repo.join("main", "develop", keep=True)
    return [("direct_commit", "main", "Work 0 on hotfix/a")]


def untagged_release(repo):
    repo.released().publish("release/2.0", "develop", tag=False)
    return [("untagged", "release/2.0", "Merge branch 'release/2.0' into main")]


def untagged_hotfix_before_any_release(repo):
    repo.begin().publish("hotfix/0.1", "main", tag=False)
    return [("untagged", "hotfix/0.1", "Merge branch 'hotfix/0.1' into main")]


def untagged_hotfix_before_develop_caught_up(repo):
    repo.begin().publish("hotfix/0.1", "main", tag=False, homes=("main",)).join("main", "develop", ff=True, keep=True)
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


def kept_release_not_merged_back(repo):
    repo.released().cut("release/2.0").join("release/2.0", "main", keep=True).git("tag", "v2.0")
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


def feature_from_main(repo):
    repo.released().cut("feature/x", "main")
    return [("cut_from_main", "feature/x", "Merge branch 'release/1.0' into main")]


def merged_feature_from_main(repo):
    repo.released().cut("feature/x", "main").join("feature/x", "develop")
    return [("cut_from_main", "feature/x", "Merge branch 'release/1.0' into main")]


def feature_from_main_to_main(repo):
    "One fault is told, not both: where it was cut from no longer matters."
    repo.released().cut("feature/x", "main").join("feature/x", "main", keep=True)
    return [("wrong_merge", "feature/x", "Merge branch 'feature/x' into main")]


def hotfix_from_develop_still_waiting(repo):
    repo.released().cut("hotfix/1.0.1").join("hotfix/1.0.1", "develop", keep=True)
    return [("cut_from_develop", "hotfix/1.0.1", "Merge branch 'feature/later' into develop")]


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


FAULTY = [direct_commit, direct_commit_under_a_release, squash_on_main, moved_hotfix, pull_on_main, feature_on_main]
FAULTY += [deleted_feature_on_main, feature_on_main_by_its_tip, develop_on_main, nameless_branch_on_main]
FAULTY += [
    octopus_on_main,
    octopus_that_moves_main,
    untagged_release,
    untagged_hotfix_before_any_release,
    tag_on_the_branch,
]
FAULTY += [release_not_merged_back, hotfix_not_merged_back, hotfix_copied, hotfix_from_develop]
FAULTY += [open_hotfix_from_develop, feature_from_main, merged_feature_from_main, misspelt, no_main, no_develop]
FAULTY += [neither, untagged_hotfix_before_develop_caught_up, untagged_release_before_develop_caught_up]
FAULTY += [
    feature_from_main_merged_and_going_on,
    kept_release_not_merged_back,
    feature_from_main_to_main,
    hotfix_from_develop_still_waiting,
]
named = {"ids": lambda build: build.__name__}


def findings(path, **options):
    "Rule, branch and subject of the commit, as the check tells them."
    subjects = read_graph(path).subjects | {"": ""}
    table = check_repository(path, **options)
    return [(row.rule, row.branch, subjects[row.commit]) for row in table.itertuples()]


@pytest.mark.parametrize("build", LAWFUL, **named)
def test_lawful_repositories_are_left_alone(build, tmp_path):
    repo = Shop(tmp_path / "repo")
    build(repo)
    table = check_repository(repo.path)
    assert table.empty and list(table) == ["rule", "branch", "commit", "detail", "way_out"], table["detail"].tolist()


@pytest.mark.parametrize("build", FAULTY, **named)
def test_each_fault_is_found_and_nothing_else(build, tmp_path):
    repo = Shop(tmp_path / "repo")
    expected = build(repo)
    assert sorted(findings(repo.clone(tmp_path / "copy", "Iker").path)) == sorted(expected), "a clone knows the same"


def test_every_rule_has_a_repository_that_breaks_it():
    tested = Path(__file__).read_text(encoding="utf-8")
    assert all(f'("{rule}",' in tested for rule in RULES if rule != "shallow")


REPAIRABLE = [
    untagged_release,
    hotfix_not_merged_back,
    misspelt,
    no_develop,
    feature_from_main,
    open_hotfix_from_develop,
]


@pytest.mark.parametrize("build", REPAIRABLE, **named)
def test_the_way_out_leads_out(build, tmp_path):
    repo = Shop(tmp_path / "repo")
    build(repo)
    (way_out,) = check_repository(repo.path)["way_out"]
    way_out = way_out.replace("VERSION", "v9 -m 9").split("; si ")[0].rpartition(": ")[2]
    for command in way_out.split("; "):
        assert shlex.split(command)[0] == "git"
        repo.git(*shlex.split(command)[1:])
    assert check_repository(repo.path).empty


def test_a_forbidden_merge_is_undone_as_told(tmp_path):
    repo = Shop(tmp_path / "repo")
    feature_on_main(repo)
    way_out = check_repository(repo.path)["way_out"].item()
    for command in way_out.split("si no: ")[1].split(", ")[0].split("; "):
        repo.git(*shlex.split(command)[1:])
    assert "feature-x" not in repo.git("ls-tree", "--name-only", "main").split()


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
        repo = Shop(tmp_path / "repo")
        direct_commit(repo)
        subprocess.run(
            ["git", "clone", "-q", "--depth=2", f"file://{repo.path}", tmp_path / "cut"],
            check=True,
            capture_output=True,
        )
        table = check_repository(tmp_path / "cut")
        assert table["rule"].tolist() == ["shallow"] and "--unshallow" in table["way_out"].item()
        subprocess.run(shlex.split(table["way_out"].item()), cwd=tmp_path / "cut", check=True, capture_output=True)
        assert findings(tmp_path / "cut") == [("direct_commit", "main", "Oops")]

    def test_a_remote_that_is_ahead_counts(self, tmp_path):
        repo = Shop(tmp_path / "repo").released()
        copy = repo.clone(tmp_path / "copy", "Iker")
        copy.git("branch", "main", "origin/main")
        repo.git("switch", "main")
        repo.commit("Oops")
        assert check_repository(copy.path).empty
        copy.git("fetch", "origin")
        assert findings(copy.path) == [("direct_commit", "main", "Oops")]
        late = copy.clone(tmp_path / "late", "Sami")
        late.git("remote", "rename", "origin", "upstream")
        assert not {"HEAD", "upstream/main"} & set(read_graph(late.path).branches)

    def test_other_names(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin(main="prod")
        repo.git("branch", "--move", "develop", "next")
        repo.cut("topic-a", "next").join("topic-a", "next").cut("topic-b", "next")
        names = Names(main=("prod",), develop=("next",), feature=("topic-",))
        assert check_repository(repo.path, names).empty and len(check_repository(repo.path)) == 2
        assert findings(repo.path, names=Names(main=("prod",), develop=("next",))) == [
            ("unknown_branch", "topic-b", "Work 0 on topic-b")
        ]
        with pytest.raises(ValueError, match=r"main is 'prod', expected a tuple of names, such as \('prod',\)"):
            Names(main="prod")

    def test_bad_places(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere does not exist, expected the folder of a repository"):
            check_repository(tmp_path / "nowhere")
        (tmp_path / "file").write_text("")
        with pytest.raises(NotADirectoryError, match="file is a file, expected the folder"):
            check_repository(tmp_path / "file")
        with pytest.raises(ValueError, match="is not in a git repository; name the folder of one"):
            check_repository(tmp_path)

    def test_children_come_first_whatever_the_clock_says(self, tmp_path):
        repo = Repository(tmp_path / "repo")
        for moment in (2_000_000_000, 1_000_000_000, 1_500_000_000):
            repo.clock = count(moment, 0)
            repo.commit("x")
        repo.git("branch", "side", "main~2")
        parents = read_graph(repo.path).parents
        assert all(
            list(parents).index(parent) > list(parents).index(child) for child in parents for parent in parents[child]
        )

    def test_commits_are_read_by_date_not_by_branch(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        repo.git("branch", "feature/a")
        for number in range(4):
            repo.git("switch", "develop" if number % 2 else "feature/a")
            repo.commit(str(number))
        assert list(read_graph(repo.path).subjects.values()) == ["3", "2", "1", "0", "Import 0"]

    def test_a_damaged_repository(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        (repo.path / ".git" / "refs" / "heads" / "main").write_text("1" * 40 + "\n")
        with pytest.raises(ValueError, match="git log failed in .*repo: "):
            check_repository(repo.path)

    def test_thousands_of_commits(self, tmp_path):
        "10 000 commits: features merged into develop, a release after each 500, one of them untagged."
        repo, stream, mark = Repository(tmp_path / "repo"), [], 0

        def commit(branch, subject, *parents):
            nonlocal mark
            mark += 1
            who = f"N <n@x.example> {1_559_552_400 + mark} +0000"
            lines = [f"commit refs/heads/{branch}", f"mark :{mark}", f"author {who}", f"committer {who}"]
            lines += [f"data {len(subject)}", subject]
            lines += [f"{word} :{parent}" for word, parent in zip(("from", "merge"), parents, strict=False)]
            stream.append("\n".join(lines))
            return mark

        main = develop = commit("main", "Import")
        for number in range(4, 10_000, 2):
            work = commit("scratch", "Work", develop)
            develop = commit("develop", f"Merge branch 'feature/{number}' into develop", develop, work)
            if number % 500 == 0:
                main = commit("main", f"Merge branch 'release/{number}'", main, develop)
                stream += [f"reset refs/tags/v{number}\nfrom :{main}"] if number != 5000 else []
        stream.append("reset refs/heads/scratch\nfrom 0000000000000000000000000000000000000000")
        command = ["git", "fast-import", "--quiet"]
        subprocess.run(command, cwd=repo.path, input="\n\n".join([*stream, ""]).encode(), check=True)
        began = time.monotonic()
        assert findings(repo.path) == [("untagged", "release/5000", "Merge branch 'release/5000'")]
        assert time.monotonic() - began < 5 and len(read_graph(repo.path).parents) > 9_900


def snapshot(folder):
    "Every file below a folder, with its bytes and its time."
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def contents(folder):
    "The same without the times: git renews that of an object which it would have written again."
    return {path: bytes for path, (bytes, _) in snapshot(folder).items()}


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
    settings |= {"GIT_EDITOR": "false", "GIT_PAGER": "false", "EDITOR": "false", "GIT_DEFAULT_HASH": "sha256"}
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
        return (
            repo.git("show-ref"),
            repo.git("log", "--all", "--format=fuller", "--date=local"),
            repo.git("ls-files"),
            said,
        )

    def test_the_same_ids_anywhere(self, tmp_path, hostile):
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("GIT_")]:
                patch.delenv(name)
            patch.setenv("HOME", str(tmp_path / "other home"))
            patch.setenv("TZ", "America/Lima")
            patch.setenv("LC_ALL", "C")
            one = self.story(tmp_path / "one")
        two = self.story(tmp_path / "a place" / "two")
        assert one == two and "Mallory" not in one[1] and "refs/heads/main" in one[0]

    def test_what_git_is_told(self, hostile):
        told = surroundings(MORE="more")
        kept = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_TERMINAL_PROMPT", "GIT_PAGER", "GIT_EDITOR"}
        assert {name for name in told if name.startswith("GIT_")} == kept | {"GIT_OPTIONAL_LOCKS", "GIT_NO_LAZY_FETCH"}
        assert (told["LC_ALL"], told["TZ"], told["MORE"], told["PATH"]) == ("C", "UTC", "more", os.environ["PATH"])

    def test_ids_are_those_of_always(self, tmp_path):
        repo = Repository(tmp_path / "repo", "Nora")
        assert repo.commit("Say hello", {"hello.txt": "hola\n"})[:10] == "fa007a0d93"
        assert repo.git("log", "--format=%an <%ae> %aI %ci") == (
            "Nora <nora@panaderia.example> 2019-06-03T09:05:00+00:00 2019-06-03 09:05:00 +0000"
        )

    def test_the_check_listens_to_nobody_and_leaves_no_trace(self, tmp_path, hostile):
        repo = Shop(tmp_path / "repo")
        repo.released().git("switch", "main")
        repo.commit("Más ñ")
        expected = [("direct_commit", "main", "Más ñ")]
        before = snapshot(repo.path)
        assert findings(repo.path) == expected and snapshot(repo.path) == before
        before = contents(repo.path)
        assert conflicts(repo.path, "main", "develop") == [] and contents(repo.path) == before

    def test_nothing_in_the_repository_is_run(self, tmp_path):
        repo = Shop(tmp_path / "repo")
        repo.released()
        trap = tmp_path / "trap"
        trap.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path / 'sprung'))}\n")
        trap.chmod(0o755)
        for key in ("core.fsmonitor", "core.pager", "gpg.program", "core.sshCommand", "pager.log", "core.editor"):
            repo.git("config", key, str(trap))
        repo.git("config", "log.showSignature", "true")
        signed = repo.git("cat-file", "commit", "develop").replace(
            "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n\n", 1
        )
        (tmp_path / "signed").write_text(signed)
        made = repo.git("hash-object", "-t", "commit", "-w", str(tmp_path / "signed"))
        repo.git("update-ref", "refs/heads/develop", made)
        assert check_repository(repo.path).empty and not (tmp_path / "sprung").exists()


class TestStrangers:
    def test_names_and_subjects_of_strangers(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        tip = repo.git("rev-parse", "main")
        for name in ("-x", "it's", 'say"hi"', "$(touch${IFS}sprung)", "a;b", "emoji-🥖", "into", "x" * 200):
            repo.git("update-ref", f"refs/heads/{name}", tip)
        repo.git("switch", "main")
        repo.commit("\x1b[31mRed\x07 {main} % \u202eback")
        table = check_repository(repo.path)
        assert table["rule"].tolist() == ["direct_commit"] + ["unknown_branch"] * 8
        shown = "".join(table["detail"])
        assert shown.isprintable() and "\\x1b[31mRed\\x07 {main} % \\u202eback" in shown
        for row in table.iloc[1:].itertuples():
            words = shlex.split(row.way_out)
            assert words[:2] == ["git", "switch"] and words[2].rstrip(";") == row.branch.replace(";", ";").rstrip(";")
        assert not (repo.path / "sprung").exists() and not Path("sprung").exists()

    @pytest.mark.skipif(sys.platform == "darwin", reason="file names are UTF-8 there")
    def test_a_name_that_is_no_text(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        subprocess.run([b"git", b"update-ref", b"refs/heads/\xff\xfe", b"main"], cwd=repo.path, check=True)
        assert findings(repo.path) == [("unknown_branch", r"\xff\xfe", "Import 0")]

    def test_files_of_strangers(self, tmp_path):
        repo, names = Shop(tmp_path / "repo").begin(), ["-rf", "two\nlines", 'a "b"', "ñ 🥖.py", "a\tb"]
        for branch in ("feature/a", "feature/b"):
            repo.git("switch", "--create", branch, "develop")
            repo.commit("Clash", {name: branch for name in names})
        assert sorted(conflicts(repo.path, "feature/a", "feature/b")) == sorted(names)

    def test_a_message_that_imitates_a_merge(self, tmp_path):
        repo = Shop(tmp_path / "repo").released()
        repo.git("switch", "main")
        repo.commit("Merge branch 'release/9'")
        assert [row[0] for row in findings(repo.path)] == ["direct_commit"]

    def test_visible(self):
        assert visible("pan de ñ") == "pan de ñ" and visible("a\nb\x1b") == r"a\nb\x1b"

    assert visible("x" * 61) == "x" * 59 + "…" and visible("x" * 60) == "x" * 60


@pytest.mark.parametrize(
    ("subject", "names", "into"),
    [
        ("Merge branch 'feature/x'", ["feature/x"], ""),
        ("Merge branch 'feature/x' into develop", ["feature/x"], "develop"),
        ("Merge branch 'feature/x' into 'develop'", ["feature/x"], "develop"),
        ("Merge branch 'main' of https://example.com/into/of.git", ["main"], ""),
        ("Merge branch 'main' of example.com:a b into develop", ["main"], "develop"),
        ("Merge branches 'a', 'b/c' and 'd' into develop", ["a", "b/c", "d"], "develop"),
        ("Merge branches 'a' and 'b'", ["a", "b"], ""),
        ("Merge remote-tracking branch 'origin/hotfix/1'", ["hotfix/1"], ""),
        ("Merge pull request #12 from shop/release/1.0", ["release/1.0"], ""),
        ("Merge pull request #1 in SHOP/repo from feature/x to main", ["feature/x"], ""),
        ("Merged in feature/x (pull request #3)", ["feature/x"], ""),
        ("Merge branch 'it's'", ["it's"], ""),
        ("Merge tag 'v1.0' into develop", [], "develop"),
        ("Merge commit 'abc'", [], ""),
        ("Merge everything into one file", [], "one file"),
        ("Version 1", [], ""),
        ("", [], ""),
    ],
)
def test_what_a_subject_says(subject, names, into):
    assert merged_names(subject) == names and merged_into(subject) == into


@pytest.mark.parametrize(
    ("branch", "better"),
    [
        ("faeture/x", "feature/x"),
        ("Features/x/y", "feature/x/y"),
        ("relase/1.0", "release/1.0"),
        ("hot-fix/1", "hotfix/1"),
        ("nora", "feature/nora"),
        ("zzz/x", "feature/zzz/x"),
    ],
)
def test_suggestions(branch, better):
    assert suggestion(branch, Names()) == better and Names().kind(better)


@pytest.mark.parametrize(
    ("branch", "kind"),
    [("main", "main"), ("master", "main"), ("mainly", ""), ("develop", "develop"), ("feature/", "feature"), ("x", "")]
    + [("release-1", "release"), ("hotfix/1", "hotfix"), ("support/1", "other"), ("Feature/x", ""), ("", "")],
)
def test_kinds(branch, kind):
    assert Names().kind(branch) == kind


class TestLanguages:
    def test_both_say_the_same(self, tmp_path, monkeypatch):
        repo = Shop(tmp_path / "repo")
        expected = hotfix_not_merged_back(repo)
        spanish = check_repository(repo.path)
        monkeypatch.setenv("MLWORKBOOK_LANG", "en")
        english = check_repository(repo.path)
        assert findings(repo.path) == expected and spanish["rule"].equals(english["rule"])
        assert "la próxima versión" in spanish["detail"].item() and "the next version" in english["detail"].item()

    @pytest.mark.parametrize("rule", RULES)
    def test_every_text_can_be_filled(self, rule):
        words = dict.fromkeys(("branch", "subject", "main", "develop", "commit", "name"), "<pan>")
        for text in RULES[rule].detail + RULES[rule].way_out:
            assert "{" not in text.format(**words) and text.strip() == text and not text.endswith(".")
        assert RULES[rule].detail[0] != RULES[rule].detail[1] and say("a", "b") == "a"


class TestGit:
    def fake(self, tmp_path, monkeypatch, script):
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / "git").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def test_missing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(
            OSError, match="git was not found or does not answer, expected 2.28 or newer; get it with conda"
        ):
            check_repository(tmp_path)

    def test_mute(self, tmp_path, monkeypatch):
        self.fake(tmp_path, monkeypatch, "echo 'xcrun: error: invalid active developer path' >&2; exit 1")
        with pytest.raises(OSError, match="does not answer"):
            find_git()

    def test_too_old(self, tmp_path, monkeypatch):
        self.fake(tmp_path, monkeypatch, "echo git version 2.20.1")
        with pytest.raises(OSError, match="git 2.20.1 was found, expected 2.28 or newer"):
            check_repository(tmp_path)
        with pytest.raises(OSError, match="expected 2.32 or newer"):
            Repository(tmp_path / "repo")
        with pytest.raises(OSError, match="expected 2.38 or newer"):
            conflicts(tmp_path, "a", "b")

    def test_new_enough_on_a_mac(self, tmp_path, monkeypatch):
        self.fake(tmp_path, monkeypatch, "echo 'git version 2.39.5 (Apple Git-154)'")
        assert find_git((2, 38)) == str(tmp_path / "bin" / "git")

    def test_somebody_elses_repository(self, tmp_path, monkeypatch):
        place = tmp_path / "a place"
        place.mkdir()
        said = "fatal: detected dubious ownership in repository at x"
        self.fake(
            tmp_path,
            monkeypatch,
            f'[ "$1" = --version ] && echo git version 2.40.0 && exit\necho "{said}" >&2; exit 128',
        )
        with pytest.raises(ValueError, match="belongs to another user .* safe.directory '.*/a place'"):
            check_repository(place)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
    def test_really_somebody_elses(self, tmp_path):
        repo = Shop(tmp_path / "repo").begin()
        for path in (repo.path, repo.path / ".git"):
            os.chown(path, 54_321, 54_321)
        with pytest.raises(ValueError, match="belongs to another user"):
            check_repository(repo.path)


class TestRepository:
    def test_only_its_own(self, tmp_path):
        mine = tmp_path / "mine"
        subprocess.run(["git", "init", "-q", mine], check=True)
        before = snapshot(mine)
        with pytest.raises(
            ValueError, match="mine is no throwaway repository and stays as it is; choose an empty folder"
        ):
            Repository(mine)
        (tmp_path / "file").write_text("")
        for place in (tmp_path, tmp_path / "file"):
            with pytest.raises(ValueError, match="stays as it is"):
                Repository(place)
        assert snapshot(mine) == before and not (tmp_path / ".git").exists()

    def test_git_never_climbs_to_an_outer_repository(self, tmp_path):
        outer = Repository(tmp_path / "outer")
        outer.commit("Outer", {"a": "a"})
        before = snapshot(outer.path / ".git")
        inner = Repository(outer.path / "inner")
        shutil.rmtree(inner.path / ".git")
        (inner.path / "b").write_text("b")
        with pytest.raises(RuntimeError, match="not a git repository"):
            inner.git("add", "--all")
        assert snapshot(outer.path / ".git") == before

    def test_opened_again_its_clock_goes_on(self, tmp_path):
        repo = Repository(tmp_path / "repo")
        repo.commit("One")
        Repository(tmp_path / "repo", "Iker").commit("Two")
        times = Repository(tmp_path / "repo").git("log", "--reverse", "--format=%ct").split()
        assert len(times) == 2 and int(times[0]) < int(times[1])
        assert repo.git("log", "--reverse", "--format=%an").split() == ["Tomás", "Iker"]

    def test_clones_share_the_clock(self, tmp_path):
        server = Repository(tmp_path / "server", bare=True)
        nora, iker = (server.clone(tmp_path / who, who) for who in ("Nora", "Iker"))
        moments = [int(who.git("show", "-s", "--format=%ct", who.commit("x"))) for who in (nora, iker, nora)]
        assert moments == sorted(set(moments))
        nora.git("push", "origin", "main")
        assert server.git("rev-parse", "main") == nora.git("rev-parse", "HEAD")

    def test_failures_say_what_git_said(self, tmp_path):
        repo = Repository(tmp_path / "repo")
        with pytest.raises(
            RuntimeError, match=r"git switch 'no such' ended with code 128: fatal: invalid reference: no such"
        ):
            repo.git("switch", "no such")
        assert "invalid reference" in repo.git("switch", "no such", check=False)
        repo.commit("Deep", {"a/b/c.txt": "ñ\n"})
        assert (repo.path / "a" / "b" / "c.txt").read_bytes() == "ñ\n".encode() and repo.git("status", "--short") == ""


class TestConflicts:
    def fork(self, path, ours="b", theirs="c", base="a"):
        repo = Repository(path)
        repo.commit("Base", {"f": base})
        repo.git("switch", "--create", "theirs")
        repo.commit("Theirs", {"f": theirs, "g": "g"})
        repo.git("switch", "main")
        repo.commit("Ours", {"f": ours})
        return repo

    def test_predicts_what_merge_does(self, tmp_path):
        for number, (ours, theirs, clash) in enumerate(
            [("b", "c", ["f"]), ("b", "b", []), ("a", "c", []), ("c", "a", [])]
        ):
            repo = self.fork(tmp_path / str(number), ours, theirs)
            before = contents(repo.path)
            assert conflicts(repo.path, "main", "theirs") == clash and contents(repo.path) == before
            assert ("CONFLICT" in repo.git("merge", "--no-edit", "theirs", check=False)) == bool(clash)

    def test_in_odd_places(self, tmp_path):
        repo = self.fork(tmp_path / 'a:b "c" ñ')
        (repo.path / "sub").mkdir()
        repo.git("worktree", "add", str(tmp_path / "tree"), "theirs")
        bare = Repository(tmp_path / "bare", bare=True)
        repo.git("push", str(bare.path), "main", "theirs")
        for place in (repo.path, repo.path / "sub", tmp_path / "tree", bare.path, str(bare.path)):
            assert conflicts(place, "main", "theirs") == ["f"]

    @pytest.mark.parametrize("name", ["nobody", "--all", ""])
    def test_what_git_does_not_know(self, tmp_path, name):
        repo = self.fork(tmp_path / "repo")
        with pytest.raises(ValueError, match="git merge-tree failed in .*repo: "):
            conflicts(repo.path, "main", name)

    def test_unrelated_histories(self, tmp_path):
        repo = self.fork(tmp_path / "repo")
        repo.git("switch", "--orphan", "other")
        repo.commit("Other", {"h": "h"})
        with pytest.raises(ValueError, match="unrelated histories"):
            conflicts(repo.path, "main", "other")


class TestPicture:
    def test_lanes_remember_deleted_branches(self, tmp_path):
        repo = Shop(tmp_path / "repo")
        repaired(repo)
        table = lanes(read_graph(repo.path)).set_index("commit")["lane"]
        assert table.value_counts().to_dict() == {
            "main": 3, "develop": 4, "feature/first": 1, "feature/later": 1, "release/1.0": 1, "hotfix/1.0.1": 1,
        }  # fmt: skip
        subjects = read_graph(repo.path).subjects
        assert all(lane in subjects[commit] for commit, lane in table.items() if "/" in lane)

    def test_what_is_drawn(self, tmp_path):
        repo = Shop(tmp_path / "repo")
        repaired(repo)
        repo.git("tag", "$x$", "main")
        repo.cut("feature/$1$_{")
        graph = read_graph(repo.path)
        figure = plt.figure()
        ax = figure.subplots()
        assert plot_graph(graph, ax) is ax and ax.get_xlabel() and ax.get_ylabel()
        figure.canvas.draw()
        lanes_drawn = [label.get_text() for label in ax.get_yticklabels()]
        assert lanes_drawn[:4] == ["main", "hotfix/1.0.1", "release/1.0", "develop"] and "feature/$1$_{" in lanes_drawn
        assert {text.get_text() for text in ax.texts} == {"v1.0", "$x$, v1.0.1"}
        assert len(ax.lines) == sum(map(len, graph.parents.values()))
        assert sum(len(dots.get_offsets()) for dots in ax.collections) == len(graph.parents) == 12
        assert len({dots.get_paths()[0].vertices.tobytes() for dots in ax.collections}) == 5, "shapes tell kinds apart"
        plt.close(figure)

    @pytest.mark.parametrize("build", [empty, begun, octopus, neither, no_main, pages, pull_requests], **named)
    def test_odd_repositories_can_be_drawn(self, build, tmp_path):
        repo = Shop(tmp_path / "repo")
        build(repo)
        graph = read_graph(repo.path)
        figure = plt.figure()
        plot_graph(graph, figure.subplots())
        assert set(lanes(graph)["commit"]) == graph.ancestors(tip for tips in graph.branches.values() for tip in tips)
        plt.close(figure)


class Story:
    "A lawful history in memory, one random step after another, and ways to break it."

    def __init__(self):
        self.parents, self.subjects, self.tags = {}, {}, {}
        self.tips, self.number = {}, 0
        self.commit("main", "Import")
        self.tips["develop"] = self.tips["main"]

    def commit(self, branch, subject, *more):
        self.number += 1
        name = f"{self.number:040x}"
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

    def graph(self):
        newest_first = dict(reversed(self.parents.items()))
        tags = {commit: list(names) for commit, names in self.tags.items()}
        return Graph(newest_first, self.subjects, {name: (tip,) for name, tip in self.tips.items()}, tags)

    def feature(self, draw):
        name = f"feature/{self.number}"
        self.cut(name, "develop", draw(st.integers(1, 3)))
        if draw(st.booleans()):
            self.step_aside(draw)
        how = draw(st.sampled_from(["merge", "open", "forward"]))
        if how == "merge":
            self.join(name, "develop", draw(st.sampled_from(["named", "asked", "short"])))
        if how == "forward" and self.tips["develop"] in Graph(self.parents, {}, {}, {}).line(self.tips[name]):
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
            self.tags[merge] = [f"v{self.number}"]
        if back:
            how = draw(st.sampled_from(ways))
            graph = Graph(self.parents, {}, {}, {})
            if how == "forward" and self.tips["develop"] in graph.ancestors([self.tips["main"]]):
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


quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@quick
@given(st.data())
def test_random_lawful_histories_are_left_alone(data):
    graph = lawful_story(data.draw).graph()
    assert list(broken_rules(graph)) == []
    table = lanes(graph)
    assert set(table["commit"]) <= set(graph.parents) and table["commit"].is_unique


FAULTS = [
    "direct",
    "untagged",
    "not back",
    "hotfix not back",
    "feature",
    "develop",
    "from develop",
    "from main",
    "name",
]


@quick
@given(st.data(), st.sampled_from(FAULTS))
def test_one_broken_rule_is_found_and_nothing_else(data, fault):
    draw = data.draw
    story = lawful_story(draw)
    story.feature(draw)
    story.version(draw)
    story.step_aside(draw)
    if fault == "direct":
        expected = [("direct_commit", "", story.commit("main", "Oops"))]
    elif fault == "untagged":
        name = story.version(draw, tag=False)
        expected = [("untagged", name, story.tips["main"])]
    elif fault == "not back":
        expected = [("not_merged_back", story.version(draw, back=False), story.tips["main"])]
    elif fault == "hotfix not back":
        expected = [("not_merged_back", story.hotfix(draw, back=False), story.tips["main"])]
    elif fault == "feature":
        story.cut("feature/x", "develop", draw(st.integers(1, 3)))
        expected = [
            ("wrong_merge", "feature/x", story.join("feature/x", "main", draw(st.sampled_from(["named", "asked"]))))
        ]
    elif fault == "from main":
        story.version(draw, ways=("branch",))  # main itself is not in develop
        story.cut("feature/x", "main", draw(st.integers(1, 3)))
        cut = story.tips["main"]
        if draw(st.booleans()):
            story.join("feature/x", "develop", draw(st.sampled_from(["named", "asked", "short"])))
        expected = [("cut_from_main", "feature/x", cut)]
    elif fault == "name":
        story.cut("faeture/x", draw(st.sampled_from(["main", "develop"])), draw(st.integers(0, 2)))
        expected = [("unknown_branch", "faeture/x", story.tips["faeture/x"])]
    elif fault == "develop":
        expected = [("wrong_merge", "develop", story.join("develop", "main"))]
    else:
        start = story.tips["develop"]
        # had develop only moved its name to main, nothing would tell its old commits from the hotfix's
        name = story.version(draw, "hotfix", "develop", ways=("branch", "main"))
        expected = [("cut_from_develop", name, start)]
    assert list(broken_rules(story.graph())) == expected
