"The contract: what is lawful passes, and every bad table gets a message that starts the repair."

import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlworkbook import contract
from mlworkbook.sales import make_sales, spoil_sales


@pytest.fixture
def history():
    return make_sales(0, series=3, days=60, horizon=7)


def complaint(check, *arguments):
    "The message of a refusal."
    with pytest.raises(ValueError) as error:
        check(*arguments)
    return str(error.value)


def changed(history, column, value, row=10):
    "One other value."
    column_as = object if isinstance(value, str | None) else history[column].dtype
    frame = history.astype({column: column_as, "closed": object} if column != "closed" else {"closed": object})
    frame.loc[row, "closed"] = False
    frame.loc[row, column] = value
    return frame


def text_days(history, form):
    "Days written as text."
    return history.assign(ds=history["ds"].dt.strftime(form))


def test_a_good_history_comes_back_equal_and_untouched(history):
    before = history.copy(deep=True)
    pd.testing.assert_frame_equal(contract.check_history(history), history)
    shuffled = history.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(contract.check_history(shuffled), history)
    pd.testing.assert_frame_equal(history, before)


BAD = {
    "missing column": (
        lambda h: h.drop(columns="y"),
        "no column 'y' among 'unique_id', 'ds', 'closed'",
        "rename or add it",
    ),
    "duplicated column": (lambda h: pd.concat([h, h[["y"]]], axis=1), "column 'y' comes more than once", "keep one"),
    "no rows": (lambda h: h.iloc[:0], "0 rows without sales", "at least one day with `y`"),
    "no sales": (lambda h: h.assign(y=np.nan), "201 rows without sales", "at least one day with `y`"),
    "unreadable day": (
        lambda h: text_days(h, "%Y-%m-%d").replace({"2022-01-11": "ayer"}),
        "'ds' is 'ayer' in 3 rows, first in row 10 (S01, ayer)",
        "write ISO dates such as 2024-04-03",
    ),
    "no day": (
        lambda h: changed(h, "ds", None),
        "'ds' is None in 1 row, first in row 10 (S01, None)",
        "write ISO dates",
    ),
    "ambiguous day": (
        lambda h: text_days(h[h["ds"].dt.day <= 12], "%d/%m/%Y"),
        "'ds' is '01/01/2022' in 96 rows, first in row 0 (S01, 01/01/2022)",
        "day first or month first? both can be read; write ISO dates",
    ),
    "integer day": (
        lambda h: spoil_sales(h, "integer dates"),
        "'ds' is 20220101 in 201 rows, first in row 0 (S01, 20220101)",
        "pd.to_datetime(values.astype(str), format='%Y%m%d')",
    ),
    "time of day": (lambda h: spoil_sales(h, "time"), "'ds' is 2022-01-01 08:00:00 in 201 rows", "`.dt.normalize()`"),
    "time of day in text": (
        lambda h: text_days(h, "%Y-%m-%d 08:30"),
        "'ds' is '2022-01-01 08:30' in 201 rows",
        "`.dt.normalize()`",
    ),
    "time zone": (lambda h: spoil_sales(h, "zone"), "'ds' is 2022-01-01 00:00:00+01:00", "`.dt.tz_localize(None)`"),
    "time zone in text": (
        lambda h: text_days(h, "%Y-%m-%dT00:00:00+01:00"),
        "'ds' is '2022-01-01T00:00:00+01:00' in 201 rows",
        "`.dt.tz_localize(None)`",
    ),
    "repeated day": (
        lambda h: spoil_sales(h, "repeat"),
        "'days since the row before' is 0 in 1 row, first in row 201 (S01, 2022-02-03)",
        "add up or drop the repeated rows",
    ),
    "gap": (
        lambda h: spoil_sales(h, "gap"),
        "'days since the row before' is 2 in 1 row, first in row 33 (S01, 2022-02-04)",
        "load_sales(gaps='closed')",
    ),
    "weekly": (
        lambda h: spoil_sales(h, "weekly"),
        "'days since the row before' is 7 in 27 rows, first in row 1 (S01, 2022-01-10)",
        "expected daily sales, not weekly or monthly",
    ),
    "monthly": (
        lambda h: make_sales(0, series=2, days=400)[lambda h: h["ds"].dt.day == 1],
        "'days since the row before' is 31 in",
        "expected daily sales, not weekly or monthly",
    ),
    "ends long before": (
        lambda h: spoil_sales(h, "ended"),
        "'days before the end of the others' is 27 in 1 row, first in row 32 (S01, 2022-02-02)",
        "load_sales(ended='drop')",
    ),
    "never sold": (
        lambda h: h.assign(y=h["y"].where(h["unique_id"] != "S02")),
        "'days before the end of the others' is nan in 1 row, first in row 67 (S02, 2022-01-01)",
        "load_sales(ended='drop')",
    ),
    "missing sales": (
        lambda h: changed(h, "y", np.nan),
        "'y' is nan in 1 row, first in row 10 (S01, 2022-01-11)",
        "find them",
    ),
    "infinite sales": (lambda h: changed(h, "y", np.inf), "'y' is inf in 1 row, first in row 10", "a finite number"),
    "text in sales": (
        lambda h: changed(h, "y", "12,5"),
        "'y' is '12,5' in 1 row, first in row 10",
        "12.5 with a point",
    ),
    "negative sales": (lambda h: changed(h, "y", -3.0), "'y' is -3.0 in 1 row, first in row 10", "keep returns out"),
    "sold while closed": (
        lambda h: h.assign(closed=h.index == 12),
        "'y' is 322.0 in 1 row, first in row 12 (S01, 2022-01-13)",
        "sold while closed; correct `y` or `closed`",
    ),
    "key is a number": (
        lambda h: h.assign(unique_id=h["unique_id"].str[1:].astype(int)),
        "'unique_id' is 1",
        "`.astype(str)`",
    ),
    "key is empty": (lambda h: changed(h, "unique_id", ""), "'unique_id' is '' in 1 row", "fill it in"),
    "closed unknown": (
        lambda h: changed(h, "closed", None),
        "'closed' is None in 1 row, first in row 10",
        "True or False",
    ),
    "holiday unknown": (
        lambda h: changed(h, "holiday", None),
        "'holiday' is None in 1 row",
        "the name of the holiday, or ''",
    ),
    "regressor unknown": (
        lambda h: h.assign(promo=h["promo"].where(h.index != 65)),
        "'promo' is nan in 1 row, first in row 65 (S01, 2022-03-07)",
        "a number known in advance",
    ),
    "regressor infinite": (lambda h: h.assign(promo=np.inf), "'promo' is inf in 201 rows", "a number known in advance"),
    "regressor text": (lambda h: h.assign(promo="sí"), "'promo' is 'sí' in 201 rows", "a number known in advance"),
}


