"""The plugin ``domain-finance``, held against Python's own decimals and against published values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_server.testing import Plugin, ToolFailed

pytestmark = pytest.mark.plugin("manifests/domain-finance")
ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "up": ROUND_UP, "down": ROUND_DOWN}
DIGITS = 80


def annuity(terms: dict[str, Any], decimals: int) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Interest, principal and balance of each payment, by the textbook's formula with eighty digits."""
    unit = Decimal(1).scaleb(-decimals)
    rate = Decimal(terms["annual_rate_percent"]) / 100 / terms["payments_per_year"]
    balance, count = Decimal(terms["principal"]), terms["payments"]
    how = ROUNDINGS[terms["rounding"]]
    share = rate / (1 - (1 + rate) ** -count) if rate else Decimal(1) / count
    payment = (balance * share).quantize(unit, how)
    rows: list[tuple[Decimal, Decimal, Decimal]] = []
    while balance and len(rows) < count:
        interest = (balance * rate).quantize(unit, how)
        principal = balance if len(rows) == count - 1 else min(payment - interest, balance)
        balance -= principal
        rows.append((interest, principal, balance))
    return rows


LOANS = st.fixed_dictionaries(
    {
        "principal": st.integers(1, 10**12).map(lambda cents: str(Decimal(cents).scaleb(-2))),
        "annual_rate_percent": st.integers(0, 30_000).map(lambda parts: str(Decimal(parts).scaleb(-3))),
        "payments": st.integers(1, 480),
        "payments_per_year": st.sampled_from([1, 2, 4, 12, 52]),
        "rounding": st.sampled_from(sorted(ROUNDINGS)),
    }
)


@settings(max_examples=40, deadline=None)
@given(terms=LOANS)
@example({"principal": "0.01", "annual_rate_percent": "30", "payments": 480, "payments_per_year": 1, "rounding": "up"})
def test_a_schedule_is_that_of_exact_decimals_to_the_cent(plugin: Plugin, terms: dict[str, Any]) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        expected = annuity(terms, 2)
    answer = plugin.call("amortize", terms | {"currency": "EUR"})
    rows = [tuple(Decimal(row[key]) for key in ("interest", "principal", "balance")) for row in answer["schedule"]]
    assert rows == expected
    assert Decimal(answer["total_interest"]) == sum(interest for interest, _, _ in expected)
    assert Decimal(answer["total_paid"]) == Decimal(answer["total_interest"]) + Decimal(terms["principal"])


@pytest.mark.parametrize(("currency", "payment"), [("JPY", "600"), ("USD", "599.55"), ("KWD", "599.551")])
def test_payments_have_the_minor_units_of_their_currency(plugin: Plugin, currency: str, payment: str) -> None:
    terms = {"principal": 100_000, "annual_rate_percent": 6, "payments": 360, "currency": currency}
    answer = plugin.call("amortize", terms | {"with_schedule": False})
    assert (answer["first_payment"], "schedule" in answer) == (payment, False)


AMOUNTS = st.lists(st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents).scaleb(-2)), min_size=2, max_size=40)


@settings(max_examples=40, deadline=None)
@given(amounts=AMOUNTS, percent=st.integers(-9_000, 100_000).map(lambda parts: Decimal(parts).scaleb(-2)))
def test_present_values_are_those_of_exact_decimals(plugin: Plugin, amounts: list[Decimal], percent: Decimal) -> None:
    with localcontext() as context:
        context.prec = DIGITS
        growth = 1 + percent / 100
        exact = sum((amount / growth**time for time, amount in enumerate(amounts)), Decimal(0))
        expected = exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    flows = [{"amount": str(amount)} for amount in amounts]
    answer = plugin.call("cash_flow", flows=flows, rate_percent=str(percent))
    assert Decimal(answer["npv"]) == expected


