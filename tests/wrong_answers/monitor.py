"Wrong answers to the exercises of lesson 54, each with a piece of the hint it must get."

from wrong_answers import wrong


def walk(far, limit, *, slack=0.5, floor=0.0, reset=True, equal=False):
    "The sum, with one mistake or another."
    total, days = 0.0, []
    for day, value in enumerate(far):
        total = max(floor, total + value - slack)
        if total > limit or (equal and total == limit):
            days.append(day)
            total = 0.0 if reset else total
    return days


@wrong("monitor.sum", "descuenta la holgura")
def forgives_nothing(far, limit):
    return walk(far, limit, slack=0)


@wrong("monitor.sum", "la suma no baja de cero")
def saves_good_days(far, limit):
    return walk(far, limit, floor=float("-inf"))


@wrong("monitor.sum", "no cuando lo iguala")
def rings_at_the_limit(far, limit):
    return walk(far, limit, equal=True)


@wrong("monitor.sum", "la suma vuelve a cero")
def rings_for_ever(far, limit):
    return walk(far, limit, reset=False)


@wrong("monitor.share", "lo que debían sonar todas juntas")
def shares_nothing(alarms, rate):
    return rate / 30


@wrong("monitor.share", "eso son mañanas al mes")
def forgets_the_month(alarms, rate):
    return rate / alarms


@wrong("monitor.share", "dividir es una aproximación")
def divides(alarms, rate):
    return rate / 30 / alarms


@wrong("monitor.share", "para que suenen todas a la vez")
def wants_all_at_once(alarms, rate):
    return (rate / 30) ** (1 / alarms)


@wrong("monitor.delay", "anterior a la avería")
def takes_any_morning(struck, calm, day):
    return min(struck, default=day - 1) - day


@wrong("monitor.delay", "no la descubrió, coincidió")
def believes_every_alarm(struck, calm, day):
    later = [morning for morning in struck if morning > day]
    return min(later) - day if later else -1


@wrong("monitor.delay", "no qué día era")
def gives_the_day(struck, calm, day):
    return min((morning for morning in struck if morning > day and morning not in calm), default=-1)


@wrong("monitor.delay", "no vienen en orden")
def takes_the_first_of_the_list(struck, calm, day):
    owed = [morning for morning in struck if morning > day and morning not in calm]
    return owed[0] - day if owed else -1


@wrong("monitor.delay", "no puede saber lo que aún no se vendió")
def counts_the_same_morning(struck, calm, day):
    owed = [morning for morning in struck if morning >= day and morning not in calm]
    return min(owed) - day if owed else -1