@pytest.mark.parametrize(("spoil", "what", "way_out"), BAD.values(), ids=BAD)
def test_a_bad_history_gets_what_came_where_and_the_way_out(history, spoil, what, way_out):
    message = complaint(contract.check_history, spoil(history))
    assert message.startswith("history: ") and what in message and way_out in message
    assert not message.endswith(".")


def test_several_problems_are_told_at_once(history):
    bad = changed(changed(history, "y", -3.0, row=4), "y", "doce", row=9).assign(promo=np.nan).drop(index=[20, 90])
    message = complaint(contract.check_history, bad)
    assert message.splitlines()[0] == "history: 4 problems"
    for part in ("'y' is -3.0", "'y' is 'doce'", "'promo' is nan in 199 rows", "is 2 in 2 rows, first in row 20"):
        assert part in message


FORMS = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%dT%H:%M:%S"]


@pytest.mark.parametrize("form", FORMS)
def test_days_in_text_are_read_when_the_order_is_proven(history, form):
    pd.testing.assert_frame_equal(contract.check_history(text_days(history, form)), history)


@pytest.mark.parametrize("to", ["date", "datetime64[s]", "datetime64[us]", "object"])
def test_days_of_any_type_become_nanoseconds(history, to):
    days = history["ds"].dt.date if to == "date" else history["ds"].astype(to)
    pd.testing.assert_frame_equal(contract.check_history(history.assign(ds=days)), history)


