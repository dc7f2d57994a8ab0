"The doctor: fake tools on a private PATH, every system, and no process left behind."

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from configparser import ConfigParser
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path

import psutil
import pytest

from mlworkbook.course import doctor as course
from mlworkbook.course.doctor import Finding, Machine, checkup, fit_tiny, healthy
from mlworkbook.ops.process import reaches, version_in

ROOT = Path(__file__).parent.parent
TOOLS = tomllib.loads((ROOT / "mlworkbook/data/tools.toml").read_text(encoding="utf-8"))
SYSTEMS = ("conda", "macos", "wsl", "apt")
STATES = ("found", "missing", "too old", "broken")
OPTIONAL = {"venv", "conda", "editor", "java", "docker", "bubblewrap", "chromium", "jira", "aws"}
PROGRAMS = ("git", "make", "conda", "java", "docker", "bwrap", "chromium")


@pytest.fixture
def bench(tmp_path):
    "A folder that is the whole PATH."
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(bench, tmp_path):
    "A machine where only the bench is on the PATH."
    return Machine(
        {"PATH": str(bench)}, tmp_path, tmp_path / "space", ("apt",), python=str(bench / "python"), patience=20
    )


def fake(folder, name, script, mode=0o755):
    "A program that does what a shell script says."
    path = folder / name
    path.write_bytes(b"#!/bin/sh\n" + (script if isinstance(script, bytes) else script.encode()) + b"\n")
    path.chmod(mode)
    return path


def alive(pid):
    "Whether a process still works; a moment is given to die in."
    try:
        process = psutil.Process(pid)
        psutil.wait_procs([process], timeout=3)
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def examine(machine, name):
    "What the doctor sees of one tool."
    (finding,) = checkup(machine, [name])
    return finding


# versions


@pytest.mark.parametrize(
    ("said", "before", "version"),
    [
        ("git version 2.39.5 (Apple Git-154)", "git version ", (2, 39, 5)),
        ('openjdk version "17.0.15" 2025-04-15', 'version "', (17, 0, 15)),
        ('java version "1.8.0_391"', 'version "', (1, 8, 0)),
        ('openjdk version "21" 2023-09-19', 'version "', (21,)),
        ('openjdk version "22-ea" 2024-03-19', 'version "', (22,)),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx512m\nopenjdk version "17.0.1"', 'version "', (17, 0, 1)),
        ("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu", "GNU Make ", (4, 3)),
        ("Docker version 28.2.2, build e6534b4", "version ", (28, 2, 2)),
        ("warning: slow\nconda 24.1.2", "^(?:conda |mamba )?", (24, 1, 2)),
        ("2.0.5", "^(?:conda |mamba )?", (2, 0, 5)),
        ("3.4.0rc1", "", (3, 4, 0)),
        ("", "", None),
        ("command not found", "", None),
        ("9" * 100_000, "", None),
        ("٣.١١", "", None),
        ("error 404", "git version ", None),
    ],
)
def test_versions_are_found_in_what_programs_say(said, before, version):
    assert version_in(said, before) == version


@pytest.mark.parametrize(
    ("version", "minimum", "enough"),
    [
        ((3, 9), (3, 11), False),
        ((3, 11), (3, 11), True),
        ((3, 11), (3, 11, 0), True),
        ((3, 11), (3, 11, 1), False),
        ((21,), (17, 0, 2), True),
        ((1, 8, 0), (17,), False),
        ((0,), (), True),
    ],
)
def test_versions_are_compared_as_numbers(version, minimum, enough):
    assert reaches(version, minimum) is enough


# programs


