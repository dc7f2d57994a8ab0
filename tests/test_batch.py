"The nightly forecast: whole files or none, a restart that continues, one writer, a page that needs nothing else."

import os
import shlex
import shutil
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlworkbook.batch import Batch, as_of, complete, fingerprint, run_batch, write_night
from mlworkbook.intake import look
from mlworkbook.ops.files import only_one, write_atomic
from mlworkbook.report import write_night_page


def shop(series=7, days=60, ahead=14, seed=0):
    "History with a calendar that reaches `ahead` days beyond the last sale."
    rng = np.random.default_rng(seed)
    ds = pd.date_range("2024-01-01", periods=days + ahead)
    frames = []
    for number in range(series):
        closed = (ds.dayofweek == 6) & (number % 2 == 0)
        y = np.where(closed, 0.0, rng.integers(10, 90, len(ds)).astype(float))
        y[days:] = np.nan
        frames.append(pd.DataFrame({"unique_id": f"S{number:02d}", "ds": ds, "y": y, "closed": closed, "promo": 0.0}))
    return pd.concat(frames, ignore_index=True)


def steady(history, horizon):
    "Mean of each series on every day to come."
    sold = history.dropna(subset="y")
    days = pd.date_range(sold["ds"].max(), periods=horizon + 1)[1:]
    means = sold.groupby("unique_id")["y"].mean()
    frames = [
        pd.DataFrame({"unique_id": name, "ds": days, "yhat": mean, "status": "model"}) for name, mean in means.items()
    ]
    return pd.concat(frames, ignore_index=True)


