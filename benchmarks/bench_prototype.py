"""The prototype of lesson 24: seconds and memory for 1, 35 and 105 series, a line through them, and a larger run that
the line never saw.

Each series has 1,201 days and 14 to forecast; a process takes its share of them one after another, as the lesson's
exam does. The line is of processor seconds, which other work on the machine disturbs less than the clock.
A smaller run for tests: bench_prototype.py --sizes 1 4 8 --check 16
"""

import argparse
import ast
import time
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from measure import cpu, peak
from mlworkbook.contract import Forecast, last_day, seen
from mlworkbook.sales import load_sales

LESSON = Path(__file__).parent.parent / "nbs" / "play" / "24_prototype.ipynb"
HORIZON = 14


def prototype() -> Forecast:  # with all that is known in advance and a logarithm, as the lesson chose
    "The lesson's own function, read from the notebook."
    space: dict = {"DAY": pd.Timedelta(days=1)}
    for cell in nbformat.read(LESSON, as_version=4)["cells"]:
        if cell["cell_type"] == "code" and "### BEGIN SOLUTION" not in cell["source"]:
            body = ast.parse(cell["source"]).body
            kept = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)]
            exec(compile(ast.Module(kept, []), "lesson", "exec"), space)
    return partial(space["prototype"], known=["holiday", "promo", "school_holiday"], log=True)


def copies(
    known: pd.DataFrame,  # what was seen of the chain's products
    number: int,  # of series
) -> pd.DataFrame:  # so many; the chain's own come again under another name when they run out
    "As many series as asked for."
    names, parts = known["unique_id"].unique(), []
    for place in range(0, number, len(names)):
        few = known[known["unique_id"].isin(names[: number - place])]
        parts.append(few.assign(unique_id=few["unique_id"] + f"_{place}"))
    return pd.concat(parts, ignore_index=True)


def measure(
    forecast: Forecast,
    history: pd.DataFrame,  # with future rows
    processes: int,
) -> tuple[float, float]:  # seconds, processor seconds
    "Time one run; print it and the highest memory of this process and its children."
    names = history["unique_id"].unique()
    shares = [history[history["unique_id"].isin(few)] for few in np.array_split(names, processes) if len(few)]
    mb: list[float] = []
    start, used = time.perf_counter(), cpu()
    with peak(mb):
        answer = pd.concat(Parallel(n_jobs=processes)(delayed(forecast)(share, HORIZON) for share in shares))
    seconds, spent = time.perf_counter() - start, cpu() - used
    assert len(answer) == len(names) * HORIZON
    kind = "process" if processes == 1 else "processes"
    print(f"{len(names):5} series, {processes} {kind}: {seconds:6.1f} s, {spent:6.1f} CPU s, peak {mb[0]:4.0f} MB")
    return seconds, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 35, 105])
    parser.add_argument("--check", type=int, default=420, help="series of the run that tests the line")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    forecast, sales = prototype(), load_sales(level="product")
    known = seen(sales, last_day(sales) - pd.Timedelta(days=HORIZON), HORIZON)
    measure(forecast, copies(known, 2), 1)  # imports and the first start of Stan are not counted
    used = [measure(forecast, copies(known, number), 1)[1] for number in options.sizes]
    per_series, fixed = np.polyfit(options.sizes, used, 1)
    print(f"seconds = ({fixed:.2f} + {per_series:.3f} x series) / processes")
    measure(forecast, copies(known, 2), options.processes)  # the processes start and import
    seconds, spent = measure(forecast, copies(known, options.check), options.processes)
    expected = fixed + per_series * options.check
    print(f"{options.check} series: {expected:.0f} CPU s expected, {spent:.0f} measured, ratio {spent / expected:.2f}")
    print(f"{options.processes} processes were busy {spent / seconds / options.processes:.0%} of the time")
    print(f"10,000 series: {(fixed + per_series * 10_000) / options.processes / 60:.0f} minutes")


if __name__ == "__main__":
    main()