@pytest.mark.parametrize(
    ("name", "script", "state", "version"),
    [
        ("git", "echo git version 2.45.1", "found", "2.45.1"),
        ("git", "echo git version 2.28", "found", "2.28"),
        ("git", "echo git version 2.27.9", "too old", "2.27.9"),
        ("git", "echo git version 2.45.1; exit 3", "broken", ""),
        ("git", "echo git version 2.45.1; kill -TERM $$", "broken", ""),
        ("git", "", "broken", ""),
        ("git", "echo error 404", "broken", ""),
        ("git", rb"printf '\377\376\000\001'", "broken", ""),
        ("git", rb"printf '\377\nespa\361ol git version 2.45\n'", "found", "2.45"),
        ("make", "echo 'GNU Make 3.80'", "too old", "3.80"),
        ("make", "echo 'GNU Make 3.81'", "found", "3.81"),
        ("java", "echo 'openjdk version \"17.0.1\"' >&2", "found", "17.0.1"),
        ("java", "echo 'java version \"1.8.0_391\"' >&2", "too old", "1.8.0"),
        ("java", "echo 'Unable to locate a Java Runtime' >&2; exit 1", "broken", ""),
        ("docker", "echo Docker version 28.2.2, build e6534b4", "found", "28.2.2"),
        ("mamba", "echo 2.0.5", "found", "2.0.5"),
        ("code", "exit 1", "found", ""),
        ("bwrap", '[ "$1" = --unshare-all ] && echo bubblewrap 0.8.0', "found", "0.8.0"),
        ("bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "broken", ""),
        ("google-chrome", "echo 'sh: 25275: oops'; echo Google Chrome 141.0.7390.54", "found", "141.0.7390.54"),
    ],
)
def test_programs_are_judged_by_what_they_answer(machine, bench, name, script, state, version):
    fake(bench, name, script)
    finding = examine(machine, next(tool for tool, about in TOOLS.items() if name in about.get("names", [])))
    assert (finding.state, finding.version) == (state, version)
    assert bool(finding.next_command) == (state != "found")


def test_the_editor_is_not_started(machine, bench):
    fake(bench, "code", f"touch {bench / 'started'}")
    assert examine(machine, "editor").state == "found" and not (bench / "started").exists()


@pytest.mark.parametrize("obstacle", ["nothing", "file", "folder", "link", "empty path", "no path", "strange path"])
def test_what_cannot_be_started_is_missing(machine, bench, obstacle):
    path = bench / "git"
    if obstacle == "file":
        fake(bench, "git", "echo git version 2.45.1", mode=0o644)
    elif obstacle == "folder":
        path.mkdir()
    elif obstacle == "link":
        path.symlink_to(bench / "gone")
    places = {"empty path": {"PATH": ""}, "no path": {}, "strange path": {"PATH": "/no/such:\n:/dev/null"}}
    finding = examine(replace(machine, environ=places.get(obstacle, machine.environ)), "git")
    assert (finding.state, finding.next_command) == ("missing", "sudo apt-get install git")


def test_the_second_folder_counts_when_the_first_holds_a_trap(machine, bench, tmp_path):
    (bench / "git").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    fake(other, "git", "echo git version 2.45.1")
    finding = examine(replace(machine, environ={"PATH": f"{bench}:{other}"}), "git")
    assert finding.state == "found"


def test_a_file_that_is_no_program_is_broken(machine, bench):
    (bench / "git").write_bytes(b"\x7fELF\x00garbage")
    (bench / "git").chmod(0o755)
    finding = examine(machine, "git")
    assert (finding.state, finding.detail) == ("broken", "no se puede ejecutar")


@pytest.fixture
def a_silent_terminal():
    "Standard input where nobody ever types."
    saved, (read, write) = os.dup(0), os.pipe()
    os.dup2(read, 0)
    yield
    os.dup2(saved, 0)
    for file in (saved, read, write):
        os.close(file)


def test_programs_speak_english_and_hear_nothing(machine, bench, a_silent_terminal):
    fake(bench, "git", 'read answer; [ -z "$answer" ] && [ "$LC_ALL" = C ] && echo git version 2.45.1')
    environ = dict(machine.environ) | {"LC_ALL": "es_ES.UTF-8"}
    assert examine(replace(machine, environ=environ), "git").state == "found"
    assert environ["LC_ALL"] == "es_ES.UTF-8"


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("echo git version 2.45.1\nwhile :; do echo 0123456789012345678901234567890123456789; done", "found"),
        ("while :; do echo 0123456789012345678901234567890123456789; done", "broken"),
    ],
)
def test_a_tool_that_never_stops_talking_is_cut(machine, bench, script, state):
    fake(bench, "git", script)
    began = time.monotonic()
    assert examine(machine, "git").state == state
    assert time.monotonic() - began < machine.patience / 2


