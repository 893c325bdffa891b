#!/usr/bin/env python3
"""Proves a Cartlake state folder from its files alone: `python tools/verify_ledger.py LAKE_HOME`.

In: `ledger/*.jsonl`, `gold/CURRENT`, the gold file's bytes, the commits of each `_delta_log` and
the Parquet files that they name. Out: the equations R1 to R8, one row each; exit code 0 when all
hold, 1 when one fails, 2 on wrong use. `--digests` adds the content, record by record.

It imports the standard library and pyarrow, and nothing of Cartlake, Delta, Spark or DuckDB: it is
a second opinion that shares no line with `lake audit`. One file, so that it can be carried
elsewhere and read from top to bottom. What it can't do: open gold's tables, which are DuckDB's.
Gold is proven by its SHA-256 against the publish line, and its sums by what that line recorded of
this very file. It asks no broker and writes nothing.
"""

import argparse
import hashlib
import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

BRONZE = "bronze.events"
LINES = "silver.order_lines"
ENTITIES = (LINES, "silver.web_events", "silver.customers", "silver.products")
DUPLICATES = "silver.duplicates"
QUARANTINE = "silver.quarantine"
CHAINS = ("produced", "batches", "operations", "publishes")
ERP = "erp.invoice_lines.v1"
ORDERS = "web.orders.v1"
GENESIS = "0" * 64
NAMED = 5
BLOCK = 10_000
MODULUS = 1 << 128
PLACE = ("topic", "partition", "offset")
SOURCE_PLACE = ("source_topic", "source_partition", "source_offset")
TYPES = {
    "partition": pa.int32(),
    "source_partition": pa.int32(),
    "offset": pa.int64(),
    "source_offset": pa.int64(),
    "producer_seq": pa.int64(),
    "batch_id": pa.int64(),
    "line_amount": pa.decimal128(18, 4),
    "amount": pa.decimal128(18, 4),
    "value": pa.binary(),
    "raw_value": pa.binary(),
    "replayed_at": pa.timestamp("us", "UTC"),
}


class Unreadable(Exception):
    """A file that an equation needs is missing or damaged."""


@dataclass
class Verdict:
    """One equation: both sides, and every difference by name."""

    equation: str
    statement: str
    left: str
    right: str
    differences: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.differences


class Delta:
    """One Delta table, by a replay of its own commits."""

    def __init__(self, home: Path, name: str) -> None:
        self.name = name
        self.root = home.joinpath("tables", *name.split("."))
        self.log = self.root / "_delta_log"

    @cached_property
    def commits(self) -> dict[int, Path]:
        """Commit file by version, in order."""
        found = self.log.glob("*.json") if self.log.is_dir() else ()
        return dict(sorted((int(p.stem), p) for p in found if re.fullmatch(r"[0-9]{20}", p.stem)))

    @property
    def newest(self) -> int:
        return max(self.commits, default=-1)

    def checkpoints(self) -> dict[int, Path]:
        """Checkpoint files by version: what Delta itself may read instead of the commits."""
        found = {}
        for path in sorted(self.log.glob("*.checkpoint*.parquet")) if self.log.is_dir() else ():
            found[int(path.name[:20])] = path
        return found

    def live(self, version: int) -> set[str]:
        """Paths of the data files in service at a version."""
        if version > self.newest:
            raise Unreadable(f"{self.name} has no version {version}, its newest is {self.newest}")
        checkpoints = {v: p for v, p in self.checkpoints().items() if v <= version}
        start, paths = -1, set[str]()
        if 0 not in self.commits and checkpoints:
            start = max(checkpoints)
            paths = checkpoint_paths(checkpoints[start])
        for number in range(start + 1, version + 1):
            if number not in self.commits:
                raise Unreadable(f"{self.name} lacks the commit of version {number}")
            apply(paths, self.actions(number))
        return paths

    def actions(self, version: int) -> list[dict[str, Any]]:
        try:
            texts = self.commits[version].read_bytes().splitlines()
            return [json.loads(text) for text in texts if text.strip()]
        except (OSError, ValueError) as error:
            raise Unreadable(f"{self.name} version {version}: {first_line(error)}") from error

    def rows(self, version: int, *columns: str) -> pa.Table:
        """Some columns of all rows at a version."""
        schema = pa.schema([(name, TYPES.get(name, pa.string())) for name in columns])
        parts = [schema.empty_table()]
        for path in sorted(self.live(version)):
            try:
                with pq.ParquetFile(self.root / unquote(path)) as file:
                    part = file.read(columns=list(columns))
                parts.append(part.select(list(columns)).cast(schema))
            except (OSError, pa.ArrowException, KeyError) as error:
                raise Unreadable(f"{self.name}: {path}: {first_line(error)}") from error
        return pa.concat_tables(parts)


