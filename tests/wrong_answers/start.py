"Wrong answers to the exercises of lesson 00, each with a piece of the hint it must get."

from wrong_answers import wrong


@wrong("start.rule", "lo que se vendió hoy")
def repeats_today(sales):
    return sales[-1]


@wrong("start.rule", "cuenta desde mañana")
def six_days_back(sales):
    return sales[-6]


@wrong("start.rule", "un promedio")
def weekly_mean(sales):
    return sum(sales[-7:]) / 7


@wrong("start.rule", "más largas")
def first_day(sales):
    return sales[max(len(sales) - 8, 0)] if len(sales) > 8 else sales[len(sales) - 7]


@wrong("start.mean", "entre todos los días")
def divides_by_all(sales):
    return sum(sold for sold in sales if sold != "cerrado") / max(len(sales), 1)


@wrong("start.mean", "con 0 ventas también cuenta")
def drops_zeros(sales):
    opened = [sold for sold in sales if sold not in ("cerrado", 0)]
    return sum(opened) / len(opened) if opened else 0


@wrong("start.mean", "falta repartir")
def only_adds(sales):
    return sum(sold for sold in sales if sold != "cerrado")


@wrong("start.mean", "se detuvo")
def trips_when_never_open(sales):
    opened = [sold for sold in sales if sold != "cerrado"]
    return sum(opened) / len(opened)


@wrong("start.possible", "hornear 0 un día es posible")
def asks_for_bread_every_day(plan):
    return bool(plan) and all(units > 0 and units == int(units) for units in plan)


@wrong("start.possible", "un día negativo")
def forgets_negatives(plan):
    return bool(plan) and all(units == int(units) for units in plan)


@wrong("start.possible", "medio pan")
def forgets_halves(plan):
    return bool(plan) and all(units >= 0 for units in plan)


@wrong("start.possible", "sin ningún día")
def accepts_an_empty_plan(plan):
    return all(units >= 0 and units == int(units) for units in plan)
