"""Whether a message keeps its topic's contract: shape and JSON types, not what the values mean.

In: a message's bytes. Out: None, or the reason of the refusal. A sound message costs one pass of a
decoder compiled from the contract; only a refused one is looked at field by field.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union

import msgspec

from lakehouse.contracts.topics import ORDER_LINE_FIELDS, Field, Kind, Topic, topic
from lakehouse.errors import LakeError

LARGEST_INTEGER = 2**63 - 1
_Integer = Annotated[int, msgspec.Meta(ge=-LARGEST_INTEGER - 1, le=LARGEST_INTEGER)]
_VERSION = "schema_version"
_PLAIN_NAME = re.compile(r"\w{1,60}", re.ASCII)


@dataclass(frozen=True)
class Refusal:
    """Why a message breaks its contract. `field` is empty where the whole message does."""

    reason: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.field}" if self.field else self.reason


def refusal_of(value: bytes, topic_name: str) -> Refusal | None:
    """The first reason why a message breaks the contract of its topic; None when it keeps it.

    Stricter than the platform, which lets unknown fields pass: who sends a field that no version
    of the contract has, most likely renamed one.

    Raises:
        LakeError: No contract names the topic.
    """
    try:
        _decoder(topic_name).decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return explained(value, topic(topic_name))
    return None


def explained(value: bytes, contract: Topic) -> Refusal:
    """The reason by name, for a message that its decoder refused."""
    try:
        message = json.loads(value.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        return Refusal("not_utf8")
    except (ValueError, RecursionError):
        return Refusal("not_json" if value.strip() else "empty_value")
    if not isinstance(message, dict):
        return Refusal("not_json")
    version = message.get(_VERSION)
    if not isinstance(version, int) or isinstance(version, bool):
        version = contract.schema_version  # what is wrong with it is said below
    if version not in contract.versions:
        return Refusal("unknown_version", _VERSION)
    fields = contract.fields_of(version)
    return next(_faults(message, fields), Refusal("not_json"))


def _faults(message: Mapping[str, Any], fields: Sequence[Field]) -> Iterator[Refusal]:
    for field in fields:
        if not field.nullable and message.get(field.name) is None:
            yield Refusal("missing_field", field.name)
    for field in fields:
        found = message.get(field.name)
        if found is not None and not _is(found, field.kind):
            yield Refusal("wrong_type", field.name)
    known = {field.name for field in fields}
    for name in (name for name in message if name not in known):
        yield Refusal("unknown_field", name if _PLAIN_NAME.fullmatch(name) else "")
    for line in (line for field in fields if field.kind == "lines" for line in message[field.name]):
        for fault in _faults(line, ORDER_LINE_FIELDS):
            yield Refusal(fault.reason, f"lines[].{fault.field}")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _is(value: object, kind: Kind) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "integer":
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER  # type: ignore[operator]
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


@cache
def _decoder(topic_name: str) -> "msgspec.json.Decoder[Any]":
    try:
        contract = topic(topic_name)
    except KeyError:
        raise LakeError(
            f"No contract names the topic '{topic_name}', so nothing can be sent to it. Topics are "
            "named in lakehouse/contracts/topics.py."
        ) from None
    shapes = [_struct(contract, version) for version in contract.versions]
    return msgspec.json.Decoder(Union[tuple(shapes)])  # noqa: UP007 - made at run time


def _struct(contract: Topic, version: int) -> type:
    """The shape of one version's messages; several versions differ by their number."""
    options: dict[str, Any] = {"tag_field": _VERSION, "tag": version}
    fields = [_typed(field) for field in contract.fields_of(version) if field.name != _VERSION]
    if len(contract.versions) == 1:
        options = {}  # a single tagged shape would let messages without a version pass
        fields.append((_VERSION, Literal[version]))
    return msgspec.defstruct(
        "Message",
        fields,
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
        **options,
    )


def _typed(field: Field) -> Any:
    kinds: dict[str, Any] = {"string": str, "integer": _Integer}
    kind = kinds.get(field.kind) or list[_line()]  # type: ignore[misc]
    return (field.name, kind | None, None) if field.nullable else (field.name, kind)


@cache
def _line() -> type:
    fields = [_typed(field) for field in ORDER_LINE_FIELDS]
    return msgspec.defstruct("Line", fields, kw_only=True, forbid_unknown_fields=True, gc=False)