def apply(paths: set[str], actions: Sequence[Mapping[str, Any]]) -> None:
    """One commit's effect on the set of live files."""
    for action in actions:
        if "remove" in action:
            paths.discard(action["remove"]["path"])
    for action in actions:
        if "add" in action:
            if action["add"].get("deletionVector"):
                raise Unreadable("deletion vectors, which no table of the lake uses")
            paths.add(action["add"]["path"])


def checkpoint_paths(path: Path) -> set[str]:
    """Live files that a checkpoint names."""
    try:
        with pq.ParquetFile(path) as file:
            adds = file.read(columns=["add"]).column("add")
        return {each["path"] for each in adds.to_pylist() if each and each.get("path")}
    except (OSError, pa.ArrowException, KeyError) as error:
        raise Unreadable(f"the checkpoint {path.name}: {first_line(error)}") from error


class Ledger:
    """The chains as they lie on disk; a torn last line never counted."""

    def __init__(self, home: Path) -> None:
        self.home = home
        names = {*CHAINS, *(path.stem for path in (home / "ledger").glob("*.jsonl"))}
        self.chains = {name: list(self._lines(name)) for name in sorted(names)}

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.home / "ledger" / f"{name}.jsonl"
        raw = path.read_bytes() if path.exists() else b""
        for text in raw.split(b"\n")[:-1]:
            try:
                found = json.loads(text)
            except ValueError:
                found = None
            yield found if isinstance(found, dict) else {"kind": "damaged"}

    def breaks(self) -> list[str]:
        """Changed, missing or reordered lines."""
        found = []
        for name, lines in self.chains.items():
            previous = GENESIS
            for number, line in enumerate(lines, start=1):
                if line.get("previous") != previous:
                    found.append(f"{name} line {number} does not follow the line before it")
                    break
                body = {key: value for key, value in line.items() if key != "sha256"}
                text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
                if hashlib.sha256(text.encode()).hexdigest() != line.get("sha256"):
                    found.append(f"{name} line {number} was changed")
                    break
                previous = line["sha256"]
        return found

    def commits(self) -> list[dict[str, Any]]:
        """Recorded commits of tables as they are now: what came before a rebuild is void."""
        found: list[dict[str, Any]] = []
        for line in self.chains["batches"]:
            if line.get("kind") == "rebuilt":
                found = [each for each in found if each["table"] != line["table"]]
            elif line.get("kind") == "commit":
                found.append(line)
        return found

    def losses(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """Ranges [first, end) that Kafka lost and somebody gave up on the record."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for line in self.chains["operations"]:
            if line.get("kind") == "accepted_loss":
                for topic, parts in line["ranges"].items():
                    for part, (first, end) in parts.items():
                        found[topic, part].append((first, end))
        return {place: merged(spans) for place, spans in found.items()}

    def published(self) -> list[dict[str, Any]]:
        kinds = ("published", "rolled_back")
        return [line for line in self.chains["publishes"] if line.get("kind") in kinds]


def merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, without overlap."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


class Proof:
    """The state under proof: ledger, pointer, tables now and as gold was built from them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ledger = Ledger(home)
        self.commits = self.ledger.commits()
        self.tables = {
            name: Delta(home, name) for name in sorted({c["table"] for c in self.commits})
        }
        self.pointer = read_pointer(home / "gold" / "CURRENT")
        self.losses = self.ledger.losses()
        recorded: dict[str, int] = defaultdict(lambda: -1)
        for commit in self.commits:
            recorded[commit["table"]] = max(recorded[commit["table"]], commit["version"])
        self.recorded = dict(recorded)
        self.now = {n: min(t.newest, self.recorded[n]) for n, t in self.tables.items()}
        built_from = self.pointer.get("table_versions") or self.now
        self.rebuilt = self._rebuilt_since()
        self.built_from: dict[str, int] = {
            name: version if name in self.rebuilt else built_from.get(name, version)
            for name, version in self.now.items()
        }

    def _rebuilt_since(self) -> set[str]:
        """Tables that were rebuilt after gold was: the version that gold knew is gone."""
        if not self.pointer:
            return set()
        then = self.pointer.get("rebuilt") or {}
        lines = self.ledger.chains["batches"]
        counts = Counter(line["table"] for line in lines if line.get("kind") == "rebuilt")
        return {name for name, number in counts.items() if number != then.get(name, 0)}

    def at(self, versions: Mapping[str, int], name: str, *columns: str) -> pa.Table:
        """Some columns of a table; of one rebuilt since gold, for records that gold knew only."""
        if name not in self.tables:
            raise Unreadable(f"the ledger knows no table {name}")
        rows = self.tables[name].rows(versions[name], *columns)
        own = SOURCE_PLACE if name in ENTITIES else PLACE
        if name not in self.rebuilt or versions is self.now or not set(own) <= set(columns):
            return rows
        known = self.tables[BRONZE].rows(versions[BRONZE], *PLACE)
        return rows.join(known, list(own), list(PLACE), join_type="left semi")

    def ranges(
        self, versions: Mapping[str, int]
    ) -> list[tuple[int, dict[str, dict[str, list[int]]]]]:
        """(batch id, topic -> partition -> [first, end)) of each landed batch of bronze."""
        return [
            (line["batch_id"], line["ranges"])
            for line in self.commits
            if line["table"] == BRONZE and line["version"] <= versions[BRONZE] and "ranges" in line
        ]

    @cached_property
    def bronze(self) -> pa.Table:
        return self.at(self.now, BRONZE, *PLACE, "producer_session", "producer_seq", "batch_id")

    def chunks(self, versions: Mapping[str, int]) -> tuple[list[dict[str, Any]], int, list[str]]:
        """Acknowledged chunks before bronze's end, records that wait, and lines without a chunk.

        `lost` is added to a chunk: how many of its offsets were given up at most.
        """
        ends: dict[tuple[str, str], int] = defaultdict(int)
        for place, spans in self.losses.items():
            ends[place] = spans[-1][1]
        for _, ranges in self.ranges(versions):
            for topic, parts in ranges.items():
                for part, (_, end) in parts.items():
                    ends[topic, part] = max(ends[topic, part], end)
        opened: dict[tuple[str, int], dict[str, Any]] = {}
        landed, waiting, unknown = [], 0, []
        for line in self.ledger.chains["produced"]:
            if line.get("kind") == "chunk":
                opened[line["session"], line["chunk"]] = line
            elif line.get("kind") == "acknowledged":
                chunk = opened.get((line["session"], line["chunk"]))
                if chunk is None:
                    name = line["session"][:8]
                    unknown.append(f"session {name}: no line opens chunk {line['chunk']}")
                elif all(
                    last < ends[topic, part]
                    for topic, parts in line["positions"].items()
                    for part, (_, last) in parts.items()
                ):
                    landed.append({**chunk, "lost": self._lost(line["positions"])})
                else:
                    waiting += chunk["records"]
        return landed, waiting, unknown

    def _lost(self, positions: Mapping[str, Mapping[str, Sequence[int]]]) -> int:
        return sum(
            max(0, min(end, last + 1) - max(start, first))
            for topic, parts in positions.items()
            for part, (first, last) in parts.items()
            for start, end in self.losses.get((topic, part), ())
        )

    @cached_property
    def places(self) -> pa.Table:
        """One row per (record, place): position, place, money, event id where it is known."""
        parts = [self._accepted(name) for name in ENTITIES]
        found = self.at(self.built_from, DUPLICATES, *PLACE, "disposition", "amount", "event_id")
        parts.append(placed(found, found["disposition"], found["amount"], found["event_id"]))
        found = self.at(
            self.built_from, QUARANTINE, *PLACE, "reason", "replayed_at", "amount", "raw_value"
        )
        found = found.filter(pc.is_null(found["replayed_at"]))
        is_conflict = pc.equal(found["reason"], "conflict")
        place = pc.if_else(is_conflict, "conflict", "quarantined")
        none = pa.nulls(len(found), pa.string())
        parts.append(placed(found, place, found["amount"], none, found["raw_value"]))
        return pa.concat_tables(parts)

    def _accepted(self, name: str) -> pa.Table:
        """A record may have several lines: one row per record."""
        columns = [*SOURCE_PLACE, "event_id"]
        money = ["line_amount"] if name == LINES else []
        rows = self.at(self.built_from, name, *columns, *money)
        if not money:
            rows = rows.append_column("line_amount", pa.nulls(len(rows), TYPES["line_amount"]))
        rows = rows.group_by(columns).aggregate([("line_amount", "sum")])
        names = dict(zip(SOURCE_PLACE, PLACE, strict=True))
        rows = rows.rename_columns([names.get(each, each) for each in rows.column_names])
        place = pa.array(["accepted"] * len(rows), pa.string())
        return placed(rows, place, rows["line_amount_sum"], rows["event_id"])


def placed(rows: pa.Table, place: Any, amount: Any, event_id: Any, raw: Any = None) -> pa.Table:
    """Columns of `Proof.places`."""
    raw = pa.nulls(len(rows), pa.binary()) if raw is None else raw
    columns = [rows["topic"], rows["partition"], rows["offset"], place]
    columns += [pc.cast(amount, pa.decimal128(38, 4)), event_id, raw]
    names = [*PLACE, "place", "amount", "event_id", "raw"]
    plain = [
        each.combine_chunks() if isinstance(each, pa.ChunkedArray) else each for each in columns
    ]
    return pa.table(plain, names=names)


def tiled(proof: Proof) -> list[Verdict]:
    """R1: the batches' ranges follow each other, and bronze has a row per offset."""
    spans: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for _, ranges in proof.ranges(proof.now):
        for topic, parts in ranges.items():
            for text, (start, end) in parts.items():
                spans[topic, int(text)].append((start, end))
    covered = sum(end - start for found in spans.values() for start, end in found)
    lost = 0
    for (topic, text), given_up in proof.losses.items():
        spans[topic, int(text)] += given_up
        lost += sum(end - start for start, end in given_up)
    differences = []
    for (topic, part), found in sorted(spans.items()):
        reached = None
        for start, end in sorted(found):
            if reached is not None and start != reached:
                kind = "gap" if start > reached else "overlap"
                low, high = sorted((start, reached))
                differences.append(f"{kind} in {topic}/{part}: offsets {low} to {high - 1}")
            reached = max(end, reached or 0)
    rows = len(proof.bronze)
    if covered != rows:
        differences.append(f"the ranges hold {covered:,} offsets, bronze {rows:,} rows")
    statement = "offset ranges of all batches, without gap or overlap = rows of bronze"
    left, right = f"{covered + lost:,} offsets", f"{rows:,} rows{given_up_text(lost)}"
    return [Verdict("R1", statement, left, right, differences)]


def given_up_text(number: int) -> str:
    return f" and {number:,} lost, accepted" if number else ""


def whole(proof: Proof) -> list[Verdict]:
    """R2: each batch holds what it states, each position once."""
    stated: dict[int, int] = defaultdict(int)
    for batch, ranges in proof.ranges(proof.now):
        stated[batch] += sum(e - s for parts in ranges.values() for s, e in parts.values())
    counted = proof.bronze.group_by("batch_id").aggregate([([], "count_all")])
    found: dict[int, int] = defaultdict(int)
    for row in counted.to_pylist():
        found[row["batch_id"]] = row["count_all"]
    differences = [
        f"batch {batch} states {stated[batch]:,} rows, bronze holds {found[batch]:,}"
        for batch in sorted(stated.keys() | found.keys())
        if stated[batch] != found[batch]
    ]
    positions = proof.bronze.group_by(list(PLACE)).aggregate([([], "count_all")])
    twice = positions.filter(pc.greater(positions["count_all"], 1))
    differences += [f"{position(row)} is in bronze twice" for row in twice.to_pylist()]
    return [
        Verdict(
            "R2",
            "rows that each ingest batch states = rows it holds, each position once",
            f"{sum(stated.values()):,} in {len(stated)} batches",
            f"{sum(found.values()):,} in {len(found)} batches",
            differences,
        )
    ]


def acknowledged(proof: Proof) -> list[Verdict]:
    """R3: each acknowledged record up to bronze's end is in bronze."""
    landed, waiting, unknown = proof.chunks(proof.now)
    held = proof.bronze.select(["producer_session", "producer_seq"]).drop_null()
    held = held.group_by("producer_session").aggregate([("producer_seq", "distinct")])
    seqs = {
        row["producer_session"]: sorted(row["producer_seq_distinct"]) for row in held.to_pylist()
    }
    wanted = found = 0
    differences = []
    for session, first, last in spans_of(landed):
        known = seqs.get(session, [])
        number = bisect_right(known, last) - bisect_left(known, first)
        wanted, found = wanted + last - first + 1, found + number
        given_up = sum(
            chunk["lost"]
            for chunk in landed
            if chunk["session"] == session and first <= chunk["first_seq"] <= last
        )
        if not 0 <= last - first + 1 - number <= given_up:
            differences.append(
                f"session {session[:8]}: of records {first} to {last} only {number:,} are in bronze"
            )
    more = f" ({waiting:,} more wait for ingest)" if waiting else ""
    statement = "records that Kafka acknowledged = of these, records in bronze"
    lost = 0 if differences else wanted - found
    left, right = f"{wanted:,} records{more}", f"{found:,} records{given_up_text(lost)}"
    return [Verdict("R3", statement, left, right, [*differences, *unknown])]


def spans_of(chunks: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, int]]:
    """(session, first seq, last seq), neighbours joined."""
    spans: list[tuple[str, int, int]] = []
    for chunk in chunks:
        session, first, last = chunk["session"], chunk["first_seq"], chunk["last_seq"]
        if spans and spans[-1][0] == session and spans[-1][2] + 1 == first:
            spans[-1] = (session, spans[-1][1], last)
        else:
            spans.append((session, first, last))
    return spans