# nothing outlives the doctor, nothing keeps it waiting

HANGS = {
    "sleeps": "exec /bin/sleep 300",
    "waits for a helper": "/bin/sleep 300 & echo $! > {pid}; wait",
    "closed its outputs": "exec >/dev/null 2>&1; /bin/sleep 300",
    "ignores polite signals": "trap '' TERM INT HUP; /bin/sleep 300; /bin/sleep 300",
    "answered and hangs": "echo git version 2.45.1; /bin/sleep 300",
}


@pytest.mark.parametrize("kind", HANGS)
def test_a_tool_that_hangs_is_killed_with_its_children(machine, bench, tmp_path, kind):
    pid = tmp_path / "pid"
    fake(bench, "git", f"echo $$ > {tmp_path / 'self'}\n" + HANGS[kind].format(pid=pid))
    began = time.monotonic()
    finding = examine(replace(machine, patience=1.5), "git")
    assert time.monotonic() - began < 4
    assert (finding.state, finding.detail) == ("broken", "no respondió a tiempo")
    for file in (pid, tmp_path / "self"):
        assert not file.exists() or not alive(int(file.read_text()))


def test_a_helper_left_behind_by_a_good_answer_is_ended(machine, bench, tmp_path):
    pid = tmp_path / "pid"
    fake(bench, "git", f"/bin/sleep 300 >/dev/null 2>&1 &\necho $! > {pid}\necho git version 2.45.1")
    assert examine(machine, "git").state == "found"
    assert not alive(int(pid.read_text()))


def test_all_hang_at_once_and_the_doctor_ends_in_five_seconds(machine, bench):
    for name in (*PROGRAMS, "python"):
        fake(bench, name, "/bin/sleep 300; /bin/sleep 300")
    usual = Machine.patience
    before = set(psutil.Process().children(recursive=True))
    began = time.monotonic()
    findings = checkup(replace(machine, patience=usual))
    took = time.monotonic() - began
    assert usual <= 4.5 and took < usual + 2, f"{took:.1f} s, promised 5 on a machine with nothing else to do"
    assert [one.tool for one in findings] == list(TOOLS)
    late = {one.tool for one in findings if one.detail == "no respondió a tiempo"}
    assert late == {*PROGRAMS, "python", "fit", "bubblewrap"} - {"bwrap"} and not healthy(findings)
    left = set(psutil.Process().children(recursive=True)) - before
    assert not [process for process in left if alive(process.pid)]


def test_a_helper_that_runs_away_with_the_output_does_not_hold_the_doctor(machine, bench, tmp_path):
    pid, away = tmp_path / "pid", "import os, sys, time; os.setsid(); open(sys.argv[1], 'w').write(str(os.getpid()))"
    fake(bench, "git", f'{sys.executable} -c "{away}; time.sleep(30)" {pid} &\n/bin/sleep 1; echo git version 2.45.1')
    began = time.monotonic()
    assert examine(replace(machine, patience=3), "git").state == "found"
    assert time.monotonic() - began < 6
    os.kill(int(pid.read_text()), signal.SIGKILL)


