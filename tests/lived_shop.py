"A made-up shop that is lived evening by evening: what its till sends, what is typed, and three ways to type it."

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mlworkbook import decisions, pipeline, publishing, watching
from mlworkbook.ops.errors import DataError, Refused
from mlworkbook.retraining import journal
from mlworkbook.sales import load_sales, make_sales
from mlworkbook.tracking import connect

COMMAND = Path(sys.executable).parent / "mlworkbook"
NAME, HORIZON, START, SEED = "shop", 7, "2023-05-02", 41
EXAM = {"initial": 150, "period": 24}
CALM, FALL, OPENS, SHUTS, UNPLANNED, CORRECTED = map(
    pd.Timestamp, ("2023-12-01", "2023-12-21", "2023-12-22", "2023-12-23", "2023-12-24", "2023-12-27")
)


def till(evening, *, copies=1):
    "Sales until an evening, as the till sends them, and the plan of the next days."
    evening = pd.Timestamp(evening)
    rows = make_sales(SEED, series=4, days=260, start=START)
    rows["y"] = rows["y"].mask(rows["ds"] >= FALL, (rows["y"] * 0.9).round())
    rows = rows[(rows["unique_id"] != "S04") | (rows["ds"] >= OPENS)]
    rows = rows[(rows["unique_id"] != "S03") | (rows["ds"] <= SHUTS) | (evening <= SHUTS)]
    rows = rows[(rows["unique_id"] != "S04") | (evening >= OPENS)]
    rows = rows[rows["ds"] <= evening + pd.Timedelta(days=HORIZON)]
    if evening >= CORRECTED:  # a box that was found later
        rows["y"] = rows["y"].mask((rows["unique_id"] == "S01") & rows["ds"].eq("2023-12-12"), rows["y"] + 30)
    ahead = rows["ds"] > evening
    rows["promo"] = rows["promo"].astype(object).mask(ahead & (evening >= UNPLANNED), "")
    rows = rows.assign(y=rows["y"].astype(object).mask(ahead, ""))
    return pd.concat([rows] * copies)


@dataclass(frozen=True)
class Evening:
    "What happens on one day: what the till sends, what is typed in the evening, and in the morning after."

    date: str  # of the evening
    typed: tuple[tuple[str, ...], ...]  # commands; the first word may be a number, the exit code that is expected
    sent: str = ""  # last day with sales of the file that is there; the evening's own when omitted
    copies: int = 1  # how often each row is in it
    rang: str = ""  # kind of alarm that must ring on the morning after


DROP = "--drop-ended"
LIFE = (
    Evening("2023-12-18", (("train", "--recipe", "seasonal_naive"), ("forecast",))),
    Evening("2023-12-19", (("run",),)),
    Evening("2023-12-20", (("forecast",),), sent="2023-12-19", rang="freshness"),  # the till's file does not come
    Evening("2023-12-21", (("run",), ("train", "--recipe", "mstl"), ("3", "promote"))),  # sales fall 10 %
    Evening("2023-12-22", (("run",),)),  # S04 opens
    Evening("2023-12-23", (("forecast",),)),
    Evening("2023-12-24", (("2", "run", DROP),), copies=2, rang="freshness"),  # each row twice
    Evening("2023-12-24", (("2", "run"), ("run", DROP))),  # S03 has closed; from here on nobody plans promotions
    Evening("2023-12-25", (("forecast", DROP),)),  # Christmas
    Evening("2023-12-26", (("rollback", "--reason", "no bread on Sundays"), ("forecast", DROP), ("run", DROP))),
    Evening("2023-12-27", (("retrain", DROP), ("forecast", DROP))),  # a day of the past is corrected
)


@dataclass
class Day:
    "What is there after an evening and its morning."

    evening: Evening
    codes: list[int]  # exit codes of what was typed, the morning's last
    said: list[dict]  # what each command said as JSON, {} when it said nothing
    nights: dict[str, bytes]  # by date
    decisions: list[tuple]  # date, action, version, previous, verdict: of the journal
    versions: dict[int, str]  # number and lineage of every registered version
    limits: bytes = b""  # of the alarms

    @property
    def state(self) -> tuple:
        "All that must not depend on how it was typed."
        return self.nights, self.decisions, self.versions, self.limits


