"""The audit: the equations R1-R8 over one pinned state.

In: settings, table versions and a gold file (built or published). Out: a verdict per equation.
Run standalone: `lake audit`, exit code 1 when one fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lakehouse.duck import first_line, open_lake
from lakehouse.ledger import chain, produced
from lakehouse.settings import Settings
from quality.audit import acknowledged, dispositions, files, landing
from quality.audit.baseline import usable_cut
from quality.audit.equation import Equation, Pinned

Judge = tuple[str, Callable[[], Equation | list[Equation]]]


def audit(
    settings: Settings,
    *,
    versions: Mapping[str, int],
    gold: Path | None,
    is_published: bool,
    full: bool,
    since: Mapping[str, int] | None = None,
    audited: Mapping[str, Any] | None = None,
    gold_versions: Mapping[str, int] | None = None,
    broker_ends: Mapping[tuple[str, int], int] | None = None,
    missing: Mapping[tuple[str, int], tuple[int, int]] | None = None,
) -> list[Equation]:
    """Check every equation that applies.

    Args:
        settings: Where the state lies.
        versions: Table versions to read: all of the contracts' tables.
        gold: Gold file that claims to be built from these versions.
        is_published: What is in service is judged: its digest, the pointer and every live data
            file are checked too.
        full: Read every row and file again instead of going on from what the last publish proved,
            and Delta's own checkpoints.
        since: Table versions of the last audited publish.
        audited: Facts that it kept (`quality.audit.equation.facts_of`): R2 to R5 then go on from
            there, where the tables only grew since.
        gold_versions: Versions that gold was built from, where they are not `versions`: places and
            money are judged there. A table that is not among them was rebuilt since.
        broker_ends: End offset per (topic, partition), where a broker could be asked.
        missing: Offsets that Kafka deleted before they were read, where it could be asked.
    """
    with open_lake(settings) as lake:
        cut = None if full else usable_cut(settings, audited, since=since or {}, versions=versions)
        pinned = Pinned(
            lake,
            settings,
            versions,
            gold,
            broker_ends=broker_ends,
            missing=missing,
            cut=cut,
            produced_lines=chain.heads(settings)[produced.CHAIN].lines,
        )
        if cut is not None and acknowledged.reaches_behind(pinned):
            pinned = replace(pinned, cut=None)
        rebuilt = frozenset(versions.keys() - (gold_versions or versions).keys())
        built_from = replace(
            pinned, versions={**versions, **(gold_versions or {})}, rebuilt=rebuilt
        )
        known = {} if full or is_published else dict(since or {})
        unchanged = partial(files.tables_are_as_recorded, pinned, since=known, checkpoints=full)
        judges: list[Judge] = [
            ("R1", partial(landing.offsets_are_tiled, pinned)),
            ("R2", partial(landing.batches_are_whole, pinned)),
            ("R3", partial(landing.acknowledged_is_in_bronze, pinned)),
            ("R4", partial(dispositions.every_record_has_one_place, built_from)),
            ("R5", partial(dispositions.money_is_kept, built_from)),
        ]
        if gold is not None:
            judges.append(("R5", partial(dispositions.gold_equals_silver, built_from)))
        judges.append(("R6", unchanged))
        if gold is not None and is_published:
            judges.append(("R7", partial(files.gold_is_of_one_run, pinned)))
        unbroken = partial(files.ledger_is_unbroken, pinned, is_published=is_published)
        judges.append(("R8", unbroken))
        found = [each for name, judge in judges for each in _judged(name, judge)]
    return [_noting(each, rebuilt) for each in found]


def _noting(equation: Equation, rebuilt: frozenset[str]) -> Equation:
    """Says which tables are judged as they are now, for want of the version that gold knew."""
    if not rebuilt or equation.equation not in ("R4", "R5"):
        return equation
    names = ", ".join(sorted(rebuilt))
    return replace(equation, statement=f"{equation.statement} (rebuilt since: {names})")


def _judged(name: str, judge: Callable[[], Equation | list[Equation]]) -> list[Equation]:
    """Verdicts of one equation; what can't be read at all fails it, and the others go on."""
    import duckdb

    try:
        found = judge()
    except (duckdb.Error, OSError) as error:
        unreadable = (f"can't be read: {first_line(error)}",)
        return [Equation(name, "both sides can be read", "unreadable", "", unreadable)]
    return found if isinstance(found, list) else [found]