def one_place(proof: Proof) -> list[Verdict]:
    """R4: each record of bronze has exactly one place, and each duplicate an accepted original."""
    bronze = proof.at(proof.built_from, BRONZE, *PLACE)
    counted = proof.places.group_by(list(PLACE)).aggregate([([], "count_all")])
    both = bronze.join(counted, list(PLACE), join_type="left outer")
    odd = both.filter(pc.fill_null(pc.not_equal(both["count_all"], 1), True)).sort_by(
        [(name, "ascending") for name in PLACE]
    )
    differences = [
        f"{position(row)} is {'lost' if row['count_all'] is None else 'placed twice'}"
        for row in odd.slice(0, NAMED + 1).to_pylist()
    ]
    strangers = len(counted.join(bronze, list(PLACE), join_type="left anti"))
    if strangers:
        differences.append(f"{strangers:,} records of silver are not in bronze")
    differences += _nameless(proof)
    counts = proof.places.group_by("place").aggregate([([], "count_all")]).to_pylist()
    parts = ", ".join(sorted(f"{row['place']} {row['count_all']:,}" for row in counts))
    total = sum(row["count_all"] for row in counts)
    if total != len(bronze) and not differences:
        differences.append(f"bronze holds {len(bronze):,} records, silver {total:,}")
    statement = "records of bronze = accepted + redelivered + repeated + conflict + quarantined"
    return [
        Verdict("R4", statement, f"{len(bronze):,} records", f"{total:,} ({parts})", differences)
    ]


