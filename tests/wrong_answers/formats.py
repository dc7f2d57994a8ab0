"Wrong answers to the exercises of lesson 40, each with a piece of the hint it must get."

import pickle
import pickletools

from wrong_answers import wrong


@wrong("formats.data", "¡abriste el archivo!")
def opens_the_file(content):
    return type(pickle.loads(content)) in (list, dict, tuple)


@wrong("formats.data", "solo tiene datos")
def looks_for_words(content):
    return b"exec" not in content and b"GLOBAL" not in content


@wrong("formats.data", "dejas pasar la trampa")
def looks_for_old_opcodes(content):
    return not any(opcode.name in ("GLOBAL", "INST") for opcode, _, _ in pickletools.genops(content))


@wrong("formats.data", "un nombre sin llamada")
def forbids_calls_only(content):
    return not any(opcode.name in ("REDUCE", "INST", "OBJ") for opcode, _, _ in pickletools.genops(content))


@wrong("formats.data", "más maneras de nombrar y llamar")
def forbids_what_came_to_mind(content):
    return not any(opcode.name in ("REDUCE", "GLOBAL", "STACK_GLOBAL") for opcode, _, _ in pickletools.genops(content))


@wrong("formats.trend", "nivel + pendiente")
def forgets_the_level(t, slope, level, bends, deltas):
    return slope * t


@wrong("formats.trend", "aún no ha llegado")
def bends_too_soon(t, slope, level, bends, deltas):
    return level + slope * t + sum(delta * (t - bend) for bend, delta in zip(bends, deltas, strict=True))


@wrong("formats.trend", "la recta salta")
def jumps(t, slope, level, bends, deltas):
    return level + (slope + sum(delta for bend, delta in zip(bends, deltas, strict=True) if t > bend)) * t


@wrong("formats.trend", "las pendientes se suman")
def keeps_the_last_bend(t, slope, level, bends, deltas):
    turns = [delta * (t - bend) for bend, delta in zip(bends, deltas, strict=True) if t > bend]
    return level + slope * t + (turns[-1] if turns else 0)


@wrong("formats.choose", "una tableta sin Python")
def always_pickles(estimator, reader, trusted):
    return "pickle"


@wrong("formats.choose", "aunque te fíes")
def uses_its_trust(estimator, reader, trusted):
    if estimator == "prophet":
        return "onnx"
    return "pickle" if reader == "python" else "onnx"


@wrong("formats.choose", "de alguien que no eres tú")
def pickles_a_strangers_forest(estimator, reader, trusted):
    return "pickle" if estimator == "forest" else "onnx"


@wrong("formats.choose", "sin que te fíes de su tipo")
def trusts_skops(estimator, reader, trusted):
    return "skops" if estimator == "forest" and reader == "python" else "onnx"


@wrong("formats.choose", "antes de pickle está skops")
def jumps_to_pickle(estimator, reader, trusted):
    if estimator != "forest":
        return "onnx"
    return "pickle" if reader == "python" and trusted else "none"


@wrong("formats.choose", "un bosque no cabe en el grafo")
def writes_a_graph_for_others(estimator, reader, trusted):
    if estimator != "forest" or reader == "other":
        return "onnx"
    return "skops" if trusted else "none"


@wrong("formats.choose", "el primero de la lista")
def prefers_json(estimator, reader, trusted):
    if estimator == "prophet" and reader == "python":
        return "json"
    return "onnx" if estimator != "forest" else "skops" if reader == "python" and trusted else "none"