@dataclass
class Shop:
    "A shop whose commands are typed, each in a process of its own."

    folder: Path
    took: dict[tuple, float] = field(default_factory=dict)  # seconds of each command, by its words and day

    @property
    def home(self) -> Path:
        "The workspace."
        return self.folder / "home"

    @property
    def sales(self) -> Path:
        "The file that the till sends."
        return self.folder / "shop.csv"

    def words(self, command, today):
        "A command line."
        if command[0] == "rollback":
            return [*command, "--name", NAME, "--json"]
        exam = [word for name, days in EXAM.items() for word in (f"--{name}", str(days))]
        about = ["--data", str(self.sales), "--name", NAME, "--today", f"{today:%Y-%m-%d}"]
        return [*command, *about, "--horizon", str(HORIZON), "--workers", "1", *exam, "--json"]

    def start(self, command, today):
        "Type a command."
        env = os.environ | {"MLWORKBOOK_HOME": str(self.home), "OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([COMMAND, *self.words(command, today)], env=env, **pipes)

    def type(self, command, today):  # exit code, and what it said
        "Type a command and wait until it ends."
        began, running = time.monotonic(), self.start(command, today)
        out, err = running.communicate(timeout=280)
        self.took[command, today] = time.monotonic() - began
        assert "Traceback" not in err and running.returncode in (0, 2, 3, 4), err
        return running.returncode, json.loads(out) if out else {}

    def live(self, evenings=LIFE):
        "Live evening after evening, and the morning after each."
        for evening in evenings:
            today = pd.Timestamp(evening.date)
            till(evening.sent or today, copies=evening.copies).to_csv(self.sales, index=False)
            codes, said = [], []
            drop = (DROP,) if today >= UNPLANNED else ()
            for command in (*evening.typed, ("monitor", *drop)):
                morning = command[0] == "monitor"
                code, found = self.type(command[command[0].isdecimal() :], today + pd.Timedelta(days=int(morning)))
                codes.append(code)
                said.append(found)
            yield self.look(evening, codes, said)

    def look(self, evening, codes, said):
        "See what is there."
        folder = self.home / "out" / NAME
        nights = {path.parent.name[5:]: path.read_bytes() for path in folder.glob("forecast/*/forecast.parquet")}
        done = [one for one in journal(self.home / "retrain" / NAME) if one.action not in ("begun", "going back")]
        decisions = [(one.date, one.action, one.version, one.previous, one.verdict) for one in done]
        client = connect(self.home)
        versions = {int(one.version): one.tags["lineage"] for one in client.search_model_versions(f"name = '{NAME}'")}
        limits = folder / "limits.json"
        kept = limits.read_bytes() if limits.is_file() else b""
        return Day(evening, codes, said, dict(sorted(nights.items())), decisions, dict(sorted(versions.items())), kept)


@dataclass
class KilledShop(Shop):
    "The same, but every command is killed some times before it may end."

    seed: int = 0
    times: int = 1  # that each command is killed
    usual: dict[tuple, float] = field(default_factory=dict)  # seconds that each command takes
    killed: list[float] = field(default_factory=list)  # instants, seconds after the start

    def type(self, command, today):
        "Start a command, kill it at a random instant, and type it again."
        rng = random.Random(f"{self.seed} {command} {today}")
        for _ in range(self.times):
            instant, running = rng.uniform(0.1, 0.9) * self.usual[command, today], self.start(command, today)
            try:
                running.wait(instant)
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                self.killed.append(instant)
            running.communicate()
        return super().type(command, today)


@dataclass
class SpokenShop(Shop):
    "The same in one Python process, with the functions of the pipeline."

    def type(self, command, today):
        "Call the function behind a command; its exit code is what became of it."
        name, *rest = command
        where, agreed = {"home": self.home}, decisions.Agreed(horizon=HORIZON, rest=7, **EXAM)
        history, who = None, f"mlworkbook {name}"
        try:
            if name == "rollback":
                decisions.rollback(NAME, reason=rest[1], who=who, **where)
                return 0, {}
            ended = DROP in rest
            history = load_sales(self.sales, horizon=HORIZON, ended="drop" if ended else "error")
            tonight = {"ended": ended, "today": today} | where
            if name == "run":
                night = pipeline.run_evening(NAME, history, agreed, who=who, **tonight).night
                return 0, {"forecast": {"state": night.state}}
            if name == "forecast":
                night = publishing.publish(NAME, history, horizon=HORIZON, **tonight)
                return 0, {"forecast": {"state": night.state}}
            if name == "train":
                pipeline.examine_and_train(NAME, history, agreed, row=rest[1], **where)
                return 0, {}
            if name == "monitor":
                rang = watching.watch(NAME, history, today=today, horizon=HORIZON, **where).alarms
                return 4 if len(rang) else 0, {}
            if name == "promote":
                done = pipeline.promote(NAME, history, agreed, who=who, **where)[1]
            else:
                done = pipeline.retrain(NAME, history, agreed, who=who, **where)
            return 3 if done.action == "refused" else 0, {}
        except Refused:
            return 3, {}
        except (DataError, ValueError):
            return 2, {}
