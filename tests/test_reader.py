"What a text file of sales proves, and what it leaves open: each kind with the right value, or the option that decides."

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest

from mlworkbook.ops.cells import UNSAID, Reading, find_encoding, find_layout
from mlworkbook.ops.errors import DataError
from mlworkbook.ops.reader import read_text
from mlworkbook.sales import load_sales

DAYS = [f"{day:02d}/03/2024" for day in range(10, 22)]
NAMES = {"fecha": "ds", "tienda": "unique_id", "ventas": "y"}


def write(tmp_path, units, *, sep=";", days=DAYS, shop="Logroño", before="", after="", encoding="utf-8", end="\n"):
    "A file with a column of units, written in some way."
    quoted = [f'"{unit}"' if sep in unit else unit for unit in units]
    rows = [sep.join(["fecha", "tienda", "ventas"])]
    rows += [sep.join(row) for row in zip(days, [shop] * len(days), quoted, strict=False)]
    path = tmp_path / "ventas.csv"
    path.write_bytes((before + end.join(rows) + end + after).encode(encoding))
    return path


def units(path, **said):
    "Units of a history."
    history = load_sales(path, columns=NAMES, reading=Reading(**said))
    assert history["unique_id"].unique().tolist() == ["Logroño"]
    return history["y"].tolist()


def refused(path, **said):
    "The refusal of a file."
    with pytest.raises(DataError) as error:
        load_sales(path, columns=NAMES, reading=Reading(**said))
    assert not str(error.value).endswith(".")
    return error.value


NUMBERS = {
    "whole": (["5", "1200"], [5, 1200]),
    "decimal comma": (["5,5", "1200,25"], [5.5, 1200.25]),
    "decimal point": (["5.5", "1200.25"], [5.5, 1200.25]),
    "one value decides for a point": (["5.033", "12.5"], [5.033, 12.5]),
    "one value decides for a comma": (["5.033", "12,5"], [5033, 12.5]),
    "two marks": (["1.200,50", "967"], [1200.5, 967]),
    "two English marks": (["1,200.50", "967"], [1200.5, 967]),
    "millions": (["1.200.300", "1.200"], [1200300, 1200]),
    "a zero in front is no thousand": (["0.294", "1.200"], [0.294, 1.2]),
    "three decimals after four digits": (["1200.125", "1.200"], [1200.125, 1.2]),
    "euros": (["1200,50 €", "€ 7,25"], [1200.5, 7.25]),
    "dollars": (["$1,200.50", "$7"], [1200.5, 7]),
    "a currency in letters": (["1.200,50 EUR", "7 EUR"], [1200.5, 7]),
    "blanks": (["1 200,5", " 7 "], [1200.5, 7]),
    "hard blanks": (["1\u00a0200\u00a0€", "1\u202f300,5"], [1200, 1300.5]),
    "Swiss thousands": (["1'200.50", "7"], [1200.5, 7]),
    "exponents": (["1e3", "2.5E2"], [1000, 250]),
    "plus": (["+5,5", "7"], [5.5, 7]),
}


@pytest.mark.parametrize("sep", [";", "\t", ",", "|"], ids=["semicolon", "tab", "comma", "bar"])
@pytest.mark.parametrize(("texts", "values"), NUMBERS.values(), ids=NUMBERS)
def test_marks_are_proven_by_all_values_together(tmp_path, sep, texts, values):
    assert units(write(tmp_path, texts * 4, sep=sep)) == values * 4


AMBIGUOUS = {"dots": (["967", "5.033"], {",": 5033, ".": 5.033}), "commas": (["967", "5,033"], {",": 5.033, ".": 5033})}


