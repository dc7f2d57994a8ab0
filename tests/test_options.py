"Where a model may live: the rule first, a bill that can be done by hand, crossings that a grid confirms."

import json
import math
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mlworkbook.project.options import (
    INPUTS,
    OPTIONS,
    Case,
    Input,
    allowed,
    crossings,
    decide,
    in_euros,
    load_decision,
    mode,
    monthly_cost,
    plot_tornado,
    save_decision,
    tornado,
)
from mlworkbook.project.sources import Answer, Source

EUROS = in_euros(INPUTS)
LOW, LAYERS, PLACES = 1 / 86_400, OPTIONS["office"]["ours"], ("shop", "office", "region", "world")
WHO = {"owner": "Tomás", "action": "ask", "due": "2019-06-14"}
WEIGHTS = {"fit": 0.3, "cost": 0.35, "control": 0.1, "ease": 0.25}


def with_values(inputs=EUROS, **values):
    "The inputs with some values replaced."
    return tuple(replace(one, value=values.get(one.name, one.value)) for one in inputs)


def said(name, fit=3, veto=False):
    "What people say of an option."
    return Source(name, {"fit": Answer(fit, "looked at", veto)}, **WHO)


def case(**changes):
    "The nightly question."
    fields = {
        "question": "how much tomorrow?",
        "mode": "batch",
        "load": 105 / 86_400,
        "limit": "region",
        "answers": tuple(said(name) for name in ("office", "machine", "job", "function")),
        "weights": WEIGHTS,
    }
    return Case(**fields | changes)


def cost(name, load=0.0, inputs=EUROS):
    "EUR a month of one option."
    return monthly_cost(inputs, load, (name,))["cost_eur"].item()


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        ({"answers": 105, "network": True, "known": True, "speed": 6}, "batch"),
        ({"answers": 105, "network": True, "known": False, "speed": 6}, "online"),
        ({"answers": 105, "network": False, "known": True, "speed": 6}, "edge"),
        ({"answers": 105, "network": False, "known": False, "speed": 6}, "edge"),
        ({"answers": 6 * 3600, "network": True, "known": True, "speed": 6}, "batch"),
        ({"answers": 6 * 3600 + 1, "network": True, "known": True, "speed": 6}, "online"),
        ({"answers": 6 * 3600 + 1, "network": True, "known": True, "speed": 6, "hours": 2}, "batch"),
        ({"answers": 1, "network": True, "known": True, "speed": 0}, "online"),
    ],
)
def test_a_file_made_at_night_when_it_can_be_made_and_read(facts, right):
    assert mode(facts.pop("answers"), **facts) == right


@pytest.mark.parametrize("name", ["answers", "speed", "hours"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "3", None, True])
def test_ways_of_answering_need_numbers(name, value):
    facts = {"answers": 105, "network": True, "known": True, "speed": 6, "hours": 1} | {name: value}
    with pytest.raises(ValueError, match=f"{name} is {value!r}, expected a number >= 0"):
        mode(facts.pop("answers"), **facts)


def test_what_is_ours_shrinks_from_the_office_to_the_function():
    ours = [set(OPTIONS[name]["ours"]) for name in ("office", "machine", "job", "function")]
    assert all(more > fewer for more, fewer in zip(ours, ours[1:], strict=False))
    assert ours[0] == set(LAYERS) and all({"code", "permissions"} <= set(one["ours"]) for one in OPTIONS.values())


@pytest.mark.parametrize("name", ["cloud", "Office", "", None])
def test_an_option_that_does_not_exist_is_told_with_those_that_do(name):
    with pytest.raises(ValueError, match=f"option is {name!r}, expected one of office, machine, job"):
        monthly_cost(EUROS, 1, (name,))
    with pytest.raises(ValueError, match=f"option is {name!r}"):
        crossings(EUROS, "office", name)


@pytest.mark.parametrize(
    ("limit", "asked", "left"),
    [
        ("shop", "edge", ["screen"]),
        ("shop", "batch", []),
        ("office", "batch", ["office"]),
        ("office", "online", ["office"]),
        ("region", "batch", ["office", "machine", "job", "function"]),
        ("region", "online", ["office", "machine", "function"]),
        ("world", "edge", ["screen"]),
    ],
)
def test_the_rule_leaves_these(limit, asked, left):
    table = allowed(limit, asked)
    assert table.query("allowed")["option"].tolist() == left and table["option"].tolist() == list(OPTIONS)
    assert (table["why"] == "").eq(table["allowed"]).all()


