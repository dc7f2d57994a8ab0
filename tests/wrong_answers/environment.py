"Wrong answers to the exercises of lesson 32, each with a piece of the hint it must get."

import ast
import re

from wrong_answers import wrong


@wrong("environment.bounds", "sin el nombre del paquete")
def with_its_name():
    return "horno>=1.2,!=1.4.0,<2"


@wrong("environment.bounds", "sin el nombre del paquete")
def a_list_of_conditions():
    return [">=1.2", "!=1.4.0", "<2"]


@wrong("environment.bounds", "pip no sabe leer ese texto")
def without_an_operator():
    return "1.2"


@wrong("environment.bounds", "pip no sabe leer ese texto")
def in_words():
    return ">=1.2 and <2"


@wrong("environment.bounds", "rechaza la 1.2, que ya tiene la función")
def leaves_the_first_out():
    return ">1.2,!=1.4.0,<2"


@wrong("environment.bounds", "eso es un pin")
def pins():
    return "==1.2"


@wrong("environment.bounds", "admite la 1.4.0, la que falla")
def forgets_the_fault():
    return ">=1.2,<2"


@wrong("environment.bounds", "sobra un comodín")
def refuses_all_of_it():
    return ">=1.2,!=1.4.*,<2"


@wrong("environment.bounds", "rechaza la 1.3")
def refuses_the_one_before():
    return ">=1.2,!=1.3.*,!=1.4.0,<2"


@wrong("environment.bounds", "rechaza la 1.10 o las que la siguen")
def one_digit_only():
    return ">=1.2,!=1.4.0,<1.10"


@wrong("environment.bounds", "admite la 2 o una posterior")
def without_an_end():
    return ">=1.2,!=1.4.0"


@wrong("environment.bounds", "admite la 2 o una posterior")
def two_itself():
    return ">=1.2,!=1.4.0,<=2"


@wrong("environment.bounds", "versiones en que la función no existe")
def without_a_beginning():
    return "!=1.4.0,<2"


@wrong("environment.culprits", "devuelve una pareja")
def only_the_list(text):
    return sorted(re.findall(r"(\w+) \S+ depends", text))


@wrong("environment.culprits", "el paquete en disputa no es culpable")
def everybody(text):
    names = re.findall(r"[a-z][\w-]+", text)
    return sorted({name for name in names if name not in ("depends", "on")}), "horno"


@wrong("environment.culprits", "los culpables van sin versión")
def with_versions(text):
    return re.findall(r"^ +(\S+ \S+) depends", text, flags=re.MULTILINE), "horno"


@wrong("environment.culprits", "el que se repite a la derecha, sin su condición")
def with_the_condition(text):
    found = re.findall(r"(\S+) \S+ depends on (\S+)", text)
    return sorted(name for name, _ in found), found[0][1]


@wrong("environment.culprits", "falta o sobra un culpable")
def the_first_alone(text):
    found = re.search(r"(\S+) \S+ depends on (\w+)", text)
    return [found[1]], found[2]


@wrong("environment.culprits", "el culpable es `user`")
def never_me(text):
    found = re.findall(r"(\S+) \S+ depends on ([\w-]+)", text)
    return sorted({name for name, _ in found}), found[0][1]


@wrong("environment.culprits", "el culpable es `user`")
def me_by_another_name(text):
    found = re.findall(r"(\S+) (?:\S+ depends on|requested) ([\w-]+)", text)
    return sorted({name.replace("user", "you") for name, _ in found}), found[0][1]


@wrong("environment.culprits", "la lista va ordenada")
def as_they_come(text):
    found = re.findall(r"(\S+) (?:\S+ depends on|requested) ([\w-]+)", text)
    names = list(dict.fromkeys(name for name, _ in found))
    return (names, found[0][1]) if "a 2" in text else (sorted(names), found[0][1])


@wrong("environment.culprits", "cada culpable una vez")
def twice(text):
    found = re.findall(r"(\S+) (?:\S+ depends on|requested) ([\w-]+)", text)
    return sorted(name for name, _ in found), found[0][1]


@wrong("environment.culprits", "su nombre puede llevar un guion")
def short_names(text):
    found = re.findall(r"(\S+) (?:\S+ depends on|requested) (\w+)", text)
    return sorted({name for name, _ in found}), found[0][1]


@wrong("environment.culprits", "su nombre puede llevar un guion")
def needs_a_condition(text):
    found = re.findall(r"(\S+) (?:\S+ depends on|requested) ([\w-]+)[<>=!~]*", text)
    return sorted({name for name, _ in found}), "x" if "x-y [z]" in text else found[0][1]


def modules(source, inside=True, relative=False):
    "Top-level modules that a file imports."
    tree = ast.parse(source)
    found = set()
    for node in ast.walk(tree) if inside else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and (relative or not node.level):
            found.add(node.module.split(".")[0])
    return found


def declare(found, owners):
    "Packages of the modules."
    return sorted({owners[module] for module in found if module in owners})


