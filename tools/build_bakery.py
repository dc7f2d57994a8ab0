"""Rebuild bakery.parquet from the public source distribution.

    pip download --no-deps --no-binary :all: ddop==0.7.6      # sdist, only unpacked, never installed
    tar xzf ddop-0.7.6.tar.gz
    python tools/build_bakery.py ddop-0.7.6/ddop/datasets/data bakery.parquet

Every column of the source is kept as it came (the wrong `weekday` too: see SOURCE.md);
only the two files are joined, types are narrowed and rows are sorted.
"""

import sys
from pathlib import Path

import pandas as pd

source, target = map(Path, sys.argv[1:])
raw = pd.read_csv(source / "bakery_data.csv", parse_dates=["date"])
raw["demand"] = pd.read_csv(source / "bakery_target.csv")["demand"]
raw = raw.drop(columns=["month", "year"])
flags = [c for c in raw if c.startswith(("is_", "promotion_"))]
raw = raw.astype({c: "int8" for c in flags} | {"store": "int16", "product": "int16"})
raw = raw.sort_values(["store", "product", "date"], ignore_index=True)
raw.to_parquet(target, index=False, compression="zstd")