def test_a_wider_limit_never_removes_anything():
    for asked in ("batch", "online", "edge"):
        left = [set(allowed(limit, asked).query("allowed")["option"]) for limit in PLACES]
        assert all(near <= far for near, far in zip(left, left[1:], strict=False))


def test_both_reasons_are_told():
    why = allowed("office", "edge").set_index("option")["why"]["job"]
    assert why == "the data would reach the region, they may go to the office; made for batch, asked for edge"


@pytest.mark.parametrize(("limit", "asked", "what"), [("moon", "batch", "limit"), ("region", "now", "mode")])
def test_unknown_places_and_ways_are_refused(limit, asked, what):
    with pytest.raises(ValueError, match=f"{what} is '.*', expected one of"):
        allowed(limit, asked)


def test_every_input_says_where_and_when_and_every_price_names_its_currency():
    assert all(one.source.startswith(("assumed: ", "measured: ")) or "." in one.source.split(":")[0] for one in INPUTS)
    priced_by = {one.name for one in INPUTS if one.unit.startswith(("USD/", "EUR/"))}
    assert priced_by == {
        *("vm", "gb_second", "calls", "dbu", "rate", "server", "device", "person", "energy"),
    }
    assert all(one.unit.startswith("EUR/") for one in EUROS if one.name in priced_by)


@pytest.mark.parametrize("value", [-0.115, math.nan, math.inf, "0.115", None, True])
def test_a_price_is_a_number_from_zero_on(value):
    with pytest.raises(ValueError, match=f"vm is {value!r}, expected a number >= 0 in USD/hour; write it down again"):
        Input("vm", value, "USD/hour", "a page", "2025-01-31")


@pytest.mark.parametrize("unit", ["", "  ", None, 3])
def test_a_price_has_a_unit(unit):
    with pytest.raises(ValueError, match=r"name='vm', value=0.115, .*expected a unit, a source and a day"):
        Input("vm", 0.115, unit, "a page", "2025-01-31")


def test_a_price_has_a_source_and_a_day():
    with pytest.raises(ValueError, match="source='', .*expected a unit, a source and a day"):
        Input("vm", 0.115, "USD/hour", "", "2025-01-31")
    for day in ("31.01.2025", "2025-02-30", "", None):
        with pytest.raises(ValueError, match="expected .*a day YYYY-MM-DD, because prices grow old"):
            Input("vm", 0.115, "USD/hour", "a page", day)


def test_two_currencies_are_never_added_up():
    with pytest.raises(ValueError, match="vm is in USD/hour, expected EUR/hour; see `in_euros`"):
        monthly_cost(INPUTS, 1)
    half = tuple(one if one.name != "dbu" else INPUTS[3] for one in EUROS)
    with pytest.raises(ValueError, match="dbu is in USD/hour, expected EUR/hour; see `in_euros`"):
        monthly_cost(half, 1)


def test_prices_are_converted_once_with_the_rate_of_the_table():
    values, euros = ({one.name: one.value for one in inputs} for inputs in (INPUTS, EUROS))
    assert euros["vm"] == pytest.approx(0.115 * values["rate"]) and euros["server"] == values["server"]
    assert in_euros(EUROS) == EUROS


def test_a_currency_without_a_rate_is_told():
    pounds = tuple(replace(one, unit="GBP/hour") if one.name == "vm" else one for one in INPUTS)
    with pytest.raises(ValueError, match="vm is in GBP/hour and there is no rate EUR/GBP; add it with its day"):
        in_euros(pounds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[1:], "vm comes 0 times, expected once each"),
        (lambda t: (*t, t[0]), "vm comes 2 times, expected once each"),
        (lambda t: (*t, replace(t[0], name="gpu")), "gpu comes 1 times, expected once each: vm"),
        (lambda t: (replace(t[0], unit="EUR/day"), *t[1:]), "vm is in EUR/day, expected EUR/hour"),
        (lambda t: with_values(t, use=1.5), "use is 1.5, expected .* for a ratio 1 at most"),
        (lambda t: with_values(t, use=0), "use is 0, expected more than 0"),
        (lambda t: with_values(t, speed=0), "speed is 0, expected more than 0"),
        (lambda t: with_values(t, life=0), "life is 0, expected more than 0"),
    ],
)
def test_a_table_that_does_not_fit_the_formula_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        monthly_cost(change(EUROS), 1)


