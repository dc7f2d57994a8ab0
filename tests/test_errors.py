"Errors of pydantic in our words."

from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from mlworkbook.ops.errors import complaints


def even(value):
    if value % 2:
        raise ValueError(f"{value} came, expected an even number")
    return value


class Tray(BaseModel, extra="forbid"):
    name: Annotated[str, Field(min_length=2, max_length=5)]
    kind: Literal["pan", "pretzel"] = "pan"
    pieces: Annotated[int, Field(ge=1), AfterValidator(even)] = 2


class Oven(BaseModel):
    trays: Annotated[tuple[Tray, ...], Field(min_length=1)]


@pytest.mark.parametrize(
    "trays, said",
    [
        ([{}], "trays[0].name is missing; write it"),
        ([{"name": 3}], "trays[0].name is 3, expected text; put it between quotation marks"),
        ([{"name": ""}], "trays[0].name is '', expected some text"),
        ([{"name": "x" * 99}], f"trays[0].name is '{'x' * 56}..., expected 5 characters at most"),
        ([{"name": "up", "kind": "roll"}], "trays[0].kind is 'roll', expected 'pan' or 'pretzel'"),
        ([{"name": "up", "pieces": 0}], "trays[0].pieces is 0, expected a number >= 1"),
        ([{"name": "up", "pieces": "x"}], "trays[0].pieces is 'x', expected a valid integer"),
        ([{"name": "up", "pieces": 3}], "trays[0].pieces: 3 came, expected an even number"),
        ([{"name": "up", "peices": 2}], "trays[0].peices is no known field, expected some of pieces; did you mean"),
        ([{"name": "up", "zzz": 2}], "trays[0].zzz is no known field, expected some of pieces; take it out"),
        ([], "trays is [], expected at least 1"),
        ("pan", "trays is 'pan', expected a list"),
        (["pan"], "trays[0] is 'pan', expected fields with their values"),
    ],
)
def test_a_complaint_says_where_what_came_and_what_was_expected(trays, said):
    with pytest.raises(ValidationError) as error:
        Oven.model_validate({"trays": trays})
    ((place, sentence),) = complaints(error.value, ["pieces"])
    assert sentence.startswith(said) and place[0] == "trays"


def test_all_are_told():
    with pytest.raises(ValidationError) as error:
        Oven.model_validate({"trays": [{"kind": "roll"}, 3]})
    assert [place for place, _ in complaints(error.value)] == [("trays", 0, "name"), ("trays", 0, "kind"), ("trays", 1)]
