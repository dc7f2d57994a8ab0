"Sales: the bundled extract, any shop's own file, made-up shops, and what each bad file is told."

import gzip
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from mlworkbook import sales
from mlworkbook.contract import check_history, future, last_day
from mlworkbook.sales import load_sales, make_sales, sales_truth, spoil_sales, to_rossmann

SPANISH = {"fecha": "ds", "tienda": "unique_id", "ventas": "y"}


@pytest.fixture(scope="module")
def stores():
    return load_sales(horizon=14)


@pytest.fixture
def made():
    return make_sales(7, series=3, days=60, horizon=7)


def save(frame, path):
    "Write a frame in the format that the name asks for."
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


def spanish(history):
    "Only series, day and sales, with Spanish names."
    return history.rename(columns={ours: theirs for theirs, ours in SPANISH.items()})[list(SPANISH)]


def complaint(*arguments, **options):
    "The message of a refusal by `load_sales`."
    with pytest.raises((ValueError, OSError)) as error:
        load_sales(*arguments, **options)
    return str(error.value)


# the bakery chain


def test_the_bundled_history_is_the_extract(stores):
    raw = pd.read_parquet(sales.files("mlworkbook") / "data" / "bakery.parquet")
    sold = raw.groupby(["store", "date"])["demand"].sum()
    known = stores.dropna(subset="y")
    keys = [known["unique_id"].str[1:].astype(int), known["ds"]]
    assert (sold.loc[pd.MultiIndex.from_arrays(keys)].to_numpy() == known["y"].to_numpy()).all()
    assert known["y"].sum() == raw["demand"].sum()
    assert (known["closed"] == (known["y"] == 0)).all()
    assert (
        (known["holiday"] != "") == (raw.groupby("date")["is_holiday"].max().loc[known["ds"]] == 1).to_numpy()
    ).all()
    columns = "unique_id ds y closed holiday school_holiday promo_101 promo_109 promo_110"
    assert list(stores) == columns.split()


def test_stores_start_at_their_first_sale(stores):
    first = stores.groupby("unique_id")["ds"].min()
    assert first["S05"] == pd.Timestamp("2018-05-03") and first["S22"] == pd.Timestamp("2018-06-07")
    assert first.drop(["S05", "S22"]).max() == pd.Timestamp("2016-01-04")


def test_levels_sell_the_same_units(stores):
    product, chain = load_sales(level="product", horizon=3), load_sales(level="chain", horizon=3)
    assert product["unique_id"].nunique() == 105 and "promo" in product
    assert product["y"].sum() == chain["y"].sum() == stores["y"].sum()
    assert chain["unique_id"].unique().tolist() == ["chain"] and chain["y"].isna().sum() == 3
    christmas = chain[chain["holiday"] == "Christmas Day"]
    assert len(christmas) == 3 and christmas["closed"].all()


def test_future_rows_say_what_is_known(stores):
    ahead = future(stores, 14)
    assert last_day(stores) == pd.Timestamp("2019-04-30") and len(ahead) == 35 * 14
    labor = ahead[ahead["ds"] == "2019-05-01"].set_index("unique_id")
    assert (labor["holiday"] == "Labor Day").all()
    assert labor.loc["S49", "closed"] and not labor.loc["S02", "closed"]
    sundays = ahead[ahead["ds"].dt.dayofweek == 6].groupby("unique_id")["closed"].mean()
    assert set(sundays) == {0, 1}
    assert (ahead["school_holiday"] == 0).all()
    assert stores.loc[stores["y"].isna()].filter(regex="promo").isna().all(axis=None), "no plan is known"
    usual = stores[stores["y"].notna()].groupby("unique_id")["promo_109"].mean()
    assert np.allclose(ahead["promo_109"], ahead["unique_id"].map(usual)), "as often as before, not never"


@pytest.mark.parametrize("stores", [["S02", "S22"], [2, 22], ("S22", 2)])
def test_stores_by_name_or_number(stores):
    assert load_sales(stores=stores)["unique_id"].unique().tolist() == ["S02", "S22"]
    assert load_sales(stores="S02", level="product")["unique_id"].unique().tolist() == [
        "S02_P101",
        "S02_P109",
        "S02_P110",
    ]