def listing(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def run(history, folder, forecast=steady, **options):
    options = {"model": "steady", "size": 2} | options
    if not isinstance(history, Path):
        return run_batch(history, forecast, 14, folder, **options)
    return write_night(look(history, 14, **options), lambda: forecast, folder, workers=options.get("workers", 1))


class TestAsOf:
    def test_hides_what_came_later(self):
        known = as_of(shop(), 14, "2024-02-10")
        assert known.loc[known["ds"] > "2024-02-10", "y"].isna().all()
        assert known["ds"].max() == pd.Timestamp("2024-02-24")
        assert known["closed"].notna().all()

    def test_leaves_out_series_not_yet_on_sale(self):
        history = shop(series=2)
        late = history[(history["unique_id"] == "S00") | (history["ds"] > "2024-02-15")]
        assert set(as_of(late, 7, "2024-02-10")["unique_id"]) == {"S00"}
        assert set(as_of(late, 7, "2024-02-20")["unique_id"]) == {"S00", "S01"}

    def test_needs_no_calendar_when_the_history_has_none(self):
        bare = shop()[["unique_id", "ds", "y"]].dropna()
        assert as_of(bare, 14, "2024-02-10")["ds"].max() == pd.Timestamp("2024-02-10")

    @pytest.mark.parametrize("date", ["2023-12-31", "2024-03-01"])
    def test_refuses_a_date_without_sales(self, date):
        with pytest.raises(ValueError, match=f"date is {date}, expected a day with sales, 2024-01-01 to 2024-02-29"):
            as_of(shop(), 14, date)

    def test_refuses_a_calendar_that_ends_too_soon(self):
        with pytest.raises(ValueError, match="horizon"):
            as_of(shop(), 15)


class TestComplete:
    def test_names_what_is_missing(self):
        history = shop(series=2)
        with pytest.raises(ValueError, match="lacks 1 days, first: S01 on 2024-03-14"):
            complete(steady(history, 14).iloc[:-1], history, 14)

    def test_names_what_nobody_asked_for(self):
        history = shop(series=2)
        with pytest.raises(ValueError, match="has, without being asked, 2 days, first: S00 on 2024-03-14"):
            complete(steady(history, 14), history, 13)

    def test_refuses_a_forecast_without_a_number(self):
        history = shop(series=1)
        with pytest.raises(ValueError, match="yhat"):
            complete(steady(history, 14).assign(yhat=np.nan), history, 14)


def test_fingerprint_sees_every_input():
    history = shop(series=1)
    reference = fingerprint(history, 14, "a")
    changed = history.copy()
    changed.loc[3, "y"] += 1e-9
    calendar = history.copy()
    calendar.loc[len(calendar) - 1, "promo"] = 1.0
    others = [
        (changed, 14, "a"),
        (calendar, 14, "a"),
        (history, 13, "a"),
        (history, 14, "b"),
        (history.iloc[:-1], 14, "a"),
    ]
    others.append((history.rename(columns={"promo": "other"}), 14, "a"))
    marks = [fingerprint(*other) for other in others]
    assert len({reference, *marks}) == 1 + len(others)
    assert fingerprint(history.copy(), 14, "a") == reference


class TestRunBatch:
    def test_writes_every_series_and_day_once(self, tmp_path):
        done = run(shop(), tmp_path)
        assert done == Batch(tmp_path / "date=2024-02-29" / "forecast.parquet", "written", 98, 4, 0)
        table = pd.read_parquet(tmp_path)
        assert len(table) == 98 and not table.duplicated(["date", "unique_id", "ds"]).any()
        assert set(table["model"]) == {"steady"} and str(table["ds"].dtype) == "datetime64[ns]"
        assert sorted(listing(tmp_path)) == [".lock", "date=2024-02-29/forecast.parquet"]

    def test_second_run_changes_nothing(self, tmp_path):
        path = run(shop(), tmp_path).path
        before = (path.read_bytes(), path.stat().st_mtime_ns)

        def never(history, horizon):
            raise AssertionError("asked again")

        assert run(shop(), tmp_path, never).state == "unchanged"
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before

    def test_row_order_is_no_change(self, tmp_path):
        run(shop(), tmp_path)
        assert run(shop().sample(frac=1, random_state=1), tmp_path).state == "unchanged"

    @pytest.mark.parametrize("change", [{"model": "other"}, {"history": "seed"}])
    def test_other_model_or_data_replace_the_night(self, tmp_path, change):
        run(shop(), tmp_path)
        history = shop(seed=1) if "history" in change else shop()
        done = run(history, tmp_path, model=change.get("model", "steady"))
        assert done.state == "replaced"
        table = pd.read_parquet(tmp_path)
        assert len(table) == 98 and set(table["model"]) == {change.get("model", "steady")}
        fresh = run(history, tmp_path / "fresh", model=change.get("model", "steady"))
        assert fresh.path.read_bytes() == done.path.read_bytes()

    def test_nights_are_one_data_set(self, tmp_path):
        for date in ("2024-02-10", "2024-02-11", "2024-02-12"):
            run(shop(), tmp_path, date=date)
        table = pd.read_parquet(tmp_path)
        assert table.groupby("date", observed=True).size().to_dict() == dict.fromkeys(
            ["2024-02-10", "2024-02-11", "2024-02-12"], 98
        )
        assert len(pd.read_parquet(tmp_path, filters=[("date", "=", "2024-02-11")])) == 98

    def test_nights_of_different_models_share_columns(self, tmp_path):
        run(shop(), tmp_path, date="2024-02-10")
        run(
            shop(),
            tmp_path,
            lambda history, horizon: (
                steady(history, horizon).assign(yhat_lower=0.0, yhat_upper=99.0).drop(columns="status")
            ),
            date="2024-02-11",
        )
        table = pd.read_parquet(tmp_path)
        assert table["yhat_lower"].notna().sum() == table["status"].isna().sum() == 98

    def test_failing_model_publishes_nothing_and_keeps_yesterday(self, tmp_path):
        run(shop(), tmp_path, date="2024-02-28")
        before = listing(tmp_path)

        def fails(history, horizon):
            if "S04" in set(history["unique_id"]):
                raise ValueError("no luck")
            return steady(history, horizon)

        with pytest.raises(ValueError, match="no luck"):
            run(shop(), tmp_path, fails)
        shown = {name: content for name, content in listing(tmp_path).items() if not name.startswith(".date=")}
        assert shown == before and len(pd.read_parquet(tmp_path)) == 98
        done = run(shop(), tmp_path)
        assert (done.state, done.made, done.kept) == ("written", 2, 2)

    def test_incomplete_forecast_publishes_nothing(self, tmp_path):
        with pytest.raises(ValueError, match="lacks 1 days"):
            run(shop(), tmp_path, lambda history, horizon: steady(history, horizon).iloc[1:])
        assert set(listing(tmp_path)) == {".lock"}

    def test_workshop_of_other_data_is_not_reused(self, tmp_path):
        def fails(history, horizon):
            if "S06" in set(history["unique_id"]):
                raise ValueError("no luck")
            return steady(history, horizon)

        with pytest.raises(ValueError, match="no luck"):
            run(shop(seed=1), tmp_path, fails)
        done = run(shop(), tmp_path)
        assert (done.made, done.kept) == (4, 0)
        assert done.path.read_bytes() == run(shop(), tmp_path / "calm").path.read_bytes()

    @pytest.mark.parametrize("size", [1, 3, 50])
    def test_other_group_size_gives_the_same_rows(self, tmp_path, size):
        for number in (2, size):
            run(shop(), tmp_path / "two", size=number)
        run(shop(), tmp_path / "calm", size=7)
        calm, two = pd.read_parquet(tmp_path / "calm"), pd.read_parquet(tmp_path / "two")
        pd.testing.assert_frame_equal(calm, two)

    def test_damaged_file_is_written_again(self, tmp_path):
        path = run(shop(), tmp_path).path
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        run(shop(), tmp_path)
        assert path.read_bytes() == whole

    def test_reader_sees_whole_nights_only(self, tmp_path):
        run(shop(), tmp_path, model="0")
        seen, stop = [], threading.Event()

        def read():
            while not stop.is_set():
                table = pd.read_parquet(tmp_path / "date=2024-02-29" / "forecast.parquet")
                seen.append((len(table), table["model"].nunique()))

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(1, 6):
            run(shop(), tmp_path, model=str(number))
        stop.set()
        reader.join()
        assert set(seen) == {(98, 1)}


def in_process(code, *arguments, timeout=100):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def crowd(history, horizon):
    "What a series gets depends on the others of its group."
    made = steady(history, horizon)
    return made.assign(yhat=made["yhat"] + made["yhat"].mean())


@pytest.fixture
def files(tmp_path):
    "The shop in a file, and in a folder of two; a series is torn apart by row groups, `promo` is not planned for all."
    history = shop()
    unplanned = history["unique_id"].gt("S03") & history["y"].isna()
    table = pa.Table.from_pandas(history.assign(promo=history["promo"].mask(unplanned)), preserve_index=False)
    table = table.set_column(4, "promo", table["promo"].cast("int8")).replace_schema_metadata(None)
    table = table.set_column(0, "unique_id", table["unique_id"].dictionary_encode())
    pq.write_table(table, tmp_path / "shop.parquet", row_group_size=50)
    (tmp_path / "shop").mkdir()
    for number, rows in enumerate((table[:148], table[148:])):
        pq.write_table(rows, tmp_path / "shop" / f"{number}.parquet")
    return {"frame": pd.read_parquet(tmp_path / "shop.parquet")} | {
        kind: tmp_path / name for kind, name in (("file", "shop.parquet"), ("folder", "shop"))
    }


class TestFiles:
    @pytest.mark.parametrize("workers", [1, 2])
    @pytest.mark.parametrize("kind", ["frame", "file", "folder"])
    def test_same_bytes_whoever_works_and_wherever_they_lie(self, files, kind, workers, tmp_path):
        calm = run(files["frame"], tmp_path / "calm", crowd)
        done = run(files[kind], tmp_path / "nights", crowd, workers=workers)
        assert (done.state, done.made, done.rows) == ("written", 4, 98)
        assert done.path.read_bytes() == calm.path.read_bytes()
        assert run(files[kind], tmp_path / "nights", crowd, workers=workers).state == "unchanged"
        assert sorted(listing(tmp_path / "nights")) == [".lock", "date=2024-02-29/forecast.parquet"]

    def test_what_was_done_is_not_done_again(self, files, tmp_path):
        asked = []

        def mortal(history, horizon):
            asked.extend(history["unique_id"].unique())
            if "S05" in asked:
                raise KeyboardInterrupt
            return crowd(history, horizon)

        with pytest.raises(KeyboardInterrupt):
            run(files["file"], tmp_path / "nights", mortal)
        done = run(files["folder"], tmp_path / "nights", crowd, workers=2)
        assert asked[-2:] == ["S04", "S05"] and (done.made, done.kept) == (2, 2)
        assert done.path.read_bytes() == run(files["frame"], tmp_path / "calm", crowd).path.read_bytes()

    @pytest.mark.parametrize("workers", [1, 2])
    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            (lambda rows: rows[rows.index != 100], "days are missing"),
            (lambda rows: rows.assign(y=rows["y"].mask(rows.index == 370, -1)), "expected 0 or more"),
            (lambda rows: rows[~(rows["unique_id"].eq("S03") & rows["ds"].gt("2024-02-20"))], "same last day"),
            (lambda rows: rows[rows["unique_id"].lt("S02") | rows["ds"].lt("2024-02-20")], "same last day"),
            (lambda rows: rows[rows["ds"].lt("2024-03-10")], "horizon is 14, but .* are known for 9 days after"),
            (lambda rows: rows.assign(y=np.nan), "without sales"),
        ],
        ids=["gap", "negative", "ended", "ended-group", "calendar", "nothing"],
    )
    def test_messages_are_those_of_a_frame(self, spoil, reason, workers, tmp_path):
        bad = spoil(shop())
        bad.to_parquet(tmp_path / "bad.parquet", index=False)
        with pytest.raises(ValueError, match=reason) as frame:
            run(bad, tmp_path / "nights")
        with pytest.raises(ValueError, match=reason) as file:
            run(tmp_path / "bad.parquet", tmp_path / "nights", workers=workers)
        assert file.type is frame.type and getattr(file.value, "ways", ()) == getattr(frame.value, "ways", ())
        first = {name for name in bad["unique_id"].unique() if name in str(file.value)}
        assert len(first) <= 1 and all(name in str(frame.value) for name in first)
        assert not (tmp_path / "nights").exists()

    def test_the_first_fault_of_the_file_is_told(self, tmp_path):
        shop().drop(index=[100, 300, 500]).to_parquet(tmp_path / "bad.parquet", index=False)
        for _ in range(3):
            with pytest.raises(ValueError, match="first S01, 2024-01-28"):
                run(tmp_path / "bad.parquet", tmp_path, workers=2)

    def test_order_of_the_rows(self, tmp_path):
        history = shop()
        torn = pd.concat([history, history[history["unique_id"] == "S02"]])
        turned = history.sort_values("unique_id", ascending=False, kind="stable")
        for rows, reason in (
            (torn, "the rows of S02 in shop.parquet are not together"),
            (turned, "S03 comes after S06 in shop.parquet, expected series in the order of their names; sort the rows"),
        ):
            rows.to_parquet(tmp_path / "shop.parquet", index=False)
            with pytest.raises(ValueError, match=reason):
                run(tmp_path / "shop.parquet", tmp_path)

    def test_a_file_ends_where_it_ends(self, files, tmp_path):
        assert look(files["file"], 14, model="m", date="2024-02-29").names == [f"S{number:02d}" for number in range(7)]
        with pytest.raises(ValueError, match="date is 2024-02-10, but shop.parquet ends on 2024-02-29; cut the file"):
            run(files["file"], tmp_path, date="2024-02-10")

    def test_a_file_that_changes_meanwhile_publishes_nothing(self, files, tmp_path):
        known = look(files["file"], 14, model="m", size=2)
        shop(seed=1).to_parquet(files["file"], index=False)
        with pytest.raises(ValueError, match="the file changed while it was read; run the night again"):
            write_night(known, lambda: steady, tmp_path / "nights")
        assert set(listing(tmp_path / "nights")) == {".lock"}

    def test_hard_to_believe_is_said_once(self, tmp_path):
        history = shop()
        history.loc[[30, 31, 400], "y"] = 1e6
        history["closed"] &= ~history.index.isin([30, 31, 400])
        history.to_parquet(tmp_path / "shop.parquet", index=False)
        with pytest.warns(UserWarning, match="history: .* first S00 on 2024-01-31") as said:
            run(tmp_path / "shop.parquet", tmp_path, workers=2)
        assert len(said) == 1

    def test_a_frame_of_one_group_needs_no_process(self, tmp_path):
        asked = []
        done = run(shop(), tmp_path, lambda *given: asked.append(given) or steady(*given), size=7, workers=2)
        assert done.made == 1 and len(asked) == 1


