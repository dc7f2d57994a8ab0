"Wrong answers to the exercises of lesson 58, each with a piece of the hint it must get."

import hmac

from wrong_answers import wrong


@wrong("service.key", "comparas con `==` o con `in`")
def uses_in(given, keys):
    return given in keys


@wrong("service.key", "te detienes en la primera llave")
def stops_at_the_first(given, keys):
    return any(hmac.compare_digest(given.encode(), key.encode()) for key in keys)


@wrong("service.key", "falla con letras que no son ASCII")
def drops_strange_letters(given, keys):
    plain = [key.encode("ascii", "ignore") for key in keys if key.isascii()]
    return any([hmac.compare_digest(given.encode("ascii", "ignore"), key) for key in [*plain, b"-"]])


@wrong("service.key", "basta con el principio")
def takes_the_beginning(given, keys):
    return bool(given) and any(key.startswith(given) for key in keys)


@wrong("service.key", "rechazas una llave válida")
def looks_at_the_last_one(given, keys):
    return bool(keys) and hmac.compare_digest(given.encode(), keys[-1].encode())


@wrong("service.parts", "pierdes la última parte")
def whole_parts_only(names, horizon, limit):
    series = [{"unique_id": name, "horizon": horizon} for name in names]
    return [{"series": series[limit * part : limit * (part + 1)]} for part in range(len(series) // limit)]


@wrong("service.parts", "envías una pregunta vacía")
def one_part_more(names, horizon, limit):
    series = [{"unique_id": name, "horizon": horizon} for name in names]
    return [{"series": series[limit * part : limit * (part + 1)]} for part in range(len(series) // limit + 1)]


@wrong("service.parts", "una pregunta pasa del límite")
def all_at_once(names, horizon, limit):
    return [{"series": [{"unique_id": name, "horizon": horizon} for name in names]}]


@wrong("service.parts", "se puede con menos preguntas")
def one_by_one(names, horizon, limit):
    return [{"series": [{"unique_id": name, "horizon": horizon}]} for name in names]


@wrong("service.parts", "el orden de las series cambió")
def sorts_first(names, horizon, limit):
    series = [{"unique_id": name, "horizon": horizon} for name in sorted(names)]
    return [{"series": series[start : start + limit]} for start in range(0, len(series), limit)]


@wrong("service.relief", "una noche dañada detiene tu servicio")
def lets_it_fall(now, found, load):
    if not found:
        return ()
    return now if now and now[0] == found else (found, load(found))


@wrong("service.relief", "una noche dañada deja sin servicio")
def closes_first(now, found, load):
    if now and now[0] == found:
        return now
    now = ()
    try:
        return (found, load(found)) if found else now
    except ValueError:
        return now


@wrong("service.relief", "la anterior, con su propia fecha")
def changes_the_number_first(now, found, load):
    if not found:
        return ()
    if now and now[0] == found:
        return now
    try:
        return (found, load(found))
    except ValueError:
        return (found, *now[1:])


@wrong("service.relief", "vuelves a cargar la noche")
def loads_every_time(now, found, load):
    try:
        model = load(found) if found else None
    except ValueError:
        return now
    return now if now and now[0] == found else (found, model) if found else ()


@wrong("service.relief", "la retiraron y sigue contestando")
def never_lets_go(now, found, load):
    if not found or (now and now[0] == found):
        return now
    try:
        return (found, load(found))
    except ValueError:
        return now