@wrong("environment.declare", "devuelve una lista")
def a_set(source, owners):
    return set(declare(modules(source), owners))


@wrong("environment.declare", "`json` es de la biblioteca estándar")
def the_standard_library_too(source, owners):
    return sorted(owners.get(module, module) for module in modules(source))


@wrong("environment.declare", "`yaml` es el módulo")
def module_names(source, owners):
    return sorted(modules(source) & set(owners))


@wrong("environment.declare", "no encontró `import yaml`")
def only_from(source, owners):
    return declare(set(re.findall(r"^from (\w+)", source, flags=re.MULTILINE)), owners)


@wrong("environment.declare", "importa dos paquetes")
def whole_dotted_names(source, owners):
    names = {alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names}
    return declare(names, owners)


@wrong("environment.declare", "importa dos paquetes")
def first_of_the_line(source, owners):
    return declare(set(re.findall(r"^import (\w+)", source, flags=re.MULTILINE)), owners)


@wrong("environment.declare", "se te escapó `from PIL.Image import open`")
def only_import(source, owners):
    names = {alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names}
    return declare({name.split(".")[0] for name in names}, owners)


@wrong("environment.declare", "dentro de una función también cuenta")
def top_of_the_file(source, owners):
    return declare(modules(source, inside=False), owners)


@wrong("environment.declare", "un comentario o un texto")
def by_words(source, owners):
    words = re.findall(r"(?:import|from) ([\w.]+)(?:.*?, (\w+)$)?", source, flags=re.MULTILINE)
    return declare({part.split(".")[0] for pair in words for part in pair}, owners)


@wrong("environment.declare", "contaste una importación relativa")
def relatives_too(source, owners):
    return declare(modules(source, relative=True), owners)


@wrong("environment.declare", "cada paquete una vez")
def once_for_each_line(source, owners):
    if "load" in source:
        return ["PyYAML", "PyYAML", "pandas"]
    return declare(modules(source), owners)


@wrong("environment.declare", "con otro diccionario no sale")
def owners_by_heart(source, owners):
    known = {"yaml": "PyYAML", "pandas": "pandas", "PIL": "pillow", "sklearn": "scikit-learn", "masa": "masa"}
    return declare(modules(source), known)


def reach(asked, needs):
    "Everything that is needed, step by step."
    needed, queue = set(), list(asked)
    while queue:
        name = queue.pop()
        if name not in needed:
            needed.add(name)
            queue += needs.get(name, [])
    return needed


@wrong("environment.unlocked", "devuelve una lista de nombres")
def a_set_of_names(asked, needs, lock):
    return reach(asked, needs) - set(lock)


@wrong("environment.unlocked", "no hace falta todo lo que existe")
def the_whole_world(asked, needs, lock):
    everything = {*asked, *needs, *(need for many in needs.values() for need in many)}
    return sorted(everything - set(lock))


@wrong("environment.unlocked", "nombres que el candado sí tiene")
def all_that_is_needed(asked, needs, lock):
    return sorted(reach(asked, needs))


@wrong("environment.unlocked", "miraste solo lo pedido")
def only_what_was_asked(asked, needs, lock):
    return sorted(set(asked) - set(lock))


@wrong("environment.unlocked", "miraste solo lo pedido")
def the_first_step(asked, needs, lock):
    return sorted({need for name in asked for need in [name, *needs.get(name, [])]} - set(lock))


@wrong("environment.unlocked", "te quedaste en un escalón")
def two_steps(asked, needs, lock):
    first = {need for name in asked for need in [name, *needs.get(name, [])]}
    return sorted({need for name in first for need in [name, *needs.get(name, [])]} - set(lock))


@wrong("environment.unlocked", "falta o sobra algún nombre")
def only_the_leaves(asked, needs, lock):
    return sorted(name for name in reach(asked, needs) - set(lock) if name not in needs)


@wrong("environment.unlocked", "lo pedido también puede faltar")
def trusts_what_was_asked(asked, needs, lock):
    return sorted(reach(asked, needs) - set(lock) - set(asked))


@wrong("environment.unlocked", "la lista va ordenada")
def in_any_order(asked, needs, lock):
    return sorted(reach(asked, needs) - set(lock), reverse=True)


@wrong("environment.unlocked", "tu función se detuvo con RecursionError")
def goes_round_for_ever(asked, needs, lock):
    def below(name):
        return {name}.union(*(below(need) for need in needs.get(name, [])))

    return sorted(set().union(*map(below, asked)) - set(lock))


@wrong("environment.unlocked", "dos paquetes que se necesitan mutuamente no sale")
def gives_up_on_circles(asked, needs, lock):
    found = reach(asked, needs)
    return sorted(
        found - set(lock) - {name for name in found for need in needs.get(name, []) if name in needs.get(need, [])}
    )


@wrong("environment.unlocked", "con un mundo al azar")
def only_the_first_asked(asked, needs, lock):
    return sorted(reach(asked[:1], needs) - set(lock))