def test_an_interrupted_doctor_leaves_nothing_behind(tmp_path, bench):
    pid = tmp_path / "pid"
    fake(bench, "git", f"echo $$ > {pid}; exec /bin/sleep 300")
    code = f"from mlworkbook.course.doctor import *; checkup(Machine({{'PATH': {str(bench)!r}}}, patience=3), ['git'])"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (pid.exists() and pid.read_text().strip()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    assert not alive(int(pid.read_text()))


def test_tools_are_looked_at_side_by_side(machine, bench):
    for name in PROGRAMS:
        fake(bench, name, "/bin/sleep 1")
    began = time.monotonic()
    checkup(machine, ["git", "make", "conda", "java", "docker", "chromium"])
    assert time.monotonic() - began < 4  # one after another: 6 s


# systems and commands


def uname(system, release=""):
    return platform.uname()._replace(system=system, release=release)


@pytest.mark.parametrize(
    ("environ", "kernel", "apt", "expected"),
    [
        ({}, ("Linux", "6.1.0-18-amd64"), True, ("apt",)),
        ({"CONDA_PREFIX": "/opt/conda"}, ("Linux", "6.1.0"), True, ("conda", "apt")),
        ({"CONDA_PREFIX": ""}, ("Linux", "6.1.0"), True, ("apt",)),
        ({}, ("Darwin", "24.1.0"), True, ("macos",)),
        ({"CONDA_PREFIX": "/opt/conda"}, ("Darwin", "24.1.0"), False, ("conda", "macos")),
        ({}, ("Linux", "5.15.167.4-microsoft-standard-WSL2"), True, ("wsl", "apt")),
        ({}, ("Linux", "4.4.0-19041-Microsoft"), False, ("wsl",)),
        ({}, ("Linux", "6.8.5-301.fc40.x86_64"), False, ()),
        ({}, ("Windows", "11"), False, ()),
    ],
)
def test_systems_are_told_apart(tmp_path, environ, kernel, apt, expected):
    if apt:
        (tmp_path / "usr/bin").mkdir(parents=True)
        (tmp_path / "usr/bin/apt-get").touch()
    assert course._systems(environ, uname(*kernel), root=tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "ways", "begins"),
    [
        ("git", ("apt",), "sudo apt-get install git"),
        ("git", ("conda", "apt"), "conda install -c conda-forge git"),
        ("git", ("macos",), "xcode-select --install"),
        ("git", ("wsl", "apt"), "sudo apt-get install git"),
        ("git", (), "https://git-scm.com/"),
        ("java", ("macos",), "brew install --cask temurin@17"),
        ("java", ("conda", "macos"), "conda install -c conda-forge openjdk=17"),
        ("docker", ("conda", "macos"), "brew install --cask docker-desktop"),
        ("docker", ("conda", "wsl", "apt"), "powershell.exe "),
        ("docker", ("apt",), "sudo apt-get install docker.io"),
        ("conda", ("apt",), "curl -fsSLO https://github.com/conda-forge/miniforge/"),
        ("editor", ("wsl", "apt"), "powershell.exe "),
        ("aws", ("macos",), "brew install awscli"),
        ("venv", ("conda", "apt"), "conda create -n mlworkbook"),
    ],
)
def test_the_next_command_is_the_system_s_own(machine, name, ways, begins):
    assert examine(replace(machine, systems=ways), name).next_command.startswith(begins)


def test_every_tool_is_described_in_full_and_its_commands_are_what_a_shell_understands():
    assert {name for name, tool in TOOLS.items() if not tool.get("required")} == OPTIONAL
    keys = {"title", "why", "check", "names", "ask", "before", "minimum", "required", "file", "setup", "get"}
    for name, tool in TOOLS.items():
        assert set(tool) <= keys and tool["check"] in course._CHECKS, name
        texts = [tool["why"], *([tool["title"]] if isinstance(tool["title"], dict) else [])]
        assert all(set(text) == {"es", "en"} and text["es"] != text["en"] and all(text.values()) for text in texts), (
            name
        )
        assert tool["get"]["page"] and set(tool["get"]) <= {*SYSTEMS, "page"}, name
        assert version_in(tool.get("minimum", "0")), name
        for command in [command for system, command in tool["get"].items() if system != "page"]:
            done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True)
            assert done.returncode == 0 and "\n" not in command, done.stderr


