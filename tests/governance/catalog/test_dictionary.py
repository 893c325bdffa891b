"""The data dictionary is current, and holds every KPI, table, column and field of a topic."""

import re

from governance.catalog.dictionary import PAGE, dictionary
from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.marts import read_marts
from lakehouse.contracts.scores import SCORES
from lakehouse.contracts.tables import TABLES
from lakehouse.contracts.topics import ENVELOPE, SOURCE_TOPICS


def test_the_page_is_what_lake_dictionary_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == dictionary()


def test_every_kpi_table_column_and_field_is_on_it() -> None:
    page = dictionary()
    rows = re.findall(r"^\| `(\w+)` \|", page, re.M)
    columns = [each.name for table in (*read_marts(), *TABLES, *SCORES) for each in table.columns]
    columns += [each.name for topic in SOURCE_TOPICS for each in (*ENVELOPE, *topic.fields)]
    assert sorted(rows) == sorted([*columns, *(each.name for each in read_kpis())])
    headings = re.findall(r"^### (\S+)$", page, re.M)
    assert headings == [each.name for each in (*read_marts(), *TABLES, *SCORES, *SOURCE_TOPICS)]
    assert [
        each.name for mart in read_marts() for each in mart.columns if not each.description
    ] == []
    assert {line.count("|") - line.count(r"\|") for line in page.splitlines() if "|" in line} == {
        6,
        8,
    }
