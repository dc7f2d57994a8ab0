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
        "history: no column 'y' among 'unique_id', 'ds', 'closed', 'holiday', 'promo'; rename or add it",
    ),
    "duplicated column": (
        lambda h: pd.concat([h, h[["y"]]], axis=1),
        "history: column 'y' comes more than once; keep one",
    ),
    "no rows": (
        lambda h: h.iloc[:0],
        "history: 0 rows without sales; expected at least one day with `y`",
    ),
    "no sales": (
        lambda h: h.assign(y=np.nan),
        "history: 201 rows without sales; expected at least one day with `y`",
    ),
    "unreadable day": (
        lambda h: text_days(h, "%Y-%m-%d").replace({"2022-01-11": "ayer"}),
        "history: 'ds' is 'ayer' in 3 rows, first in row 10 (S01, ayer): expected a date; "
        "write ISO dates such as 2024-04-03",
    ),
    "no day": (
        lambda h: changed(h, "ds", None),
        "history: 'ds' is None in 1 row, first in row 10 (S01, None): expected a date; "
        "write ISO dates such as 2024-04-03",
    ),
    "ambiguous day": (
        lambda h: text_days(h[h["ds"].dt.day <= 12], "%d/%m/%Y"),
        "history: 'ds' is '01/01/2022' in 96 rows, first in row 0 (S01, 01/01/2022): "
        "day first or month first? both can be read; write ISO dates such as 2024-04-03",
    ),
    "integer day": (
        lambda h: spoil_sales(h, "integer dates"),
        "history: 'ds' is 20220101 in 201 rows, first in row 0 (S01, 20220101): expected dates, not numbers; "
        "convert them, such as `pd.to_datetime(values.astype(str), format='%Y%m%d')`",
    ),
    "time of day": (
        lambda h: spoil_sales(h, "time"),
        "history: 'ds' is 2022-01-01 08:00:00 in 201 rows, first in row 0 (S01, 2022-01-01 08:00:00): "
        "expected days without a time of day; take `.dt.normalize()` and add up each day's sales",
    ),
    "time of day in text": (
        lambda h: text_days(h, "%Y-%m-%d 08:30"),
        "history: 'ds' is '2022-01-01 08:30' in 201 rows, first in row 0 (S01, 2022-01-01 08:30): "
        "expected days without a time of day; take `.dt.normalize()` and add up each day's sales",
    ),
    "time zone": (
        lambda h: spoil_sales(h, "zone"),
        "history: 'ds' is 2022-01-01 00:00:00+01:00 in 201 rows, first in row 0 (S01, 2022-01-01 "
        "00:00:00+01:00): expected days without a time zone; "
        "keep the shop's own clock with `.dt.tz_localize(None)`",
    ),
    "time zone in text": (
        lambda h: text_days(h, "%Y-%m-%dT00:00:00+01:00"),
        "history: 'ds' is '2022-01-01T00:00:00+01:00' in 201 rows, first in row 0 (S01, "
        "2022-01-01T00:00:00+01:00): expected days without a time zone; "
        "keep the shop's own clock with `.dt.tz_localize(None)`",
    ),
    "repeated day": (
        lambda h: spoil_sales(h, "repeat"),
        "history: 'days since the row before' is 0 in 1 row, first in row 201 (S01, 2022-02-03): "
        "the day is repeated; add up or drop the repeated rows",
    ),
    "gap": (
        lambda h: spoil_sales(h, "gap"),
        "history: 'days since the row before' is 2 in 1 row, first in row 33 (S01, 2022-02-04): "
        "days are missing; find them, or say that the shop was closed: load_sales(gaps='closed')",
    ),
    "weekly": (
        lambda h: spoil_sales(h, "weekly"),
        "history: 'days since the row before' is 7 in 27 rows, first in row 1 (S01, 2022-01-10): "
        "expected daily sales, not weekly or monthly; ask for them",
    ),
    "monthly": (
        lambda h: make_sales(0, series=2, days=400)[lambda h: h["ds"].dt.day == 1],
        "history: 'days since the row before' is 31 in 26 rows, first in row 1 (S01, 2022-02-01): "
        "expected daily sales, not weekly or monthly; ask for them",
    ),
    "ends long before": (
        lambda h: spoil_sales(h, "ended"),
        "history: 'days before the end of the others' is 27 in 1 row, first in row 32 (S01, 2022-02-02): "
        "expected the same last day in all series; complete it, or load_sales(ended='drop')",
    ),
    "never sold": (
        lambda h: h.assign(y=h["y"].where(h["unique_id"] != "S02")),
        "history: 2 problems\n"
        "- 'y' is nan in 67 rows, first in row 67 (S02, 2022-01-01): sales are missing; "
        "find them, or write 0 if none were sold\n"
        "- 'days before the end of the others' is nan in 1 row, first in row 67 (S02, 2022-01-01): "
        "expected the same last day in all series; complete it, or load_sales(ended='drop')",
    ),
    "missing sales": (
        lambda h: changed(h, "y", np.nan),
        "history: 'y' is nan in 1 row, first in row 10 (S01, 2022-01-11): sales are missing; "
        "find them, or write 0 if none were sold",
    ),
    "infinite sales": (
        lambda h: changed(h, "y", np.inf),
        "history: 'y' is inf in 1 row, first in row 10 (S01, 2022-01-11): expected a finite number; correct the value",
    ),
    "text in sales": (
        lambda h: changed(h, "y", "12,5"),
        "history: 'y' is '12,5' in 1 row, first in row 10 (S01, 2022-01-11): "
        "expected a number, such as 12.5 with a point",
    ),
    "negative sales": (
        lambda h: changed(h, "y", -3.0),
        "history: 'y' is -3.0 in 1 row, first in row 10 (S01, 2022-01-11): expected 0 or more; "
        "keep returns out of the sales",
    ),
    "sold while closed": (
        lambda h: h.assign(closed=h.index == 12),
        "history: 'y' is 322.0 in 1 row, first in row 12 (S01, 2022-01-13): sold while closed; correct `y` or `closed`",
    ),
    "key is a number": (
        lambda h: h.assign(unique_id=h["unique_id"].str[1:].astype(int)),
        "history: 'unique_id' is 1 in 201 rows, first in row 0 (1, 2022-01-01): "
        "expected the key of a series as text; fill it in, or convert it with `.astype(str)`",
    ),
    "key is empty": (
        lambda h: changed(h, "unique_id", ""),
        "history: 3 problems\n"
        "- 'unique_id' is '' in 1 row, first in row 10 (, 2022-01-11): expected the key of a series as text; "
        "fill it in, or convert it with `.astype(str)`\n"
        "- 'days since the row before' is 2 in 1 row, first in row 11 (S01, 2022-01-12): days are missing; "
        "find them, or say that the shop was closed: load_sales(gaps='closed')\n"
        "- 'days before the end of the others' is 49 in 1 row, first in row 10 (, 2022-01-11): "
        "expected the same last day in all series; complete it, or load_sales(ended='drop')",
    ),
    "closed unknown": (
        lambda h: changed(h, "closed", None),
        "history: 'closed' is None in 1 row, first in row 10 (S01, 2022-01-11): expected True or False; fill it in",
    ),
    "holiday unknown": (
        lambda h: changed(h, "holiday", None),
        "history: 'holiday' is None in 1 row, first in row 10 (S01, 2022-01-11): "
        "expected the name of the holiday, or '' as text; fill it in, or convert it with `.astype(str)`",
    ),
    "regressor unknown": (
        lambda h: h.assign(promo=h["promo"].where(h.index != 50)),
        "history: 'promo' is nan in 1 row, first in row 50 (S01, 2022-02-20): "
        "expected a number known in advance; correct the value, or find out why it is missing",
    ),
    "regressor infinite": (
        lambda h: h.assign(promo=np.inf),
        "history: 'promo' is inf in 201 rows, first in row 0 (S01, 2022-01-01): "
        "expected a number known in advance; correct the value, or find out why it is missing",
    ),
    "regressor text": (
        lambda h: h.assign(promo="sí"),
        "history: 'promo' is 'sí' in 201 rows, first in row 0 (S01, 2022-01-01): "
        "expected a number known in advance; correct the value, or find out why it is missing",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_a_bad_history_gets_what_came_where_and_the_way_out(history, spoil, message):
    assert complaint(contract.check_history, spoil(history)) == message


def test_several_problems_are_told_at_once(history):
    bad = changed(changed(history, "y", -3.0, row=4), "y", "doce", row=9).assign(promo=np.nan).drop(index=[20, 90])
    first, *lines = complaint(contract.check_history, bad).splitlines()
    assert first == "history: 4 problems"
    assert set(lines) == {
        "- 'y' is 'doce' in 1 row, first in row 9 (S01, 2022-01-10): expected a number, such as 12.5 with a point",
        "- 'y' is -3.0 in 1 row, first in row 4 (S01, 2022-01-05): expected 0 or more; keep returns out of the sales",
        "- 'days since the row before' is 2 in 2 rows, first in row 20 (S01, 2022-01-22): days are missing; find them, "
        "or say that the shop was closed: load_sales(gaps='closed')",
        "- 'promo' is nan in 178 rows, first in row 0 (S01, 2022-01-01): expected a number known in advance; "
        "correct the value, or find out why it is missing",
    }


def test_every_missing_or_repeated_column_is_named(history):
    bare = history.drop(columns=["ds", "y"])
    assert "no column 'ds', 'y' among 'unique_id', 'closed', 'holiday', 'promo'" in complaint(
        contract.check_history, bare
    )
    twice = pd.concat([history, history[["ds", "y"]]], axis=1)
    assert "column 'ds', 'y' comes more than once; keep one" in complaint(contract.check_history, twice)
    assert complaint(contract.check_history, twice.drop(columns="unique_id")).startswith("history: 2 problems\n- ")


def test_a_series_that_skips_every_second_day_is_not_daily(history):
    every_other = history[history["ds"].dt.dayofyear % 2 == 1]
    message = complaint(contract.check_history, every_other)
    assert "'days since the row before' is 2 in" in message and "not weekly or monthly" in message


def test_a_day_without_sales_is_a_gap_until_the_sales_end(history):
    "Two empty evenings: one inside the sales is missing, those after the last one are the future."
    empty = history["y"].mask(history["ds"].eq("2022-01-11") & history["unique_id"].eq("S02"))
    message = complaint(contract.check_history, history.assign(y=empty))
    assert message.startswith("history: 'y' is nan in 1 row, first in row 77 (S02, 2022-01-11)")


def test_days_nobody_can_read_do_not_hide_other_problems(history):
    bad = history.assign(ds="ayer", y=history["y"].mask(history.index == 3, -1.0))
    assert complaint(contract.check_history, bad).splitlines() == [
        "history: 2 problems",
        "- 'ds' is 'ayer' in 201 rows, first in row 0 (S01, ayer): expected a date; write ISO dates such as 2024-04-03",
        "- 'y' is -1.0 in 1 row, first in row 3 (S01, ayer): expected 0 or more; keep returns out of the sales",
    ]


def test_one_unit_sold_while_closed_is_one_too_many(history):
    shut = history.assign(closed=history.index == 12, y=history["y"].mask(history.index == 12, 1.0))
    assert "'y' is 1.0 in 1 row, first in row 12" in complaint(contract.check_history, shut)
    assert contract.check_history(shut.assign(y=shut["y"].mask(shut.index == 12, 0.0)))["closed"].sum() == 1


def test_flags_of_any_kind_come_back_as_bool(history):
    checked = contract.check_history(history.assign(closed=history["closed"].astype(int)))
    assert checked["closed"].dtype == bool
    pd.testing.assert_series_equal(checked["closed"], history["closed"])


def test_known_columns_are_those_without_a_meaning_of_their_own(history):
    assert contract.regressors(history.assign(school=0)) == ["promo", "school"]
    assert contract.regressors(history[["unique_id", "ds", "y", "closed", "holiday"]]) == []


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


ODD = {
    "lists as keys": (lambda h: h.assign(unique_id=[[1]] * len(h)), "'unique_id' is [1] in"),
    "an empty category": (
        lambda h: h.assign(unique_id=pd.Categorical(h["unique_id"].where(h.index > 0))),
        "'unique_id' is nan in 1 row, first in row 0",
    ),
    "one category": (lambda h: h.assign(unique_id=pd.Categorical(["A"] * len(h))), "the day is repeated"),
    "open or unknown": (
        lambda h: h.assign(closed=pd.array(([None, True] * len(h))[: len(h)], dtype="boolean")),
        "'closed' is <NA> in 101 rows, first in row 0",
    ),
    "lists as holidays": (lambda h: h.assign(holiday=[[1]] * len(h)), "'holiday' is [1] in"),
}


@pytest.mark.parametrize(("change", "text"), ODD.values(), ids=ODD)
def test_odd_types_are_told_like_any_other_fault(history, change, text):
    assert text in complaint(contract.check_history, change(history))


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
    with pytest.warns(UserWarning) as said:
        checked = contract.check_history(spoil_sales(history, "spike"))
    assert str(said[0].message) == (
        "history: 1 day with more than 1000 times the usual sales, first S01 on 2022-02-03, y = 1e+12; "
        "kept as it is, correct it if it is a mistake"
    )
    assert checked["y"].max() == 1e12 and len(checked) == len(history)


def test_huge_is_more_than_a_thousand_usual_days():
    days = pd.date_range("2024-01-01", periods=6)
    level = pd.DataFrame({"unique_id": "S01", "ds": days, "y": [0.0, 0.0, 2.0, 2.0, 2.0, 2000.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contract.warn_huge(level)
    with pytest.warns(UserWarning, match="history: 2 days with more than 1000 times .* first S01 on 2024-01-05"):
        contract.warn_huge(level.assign(y=[0.0, 2.0, 2.0, 2.0, 2001.0, 2001.0]))
    with pytest.warns(UserWarning, match="1 day with more than 10 times .* y = 21;"):
        contract.warn_huge(level.assign(y=[2.0, 2.0, 2.0, 2.0, 20.0, 21.0]), times=10)


@pytest.mark.parametrize("horizon", [0, -1, True, False, 14.0, "14", None, np.nan])
def test_a_horizon_is_a_whole_number_of_days(horizon, history):
    for check in (lambda: contract.check_horizon(horizon), lambda: contract.future(history, horizon)):
        assert complaint(check) == f"horizon is {horizon!r}, expected a whole number of days, 1 or more, such as 14"


def test_a_horizon_comes_back_as_int():
    assert type(contract.check_horizon(np.int64(14))) is int
    assert contract.check_horizon(1) == 1


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
    none = history[~(history["unique_id"].eq("S03") & history["y"].isna())]
    assert "of S03 are known for 0 days" in complaint(contract.future, none, 7)


def test_a_future_numbers_its_rows_from_0(history):
    ahead = contract.future(history, 2)
    assert ahead.index.tolist() == list(range(6))
    assert ahead["ds"].dt.strftime("%m-%d").tolist() == ["03-02", "03-03"] * 3


def test_what_was_seen_on_an_evening_holds_no_later_sale(history):
    cutoff = pd.Timestamp("2022-02-01")
    born = history[~(history["unique_id"].eq("S03") & (history["ds"] <= cutoff))]
    was = contract.seen(born, cutoff, 5)
    assert was["unique_id"].unique().tolist() == ["S01", "S02"], "a shop that opens later is not known yet"
    assert was["ds"].max() == pd.Timestamp("2022-02-06") and len(was) == 2 * (32 + 5)
    later = was["ds"] > cutoff
    assert was.loc[later, "y"].isna().all() and was.loc[~later, "y"].notna().all()
    pd.testing.assert_frame_equal(was.drop(columns="y"), born.loc[was.index].drop(columns="y"))
    first = contract.seen(history, pd.Timestamp("2022-01-01"), 1)
    assert first.groupby("unique_id")["y"].count().tolist() == [1, 1, 1], "born on the day of the cutoff is born"


@pytest.fixture
def forecast(history):
    return contract.future(history, 7)[["unique_id", "ds"]].assign(
        yhat=5.0, yhat_lower=4.0, yhat_upper=6.0, status="model"
    )


def test_a_forecast_comes_back_sorted(forecast):
    pd.testing.assert_frame_equal(contract.check_forecast(forecast[::-1]), forecast)


ROWS = "in 21 rows, first in row 0 (S01, 2022-03-02)"
NUMBER = "; correct the value, or find out why it is missing"
TEXT = " as text; fill it in, or convert it with `.astype(str)`"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"yhat": np.nan, "yhat_lower": np.nan}, None),
        ({"yhat": np.inf, "yhat_upper": np.inf}, None),
        ({"yhat": -1.0, "yhat_lower": -2.0}, f"'yhat' is -1.0 {ROWS}: expected units, 0 or more{NUMBER}"),
        (
            {"yhat_lower": 5.5},
            f"'yhat' is 5.0 {ROWS}: outside its interval; expected yhat_lower <= yhat <= yhat_upper",
        ),
        ({"yhat_upper": np.inf}, f"'yhat_upper' is inf {ROWS}: expected a limit of the interval{NUMBER}"),
        ({"yhat_lower": -np.inf}, f"'yhat_lower' is -inf {ROWS}: expected a limit of the interval{NUMBER}"),
        (
            {"ds": "ayer"},
            "2 problems\n- 'ds' is 'ayer' in 21 rows, first in row 0 (S01, ayer): expected a date; "
            "write ISO dates such as 2024-04-03\n- 'rows with this key' is 7 in 21 rows, first in row 0 (S01, ayer): "
            "expected 1 for each unique_id, ds; drop the copies",
        ),
        (
            {"ds": pd.Timestamp("2022-03-02")},
            f"'rows with this key' is 7 {ROWS}: expected 1 for each unique_id, ds; drop the copies",
        ),
        ({"unique_id": 7}, None),
        ({"status": ""}, f"'status' is '' {ROWS}: expected a status{TEXT}"),
        ({"status": None}, f"'status' is None {ROWS}: expected a status{TEXT}"),
        ({"model": ""}, f"'model' is '' {ROWS}: expected a model{TEXT}"),
    ],
)
def test_a_bad_forecast_is_refused(forecast, changes, message):
    said = complaint(contract.check_forecast, forecast.assign(**changes))
    assert said.startswith("forecast: ")
    if message:
        assert said == f"forecast: {message}"
    else:  # one value breaks several clauses
        column = next(iter(changes))
        assert f"- {column!r} is {forecast.assign(**changes)[column].iloc[0]} in 21 rows, first in row 0" in said


