"Wrong answers to the exercises of lesson 57: workflows repaired halfway, each with a piece of the hint it must get."

import re

from wrong_answers import wrong

QUOTED = '["3.10", "3.11", "3.12"]'
COMMIT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"


def matrix(text, *, quoted=True, named=True, anywhere=True, less='          - { os: macos-latest, python: "%s" }\n'):
    "The first workflow, repaired but for what is said."
    text = text.replace("[3.10, 3.11, 3.12]", QUOTED) if quoted else text
    text = text.replace("matrix.python-version", "matrix.python") if named else text
    exclude = "        exclude:\n" + "".join(less % one for one in ("3.10", "3.11")) if less else ""
    place = "${{ matrix.os }}" if anywhere else "ubuntu-latest"
    return text.replace("    runs-on: ubuntu-latest\n", f"{exclude}    runs-on: {place}\n")


@wrong("delivery.matrix", "tu función no devuelve nada")
def forgets_to_return(text):
    matrix(text)


@wrong("delivery.matrix", "GitHub no puede leer lo que devuelves")
def breaks_the_margin(text):
    return matrix(text).replace("    steps:", "\tsteps:")


@wrong("delivery.matrix", "¿están `on` y `jobs`?")
def returns_a_list(text):
    return [text]


@wrong("delivery.matrix", "no se puede ejecutar")
def decides_later(text):
    return text.replace("        os: [ubuntu-latest, macos-latest]", "        os: ${{ fromJSON(vars.SYSTEMS) }}")


@wrong("delivery.matrix", "hay trabajos que prueban Python 3.1:")
def trusts_numbers(text):
    return matrix(text, quoted=False)


@wrong("delivery.matrix", "hay trabajos sin versión de Python")
def names_nothing(text):
    return matrix(text, named=False)


@wrong("delivery.matrix", "todos los trabajos van a la misma clase de máquina")
def forgets_where(text):
    return matrix(text, anywhere=False)


@wrong("delivery.matrix", "sale un trabajo que nadie pidió: macos-latest con 3.10")
def everything_everywhere(text):
    return matrix(text, less="")


@wrong("delivery.matrix", "sale un trabajo que nadie pidió: macos-latest con 3.10")
def excludes_numbers(text):
    return matrix(text, less="          - { os: macos-latest, python: %s }\n")


@wrong("delivery.matrix", "de los cuatro trabajos pedidos faltan")
def excludes_too_much(text):
    return matrix(text, less='          - { python: "%s" }\n').replace(
        QUOTED + "\n", QUOTED + '\n        include:\n          - { os: ubuntu-latest, python: "3.10" }\n'
    )


@wrong("delivery.matrix", "el mismo trabajo sale dos veces")
def says_it_twice(text):
    return matrix(text).replace('"3.12"]', '"3.12", "3.12"]')


@wrong("delivery.matrix", "hay trabajos que ya no ejecutan las pruebas")
def tests_nothing(text):
    return matrix(text).replace("python -m pytest", "python --version")


@wrong("delivery.matrix", "no se puede ejecutar")
def misspells_a_key(text):
    return matrix(text).replace("timeout-minutes", "timeout-minute")


@wrong("delivery.matrix", "actionlint no lo acepta")
def brings_an_old_action(text):
    return re.sub(r"setup-python@\w+", "setup-python@v2", matrix(text))


SAFE = """name: requests
on: pull_request
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: echo "Petición $TITLE"
        env:
          TITLE: ${{ github.event.pull_request.title }}
      - run: python -m pytest
"""


@wrong("delivery.strangers", "GitHub no puede leer lo que devuelves")
def half_a_workflow(text):
    return SAFE.partition("jobs:")[0]


@wrong("delivery.strangers", "corre con los secretos del proyecto")
def keeps_the_trigger(text):
    return SAFE.replace("on: pull_request", "on: pull_request_target")


@wrong("delivery.strangers", "ya no prueba las peticiones")
def only_pushes(text):
    return SAFE.replace("on: pull_request", "on: push")


@wrong("delivery.strangers", "todavía nombra un secreto")
def keeps_the_password(text):
    return SAFE + "        env:\n          PASSWORD: ${{ secrets.PYPI_PASSWORD }}\n"


@wrong("delivery.strangers", "falta decir con qué permiso corre")
def says_nothing_of_permissions(text):
    return SAFE.replace("permissions:\n  contents: read\n", "")