@pytest.mark.parametrize("ways", [(), *((system,) for system in SYSTEMS)], ids=lambda ways: "".join(ways) or "unknown")
def test_whatever_is_missing_there_is_something_to_type(machine, ways):
    for one in checkup(replace(machine, systems=ways, workspace=Path("/dev/null/x"))):
        assert one.next_command or one.state == "found", one.tool


def test_minimum_versions_are_those_that_settings_declare():
    parser = ConfigParser(delimiters=["="])
    parser.read(ROOT / "settings.ini", encoding="utf-8")
    settings = parser["DEFAULT"]
    declared = "\n".join(settings[f"{extra}_requirements"] for extra in ("models", "mlflow", "lab"))
    for name in ("prophet", "mlflow", "jupyterlab"):
        (least,) = re.findall(rf"^{name}>=([\d.]+)", declared, flags=re.MULTILINE)
        assert TOOLS[name]["minimum"] == least
    assert TOOLS["python"]["minimum"] == settings["min_python"]


# Python, packages, environment, fit


def test_python_is_the_one_that_runs_the_course(machine, bench):
    assert examine(machine, "python").state == "broken"  # it is not even there
    fake(bench, "python", "echo Python 3.10.4")
    assert examine(machine, "python").state == "too old"
    assert examine(replace(machine, python=sys.executable), "python").version == platform.python_version()


@pytest.mark.parametrize(
    ("said", "state", "version"),
    [
        ("3.17.2", "found", "3.17.2"),
        ("3.9.0rc1", "found", "3.9.0"),
        ("2.22.0", "too old", "2.22.0"),
        (None, "broken", ""),
    ],
)
def test_packages_are_judged_by_their_records(machine, monkeypatch, said, state, version):
    monkeypatch.setattr(course.metadata, "version", lambda name: said)
    finding = examine(machine, "mlflow")
    assert (finding.state, finding.version) == (state, version)
    if state != "found":
        assert finding.next_command == f'{machine.python} -m pip install "mlflow>=3.9"'


