"""Silver of a busy invented shop, day by day, as real Delta tables written without Spark.

In: a folder and a number of days. Out: one file a day and table with the statistics that the
platform's own commits have: order lines by month, web events, changes of customers and products.
"""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    GOLD_SOURCES,
    ORDER_LINES,
    PRODUCTS,
    WEB_EVENTS,
    Table,
)
from lakehouse.duck import duck_type
from lakehouse.settings import Settings

LINES_OF_AN_ORDER = 20
SKUS, CUSTOMER_IDS = 4_000, 20_000
EVENTS_OF_A_SESSION = 5
LAST_DAY = date(2011, 12, 9)
_KINDS = {"int": "integer", "bigint": "long"}


class SyntheticSilver:
    """A shop with `lines` order lines and a tenth of that in sessions a day; `versions` pins it."""

    def __init__(self, settings: Settings, *, days: int, lines: int) -> None:
        self.settings, self.lines = settings, lines
        self.day = LAST_DAY - timedelta(days=days)
        self.versions = {table.name: -1 for table in GOLD_SOURCES}
        self._duck = duckdb.connect()
        self._duck.execute("set TimeZone = 'UTC'")
        self._commit(CUSTOMERS, _customers(0, CUSTOMER_IDS, self._at(0)))
        self._commit(CUSTOMER_CONTACTS, _contacts(0, CUSTOMER_IDS, self._at(0)))
        self._commit(PRODUCTS, _products(0, SKUS, self._at(0)))
        for table in (ORDER_LINES, WEB_EVENTS):
            self._commit(table, f"select {_nothing(table)} where false")
        for _ in range(days):
            self.trade()

    def trade(self, *, late: int = 0) -> None:
        """The next day: its visits, changes and lines, of which `late` are of the day before."""
        number = self.day.toordinal()
        late_day = self.day - timedelta(days=1)
        if late:
            self._commit(ORDER_LINES, _lines(late_day, number, self.lines - late, late))
        self._commit(ORDER_LINES, _lines(self.day, number, 0, self.lines - late))
        self._commit(WEB_EVENTS, _events(self.day, number, self.lines // 10))
        changed = number * 7919
        self._commit(CUSTOMERS, _customers(changed, 50, self._at(9)))
        self._commit(CUSTOMER_CONTACTS, _contacts(changed, 50, self._at(9)))
        self._commit(PRODUCTS, _products(changed, 20, self._at(9)))
        self.day += timedelta(days=1)

    def _at(self, hour: int) -> str:
        return f"timestamptz '{self.day} {hour:02}:00:00+00'"

    def _commit(self, table: Table, query: str) -> None:
        """Append the rows as one commit, in one file for each partition value."""
        self.versions[table.name] += 1
        version = self.versions[table.name]
        root = Path(self.settings.tables_uri) / table.name.replace(".", "/")
        (root / "_delta_log").mkdir(parents=True, exist_ok=True)
        columns = ", ".join(
            f"cast({each.name} as {duck_type(each)}) as {each.name}" for each in table.columns
        )
        position = f"{version} as refined_batch, 't' as source_topic, 0 as source_partition"
        self._duck.execute(
            f"create or replace temp table fresh as select {columns} from "
            f"(select *, {position}, row_number() over () as source_offset from ({query}))"
        )
        actions = _created(table) if version == 0 else []
        actions += [self._file(table, root, version, value) for value in self._parts(table)]
        log = root / "_delta_log" / f"{version:020}.json"
        log.write_text("\n".join(map(json.dumps, actions)) + "\n", encoding="utf-8")

    def _parts(self, table: Table) -> list[str | None]:
        if table.partition_by is None:
            return [None]
        found = self._duck.execute(f"select distinct {table.partition_by} from fresh").fetchall()
        return [value for (value,) in found]

    def _file(self, table: Table, root: Path, version: int, value: str | None) -> dict[str, Any]:
        part, kept, where = f"part-{version}.parquet", "*", "true"
        if value is not None:
            part = f"{table.partition_by}={value}/{part}"
            kept, where = f"* exclude ({table.partition_by})", f"{table.partition_by} = '{value}'"
        path = root / part
        path.parent.mkdir(exist_ok=True)
        self._duck.execute(
            f"copy (select {kept} from fresh where {where}) to '{path}' (compression zstd)"
        )
        return {
            "add": {
                "path": part,
                "partitionValues": {table.partition_by: value} if value is not None else {},
                "size": path.stat().st_size,
                "modificationTime": 0,
                "dataChange": True,
                "stats": json.dumps(self._statistics(table, where)),
            }
        }

    def _statistics(self, table: Table, where: str) -> dict[str, Any]:
        names = [
            each.name
            for each in table.columns
            if each.type in ("date", "bigint", "int") and each.name != table.partition_by
        ]
        ends = ", ".join(f"min({name}), max({name})" for name in names)
        count, *found = self._duck.execute(
            f"select count(*), {ends} from fresh where {where}"
        ).fetchall()[0]
        texts = [str(each) if isinstance(each, date) else each for each in found]
        least, most = (
            {name: end for name, end in zip(names, ends, strict=True) if end is not None}
            for ends in (texts[::2], texts[1::2])
        )
        return {"numRecords": count, "minValues": least, "maxValues": most, "nullCount": {}}


def _created(table: Table) -> list[dict[str, Any]]:
    fields = [
        {"name": each.name, "type": _KINDS.get(each.type, each.type), "nullable": True} | _NO_FACTS
        for each in table.columns
    ]
    return [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": table.name,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [table.partition_by] if table.partition_by else [],
                "configuration": {},
            }
        },
    ]


