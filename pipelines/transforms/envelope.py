"""Bronze records of one topic -> its fields, each parsed once, with the reason of a refusal.

In: bronze rows (grain: Kafka record). Out: the same rows with one column per field of the contract,
`refusal`, "reason:detail" of the first rule broken (null when sound; names fields, not content).
No input can raise here: only `try_` functions, and every regular expression is linear.
"""

from collections.abc import Callable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.contracts.business import TEXT_LIMIT
from lakehouse.contracts.topics import ENVELOPE, ORDER_LINE_FIELDS, Field, Topic

EVENT_ID_LIMIT = 200
RFC3339_UTC = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|\+00:00)\z"
BLANKS = " \t\r\n"
CONTROL_CHARACTERS = r"[\x00-\x1f\x7f]"
FIRST_YEAR, LAST_YEAR = 1990, 2099
_LINE = ", ".join(
    f"{field.name}: {'STRING' if field.kind == 'string' else 'BIGINT'}"
    for field in sorted(ORDER_LINE_FIELDS, key=lambda each: each.name)
)
_VARIANT_TYPES = {"string": "STRING", "integer": "BIGINT", "lines": f"ARRAY<OBJECT<{_LINE}>>"}
_SPARK_TYPES = {"string": "string", "integer": "bigint"}


Rule = tuple[str, Column, Column]
"""Reason code, condition of the refusal, detail."""


