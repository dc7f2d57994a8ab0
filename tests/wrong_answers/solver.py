"Wrong answers to the exercises of lesson 44, each with a piece of the hint it must get."

import numpy as np

from wrong_answers import wrong


@wrong("solver.bend", "no paga su precio")
def never_zero(slope, pull, price):
    return (pull - price * np.sign(pull)) / slope


@wrong("solver.bend", "olvidaste el precio")
def forgets_the_price(slope, pull, price):
    return pull / slope if abs(pull) > price else 0


@wrong("solver.bend", "olvidaste dividir")
def forgets_to_divide(slope, pull, price):
    return np.sign(pull) * max(abs(pull) - price, 0)


@wrong("solver.bend", "hacia abajo dobla hacia abajo")
def only_upwards(slope, pull, price):
    return max(pull - price, 0) / slope


@wrong("solver.bend", "también acorta")
def longer_downwards(slope, pull, price):
    return (pull - price) / slope if abs(pull) > price else 0


@wrong("solver.bend", "otros números")
def knows_the_examples(slope, pull, price):
    return np.sign(pull) * max(abs(pull) - 1, 0) / slope


@wrong("solver.ramp", "un número por cada día")
def one_for_all(values, starts):
    return np.cumsum(values)[-1]


@wrong("solver.ramp", "sin multiplicar")
def forgets_to_weigh(values, starts):
    once = np.cumsum(values)
    return once[-1] - once[starts]


@wrong("solver.ramp", "desde `s`")
def counts_from_the_start(values, starts):
    timed = np.cumsum(np.arange(len(values)) * values)
    return timed[-1] - timed[starts]


@wrong("solver.ramp", "anteriores a `s`")
def counts_days_before(values, starts):
    return (np.arange(len(values)) - starts[:, None]) @ values


@wrong("solver.ramp", "te corriste un día")
def one_day_off(values, starts):
    return np.maximum(np.arange(len(values)) - starts[:, None] - 1, 0) @ values


@wrong("solver.ramp", "otros valores")
def knows_the_example(values, starts):
    return np.where(starts == 1, 10.0, 0.0)


@wrong("solver.noise", "no puede ser negativo")
def takes_the_other_root(misses, n):
    return (-np.sqrt(n**2 + 16 * misses) - n) / 8


@wrong("solver.noise", "olvidaste `−2·r²`")
def forgets_the_prior(misses, n):
    return np.sqrt(misses / n)


@wrong("solver.noise", "falta una raíz")
def gives_the_variance(misses, n):
    return (np.sqrt(n**2 + 16 * misses) - n) / 8


@wrong("solver.noise", "todavía puede subir")
def loses_a_factor(misses, n):
    return np.sqrt((np.sqrt(n**2 + 4 * misses) - n) / 2)


@wrong("solver.noise", "no es la cima")
def knows_one_answer(misses, n):
    return np.sqrt(10.0)
