"""What the alarms are worth: false alarms in calm years, and days until they ring after each shock.

Every year is of another made-up chain: two years to learn, one of backtest, which sets the limits, and one that is
watched, calm and then with each shock in turn. No seed was used to choose anything. Figures do not depend on the
machine. `--write` renews the table that the lesson and the page of `mlworkbook monitor` quote.
A smaller run for tests: bench_monitor.py --years 1 --series 3
"""

import argparse
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed

from measure import measure
from mlworkbook.course.drills import study, summary
from mlworkbook.ops.files import write_atomic

TABLE = Path(__file__).parent.parent / "mlworkbook" / "data" / "monitor.csv"
FIRST_SEED = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=50, help="made-up chains, a calm year of each")
    parser.add_argument("--series", type=int, default=10, help="stores of a chain")
    parser.add_argument("--false-alarms", type=float, default=1.0, help="mornings a month that may ring for nothing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write mlworkbook/data/monitor.csv")
    options = parser.parse_args()
    settings = {"series": options.series, "false_alarms": options.false_alarms}
    seeds = range(FIRST_SEED, FIRST_SEED + options.years)
    many = Parallel(n_jobs=options.workers)
    parts, _ = measure("all years", lambda: many(delayed(study)(seed, **settings) for seed in seeds))
    table = summary(pd.concat(parts))
    print(table.to_string(index=False))
    if options.write:
        write_atomic(TABLE, table.to_csv(index=False, lineterminator="\n").encode())


if __name__ == "__main__":
    main()
