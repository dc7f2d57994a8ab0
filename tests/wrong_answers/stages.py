"Wrong answers to the exercises of lesson 03, each with a piece of the hint it must get."

import hashlib
import json

from mlworkbook.project.stages import STAGES
from wrong_answers import wrong


def digest(content):
    "Fingerprint of some bytes."
    return hashlib.sha256(content).hexdigest()


@wrong("stages.state", "solo porque hay un archivo")
def any_file_will_do(entry, files):
    if entry is None:
        return "met" if files else "missing"
    return "met" if digest(files.get(entry["file"], b"")) == entry["sha256"] else "invalid"


@wrong("stages.state", "sin registro no hay nada que se haya roto")
def nothing_is_invalid(entry, files):
    return "met" if entry and digest(files.get(entry["file"], b"")) == entry["sha256"] else "invalid"


@wrong("stages.state", "el archivo estuvo y se fue")
def gone_is_missing(entry, files):
    if entry is None or entry["file"] not in files:
        return "missing"
    return "met" if digest(files[entry["file"]]) == entry["sha256"] else "invalid"


@wrong("stages.state", "cambió después de registrarlo")
def only_looks_whether_it_is_there(entry, files):
    if entry is None:
        return "missing"
    return "met" if entry["file"] in files else "invalid"


@wrong("stages.state", "del mismo tamaño no es el mismo")
def compares_sizes(entry, files):
    if entry is None:
        return "missing"
    return "met" if len(files.get(entry["file"], b"")) == 5 else "invalid"


@wrong("stages.state", "un archivo que no es el registrado")
def any_file_with_those_bytes(entry, files):
    if entry is None:
        return "missing"
    return "met" if entry["sha256"] in map(digest, files.values()) else "invalid"


@wrong("stages.state", "todavía no")
def other_words(entry, files):
    if entry is None:
        return "missing"
    return "ok" if digest(files.get(entry["file"], b"")) == entry["sha256"] else "invalid"


def entries(lines):
    "The lines that can be read."
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


@wrong("stages.latest", "otra etapa puede usar el mismo nombre")
def keyed_by_deliverable(lines):
    return {entry["deliverable"]: entry for entry in entries(lines)}


@wrong("stages.latest", "no son parejas")
def keyed_by_text(lines):
    return {f"{entry['stage']}/{entry['deliverable']}": entry for entry in entries(lines)}


@wrong("stages.latest", "te quedaste con el primer registro")
def first_wins(lines):
    return {(entry["stage"], entry["deliverable"]): entry for entry in reversed(entries(lines))}


@wrong("stages.latest", "elegiste por el día de la firma")
def latest_signature_wins(lines):
    ordered = sorted(entries(lines), key=lambda entry: entry["signed_on"])
    return {(entry["stage"], entry["deliverable"]): entry for entry in ordered}


@wrong("stages.latest", "dejaste de leer en la línea cortada")
def stops_at_the_cut(lines):
    found = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            break
        found[entry["stage"], entry["deliverable"]] = entry
    return found


@wrong("stages.latest", "JSONDecodeError")
def believes_every_line(lines):
    found = map(json.loads, lines)
    return {(entry["stage"], entry["deliverable"]): entry for entry in found}


@wrong("stages.latest", "el valor es el registro entero")
def only_the_file(lines):
    return {(entry["stage"], entry["deliverable"]): entry["file"] for entry in entries(lines)}


def all_met(table, stages):
    "Whether everything of those stages is met."
    return bool(table.loc[table["stage"].isin(stages), "state"].eq("met").all())


@wrong("stages.start", "le pediste sus propios entregables")
def asks_its_own_too(stage, table):
    return all_met(table, STAGES[: STAGES.index(stage) + 1])


@wrong("stages.start", "las que vienen después")
def asks_the_others(stage, table):
    return stage == "discover" or all_met(table, [other for other in STAGES if other != stage])


@wrong("stages.start", "una evidencia que ya no vale")
def nothing_missing(stage, table):
    earlier = table["stage"].isin(STAGES[: STAGES.index(stage)])
    return not table.loc[earlier, "state"].eq("missing").any()


@wrong("stages.start", "con un solo entregable cumplido")
def one_is_enough(stage, table):
    earlier = table[table["stage"].isin(STAGES[: STAGES.index(stage)]) & table["state"].ne("invalid")]
    broken = table["stage"].isin(STAGES[: STAGES.index(stage)]) & table["state"].eq("invalid")
    return stage == "discover" or (not broken.any() and bool(earlier["state"].eq("met").any()))


@wrong("stages.start", "solo la etapa inmediatamente anterior")
def only_the_one_before(stage, table):
    place = STAGES.index(stage)
    return all_met(table, STAGES[max(place - 1, 0) : place])


@wrong("stages.start", "todavía no")
def always_no_after_the_first_two(stage, table):
    return stage in ("discover", "play") and all_met(table, STAGES[: STAGES.index(stage)])