def test_a_lawful_forecast_may_be_0_and_touch_its_limits(forecast):
    plain = forecast[["unique_id", "ds"]].assign(yhat=0.0)
    pd.testing.assert_frame_equal(contract.check_forecast(plain.set_index(plain.index * 0)), plain)
    touched = forecast.assign(yhat_lower=5.0, yhat_upper=5.0)
    pd.testing.assert_frame_equal(contract.check_forecast(touched), touched)
    assert contract.check_forecast(forecast.assign(yhat_lower=-2.0))["yhat_lower"].eq(-2).all()
    text = forecast.assign(ds=forecast["ds"].dt.strftime("%Y-%m-%d"))
    pd.testing.assert_frame_equal(contract.check_forecast(text), forecast)


@pytest.mark.parametrize("bound", ["yhat_lower", "yhat_upper"])
def test_an_interval_has_two_ends(forecast, bound):
    assert complaint(contract.check_forecast, forecast.drop(columns=bound)).startswith(f"forecast: no column {bound!r}")


@pytest.mark.parametrize("column", ["unique_id", "ds", "yhat"])
def test_a_forecast_has_its_columns(forecast, column):
    said = complaint(contract.check_forecast, forecast.drop(columns=column))
    assert said.startswith(f"forecast: no column {column!r} among ")