def refuse(records: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    """Set `refusal` to "reason:detail" of the first rule that holds, where it is still null.

    One text, not a struct: Spark would compute the whole ladder again for each field of a struct.
    """
    chosen: Column = F.lit(None).cast("string")
    for code, condition, detail in reversed(rules):
        text = F.concat(F.lit(f"{code}:"), F.coalesce(detail.cast("string"), F.lit("")))
        chosen = F.when(F.coalesce(condition, F.lit(False)), text).otherwise(chosen)
    return records.withColumn("refusal", F.coalesce("refusal", chosen))


def parse_envelope(records: DataFrame, topic: Topic) -> DataFrame:
    """Check and open the JSON of one topic's records.

    Args:
        records: Bronze rows of `topic`.
        topic: Its contract.

    Returns:
        topic, partition, offset, kafka_at, value, one column per field (string, bigint, or an array
        of structs for `lines`), refusal. Fields are null where the record is refused, and where
        its schema version did not have them yet.
    """
    fields = (*ENVELOPE, *topic.fields)
    opened = (
        records.select("topic", "partition", "offset", "kafka_at", "value")
        .withColumn("_text", F.col("value").cast("string"))
        .withColumn("_json", F.when(F.is_valid_utf8("_text"), F.try_parse_json("_text")))
        .withColumn("_shape", F.schema_of_variant("_json"))
        .withColumn("refusal", F.lit(None).cast("string"))
    )
    judged = refuse(opened, [*_syntax_rules(topic), *_field_rules(fields)])
    sound = F.when(F.col("refusal").isNull(), F.col("_text"))
    values = judged.withColumn("_fields", F.from_json(sound, _schema(fields))).select(
        "topic",
        "partition",
        "offset",
        "kafka_at",
        "value",
        *[_value(field).alias(field.name) for field in fields],
        "refusal",
    )
    return refuse(values, _envelope_rules(topic))


def text_rules(columns: Sequence[str]) -> list[Rule]:
    """Rules that any business text must keep: no control characters, bounded length."""
    texts = F.concat_ws("", *columns)
    controls = _named(columns, lambda name: F.col(name).rlike(CONTROL_CHARACTERS))
    too_long = [F.length(name) > TEXT_LIMIT for name in columns]
    return [
        ("control_characters", texts.rlike(CONTROL_CHARACTERS), controls),
        (
            "text_too_long",
            (F.length(texts) > TEXT_LIMIT) & _any(too_long),
            _named(columns, lambda name: F.length(name) > TEXT_LIMIT),
        ),
    ]


def utc_timestamp(name: str) -> Column:
    """The RFC 3339 text of column `name` as a timestamp; null when it is none."""
    plain = F.regexp_replace(F.col(name), r"(Z|\+00:00)\z", "")
    return F.when(F.col(name).rlike(RFC3339_UTC), F.try_to_timestamp(F.concat(plain, F.lit("Z"))))


def _value(field: Field) -> Column:
    """A field of `_fields`; null in messages that are older than the field."""
    value, version = F.col(f"_fields.{field.name}"), F.col("_fields.schema_version")
    return value if field.since == 1 else F.when(version >= field.since, value)


def _raw(name: str) -> Column:
    return F.try_variant_get("_json", f"$.{name}", "variant")


def _schema(fields: Sequence[Field]) -> str:
    line = ", ".join(f"{field.name} {_SPARK_TYPES[field.kind]}" for field in ORDER_LINE_FIELDS)
    types = {**_SPARK_TYPES, "lines": f"array<struct<{line.replace(' ', ':').replace(',:', ',')}>>"}
    return ", ".join(f"{field.name} {types[field.kind]}" for field in fields)


def _usual_shape(fields: Sequence[Field]) -> str:
    """Regular expression of the shape that nearly every record of a topic has."""
    parts = []
    for field in sorted(fields, key=lambda each: each.name):
        wanted = _VARIANT_TYPES[field.kind]
        kind = f"(?:{wanted}|VOID)" if field.nullable else wanted
        parts.append(f"(?:{field.name}: {kind}(?:, |>$)){'?' if field.nullable else ''}")
    return f"^OBJECT<{''.join(parts)}$"


def _syntax_rules(topic: Topic) -> list[Rule]:
    none = F.lit(None)
    keys = F.expr("json_object_keys(_text)")
    twice = F.size(keys) != F.size(F.array_distinct(keys))
    if any(field.kind == "lines" for field in topic.fields):
        lines = F.from_json(F.get_json_object("_text", "$.lines"), "array<string>")
        inner = F.exists(lines, _line_names_twice)
        twice = F.coalesce(twice, F.lit(False)) | F.coalesce(inner, F.lit(False))
    return [
        ("empty_value", F.col("value").isNull() | (F.trim("_text", F.lit(BLANKS)) == ""), none),
        ("not_utf8", ~F.is_valid_utf8("_text"), none),
        ("duplicate_keys", F.col("_json").isNull() & twice, none),
        (
            "not_json",
            F.col("_json").isNull() | ~F.col("_shape").startswith("OBJECT") | _text_follows(),
            none,
        ),
    ]


def _line_names_twice(line: Column) -> Column:
    keys = F.json_object_keys(line)
    return F.size(keys) != F.size(F.array_distinct(keys))


def _text_follows() -> Column:
    """Whether anything but blanks follows the first JSON object.

    The parser stops after it. A text whose first closing brace is its end holds nothing more.
    Otherwise the text must stay one value inside brackets and inside braces: whatever could close
    the one does not close the other.
    """
    more = F.col("_text").rlike(r"\}[^\s]|\}\s+[^\s]")
    in_brackets = F.try_parse_json(F.concat(F.lit("["), "_text", F.lit("]")))
    in_braces = F.try_parse_json(F.concat(F.lit('{"x":'), "_text", F.lit("}")))
    items = F.size(F.try_variant_get(in_brackets, "$", "array<variant>"))
    whole = F.coalesce(items == 1, F.lit(False)) & in_braces.isNotNull()
    return more & ~whole


def _field_rules(fields: Sequence[Field]) -> list[Rule]:
    def type_of(name: str) -> Column:
        return F.coalesce(F.schema_of_variant(_raw(name)), F.lit("VOID"))

    def missing(name: str) -> Column:
        return type_of(name) == "VOID"

    def mistyped(name: str) -> Column:
        if kinds[name] == "lines":
            return (type_of(name) != "VOID") & _lines_mistyped(name)
        wrong = ~type_of(name).isin("VOID", _VARIANT_TYPES[kinds[name]])
        return wrong & (version >= came_with[name]) if came_with[name] > 1 else wrong

    required = [field.name for field in fields if not field.nullable]
    kinds = {field.name: field.kind for field in fields}
    came_with = {field.name: field.since for field in fields}
    # In an older message a later field's name means nothing, as any unknown one.
    version = F.try_variant_get("_json", "$.schema_version", "bigint")
    unusual = ~F.col("_shape").rlike(_usual_shape(fields))
    return [
        (
            "missing_field",
            unusual & _any([missing(name) for name in required]),
            _named(required, missing),
        ),
        (
            "wrong_type",
            unusual & _any([mistyped(name) for name in kinds]),
            _named(list(kinds), mistyped),
        ),
    ]


def _lines_mistyped(name: str) -> Column:
    def wrong(line: Column) -> Column:
        found = {
            field: F.coalesce(
                F.schema_of_variant(F.try_variant_get(line, f"$.{field.name}", "variant")),
                F.lit("VOID"),
            )
            for field in ORDER_LINE_FIELDS
        }
        allowed = {
            field: [_VARIANT_TYPES[field.kind], *(["VOID"] if field.nullable else [])]
            for field in ORDER_LINE_FIELDS
        }
        return _any([~found[field].isin(*allowed[field]) for field in ORDER_LINE_FIELDS])

    lines = F.try_variant_get(_raw(name), "$", "array<variant>")
    return lines.isNull() | F.exists(lines, wrong)


def _envelope_rules(topic: Topic) -> list[Rule]:
    occurred_at = utc_timestamp("occurred_at")
    return [
        (
            "unknown_version",
            ~F.col("schema_version").between(topic.oldest_version, topic.schema_version),
            F.col("schema_version").cast("string"),
        ),
        (
            "bad_event_id",
            (F.trim("event_id") == "")
            | (F.length("event_id") > EVENT_ID_LIMIT)
            | F.col("event_id").rlike(CONTROL_CHARACTERS),
            F.lit(None),
        ),
        (
            "bad_time",
            occurred_at.isNull() | ~F.year(occurred_at).between(FIRST_YEAR, LAST_YEAR),
            F.lit("occurred_at"),
        ),
    ]


def _any(conditions: Sequence[Column]) -> Column:
    return reduce(
        lambda left, right: left | right, [F.coalesce(each, F.lit(False)) for each in conditions]
    )


def _named(names: Sequence[str], condition: Callable[[str], Column]) -> Column:
    return F.concat_ws(", ", *[F.when(condition(name), F.lit(name)) for name in names])
