"Wrong answers to the exercises of lesson 35: tests that miss something, each with a piece of the hint it must get."

import numpy as np
import pandas as pd
import pytest

from wrong_answers import wrong


@wrong("testing.bill", "devuelve algo y nadie lo mira")
def answers_instead_of_stopping(bill):
    return bill(12) == 540


@wrong("testing.bill", "acusas a la versión correcta: AssertionError 13 loaves")
def only_the_loaves_after_the_dozen(bill):
    assert bill(13) == 12 * 50 + 45, "13 loaves"


@wrong("testing.bill", "acusas a la versión correcta: ValueError loaves must be >= 0")
def calls_what_must_be_refused(bill):
    assert bill(-1) is None


@wrong("testing.bill", "no hace ningún descuento")
def looks_at_nothing(bill):
    assert bill


@wrong("testing.bill", "no hace ningún descuento")
def mirror(bill):
    assert bill(12) == bill(12) and bill(-0) == bill(0)


@wrong("testing.bill", "hace el descuento siempre")
def one_large_order(bill):
    assert bill(20) == 900


@wrong("testing.bill", "se equivoca justo en la frontera")
def far_from_the_border(bill):
    assert bill(5) == 250 and bill(20) == 900


@wrong("testing.bill", "se adelanta en la frontera")
def one_side_of_the_border(bill):
    assert bill(5) == 250 and bill(12) == 540


@wrong("testing.bill", "acepta lo que debía rechazar")
def no_bad_order(bill):
    assert [bill(loaves) for loaves in (0, 11, 12, 100)] == [0, 550, 540, 4500]


@wrong("testing.bill", "se equivoca con lo más pequeño")
def no_empty_order(bill):
    assert [bill(loaves) for loaves in (1, 11, 12, 100)] == [50, 550, 540, 4500]
    with pytest.raises(ValueError):
        bill(-1)


@wrong("testing.bill", "cambia en pedidos grandes")
def no_large_order(bill):
    assert [bill(loaves) for loaves in (0, 1, 11, 12, 13)] == [0, 50, 550, 540, 585]
    with pytest.raises(ValueError):
        bill(-1)


@wrong("testing.relations", "acusas a la versión correcta: AssertionError")
def symmetric(cost, y, yhat):
    assert cost(y, yhat) == cost(yhat, y)


@wrong("testing.relations", "devuelve algo y nadie lo mira")
def tells(cost, y, yhat):
    return cost(y, y) == 0 and cost(y, yhat) >= 0


@wrong("testing.relations", "cobra aunque no haya fallo")
def not_negative(cost, y, yhat):
    assert cost(y, yhat) >= 0


@wrong("testing.relations", "da dinero por fallar")
def perfect_is_free(cost, y, yhat):
    assert cost(y, y) == 0


@wrong("testing.relations", "da igual que falte o que sobre")
def free_and_not_negative(cost, y, yhat):
    assert cost(y, y) == 0 and cost(y, yhat) >= 0 and cost(y, y - 1) > 0


@wrong("testing.relations", "confunde faltar con sobrar")
def one_is_dearer(cost, y, yhat):
    assert cost(y, y) == 0 and cost(y, yhat) >= 0 and cost(y, y - 1) != cost(y, y + 1)


@wrong("testing.relations", "no crece en proporción")
def short_is_dearer(cost, y, yhat):
    assert cost(y, y) == 0 and cost(y, yhat) >= 0
    assert cost(y, y - 1) > cost(y, y + 1) or cost(y, y + 1) == cost(y, y - 1) > 0 and cost(y, y + 3) > len(y)


@wrong("testing.relations", "no suma los días")
def doubles(cost, y, yhat):
    assert cost(y, y) == 0 and cost(y, yhat) >= 0 and cost(y, y - 1) == 2 * cost(y, y + 1)
    assert np.isclose(cost(2 * y, 2 * yhat), 2 * cost(y, yhat))