@pytest.mark.parametrize("sep", [";", ",", "\t"], ids=["semicolon", "comma", "tab"])
@pytest.mark.parametrize(("texts", "values"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_thousands_or_decimals_is_asked(tmp_path, sep, texts, values):
    path = write(tmp_path, texts * 4, sep=sep)
    error = refused(path)
    assert error.ways == ("decimal", "thousands") and f"'{texts[1]}' in line 3: thousands or decimals?" in str(error)
    for mark, value in values.items():
        assert units(path, decimal=mark) == [967, value] * 4
        assert units(path, thousands={",": ".", ".": ","}[mark]) == [967, value] * 4


def test_what_was_said_must_fit(tmp_path):
    path = write(tmp_path, ["5.033", "12.5"] * 4)
    error = refused(path, decimal=",")
    assert error.ways[0] == "decimal" and "'12.5' in line 3, but ',' was said" in str(error)
    assert units(path, decimal=".") == [5.033, 12.5] * 4
    mixed = refused(write(tmp_path, ["1,5", "1.5"] * 4))
    assert "'1,5' in line 2" in str(mixed) and "'1.5' in line 3" in str(mixed) and "two decimal marks" in str(mixed)


def test_a_late_value_is_not_overlooked(tmp_path):
    days = pd.date_range("2015-01-01", periods=2000).strftime("%Y-%m-%d")
    texts = [f"{day % 90 + 1},{day % 9 + 1}" for day in range(2000)]
    texts[1500] = "1.234"
    assert units(write(tmp_path, texts, days=days))[1500] == 1234
    texts[1500] = "1.5"
    assert "two decimal marks" in str(refused(write(tmp_path, texts, days=days)))
    texts[1500] = "doce"
    with pytest.raises(ValueError, match="'y' is 'doce' in 1 row, first in row 1500"):
        load_sales(write(tmp_path, texts, days=days), columns=NAMES)


def test_each_column_has_marks_of_its_own(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{day};{number},5;{number}.25;2.00{number % 10}" for number, day in enumerate(DAYS, 10)]
    path.write_text("ds;y;price;weight\n" + "\n".join(rows))
    error = pytest.raises(DataError, load_sales, path).value
    assert error.ways == ("decimal", "thousands", "columns") and "column 'weight' has '2.000' in line 2" in str(error)
    history = load_sales(path, columns={"weight": None})
    assert history["y"][0] == 10.5 and history["price"][0] == 10.25 and "weight" not in history


def test_words_for_nothing_are_empty_only_in_numbers(tmp_path):
    path = write(tmp_path, ["5", "6", "NA", "NaN", ""], shop="NA", days=DAYS[:5])
    history = load_sales(path, columns=NAMES)
    assert history["unique_id"].unique().tolist() == ["NA"] and history["y"].isna().sum() == 3


ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["new", "windows", "old mac"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_is_found(tmp_path, encoding, end):
    path = write(tmp_path, ["1,5", "2"] * 6, sep="\t", encoding=encoding, end=end)
    assert units(path) == [1.5, 2] * 6
    packed = tmp_path / "ventas.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert units(packed) == [1.5, 2] * 6


def test_an_encoding_can_be_said(tmp_path):
    path = write(tmp_path, ["1,5", "2"] * 6, encoding="mac-roman", end="\r")
    assert units(path, encoding="mac-roman") == [1.5, 2] * 6
    for name in ("utf-8", "klingon"):
        error = refused(path, encoding=name)
        assert error.ways == ("encoding",) and f"ventas.csv is not text in {name}" in str(error)
    path.write_bytes(b"fecha,tienda,ventas\n2024-01-01,\x81,3\n")
    assert refused(path).ways == ("encoding",)
    assert find_encoding(b"ds,y") == "utf-8"
    with pytest.raises(ValueError, match="zero bytes"):
        load_sales(path, reading=Reading(encoding="latin-1")) if path.write_bytes(b"a,\0b\n1,2\n") else None


TOPS = {
    "title": "Informe de ventas;;\n",
    "short title": "Informe\n\n",
    "titles and blanks": "Informe;;\nPeriodo: 2022-2024;;\n;;\n",
    "sep": "sep=;\n",
    "title with a day": "Desde;10/03/2024;hasta hoy\n",
    "title over all columns": "Informe;de;ventas\n",
}


@pytest.mark.parametrize("before", TOPS.values(), ids=TOPS)
@pytest.mark.parametrize("after", ["", ";;\n;;\n", "\n\n"], ids=["", "blank rows", "blank lines"])
def test_the_header_is_found_below_titles(tmp_path, before, after):
    assert units(write(tmp_path, ["1,5", "2"] * 6, before=before, after=after)) == [1.5, 2] * 6


def test_the_header_can_be_said(tmp_path):
    text = "Informe;de;ventas\nds;unique_id;y\n2024-01-01;a;3\n"
    assert find_layout(text, {"fecha"}).line == 1 and find_layout(text, {"fecha"}, Reading(header=2)).names[2] == "y"
    two = "fecha;Ventas;\n;Centro;Norte\n10/03/2024;12;6\n"
    error = pytest.raises(DataError, find_layout, two, {"ds"}).value
    assert error.ways == ("header",) and "lines 1 and 2" in str(error)
    error = pytest.raises(DataError, find_layout, text, {"ds"}, Reading(header=9)).value
    assert error.ways == ("header",) and "header is 9" in str(error)
    assert "header" in refused(write(tmp_path, ["1"] * 12, before="a;b;c\n"), header=1).ways


def test_two_separators_that_fit_are_asked(tmp_path):
    text = "fecha;dia,ventas\n2024-01-01;lunes,3\n2024-01-02;martes,4\n"
    error = pytest.raises(DataError, find_layout, text, {"ds"}).value
    assert error.ways == ("sep",) and "';' and ','" in str(error)
    assert find_layout(text, {"ds"}, Reading(sep=",")).names == ["fecha;dia", "ventas"]
    assert find_layout(text, {"fecha"}).sep == ";", "a name that was said decides"
    assert find_layout("ds\ty\n2024-01-01\t3\n", set(), Reading(sep="tab")).sep == "\t"
    quoted = tmp_path / "a.csv"
    quoted.write_text('ds,unique_id,y\n2024-03-10,"Uno, dos\ny tres",3\n2024-03-11,"Uno, dos\ny tres",4\n')
    assert load_sales(quoted)["unique_id"][0] == "Uno, dos\ny tres"


@pytest.mark.parametrize("row", ["13/03/2024;Logroño", "13/03/2024;Logroño;3;4"], ids=["short", "long"])
def test_a_row_of_another_length_is_refused_with_its_line(tmp_path, row):
    path = write(tmp_path, ["1"] * 3, before="Informe\n\n", after=row + "\n")
    with pytest.raises(ValueError, match=rf"line 7 has {row.count(';') + 1} values, the header 3"):
        load_sales(path, columns=NAMES)


@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "ours"])
@pytest.mark.parametrize("key", ["007", "1E5", "NA", "null", "1.200", "TRUE", "  7", "2024"])
def test_keys_are_text_as_written(tmp_path, key, mapped):
    path = tmp_path / "a.csv"
    name = "tienda" if mapped else "unique_id"
    path.write_text(f" {name} ,ds , y\n" + "".join(f"{key},2024-03-{day},3\n" for day in range(10, 14)))
    history = load_sales(path, columns={"tienda": "unique_id"} if mapped else None)
    assert history["unique_id"].unique().tolist() == [key] and history["y"].tolist() == [3] * 4


def test_keys_that_look_alike_are_named_and_stay_apart(tmp_path):
    path = tmp_path / "a.csv"
    shops = ["Centro", "centro ", "Logroño", "Logron\u0303o", "Norte"]
    rows = [f"{shop},2024-03-{day},3" for shop in shops for day in range(10, 14)]
    path.write_text("unique_id,ds,y\n" + "\n".join(rows), encoding="utf-8")
    with pytest.warns(
        UserWarning, match=r"'Centro' and 'centro '; 'Logro\\xf1o' and 'Logron\\u0303o' look alike"
    ) as said:
        assert load_sales(path)["unique_id"].nunique() == 5
    assert len(said) == 1


TOTALS = ["Total;;34", "TOTAL;;34", "Suma:;;34", ";Total general;34", "total 2024;;34"]


@pytest.mark.parametrize("row", TOTALS)
def test_a_row_of_totals_is_refused_with_its_line(tmp_path, row):
    error = refused(write(tmp_path, ["1,5"] * 12, after=f"\n;;\n{row}\n;;\n"))
    assert "ventas.csv: line 16 begins with" in str(error) and "delete it" in str(error)
    assert units(write(tmp_path, ["1"] * 12)) == [1] * 12
    shop = load_sales(write(tmp_path, ["1"] * 12, shop="Total"), columns=NAMES)
    assert shop["unique_id"][0] == "Total", "a shop may have that name"


def turned(day, form):
    "A day as a spreadsheet shows it that took day and month for month and day."
    return f"{day:%Y-%d-%m}{form}" if day.day <= 12 else f"{day:%d/%m/%Y}"


@pytest.mark.parametrize("form", ["", " 00:00:00", " 0:00"])
def test_days_that_a_spreadsheet_turned_are_refused(tmp_path, form):
    days = [turned(day, form) for day in pd.date_range("2022-01-01", "2022-12-31")]
    error = refused(write(tmp_path, ["5"] * len(days), days=days))
    assert f"'2022-01-01{form}' in line 2 and '13/01/2022' in line 14: a spreadsheet has turned" in str(error)
    honest = [
        f"{day:%Y-%m-%d}" if day.month == 1 else f"{day:%d/%m/%Y}" for day in pd.date_range("2022-01-01", periods=60)
    ]
    assert len(units(write(tmp_path, ["5"] * 60, days=honest))) == 60


BAD_DAYS = {
    "serial": (["44564", "44565"], "'44564' in line 2: a day as spreadsheets count it"),
    "serial with hours": (["44564.5", "44565.5"], "'44564.5' in line 2: a day as spreadsheets count it"),
    "time of day": (["10/03/2024 9:30", "11/03/2024 9:30"], "'10/03/2024 9:30' in line 2: expected days without"),
    "two digits": (["10/03/24", "11/03/24"], "'10/03/24' in line 2: day, month or year first?"),
}


@pytest.mark.parametrize(("days", "what"), BAD_DAYS.values(), ids=BAD_DAYS)
def test_days_that_need_a_hand_are_named(tmp_path, days, what):
    assert what in str(refused(write(tmp_path, ["5", "6"], days=days)))


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y 0:00", "%d-%m-%Y 00:00:00", "%m/%d/%Y 00:00", "%Y-%m-%d 00:00:00", "%Y/%m/%d"]
)
def test_midnight_is_a_day(tmp_path, form):
    days = pd.date_range("2024-03-10", periods=12)
    path = write(tmp_path, ["5"] * 12, days=days.strftime(form))
    assert load_sales(path, columns=NAMES)["ds"].tolist() == days.tolist()


FLAGS = [
    ("Sí", "No"),
    ("SI", "NO"),
    ("VERDADERO", "FALSO"),
    ("1", "0"),
    ("true", "false"),
    ("True", "False"),
    ("yes", "no"),
    ("1.0", "0.0"),
]


@pytest.mark.parametrize(("yes", "no"), FLAGS)
def test_yes_and_no_are_flags(tmp_path, yes, no):
    path = tmp_path / "a.csv"
    rows = [
        f"{day};{0 if number == 4 else 9};{yes if number == 4 else no};{yes if number == 2 else no}"
        for number, day in enumerate(DAYS)
    ]
    path.write_text("ds;y;closed;holiday\n" + "\n".join(rows), encoding="utf-8")
    history = load_sales(path)
    assert np.flatnonzero(history["closed"]).tolist() == [4] and history["closed"].dtype == bool
    assert history["holiday"].tolist() == ["", "", "holiday", *[""] * 9]


def test_names_of_holidays_stay_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "ds;y;holiday\n"
        + "\n".join(f"{day};9;{'Sí' if day == DAYS[0] else 'Fallas' if day == DAYS[1] else ''}" for day in DAYS),
        encoding="utf-8",
    )
    assert load_sales(path)["holiday"].tolist()[:3] == ["Sí", "Fallas", ""]