TYPES = {
    "categories": lambda h: h.astype({"unique_id": "category"}),
    "nullable": lambda h: h.convert_dtypes(),
    "arrow": lambda h: h.convert_dtypes(dtype_backend="pyarrow"),
    "float32": lambda h: h.astype({"y": "float32"}),
    "numbers as text": lambda h: h.assign(
        y=h["y"].astype(str).where(h["y"].notna(), None), promo=h["promo"].astype(str)
    ),
    "periods": lambda h: h.assign(ds=h["ds"].dt.to_period("D")),
    "repeated index": lambda h: h.set_index(pd.Index(np.arange(len(h)) % 7)),
}


@pytest.mark.parametrize("change", TYPES.values(), ids=TYPES)
def test_one_history_comes_out_of_any_types(history, change):
    pd.testing.assert_frame_equal(contract.check_history(change(history)), history, check_dtype=False)
    types = contract.check_history(change(history)).dtypes
    assert types[:5].astype(str).tolist() == ["object", "datetime64[ns]", "float64", "bool", "object"]


def test_a_date_is_not_a_number(history):
    assert "'promo' is 2022-01-01 in 201 rows" in complaint(contract.check_history, history.assign(promo=history["ds"]))


def test_both_orders_proven_is_no_order():
    read = contract.read_days(pd.Series(["13/01/2024", "01/13/2024", "02/03/2024"]))
    assert read["fault"].tolist() == ["ambiguous"] * 3 and read["day"].isna().all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dates(date(1990, 1, 1), date(2100, 1, 1)), min_size=1))
def test_a_day_is_never_read_wrong(dates):
    days = pd.to_datetime(pd.Series(dates)).astype("datetime64[ns]")
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"):
        read = contract.read_days(days.dt.strftime(form))
        assert (read["day"].eq(days) | read["fault"].eq("ambiguous")).all()
    assert contract.read_days(days.dt.strftime("%Y-%m-%d"))["fault"].eq("").all()


@pytest.mark.parametrize(
    "lawful",
    [
        lambda h: h.iloc[:1],
        lambda h: h[h["ds"] < "2022-01-08"],
        lambda h: spoil_sales(h, "zeros"),
        lambda h: spoil_sales(h, "constant"),
        lambda h: spoil_sales(h, "late"),
        lambda h: spoil_sales(h, "unsorted"),
        lambda h: h[["unique_id", "ds", "y"]],
        lambda h: h.assign(closed=h["closed"].astype(int), promo=h["promo"].astype(bool)),
    ],
    ids=["one row", "one season", "zeros", "constant", "late start", "unsorted", "no known columns", "flags"],
)
def test_unusual_is_not_unlawful(history, lawful):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked = contract.check_history(lawful(history))
    assert len(checked) == len(lawful(history))


def test_one_huge_day_is_warned_about_and_kept(history):
    said = "1 day with more than 1000 times the usual sales, first S01 on 2022-02-03, y = 1e[+]12; kept"
    with pytest.warns(UserWarning, match=said):
        checked = contract.check_history(spoil_sales(history, "spike"))
    assert checked["y"].max() == 1e12 and len(checked) == len(history)


@pytest.mark.parametrize("horizon", [0, -1, True, False, 14.0, "14", None, np.nan])
def test_a_horizon_is_a_whole_number_of_days(horizon, history):
    for check in (lambda: contract.check_horizon(horizon), lambda: contract.future(history, horizon)):
        assert complaint(check) == f"horizon is {horizon!r}, expected a whole number of days, 1 or more, such as 14"


def test_a_horizon_comes_back_as_int():
    assert type(contract.check_horizon(np.int64(14))) is int