HEAVY = """
import resource, sys
from pathlib import Path
from mlworkbook.baselines import seasonal_naive
from mlworkbook.batch import write_night
from mlworkbook.intake import look

known = look(Path(sys.argv[1]), 14, model="m", size=100)
done = write_night(known, lambda: seasonal_naive, Path(sys.argv[2]))
print(done.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    days, peaks = 1000, []
    for series in (300, 3000):
        path = tmp_path / f"{series}.parquet"
        with pq.ParquetWriter(path, pa.schema([("unique_id", "str"), ("ds", pa.timestamp("us")), ("y", "f4")])) as file:
            for first in range(0, series, 100):
                rows = shop(series=100, days=days, ahead=0, seed=first)[["unique_id", "ds", "y"]]
                rows["unique_id"] = f"{first:05d}-" + rows["unique_id"]
                file.write_table(pa.Table.from_pandas(rows, file.schema, preserve_index=False))
        done = in_process(HEAVY, path, tmp_path / str(series))
        assert done.returncode == 0, done.stderr
        rows, peak = map(int, done.stdout.split())
        assert rows == series * 14
        peaks.append(peak / 1024)
    held = 3000 * days * 24 / 1e6  # MB, of one copy without the names
    assert peaks[1] - peaks[0] < held, peaks


class TestOneAtATime:
    def test_second_process_is_refused(self, tmp_path):
        code = "import sys; from pathlib import Path; from mlworkbook.batch import only_one\n"
        code += "with only_one(Path(sys.argv[1])): pass"
        with only_one(tmp_path):
            refused = in_process(code, tmp_path)
        assert refused.returncode == 1 and "BlockingIOError" in refused.stderr
        assert (
            f"another process is writing in {tmp_path}; wait until it ends or choose another folder" in refused.stderr
        )
        assert in_process(code, tmp_path).returncode == 0

    def test_second_batch_is_refused_and_changes_nothing(self, tmp_path):
        run(shop(), tmp_path)
        before = listing(tmp_path)
        with only_one(tmp_path), pytest.raises(BlockingIOError, match="another process is writing"):
            run(shop(), tmp_path, model="other")
        assert listing(tmp_path) == before

    def test_lock_of_a_killed_process_does_not_block(self, tmp_path):
        code = """