@wrong("testing.relations", "compensa un día con otro")
def twice_the_days(cost, y, yhat):
    doubles(cost, y, yhat)
    assert np.isclose(cost(np.tile(y, 2)[: len(y)], np.tile(yhat, 2)[: len(y)]), cost(y, yhat))
    assert np.isclose(cost(np.repeat(y[:2], 2), np.repeat(yhat[:2], 2)), 2 * cost(y[:2], yhat[:2]))


@wrong("testing.relations", "olvida días si hay muchos")
def first_day_and_the_rest(cost, y, yhat):
    doubles(cost, y, yhat)
    y, yhat = y[:9], yhat[:9]
    assert np.isclose(cost(y, yhat), sum(cost(y[[day]], yhat[[day]]) for day in range(len(y))))


def refuse(orders, *, least=0, whole=True, empty=True, twice=True, clock=True, words=True, dates=True, names=True):
    "A contract with one clause less."
    if not {"store", "day", "units"} <= set(orders):
        raise ValueError("a column is missing")
    units = pd.to_numeric(orders["units"]) if words else pd.to_numeric(orders["units"], errors="coerce").fillna(0)
    if empty and units.isna().any():
        raise ValueError("an order is empty")
    if (units < least).any() or (whole and (units.dropna() % 1 != 0).any()):
        raise ValueError("not a number of loaves")
    if twice and orders.duplicated(["store", "day"]).any():
        raise ValueError("two orders")
    if dates and orders["day"].dtype.kind != "M":
        raise ValueError("not dates")
    if clock and orders["day"].dtype.kind == "M" and (orders["day"] != orders["day"].dt.normalize()).any():
        raise ValueError("a time of day")
    if names and not orders["store"].map(lambda store: isinstance(store, str)).all():
        raise ValueError("not names")
    return orders


@wrong("testing.contract", "tu función se detuvo con ValueError: no")
def refuses_everything(orders):
    raise ValueError("no")


@wrong("testing.contract", "tu función no devuelve nada")
def returns_nothing(orders):
    refuse(orders)


@wrong("testing.contract", "devuelve la tabla que recibiste")
def says_yes(orders):
    refuse(orders)
    return True


@wrong("testing.contract", "devuelve la tabla que recibiste")
def cleans_instead(orders):
    refuse(orders)
    return orders[orders["units"] > 12]


@wrong("testing.contract", "rechazas panes enteros escritos con punto")
def only_integers(orders):
    if orders["units"].dtype.kind != "i":
        raise ValueError("not integers")
    return refuse(orders)


@wrong("testing.contract", "rechazas un pedido de cero panes")
def one_loaf_at_least(orders):
    return refuse(orders, least=1)


@wrong("testing.contract", "rechazas una columna de más")
def exactly_three_columns(orders):
    if list(orders) != ["store", "day", "units"]:
        raise ValueError("other columns")
    return refuse(orders)


@wrong("testing.contract", "rechazas las mismas filas en otro orden")
def only_sorted(orders):
    if not orders.index.is_monotonic_increasing:
        raise ValueError("not sorted")
    return refuse(orders)


@wrong("testing.contract", "aceptas una tabla sin `units`")
def accepts_everything(orders):
    return orders.assign(units=orders["units"]) if "units" in orders else orders


@wrong("testing.contract", "aceptas un pedido negativo")
def negative(orders):
    return refuse(orders, least=-100)


@wrong("testing.contract", "aceptas un pedido vacío")
def empty(orders):
    return refuse(orders, empty=False)


@wrong("testing.contract", "aceptas medio pan")
def half(orders):
    return refuse(orders, whole=False)


@wrong("testing.contract", "aceptas un pedido escrito con letras")
def letters(orders):
    return (
        refuse(orders, words=False, empty=not orders["units"].isna().any())
        if not orders["units"].isna().any()
        else refuse(orders)
    )


@wrong("testing.contract", "aceptas dos pedidos de la misma tienda y día")
def repeated(orders):
    return refuse(orders, twice=False)


@wrong("testing.contract", "aceptas una fecha con hora")
def with_a_time(orders):
    return refuse(orders, clock=False)


