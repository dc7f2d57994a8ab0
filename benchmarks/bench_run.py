"""`mlworkbook run` on the bakery in a fresh workspace, a second run, and what a command costs before it works.

Times are of one machine; the limits are for two idle cores. The second run must publish the same numbers.
A smaller run for tests: bench_run.py --stores 2,17
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import psutil

from measure import cpu, memory

MLWORKBOOK = [sys.executable, "-c", "from mlworkbook.cli.app import main; main()"]


def measure(
    command: list[str],
    home: str,  # workspace
) -> tuple[float, float, float, str]:  # seconds, processor seconds, MB, what it printed
    "Run a command and watch it."
    start, before, highest = time.perf_counter(), cpu(), 0.0
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, env=os.environ | {"MLWORKBOOK_HOME": home})
        while child.poll() is None:
            try:
                highest = max(highest, memory(psutil.Process(child.pid)))
            except psutil.Error:
                break
            time.sleep(0.5)
        if child.wait():
            sys.exit(f"{' '.join(command[-3:])} ended with {child.returncode}")
        out.seek(0)
        return time.perf_counter() - start, cpu() - before, highest, out.read()


def best(
    code: list[str],
    times: int = 5,
) -> float:  # seconds
    "The quickest of several runs of a short command: the others shared the machine."
    found = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([sys.executable, *code], check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", help="some stores only, such as 2,17")
    asked = parser.parse_args()
    bare = best(["-c", "pass"])
    light = best(["-c", "import mlworkbook"]) - bare
    help_ = best([*MLWORKBOOK[1:], "--help"])
    words = [*MLWORKBOOK, "run", "--json", "--quiet", *(["--stores", asked.stores] if asked.stores else [])]
    with tempfile.TemporaryDirectory() as home:
        first = measure(words, home)
        second = measure(words, home)
        nightly = measure([*MLWORKBOOK, "forecast", *words[len(MLWORKBOOK) + 1 :]], home)
    one, two = (json.loads(text) for *_, text in (first, second))
    assert one["forecast"].pop("state") == "written" and two["forecast"].pop("state") == "unchanged"
    assert one.pop("decision")["action"] == "promoted" and two.pop("decision") is None
    assert one == two, "the second run published other numbers"
    print(f"import mlworkbook     {light:6.2f} s      (at most 0.1)")
    print(f"mlworkbook --help     {help_:6.2f} s      (at most 0.5)")
    for name, (seconds, used, mb, _) in (("run, first", first), ("run, second", second), ("forecast", nightly)):
        print(f"mlworkbook {name:12}{seconds:6.1f} s  {used:6.1f} s of processor  {mb:6.0f} MB")
    print("                       (at most 25 s and 1500 MB for the first, 8 s for the second, on two idle cores)")
    for row in one["leaderboard"]:
        figures = f"WAPE {row['wape']:.3f}, bias {row['bias']:+.3f}, EUR per day {row['eur_per_day']:.2f}"
        print(f"  {row['model']:<15} {figures}")
    if asked.stores is None:
        assert first[2] <= 1500, "over the limit of memory"


if __name__ == "__main__":
    main()
