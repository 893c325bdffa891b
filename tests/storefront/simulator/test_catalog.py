"""The catalog is learned from the sales of an extract; bad rows teach nothing."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from lakehouse.contracts.topics import ERP_COLUMNS
from storefront.erp.columns import ExtractRow
from storefront.erp.extract import Reading
from storefront.simulator import Catalog, catalog_from, load_catalog
from storefront.simulator.catalog import KnownCustomer, Product

LINE = ("536365", "85123A", "HEART", "6", "2010-12-01 08:26:00", "2.55", "17850", "France")


def row(**changes: str | None) -> ExtractRow:
    texts = tuple(changes.get(name, text) for name, text in zip(ERP_COLUMNS, LINE, strict=True))
    return ExtractRow(texts, 1)


def learned(rows: Iterable[ExtractRow]) -> Catalog:
    return catalog_from(iter(rows))


def test_a_product_has_its_most_frequent_name_and_price() -> None:
    rows = [
        row(Description=" HEART ", UnitPrice="2.55"),
        row(StockCode="85123a", Description="HEART", UnitPrice="2.550"),
        row(Description="OLD HEART", UnitPrice="1.00"),
        row(Description=None, UnitPrice="3"),
        row(StockCode="22138", Description="B", UnitPrice="2.555"),
        row(StockCode="22138", Description="A", UnitPrice="0.001"),
    ]
    assert learned(rows).products == (
        Product("22138", "A", price=1, sold=2),
        Product("85123A", "HEART", price=255, sold=4),
    )


def test_a_product_without_a_name_is_called_by_its_code() -> None:
    assert learned([row(Description=None)]).products == (Product("85123A", "85123A", 255, 1),)


def test_a_customer_has_the_most_frequent_country_over_invoices() -> None:
    rows = [
        row(InvoiceNo="1", Country="France"),
        row(InvoiceNo="1", Country="France"),
        row(InvoiceNo="2", Country="Belgium", CustomerID="17850.0"),
        row(InvoiceNo="3", Country="Belgium"),
        row(InvoiceNo="4", Country=None, CustomerID="99"),
        row(InvoiceNo="5", CustomerID=None),
    ]
    assert learned(rows).customers == (
        KnownCustomer("17850", "Belgium", orders=3),
        KnownCustomer("99", "Unspecified", orders=1),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"InvoiceNo": "C536365"},
        {"InvoiceNo": " c536365"},
        {"InvoiceNo": "A563185"},
        {"InvoiceNo": None},
        {"StockCode": None},
        {"StockCode": "post"},
        {"StockCode": "gift_0001_20"},
        {"StockCode": "85123\x07"},
        {"Quantity": "-6"},
        {"Quantity": "six"},
        {"Quantity": None},
        {"UnitPrice": "0"},
        {"UnitPrice": "1.00001"},
        {"UnitPrice": None},
        {"InvoiceDate": None},
    ],
)
def test_a_row_that_sells_no_product_is_ignored(changes: dict[str, str | None]) -> None:
    assert learned([row(**changes)]).products == ()


def test_a_row_without_eight_cells_is_ignored() -> None:
    assert learned([ExtractRow(LINE, 1, 9)]) == Catalog((), (), None)


def test_the_last_day_is_that_of_the_last_sale_with_a_readable_date() -> None:
    times = ("2010-12-01 08:26", "12/9/2011 12:50", "99/99/2011 1:00", "2911-12-09 9:00")
    assert learned(row(InvoiceDate=time) for time in times).last_day == date(2011, 12, 9)


def test_the_order_of_the_rows_makes_no_difference() -> None:
    rows = [
        row(
            StockCode=str(n % 7),
            Description=str(n % 3),
            UnitPrice=str(n % 5 + 1),
            CustomerID=str(n),
        )
        for n in range(100)
    ]
    assert learned(rows) == learned(rows[::-1])


# part: history
def test_the_embedded_history_gives_the_known_products_and_customers(
    real_catalog: Catalog,
) -> None:
    catalog = real_catalog
    assert (len(catalog.products), len(catalog.customers)) == (3_798, 4_338)
    assert sum(customer.orders for customer in catalog.customers) == 18_532
    assert catalog.last_day == date(2011, 12, 9)
    heart = next(product for product in catalog.products if product.sku == "85123A")
    assert (heart.description, heart.price) == ("WHITE HANGING HEART T-LIGHT HOLDER", 295)


# end part


def test_the_catalog_of_another_shop_is_read_from_its_csv(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    text = ",".join(ERP_COLUMNS) + "\nF1,Ä-1,Käse,2,1/2/2020 9:00,9.9,K 7,Österreich\n"
    path.write_bytes(text.encode("latin-1"))
    assert load_catalog(path, Reading("latin-1", "month-first")) == Catalog(
        (Product("Ä-1", "Käse", 990, 1),),
        (KnownCustomer("K 7", "Österreich", 1),),
        date(2020, 1, 2),
    )
