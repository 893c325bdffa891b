"""The eight columns are found in any order, and every other header is refused."""

from pathlib import Path

import pytest

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from storefront.erp.columns import EIGHT, column_positions

PATH = Path("extract.csv")


def test_columns_are_found_in_any_order_with_blanks_around_their_names() -> None:
    names = [f" {name}\t" for name in reversed(ERP_COLUMNS)]
    assert column_positions(names, path=PATH) == (7, 6, 5, 4, 3, 2, 1, 0)


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (ERP_COLUMNS[:7], "missing: Country"),
        (ERP_COLUMNS[2:], "missing: InvoiceNo, StockCode"),
        ((*ERP_COLUMNS, "Discount"), "unexpected: Discount"),
        (("", *ERP_COLUMNS), "unexpected: (no name)"),
        ((*ERP_COLUMNS, "Country"), "twice: Country"),
        (
            (*ERP_COLUMNS[:6], "Customer ID", "Country"),
            "missing: CustomerID; unexpected: Customer ID",
        ),
        ((*ERP_COLUMNS[:7], "country"), "missing: Country; unexpected: country"),
        ((*ERP_COLUMNS, "\x1b[31m"), "unexpected: ?[31m"),
        ((*ERP_COLUMNS, "x" * 50), f"unexpected: {'x' * 40}…"),
    ],
)
def test_other_columns_are_named_beside_the_expected_eight(
    names: tuple[str, ...], fault: str
) -> None:
    with pytest.raises(LakeError) as refused:
        column_positions(names, path=PATH)
    assert str(refused.value) == (
        f"extract.csv: the columns do not fit ({fault}). "
        f"An ERP extract has exactly these eight, in any order, separated by commas: {EIGHT}."
    )