@pytest.fixture
def scored(forecast):
    return forecast.assign(y=4.0, cutoff=pd.Timestamp("2022-03-01").as_unit("ns"), model="naive")


def test_scored_rows_come_back_by_model_cutoff_series_and_day(scored):
    earlier = scored.assign(cutoff=pd.Timestamp("2022-02-22").as_unit("ns"))
    rows = pd.concat([scored.assign(model="prophet"), scored, earlier], ignore_index=True)
    checked = contract.check_scored(rows)
    keys = ["model", "cutoff", "unique_id", "ds"]
    pd.testing.assert_frame_equal(checked, rows.sort_values(keys, ignore_index=True))
    alone = contract.check_scored(earlier.drop(columns="model")[::-1])
    pd.testing.assert_frame_equal(alone, earlier.drop(columns="model"))
    assert contract.check_scored(scored.assign(y=0.0))["y"].eq(0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cutoff": pd.Timestamp("2022-03-03")},
            "'cutoff' is 2022-03-03 in 6 rows, first in row 0 (naive, 2022-03-03, S01, 2022-03-02): "
            "not before `ds`: the forecast would have seen the day; take earlier cutoffs",
        ),
        (
            {"cutoff": "ayer"},
            "'cutoff' is 'ayer' in 21 rows, first in row 0 (naive, ayer, S01, 2022-03-02): expected a date; "
            "write ISO dates such as 2024-04-03",
        ),
        (
            {"y": np.nan},
            "'y' is nan in 21 rows, first in row 0 (naive, 2022-03-01, S01, 2022-03-02): "
            f"expected units sold, 0 or more{NUMBER}",
        ),
        (
            {"y": -1.0},
            "'y' is -1.0 in 21 rows, first in row 0 (naive, 2022-03-01, S01, 2022-03-02): "
            f"expected units sold, 0 or more{NUMBER}",
        ),
    ],
)
def test_a_bad_scored_row_is_refused(scored, changes, message):
    assert complaint(contract.check_scored, scored.assign(**changes)) == f"scored: {message}"


