"""Money of texts: exact to the last digit, and a reason where there is none."""

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.amounts import (
    line_amount,
    price_fault,
    price_of,
    quantity_fault,
    quantity_of,
)

DECIMALS = st.decimals(-(10**7), 10**7, allow_nan=False, allow_infinity=False, places=4)
TEXTS = st.text("0123456789.+- eE,%\n\u00a0\u06f1", max_size=24)


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("6", "2.55", "15.30"),
        (" 6 ", " 2.550 ", "15.30"),
        ("-80995", "2.08", "-168469.60"),
        ("1.000", "-11062.06", "-11062.06"),
        ("3", ".1234000", "0.3702"),
        ("3", "5.", "15"),
        ("+3", "+5", "15"),
        ("1000000000", "999.9999", "999999900000.0000"),
        ("1", "99999999.9999", "99999999.9999"),
        ("-5", "0", "0"),
    ],
)
def test_an_amount_is_exact(quantity: str, price: str, amount: str) -> None:
    found = line_amount(quantity, price)
    assert found == Decimal(amount)
    assert not str(found).startswith("-0")


@pytest.mark.parametrize(
    ("quantity", "price"),
    [
        (None, "1"),
        ("1", None),
        ("", "1"),
        ("six", "1"),
        ("1.5", "1"),
        ("1e3", "1"),
        ("1.", "1"),
        ("٣", "1"),
        ("1\n", "1"),
        ("\t1", "1"),
        ("1000000001", "0.01"),
        ("1000000000000000", "0"),
        ("0000000000000001", "1"),
        ("1", "1,50"),
        ("1", "1.00001"),
        ("1", "."),
        ("1", "1e2"),
        ("1", "NaN"),
        ("1", "100000000"),
        ("1000000000", "1000"),
        ("-1000000000", "1000"),
    ],
)
def test_an_amount_that_does_not_parse_or_is_too_large_is_none(
    quantity: str | None, price: str | None
) -> None:
    assert line_amount(quantity, price) is None


@settings(deadline=None)
@given(st.integers(-(10**9), 10**9), DECIMALS)
def test_an_amount_equals_the_product_of_its_parts(quantity: int, price: Decimal) -> None:
    assume(abs(price) < 10**8 and abs(quantity * price) < 10**12)
    assert line_amount(str(quantity), f"{price:f}") == quantity * price


@pytest.mark.parametrize(
    ("quantity", "price", "faults"),
    [
        ("3", "2.5500", (None, None)),
        ("x", "2.55", ("bad_quantity", None)),
        ("3.5", "2.55", ("bad_quantity", None)),
        ("", "2.55", ("bad_quantity", None)),
        ("3\n", "2.55", ("bad_quantity", None)),
        ("1000000001", "1", ("quantity_out_of_range", None)),
        ("1" + "0" * 15, "1", ("quantity_out_of_range", None)),
        ("-" + "9" * 400, "1", ("quantity_out_of_range", None)),
        ("9" * 6000, "1", ("quantity_out_of_range", None)),
        ("3", "", (None, "bad_price")),
        ("3", "2,55", (None, "bad_price")),
        ("3", "2.55\n", (None, "bad_price")),
        ("3", "2.55001", (None, "too_many_decimals")),
        ("3", "0." + "0" * 60 + "1", (None, "too_many_decimals")),
        ("3", "100000000", (None, "price_out_of_range")),
        ("3", "9" * 400, (None, "price_out_of_range")),
        ("x", "y", ("bad_quantity", "bad_price")),
    ],
)
def test_a_refused_number_has_its_reason(
    quantity: str, price: str, faults: tuple[str | None, str | None]
) -> None:
    assert (quantity_fault(quantity), price_fault(price)) == faults


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_text_has_a_value_or_a_fault(quantity: str, price: str) -> None:
    """What has no fault is worth what its digits say, with at most four decimals."""
    if quantity_fault(quantity) is None:
        assert quantity_of(quantity) == Decimal(quantity.strip(" "))
    if price_fault(price) is None:
        found = price_of(price)
        assert found == Decimal(price.strip(" "))
        assert found is not None
        assert found.as_tuple().exponent == -4
    has_no_fault = quantity_fault(quantity) is None and price_fault(price) is None
    assert line_amount(quantity, price) is None or has_no_fault