def test_a_missing_package_says_how_to_install_it(machine, bench, monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(course.metadata, "version", absent)
    fake(bench, "python", "echo Python 3.12.1")
    finding = examine(machine, "prophet")
    assert (finding.state, finding.next_command) == ("missing", 'python -m pip install "prophet>=1.2.1"')
    assert not healthy([finding])


def test_the_command_calls_another_python_by_its_whole_path(machine, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(course.metadata, "version", lambda name: "0.1")
    fake(bench, "python", "echo Python 2.7.18")
    ours = str(tmp_path / "my env" / "bin" / "python")
    finding = examine(replace(machine, python=ours), "prophet")
    assert finding.next_command == f"'{ours}' -m pip install \"prophet>=1.2.1\""


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta", ""])
def test_environments_are_known_by_their_mark(machine, tmp_path, mark):
    if mark:
        (tmp_path / mark).touch()
    assert examine(machine, "venv").state == ("found" if mark else "missing")


@pytest.mark.parametrize(
    ("script", "detail", "command"),
    [
        (
            "echo 'RuntimeError: libtbb.so is missing' >&2; exit 1",
            "terminó con código 1",
            " -m pip install --force-reinstall",
        ),
        ("kill -SEGV $$", f"terminó con código -{int(signal.SIGSEGV)}", " -m pip install --force-reinstall"),
        ("echo nothing", "no dice su versión", ' -c "from mlworkbook.course.doctor import fit_tiny'),
        ("/bin/sleep 300", "no respondió a tiempo", ' -c "from mlworkbook.course.doctor import fit_tiny'),
    ],
)
def test_a_prophet_that_does_not_fit_is_broken(machine, bench, script, detail, command):
    fake(bench, "python", script)
    finding = examine(replace(machine, patience=1.5), "fit")
    assert (finding.state, finding.detail) == ("broken", detail)
    assert finding.next_command.startswith("python" + command)
    assert not healthy([finding])


def test_a_fit_is_found_with_its_version(machine, bench):
    fake(bench, "python", "echo 'chatter 9.9' >&2; echo fitted 1.5.0")
    assert (examine(machine, "fit").state, examine(machine, "fit").version) == ("found", "1.5.0")


@pytest.mark.slow
def test_prophet_really_fits_here(machine, tmp_path):
    (tmp_path / "prophet.py").write_text("raise SystemExit('a file of the learner, not Prophet')")
    environ = {"PATH": "", "PYTHONPATH": str(ROOT)}
    real = replace(machine, environ=environ, python=sys.executable, patience=120)
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert examine(real, "fit").version == metadata.version("prophet")
    finally:
        os.chdir(here)


@pytest.mark.slow
def test_a_wrong_fit_is_refused(monkeypatch):
    import prophet

    assert fit_tiny() == metadata.version("prophet")
    predict = prophet.Prophet.predict
    monkeypatch.setattr(prophet.Prophet, "predict", lambda self, days: predict(self, days).assign(yhat=0.0))
    with pytest.raises(RuntimeError, match=r"forecasts 0.0 units, expected about 11.5"):
        fit_tiny()


# port, workspace, access


def a_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_free_port_is_let_go_again(machine):
    quiet = replace(machine, port=a_free_port())
    for _ in range(2):
        finding = examine(quiet, "port")
        assert (finding.state, finding.next_command) == ("found", "")
        assert str(quiet.port) in finding.detail


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_busy_port_has_a_way_around(machine, address):
    with socket.socket() as busy:
        busy.bind((address, 0))
        busy.listen()
        port = busy.getsockname()[1]
        finding = examine(replace(machine, port=port), "port")
    assert finding.state == "found" and f"{port} ocupado" in finding.detail
    (other,) = re.fullmatch(r"mlworkbook ui --port (\d+)", finding.next_command).groups()
    assert int(other) != port and healthy([finding])


def test_without_loopback_the_port_is_broken(machine, monkeypatch):
    def refuse(self, address):
        assert address[0] == "127.0.0.1"
        raise OSError("no loopback")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert examine(replace(machine, port=65_530), "port").state == "broken"


def test_the_workspace_is_tried_and_left_as_it_was(machine, tmp_path):
    assert examine(machine, "workspace").state == "found"
    assert not machine.workspace.exists()
    machine.workspace.mkdir()
    assert examine(machine, "workspace").state == "found"
    assert list(machine.workspace.iterdir()) == []


def test_a_workspace_that_cannot_be_written_is_broken(machine, monkeypatch):
    machine.workspace.write_text("a file in the way")
    for space in (machine.workspace, machine.workspace / "deeper"):
        finding = examine(replace(machine, workspace=space), "workspace")
        assert finding.state == "broken" and str(space) in finding.detail and not healthy([finding])
        assert finding.next_command == 'export MLWORKBOOK_HOME="$HOME/mlworkbook"'
    machine.workspace.unlink()

    def full(**given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(course.tempfile, "TemporaryFile", full)
    assert examine(machine, "workspace").detail.endswith("No space left on device")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_workspace_without_permission_is_broken(machine):
    machine.workspace.mkdir(mode=0o500)
    assert examine(machine, "workspace").state == "broken"


def test_access_is_told_by_its_presence_only(machine, bench, tmp_path):
    assert examine(machine, "aws").state == examine(machine, "jira").state == "missing"
    fake(bench, "aws", "exit 1")
    assert examine(machine, "aws").next_command == "aws configure sso"
    (tmp_path / ".aws").mkdir()
    os.mkfifo(tmp_path / ".aws" / "pipe")  # reading it would wait for ever
    assert examine(machine, "aws").state == "missing"
    (tmp_path / ".aws" / "credentials").write_text("[default]\naws_secret_access_key = hush")
    assert examine(machine, "aws").state == "found"
    for name in (*TOOLS["aws"]["names"], *TOOLS["jira"]["names"]):
        environ = dict(machine.environ) | {name: "hush"}
        owner = "aws" if name.startswith("AWS") else "jira"
        assert examine(replace(machine, environ=environ, home=bench), owner).state == "found"
        empty = dict(machine.environ) | {name: ""}
        assert examine(replace(machine, environ=empty, home=bench), owner).state == "missing"


def test_no_secret_ever_comes_out(machine, bench, tmp_path):
    secret = "hush-hush-hush"
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(secret)
    for name in (*PROGRAMS, "python"):
        fake(bench, name, f"echo {secret} version 1.2.3; echo {secret} >&2; exit 1")
    environ = dict(machine.environ)
    environ |= dict.fromkeys((*TOOLS["aws"]["names"], *TOOLS["jira"]["names"], "AWS_SECRET_ACCESS_KEY"), secret)
    rich = replace(machine, environ=environ)
    findings = checkup(rich)
    said = repr(rich) + repr(findings) + "".join(map(str, findings)) + json.dumps([asdict(one) for one in findings])
    assert secret not in said


# what the doctor says


def finding(state, required):
    return Finding("x", "x", state, "", "", "", "", required)


def test_only_required_tools_decide(machine):
    for state in STATES:
        assert healthy([finding("found", True), finding(state, False)])
        assert healthy([finding(state, True)]) is (state == "found")
    assert healthy([])


def test_importing_the_doctor_costs_nothing():
    code = "import sys, mlworkbook.course.doctor as _; print([n for n in ('pandas', 'mlflow') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bare_machine_is_described_in_full(machine):
    findings = checkup(machine)
    assert [one.tool for one in findings] == list(TOOLS)
    assert all(one.state in STATES and one.why and one.title for one in findings)
    assert json.loads(json.dumps([asdict(one) for one in findings]))[0]["tool"] == "python"


def test_a_finding_is_told_in_the_learner_s_language_and_nothing_is_mixed(machine, bench, monkeypatch):
    fake(bench, "git", "echo git version 2.1")
    fake(bench, "make", "exit 3")
    fake(bench, "docker", "echo Docker version 28.2.2")
    names = ["git", "make", "docker", "venv"]
    assert [str(one).splitlines() for one in checkup(machine, names)] == [
        [
            "✘ Git                       antigua    2.1 (hace falta 2.28 o posterior)",
            "    guarda la historia de cada cambio",
            "    sudo apt-get install git",
        ],
        [
            "✘ make                      rota (terminó con código 3)",
            "    da nombre a las órdenes largas: make run",
            "    sudo apt-get install make",
        ],
        ["✔ Docker                    encontrada 28.2.2"],
        [
            "· entorno virtual           falta",
            "    separa los paquetes de este proyecto",
            f"    {TOOLS['venv']['get']['apt']}",
        ],
    ]
    monkeypatch.setenv("MLWORKBOOK_LANG", "en")
    english = [str(one).splitlines() for one in checkup(machine, names)]
    assert [lines[0] for lines in english] == [
        "✘ Git                       too old    2.1 (2.28 or newer is needed)",
        "✘ make                      broken (ended with code 3)",
        "✔ Docker                    found      28.2.2",
        "· virtual environment       missing",
    ]
    assert english[0][1:] == ["    keeps the history of every change", "    sudo apt-get install git"]


def test_a_tool_that_nobody_knows_is_refused(machine):
    with pytest.raises(ValueError, match="no 'gti', expected one of python, git"):
        checkup(machine, ["gti"])
    assert checkup(machine, []) == []
