"What a program of somebody else cannot do: each for real, in the sandbox."

import json
import os
import shutil
import socket
import sys
import time

import psutil
import pytest

from mlworkbook.ops import sandbox
from mlworkbook.ops.sandbox import Bounds, run_apart, sandbox_fault

FAULT = sandbox_fault()
# there a sandbox that is not installed is a failure; a kernel that forbids namespaces is not ours to mend
MUST = sys.platform == "linux" and os.environ.get("CI") == "true" and shutil.which("bwrap") is None
locked = pytest.mark.skipif(bool(FAULT) and not MUST, reason=FAULT or "the sandbox works")


@pytest.fixture
def room(tmp_path):
    "Folder of a program, beside a file that is not its own."
    (tmp_path / "key.txt").write_text("token")
    (tmp_path / "room").mkdir()
    return (tmp_path / "room").resolve()


def run(room, code, **bounds):
    "Run some Python; returns what stopped it and what it said."
    fault = run_apart([sys.executable, "-c", code], room, Bounds(**{"seconds": 20} | bounds))
    return fault, (room / "said.txt").read_text(errors="replace")


@locked
class TestWalls:
    def test_its_own_folder_is_its_own(self, room):
        fault, _ = run(room, "open('mine.txt', 'w').write('yes')")
        assert fault == "" and (room / "mine.txt").read_text() == "yes"

    @pytest.mark.parametrize("path", ["ROOM/../key.txt", "/etc/passwd", "/etc/shadow", "/var", __file__])
    def test_it_sees_no_file_of_the_host(self, room, path):
        fault, _ = run(room, f"import os; os.stat({path.replace('ROOM', str(room))!r})")
        assert "No such file" in fault

    def test_a_link_does_not_lead_out(self, room):
        (room / "link").symlink_to(room.parent / "key.txt")
        assert "No such file" in run(room, "open('link').read()")[0]

    @pytest.mark.parametrize("path", ["/other.txt", "/usr/other.txt", f"{sys.prefix}/other.txt", sandbox.__file__])
    def test_it_writes_nowhere_else(self, room, path):
        said = run(room, f"open({path!r}, 'a')")[0]
        assert "Read-only file system" in said or "Permission denied" in said

    def test_it_calls_nobody(self, room):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            server.settimeout(0.2)
            call = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=2)"
            assert "refused" in run(room, call)[0]
            with pytest.raises(TimeoutError):
                server.accept()
        assert "unreachable" in run(room, "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)")[0]

    def test_it_has_no_rights_and_learns_nothing_from_the_environment(self, room, monkeypatch):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "token")
        look = "open('/proc/self/status').read(), dict(os.environ), os.listdir('/proc')"
        code = f"import json, os; print(json.dumps([{look}]))"
        status, environment, seen = json.loads(run(room, code)[1])
        assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
        assert "AWS_SECRET_ACCESS_KEY" not in environment and environment["HOME"] == "/tmp"
        assert len([name for name in seen if name.isdigit()]) <= 3, "its own processes only"

    def test_the_libraries_of_the_course_work_in_it(self, room):
        code = "import numpy, pandas, prophet, mlworkbook.pipeline; print(numpy.arange(3).sum(), pandas.__version__)"
        assert run(room, code, seconds=120)[0] == ""


@locked
class TestBounds:
    @pytest.mark.parametrize(
        ("code", "bounds", "said"),
        [
            ("while True: pass", {"seconds": 2}, "it took more than 2 s"),
            ("import time; time.sleep(1000)", {"seconds": 0.5}, "it took more than 0.5 s"),
            ("kept = [bytearray(2**27) for _ in range(100)]", {"memory_mb": 1000}, "emory"),
            ("open('large', 'wb').write(b'x' * 2**22)", {"file_mb": 2}, "File too large"),
            ("open('/tmp/large', 'wb').write(b'x' * 2**22)", {"disk_mb": 2}, "No space left"),
            ("[open('/dev/null') for _ in range(1000)]", {}, "Too many open files"),
            ("import os\nwhile True: os.fork()", {}, "processes"),
        ],
        ids=["works", "waits", "swells", "one file", "tmp", "opens", "forks"],
    )
    def test_what_is_too_much_is_stopped(self, room, code, bounds, said):
        assert said in run(room, code, **bounds)[0]

    def test_what_it_says_has_a_limit_too(self, room):
        assert run(room, "while True: print('x' * 2**16)", file_mb=2)[0]
        assert (room / "said.txt").stat().st_size <= 2 * 2**20

    def test_many_small_files_and_many_small_processes_are_added_up(self, room):
        files = "import time\nfor n in range(8): open(str(n), 'wb').write(b'x' * 2**20)\ntime.sleep(60)"
        assert run(room, files, disk_mb=4)[0] == "it wrote more than 4 MB"
        family = "import os, time\nfor _ in range(4): os.fork()\nkept = bytearray(b'x' * 2**26)\ntime.sleep(60)"
        assert run(room, family, memory_mb=600, processes=20)[0] == "it used more than 600 MB of memory"

    def test_no_process_survives(self, room):
        hide = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(98765)"
        run(room, hide)
        time.sleep(0.3)
        assert not [one for one in psutil.process_iter(["cmdline"]) if "98765" in " ".join(one.info["cmdline"] or [])]

    def test_last_words_are_harmless(self, room):
        code = "import sys; sys.stdout.buffer.write(b'x' * 10_000 + b'\\n\\x1b[2Jboo\\xff\\n'); sys.exit(1)"
        assert run(room, code)[0] == "?[2Jboo\ufffd"


class TestWithoutASandbox:
    @pytest.fixture
    def path(self, tmp_path, monkeypatch):
        "The only folder with programs; the answer of the probe is not kept."
        (tmp_path / "bin").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        sandbox_fault.cache_clear()
        yield tmp_path / "bin"
        sandbox_fault.cache_clear()

    def test_nothing_is_run(self, path, room):
        assert "sudo apt-get install bubblewrap" in sandbox_fault() and "docker run" in sandbox_fault()
        with pytest.raises(OSError, match="bubblewrap was not found"):
            run(room, "open('ran', 'w')")
        assert not (room / "ran").exists()

    def test_a_system_that_forbids_it_is_noticed(self, path, room):
        (path / "bwrap").write_text("#!/bin/sh\necho 'setting up uid map: Operation not permitted' >&2\nexit 1\n")
        (path / "bwrap").chmod(0o755)
        with pytest.raises(OSError, match="cannot work here .*Operation not permitted.*docker run"):
            run(room, "open('ran', 'w')")
        assert not (room / "ran").exists()

    def test_your_own_program_needs_none(self, path, room):
        work = [sys.executable, "-c", "open('ran', 'w'); open('../key.txt').read()"]
        assert run_apart(work, room, Bounds(), trusted=True) == "" and (room / "ran").exists()
        long = [sys.executable, "-c", "while True: pass"]
        assert run_apart(long, room, Bounds(seconds=1), trusted=True) == "it took more than 1 s"
