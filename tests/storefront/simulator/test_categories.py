"""Products find their shelf by the words of their name."""

import pytest

from storefront.simulator.catalog import category_of


@pytest.mark.parametrize(
    ("description", "category"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "lighting"),
        ("red retrospot bags", "bags"),
        ("CHRISTMAS TEA LIGHT", "seasonal"),
        ("BAGPIPE", "gifts"),
        ("", "gifts"),
    ],
)
def test_a_product_lies_on_the_first_shelf_that_knows_a_word(
    description: str, category: str
) -> None:
    assert category_of(description) == category