BAD_OPTIONS = {
    "unknown store": ({"stores": ["S02", "S99"]}, "unknown: 'S99'; expected some of S02, S03"),
    "no store": ({"stores": []}, "stores is [], unknown: all; expected some of S02"),
    "unknown level": ({"level": "shop"}, "level is 'shop', expected 'store' or 'product' or 'chain'"),
    "unknown ended": ({"ended": "keep"}, "ended is 'keep', expected 'error' or 'drop'"),
    "unknown gaps": ({"gaps": 0}, "gaps is 0, expected 'error' or 'closed'"),
    "negative horizon": ({"horizon": -1}, "horizon is -1, expected a whole number of days"),
    "boolean horizon": ({"horizon": True}, "horizon is True, expected a whole number of days"),
    "false horizon": ({"horizon": False}, "horizon is False, expected a whole number of days"),
    "float horizon": ({"horizon": 7.0}, "horizon is 7.0, expected a whole number of days"),
    "horizon beyond": ({"horizon": 42}, "school holidays are known until 2019-06-10; ask for 41 at most"),
}


@pytest.mark.parametrize(("options", "what"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_is_refused(options, what):
    assert what in complaint(**options)


# the opening calendar


def calendar(days, closed, holiday=None):
    "Rows of one series."
    frame = pd.DataFrame({"unique_id": "S01", "ds": days, "closed": closed})
    return frame.assign(holiday="" if holiday is None else holiday)


def test_a_weekday_follows_most_of_its_last_weeks():
    days = pd.date_range("2024-01-01", periods=84)
    past = calendar(days, days.dayofweek == 6)
    past.loc[past["ds"] > "2024-02-20", "closed"] = False  # opens on Sundays for the last weeks: 4 of 8
    ahead = calendar(pd.date_range("2024-03-25", periods=7), False)
    assert not sales.opening(past, ahead).any()
    assert sales.opening(past, ahead, weeks=12).tolist() == [False] * 6 + [True]
    assert sales.opening(past[past["ds"] < "2024-03-17"], ahead).tolist() == [False] * 6 + [True]


def test_a_holiday_repeats_its_last_time_and_else_the_last_holiday():
    days = pd.date_range("2022-01-01", "2023-12-31")
    names = pd.Series("", days)
    names["2022-05-01"] = names["2023-05-01"] = "Labor Day"
    names["2022-12-25"] = names["2023-12-25"] = "Christmas Day"
    closed = days.isin(pd.to_datetime(["2022-05-01", "2023-12-25"]))
    past = calendar(days, closed, names.to_numpy())
    ahead = calendar(pd.to_datetime(["2024-05-01", "2024-12-25", "2024-10-03"]), False)
    ahead["holiday"] = ["Labor Day", "Christmas Day", "German Unity Day"]
    assert sales.opening(past, ahead).tolist() == [False, True, True]
    assert not sales.opening(past.assign(holiday="", closed=False), ahead).any()


def test_the_calendar_of_the_chain_is_read_well(stores):
    known = stores.dropna(subset="y")
    cutoff = pd.Timestamp("2019-03-31")
    ahead = known[known["ds"] > cutoff]
    assert (sales.opening(known[known["ds"] <= cutoff], ahead) == ahead["closed"]).mean() > 0.99


# a shop's own file


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "A.CSV"])
def test_an_own_file_is_read_in_any_format(made, tmp_path, name):
    history = load_sales(save(spanish(made), tmp_path / name), columns=SPANISH)
    pd.testing.assert_frame_equal(history, sales.trim(made)[["unique_id", "ds", "y"]].reset_index(drop=True))


def test_an_own_file_keeps_what_it_knows(made, tmp_path):
    table = made.assign(feriado=made["holiday"], clientes=made["y"], nota="bien").drop(columns="holiday")
    path = save(table, tmp_path / "a.csv")
    with pytest.warns(UserWarning, match="a.csv: 'nota' left out, expected numbers known in advance"):
        history = load_sales(path, columns={"feriado": "holiday", "clientes": None}, horizon=7)
    expected = sales.trim(made).reset_index(drop=True)
    pd.testing.assert_frame_equal(history[list(expected)], expected, check_dtype=False)
    assert set(history) == set(expected)