@wrong("delivery.strangers", "algún trabajo puede escribir")
def may_write(text):
    return SAFE.replace("contents: read", "contents: write")


@wrong("delivery.strangers", "algún trabajo puede escribir")
def may_write_in_the_job(text):
    return SAFE.replace("    timeout", "    permissions: write-all\n    timeout")


@wrong("delivery.strangers", "el texto de un extraño entra dentro de una orden")
def pastes_the_title(text):
    return SAFE.replace("$TITLE", "${{ github.event.pull_request.title }}")


@wrong("delivery.strangers", "ya no enseña el título")
def hides_the_title(text):
    return SAFE.replace(" $TITLE", "")


@wrong("delivery.strangers", "ya no ejecuta las pruebas")
def only_greets(text):
    return SAFE.replace("      - run: python -m pytest\n", "")


@wrong("delivery.strangers", "las pruebas no pueden fallar")
def forgives(text):
    return SAFE.replace("pytest", "pytest || true")


@wrong("delivery.strangers", "las pruebas no pueden fallar")
def forgives_in_other_words(text):
    return SAFE + "        continue-on-error: true\n"


@wrong("delivery.strangers", "una acción no está fijada por su commit")
def trusts_a_tag(text):
    return SAFE.replace(COMMIT, "actions/checkout@v7")


@wrong("delivery.strangers", "un trabajo colgado esperaría seis horas")
def waits_forever(text):
    return SAFE.replace("    timeout-minutes: 10\n", "")


@wrong("delivery.strangers", "queda algo:")
def installs_what_is_new(text):
    return SAFE.replace("python -m pytest", "pip install pytest && python -m pytest")


@wrong("delivery.strangers", "¿dónde deja `checkout` su credencial?")
def leaves_the_credential(text):
    return SAFE.replace("        with:\n          persist-credentials: false\n", "")


TAGS = ("branches: [main]\n", 'branches: [main]\n    tags: ["v*"]\n')
WAITS, ONLY = "    needs: test\n", "    if: startsWith(github.ref, 'refs/tags/v')\n"


def eager(text, *more, tags=True):
    "The third workflow with lines added to the job that publishes."
    text = text.replace(*TAGS) if tags else text
    return text.replace("  publish:\n", "  publish:\n" + "".join(more))


@wrong("delivery.patience", "no se puede ejecutar")
def two_jobs_of_one_name(text):
    return eager(text).replace("  publish:", "  test:").replace("  test:\n", "  test:\n", 1)


@wrong("delivery.patience", "un push a otra rama también lo arranca")
def any_branch(text):
    return eager(text, WAITS, ONLY).replace("branches: [main]", 'branches: ["**"]')


@wrong("delivery.patience", "no se puede ejecutar: act refused")
def waits_for_nobody(text):
    return eager(text, "    needs: tests\n", ONLY)


@wrong("delivery.patience", "no se puede ejecutar: action actions/cache")
def brings_another_action(text):
    return eager(text, WAITS, ONLY).replace("    steps:\n", "    steps:\n      - uses: actions/cache@v4\n", 1)


@wrong("delivery.patience", "un push a main ya no se prueba")
def only_tags(text):
    return eager(text, WAITS, tags=False).replace("branches: [main]", 'tags: ["v*"]')


@wrong("delivery.patience", "un tag no se prueba")
def forgets_the_trigger(text):
    return eager(text, WAITS, ONLY, tags=False)


@wrong("delivery.patience", "un tag cuyas pruebas pasan no se publica")
def looks_for_a_branch(text):
    return eager(text, WAITS, "    if: startsWith(github.ref, 'refs/heads/v')\n")


@wrong("delivery.patience", "publica un tag cuyas pruebas fallan")
def does_not_wait(text):
    return eager(text, ONLY)


@wrong("delivery.patience", "publica un tag cuyas pruebas fallan")
def waits_and_does_it_anyway(text):
    return eager(text, WAITS, "    if: always() && startsWith(github.ref, 'refs/tags/v')\n")


@wrong("delivery.patience", "publica main con las pruebas rotas")
def publishes_main_too(text):
    return eager(
        text,
        WAITS,
        "    if: ${{ !cancelled() && (needs.test.result == 'success' || github.ref == 'refs/heads/main') }}\n",
    )


@wrong("delivery.patience", "publica un push que no es un tag")
def waits_only(text):
    return eager(text, WAITS)
