"""A million rows of text read with proofs, against pandas' `read_csv` told how the file is written.

Three files: a shop's own columns, measures that never repeat, and the same with a decimal comma. Times are processor
seconds, the least of several rounds in one process; memory is the peak of a process of its own.
A smaller run for tests: bench_reader.py --days 100 --rounds 1
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from measure import cpu
from mlworkbook.ops.reader import read_text
from mlworkbook.sales import make_sales

LIMIT, ROOM = 1.5, 512
PEAK = """
import sys, threading, time, psutil
from mlworkbook.ops.reader import read_text
seen = []
def watch():
    while True: seen.append(psutil.Process().memory_info().rss); time.sleep(0.005)
threading.Thread(target=watch, daemon=True).start()
read_text(sys.argv[1])
print(max(seen) / 2**20)
"""


def seconds(task, rounds: int) -> float:
    "Least processor time of a call."
    found = []
    for _ in range(rounds):
        start = cpu()
        task()
        found.append(cpu() - start)
    return min(found)


def main() -> None:
    "Print the table; a ratio or a peak above the limit is a failure."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=1000, help="days of each of 1000 shops")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed")
    options = parser.parse_args()
    shops = make_sales(0, series=1000, days=options.days)
    measures = shops[["unique_id", "ds"]].assign(y=np.random.default_rng(0).random(len(shops)) * 1000)
    spanish = {"sep": ";", "decimal": ","}
    files = {"own columns": (shops, {}), "measures": (measures, {}), "decimal comma": (measures.round(2), spanish)}
    with tempfile.TemporaryDirectory() as folder:
        for name, (table, written) in files.items():
            path = Path(folder) / "sales.csv"
            table.to_csv(path, index=False, **written)
            pandas = seconds(lambda: pd.read_csv(path, low_memory=False, **written), options.rounds)  # noqa: B023
            ours = seconds(lambda: read_text(path), options.rounds)  # noqa: B023
            done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
            peak = float(done.stdout)
            print(
                f"{name:<14} {len(table):,} rows: {ours:.2f} s, pandas {pandas:.2f} s, ratio {ours / pandas:.2f} "
                f"(limit {LIMIT}); peak {peak:.0f} MB (limit {ROOM})"
            )
            assert ours / pandas <= LIMIT or options.days < 1000, f"{name}: slower than the limit"
            assert peak <= ROOM, f"{name}: more memory than the limit"


if __name__ == "__main__":
    main()