import os, signal, sys
from pathlib import Path
from mlworkbook.ops.files import only_one
with only_one(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""
        assert in_process(code, tmp_path).returncode < 0
        assert run(shop(), tmp_path).state == "written"


TESTS = Path(__file__).parent
WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
from test_batch import run, shop
try:
    run(shop(), sys.argv[2])
except OSError as error:
    print(error.strerror)
"""


def on_a_disk(folder, options, code=WRITE, before="true", after="true"):
    "Run code on a small disk of its own, mounted in a private name space; skip where that is not allowed."
    if not shutil.which("unshare"):
        pytest.skip("unshare is missing: cannot mount a small disk")
    folder.mkdir()
    where, python = shlex.quote(str(folder)), shlex.quote(sys.executable)
    mount = f"mount -t tmpfs -o {options} tmpfs {where}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    work = f'{before} && {python} -c "$CODE" {shlex.quote(str(TESTS))} {where}'
    script = f"{mount} && {work}; echo ---; {after}; ls -AR {where}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"CODE": code},
    )
    assert not done.stderr, done.stderr
    return done.stdout.replace(str(folder), "DISK").split("---\n")


class TestFoldersThatCannotBeWritten:
    def test_file_in_the_place_of_a_folder(self, tmp_path):
        place = tmp_path / "file"
        place.write_text("mine")
        with pytest.raises(
            OSError, match="cannot write in .*file: .*exists; what was there before is unchanged.*another folder"
        ):
            run(shop(), place)
        assert place.read_text() == "mine"

    def test_file_above_the_folder(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(OSError, match="cannot write in .*Not a directory"):
            run(shop(), tmp_path / "file" / "nights")

    def test_folder_in_the_place_of_the_file(self, tmp_path):
        (tmp_path / "date=2024-02-29" / "forecast.parquet").mkdir(parents=True)
        with pytest.raises(OSError, match="cannot write in .*date=2024-02-29"):
            run(shop(), tmp_path)

    def test_read_only_disk(self, tmp_path):
        said, left = on_a_disk(tmp_path / "disk", "ro")
        assert said.startswith("cannot write in DISK: Read-only file system; what was there before is unchanged")
        assert left.split() == ["DISK:"]

    @pytest.mark.parametrize("size", ["4k", "8k", "16k", "24k", "32k"])
    def test_full_disk(self, tmp_path, size):
        said, left = on_a_disk(tmp_path / "disk", f"size={size}")
        if said:
            assert "No space left on device; what was there before is unchanged" in said
            assert "forecast.parquet" not in left
        else:
            assert "forecast.parquet" in left
        assert "rough" not in left

    def test_full_disk_goes_on_when_there_is_room(self, tmp_path):
        folder, tests, python = (shlex.quote(str(path)) for path in (tmp_path / "disk", TESTS, sys.executable))
        again = f'mount -o remount,size=1m {folder}; {python} -c "$CODE" {tests} {folder}'
        said, left = on_a_disk(tmp_path / "disk", "size=16k", after=again)
        assert "No space left" in said and "No space left" not in left and "forecast.parquet" in left

    def test_old_content_survives(self, tmp_path, monkeypatch):
        path = write_atomic(tmp_path / "a" / "b.bin", b"old")

        def full(number):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device; what was there before is unchanged"):
            write_atomic(path, b"new")
        assert listing(tmp_path) == {"a/b.bin": b"old"}


KILLS = """
import io, os, random, signal, sys, time
sys.path.insert(0, sys.argv[1])
import builtins
from pathlib import Path
from test_batch import listing, run, shop

root, history = Path(sys.argv[2]), shop(series=5)
calm = listing(run(history, root / "calm").path.parent)
steps = 0

def child(work):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid

def die_at(last):
    def step():
        global steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
    def around(original):
        def counted(*args, **kwargs):
            step()
            value = original(*args, **kwargs)
            step()
            return value
        return counted
    for name in ("fsync", "replace", "unlink", "mkdir", "rmdir"):
        setattr(os, name, around(getattr(os, name)))
    original = io.open
    class Halves(io.FileIO):
        def write(self, content):
            half = len(content) // 2
            super().write(content[:half])
            step()
            super().write(content[half:])
            step()
    def opened(path, mode="r", *args, **kwargs):
        step()
        return Halves(path, mode) if mode == "wb" else original(path, mode, *args, **kwargs)
    io.open = opened

def check(folder, what):
    public = [path for path in folder.glob("date=*/*") if not path.name.startswith(".")]
    for path in public:
        assert path.read_bytes() == calm[path.name], (what, "half written")
    done = child(lambda: run(history, folder))
    assert os.waitstatus_to_exitcode(os.waitpid(done, 0)[1]) == 0, (what, "does not start again")
    whole = {"date=2024-02-29/" + name: content for name, content in calm.items()}
    kept = {name: content for name, content in listing(folder).items() if not name.endswith(".rough")}
    assert kept == {".lock": b""} | whole, what  # what a killed writer left is swept an hour later

if sys.argv[3] == "steps":
    for last in range(1, 1000):
        folder = root / f"step{last}"
        def work():
            die_at(last)
            run(history, folder)
        died = os.waitstatus_to_exitcode(os.waitpid(child(work), 0)[1])
        check(folder, last)
        if died == 0:
            break
        assert died == -signal.SIGKILL, died
    print(last)
else:
    rng, killed, number = random.Random(0), 0, 0
    start = time.perf_counter()
    os.waitpid(child(lambda: run(history, root / "timed")), 0)
    span = time.perf_counter() - start
    while killed < 10:
        folder = root / f"random{number}"
        for attempt in range(3):
            pid = child(lambda: run(history, folder))
            time.sleep(rng.uniform(0, span))
            os.kill(pid, signal.SIGKILL)
            died = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
            killed += died
            span *= 1 if died else 0.9  # too late to kill it: the first run was slower than the others
        check(folder, number)
        number += 1
    print(killed)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("when", "least"), [("steps", 40), ("random", 10)])