def test_scored_rows_have_a_cutoff_and_no_copies(scored):
    said = complaint(contract.check_scored, scored.drop(columns="cutoff"))
    assert said.startswith("scored: no column 'cutoff' among")
    assert complaint(contract.check_scored, pd.concat([scored, scored.iloc[3:4]])) == (
        "scored: 'rows with this key' is 2 in 2 rows, first in row 3 (naive, 2022-03-01, S01, 2022-03-05): "
        "expected 1 for each model, cutoff, unique_id, ds; drop the copies"
    )
    bare = scored.drop(columns="model")
    assert "expected 1 for each cutoff, unique_id, ds;" in complaint(contract.check_scored, pd.concat([bare, bare]))


@pytest.fixture
def raw():
    "Two stores and two products of the extract, with the weekday put right; rows in no order."
    raw = pd.read_parquet(contract.__file__.replace("contract.py", "data/bakery.parquet"))
    raw = raw[raw["store"].isin(raw["store"].unique()[:2]) & raw["product"].isin(raw["product"].unique()[:2])]
    raw = raw.groupby(["store", "product"]).head(30)
    return raw.assign(weekday=raw["date"].dt.day_name().str[:3].str.upper()).sample(frac=1, random_state=0)


def test_the_raw_extract_comes_back_in_order(raw):
    checked = contract.check_raw(raw)
    pd.testing.assert_frame_equal(checked, raw.sort_values(["store", "product", "date"], ignore_index=True))
    pd.testing.assert_frame_equal(contract.check_raw(raw.set_index(raw.index * 0)), checked)
    assert len(contract.check_raw(raw.drop(columns="weekday"))) == len(raw)
    first = raw[raw["store"] == raw["store"].min()].assign(store=1)
    assert contract.check_raw(first)["store"].eq(1).all()


