"Wrong answers to the exercises of lesson 51, each with a piece of the hint it must get."

import math

from wrong_answers import wrong

ORDER = ["shop", "office", "region", "world"]


@wrong("options.machines", "media máquina")
def a_fraction(load, speed, cores, use):
    return load / (speed * cores * use)


@wrong("options.machines", "la máquina entera")
def counts_on_all_of_it(load, speed, cores, use):
    return max(1, math.ceil(load / (speed * cores)))


@wrong("options.machines", "varios núcleos")
def one_core(load, speed, cores, use):
    return max(1, math.ceil(load / (speed * use)))


@wrong("options.machines", "redondea hacia arriba")
def downwards(load, speed, cores, use):
    return max(1, int(load / (speed * cores * use)))


@wrong("options.machines", "cuántas llamadas atiende")
def multiplies_by_use(load, speed, cores, use):
    return max(1, math.ceil(load * use / (speed * cores)))


@wrong("options.machines", "sin carga también")
def none_without_load(load, speed, cores, use):
    return math.ceil(load / (speed * cores * use))


@wrong("options.machines", "la llena justa")
def always_one_more(load, speed, cores, use):
    return int(load / (speed * cores * use)) + 1


@wrong("options.rule", "no lo que cuesta")
def its_price(costs, places, limit):
    return min(cost for name, cost in costs.items() if ORDER.index(places[name]) <= ORDER.index(limit))


@wrong("options.rule", "la regla va antes que el precio")
def the_cheapest_of_all(costs, places, limit):
    return min(costs, key=costs.get)


@wrong("options.rule", "orden alfabético")
def by_the_alphabet(costs, places, limit):
    left = [name for name in costs if places[name] >= limit and places[name] != "world"]
    return min(left, key=costs.get, default="")


@wrong("options.rule", "el límite está permitido")
def stays_below_the_limit(costs, places, limit):
    left = [name for name in costs if ORDER.index(places[name]) < ORDER.index(limit)]
    return min(left, key=costs.get, default="")


@wrong("options.rule", "la primera")
def the_last_of_a_tie(costs, places, limit):
    left = [name for name in reversed(costs) if ORDER.index(places[name]) <= ORDER.index(limit)]
    return min(left, key=costs.get, default="")


@wrong("options.rule", "lo que está más cerca")
def only_the_limit(costs, places, limit):
    return min([name for name in costs if places[name] == limit], key=costs.get, default="")


@wrong("options.rule", "devuelve un texto vacío")
def breaks_the_rule_when_none_is_left(costs, places, limit):
    left = [name for name in costs if ORDER.index(places[name]) <= ORDER.index(limit)]
    return min(left or costs, key=costs.get)


@wrong("options.crossing", "alguna vez cruzan")
def never(fixed_a, each_a, fixed_b, each_b):
    return math.inf


@wrong("options.crossing", "se piden por segundo")
def calls_a_month(fixed_a, each_a, fixed_b, each_b):
    return (fixed_b - fixed_a) / (each_a - each_b)


@wrong("options.crossing", "cada hora 3600 segundos")
def a_month_of_one_day(fixed_a, each_a, fixed_b, each_b):
    return (fixed_b - fixed_a) / (each_a - each_b) / 86_400


@wrong("options.crossing", "qué restas")
def the_wrong_way_round(fixed_a, each_a, fixed_b, each_b):
    return (fixed_a - fixed_b) / (each_a - each_b) / (730 * 3600)


@wrong("options.crossing", "aunque nadie llame")
def forgets_what_a_pays(fixed_a, each_a, fixed_b, each_b):
    return fixed_b / (each_a - each_b) / (730 * 3600)


@wrong("options.crossing", "no cruza nunca")
def always_crosses(fixed_a, each_a, fixed_b, each_b):
    if each_a == each_b:
        return 0
    return (fixed_b - fixed_a) / (each_a - each_b) / (730 * 3600)


@wrong("options.crossing", "el cruce es 0")
def negative_when_cheaper_at_once(fixed_a, each_a, fixed_b, each_b):
    if each_b >= each_a:
        return math.inf
    return (fixed_b - fixed_a) / (each_a - each_b) / (730 * 3600)