def _nameless(proof: Proof) -> list[str]:
    accepted = []
    for name in ENTITIES:
        rows = proof.at(proof.built_from, name, *SOURCE_PLACE, "event_id")
        plain = pc.replace_substring_regex(
            rows["event_id"], r"^((?:[0-9]{8}-)?[0-9a-f]{64})-[0-9]+$", r"\1"
        )
        is_erp = pc.equal(rows["source_topic"], ERP)
        accepted += pc.if_else(is_erp, plain, rows["event_id"]).chunks
    losers = proof.at(proof.built_from, DUPLICATES, *PLACE, "identity", "disposition")
    known = pc.is_in(losers["identity"], value_set=pa.chunked_array(accepted, pa.string()))
    return [
        *(
            f"{position(row)} is {row['disposition']} but the record it repeats is not accepted"
            for row in losers.filter(pc.invert(known)).slice(0, NAMED + 1).to_pylist()
        ),
        *_conflicts_with_nothing(proof),
    ]


def _conflicts_with_nothing(proof: Proof) -> list[str]:
    losers = proof.at(proof.built_from, QUARANTINE, *PLACE, "reason", "detail", "replayed_at")
    lost = pc.and_(pc.equal(losers["reason"], "conflict"), pc.is_null(losers["replayed_at"]))
    losers = losers.filter(lost)
    if not len(losers):
        return []
    is_accepted = pc.equal(proof.places["place"], "accepted")
    winners = {f"lost to {position(row)}" for row in records(proof.places.filter(is_accepted))}
    return [
        f"{position(row)} is a conflict but the record it lost to is not accepted"
        for row in losers.to_pylist()
        if row["detail"] not in winners
    ]