def test_killed_at_any_moment_loses_and_repeats_nothing(tmp_path, when, least):
    done = in_process(KILLS, TESTS, tmp_path, when, timeout=280)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= least


class Page(HTMLParser):
    "Tags in order, addresses that a browser would fetch, and tags left open."

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.tags, self.text = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action", "data")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


class TestReport:
    def write(self, path, **options):
        history = shop(series=3)
        forecast = steady(history, 14).assign(yhat_lower=1.0, yhat_upper=99.0)
        return write_night_page(path, history, forecast, **{"title": "Bread"} | options)

    def test_needs_nothing_else(self, tmp_path):
        page = Page(
            self.write(tmp_path / "a.html", facts={"run": "abc"}, notes=["No plan"]).read_text(encoding="utf-8")
        )
        assert page.open == [] and page.tags.count("img") == 4
        assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
        assert not {"script", "link", "iframe", "object", "base"} & set(page.tags)
        assert list(tmp_path.iterdir()) == [tmp_path / "a.html"]

    def test_same_input_same_bytes(self, tmp_path):
        import matplotlib as mpl

        one = self.write(tmp_path / "a.html").read_bytes()
        with mpl.rc_context({"font.size": 30, "lines.linewidth": 9}):
            two = self.write(tmp_path / "b.html").read_bytes()
        assert one == two

    def test_escapes_every_text(self, tmp_path):
        evil = "<script>alert('x')</script>"
        history = shop(series=1).assign(unique_id=evil)
        forecast = steady(history, 14).assign(status=evil)
        league = pd.DataFrame({"model": [evil]})
        path = write_night_page(
            tmp_path / "a.html",
            history,
            forecast,
            title=evil,
            league=league,
            facts={evil: evil},
            notes=[evil, "{braces}"],
        )
        page = Page(path.read_text(encoding="utf-8"))
        assert (
            "script" not in page.tags and "".join(page.text).count(evil) >= 14 + 6 and "{braces}" in "".join(page.text)
        )

    def test_adds_up_the_series(self, tmp_path):
        history = shop(series=2)
        forecast = steady(history, 1).assign(yhat=[10.0, 32.0])
        text = write_night_page(tmp_path / "a.html", history, forecast, title="Bread").read_text()
        assert "<td>42</td>" in text and "S01: 32 units" in text

    def test_pictures_can_be_few(self, tmp_path):
        assert Page(self.write(tmp_path / "a.html", pictures=1).read_text()).tags.count("img") == 2

    def test_says_where_it_cannot_write(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(OSError, match="cannot write in"):
            self.write(tmp_path / "file" / "a.html")


WRITER = """
import sys
from pathlib import Path
from mlworkbook.ops.files import write_atomic
path, letter = Path(sys.argv[1]), sys.argv[2].encode()
for _ in range(150):
    write_atomic(path, letter * 50_000)
"""


def test_two_writers_never_tear_a_file(tmp_path):
    path = tmp_path / "limits.json"
    path.write_bytes(b"a" * 50_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, letter]) for letter in "ab"]
    while None in [one.poll() for one in writers]:
        assert path.read_bytes() in (b"a" * 50_000, b"b" * 50_000)
    assert [one.returncode for one in writers] == [0, 0] and [one.name for one in tmp_path.iterdir()] == [path.name]


def test_what_a_killed_writer_left_goes(tmp_path):
    path = tmp_path / "a[1].json"
    old, new = (tmp_path / f".{path.name}.{name}.rough" for name in ("old", "new"))
    for one in (old, new):
        one.write_bytes(b"half")
    os.utime(old, (0, 0))
    write_atomic(path, b"whole")
    assert path.read_bytes() == b"whole" and not old.exists() and new.exists()


def test_a_folder_is_looked_through_once_however_many_files_it_gets(tmp_path, monkeypatch):
    looked, real = [], Path.glob
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: (looked.append(pattern), real(folder, pattern))[1])
    for number in range(5):
        write_atomic(tmp_path / f"{number}.json", b"whole")
    assert len(looked) == 1 and len(list(tmp_path.iterdir())) == 5
