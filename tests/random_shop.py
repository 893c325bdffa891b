"""A small invented shop, day by day, as commits of silver: late lines, corrections, moves of files.

In: a seed and an empty state folder. Out: after each step the tables' versions, for builds of gold.
It needs no Spark, and takes no care of what is likely: everything that may happen happens often.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from lakehouse.contracts.tables import (
    CUSTOMERS,
    GOLD_SOURCES,
    ORDER_LINES,
    PRODUCTS,
    WEB_EVENTS,
    Table,
)
from lakehouse.settings import Settings
from tests.silver_commits import commit

FIRST_DAY = date(2011, 1, 27)
COUNTRIES = ("France", "Spain", "United Kingdom", "Atlantis")
CLASSES = ("sale", "sale", "sale", "cancellation", "zero_price", "adjustment", "stock_movement")
EVENTS = ("page_view", "product_view", "add_to_cart", "checkout", "purchase", "exposure")
Row = dict[str, Any]


class RandomShop:
    """Silver of a shop that changes in steps; `files` are its live files by table and version."""

    def __init__(self, settings: Settings, *, seed: int) -> None:
        self.settings = settings
        self.day = FIRST_DAY
        self.versions = dict.fromkeys((table.name for table in GOLD_SOURCES), -1)
        self._random = Random(seed)  # noqa: S311 - nothing secret
        self._files: dict[str, dict[int, list[Row]]] = {name: {} for name in self.versions}
        self._numbers = 0
        for table in GOLD_SOURCES:
            self._append(table, [])

    def trade(self) -> None:
        """One day more: its lines and visits, with some of earlier days, and changes of members."""
        some = self._random.randrange
        for _ in range(some(1, 3)):
            self._append(ORDER_LINES, [line for _ in range(some(4)) for line in self._order()])
        self._append(WEB_EVENTS, [each for _ in range(some(4)) for each in self._visit()])
        self._append(CUSTOMERS, [self._customer() for _ in range(some(3))])
        self._append(PRODUCTS, [self._product() for _ in range(some(3))])
        self.day += timedelta(days=self._random.choice((0, 1, 1, 1, 4)))

    def correct(self) -> None:
        """Rewrite a file of lines and one of events: some rows leave, some become others."""
        for table, changed in (
            (ORDER_LINES, self._changed_line),
            (WEB_EVENTS, self._changed_event),
        ):
            self._rewrite(table, changed)

    def tidy(self) -> None:
        """Join files without a change of a row."""
        for table in (ORDER_LINES, WEB_EVENTS):
            files = self._files[table.name]
            chosen = sorted(self._random.sample(sorted(files), k=min(len(files), 3)))
            rows = [row for version in chosen for row in files[version]]
            self._commit(table, rows, replaces=chosen, is_moved=True)

    def _rewrite(self, table: Table, changed: Callable[[Row], Row]) -> None:
        files = {version: rows for version, rows in self._files[table.name].items() if rows}
        if not files:
            return
        version = self._random.choice(sorted(files))
        rows = []
        for row in files[version]:
            fate = self._random.random()
            if fate > 0.25:
                rows.append(changed(row) if fate > 0.75 else row)
        self._commit(table, rows, replaces=[version])

    def _append(self, table: Table, rows: list[Row]) -> None:
        self._commit(table, rows, replaces=[])

    def _commit(
        self, table: Table, rows: list[Row], *, replaces: list[int], is_moved: bool = False
    ) -> None:
        self.versions[table.name] += 1
        version = self.versions[table.name]
        for each in replaces:
            del self._files[table.name][each]
        self._files[table.name][version] = rows
        commit(self.settings, table, rows, version=version, replaces=replaces, is_moved=is_moved)

    def _stamp(self) -> Row:
        self._numbers += 1
        number = self._numbers
        position = {"source_topic": "t", "source_partition": 0, "source_offset": number}
        return {"content_hash": f"h{number}", "refined_batch": number, **position}

    def _some_day(self) -> date:
        late = self._random.choice((0, 0, 0, 0, 1, 2, 5, 12))
        return max(FIRST_DAY, self.day - timedelta(days=late))

    def _some_time(self, day: date) -> datetime:
        hour = self._random.choice((0, 9, 15, 23))
        return datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)

    def _order(self) -> list[Row]:
        source = self._random.choice(("erp", "web"))
        order_id = f"{source}-{self._random.randrange(60)}"
        return [
            self._line(source_system=source, order_id=order_id, line_number=number)
            for number in range(1, self._random.randrange(2, 5))
        ]

    def _line(self, **facts: Any) -> Row:
        day, stamp = self._some_day(), self._stamp()
        quantity, price = self._random.randrange(1, 9), Decimal(self._random.randrange(400)) / 100
        return {
            "event_id": f"e{stamp['source_offset']}",
            **stamp,
            "line_class": self._random.choice(CLASSES),
            "sku": self._random.choice(
                ("LAMP", "CUP", "POST", "BAG", f"NEW{stamp['source_offset']}", None)
            ),
            "description": self._random.choice(("one", "other", "third", None)),
            "customer_id": self._random.choice((None, "1", "2", "3", "4", "5", "6")),
            "country": self._random.choice(COUNTRIES),
            "ordered_at": self._some_time(day),
            "order_date": day,
            "order_month": f"{day:%Y-%m}",
            "quantity": quantity,
            "unit_price": price,
            "line_amount": quantity * price,
            "currency": "GBP",
            **facts,
        }

    def _changed_line(self, row: Row) -> Row:
        known = ("event_id", "source_system", "order_id", "line_number")
        return {**self._line(), **{name: row[name] for name in known}}

    def _visit(self) -> list[Row]:
        session = f"s{self._random.randrange(40)}"
        return [self._event(session_id=session) for _ in range(self._random.randrange(1, 5))]

    def _event(self, **facts: Any) -> Row:
        day, stamp = self._some_day(), self._stamp()
        at = self._some_time(day) + timedelta(minutes=self._random.randrange(60))
        kind = self._random.choice(EVENTS)
        order_id = f"web-{self._random.randrange(60)}" if kind == "purchase" else None
        is_shown = kind == "exposure"
        return {
            "event_id": f"w{stamp['source_offset']}",
            **stamp,
            "visitor_id": self._random.choice("vw"),
            "customer_id": self._random.choice((None, None, "1", "2", "7", "8")),
            "event_type": kind,
            "sku": None,
            "order_id": order_id,
            "device_type": self._random.choice((None, "phone")),
            "experiment": self._random.choice((None, "x", "y")) if is_shown else None,
            "arm": self._random.choice("AB") if is_shown else None,
            "occurred_at": at,
            "event_date": at.date(),
            **facts,
        }

    def _changed_event(self, row: Row) -> Row:
        session = f"s{self._random.randrange(40)}"
        return {**self._event(session_id=session), "event_id": row["event_id"]}

    def _customer(self) -> Row:
        stamp = self._stamp()
        return {
            "event_id": f"c{stamp['source_offset']}",
            **stamp,
            "customer_id": self._random.choice("123456789"),
            "changed_at": self._some_time(self._some_day()),
            "country": self._random.choice(COUNTRIES),
            "has_marketing_consent": self._random.choice((True, False)),
        }

    def _product(self) -> Row:
        stamp = self._stamp()
        return {
            "event_id": f"p{stamp['source_offset']}",
            **stamp,
            "sku": self._random.choice(("LAMP", "CUP", "BAG", "MUG")),
            "changed_at": self._some_time(self._some_day()),
            "description": self._random.choice(("lamp", "cup")),
            "category": "light",
            "unit_price": Decimal(self._random.randrange(1, 5)),
            "is_active": self._random.choice((True, False)),
        }