def money_kept(proof: Proof) -> list[Verdict]:
    """R5: the money that was acknowledged is the money of all places, by topic."""
    landed = proof.chunks(proof.built_from)[0]
    sent = money_of(landed)
    found = money_within(proof, spans_of(landed))
    # The ledger knows the money of a chunk, not of its records: what a chunk with lost records
    # lacks is what was lost.
    holed = [chunk for chunk in landed if chunk["lost"]]
    lost = money_of(holed)
    for topic, amount in money_within(proof, spans_of(holed)).items() if holed else ():
        lost[topic] -= amount
    differences = [
        f"{topic}: acknowledged {money(sent.get(topic))}, found {money(found.get(topic))}"
        for topic in sorted(sent.keys() | found.keys())
        if sent.get(topic, Decimal(0)) - lost.get(topic, Decimal(0)) != found.get(topic, Decimal(0))
    ]
    statement = "money of acknowledged records = accepted + redelivered + repeated + refused"
    left, right = money(sum(sent.values(), Decimal(0))), money(sum(found.values(), Decimal(0)))
    if any(lost.values()):
        right += f" and {money(sum(lost.values(), Decimal(0)))} lost, accepted"
    return [Verdict("R5", statement, left, right, differences)]


def money_of(chunks: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Acknowledged money by topic."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for chunk in chunks:
        for topic, amount in chunk["amount_by_topic"].items():
            found[topic] += Decimal(amount)
    return found


def money_within(proof: Proof, spans: Sequence[tuple[str, int, int]]) -> dict[str, Decimal]:
    """Money by topic of the places of records whose session and number lie in these spans."""
    bronze = proof.at(proof.built_from, BRONZE, *PLACE, "producer_session", "producer_seq")
    by_session: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for session, first, last in spans:
        by_session[session].append((first, last))
    counted = [bronze.slice(0, 0)]
    for session, ranges in by_session.items():
        own = bronze.filter(pc.equal(bronze["producer_session"], session))
        seq = own["producer_seq"]
        for first, last in ranges:
            within = pc.and_(pc.greater_equal(seq, first), pc.less_equal(seq, last))
            counted.append(own.filter(within))
    positions = pa.concat_tables(counted).select(list(PLACE))
    money = proof.places.select([*PLACE, "amount"]).join(positions, list(PLACE), join_type="inner")
    sums = money.group_by("topic").aggregate([("amount", "sum")]).to_pylist()
    return {row["topic"]: row["amount_sum"] or Decimal(0) for row in sums}


def gold_sums(proof: Proof) -> list[Verdict]:
    """R5, on to the screens: silver's sums are those that the publish recorded of this file."""
    line = next((p for p in reversed(proof.ledger.published()) if in_service(p, proof)), None)
    if line is None or "gold_amounts" not in line:
        return []
    rows = proof.at(
        proof.built_from, LINES, *SOURCE_PLACE, "line_class", "line_amount", "customer_id"
    )
    same_file = file_sha256(proof.home / "gold" / line["file"]) == line["file_sha256"]
    verdicts = []
    sales = rows.filter(pc.equal(rows["line_class"], "sale"))
    identified = sales.filter(pc.is_valid(sales["customer_id"]))
    totals = {
        "gross": total(sales["line_amount"]),
        "cancelled": total(
            rows.filter(pc.equal(rows["line_class"], "cancellation"))["line_amount"]
        ),
        "identified_gross": total(identified["line_amount"]),
        "identified_customers": Decimal(pc.count_distinct(identified["customer_id"]).as_py()),
    }
    for label, silver in totals.items():
        for mart, sums in sorted(line["gold_amounts"].items()):
            if label not in sums:
                continue
            gold = Decimal(sums[label])
            found = [] if gold == silver else [f"{money(gold - silver)} off in {mart}"]
            if not same_file:
                found.append("the gold file is not the one whose sums were recorded")
            statement = (
                f"{label.replace('_', ' ')}: {LINES} = {mart}, as the publish of this file recorded"
            )
            verdicts.append(Verdict("R5", statement, money(silver), money(gold), found))
    return verdicts


def total(amounts: pa.ChunkedArray) -> Decimal:
    return pc.sum(amounts.cast(pa.decimal128(38, 4))).as_py() or Decimal(0)


def in_service(line: Mapping[str, Any], proof: Proof) -> bool:
    return bool(line.get("file") == proof.pointer.get("file"))


def recorded_files(proof: Proof) -> list[Verdict]:
    """R6: commits and live data files are byte for byte what the ledger recorded."""
    differences, checked = [], 0
    for name, table in proof.tables.items():
        live: dict[str, str] = {}
        for line in (each for each in proof.commits if each["table"] == name):
            for path in line["removed"]:
                live.pop(path, None)
            if line["version"] > table.newest:
                differences.append(
                    f"{name} was at version {line['version']} ({line['rows']:,} rows in it), "
                    f"now it is at {table.newest}"
                )
                continue
            live |= line["added"]
            checked += 1
            found = file_sha256(table.log / f"{line['version']:020}.json")
            if found != line["commit_sha256"]:
                what = "is missing" if found is None else "was changed"
                differences.append(f"{name} version {line['version']}: its commit file {what}")
        for path, digest in live.items():
            checked += 1
            found = file_sha256(table.root / unquote(path))
            if found != digest:
                what = "is missing" if found is None else "was changed"
                differences.append(f"{name}: the data file {path} {what}")
        differences += _damaged_later(table, proof.recorded[name])
        differences += _other_checkpoints(table)
    statement = "commit and data files of all tables = files that the ledger recorded (all)"
    right = f"{checked - len(differences):,} unchanged"
    return [Verdict("R6", statement, f"{checked:,} files", right, differences)]


def _damaged_later(table: Delta, recorded: int) -> list[str]:
    """A commit after the recorded ones that is none: no line will ever be written of it."""
    if recorded + 1 not in table.commits:
        return []
    try:
        if any("commitInfo" in action for action in table.actions(recorded + 1)):
            return []
    except Unreadable:
        pass
    return [f"{table.name} version {recorded + 1}: its commit file is damaged"]


def _other_checkpoints(table: Delta) -> list[str]:
    """Delta reads a checkpoint instead of the commits before it: both must name the same files."""
    found = []
    for version, path in table.checkpoints().items():
        if version > table.newest or 0 not in table.commits:
            continue
        try:
            if checkpoint_paths(path) != table.live(version):
                found.append(f"{table.name}: {path.name} names other files than its commits")
        except Unreadable as error:
            found.append(f"{table.name}: {error}")
    return found


def one_run(proof: Proof) -> list[Verdict]:
    """R7: the gold file is the one whose digest its publish recorded."""
    if not proof.pointer:
        return []
    name = str(proof.pointer.get("file"))
    lines = [line for line in proof.ledger.published() if line.get("file") == name]
    found = file_sha256(proof.home / "gold" / name)
    differences = []
    if not lines:
        differences.append(f"{name} was never published by a run")
    elif lines[-1]["file_sha256"] != found:
        differences.append(f"{name} was changed after run {lines[-1]['run_id']}")
    statement = "gold in service = the file of one run, as its publish recorded it"
    right = lines[-1]["file_sha256"][:16] if lines else "none"
    return [Verdict("R7", statement, (found or "missing")[:16], right, differences)]


def unbroken(proof: Proof) -> list[Verdict]:
    """R8: chains are intact, hold the pinned heads, and the pointer is the last publish."""
    differences = proof.ledger.breaks()
    heads = proof.pointer.get("heads") or {}
    for name, head in heads.items():
        lines, wanted = proof.ledger.chains.get(name, []), head["lines"]
        if wanted and (len(lines) < wanted or lines[wanted - 1].get("sha256") != head["sha256"]):
            differences.append(
                f"{name} had {wanted} lines when gold was published, it has {len(lines)} or others"
            )
    published = proof.ledger.published()
    last = published[-1] if published else {}
    for what, key in (("run", "run_id"), ("file", "file")):
        if proof.pointer.get(key) != last.get(key):
            differences.append(
                f"CURRENT points to {what} {proof.pointer.get(key)}, "
                f"last published: {last.get(key)}"
            )
            break
    total = sum(map(len, proof.ledger.chains.values()))
    statement = "ledger lines, each chained to the one before = the heads that CURRENT pins"
    right = hashlib.sha256(json.dumps(heads, sort_keys=True).encode()).hexdigest()[:16]
    return [Verdict("R8", statement, f"{total:,} lines", right, differences)]


EQUATIONS: tuple[tuple[str, Callable[[Proof], list[Verdict]]], ...] = (
    ("R1", tiled),
    ("R2", whole),
    ("R3", acknowledged),
    ("R4", one_place),
    ("R5", money_kept),
    ("R5", gold_sums),
    ("R6", recorded_files),
    ("R7", one_run),
    ("R8", unbroken),
)


def prove(proof: Proof) -> list[Verdict]:
    """All equations; what can't be read at all fails its equation, and the others go on."""
    verdicts = []
    for name, judge in EQUATIONS:
        try:
            verdicts += judge(proof)
        except (Unreadable, OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            message = f"can't be read: {first_line(error)}"
            verdicts.append(Verdict(name, "both sides can be read", "unreadable", "", [message]))
    return verdicts


def contents(proof: Proof) -> Iterator[Verdict]:
    """The content, record by record, as order-free digests: sums modulo 2^128.

    One part is the first 16 bytes of SHA-256 of `event_id|amount`, amount with four decimals, or
    nothing after the bar where the record states no money. First what was sent against the raw
    bytes in bronze, then bronze against silver, block by block; a refused record is its raw bytes
    there.
    """
    refused = {}
    settled: dict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for row in records(proof.places):
        key = (row["topic"], row["partition"], row["offset"] // BLOCK)
        if row["place"] in ("quarantined", "conflict"):
            refused[position(row)] = True
            part = digest(row["raw"] or b"")
        else:
            part = record_digest(row["event_id"], row["amount"])
        settled[key][0] += 1
        settled[key][1] = (settled[key][1] + part) % MODULUS
    landed: dict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    by_seq: dict[str, dict[int, int]] = defaultdict(dict)
    columns = (*PLACE, "producer_session", "producer_seq", "value")
    for row in records(proof.at(proof.built_from, BRONZE, *columns)):
        key = (row["topic"], row["partition"], row["offset"] // BLOCK)
        sent = stated(row["topic"], row["value"])
        part = digest(row["value"] or b"") if position(row) in refused else sent
        landed[key][0] += 1
        landed[key][1] = (landed[key][1] + part) % MODULUS
        if row["producer_session"] is not None and row["producer_seq"] is not None:
            by_seq[row["producer_session"]][row["producer_seq"]] = sent
    yield _sent_is_landed(proof, by_seq)
    for topic, part, block in sorted(landed.keys() | settled.keys()):
        (left, one), (right, other) = landed[topic, part, block], settled[topic, part, block]
        place = f"{topic}/{part} offsets {block * BLOCK} to {(block + 1) * BLOCK - 1}"
        found = [] if (left, one) == (right, other) else [f"{place}: bronze and silver differ"]
        yield Verdict("digest", place, f"{left:,} {one:032x}", f"{right:,} {other:032x}", found)


def _sent_is_landed(proof: Proof, by_seq: Mapping[str, Mapping[int, int]]) -> Verdict:
    differences, total = [], 0
    whole_chunks = [chunk for chunk in proof.chunks(proof.built_from)[0] if not chunk["lost"]]
    for chunk in whole_chunks:
        held = by_seq.get(chunk["session"], {})
        numbers = range(chunk["first_seq"], chunk["last_seq"] + 1)
        found = sum(held.get(number, 0) for number in numbers) % MODULUS
        total = (total + found) % MODULUS
        if f"{found:032x}" != chunk["digest"]:
            name = f"session {chunk['session'][:8]} chunk {chunk['chunk']}"
            differences.append(f"{name}: its records in bronze are not those that were sent")
    sent = sum(int(chunk["digest"], 16) for chunk in whole_chunks) % MODULUS
    statement = "contents of all acknowledged chunks = contents of their records in bronze"
    return Verdict("digest", statement, f"{sent:032x}", f"{total:032x}", differences)


def stated(topic: str, value: bytes | None) -> int:
    """A record's part of a digest, read from its raw bytes as the source states it."""
    try:
        body = json.loads(value or b"")
        event_id = str(body["event_id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return digest(value or b"")
    if topic == ERP:
        return record_digest(event_id, line_amount(body.get("Quantity"), body.get("UnitPrice")))
    if topic == ORDERS:
        amounts = [
            line_amount(str(line.get("quantity")), line.get("unit_price"))
            for line in body.get("lines") or ()
        ]
        plain = [each for each in amounts if each is not None]
        is_whole = len(plain) == len(amounts) > 0
        return record_digest(event_id, sum(plain, Decimal(0)) if is_whole else None)
    return record_digest(event_id, None)


QUANTITY = re.compile(r"[+-]?[0-9]{1,15}(\.0{1,15})?")
PRICE = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)")


def line_amount(quantity: Any, price: Any) -> Decimal | None:
    """Exact money of a line by the documented limits; None where a part is none of theirs."""
    if not isinstance(quantity, str) or not isinstance(price, str):
        return None
    quantity, price = quantity.strip(" "), price.strip(" ")
    if not QUANTITY.fullmatch(quantity) or not PRICE.fullmatch(price):
        return None
    pieces, each = Decimal(quantity), Decimal(price)
    is_sound = abs(pieces) <= 10**9 and abs(each) < 10**8 and each == each.quantize(Decimal("1e-4"))
    amount = pieces * each
    return amount if is_sound and abs(amount) < 10**12 else None


def record_digest(event_id: str, amount: Decimal | None) -> int:
    text = "" if amount is None else f"{(amount or Decimal(0)).quantize(Decimal('0.0001')):f}"
    return digest(f"{event_id}|{text}".encode())


def digest(raw: bytes) -> int:
    return int.from_bytes(hashlib.sha256(raw).digest()[:16], "big")


def records(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows one by one, some thousands in memory at a time."""
    for batch in table.to_batches(max_chunksize=8192):
        yield from batch.to_pylist()


def position(row: Mapping[str, Any]) -> str:
    return f"{row['topic']}/{row['partition']}/{row['offset']}"


def money(amount: Decimal | None) -> str:
    figure = (amount or Decimal(0)).quantize(Decimal("0.0001"))
    return f"{figure:,f}".replace("-", "\N{MINUS SIGN}")


def read_pointer(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def file_sha256(path: Path) -> str | None:
    """SHA-256 of a file; None when it is gone."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return None


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def show(verdicts: Sequence[Verdict]) -> None:
    """The table: equation, verdict, both sides, and up to five differences each."""
    for each in verdicts:
        mark = "holds" if each.holds else "FAILS"
        print(f"{each.equation:<7}{mark:<7}{each.statement}")
        print(
            f"{'':14}{each.left} = {each.right}"
            if each.holds
            else f"{'':14}{each.left} | {each.right}"
        )
        for difference in each.differences[:NAMED]:
            print(f"{'':14}- {difference}")
        if len(each.differences) > NAMED:
            print(f"{'':14}- and {len(each.differences) - NAMED} more")


def main(arguments: Sequence[str]) -> int:
    """Prove one state folder; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Prove a Cartlake state folder from its files alone.",
        epilog="Example: python tools/verify_ledger.py .lake --digests",
    )
    parser.add_argument("home", type=Path, metavar="LAKE_HOME", help="the state folder")
    parser.add_argument(
        "--digests", action="store_true", help="prove contents too, per 10,000 offsets"
    )
    parser.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    options = parser.parse_args(arguments)
    if not (options.home / "ledger").is_dir():
        print(f"{options.home} is no state folder: it has no ledger.", file=sys.stderr)
        return 2
    proof = Proof(options.home)
    verdicts = prove(proof)
    if options.digests:
        try:
            verdicts += contents(proof)
        except (Unreadable, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            verdicts.append(Verdict("digest", "contents", "unreadable", "", [first_line(error)]))
    if options.json:
        print(json.dumps([{**vars(each), "holds": each.holds} for each in verdicts], indent=1))
    else:
        show(verdicts)
        for name, table in proof.tables.items():
            if table.newest > proof.recorded[name]:
                later = table.newest - proof.recorded[name]
                print(f"note   {name} has {later} commits after the ledger's last line: not judged")
        if not proof.pointer:
            print("note   no gold is in service: R7 and gold's sums are not judged")
        failed = sum(not each.holds for each in verdicts)
        print(f"{len(verdicts)} equations, {failed or 'none'} failed.")
    return 0 if all(each.holds for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
