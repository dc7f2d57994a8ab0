"Wrong answers to the exercises of lesson 58, each with a piece of the hint it must get."

import json

from wrong_answers import wrong


@wrong("cli.retry", "repites con un 2")
def repeats_until_it_works(codes, times):
    made = []
    for code in codes[:times]:
        made.append(code)
        if code == 0:
            break
    return made


@wrong("cli.retry", "repites con un 3")
def repeats_after_the_gate(codes, times):
    made = []
    for code in codes[:times]:
        made.append(code)
        if code in (0, 2):
            break
    return made


@wrong("cli.retry", "la lanzaste otra vez")
def repeats_what_went_well(codes, times):
    made = []
    for code in codes[:times]:
        made.append(code)
        if code in (2, 3):
            break
    return made


@wrong("cli.retry", "más intentos de los permitidos")
def never_gives_up(codes, times):
    made = []
    for code in codes:
        made.append(code)
        if code not in (1, 130):
            break
    return made


@wrong("cli.retry", "tras una interrupción hay que repetir")
def forgets_the_interruption(codes, times):
    made = []
    for code in codes[:times]:
        made.append(code)
        if code != 1:
            break
    return made


@wrong("cli.retry", "con cero intentos")
def tries_at_least_once(codes, times):
    made = codes[:1]
    while made[-1] in (1, 130) and len(made) < min(times, len(codes)):
        made.append(codes[len(made)])
    return made


@wrong("cli.pairs", "no al revés")
def turns_it_around(text):
    return {ours.strip(): theirs.strip() for theirs, ours in (pair.split("=") for pair in text.split(","))}


@wrong("cli.pairs", "quedaron espacios")
def keeps_the_spaces(text):
    return {theirs: ours or None for theirs, ours in (pair.split("=") for pair in text.split(","))}


@wrong("cli.pairs", "perdiste la columna")
def drops_what_is_left_out(text):
    pairs = [pair.split("=") for pair in text.split(",")]
    return {theirs.strip(): ours.strip() for theirs, ours in pairs if ours}


@wrong("cli.pairs", "un texto vacío no es un nombre")
def leaves_an_empty_name(text):
    return {theirs.strip(): ours.strip() for theirs, ours in (pair.split("=") for pair in text.split(","))}


@wrong("cli.pairs", "los espacios de dentro")
def removes_every_space(text):
    pairs = [pair.split("=") for pair in text.replace(" ", "").split(",")]
    return {theirs: ours or None for theirs, ours in pairs}


@wrong("cli.pairs", "aceptaste una pareja sin signo igual")
def skips_what_it_does_not_understand(text):
    pairs = [pair.split("=") for pair in text.split(",") if "=" in pair]
    return {theirs.strip(): ours.strip() or None for theirs, ours in pairs}


@wrong("cli.pairs", "el error debe ser un ValueError tuyo")
def lets_python_complain(text):
    return {theirs.strip(): ours.strip() or None for theirs, ours in (pair.split("=") for pair in text.split(","))}


@wrong("cli.saving", "se pide el más barato en euros")
def takes_the_smallest_error(text):
    rows = json.loads(text)["league"]
    best = min(rows, key=lambda row: row["wape"])
    base = next(row for row in rows if row["model"] == "seasonal_naive")
    return best["model"], round(base["eur_per_day"] - best["eur_per_day"], 2)


@wrong("cli.saving", "tomaste el primero de la lista")
def takes_the_first(text):
    rows = json.loads(text)["league"]
    return rows[0]["model"], 0.0


@wrong("cli.saving", "el signo está al revés")
def turns_the_sign(text):
    cost = {row["model"]: row["eur_per_day"] for row in json.loads(text)["league"]}
    best = min(cost, key=cost.get)
    return best, round(cost[best] - cost["seasonal_naive"], 2)


@wrong("cli.saving", "ese es su costo")
def gives_the_cost(text):
    cost = {row["model"]: row["eur_per_day"] for row in json.loads(text)["league"]}
    best = min(cost, key=cost.get)
    return best, round(cost[best], 2)


@wrong("cli.saving", "redondea a dos decimales")
def does_not_round(text):
    cost = {row["model"]: row["eur_per_day"] for row in json.loads(text)["league"]}
    best = min(cost, key=cost.get)
    return best, cost["seasonal_naive"] - cost[best]


@wrong("cli.saving", "cuando gana la regla de la casa")
def never_lets_the_house_win(text):
    cost = {row["model"]: row["eur_per_day"] for row in json.loads(text)["league"]}
    base = cost.pop("seasonal_naive")
    best = min(cost, key=cost.get)
    return best, round(base - cost[best], 2)
