"Wrong answers to the exercises of lesson 42, each with a piece of the hint it must get."

import hashlib
import re
from collections import Counter

from scipy.stats import binomtest

from wrong_answers import wrong


def place(word):
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:6])


def plain(comment):
    return " ".join(re.findall(r"\w+", comment.lower()))


@wrong("feedback.hashed", "también las vacías")
def keeps_full_columns_only(words, size):
    return list(Counter(place(word) % size for word in words).values())


@wrong("feedback.hashed", "cuenta cada vez")
def marks_presence(words, size):
    found = {place(word) % size for word in words}
    return [int(column in found) for column in range(size)]


@wrong("feedback.hashed", "no está en su columna")
def numbers_words_as_they_come(words, size):
    counts = [0] * size
    names = list(dict.fromkeys(words))
    for word in words:
        counts[names.index(word) % size] += 1
    return counts


@wrong("feedback.hashed", "no descartes las que chocan")
def lets_the_last_word_win(words, size):
    counts = [0] * size
    for word, times in Counter(words).items():
        counts[place(word) % size] = times
    return counts


@wrong("feedback.fair", "faltan o sobran textos")
def drops_repeated_texts(texts, share):
    late = {text for text in texts if place(plain(text)) % 100 < 100 * share}
    return [text for text in dict.fromkeys(texts) if text not in late], sorted(late)


@wrong("feedback.fair", "un mismo texto está en los dos lados")
def cuts_the_list(texts, share):
    cut = int(len(texts) * (1 - share))
    return texts[:cut], texts[cut:]


@wrong("feedback.fair", "cayeron en lados distintos")
def forgets_capitals(texts, share):
    late = {text for text in texts if place(text) % 100 < 100 * share}
    return [text for text in texts if text not in late], [text for text in texts if text in late]


@wrong("feedback.fair", "la parte pedida")
def swaps_the_sides(texts, share):
    late = [text for text in texts if place(plain(text)) % 100 < 100 * share]
    return late, [text for text in texts if place(plain(text)) % 100 >= 100 * share]


@wrong("feedback.fair", "no guardaste el orden")
def sorts_the_texts(texts, share):
    late = [text for text in texts if place(plain(text)) % 100 < 100 * share]
    return sorted(text for text in texts if place(plain(text)) % 100 >= 100 * share), late


@wrong("feedback.better", "puede ser suerte")
def counts_hits(first, second):
    if sum(first) == sum(second):
        return "luck"
    return "first" if sum(first) > sum(second) else "second"


@wrong("feedback.better", "no es suerte")
def never_decides(first, second):
    return "luck"


@wrong("feedback.better", "gana el segundo")
def only_sees_the_first(first, second):
    wins = sum(one and not two for one, two in zip(first, second, strict=True))
    losses = sum(two and not one for one, two in zip(first, second, strict=True))
    if not wins + losses or wins < losses:
        return "luck"
    return "first" if binomtest(wins, wins + losses).pvalue < 0.05 else "luck"


@wrong("feedback.better", "en los que discrepan")
def wants_ten_points(first, second):
    gap = (sum(first) - sum(second)) / len(first)
    return "luck" if abs(gap) < 0.1 else "first" if gap > 0 else "second"


@wrong("feedback.better", "no hay nada que decidir")
def always_names_a_winner(first, second):
    wins = sum(one and not two for one, two in zip(first, second, strict=True))
    losses = sum(two and not one for one, two in zip(first, second, strict=True))
    if wins + losses and binomtest(wins, wins + losses).pvalue >= 0.05:
        return "luck"
    return "second" if losses > wins else "first"