@wrong("testing.contract", "aceptas fechas que son texto")
def text_for_dates(orders):
    return refuse(orders, dates=False)


@wrong("testing.contract", "aceptas tiendas que son números")
def numbers_for_names(orders):
    return refuse(orders, names=False)


def later(history, cutoff, days, value=9999.0):
    "The history with other sales from some days after the cutoff on."
    return history.assign(y=history["y"].where(history["ds"] <= cutoff + pd.Timedelta(days=days), value))


def behaves(forecast, history, cutoff, *, peek=0, same=True, scale=True, longer=True):
    "The whole set of tests, or most of it."
    before, usual = history.copy(), forecast(history, cutoff, 14)
    assert history.equals(before) or not same
    assert len(usual) == 14 or not longer
    given = history.copy()
    if peek is not None:
        assert np.allclose(forecast(later(given, cutoff, peek), cutoff, 14), usual)
    if scale:
        assert np.allclose(forecast(given.assign(y=2 * given["y"]), cutoff, 14), 2 * usual)
    if longer:
        assert np.allclose(forecast(given.copy(), cutoff, 15)[:14], usual)


@wrong("testing.behaviour", "acusas a un pronóstico honesto: AssertionError")
def wants_the_truth(forecast, history, cutoff):
    sold = history.loc[history["ds"] > cutoff, "y"].head(14)
    assert np.allclose(forecast(history, cutoff, 14), sold, atol=5)


@wrong("testing.behaviour", "acusas a un pronóstico honesto: AssertionError")
def wants_last_week(forecast, history, cutoff):
    last = history.loc[history["ds"] <= cutoff, "y"].tail(7)
    assert np.allclose(forecast(history, cutoff, 7), last)


@wrong("testing.behaviour", "devuelve algo y nadie lo mira")
def tells_how_it_went(forecast, history, cutoff):
    return len(forecast(history, cutoff, 14)) == 14


@wrong("testing.behaviour", "tu prueba dejó cambiada la historia")
def spoils_what_it_got(forecast, history, cutoff):
    usual = forecast(history, cutoff, 14)
    history["y"] *= 2
    assert np.allclose(forecast(history, cutoff, 14), 2 * usual)


@wrong("testing.behaviour", "no llamas al pronóstico ni una vez")
def never_asks(forecast, history, cutoff):
    assert len(history) > 14 and callable(forecast)


@wrong("testing.behaviour", "usa ventas que aún no existían")
def trusts(forecast, history, cutoff):
    behaves(forecast, history, cutoff, peek=None)


@wrong("testing.behaviour", "mira un solo día del futuro")
def looks_far_ahead(forecast, history, cutoff):
    behaves(forecast, history, cutoff, peek=1)


@wrong("testing.behaviour", "deja la historia distinta de como la recibió")
def forgets_the_history(forecast, history, cutoff):
    behaves(forecast, history.copy(), cutoff, same=False)


@wrong("testing.behaviour", "no sigue la escala de las ventas")
def forgets_the_scale(forecast, history, cutoff):
    behaves(forecast, history, cutoff, scale=False)


@wrong("testing.behaviour", "no hace caso de las ventas")
def more_is_not_less(forecast, history, cutoff):
    behaves(forecast, history, cutoff, scale=False)
    assert np.isclose(forecast(history.assign(y=0.0), cutoff, 14).std(), 0)
    empty, usual = forecast(history.assign(y=0.0), cutoff, 14), forecast(history, cutoff, 14)
    assert (empty == 0).all() or np.allclose(usual, empty)


@wrong("testing.behaviour", "cambia según cuántos días se le piden")
def one_horizon(forecast, history, cutoff):
    behaves(forecast, history, cutoff, longer=False)


@wrong("testing.behaviour", "no devuelve todos los días pedidos")
def two_short_horizons(forecast, history, cutoff):
    behaves(forecast, history, cutoff, longer=False)
    assert np.allclose(forecast(history, cutoff, 7)[:5], forecast(history, cutoff, 5))