FLAG = "expected 0 or 1; ask what the value means"
RAW_BAD = {
    "demand": (-1, f"expected units sold, 0 or more{NUMBER}"),
    "store": (0, f"expected the number of a store{NUMBER}"),
    "product": (0, f"expected the number of a product{NUMBER}"),
    "is_holiday": (2, FLAG),
    "is_schoolholiday": (2, FLAG),
    "promotion_currentweek": (-1, FLAG),
    "weekday": ("DOM", "not the weekday of `date`; drop the column and take the weekday from `date`"),
}


@pytest.mark.parametrize("column", RAW_BAD)
def test_a_spoilt_extract_is_told_by_row(raw, column):
    value, text = RAW_BAD[column]
    bad = raw.reset_index(drop=True).assign(**{column: value})
    store, product, day = bad.iloc[0][["store", "product", "date"]]
    assert complaint(contract.check_raw, bad) == (
        f"raw extract: {column!r} is {value!r} in 120 rows, first in row 0 ({store}, {product}, {day:%Y-%m-%d}): {text}"
    )


@pytest.mark.parametrize("column", [*RAW_BAD, "date"])
def test_an_extract_without_a_column_is_refused(raw, column):
    if column != "weekday":
        said = complaint(contract.check_raw, raw.drop(columns=column))
        assert said.startswith(f"raw extract: no column {column!r} among ")


@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_a_weekday_that_is_missing_is_no_weekday(raw, kind):
    bad = raw.reset_index(drop=True)
    bad["weekday"] = bad["weekday"].where(bad.index != 3).astype(kind)
    assert " in 1 row, first in row 3 " in complaint(contract.check_raw, bad)


def test_the_extract_of_the_chain_is_caught_with_its_wrong_weekday():
    raw = pd.read_parquet(contract.__file__.replace("contract.py", "data/bakery.parquet"))
    assert complaint(contract.check_raw, raw) == (
        "raw extract: 'weekday' is 'FRI' in 127575 rows, first in row 0 (2, 101, 2016-01-02): "
        "not the weekday of `date`; drop the column and take the weekday from `date`"
    )
