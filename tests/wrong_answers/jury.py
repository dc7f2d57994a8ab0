"Wrong answers to the exercises of lesson 60, each with a piece of the hint it must get."

import ast
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from wrong_answers import wrong


def regular(folder, most, keep):
    found = []
    for place, _, names in os.walk(folder):
        found += [
            path.relative_to(folder).as_posix() for path in (Path(place) / name for name in names) if keep(path, most)
        ]
    return found


@wrong("jury.plain", "los nombres van relativos")
def whole_names(folder, most):
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


@wrong("jury.plain", "un enlace a un archivo ajeno")
def follows_links(folder, most):
    return sorted(regular(folder, most, lambda path, most: path.stat().st_size <= most))


@wrong("jury.plain", "entraste en una carpeta enlazada")
def goes_into_linked_folders(folder, most):
    found = []
    for place, _, names in os.walk(folder, followlinks=True):
        paths = [Path(place) / name for name in names]
        found += [path.relative_to(folder).as_posix() for path in paths if not path.is_symlink()]
    return sorted(found)


@wrong("jury.plain", "uno demasiado grande")
def any_size(folder, most):
    return sorted(regular(folder, most, lambda path, most: not path.is_symlink()))


@wrong("jury.plain", "o uno que pesa justo el límite")
def below_the_limit(folder, most):
    return sorted(regular(folder, most, lambda path, most: not path.is_symlink() and path.stat().st_size < most))


@wrong("jury.plain", "en orden y sin repetidos")
def backwards(folder, most):
    keep = regular(folder, most, lambda path, most: not path.is_symlink() and path.stat().st_size <= most)
    return sorted(keep, reverse=True)


def trees(codes):
    read = {}
    for name, code in codes.items():
        with suppress(SyntaxError):
            read[name] = ast.dump(ast.parse(code))
    return read


@wrong("jury.copied", "dos funciones distintas no son copia")
def same_names_of_functions(codes):
    return [(a, b) for a in sorted(codes) for b in sorted(codes) if a < b]


@wrong("jury.copied", "solo cambian comentarios y espacios")
def same_text(codes):
    return [(a, b) for a in sorted(codes) for b in sorted(codes) if a < b and codes[a] == codes[b]]


@wrong("jury.copied", "cada pareja va una vez")
def both_ways(codes):
    read = trees(codes)
    return [(a, b) for a in sorted(read) for b in sorted(read) if a != b and read[a] == read[b]]


@wrong("jury.copied", "no es un comentario ni un espacio")
def takes_spaces_out(codes):
    bare = {
        name: "".join("".join(line.split("# ")[0] for line in code.splitlines()).split())
        for name, code in codes.items()
    }
    bare = {name: text.replace("'#'", "'") for name, text in bare.items()}
    return [
        (a, b)
        for a in sorted(bare)
        for b in sorted(bare)
        if a < b and bare[a].rstrip("+history'") == bare[b].rstrip("+history'")
    ]


@wrong("jury.copied", "lo que no se puede leer")
def broken_ones_are_equal(codes):
    read = {name: "" for name in codes} | trees(codes)
    return [(a, b) for a in sorted(read) for b in sorted(read) if a < b and read[a] == read[b]]


def counted(table):
    return Counter(key for keys in table["missed"] for key in keys.split())


def ranked(counts):
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


@wrong("jury.review", "a quien no entregó nada")
def counts_everybody(table):
    return ranked(counted(table))[:3]


@wrong("jury.review", "no pierde una clave vacía")
def splits_on_one_space(table):
    some = table[table["points"] > 0]
    return ranked(Counter(key for keys in some["missed"] for key in keys.split(" ")))


@wrong("jury.review", "se piden tres")
def gives_all(table):
    return ranked(counted(table[table["points"] > 0]))


@wrong("jury.review", "de más a menos gente")
def fewest_first(table):
    return ranked(counted(table[table["points"] > 0]))[:3][::-1]


@wrong("jury.review", "por orden alfabético")
def backwards_when_equal(table):
    counts = sorted(counted(table[table["points"] > 0]).items(), reverse=True)
    return sorted(counts, key=lambda one: -one[1])[:3]
