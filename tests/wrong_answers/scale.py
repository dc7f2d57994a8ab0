"Wrong answers to the exercises of lesson 41, each with a piece of the hint it must get."

from wrong_answers import wrong


@wrong("scale.lost", "mira también los fallos")
def forgets_the_failures(asked, forecast, failures):
    return sorted(set(asked) - set(forecast["unique_id"]))


@wrong("scale.lost", "esas series tienen pronóstico")
def looks_at_failures_only(asked, forecast, failures):
    return sorted(set(asked) - set(failures["unique_id"]))


@wrong("scale.lost", "devuelve una lista")
def a_set(asked, forecast, failures):
    return set(asked) - set(forecast["unique_id"]) - set(failures["unique_id"])


@wrong("scale.lost", "devuélvelas ordenadas")
def as_they_came(asked, forecast, failures):
    known = {*forecast["unique_id"], *failures["unique_id"]}
    return [name for name in asked if name not in known]


@wrong("scale.lost", "se pierde una sola vez")
def twice(asked, forecast, failures):
    return sorted(as_they_came(asked, forecast, failures))


@wrong("scale.lost", "falta alguna serie")
def nobody(asked, forecast, failures):
    return []


@wrong("scale.lost", "solo cuentan las series pedidas")
def all_that_differs(asked, forecast, failures):
    return sorted(set(asked) ^ {*forecast["unique_id"], *failures["unique_id"]})


@wrong("scale.pays", "hace dos series a la vez")
def one_at_a_time(each, fixed, machines):
    saved = each - each / machines
    return int(fixed // saved) + 1 if saved > 0 else 0


@wrong("scale.pays", "hace dos series a la vez")
def one_at_a_time_here(each, fixed, machines):
    return int(fixed // (each - each / (2 * machines))) + 1


@wrong("scale.pays", "cada serie también cuesta")
def free_on_spark(each, fixed, machines):
    return int(fixed // (each / 2)) + 1 if machines > 1 else 0


@wrong("scale.pays", "nunca acaba antes")
def always_pays(each, fixed, machines):
    saved = each / 2 - each / (2 * machines)
    return int(fixed // saved) + 1 if saved > 0 else 1


@wrong("scale.pays", "un empate no es acabar antes")
def takes_a_tie(each, fixed, machines):
    saved = each / 2 - each / (2 * machines)
    return -int(-fixed // saved) if saved > 0 else 0


@wrong("scale.pays", "un número entero")
def with_decimals(each, fixed, machines):
    saved = each / 2 - each / (2 * machines)
    return fixed / saved if saved > 0 else 0.0


@wrong("scale.pays", "sale otro número")
def knows_the_examples(each, fixed, machines):
    return {(0.5, 20, 4): 107, (1.0, 30, 4): 81}.get((each, fixed, machines), 0)


@wrong("scale.pays", "se detuvo con ZeroDivisionError")
def divides_by_nothing(each, fixed, machines):
    return int(fixed // (each / 2 - each / (2 * machines))) + 1


def queue(tasks, workers):
    "When the last of a queue is done."
    free = [0.0] * workers
    for task in tasks:
        free[free.index(min(free))] += task
    return max(free)


@wrong("scale.longest", "trabajan varios a la vez")
def adds_all(seconds, workers):
    return sum(seconds)


@wrong("scale.longest", "eso es la media")
def mean(seconds, workers):
    return max(sum(seconds) / workers, max(seconds))


@wrong("scale.longest", "empezaste por las cortas")
def shortest_first(seconds, workers):
    return queue(sorted(seconds), workers)


@wrong("scale.longest", "en el orden en que venían")
def as_they_come(seconds, workers):
    return queue(seconds, workers)


@wrong("scale.longest", "o las repartiste por turnos")
def in_turns(seconds, workers):
    tasks = sorted(seconds, reverse=True)
    return max(sum(tasks[start::workers]) for start in range(workers))


@wrong("scale.longest", "cambió los datos que recibió")
def sorts_in_place(seconds, workers):
    seconds.sort(reverse=True)
    return queue(seconds, workers)


@wrong("scale.longest", "sale otro tiempo")
def two_only(seconds, workers):
    return queue(sorted(seconds, reverse=True), 2)
