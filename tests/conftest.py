"What all tests share: a workspace of their own and no network."

import gc
import logging
import os
import socket
import sqlite3
import sys
from collections import Counter
from contextlib import closing

import matplotlib as mpl
import pytest

mpl.use("agg")
gc.set_threshold(50_000, 20, 50)  # tests leave little behind: to look for it as often as usual takes 6 % of their time
LOOPBACK = ("127.", "localhost", "::1", "0.0.0.0")


def pytest_collection_modifyitems(items):
    "Files with most slow tests come first, so that no process is left alone with one of them at the end."
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    "Make MLflow's tables once: a copy of them takes a hundredth of the time of its fifty migrations."
    copy, make = tmp_path_factory.mktemp("mlflow") / "empty.db", None

    def tables(engine):
        if engine.url.get_backend_name() != "sqlite" or not engine.url.database or "mode" in engine.url.query:
            return make(engine)
        from sqlalchemy import create_engine

        if not copy.exists():
            make(create_engine(f"sqlite:///{copy}"))
        with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(engine.url.database)) as target:
            source.backup(target)

    def patch():
        nonlocal make
        if make is None and (utils := sys.modules.get("mlflow.store.db.utils")):
            make, utils._initialize_tables = utils._initialize_tables, tables

    return patch


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path_factory, empty_store):
    "No test reads or writes the learner's workspace, the caller's settings, another's figure or the network."
    monkeypatch.setenv("MLWORKBOOK_HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("MLWORKBOOK_LANG", "SLIPCOVER_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # for good: a fixture of the next module comes before this one
    connect = socket.socket.connect

    def only_loopback(self, address):
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise OSError(f"a test tried to reach {address}: tests run offline")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_loopback)
    empty_store()
    logging.disable(logging.NOTSET)
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # MLflow writes it too
    if "matplotlib.pyplot" in sys.modules:  # a test draws on axes of its own, whatever ran before it
        sys.modules["matplotlib.pyplot"].close("all")