def test_bills_that_can_be_done_by_hand():
    rate = 0.962
    assert cost("machine") == pytest.approx(0.115 * rate * 730 + 3 * 50)
    assert cost("office") == pytest.approx(900 / 48 + 0.025 * 730 * 0.25 + 6 * 50)
    assert cost("screen") == pytest.approx(35 * 150 / 48 + 7 * 50)
    assert cost("function") == 50
    assert cost("job") == pytest.approx(730 / 24 * 0.1 * (0.115 + 0.051) * rate + 2 * 50)
    calls = 730 * 3600
    each = (0.167 * 1.73 * 1.66667e-5 + 0.2e-6) * rate
    assert cost("function", 1.0) == pytest.approx(50 + calls * each)
    assert cost("job", 1.0) - cost("job") == pytest.approx(calls / 12 / 3600 * 0.166 * rate)


def test_a_full_machine_needs_no_other_and_one_call_more_does():
    room = 6 * 2 * 0.25
    full, over = cost("machine", 2 * room), cost("machine", 2 * room + 0.001)
    assert full == pytest.approx(2 * 0.115 * 0.962 * 730 + 3 * 50 + 0.25 * 50)
    assert over - full == pytest.approx(0.115 * 0.962 * 730 + 0.25 * 50)
    assert cost("screen", 35 * 1.5) == cost("screen") < cost("screen", 35 * 1.5 + 0.1)


@pytest.mark.parametrize("full", [1, 2, 13, 18])
def test_the_last_decimal_does_not_buy_a_machine(full):
    inputs = with_values(speed=9, use=0.3, more=0)
    load = round(9 * 0.3 * 2 * full, 6)
    assert load / (9 * 0.3 * 2) > full
    assert cost("machine", load, inputs) == pytest.approx(full * 0.115 * 0.962 * 730 + 3 * 50)


def test_a_function_pays_whole_milliseconds():
    assert cost("function", 10, with_values(speed=3000)) == cost("function", 10, with_values(speed=1000))
    assert cost("function", 10, with_values(speed=999)) > cost("function", 10, with_values(speed=1000))


def test_no_bill_falls_when_the_load_grows():
    loads = np.geomspace(LOW, 1000, 300)
    table = monthly_cost(EUROS, loads)
    assert len(table) == 5 * 300
    for _, line in table.groupby("option"):
        assert (np.diff(line["cost_eur"]) >= -1e-9).all()
    assert table["cost_eur"].to_numpy() == pytest.approx(table["services_eur"] + table["people_eur"])


@pytest.mark.parametrize("load", [-1, math.nan, math.inf, "3", None, True])
def test_a_load_is_a_number_from_zero_on(load):
    with pytest.raises(ValueError, match="load is .*, expected a number >= 0 in calls/s"):
        monthly_cost(EUROS, load)


def test_one_wrong_load_among_several_is_told():
    with pytest.raises(ValueError, match="load is -2.0, expected a number >= 0 in calls/s"):
        monthly_cost(EUROS, [1.0, -2.0])


@pytest.mark.parametrize("speed", [6, 26, 400, 3000])
@pytest.mark.parametrize("pair", [("function", "machine"), ("function", "office"), ("machine", "office")])
def test_a_grid_finds_the_same_cheaper_option_everywhere(speed, pair):
    inputs, grid = with_values(speed=speed), np.geomspace(LOW, 1000, 1501)
    one, two = (monthly_cost(inputs, grid, (name,))["cost_eur"].to_numpy() for name in pair)
    found = crossings(inputs, *pair)
    assert found["load"].is_monotonic_increasing and found["load"][0] == LOW
    place = np.searchsorted(found["load"], grid, side="right") - 1
    told = found["cheaper"].to_numpy()[np.maximum(place, 0)]
    assert (told == np.where(one > two, pair[1], pair[0])).all()
    assert (found["cheaper"] != found["cheaper"].shift()).all()


def test_a_crossing_on_a_straight_piece_makes_the_bills_equal():
    inputs = with_values(speed=3000)
    (load,) = crossings(inputs, "function", "machine")["load"][1:]
    assert cost("function", load, inputs) == pytest.approx(cost("machine", load, inputs))


def test_lines_that_never_cross_have_one_row():
    assert crossings(with_values(speed=26), "function", "machine").to_dict("records") == [
        {"load": LOW, "cheaper": "function"}
    ]
    assert len(crossings(EUROS, "office", "office")) == 1


def test_the_tornado_moves_one_input_and_tells_who_changes_the_winner():
    table = tornado(with_values(INPUTS, speed=400), 300, "function", "machine").set_index("input")
    assert table["swing"].is_monotonic_decreasing and len(table) == len(INPUTS)
    now = cost("machine", 300, with_values(speed=400)) - cost("function", 300, with_values(speed=400))
    half = with_values(speed=400, vm=0.115 * 0.962 / 2)
    assert table.loc["vm", "half"] == pytest.approx(cost("machine", 300, half) - cost("function", 300, half))
    assert set(table.index[table["flips"]]) == {"cores", "use", "vm", "calls", "hours_machine", "speed"}
    assert table.loc["device", "swing"] == 0 and table.loc["rate", "swing"] > 0
    assert table.loc["use", "half"] != pytest.approx(now)