def test_past_and_future_part_the_history(history):
    ahead = contract.future(history, 7)
    assert contract.last_day(history) == pd.Timestamp("2022-03-01")
    assert len(contract.past(history)) + len(ahead) == len(history)
    assert list(ahead) == ["unique_id", "ds", "closed", "holiday", "promo"]
    assert (ahead["ds"] > contract.last_day(history)).all()
    assert len(contract.future(history, 3)) == 9


def test_a_future_without_known_columns_needs_no_rows(history):
    ahead = contract.future(contract.past(history)[["unique_id", "ds", "y"]], 10)
    assert len(ahead) == 30 and list(ahead) == ["unique_id", "ds"]


def test_a_horizon_beyond_the_known_columns_is_refused(history):
    message = complaint(contract.future, history, 8)
    assert message == (
        "horizon is 8, but closed, holiday, promo of S01 are known for 7 days after 2022-03-01; "
        "load with horizon=8, or add those days with an empty `y`"
    )
    one = history.drop(index=history.index[(history["unique_id"] == "S02") & (history["ds"] == "2022-03-08")])
    assert "of S02 are known for 6 days" in complaint(contract.future, one, 7)


@pytest.fixture
def forecast(history):
    return contract.future(history, 7)[["unique_id", "ds"]].assign(
        yhat=5.0, yhat_lower=4.0, yhat_upper=6.0, status="model"
    )


def test_a_forecast_comes_back_sorted(forecast):
    pd.testing.assert_frame_equal(contract.check_forecast(forecast[::-1]), forecast)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"yhat": np.nan}, "'yhat' is nan in 21 rows, first in row 0 (S01, 2022-03-02)"),
        ({"yhat": np.inf}, "'yhat' is inf"),
        ({"yhat": -1.0, "yhat_lower": -2.0}, "'yhat' is -1.0 in 21 rows"),
        ({"yhat_lower": 5.5}, "outside its interval; expected yhat_lower <= yhat <= yhat_upper"),
        ({"yhat_upper": np.nan}, "'yhat_upper' is nan"),
        ({"ds": "ayer"}, "'ds' is 'ayer'"),
        ({"ds": pd.Timestamp("2022-03-02")}, "'rows with this key' is 7 in 21 rows"),
        ({"status": ""}, "'status' is '' in 21 rows"),
    ],
)
def test_a_bad_forecast_is_refused(forecast, changes, what):
    assert what in complaint(contract.check_forecast, forecast.assign(**changes))


def test_an_interval_has_two_ends(forecast):
    assert "no column 'yhat_upper'" in complaint(contract.check_forecast, forecast.drop(columns="yhat_upper"))


def test_scored_rows_never_saw_their_day(forecast):
    scored = forecast.assign(y=4.0, cutoff=pd.Timestamp("2022-03-01"), model="naive")
    contract.check_scored(pd.concat([scored, scored.assign(model="prophet")]))
    message = complaint(contract.check_scored, scored.assign(cutoff=pd.Timestamp("2022-03-03")))
    assert "'cutoff' is 2022-03-03 in 6 rows" in message and "the forecast would have seen the day" in message
    assert "'y' is nan" in complaint(contract.check_scored, scored.assign(y=np.nan))
    assert "no column 'cutoff'" in complaint(contract.check_scored, scored.drop(columns="cutoff"))
    assert "expected 1 for each model, cutoff, unique_id, ds" in complaint(
        contract.check_scored, pd.concat([scored, scored])
    )


def test_the_raw_extract_is_caught_with_its_wrong_weekday():
    raw = pd.read_parquet(contract.__file__.replace("contract.py", "data/bakery.parquet"))
    message = complaint(contract.check_raw, raw)
    assert message.startswith("raw extract: 'weekday' is 'FRI' in 127575 rows, first in row 0 (2, 101, 2016-01-02)")
    assert "take the weekday from `date`" in message
    right = raw.assign(weekday=raw["date"].dt.day_name().str[:3].str.upper())
    assert len(contract.check_raw(right)) == len(raw)
    assert "no column 'demand'" in complaint(contract.check_raw, right.drop(columns="demand"))
    assert "'is_holiday' is 2" in complaint(contract.check_raw, right.assign(is_holiday=2))
