"""The message inside a Kafka record: one JSON object with the fields of its topic's contract.

In: the bytes of a record. Out: its fields, and the first rule of the envelope that it breaks. The
reasons are those of `lakehouse.contracts.reasons`, tried in their order.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple

import msgspec

from lakehouse.contracts.business import CONTROL_CHARACTERS, FIRST_YEAR, LAST_YEAR, TEXT_LIMIT
from lakehouse.contracts.topics import ENVELOPE, ORDER_LINE_FIELDS, Field, Topic
from lakehouse.contracts.topics import topic as topic_of
from lakehouse.remembered import remembered
from pipelines.transforms.records import Fault

EVENT_ID_LIMIT = 200
BLANKS = b" \t\r\n"
LARGEST_INTEGER = 2**63 - 1
_Integer = Annotated[int, msgspec.Meta(ge=-LARGEST_INTEGER - 1, le=LARGEST_INTEGER)]
_encode = msgspec.json.Encoder().encode
_CONTROL_CHARACTERS = re.compile(CONTROL_CHARACTERS)
_UTC_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:Z|\+00:00)"
)
Fields = Mapping[str, Any]


class Opened(NamedTuple):
    """A message's fields, None where they can't be read, and the first fault of its envelope.

    A field is None where it is absent, and where the message's version did not have it yet.
    """

    fields: dict[str, Any] | None
    fault: Fault | None


def open_message(value: bytes | None, topic: Topic) -> Opened:
    """Read and check the message of a record.

    Args:
        value: The record's bytes; None for a tombstone.
        topic: The contract that it must keep.
    """
    fields = (_usual(value, topic) if value else None) or _any(value, topic)
    if isinstance(fields, Fault):
        return Opened(None, fields)
    return Opened(fields, _envelope_fault(fields, topic))


def _usual(value: bytes, topic: Topic) -> dict[str, Any] | None:
    """Fields of a message as our own sources write it now, by a decoder made from the contract.

    Written back it must give the same bytes: then it names no key twice and holds nothing more.
    """
    decoder, names = _compiled(topic.name)
    try:
        message = decoder.decode(value)
        if message.schema_version != topic.schema_version or _encode(message) != value:
            return None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    fields = msgspec.structs.asdict(message)
    for name in names:
        if fields[name] is msgspec.UNSET:
            fields[name] = None
    return fields if _are_lines(fields.get("lines", [])) else None


@cache
def _compiled(name: str) -> "tuple[msgspec.json.Decoder[Any], tuple[str, ...]]":
    """Decoder of a topic's newest messages, and the fields that one may lack."""
    topic = topic_of(name)
    fields = topic.fields_of(topic.schema_version)
    struct = msgspec.defstruct("Message", map(_typed, fields), kw_only=True, gc=False)
    lacked = tuple(field.name for field in fields if field.nullable)
    return msgspec.json.Decoder(struct), lacked


def _typed(field: Field) -> Any:
    kinds: dict[str, Any] = {"string": str, "integer": _Integer, "lines": list[dict[str, Any]]}
    kind = kinds[field.kind]
    if not field.nullable:
        return (field.name, kind)
    return (field.name, kind | None | msgspec.UnsetType, msgspec.UNSET)


def _any(value: bytes | None, topic: Topic) -> dict[str, Any] | Fault:
    """Fields of any message, or what is wrong with it."""
    if value is None or not value.strip(BLANKS):
        return Fault("empty_value")
    found = _object_of(value)
    if isinstance(found, Fault):
        return found
    fields = (*ENVELOPE, *topic.fields)
    if fault := _missing(found, fields) or _mistyped(found, fields):
        return fault
    version = found["schema_version"]
    return {
        field.name: found.get(field.name) if version >= field.since or field.since == 1 else None
        for field in fields
    }


def _object_of(value: bytes) -> dict[str, Any] | Fault:
    """The one JSON object of a text, each of its keys named once."""
    try:
        text = value.decode("utf-8")
        found = _decode(text)
    except UnicodeDecodeError:
        return Fault("not_utf8")
    except _NamedTwice:
        return Fault("duplicate_keys")
    except (ValueError, RecursionError):
        return Fault("not_json")
    if "\\u" in text and _has_lone_surrogate(found):
        return Fault("not_json")
    return found if isinstance(found, dict) else Fault("not_json")


def _has_lone_surrogate(found: object) -> bool:
    """Whether a text holds half a character, which no file of ours could keep."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def text_fault(fields: Fields, names: Iterable[str]) -> Fault | None:
    """The fault of business texts: no control characters, a bounded length."""
    texts = [(name, text) for name in names if (text := fields[name])]
    joined = "".join([text for _, text in texts])
    if _CONTROL_CHARACTERS.search(joined):
        return Fault("control_characters", _named(texts, has_control_characters))
    if len(joined) > TEXT_LIMIT and (long := _named(texts, lambda text: len(text) > TEXT_LIMIT)):
        return Fault("text_too_long", long)
    return None


def has_control_characters(text: str) -> bool:
    """Whether a text holds characters that are no text, such as line breaks."""
    return _CONTROL_CHARACTERS.search(text) is not None


@remembered
def utc_time(text: str) -> datetime | None:
    """The moment of an RFC 3339 text in UTC; None when it is none."""
    found = _UTC_TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    micros = int((found[7] or "").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
    except ValueError:
        return None


class _NamedTwice(Exception):
    """A JSON object names a key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NamedTwice
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number).decode


def _missing(found: Fields, fields: Sequence[Field]) -> Fault | None:
    names = [field.name for field in fields if not field.nullable and found.get(field.name) is None]
    return Fault("missing_field", ", ".join(names)) if names else None


def _mistyped(found: Fields, fields: Sequence[Field]) -> Fault | None:
    version = found["schema_version"]
    names = [
        field.name
        for field in fields
        if (value := found.get(field.name)) is not None
        and not _TYPES[field.kind](value)
        # In an older message a later field's name means nothing, as any unknown one.
        and (field.since == 1 or (_is_integer(version) and version >= field.since))
    ]
    return Fault("wrong_type", ", ".join(names)) if names else None


def _is_integer(value: object) -> bool:
    return type(value) is int and -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER


def _is_text(value: object) -> bool:
    return type(value) is str


def _are_lines(value: object) -> bool:
    return type(value) is list and all(map(_is_line, value))


def _is_line(line: object) -> bool:
    """Whether a line is an object of the right types; what it lacks, the order's rules say."""
    return type(line) is dict and all(
        (value := line.get(field.name)) is None or _TYPES[field.kind](value)
        for field in ORDER_LINE_FIELDS
    )


_TYPES = {"string": _is_text, "integer": _is_integer, "lines": _are_lines}


def _envelope_fault(message: Fields, topic: Topic) -> Fault | None:
    version, event_id = message["schema_version"], message["event_id"]
    if not topic.oldest_version <= version <= topic.schema_version:
        return Fault("unknown_version", str(version))
    is_blank = not event_id.strip(" ")
    if is_blank or len(event_id) > EVENT_ID_LIMIT or has_control_characters(event_id):
        return Fault("bad_event_id")
    at = utc_time(message["occurred_at"])
    if at is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        return Fault("bad_time", "occurred_at")
    return None


def _named(texts: list[tuple[str, str]], is_wrong: Any) -> str:
    return ", ".join(name for name, text in texts if is_wrong(text))
