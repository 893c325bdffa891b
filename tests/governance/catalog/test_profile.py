"""The profile of a table: quarters, outliers, correlations; nothing personal, no network."""

from pathlib import Path

import duckdb
import pytest

from governance.catalog.profile import profile_relation, profile_table, render, write_profile
from lakehouse.contracts.gold import DIM_CUSTOMER_CONTACTS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from tests.gold_files import serve_gold
from tests.phone import on_a_phone

SALES = """
create table sales as
select n as pieces, (n * 2)::decimal(18, 4) as amount,
       case when n % 4 = 0 then null when n % 2 = 0 then '<b>red</b>' else 'blue' end as colour,
       'Ada ' || n as name
from range(1, 41) as numbers(n)
union all select 1000, 2000, 'blue', 'Bob'
"""


@pytest.fixture
def sales() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(SALES)
    return connection


def test_a_column_has_its_missing_values_its_quarters_and_its_outliers(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    found = profile_relation(sales, "sales", title="sales", left_out=("name",))
    pieces, amount, colour = found.columns
    assert (found.rows, found.left_out, pieces.missing, colour.missing) == (41, ("name",), 0, 10)
    assert dict(pieces.facts) == {
        "distinct": "41",
        "least": "1",
        "most": "1000",
        "lower quarter": "11",
        "median": "21",
        "upper quarter": "31",
    }
    assert (pieces.outliers, amount.outliers, colour.outliers) == (1, 1, None)
    assert sum(count for _, _, count in pieces.bars) == 40
    assert pieces.bars[0] == ("1.00", "7.00", 6)
    assert colour.bars == (("blue", "", 21), ("<b>red</b>", "", 10))
    assert found.correlations == (("pieces", "amount", 1.0),)


def test_a_key_shows_no_most_frequent_values(sales: duckdb.DuckDBPyConnection) -> None:
    *_, name = profile_relation(sales, "sales", title="sales").columns
    assert (dict(name.facts)["distinct"], name.bars) == ("41", ())


def test_the_page_is_escaped_asks_nobody_and_holds_nothing_personal(
    sales: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    profile = profile_relation(sales, "sales", title="sales", left_out=("name",))
    page = write_profile(profile, tmp_path / "reports")
    assert page.name == "profile-sales.html"
    text = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;red&lt;/b&gt;" in text
    assert "Left out, for they are personal: name." in text
    for forbidden in ("<b>", "Ada", "Bob", "http", "<script", "src="):
        assert forbidden not in text


@pytest.mark.browser
def test_long_values_do_not_make_a_phone_scroll_sideways(
    sales: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    long = "(select repeat('f', 66) as id, n * 1000000 as amount from range(50) as t(n))"
    path = write_profile(profile_relation(sales, long, title="sales"), tmp_path)
    asked, width, _ = on_a_phone(path, scheme="dark")
    assert asked == [path.as_uri()]
    assert width <= 375


def test_an_empty_table_has_a_page_too(sales: duckdb.DuckDBPyConnection) -> None:
    empty = profile_relation(sales, "(select * from sales limit 0)", title="none")
    assert (empty.rows, empty.correlations) == (0, ())
    assert "0 rows, 4 columns." in render(empty)


def test_contacts_in_gold_show_no_name_mail_or_address(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    serve_gold(
        settings,
        f"create table {DIM_CUSTOMER_CONTACTS} as select '1' as customer_id, 'Ada' as name, "
        "'ada@example.com' as email, 'Dover' as address",
    )
    found = profile_table(DIM_CUSTOMER_CONTACTS, settings=settings)
    assert [each.name for each in found.columns] == ["customer_id"]
    assert found.left_out == ("name", "email", "address")


def test_an_unknown_table_and_one_that_is_not_there_yet_are_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(LakeError, match=r"There is no table 'sales'\. Tables: bronze\.events"):
        profile_table("sales", settings=settings)
    with pytest.raises(LakeError, match=r"The lake has no table silver\.products yet"):
        profile_table("silver.products", settings=settings)
    with pytest.raises(LakeError, match="No gold has been published yet"):
        profile_table(DIM_CUSTOMER_CONTACTS, settings=settings)