def test_the_spanish_spreadsheet(tmp_path):
    lines = ["\ufefffecha;ventas;festivo"] + [f"{day}/03/2024;{day},5;{int(day == 19)}" for day in range(10, 25)]
    (tmp_path / "ventas.csv").write_text("\n".join(lines), encoding="utf-8")
    history = load_sales(tmp_path / "ventas.csv", columns={"fecha": "ds", "ventas": "y", "festivo": "holiday"})
    assert history["unique_id"].unique().tolist() == ["shop"]
    assert history["y"].tolist() == [day + 0.5 for day in range(10, 25)]
    assert history.loc[history["holiday"] == "holiday", "ds"].tolist() == [pd.Timestamp("2024-03-19")]


def test_names_of_series_stay_text(tmp_path):
    table = pd.DataFrame({"store": ["007"] * 3, "ds": pd.date_range("2024-03-01", periods=3), "y": 1})
    assert load_sales(save(table, tmp_path / "a.csv"), columns={"store": "unique_id"})["unique_id"][0] == "007"
    table = table.assign(store=7)
    assert load_sales(save(table, tmp_path / "a.parquet"), columns={"store": "unique_id"})["unique_id"][0] == "7"


def test_a_horizon_is_added_or_brought(made, tmp_path):
    path = save(spanish(made.dropna()), tmp_path / "a.csv")
    assert load_sales(path, columns=SPANISH, horizon=5)["y"].isna().sum() == 15
    brought = save(made, tmp_path / "b.csv")
    assert len(load_sales(brought, horizon=7)) == len(sales.trim(made))
    assert "nothing says which days are holidays after 2022-03-01; add rows" in complaint(brought, horizon=8)
    partly = save(made.drop(columns="holiday"), tmp_path / "d.csv")
    some = load_sales(partly, horizon=8)
    assert some["promo"].isna().sum() == 3 and some.loc[some["y"].isna()].groupby("unique_id").size().eq(8).all()
    assert future(some, 8)["promo"].between(0, 1).all()
    closed = save(made.drop(columns=["holiday", "promo"]).dropna(), tmp_path / "c.csv")
    ahead = future(load_sales(closed, horizon=7), 7)
    assert ahead.groupby(ahead["ds"].dt.dayofweek)["closed"].sum().tolist() == [0] * 6 + [
        (sales_truth(7, series=3)["sun"] == 0).sum()
    ]


def test_a_chain_of_own_stores(made, tmp_path):
    chain = load_sales(save(made, tmp_path / "a.csv"), level="chain")
    assert chain["y"].sum() == made["y"].sum() and chain["y"].isna().sum() == 7


def test_gaps_become_closed_days_when_asked(made, tmp_path):
    open_days = made[~made["closed"] & made["y"].notna()]
    path = save(open_days, tmp_path / "a.csv")
    assert "days are missing" in complaint(path)
    filled = load_sales(path, gaps="closed")
    expected = sales.trim(made.dropna()).reset_index(drop=True)
    last = expected["ds"].max()
    pd.testing.assert_frame_equal(filled.drop(columns=["holiday", "promo"]), expected[list(expected)[:4]])
    assert filled.groupby("unique_id")["ds"].max().eq(last).all()


def test_gaps_do_not_hide_weekly_data_or_an_early_end(made, tmp_path):
    for fault, what in {"weekly": "not weekly or monthly", "ended": "expected the same last day"}.items():
        assert what in complaint(save(spoil_sales(made, fault), tmp_path / "a.csv"), gaps="closed")


def test_ended_series_are_dropped_when_asked(made, tmp_path, caplog):
    path = save(spoil_sales(made, "ended"), tmp_path / "a.csv")
    assert "load_sales(ended='drop')" in complaint(path)
    with caplog.at_level("INFO"):
        assert load_sales(path, ended="drop")["unique_id"].unique().tolist() == ["S02", "S03"]
    assert "left out S01: its sales end before 2022-03-01" in caplog.text


