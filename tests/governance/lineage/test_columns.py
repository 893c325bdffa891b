"""Origins of columns in SQL as models are written: renames, stars, unions, windows, counts."""

import pytest
from sqlglot.errors import SqlglotError

from governance.lineage.columns import ColumnLineage, ModelSql, Origin

LINES = "silver.lines"


@pytest.fixture
def lineage() -> ColumnLineage:
    columns = ("id", "day", "kind", "amount", "customer")
    others = {LINES: columns, "silver.people": ("customer", "country")}
    return ColumnLineage(others, database="memory")


def model(sql: str, name: str = "gold.sums", *reads: str) -> ModelSql:
    return ModelSql(name, "build", sql, reads or (LINES,))


def of_lines(*columns: str) -> tuple[Origin, ...]:
    return tuple((LINES, column) for column in columns)


def test_a_sum_with_a_filter_is_made_of_both_through_stars_and_renames(
    lineage: ColumnLineage,
) -> None:
    sql = """with rows as (select * from memory.silver.lines),
        renamed as (select day as at, *, -amount as back from rows)
        select at as sold_on, cast(sum(back) filter (where kind = 'sale') as decimal(18, 4)) as net,
            count(distinct (id, customer)) as orders from renamed group by at"""
    assert lineage.of_model(model(sql)) == {
        "sold_on": of_lines("day"),
        "net": of_lines("amount", "kind"),
        "orders": of_lines("customer", "id"),
    }


def test_a_model_is_followed_into_the_columns_of_the_model_before(lineage: ColumnLineage) -> None:
    lineage.of_model(model("select customer as who, amount from memory.silver.lines", "gold.first"))
    second = "select who, rank() over (order by amount desc, who) as place from build.gold.first"
    assert lineage.of_model(model(second, "gold.second", "gold.first")) == {
        "who": (("gold.first", "who"),),
        "place": (("gold.first", "amount"), ("gold.first", "who")),
    }


def test_a_named_window_counts_where_its_name_stands(lineage: ColumnLineage) -> None:
    sql = """select row_number() over history as place, sum(amount) over history as so_far
        from memory.silver.lines window history as (partition by customer order by day)"""
    assert lineage.of_model(model(sql)) == {
        "place": of_lines("customer", "day"),
        "so_far": of_lines("amount", "customer", "day"),
    }


def test_every_branch_of_a_union_and_every_side_of_a_join_counts(lineage: ColumnLineage) -> None:
    sql = """with members as (
            select people.customer, coalesce(people.country, lines.kind) as place
            from memory.silver.people as people
            full outer join memory.silver.lines as lines on people.customer = lines.customer)
        select * from members union all select 'unknown' as customer, kind as place
        from memory.silver.lines"""
    found = lineage.of_model(model(sql, "gold.members", LINES, "silver.people"))
    people = "silver.people"
    assert found == {
        "customer": ((people, "customer"),),
        "place": ((LINES, "kind"), (people, "country")),
    }


def test_a_count_of_rows_leads_to_the_relation_that_is_counted_and_to_no_other(
    lineage: ColumnLineage,
) -> None:
    sql = """with counted as (select customer, count(*) as n from memory.silver.lines group by 1)
        select n, people.country, 'GBP' as unit from counted
        inner join memory.silver.people as people on counted.customer = people.customer"""
    found = lineage.of_model(model(sql, "gold.counts", "silver.people", LINES))
    assert found == {
        "n": ((LINES, ""),),
        "country": (("silver.people", "country"),),
        "unit": (("silver.people", ""), (LINES, "")),
    }


def test_columns_of_a_cte_are_followed_apart_from_what_the_model_makes_of_them(
    lineage: ColumnLineage,
) -> None:
    sql = """with measured as (select day, sum(amount) as sales, max(kind) as kind
            from memory.silver.lines group by day)
        select day, 'sales' as kpi, sales as value from measured
        union all select day, 'kind', length(kind) from measured"""
    whole = model(sql)
    assert lineage.of_model(whole)["value"] == of_lines("amount", "kind")
    assert lineage.of_cte(whole, "measured", ["sales"]) == of_lines("amount")
    assert lineage.of_cte(whole, "measured", ["sales", "day"]) == of_lines("amount", "day")


@pytest.mark.parametrize("sql", ["select nothing from memory.silver.lines", "select from ("])
def test_sql_that_can_not_be_read_raises(lineage: ColumnLineage, sql: str) -> None:
    with pytest.raises(SqlglotError):
        lineage.of_model(model(sql))
