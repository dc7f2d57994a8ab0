"""Many series on every engine: seconds, processor seconds and memory; then ten thousand series from file to file.

Walls are of one run on one machine, so read the ratio; processor seconds hardly depend on who else works there.
The start of processes and of Spark is told apart, as it does not grow with the series.
A smaller run for tests: bench_scale.py --series 4 --many 40
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from loky import get_reusable_executor

from measure import cpu, measure
from mlworkbook.forecaster import prophet_forecast
from mlworkbook.sales import make_sales
from mlworkbook.scale import forecast_many
from mlworkbook.solver import solver_forecast

HORIZON = 14


def write_many(
    path: Path,
    series: int,
    days: int,
) -> Path:
    "Write made-up sales piece by piece, so that nobody holds them all."
    writer = None
    for seed, first in enumerate(range(0, series, 500)):
        rows = make_sales(seed, series=min(500, series - first), days=days, horizon=HORIZON)
        rows["unique_id"] = f"{seed:04d}-" + rows["unique_id"]
        table = pa.Table.from_pandas(rows, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()
    return path


def engines(series: int, workers: int, spark: bool) -> None:
    "The same series on every engine."
    history = make_sales(38, series=series, days=968, horizon=HORIZON)
    tiny = make_sales(0, series=2 * workers, days=100, horizon=HORIZON)
    prophet_forecast(tiny[tiny["unique_id"] == "S01"], HORIZON)  # imported before the clock starts
    options = {"workers": workers, "batch": max(1, min(10, series // (2 * workers)))}
    print(f"{series} series of 968 days, Prophet, {workers} processes, load {os.getloadavg()[0]:.1f}")
    one, alone = measure("serial", lambda: forecast_many(history, prophet_forecast, HORIZON, **options))
    start = options | {"batch": 1}
    measure("start of the processes", lambda: forecast_many(tiny, prophet_forecast, HORIZON, "processes", **start))
    two, both = measure("processes", lambda: forecast_many(history, prophet_forecast, HORIZON, "processes", **options))
    get_reusable_executor().shutdown(wait=True)
    assert one.forecast.equals(two.forecast) and one.failures.empty and two.failures.empty
    print(f"processes are {alone / both:.2f} times as fast as serial")
    if spark:
        from mlworkbook.ops.spark import spark_session

        begin, used = time.perf_counter(), cpu()
        session = spark_session(f"local[{workers},4]")
        print(f"{'Spark session':<36} {time.perf_counter() - begin:6.1f} s   {cpu() - used:6.1f} CPU s")
        options["session"] = session
        start = options | {"batch": 1}
        measure("first job of Spark", lambda: forecast_many(tiny, prophet_forecast, HORIZON, "spark", **start))
        three, _ = measure("spark", lambda: forecast_many(history, prophet_forecast, HORIZON, "spark", **options))
        assert one.forecast.equals(three.forecast)
        session.stop()


def flat(many: int, workers: int) -> None:
    "A quarter of the series, then all of them, from a file into a folder, with the exact solver and its intervals."
    with TemporaryDirectory() as room:
        for series in (many // 4, many):
            path = Path(room, f"{series}.parquet")
            with ProcessPoolExecutor(1, get_context("spawn")) as writer:  # its memory is not that of the job
                writer.submit(write_many, path, series, 730).result()
            options = {"workers": workers, "folder": Path(room, str(series))}
            result, _ = measure(
                f"{series} series, file to file",
                lambda path=path, options=options: forecast_many(
                    path, solver_forecast, HORIZON, "processes", **options
                ),
            )
            get_reusable_executor().shutdown(wait=True)
            assert result.failures.empty and sum(len(part) for part in result) == series * HORIZON


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=200, help="of Prophet, on every engine; 0 leaves it out")
    parser.add_argument("--many", type=int, default=10_000, help="from file to file; 0 leaves it out")
    parser.add_argument("--no-spark", action="store_true", help="without Spark, and so without Java")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.series:
        engines(options.series, options.workers, not options.no_spark)
    if options.many:
        flat(options.many, options.workers)


if __name__ == "__main__":
    main()
