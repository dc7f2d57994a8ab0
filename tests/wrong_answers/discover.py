"Wrong answers to the exercises of lesson 10, each with a piece of the hint it must get."

import re

from wrong_answers import wrong


def scored(candidates):
    "Candidates with somebody who decides, and their product."
    owned = candidates[candidates["who"] != ""]
    return owned.assign(product=owned["value"] * owned["feasible"], sum=owned["value"] + owned["feasible"])


def top(table, *keys):
    "Name in the first row by some columns; empty without rows."
    return "" if table.empty else table.sort_values(list(keys), ascending=False, kind="stable")["problem"].iloc[0]


@wrong("discover.first", "devuelve un nombre")
def the_row(candidates):
    return scored(candidates).iloc[:1]


@wrong("discover.first", "nadie decide nada")
def forgets_who_decides(candidates):
    return top(candidates.assign(product=candidates["value"] * candidates["feasible"]), "product", "feasible")


@wrong("discover.first", "solo lo que vale")
def only_value(candidates):
    return top(scored(candidates), "value")


@wrong("discover.first", "lo fácil que es")
def only_feasible(candidates):
    return top(scored(candidates), "feasible")


@wrong("discover.first", "no es el de mayor producto")
def the_greatest_sum(candidates):
    return top(scored(candidates), "sum", "value")


@wrong("discover.first", "en un empate gana el más factible")
def first_of_the_tie(candidates):
    return top(scored(candidates), "product")


@wrong("discover.first", "devuelve un texto vacío")
def fears_an_empty_list(candidates):
    return top(scored(candidates), "product", "feasible") or "ninguno"


@wrong("discover.disguised", "se piden las frases enteras")
def the_tools(sentences, tools):
    return [tool for tool in tools if any(tool in said.lower() for said in sentences)]


@wrong("discover.disguised", "es un problema de verdad")
def the_problems(sentences, tools):
    return [said for said in sentences if not set(re.findall(r"\w+", said.lower())) & set(tools)]


@wrong("discover.disguised", "contiene «ia»")
def parts_of_words(sentences, tools):
    return [said for said in sentences if any(tool in said.lower() for tool in tools)]


@wrong("discover.disguised", "mira las mayúsculas y la coma")
def as_written(sentences, tools):
    return [said for said in sentences if set(re.findall(r"\w+", said)) & set(tools)]


@wrong("discover.disguised", "mira las mayúsculas y la coma")
def splits_at_spaces(sentences, tools):
    return [said for said in sentences if set(said.lower().split()) & set(tools)]


@wrong("discover.disguised", "el signo pegado a «panel»")
def strips_commas_only(sentences, tools):
    return [said for said in sentences if set(said.lower().replace(",", "").split()) & set(tools)]


@wrong("discover.disguised", "se te escapó")
def only_the_first_tool(sentences, tools):
    return [said for said in sentences if tools[0] in re.findall(r"\w+", said.lower())]


@wrong("discover.disguised", "cada frase una vez")
def once_per_tool(sentences, tools):
    return [said for said in sentences for word in re.findall(r"\w+", said.lower()) if word in tools]


@wrong("discover.sessions", "una lección por sesión")
def one_each(minutes, length):
    return [[lesson] for lesson in minutes]


@wrong("discover.sessions", "se perdió alguna lección")
def forgets_the_last(minutes, length):
    plan, now, used = [], [], 0
    for lesson, needed in minutes.items():
        if used + needed > length:
            plan.append(now)
            now, used = [], 0
        now.append(lesson)
        used += needed
    return plan


@wrong("discover.sessions", "el orden de las lecciones")
def the_longest_first(minutes, length):
    order = dict(sorted(minutes.items(), key=lambda pair: pair[1]))
    return sessions(order, length)


@wrong("discover.sessions", "dura más de la cuenta")
def closes_too_late(minutes, length):
    plan, left = [], -1
    for lesson, needed in minutes.items():
        if left < 0:
            plan.append([])
            left = length
        plan[-1].append(lesson)
        left -= needed
    return plan


@wrong("discover.sessions", "llena la sesión justa")
def leaves_room(minutes, length):
    return sessions(minutes, length - 1)


@wrong("discover.sessions", "no vuelvas atrás")
def pairs(minutes, length):
    names = list(minutes)
    return [names[place : place + 2] for place in range(0, len(names), 2)]


@wrong("discover.sessions", "hay una sesión vacía")
def opens_one_ahead(minutes, length):
    return [*sessions(minutes, length), []]


def sessions(minutes, length):
    "What is right, to build mistakes on."
    plan, left = [], 0
    for lesson, needed in minutes.items():
        if needed > left:
            plan.append([])
            left = length
        plan[-1].append(lesson)
        left -= needed
    return plan
