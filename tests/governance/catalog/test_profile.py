"""The profile of a table: quarters, outliers, bars, correlations; nothing personal, no network."""

import re
from pathlib import Path

import duckdb
import pytest

from governance.catalog.profile import profile, write_profile
from lakehouse.contracts.gold import DIM_CUSTOMER_CONTACTS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from tests.gold_files import serve_gold
from tests.phone import on_a_phone

SALES = """
create table sales as
select n as pieces, (n * 2)::decimal(18, 4) as amount,
       case when n % 4 = 0 then null when n % 2 = 0 then '<b>red</b>' else 'blue' end as colour,
       repeat('f', 60) || n as long_key, 'Ada ' || n as name
from range(1, 41) as numbers(n)
union all select 1000, 2000, 'blue', 'g', 'Bob'
"""


@pytest.fixture
def sales() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(SALES)
    return connection


def drawn(page: str) -> str:
    """What Plotly draws, without its own script."""
    return page[page.rfind("Plotly.newPlot(") :]


def visible(page: str) -> str:
    return page[: page.find("<script")] + drawn(page)


def test_a_column_has_its_missing_values_its_quarters_and_its_outliers(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    page = profile(sales, "sales", title="sales", left_out=("name",))
    assert "<p>41 rows, 4 columns." in page
    head = re.findall(r"<th>(\w+)</th>", page[: page.find("<tbody>")])
    facts = {
        name: dict(zip(head, re.findall("<td>(.*?)</td>", cells), strict=False))
        for name, cells in re.findall(r"<th>(\w+)</th>((?:\s*<td>.*?</td>)+)", page)
    }
    assert {name: each["outliers"] for name, each in facts.items()} == {
        "pieces": "1",
        "amount": "1",
        "colour": "",
        "long_key": "",
    }
    wanted = ("column_type", "min", "max", "q25", "q50", "q75", "null_percentage")
    assert [facts["pieces"][each] for each in wanted] == [
        *("BIGINT", "1", "1000", "11", "21", "31", "0.0"),
    ]
    assert facts["colour"]["null_percentage"] == "24.39"
    assert re.findall(r'"y":\[([0-9,]+)\]', drawn(page)) == [
        *("5,5,5,5,5,5,5,5", "5,5,5,5,5,5,5,5", "10,21"),  # no bar of 1000, none of the keys
    ]
    assert '"z":[[1.0,1.0],[1.0,1.0]]' in drawn(page)


@pytest.mark.browser
def test_the_page_is_escaped_asks_nobody_and_holds_nothing_personal(
    sales: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    page = profile(sales, "sales", title="sales", left_out=("name",))
    assert "Left out, for they are personal: name." in page
    shown = visible(page)
    assert "&lt;b&gt;red&lt;/b&gt;" in shown
    for forbidden in ("<b>", "Ada", "Bob", "src="):
        assert forbidden not in shown
    path = tmp_path / "sales.html"
    path.write_text(page, encoding="utf-8")
    asked, width, _ = on_a_phone(path, scheme="light")
    assert asked == [path.as_uri()]
    assert width <= 375


def test_an_empty_table_has_a_page_too(sales: duckdb.DuckDBPyConnection) -> None:
    assert "0 rows, 5 columns." in profile(sales, "(select * from sales limit 0)", title="none")


def test_contacts_in_gold_show_no_name_mail_or_address(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    serve_gold(
        settings,
        f"create table {DIM_CUSTOMER_CONTACTS} as select '1' as customer_id, 'Ada' as name, "
        "'ada@example.com' as email, 'Dover' as address",
    )
    path = write_profile(DIM_CUSTOMER_CONTACTS, settings=settings)
    assert path == settings.reports_dir / f"profile-{DIM_CUSTOMER_CONTACTS}.html"
    text = path.read_text(encoding="utf-8")
    shown = visible(text)
    assert "1 rows, 1 columns." in text
    assert "Left out, for they are personal: name, email, address." in text
    assert [each for each in ("Ada", "ada@example.com", "Dover") if each in shown] == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("sales", r"There is no table 'sales'\. Tables: bronze\.events"),
        ("silver.products", r"The lake has no table silver\.products yet"),
        (DIM_CUSTOMER_CONTACTS, "No gold has been published yet"),
    ],
)
def test_a_table_that_is_unknown_or_not_there_yet_is_named(
    tmp_path: Path, table: str, message: str
) -> None:
    with pytest.raises(LakeError, match=message):
        write_profile(table, settings=Settings(home=tmp_path))
