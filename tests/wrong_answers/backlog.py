"Wrong answers for 13_backlog, with a piece of the hint each of them gets."

import re

from wrong_answers import wrong


@wrong("backlog.criterion", "aceptas uno sin situación de partida")
def no_situation(text):
    return "entonces" in text.lower()


@wrong("backlog.criterion", "falta el «cuando»")
def nothing_happens(text):
    return bool(re.fullmatch(r"dado\s+\w.*,\s*entonces\s+\w.*", text, re.IGNORECASE))


@wrong("backlog.criterion", "las partes están, pero al revés")
def any_order(text):
    return all(word in text.lower() for word in ("dado", "cuando", "entonces"))


@wrong("backlog.criterion", "un «entonces» que no dice nada")
def empty_result(text):
    return bool(re.match(r"dado .*, cuando .*, entonces", text, re.IGNORECASE))


@wrong("backlog.criterion", "las mayúsculas no deberían importar")
def capital_letters(text):
    return bool(re.fullmatch(r"Dado \w.*, cuando \w.*, entonces \w.*", text))


@wrong("backlog.criterion", "rechazas un criterio completo")
def refuses_all(text):
    return False


@wrong("backlog.sprint", "«esta vez no» se hace")
def everything(stories, capacity):
    return [id for id, _, points in stories]


@wrong("backlog.sprint", "manda la prioridad")
def by_arrival(stories, capacity):
    chosen = []
    for id, priority, points in stories:
        if priority != "wont" and points <= capacity:
            chosen.append(id)
            capacity -= points
    return chosen


@wrong("backlog.sprint", "te pasaste de los puntos")
def no_limit(stories, capacity):
    ranks = ("must", "should", "could")
    return [one[0] for rank in ranks for one in stories if one[1] == rank]


@wrong("backlog.sprint", "paraste en la primera que no cabía")
def stops(stories, capacity):
    chosen = []
    for rank in ("must", "should", "could"):
        for id, priority, points in stories:
            if priority == rank:
                if points > capacity:
                    return chosen
                chosen.append(id)
                capacity -= points
    return chosen


@wrong("backlog.once", "vuelves a crear lo que ya estaba")
def creates_all(wanted, there, size):
    return [wanted[start : start + size] for start in range(0, len(wanted), size)]


@wrong("backlog.once", "algo que nadie pidió")
def difference(wanted, there, size):
    left = sorted(set(wanted) ^ set(there))
    return [left[start : start + size] for start in range(0, len(left), size)]


@wrong("backlog.once", "cortaste antes de quitar")
def cuts_first(wanted, there, size):
    batches = [wanted[start : start + size] for start in range(0, len(wanted), size)]
    return [left for batch in batches if (left := [one for one in batch if one not in there])]


@wrong("backlog.once", "se perdieron etiquetas")
def loses_the_rest(wanted, there, size):
    left = [one for one in dict.fromkeys(wanted) if one not in there][:3]
    return [left[start : start + size] for start in range(0, len(left), size)]


@wrong("backlog.once", "creas dos veces lo que `wanted` repite")
def twice(wanted, there, size):
    left = [one for one in wanted if one not in there]
    return [left[start : start + size] for start in range(0, len(left), size)]
