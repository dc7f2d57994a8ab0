"Press Ctrl-C as people do: again, if the first was lost."

import os
import signal
import subprocess


def press(run: subprocess.Popen, patience: float = 1.0) -> tuple[bytes, bytes]:
    """Interrupt a process group until it ends, and return what it said.

    Python reports and forgets an interrupt that falls into a callback of a C library; it happens once in hundreds.
    """
    for _ in range(60):
        os.killpg(run.pid, signal.SIGINT)
        try:
            return run.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("it did not end")