def test_rossmann_files_are_recognised(made, tmp_path):
    table = to_rossmann(made)
    names = "Store DayOfWeek Date Sales Customers Open Promo StateHoliday SchoolHoliday"
    assert list(table) == names.split() and table["Date"].iloc[0] == "2022-03-08"
    for name in ("train.csv", "train.parquet"):
        history = load_sales(save(table, tmp_path / name))
        expected = sales.trim(made).reset_index(drop=True)
        assert set(history) == {*expected, "school_holiday"}
        same = ["unique_id", "ds", "y", "closed", "promo"]
        pd.testing.assert_frame_equal(history[same], expected[same], check_dtype=False)
        assert ((history["holiday"] != "") == (expected["holiday"] != "")).all()


def binary(path):
    path.write_bytes(bytes(range(256)) * 20)


def zeros(path):
    path.write_bytes(b"\0" * 500)


def broken_gzip(path):
    path.write_bytes(gzip.compress(b"ds,y\n2024-01-01,3\n" * 400)[:60])


BAD_FILES = {
    "missing": ("no.csv", None, "no.csv does not exist", "check the name"),
    "folder": ("folder.csv", lambda path: path.mkdir(), "is a folder", "name the file in it"),
    "empty": ("a.csv", lambda path: path.touch(), "a.csv is empty", "export it again"),
    "empty parquet": ("a.parquet", lambda path: path.touch(), "a.parquet is empty", "export it again"),
    "other format": ("a.xlsx", binary, "a.xlsx: expected a file named .csv, .csv.gz or .parquet", "save the table"),
    "binary": ("a.csv", binary, "a.csv cannot be read as a table", "expected text with a header"),
    "zero bytes": ("a.csv", zeros, "it holds zero bytes", "expected text with a header"),
    "not gzip": ("a.csv.gz", binary, "a.csv.gz cannot be read as a table", "expected text with a header"),
    "half gzip": ("a.csv.gz", broken_gzip, "a.csv.gz cannot be read as a table", "export it again"),
    "not parquet": ("a.parquet", binary, "a.parquet cannot be read as a table", "expected a parquet file"),
    "ragged": (
        "a.csv",
        lambda path: path.write_text("ds,y\n2024-01-01,1\n2024-01-02,1,2,3\n"),
        "a.csv cannot be read as a table (line 3 has 4 values, the header 2)",
        "export it again",
    ),
    "only blank": ("a.csv", lambda path: path.write_text("\n\n"), "a.csv cannot be read as a table", "with a header"),
    "only a header": ("a.csv", lambda path: path.write_text("ds,y\n"), "0 rows without sales", "at least one day"),
    "duplicated columns": (
        "a.csv",
        lambda path: path.write_text("ds,y,y\n2024-01-01,1,2\n"),
        "'y' comes more",
        "keep one",
    ),
    "no columns of ours": (
        "a.csv",
        lambda path: path.write_text("fecha,ventas\n2024-01-01,1\n"),
        "a.csv: no column 'ds', no column 'y'; the file has 'fecha', 'ventas'",
        "columns={'fecha': 'ds'",
    ),
    "ambiguous days": (
        "a.csv",
        lambda path: path.write_text("ds,y\n" + "".join(f"0{day}/04/2024,1\n" for day in range(1, 8))),
        "'ds' is '01/04/2024' in 7 rows, first in row 0 (shop, 01/04/2024)",
        "write ISO dates",
    ),
    "integer days": (
        "a.csv",
        lambda path: path.write_text("ds,y\n20240101,1\n20240102,1\n"),
        "'ds' is 20240101 in 2 rows",
        "expected dates, not numbers",
    ),
    "text in sales": (
        "a.csv",
        lambda path: path.write_text("ds,y\n2024-01-01,1\n2024-01-02,doce\n2024-01-03,1\n"),
        "'y' is 'doce' in 1 row, first in row 1 (shop, 2024-01-02)",
        "expected a number",
    ),
}