def test_a_column_without_a_name_is_left_out(tmp_path):
    table = pd.DataFrame({"ds": DAYS, "y": 3})
    table.to_csv(tmp_path / "a.csv")
    with pytest.warns(UserWarning, match="a.csv: column 1 has no name and is left out"):
        assert list(load_sales(tmp_path / "a.csv")) == ["unique_id", "ds", "y"]
    (tmp_path / "b.csv").write_text("ds;y;;\n" + "".join(f"{day};3;;\n" for day in DAYS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_sales(tmp_path / "b.csv")) == 12


BAD_READINGS = {
    "decimal": ({"decimal": ";"}, "decimal is ';', expected ',' or '.'"),
    "thousands": ({"thousands": "k"}, "thousands is 'k'"),
    "both": ({"decimal": ",", "thousands": ","}, "both ','"),
    "sep": ({"sep": "comma"}, "sep is 'comma', expected one character, or 'tab'"),
    "header": ({"header": -1}, "header is -1"),
}


@pytest.mark.parametrize(("said", "what"), BAD_READINGS.values(), ids=BAD_READINGS)
def test_a_bad_reading_is_refused(said, what):
    error = pytest.raises(DataError, Reading, **said).value
    assert what in str(error) and error.ways
    assert Reading() == UNSAID and not UNSAID.mark()


def test_numbers_come_back_as_they_were_written(tmp_path):
    draws = np.random.default_rng(0).random(3000)
    table = pd.DataFrame({"ds": pd.date_range("2000-01-01", periods=3000), "y": draws, "rank": np.arange(3000)})
    table.to_csv(tmp_path / "a.csv", index=False)
    read = read_text(tmp_path / "a.csv")
    assert (read["y"] == draws).all() and read["rank"].dtype == "int64"
    table.to_csv(tmp_path / "b.csv", index=False, sep=";", decimal=",")
    assert (load_sales(tmp_path / "b.csv")["y"] == draws).all()