def test_a_ratio_is_never_moved_past_one():
    table = tornado(with_values(INPUTS, use=0.9), 300, "function", "machine").set_index("input")
    top = with_values(use=1.0)
    assert table.loc["use", "more"] == pytest.approx(cost("machine", 300, top) - cost("function", 300, top))


def test_costs_control_and_ease_are_answered_from_the_numbers():
    table = decide(case(), INPUTS).set_index("source")
    assert table["cost"].to_dict() == {"function": 5, "job": 4, "machine": 3, "office": 3}
    assert table["control"].to_dict() == {"function": 1, "job": 2, "machine": 4, "office": 5}
    assert (table["control"] + table["ease"]).eq(6).all() and table.index[0] == "function"


def test_the_rule_comes_before_the_price():
    kept = decide(case(limit="office"), INPUTS)
    assert list(kept["source"]) == ["office"] and kept["cost"].item() == 5
    with pytest.raises(ValueError, match="no option may batch with data limited to the shop; ask another question"):
        decide(case(limit="shop"), INPUTS)


def test_a_veto_sends_the_cheapest_to_the_end():
    answers = tuple(said(name, veto=name == "function") for name in ("office", "machine", "job", "function"))
    ranking = decide(case(answers=answers), INPUTS)
    assert ranking["source"].iloc[-1] == "function" and ranking["state"].iloc[-1] == "blocked"


def test_an_option_that_nobody_looked_at_is_told():
    with pytest.raises(ValueError, match="nobody answered for job, function; ask"):
        decide(case(answers=(said("office"), said("machine"))), INPUTS)


@pytest.mark.parametrize("load", [-1, "much"])
def test_a_case_with_a_wrong_load_is_not_decided(load):
    with pytest.raises(ValueError, match="load is"):
        decide(case(load=load), INPUTS)


def test_a_decision_comes_back_and_can_be_made_again(tmp_path):
    path = save_decision(tmp_path / "new" / "options.json", case(), INPUTS)
    winner, same, inputs = load_decision(path)
    assert (winner, same, inputs) == ("function", case(), INPUTS)
    assert decide(same, with_values(inputs, hours_function=5))["source"][0] == "job"


def test_nothing_is_written_when_nothing_can_be_decided(tmp_path):
    answers = tuple(said(name, veto=True) for name in ("office", "machine", "job", "function"))
    with pytest.raises(ValueError, match=r"every option is blocked, first: .* \(fit: looked at\); nothing can be"):
        save_decision(tmp_path / "options.json", case(answers=answers), INPUTS)
    assert not list(tmp_path.iterdir())


def test_a_newer_file_asks_for_an_upgrade(tmp_path):
    path = save_decision(tmp_path / "options.json", case(), INPUTS)
    path.write_text(json.dumps({"format": 2}), encoding="utf-8")
    with pytest.raises(ValueError, match="options.json .*format is 2, expected 1 .upgrade mlworkbook"):
        load_decision(path)


def spoil(**change):
    "Replace parts of the saved content."
    return lambda content: json.dumps(content | change)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: json.dumps(content)[:-30],
        lambda content: "",
        lambda content: "[]",
        lambda content: "{}",
        spoil(format="1"),
        spoil(format=0),
        spoil(format=True),
        spoil(winner="machine"),
        spoil(winner=None),
        spoil(inputs=[]),
        spoil(inputs=[{"name": "vm"}]),
        spoil(case=None),
        spoil(case={}),
        lambda content: json.dumps(content | {"case": content["case"] | {"load": -1}}),
        lambda content: json.dumps(content | {"case": content["case"] | {"answers": []}}),
    ],
)
def test_a_damaged_decision_is_told_by_name(tmp_path, damage):
    path = save_decision(tmp_path / "options.json", case(), INPUTS)
    path.write_text(damage(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    with pytest.raises(ValueError, match="^options.json cannot be used .*; bring it back or decide again"):
        load_decision(path)


def test_the_picture_tells_who_changes_the_winner_without_colour():
    axes = plt.figure().subplots(1, 2)
    moved = tornado(with_values(INPUTS, speed=400), 300, "function", "machine")
    assert plot_tornado(moved, 57.0, axes[1]) is axes[1]
    assert [bool(bar.get_hatch()) for bar in axes[1].patches] == moved["flips"].tolist()
    assert "EUR" in axes[1].get_xlabel()
    plt.close("all")
