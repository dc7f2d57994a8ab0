"Wrong answers to the exercises of lesson 45, each with a piece of the hint it must get."

from wrong_answers import wrong


@wrong("stores.lost", "una métrica repetida no compensa a la que falta")
def counts_rows(asked, rows):
    found = {who: sum(name == who for name, _ in rows) for who in asked}
    return {who: steps - found[who] for who, steps in asked.items() if found[who] < steps}


@wrong("stores.lost", "incluyes a quien no perdió nada")
def keeps_everybody(asked, rows):
    return {who: steps - len({step for name, step in rows if name == who}) for who, steps in asked.items()}


@wrong("stores.lost", "quien no dejó ni una fila lo perdió todo")
def looks_only_at_the_rows(asked, rows):
    seen = {}
    for who, step in rows:
        seen.setdefault(who, set()).add(step)
    return {who: asked[who] - len(steps) for who, steps in seen.items() if len(steps) < asked[who]}


@wrong("stores.lost", "se pide cuántas faltan, no cuáles")
def says_which(asked, rows):
    gone = {who: set(range(steps)) - {step for name, step in rows if name == who} for who, steps in asked.items()}
    return {who: steps for who, steps in gone.items() if steps}


@wrong("stores.order", "es justo al revés")
def children_first(points_to):
    from graphlib import TopologicalSorter

    return list(TopologicalSorter({table: to - {table} for table, to in points_to.items()}).static_order())[::-1]


@wrong("stores.order", "el orden alfabético no sabe quién apunta a quién")
def by_name(points_to):
    return sorted(points_to)


@wrong("stores.order", "con una cadena larga de tablas")
def by_number_of_parents(points_to):
    return sorted(points_to, key=lambda table: (len(points_to[table]), "experiments runs metrics".find(table)))


@wrong("stores.order", "faltan tablas, o sobran")
def forgets_those_without_parents(points_to):
    return [table for table, to in points_to.items() if to]


@wrong("stores.order", "una tabla que se apunta a sí misma")
def takes_itself_for_a_cycle(points_to):
    from graphlib import CycleError, TopologicalSorter

    try:
        return list(TopologicalSorter(points_to).static_order())
    except CycleError:
        return []


@wrong("stores.order", "dos tablas que se apuntan no tienen orden")
def gives_up_on_a_cycle(points_to):
    from graphlib import CycleError, TopologicalSorter

    try:
        return list(TopologicalSorter({table: to - {table} for table, to in points_to.items()}).static_order())
    except CycleError:
        return []


@wrong("stores.retries", "el primer reintento no espera nada")
def waits_from_the_start(seconds, factor=1, cap=120):
    retries, waited = 0, 0
    while waited < seconds:
        retries += 1
        waited += min(cap, factor * 2**retries)
    return retries


@wrong("stores.retries", "las esperas se doblan")
def waits_the_same(seconds, factor=1, cap=120):
    return -(-seconds // (2 * factor)) + (seconds > 0)


@wrong("stores.retries", "«al menos» incluye la igualdad")
def wants_more_than_enough(seconds, factor=1, cap=120):
    retries, waited = 0, 0
    while waited <= seconds:
        retries += 1
        waited += min(cap, factor * 2 ** (retries - 1)) if retries > 1 else 0
    return retries


@wrong("stores.retries", "el factor multiplica cada espera")
def ignores_the_factor(seconds, factor=1, cap=120):
    retries, waited = 0, 0
    while waited < seconds:
        retries += 1
        waited += min(cap, 2 ** (retries - 1)) if retries > 1 else 0
    return retries


@wrong("stores.retries", "ninguna espera pasa del tope")
def has_no_cap(seconds, factor=1, cap=120):
    retries, waited = 0, 0
    while waited < seconds:
        retries += 1
        waited += factor * 2 ** (retries - 1) if retries > 1 else 0
    return retries
