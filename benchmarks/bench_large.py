"""A chain as large as M5 through `publish`, from a file that nobody holds: seconds, processor seconds and memory.

Its sales are made up: a level for each series, weekdays, a year, the noise of counts, and so many days of zeros.
Walls are of one run on a machine that others may use, so what the others took of it is told too. A champion is
registered with a hundred of the series; the others are new to it.
A smaller run for tests: bench_large.py --series 500 --days 400 --champion solver
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from measure import cpu, measure
from mlworkbook.pipeline import train
from mlworkbook.publishing import GROUP, Night, publish
from mlworkbook.recipes import Recipe, default_recipes, team_of

SERIES, DAYS, HORIZON = 30_490, 1_941, 28
CHAMPIONS = {"solver": (Recipe("prophet"), 4), "team": (team_of(default_recipes()), 20)}  # minutes promised
MEMORY = 4096  # MB promised
SCHEMA = pa.schema(
    [("unique_id", pa.dictionary(pa.int32(), pa.string())), ("ds", pa.timestamp("us")), ("y", pa.float32())]
)


def units(
    seed: int,
    series: int,
    days: int,
) -> np.ndarray:  # a row for each series
    "Sales of some series: from one unit a week to dozens a day."
    luck, day = np.random.default_rng(seed), np.arange(days)
    level = luck.lognormal(0.5, 1.2, (series, 1))
    week = luck.uniform(0.6, 1.4, (series, 7))[:, day % 7]
    summer = luck.uniform(0, 0.4, (series, 1)) * np.sin(2 * np.pi * (day / 365.25 + luck.random((series, 1))))
    empty = luck.random((series, days // 28 + 1))[:, day // 28] < 0.05  # nothing on the shelf for a while
    return np.where(empty, 0, luck.poisson(level * week * (1 + summer))).astype("float32")


def write_sales(
    path: Path,
    series: int,
    days: int,
) -> None:
    "Write the file group by group."
    ds = np.datetime64("2011-01-29", "us") + np.arange(days).astype("timedelta64[D]")
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for first in range(0, series, GROUP):
            count = min(GROUP, series - first)
            names = pa.array([f"S{number:05d}" for number in range(first, first + count)])
            codes = pa.array(np.repeat(np.arange(count, dtype="int32"), days))
            columns = [
                pa.DictionaryArray.from_arrays(codes, names),
                np.tile(ds, count),
                units(first, count, days).ravel(),
            ]
            writer.write_table(pa.table(columns, schema=SCHEMA))


def busy() -> float:
    "Processor seconds that the whole machine has worked."
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0) - getattr(times, "guest", 0)


def night(
    name: str,
    path: Path,
    home: Path,
    workers: int,
) -> Night:
    "Register a champion with some of the series, then publish the file."
    recipe, minutes = CHAMPIONS[name]
    some = pd.read_parquet(path, filters=[("unique_id", "<", "S00100")])
    train(some, recipe, name=name, horizon=HORIZON, workers=workers, home=home)
    others, own, load = busy(), cpu(), os.getloadavg()[0]
    done, seconds = measure(
        f"{name}, limit {60 * minutes} s, {MEMORY} MB",
        lambda: publish(name, path, horizon=HORIZON, workers=workers, home=home),
    )
    others = busy() - others - (cpu() - own)
    taken = f"{others / seconds:.1f} of {os.cpu_count()} processors"
    print(f"  {done.rows} rows {done.state}; others took {taken}, load {load:.1f} before")
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=SERIES)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--champion", choices=[*CHAMPIONS, "all"], default="all")
    options = parser.parse_args()
    with TemporaryDirectory() as room:
        path = Path(room, "sales.parquet")
        write_sales(path, options.series, options.days)
        size = f"{path.stat().st_size / 1e6:.0f} MB"
        print(f"{options.series} series of {options.days} days, a file of {size}, {options.workers} processes")
        for name in CHAMPIONS if options.champion == "all" else [options.champion]:
            done = night(name, path, Path(room), options.workers)
            again, _ = measure(
                f"{name}, once more",
                lambda name=name: publish(name, path, horizon=HORIZON, workers=options.workers, home=room),
            )
            assert (done.state, again.state) == ("written", "unchanged")
            assert done.rows == options.series * HORIZON


if __name__ == "__main__":
    main()
