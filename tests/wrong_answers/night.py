"Wrong answers to the exercises of lesson 53, each with a piece of the hint it must get."

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from wrong_answers import wrong


def stale_by(report):
    "A typer application whose command hands what it found to a function."
    app = typer.Typer()

    @app.command()
    def stale(folder: Path, today: Annotated[datetime, typer.Option()], days: int = 1):
        found = sorted(path.parent.name[5:] for path in folder.glob("date=*/forecast.parquet"))
        report(found, folder, today, days)

    return app


def age_of(night, today):
    "Days between two days."
    return (today - datetime.fromisoformat(night)).days


def none_yet():
    "What a good answer says without nights."
    typer.echo("no night", err=True)
    raise typer.Exit(2)


@wrong("night.stale", "devuelve la aplicación")
def the_function_itself():
    return stale_by


@wrong("night.stale", "sin noches el código es 2")
def silent_without_nights():
    def report(found, folder, today, days):
        age = age_of(max(found, default="2000-01-01"), today)
        typer.echo(json.dumps({"night": max(found, default=""), "age": age}))
        raise typer.Exit(4 if age > days else 0)

    return stale_by(report)


@wrong("night.stale", "sin noches el código es 2")
def stops_without_nights():
    def report(found, folder, today, days):
        raise typer.Exit(4 if age_of(max(found), today) > days else 0)

    return stale_by(report)


@wrong("night.stale", "el JSON y nada más")
def talks_on_the_output():
    def report(found, folder, today, days):
        if not found:
            none_yet()
        age = age_of(max(found), today)
        typer.echo(f"the newest night is {age} days old")
        typer.echo(json.dumps({"night": max(found), "age": age}))
        raise typer.Exit(4 if age > days else 0)

    return stale_by(report)


@wrong("night.stale", "esa noche no es la última")
def an_empty_folder_is_a_night():
    def report(found, folder, today, days):
        if not found:
            none_yet()
        last = max(path.name[5:] for path in folder.glob("date=*"))
        age = age_of(last, today)
        typer.echo(json.dumps({"night": last, "age": age}))
        raise typer.Exit(4 if age > days else 0)

    return stale_by(report)


@wrong("night.stale", "esa noche no es la última")
def the_first_night():
    def report(found, folder, today, days):
        if not found:
            none_yet()
        typer.echo(json.dumps({"night": found[0], "age": age_of(found[0], today)}))
        raise typer.Exit(4)

    return stale_by(report)


@wrong("night.stale", "la edad no es esa")
def counts_both_ends():
    def report(found, folder, today, days):
        if not found:
            none_yet()
        typer.echo(json.dumps({"night": max(found), "age": age_of(max(found), today) + 1}))
        raise typer.Exit(4)

    return stale_by(report)


@wrong("night.stale", "el programador espera un 4")
def says_so_and_ends_with_0():
    def report(found, folder, today, days):
        if not found:
            none_yet()
        typer.echo(json.dumps({"night": max(found), "age": age_of(max(found), today)}))
        typer.echo("an old night", err=True)

    return stale_by(report)


@wrong("night.stale", "con --days 3 va 0")
def always_one_day():
    def report(found, folder, today, days):
        if not found:
            none_yet()
        typer.echo(json.dumps({"night": max(found), "age": age_of(max(found), today)}))
        typer.echo("an old night", err=True)
        raise typer.Exit(4)

    return stale_by(report)


@wrong("night.script", "devuelve el texto del script")
def a_list_of_commands():
    return ["mlworkbook forecast", "mlworkbook promote"]


@wrong("night.script", "primero el pan")
def the_exam_first():
    return "set -o pipefail; mlworkbook promote && mlworkbook forecast | tee noche.log"


@wrong("night.script", "nadie hizo el examen")
def no_exam():
    return "set -o pipefail; mlworkbook forecast | tee noche.log"


@wrong("night.script", "`noche.log` no guarda")
def no_log():
    return "mlworkbook forecast || exit $?; mlworkbook promote; c=$?; [ $c -eq 3 ] && c=0; exit $c"


@wrong("night.script", "un aspirante rechazado no es una noche rota")
def a_refusal_is_a_failure():
    return "set -eo pipefail\nmlworkbook forecast | tee noche.log\nmlworkbook promote"


@wrong("night.script", "la tubería da el de `tee`")
def the_code_of_tee():
    return "mlworkbook forecast | tee noche.log || exit $?; mlworkbook promote; c=$?; [ $c -eq 3 ] && c=0; exit $c"


@wrong("night.script", "sin pronóstico no se examina a nadie")
def goes_on_without_a_night():
    return """set -o pipefail
    mlworkbook forecast | tee noche.log; night=$?
    mlworkbook promote; code=$?
    [ $night -ne 0 ] && exit $night
    [ $code -eq 3 ] && code=0
    exit $code"""


@wrong("night.script", "`promote` se rompió con un 1")
def forgives_everything():
    return "set -eo pipefail\nmlworkbook forecast | tee noche.log\nmlworkbook promote || true"


@wrong("night.script", "falla cuando todo va bien")
def the_last_test_decides():
    return """set -o pipefail
    mlworkbook forecast | tee noche.log || exit $?
    mlworkbook promote; code=$?
    [ $code -eq 1 ] && exit 1
    [ $code -ne 0 ]"""


def by(stops, calls=(1, 4), twice=True):
    "A scheduler that stops at some codes and calls a person at others."

    def schedule(codes, times):
        made = []
        for code in codes[:times]:
            made.append(code)
            if code in stops or (twice and made.count(1) > 1):
                break
        return made, bool(made) and made[-1] in calls

    return schedule


@wrong("cli.retry", "repites con un 2")
def repeats_until_it_works(codes, times):
    return by([0])(codes, times)


@wrong("cli.retry", "repites con un 3")
def repeats_after_the_exam(codes, times):
    return by([0, 2])(codes, times)


@wrong("cli.retry", "repites con un 4")
def repeats_an_alarm(codes, times):
    return by([0, 2, 3])(codes, times)


@wrong("cli.retry", "salió bien y la repites")
def repeats_what_went_well(codes, times):
    return by([2, 3, 4])(codes, times)


@wrong("cli.retry", "tras un 130 se repite")
def forgets_the_interruption(codes, times):
    return by([0, 2, 3, 4, 130])(codes, times)


@wrong("cli.retry", "un 1 se repite una vez, y solo una")
def never_gives_up(codes, times):
    return by([0, 2, 3, 4], twice=False)(codes, times)


@wrong("cli.retry", "un 1 se repite una vez, y solo una")
def never_tries_again(codes, times):
    return by([0, 1, 2, 3, 4])(codes, times)


@wrong("cli.retry", "más intentos que `times`")
def no_limit(codes, times):
    return by([0, 2, 3, 4])(codes, len(codes))


@wrong("cli.retry", "con un 4, o con un segundo 1")
def calls_nobody(codes, times):
    return by([0, 2, 3, 4], calls=[1])(codes, times)


@wrong("cli.retry", "llamas por algo")
def calls_for_everything(codes, times):
    return by([0, 2, 3, 4], calls=[1, 2, 3, 4])(codes, times)


@wrong("cli.retry", "sin intentos no pasa nada")
def always_calls_when_in_doubt(codes, times):
    made, call = by([0, 2, 3, 4])(codes, times)
    return made, call or not made
