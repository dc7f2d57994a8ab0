"""Catalogue of wrong answers: one module per lesson, one function per wrong answer."""

from collections.abc import Callable


def wrong(
    exercise: str,  # name of the exercise, e.g. "metrics.units"
    hint: str,  # a piece of the Spanish hint that this answer must get
) -> Callable:
    "Mark a function as a wrong answer to an exercise."

    def mark(answer: Callable) -> Callable:
        answer.exercise, answer.hint = exercise, hint
        return answer

    return mark
