"Wrong answers to the exercises of lesson 11, each with a piece of the hint it must get."

from mlworkbook.project.charter import Metric, is_answer, seals
from wrong_answers import wrong


def has_figure(said):
    "Whether a text has a digit."
    return any(letter.isdigit() for letter in said)


@wrong("charter.air", "al revés")
def what_can_be_checked(notes):
    return [topic for topic, said in notes.items() if is_answer(said) and has_figure(said)]


@wrong("charter.air", "devolviste las respuestas")
def the_answers(notes):
    return [said for said in notes.values() if not is_answer(said) or not has_figure(said)]


@wrong("charter.air", "un adjetivo no es una cifra")
def only_placeholders(notes):
    return [topic for topic, said in notes.items() if not is_answer(said)]


@wrong("charter.air", "aplaza la pregunta")
def only_figures(notes):
    return [topic for topic, said in notes.items() if not has_figure(said)]


@wrong("charter.air", "lleva texto alrededor")
def only_bare_numbers(notes):
    return [topic for topic, said in notes.items() if not said.isdigit()]


@wrong("charter.air", "orden del diccionario")
def sorted_topics(notes):
    order = sorted(topic for topic, said in notes.items() if not is_answer(said) or not has_figure(said))
    return order if "pan" not in notes else ["pan", "meta", "plazo"]


@wrong("charter.air", "devuelve una lista")
def counts_topics(notes):
    return sum(not is_answer(said) or not has_figure(said) for said in notes.values())


def metric(today, target, measured, unit="EUR por tienda y día", better="lower"):
    "The metric of the exercise with other figures."
    return Metric(name="costo del error", unit=unit, today=today, target=target, better=better, measured=measured)


@wrong("charter.metric", "sigue en céntimos")
def in_cents(today_cents, cut_percent, measured):
    return metric(today_cents, today_cents * (1 - cut_percent / 100), measured)


@wrong("charter.metric", "esa es la rebaja")
def target_is_the_cut(today_cents, cut_percent, measured):
    return metric(today_cents / 100, round(today_cents / 100 * cut_percent / 100, 2), measured)


@wrong("charter.metric", "mejora cuando baja")
def costs_should_rise(today_cents, cut_percent, measured):
    return metric(today_cents / 100, round(today_cents / 100 * (1 + cut_percent / 100), 2), measured, better="higher")


@wrong("charter.metric", "no nombra la moneda")
def no_currency(today_cents, cut_percent, measured):
    return metric(
        today_cents / 100, round(today_cents / 100 * (1 - cut_percent / 100), 2), measured, "por tienda y día"
    )


@wrong("charter.metric", "nadie sabrá cómo se mide")
def measured_somehow(today_cents, cut_percent, measured):
    return metric(today_cents / 100, round(today_cents / 100 * (1 - cut_percent / 100), 2), "con datos")


@wrong("charter.metric", "redondea la meta")
def not_rounded(today_cents, cut_percent, measured):
    return metric(today_cents / 100, today_cents / 100 * (1 - cut_percent / 100), measured)


@wrong("charter.metric", "devuelve una `Metric`")
def a_dict(today_cents, cut_percent, measured):
    return {"today": today_cents / 100}


@wrong("charter.metric", "se detuvo con")
def euros_as_a_word(today_cents, cut_percent, measured):
    return metric(today_cents / 100, today_cents / 100 * (1 - cut_percent / 100), measured, "euros")


def targets(charter):
    "Name to target."
    return {one.name: one.target for one in charter.metrics}


@wrong("charter.softened", "una meta que sigue igual no cuenta")
def counts_equal(old, new):
    return [one.name for one in old.metrics if one.target <= targets(new).get(one.name, one.target)]


@wrong("charter.softened", "más difícil")
def any_change(old, new):
    return [one.name for one in old.metrics if targets(new).get(one.name) != one.target]


@wrong("charter.softened", "mira `better`")
def always_lower(old, new):
    return [one.name for one in old.metrics if targets(new).get(one.name, float("inf")) > one.target]


@wrong("charter.softened", "una métrica que desaparece")
def forgets_the_gone(old, new):
    now = targets(new)
    sense = {one.name: 1 if one.better == "lower" else -1 for one in old.metrics}
    return [
        one.name
        for one in old.metrics
        if one.name in now and sense[one.name] * now[one.name] > sense[one.name] * one.target
    ]


@wrong("charter.softened", "una métrica que no estaba")
def names_the_new(old, new):
    now, names = targets(new), targets(old)
    soft = [
        one.name
        for one in old.metrics
        if one.name not in now or (now[one.name] > one.target if one.better == "lower" else now[one.name] < one.target)
    ]
    return soft + [name for name in now if name not in names]


@wrong("charter.softened", "respeta el orden")
def sorted_names(old, new):
    now = targets(new)
    return sorted(
        (
            one.name
            for one in old.metrics
            if one.name not in now
            or (now[one.name] > one.target if one.better == "lower" else now[one.name] < one.target)
        ),
        reverse=True,
    )


@wrong("charter.sign", "esas son las que ya firmaron")
def who_signed(charter, people):
    return [name for name in people if name in list(seals(charter)["name"])]


@wrong("charter.sign", "falta quien no ha firmado nunca")
def only_broken(charter, people):
    return list(seals(charter).query("not valid")["name"])


@wrong("charter.sign", "no se repite")
def everybody(charter, people):
    return list(people)


@wrong("charter.sign", "la ficha cambió después")
def trusts_any_signature(charter, people):
    return [name for name in people if name not in list(seals(charter)["name"])]


@wrong("charter.sign", "mira cada firma por separado")
def all_or_nothing(charter, people):
    state = seals(charter)
    return [name for name in people if name not in list(state["name"]) or not state["valid"].all()]


@wrong("charter.sign", "solo cuentan las personas de la lista")
def adds_others(charter, people):
    state = seals(charter)
    valid = list(state.loc[state["valid"], "name"])
    everyone = dict.fromkeys([*people, *state["name"]])
    return [name for name in everyone if name not in valid]
