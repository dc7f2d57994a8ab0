"Wrong answers to the exercises of lesson 02, each with a piece of the hint it must get."

from wrong_answers import wrong


@wrong("exercises.leftover", "restaste al revés")
def sold_minus_baked(baked, sold):
    return sold - baked


@wrong("exercises.leftover", "no sobra una cantidad negativa")
def forgets_the_floor(baked, sold):
    return baked - sold


@wrong("exercises.leftover", "lo que faltó no es lo que sobró")
def any_difference(baked, sold):
    return abs(baked - sold)


@wrong("exercises.leftover", "todavía no")
def one_too_many(baked, sold):
    return max(baked - sold, 1)


@wrong("exercises.questions", "al menos dos preguntas")
def asks_once(answer):
    yield answer(2, 1) == 2, "no", "not"


@wrong("exercises.questions", "rechaza la respuesta correcta")
def refuses_max(answer):
    yield answer(1, 2) == 1, "no", "not"
    yield answer(2, 1) == 2, "sí", "yes"


@wrong("exercises.questions", "siempre el segundo pasa")
def looks_at_one_side(answer):
    yield answer(1, 2) == 2, "no", "not"
    yield answer(3, 4) == 4, "no", "not"


@wrong("exercises.questions", "siempre el primero pasa")
def looks_at_the_other_side(answer):
    yield answer(2, 1) == 2, "no", "not"
    yield answer(4, 3) == 4, "no", "not"


@wrong("exercises.share", "porcentaje")
def percentage(rows):
    return 100 * sum(done for _, done, _ in rows) / max(sum(total for *_, total in rows), 1)


@wrong("exercises.share", "promediaste lecciones")
def mean_of_lessons(rows):
    return sum(done / total for _, done, total in rows) / max(len(rows), 1)


@wrong("exercises.share", "la fracción que falta")
def still_to_do(rows):
    return 1 - sum(done for _, done, _ in rows) / sum(total for *_, total in rows)


@wrong("exercises.share", "falla en un extremo")
def empty_course_is_zero(rows):
    return sum(done for _, done, _ in rows) / max(sum(total for *_, total in rows), 1)