@pytest.mark.parametrize(("name", "make", "what", "way_out"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused(tmp_path, name, make, what, way_out):
    path = tmp_path / name
    if make:
        make(path)
    message = complaint(path)
    assert what in message and way_out in message and not message.endswith(".")


def test_a_bad_mapping_is_refused(made, tmp_path):
    path = save(spanish(made), tmp_path / "a.csv")
    assert "no column 'dia' to rename, no column 'ds'" in complaint(path, columns={"dia": "ds", "ventas": "y"})
    assert "two columns 'ds'" in complaint(path, columns={"fecha": "ds", "tienda": "ds", "ventas": "y"})
    assert "level is 'product', expected 'store' or 'chain'" in complaint(path, columns=SPANISH, level="product")


# made-up shops


def test_made_up_sales_keep_the_contract():
    made = make_sales(3, series=12, days=800, horizon=30)
    pd.testing.assert_frame_equal(check_history(made), made)
    assert len(make_sales(0, series=1, days=1)) == 1


def test_the_same_seed_makes_the_same_sales():
    made = make_sales(0, series=2, days=7)
    assert made["y"].tolist() == [0, 228, 378, 369, 324, 312, 325, 0, 62, 53, 61, 43, 42, 76]
    assert made.equals(make_sales(0, series=2, days=7)) and not made.equals(make_sales(1, series=2, days=7))
    longer = make_sales(0, series=20, days=5, horizon=2)
    assert longer["y"][:5].tolist() == made["y"][:5].tolist()
    assert (
        sales_truth(0, series=200)
        .iloc[:5]
        .reset_index(drop=True)
        .equals(sales_truth(0, series=5).reset_index(drop=True))
    )


def test_without_noise_the_truth_can_be_read_off():
    truth, made = sales_truth(5, series=30), make_sales(5, series=30, days=1095, noise=0)
    made = made[(made["holiday"] == "")].merge(truth.reset_index(), on="unique_id", suffixes=("", "_true"))
    years = (made["ds"] - pd.Timestamp("2022-01-01")).dt.days / 365
    week = np.take_along_axis(made[sales.WEEK].to_numpy(), made["ds"].dt.dayofweek.to_numpy()[:, None], axis=1)[:, 0]
    season = 1 + made["summer"] * np.sin(2 * np.pi * made["ds"].dt.dayofyear / 365.25)
    expected = made["level"] * week * (1 + made["growth"]) ** years * season * (1 + made["promo"] * made["promo_true"])
    assert np.abs(made["y"] - expected).max() <= 0.5 + 1e-9
    assert (made["closed"] == (week == 0)).all()


def test_a_fault_is_one_of_a_list(made):
    with pytest.raises(ValueError, match="fault is 'fire', expected one of constant, ended, gap"):
        spoil_sales(made, "fire")


# speed and memory


def test_memory_grows_with_the_rows_and_no_faster():
    peaks = {}
    for series in (20, 100):
        tracemalloc.start()
        check_history(make_sales(0, series=series, days=1000))
        peaks[series] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[100] < 5.5 * peaks[20]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_million_rows_fit_in_half_a_gigabyte(tmp_path, name):
    path = save(make_sales(0, series=1000, days=1000), tmp_path / name)
    program = (
        "import sys, threading, time, psutil\n"
        "from mlworkbook.sales import load_sales; seen = []\n"
        "def watch():\n"
        "    while True: seen.append(psutil.Process().memory_info().rss); time.sleep(0.01)\n"
        "threading.Thread(target=watch, daemon=True).start()\n"
        "rows = len(load_sales(sys.argv[1])); print(rows, max(seen) / 2**20)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    rows, peak = map(float, done.stdout.split())
    assert rows > 990_000 and peak < 512, f"peak of {peak:.0f} MB"


def test_a_huge_day_is_told_at_the_line_that_checked():
    with pytest.warns(UserWarning, match="1 day with more than 1000 times") as said:
        check_history(spoil_sales(make_sales(0, series=2, days=60), "spike"))
    assert said[0].filename == __file__
