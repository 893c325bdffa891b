"""What changed between the released contracts and those of the code, and what of it breaks others.

In: two sets of `Shape`s. Out: `Change`s, each with contract, field and what happened to it.
Additive is what no reader and no writer of the released contract can notice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from governance.contracts.released import Shape


@dataclass(frozen=True)
class Change:
    """One difference. `field` is empty where it concerns the whole contract."""

    contract: str
    field: str
    what: str
    is_breaking: bool

    def __str__(self) -> str:
        return f"{self.contract}{f' {self.field}' if self.field else ''}: {self.what}"


def changes_between(
    released: Mapping[str, Shape], present: Mapping[str, Shape]
) -> tuple[Change, ...]:
    """Every difference, by contract and field in the order of the contracts."""
    found: list[Change] = []
    for name in sorted(released.keys() | present.keys()):
        if name not in present:
            found.append(Change(name, "", "removed", is_breaking=True))
        elif name not in released:
            found.append(Change(name, "", f"new {present[name].layer}", is_breaking=False))
        else:
            found += _changes_of(released[name], present[name])
    return tuple(found)


def _changes_of(old: Shape, new: Shape) -> Iterator[Change]:
    yield from _changes_of_the_whole(old, new)
    renamed = _renamed(old, new)
    for name, before in old.fields.items():
        if name in new.fields:
            yield from _changes_of_field(new.name, name, before, new.fields[name])
        else:
            what = f"renamed to {renamed[name]}" if name in renamed else "removed"
            yield Change(new.name, name, what, is_breaking=True)
    for name, after in new.fields.items():
        if name not in old.fields and name not in renamed.values():
            yield _added(old, new, name, after)


def _changes_of_the_whole(old: Shape, new: Shape) -> Iterator[Change]:
    for fact in sorted(old.facts.keys() | new.facts.keys()):
        before, after = old.facts.get(fact), new.facts.get(fact)
        if before != after:
            what = f"{fact} changed from {_shown(before)} to {_shown(after)}"
            yield Change(new.name, "", what, is_breaking=True)
    for version in old.versions:
        if version not in new.versions:
            what = f"schema version {version} is no longer read"
            yield Change(new.name, "", what, is_breaking=True)
    for version in new.versions:
        if version not in old.versions:
            yield Change(new.name, "", f"new schema version {version}", is_breaking=False)


def _renamed(old: Shape, new: Shape) -> dict[str, str]:
    """Old name -> new name, where a field went and one of the same nature came."""
    gone = [name for name in old.fields if name not in new.fields]
    come = [name for name in new.fields if name not in old.fields]
    pairs: dict[str, str] = {}
    for name in gone:
        nature = _nature(old.fields[name])
        like = [each for each in come if _nature(new.fields[each]) == nature]
        if like:
            pairs[name] = like[0]
            come.remove(like[0])
    return pairs


def _nature(field: Mapping[str, Any]) -> tuple[Any, ...]:
    return field["type"], field["unit"], field.get("values")


def _added(old: Shape, new: Shape, name: str, field: Mapping[str, Any]) -> Change:
    if new.layer == "mart":  # rebuilt at each publish, so every row has it
        return Change(new.name, name, "new column", is_breaking=False)
    if not field["nullable"]:
        what = "new and required: what is there already has none. Make it nullable"
        return Change(new.name, name, what, is_breaking=True)
    if new.layer == "table":
        return Change(new.name, name, "new nullable column", is_breaking=False)
    since = field["since"]
    if since in old.versions or since not in new.versions:
        what = f"new, but said to come with schema version {since}. Raise schema_version for it"
        return Change(new.name, name, what, is_breaking=True)
    return Change(new.name, name, f"new optional field of version {since}", is_breaking=False)


def _changes_of_field(
    contract: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    def change(what: str, *, is_breaking: bool = True) -> Change:
        return Change(contract, name, what, is_breaking)

    if old["type"] != new["type"]:
        yield change(f"retyped from {old['type']} to {new['type']}")
    if old["nullable"] != new["nullable"]:
        yield change("made required" if old["nullable"] else "made nullable")
    if not old["unit"] and new["unit"]:
        yield change(f"unit stated: {new['unit']}", is_breaking=False)
    elif old["unit"] != new["unit"]:
        yield change(f"unit changed from {old['unit']} to {new['unit'] or 'none'}")
    if old.get("since") != new.get("since"):
        yield change(f"first version changed from {old.get('since')} to {new.get('since')}")
    if old.get("personal") != new.get("personal"):
        yield change("personal mark changed")
    for what, is_breaking in _values_changed(old, new):
        yield change(what, is_breaking=is_breaking)


def _values_changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    before, after = old.get("values") or [], new.get("values") or []
    if before and not after:
        yield f"its closed list {_shown(before)} was lifted", True
    elif after and not before:
        yield f"limited to {_shown(after)}", True
    else:
        for value in before:
            if value not in after:
                yield f"no longer takes '{value}'", True
        for value in after:
            if value not in before:
                yield f"also takes '{value}'", False


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value}"