@settings(max_examples=40, deadline=None)
@given(
    amounts=AMOUNTS,
    gaps=st.lists(st.integers(0, 800), min_size=40, max_size=40),
    percent=st.integers(-9_000, 100_000).map(lambda parts: Decimal(parts).scaleb(-2)),
)
def test_present_values_by_date_are_those_of_exact_decimals(
    plugin: Plugin, amounts: list[Decimal], gaps: list[int], percent: Decimal
) -> None:
    days = [sum(gaps[:number]) for number in range(len(amounts))]
    with localcontext() as context:
        context.prec = DIGITS
        growth = 1 + percent / 100
        parts = (amount / growth ** (Decimal(day) / 365) for day, amount in zip(days, amounts, strict=True))
        expected = sum(parts, Decimal(0)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    flows = [
        {"amount": str(amount), "date": str(date(2020, 2, 29) + timedelta(day))}
        for day, amount in zip(days, amounts, strict=True)
    ]
    answer = plugin.call("cash_flow", flows=flows, rate_percent=str(percent))
    assert Decimal(answer["npv"]) == expected


@settings(max_examples=60, deadline=None)
@given(roots=st.lists(st.integers(-90, 400), min_size=1, max_size=6, unique=True), leading=st.sampled_from([-100, 7]))
def test_every_rate_that_flows_were_made_from_is_found(plugin: Plugin, roots: list[int], leading: int) -> None:
    amounts = [Decimal(leading)]
    for root in roots:
        growth = 1 + Decimal(root) / 100
        longer = [*amounts, Decimal(0)]
        for time, amount in enumerate(amounts):
            longer[time + 1] -= amount * growth
        amounts = longer
    answer = plugin.call("cash_flow", flows=[{"amount": f"{amount:f}"} for amount in amounts])["irr"]
    assert [Decimal(rate) for rate in answer["rates_percent"]] == [Decimal(root) for root in sorted(roots)]
    assert answer["found"] == ("one" if len(roots) == 1 else "several")


@settings(max_examples=40, deadline=None)
@given(amounts=AMOUNTS)
def test_a_rate_that_is_told_makes_flows_worth_nothing(plugin: Plugin, amounts: list[Decimal]) -> None:
    flows = [{"amount": str(amount)} for amount in amounts]
    answer = plugin.call("cash_flow", flows=flows)["irr"]
    assert len(answer["rates_percent"]) <= answer["sign_changes"]
    odd = answer["sign_changes"] % 2 == 1
    assert answer["found"] == "not_searched" or not odd or answer["rates_percent"]
    for rate in answer["rates_percent"]:
        with localcontext() as context:
            context.prec = 200
            values = [sizes(amounts, Decimal(rate) + Decimal(step).scaleb(-10)) for step in (-1, 1)]
            exact, size = sizes(amounts, Decimal(rate))
        crosses = values[0][0] * values[1][0] <= 0
        assert crosses or abs(exact) < size * Decimal("1e-9"), rate


def sizes(amounts: list[Decimal], percent: Decimal) -> tuple[Decimal, Decimal]:
    """The value of flows at a rate, and the sum of the sizes of its parts."""
    growth = 1 + percent / 100
    if growth <= 0:
        return Decimal(0), Decimal(1)
    parts = [amount / growth**time for time, amount in enumerate(amounts)]
    return sum(parts, Decimal(0)), sum((abs(part) for part in parts), Decimal(0))


def test_the_spreadsheet_manuals_example_by_date_comes_out(plugin: Plugin) -> None:
    rows = [(-10_000, "2008-01-01"), (2_750, "2008-03-01"), (4_250, "2008-10-30"), (3_250, "2009-02-15")]
    flows = [{"amount": amount, "date": day} for amount, day in [*rows, (2_750, "2009-04-01")]]
    answer = plugin.call("cash_flow", flows=flows, rate_percent=9, currency="USD")
    assert answer["npv"] == "2086.65"
    assert round(float(answer["irr"]["rates_percent"][0]) / 100, 8) == 0.37336253


def test_twenty_years_of_months_with_five_changes_stay_within_the_limits(plugin: Plugin) -> None:
    flows = [
        {"amount": str((-1) ** (number // 40) * (number + 1)), "date": str(date(2000, 1, 1) + timedelta(31 * number))}
        for number in range(240)
    ]
    answer = plugin.call("cash_flow", flows=flows, rate_percent="7.5")
    assert answer["irr"]["sign_changes"] == 5
    terms = {"principal": "99999999999999999999999999.99", "annual_rate_percent": "999.123456789", "payments": 1200}
    assert len(plugin.call("amortize", terms)["schedule"]) == 1200


@pytest.mark.parametrize("number", ["DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947"])
def test_each_digit_of_an_account_number_counts(plugin: Plugin, number: str) -> None:
    assert plugin.call("validate_identifier", value=number)["valid"]
    for place in range(4, len(number)):
        if number[place].isdigit():
            wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
            (problem,) = plugin.call("validate_identifier", value=wrong)["problems"]
            expected = f"{98 - int(digits(wrong[4:] + wrong[:2] + '00')) % 97:02}"
            assert (problem["reason"], problem["position"]) == ("check_digits", 3)
            assert (problem["expected"], problem["found"]) == (expected, number[2:4])


def digits(text: str) -> str:
    """A text with its letters as the numbers 10 to 35."""
    return "".join(str(int(c, 36)) for c in text)


def test_nothing_is_asked_of_the_host_and_nothing_is_logged(plugin: Plugin) -> None:
    plugin.call("validate_identifier", value="4111 1111 1111 1111")
    with pytest.raises(ToolFailed, match="has no letter and no digit"):
        plugin.call("validate_identifier", value="-")
    assert (list(plugin.host_calls), list(plugin.logs)) == ([], [])
