"Wrong answers to the exercises of lesson 60, each with a piece of the hint it must get."

from wrong_answers import wrong


def days(events, *, early=False, silent=True, since_failure=False, never=None, first_event=False):
    "The two counts, with one mistake or another."
    struck = min(day for day, what in events if what == "failure")
    start = min(day for day, _ in events) if first_event else struck
    seen = {}
    for day, what in sorted(events):
        if early or day >= struck:
            seen.setdefault(what, day)
    restored = seen.get("restored")
    named = min((seen[what] for what in ("named", "restored")[: 1 + silent] if what in seen), default=None)
    recover = never if restored is None or named is None else restored - (struck if since_failure else named)
    return never if named is None else named - start, recover


@wrong("gameday.times", "contado desde la avería")
def counts_the_day_itself(events):
    detect, recover = days(events)
    return None if detect is None else detect + 1, recover


@wrong("gameday.times", "se cuenta desde que se nombró")
def repairs_since_the_failure(events):
    return days(events, since_failure=True)


@wrong("gameday.times", "anterior a la avería es una falsa alarma")
def believes_false_alarms(events):
    return days(events, early=True)


@wrong("gameday.times", "quien repara sin nombrarla")
def forgets_silent_repairs(events):
    return days(events, silent=False)


@wrong("gameday.times", "es None, no 0")
def never_is_zero(events):
    return days(events, never=0)


def far(ratio):
    "Is it out of the band?"
    return not 0.5 <= ratio <= 2


@wrong("gameday.suspect", "todas a un doceavo")
def always_asks(ratios):
    return "ask the store" if any(map(far, ratios.values())) else "calm"


@wrong("gameday.suspect", "también cambian hacia arriba")
def looks_down_only(ratios):
    low = [ratio < 0.5 for ratio in ratios.values()]
    if all(low) and max(ratios.values()) < 2 * min(ratios.values()):
        return "units"
    return "ask the store" if any(map(far, ratios.values())) else "calm"


@wrong("gameday.suspect", "cosa de esa tienda")
def one_is_enough(ratios):
    return "units" if any(map(far, ratios.values())) else "calm"


@wrong("gameday.suspect", "no de la misma manera")
def does_not_compare(ratios):
    if all(map(far, ratios.values())):
        return "units"
    return "ask the store" if any(map(far, ratios.values())) else "calm"


@wrong("gameday.suspect", "un día flojo no es una avería")
def is_nervous(ratios):
    if all(map(far, ratios.values())) and max(ratios.values()) < 2 * min(ratios.values()):
        return "units"
    return "ask the store" if any(not 0.8 <= ratio <= 1.25 for ratio in ratios.values()) else "calm"


@wrong("gameday.copy", "puede llevar la avería dentro")
def takes_the_newest(copies, failure):
    return max((date for date, opens in copies if opens), default="")


@wrong("gameday.copy", "se comprueba antes de necesitarla")
def does_not_open_it(copies, failure):
    return max((date for date, _ in copies if date < failure), default="")


@wrong("gameday.copy", "la más nueva de las buenas")
def takes_the_first(copies, failure):
    return next((date for date, opens in copies if opens and date < failure), "")


@wrong("gameday.copy", "sin ninguna copia buena")
def gives_none(copies, failure):
    return max((date for date, opens in copies if opens and date < failure), default="none")