_NO_FACTS: Mapping[str, Any] = {"metadata": {}}


def _nothing(table: Table) -> str:
    return ", ".join(
        f"cast(null as {duck_type(each)}) as {each.name}"
        for each in table.columns
        if each.name not in ("refined_batch", "source_topic", "source_partition", "source_offset")
    )


def _lines(day: date, number: int, first: int, count: int) -> str:
    order = f"(r // {LINES_OF_AN_ORDER})"
    return f"""
        select md5('{number}-' || r) || md5(r || '-{number}') || '-1' as event_id,
            md5('{number}-' || r) as content_hash,
            case when {order} % 10 = 0 then 'web' else 'erp' end as source_system,
            '{number}' || lpad({order}::varchar, 6, '0') as order_id,
            r % {LINES_OF_AN_ORDER} + 1 as line_number,
            case when {order} % 50 = 7 then 'cancellation' else 'sale' end as line_class,
            'SKU' || hash(r, {number}) % {SKUS} as sku,
            'product ' || hash(r, {number}) % {SKUS} || case when r % 9 = 0 then ' new' else '' end
                as description,
            case when {order} % 4 > 0 then (hash({order}, {number}) % {CUSTOMER_IDS})::varchar end
                as customer_id,
            ['United Kingdom', 'France', 'Spain', 'Germany'][(1 + {order} % 4)::int] as country,
            timestamptz '{day} 07:00:00+00' + interval 1 second * (2 * {order}) as ordered_at,
            date '{day}' as order_date, '{day:%Y-%m}' as order_month,
            case when {order} % 50 = 7 then -1 else 1 + r % 12 end as quantity,
            ((hash(r, {number}) % 3000 + 1) / 100.0)::decimal(12, 4) as unit_price,
            (quantity * unit_price)::decimal(18, 4) as line_amount, 'GBP' as currency
        from range({first}, {first + count}) as numbers (r)"""


def _events(day: date, number: int, count: int) -> str:
    session = f"(r // {EVENTS_OF_A_SESSION})"
    return f"""
        select 'w{number}-' || r as event_id, md5('w{number}-' || r) as content_hash,
            's{number}-' || {session} as session_id, 'v' || hash({session}) % 9999 as visitor_id,
            case when {session} % 3 = 0 then (hash({session}) % {CUSTOMER_IDS})::varchar end
                as customer_id,
            ['page_view', 'product_view', 'add_to_cart', 'checkout', 'purchase'][
                (1 + least(r % {EVENTS_OF_A_SESSION}, hash({session}) % 5))::int] as event_type,
            null as sku, null as order_id, 'phone' as device_type,
            null as experiment, null as arm,
            timestamptz '{day} 07:00:00+00' + interval 1 second * r as occurred_at,
            date '{day}' as event_date
        from range({count}) as numbers (r)"""


def _customers(first: int, count: int, at: str) -> str:
    return f"""
        select 'c' || r as event_id, md5('c' || r) as content_hash,
            (r % {CUSTOMER_IDS})::varchar as customer_id, {at} as changed_at,
            ['United Kingdom', 'France', 'Spain'][(1 + hash(r) % 3)::int] as country,
            r % 2 = 0 as has_marketing_consent
        from range({first}, {first + count}) as numbers (r)"""


def _contacts(first: int, count: int, at: str) -> str:
    return f"""
        select 'c' || r as event_id, md5('c' || r) as content_hash,
            (r % {CUSTOMER_IDS})::varchar as customer_id, {at} as changed_at,
            'name ' || r as name, r || '@example.com' as email, null as address
        from range({first}, {first + count}) as numbers (r)"""


def _products(first: int, count: int, at: str) -> str:
    return f"""
        select 'p' || r as event_id, md5('p' || r) as content_hash,
            'SKU' || r % {SKUS} as sku, {at} as changed_at, 'product ' || r % {SKUS} as description,
            'things' as category, (1 + r % 50)::decimal(12, 4) as unit_price, true as is_active
        from range({first}, {first + count}) as numbers (r)"""
