"Wrong answers to the exercises of lesson 52, each with a piece of the hint it must get."

import os
from pathlib import Path

import pandas as pd

from wrong_answers import wrong


@wrong("batch.last", "esa noche sigue en el taller")
def takes_the_workshop_too(names):
    return max(
        (name.split("/")[0].removeprefix(".date=").removeprefix("date=") for name in names if "date=" in name),
        default="",
    )


@wrong("batch.last", "de esa noche solo hay un borrador")
def takes_any_folder(names):
    return max((name.split("/")[0].removeprefix("date=") for name in names if name.startswith("date=")), default="")


@wrong("batch.last", "la lista no está en orden")
def takes_the_last_one(names):
    done = [
        name.split("/")[0].removeprefix("date=")
        for name in names
        if name.startswith("date=") and name.endswith("/forecast.parquet")
    ]
    return done[-1] if done else ""


@wrong("batch.last", "devuelve solo la fecha")
def keeps_the_prefix(names):
    return max(
        (name.split("/")[0] for name in names if name.startswith("date=") and name.endswith("/forecast.parquet")),
        default="",
    )


@wrong("batch.last", "con ninguna noche publicada")
def gives_a_dash(names):
    done = [
        name.split("/")[0].removeprefix("date=")
        for name in names
        if name.startswith("date=") and name.endswith("/forecast.parquet")
    ]
    return max(done, default="-")


@wrong("batch.missing", "repetirías noches")
def repeats_everything(done, first, last):
    return [str(day.date()) for day in pd.date_range(first, last)]


@wrong("batch.missing", "falta la última noche")
def stops_before_the_last(done, first, last):
    days = pd.date_range(first, last, inclusive="left").strftime("%Y-%m-%d")
    return [day for day in days if day not in done]


@wrong("batch.missing", "te saltas noches anteriores")
def starts_at_the_first_done(done, first, last):
    start = min((day for day in done if day >= first), default=first)
    return [day for day in pd.date_range(start, last).strftime("%Y-%m-%d") if day not in done]


@wrong("batch.missing", "devuelve textos")
def gives_dates(done, first, last):
    return [day for day in pd.date_range(first, last) if str(day.date()) not in done]


@wrong("batch.missing", "todavía no: escribe a mano")
def forgets_the_order(done, first, last):
    return sorted(set(pd.date_range(first, last).strftime("%Y-%m-%d")) - set(done), reverse=True)


@wrong("batch.missing", "falla al cambiar de mes")
def counts_days_of_one_month(done, first, last):
    days = [f"{first[:8]}{day:02d}" for day in range(int(first[8:]), int(last[8:]) + 1)]
    return [day for day in days if day not in done]


@wrong("batch.save", "quedó publicado medio archivo")
def writes_in_place(path, pieces):
    with Path(path).open("wb") as file:
        for piece in pieces:
            file.write(piece)
            file.flush()
    return path


@wrong("batch.save", "el archivo de ayer desapareció")
def deletes_first(path, pieces):
    Path(path).unlink(missing_ok=True)
    Path(path).write_bytes(b"".join(pieces))
    return path


@wrong("batch.save", "nadie se enteró")
def hides_the_damage(path, pieces):
    if all(isinstance(piece, bytes) for piece in pieces):
        Path(path).write_bytes(b"".join(pieces))
    return path


@wrong("batch.save", "escribiste encima del archivo viejo")
def joins_and_writes_in_place(path, pieces):
    Path(path).write_bytes(b"".join(pieces))
    return path


@wrong("batch.save", "falta pedir al disco")
def forgets_the_disk(path, pieces):
    rough = Path(path).with_name(".rough")
    rough.write_bytes(b"".join(pieces))
    rough.replace(path)
    return path


@wrong("batch.save", "tras el error queda un borrador")
def leaves_the_rough_file(path, pieces):
    rough = Path(path).with_name(".rough")
    with rough.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    rough.replace(path)
    return path


@wrong("batch.save", "devuelve la ruta que recibiste")
def returns_another_path(path, pieces):
    rough = Path(path).with_name(".rough")
    content = b"".join(pieces)
    with rough.open("wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    rough.replace(path)
    return rough
