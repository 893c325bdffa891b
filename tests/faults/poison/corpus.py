"""Builds the poison corpus: 20 classes of 10 messages that a source could send by fault or malice.

Out: (class, number, topic, value), always the same bytes. What must become of each is written in
`manifest.json`, apart from this builder and from the product.
Run standalone: `python corpus.py` lists it.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

ERP, ORDERS, EVENTS = "erp.invoice_lines.v1", "web.orders.v1", "web.events.v1"
CUSTOMERS, PRODUCTS = "crm.customers.v1", "catalog.products.v1"
_NONE = object()


class Poison(NamedTuple):
    """One message of the corpus."""

    family: str
    number: int
    topic: str
    value: bytes | None


def corpus() -> Iterator[Poison]:
    """All 200 messages."""
    for family, build in _FAMILIES.items():
        built = build()
        assert len(built) == 10, f"{family} has {len(built)} messages"
        for number, (topic, value) in enumerate(built):
            yield Poison(family, number, topic, value)


Built = list[tuple[str, bytes | None]]
_SOUND: dict[str, dict[str, Any]] = {
    ERP: {
        "InvoiceNo": "540001",
        "StockCode": "21212",
        "Description": "PACK OF 72",
        "Quantity": "3",
        "InvoiceDate": "1/4/2011 10:00",
        "UnitPrice": "0.55",
        "CustomerID": "17850.0",
        "Country": "France",
        "row_number": 1,
        "line_number": 1,
    },
    ORDERS: {
        "order_id": "W-9",
        "order_kind": "sale",
        "customer_id": "12345",
        "session_id": "s-9",
        "country": "France",
        "currency": "GBP",
        "lines": [{"sku": "LAMP", "description": "red", "quantity": 1, "unit_price": "2.50"}],
    },
    EVENTS: {
        "session_id": "s-9",
        "visitor_id": "v-9",
        "customer_id": None,
        "event_type": "page_view",
        "sku": None,
        "order_id": None,
    },
    CUSTOMERS: {
        "customer_id": "12345",
        "name": "Ada",
        "email": "ada@example.com",
        "address": None,
        "country": "France",
        "marketing_consent": "yes",
    },
    PRODUCTS: {
        "sku": "LAMP",
        "description": "red lamp",
        "category": "light",
        "unit_price": "2.50",
        "status": "active",
    },
}


def _text(topic: str, name: str, /, **changes: Any) -> str:
    body = {
        "event_id": f"poison-{name}",
        "schema_version": 1,
        "occurred_at": "2011-12-10T08:00:00Z",
        **_SOUND[topic],
        **changes,
    }
    return json.dumps(
        {key: value for key, value in body.items() if value is not _NONE}, ensure_ascii=False
    )


def _sound(topic: str, name: str, /, **changes: Any) -> tuple[str, bytes]:
    return topic, _text(topic, name, **changes).encode()


def _order_line(name: str, /, **changes: Any) -> tuple[str, bytes]:
    line = {**_SOUND[ORDERS]["lines"][0], **changes}
    kept = {key: value for key, value in line.items() if value is not _NONE}
    return _sound(ORDERS, name, lines=[*_SOUND[ORDERS]["lines"], kept])


def _with(topic: str, name: str, old: str, new: str) -> tuple[str, bytes]:
    text = _text(topic, name)
    assert text.count(old) == 1, old
    return topic, text.replace(old, new).encode()


def _not_json() -> Built:
    sound = _text(ERP, "not-json")
    texts = (
        "InvoiceNo=540001;StockCode=21212",
        "{event_id: 'poison'}",
        "<event><id>1</id></event>",
        "540001,21212,PACK,3,1/4/2011 10:00,0.55,17850,France",
        sound.replace('"3"', '"3",', 1),
        sound + sound,
        sound + "]",
        sound + " {}",
        sound + "}, {",
        "\\" + sound,
    )
    return [(ERP, text.encode()) for text in texts]


def _truncated() -> Built:
    values = [_sound(topic, "truncated")[1] for topic in (ERP, ORDERS)]
    return [
        (topic, value[: max(1, len(value) * part // 6)])
        for topic, value in zip((ERP, ORDERS), values, strict=True)
        for part in range(5)
    ]


def _wrong_encoding() -> Built:
    text = _text(ERP, "encoding", Description="CAFÉ £ BOWL")
    plain = text.encode()
    at = plain.index(b"BOWL")
    return [
        (ERP, text.encode("latin-1")),
        (ERP, text.encode("cp1252")),
        (ERP, plain[:at] + b"\xff" + plain[at:]),
        (ERP, plain[:at] + b"\xc0\xaf" + plain[at:]),  # overlong form of "/"
        (ERP, plain[:at] + b"\xed\xa0\x80" + plain[at:]),  # a lone surrogate
        (ERP, plain[:at] + b"\xf5\x80\x80\x80" + plain[at:]),  # beyond Unicode
        (ERP, plain[:at] + b"\x00" + plain[at:]),
        (ERP, plain + b"\x00"),
        (ERP, b"\x00" + plain),
        (ERP, b"\x80\x81\x82\x83"),
    ]


def _byte_order() -> Built:
    texts = [_text(topic, "byte-order") for topic in (ERP, ORDERS)]
    return [
        (topic, text.encode(encoding))
        for topic, text in zip((ERP, ORDERS), texts, strict=True)
        for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
    ]


def _empty() -> Built:
    blanks = (None, b"", b" ", b"    ", b"\n", b"\t", b"\r\n", b" \n \t ", b" " * 1000)
    return [*[(ERP, value) for value in blanks], (ORDERS, None)]


def _no_object() -> Built:
    sound = _text(ERP, "no-object")
    texts = ("[]", f"[{sound}]", "1", "1.5", '"text"', "true", "null", "[[]]", '""', "-0")
    return [(ERP, text.encode()) for text in texts]


def _duplicate_keys() -> Built:
    first = '{"event_id"'
    line = '"quantity": 1'
    return [
        _with(ERP, "twice-0", '"UnitPrice": "0.55"', '"UnitPrice": "0.55", "UnitPrice": "9.55"'),
        _with(ERP, "twice-1", '"UnitPrice": "0.55"', '"UnitPrice": "0.55", "UnitPrice": "0.55"'),
        _with(ERP, "twice-2", first, '{"event_id": "other", "event_id"'),
        _with(ERP, "twice-3", '"Quantity": "3"', '"Quantity": "3", "Quantity": null'),
        _with(ERP, "twice-4", '"Quantity": "3"', '"Quantity": "3", "Quantity": 3'),
        _with(ERP, "twice-5", first, '{"unknown": 1, "unknown": 2, "event_id"'),
        _with(ORDERS, "twice-6", '"currency": "GBP"', '"currency": "GBP", "currency": "EUR"'),
        _with(ORDERS, "twice-7", line, '"quantity": 1, "quantity": 100'),
        _with(PRODUCTS, "twice-8", '"unit_price": "2.50"', '"unit_price": "1", "unit_price": "2"'),
        _with(CUSTOMERS, "twice-9", '"name": "Ada"', '"name": "Ada", "name": "Eve"'),
    ]


def _missing_required() -> Built:
    return [
        _sound(ERP, "missing-0", event_id=_NONE),
        _sound(ERP, "missing-1", event_id=None),
        _sound(ERP, "missing-2", occurred_at=_NONE),
        _sound(ERP, "missing-3", row_number=None),
        _sound(ERP, "missing-4", line_number=_NONE),
        _sound(ORDERS, "missing-5", lines=_NONE),
        _sound(ORDERS, "missing-6", order_id=None),
        _sound(ORDERS, "missing-7", lines=[]),
        _sound(EVENTS, "missing-8", visitor_id=_NONE),
        (ERP, b"{}"),
    ]


def _unknown_extra() -> Built:
    extras: tuple[Any, ...] = (1, "x", None, True, [1, [2]], {"a": {"b": 1}}, 1.5, "", [], {})
    topics = (ERP, ORDERS, EVENTS, CUSTOMERS, PRODUCTS) * 2
    return [
        _sound(topic, f"extra-{n}", **{f"loyalty_{n}": extra})
        for n, (topic, extra) in enumerate(zip(topics, extras, strict=True))
    ]


def _wrong_type() -> Built:
    return [
        _sound(ERP, "type-0", Quantity=3),
        _sound(ERP, "type-1", UnitPrice=0.55),
        _sound(ERP, "type-2", CustomerID=17850),
        _sound(ERP, "type-3", row_number="1"),
        _sound(ERP, "type-4", schema_version="1"),
        _sound(ERP, "type-5", line_number=1.5),
        _sound(ERP, "type-6", Description={"text": "PACK"}),
        _sound(ORDERS, "type-7", lines={"0": {}}),
        _order_line("type-8", unit_price=2.5),
        _sound(CUSTOMERS, "type-9", marketing_consent=True),
    ]


def _not_finite() -> Built:
    return [
        _with(ERP, "finite-0", '"3"', "NaN"),
        _with(ERP, "finite-1", '"3"', "Infinity"),
        _with(ERP, "finite-2", '"0.55"', "-Infinity"),
        _with(ERP, "finite-3", '"0.55"', "1e400"),
        _sound(ERP, "finite-4", Quantity="NaN"),
        _sound(ERP, "finite-5", Quantity="Infinity"),
        _sound(ERP, "finite-6", UnitPrice="NaN"),
        _sound(ERP, "finite-7", UnitPrice="1e400"),
        _sound(ERP, "finite-8", UnitPrice="1E2"),
        _sound(PRODUCTS, "finite-9", unit_price="-Infinity"),
    ]


def _extreme_money() -> Built:
    return [
        _sound(ERP, "money-0", Quantity="1000000000000000"),
        _sound(ERP, "money-1", Quantity="1000000000000000000"),
        _sound(ERP, "money-2", Quantity="-9223372036854775809"),
        _sound(ERP, "money-3", Quantity="9" * 400),
        _sound(ERP, "money-4", UnitPrice="10000000000000000"),
        _sound(ERP, "money-5", UnitPrice="-" + "9" * 400),
        _sound(ERP, "money-6", Quantity="1000000000", UnitPrice="99999999.9999"),
        _order_line("money-7", quantity=10**18),
        _sound(ERP, "money-8", Quantity="-3", UnitPrice="0.5500"),
        _sound(ERP, "money-9", InvoiceNo="A540002", UnitPrice="-11062.06"),
    ]


def _fine_decimals() -> Built:
    prices = ("0.55001", "2.99995", "-1.00009", ".00001", "1.000000001", "99999999.99999")
    return [
        *[_sound(ERP, f"fine-{n}", UnitPrice=price) for n, price in enumerate(prices)],
        _sound(PRODUCTS, "fine-6", unit_price="2.50001"),
        _sound(PRODUCTS, "fine-7", unit_price="0.12345678901234567890123456789012345678901"),
        _order_line("fine-8", unit_price="2.50001"),
        _order_line("fine-9", unit_price="0.00001"),
    ]


def _bad_currency() -> Built:
    currencies = ("EUR", "USD", "gbp", "", " GBP", "£", "GBp", "XXX", "GBP GBP", "826")
    return [
        _sound(ORDERS, f"currency-{n}", currency=currency) for n, currency in enumerate(currencies)
    ]


def _bad_time() -> Built:
    return [
        _sound(ERP, "time-0", InvoiceDate="2/30/2011 10:00"),
        _sound(ERP, "time-1", InvoiceDate="29/2/2011 10:00"),
        _sound(ERP, "time-2", InvoiceDate="12:30"),
        _sound(ERP, "time-3", InvoiceDate="2011-01-04"),
        _sound(ERP, "time-4", InvoiceDate="2011-01-04 24:00:00"),
        _sound(ERP, "time-5", InvoiceDate="1/4/1970 10:00"),
        _sound(ERP, "time-6", InvoiceDate="1/4/2100 10:00"),
        _sound(ERP, "time-7", occurred_at="2011-12-10 08:00:00"),
        _sound(ORDERS, "time-8", occurred_at="2011-02-30T08:00:00Z"),
        _sound(EVENTS, "time-9", occurred_at="1970-01-01T00:00:00Z"),
    ]


def _bad_id() -> Built:
    return [
        _sound(ERP, "id", event_id=""),
        _sound(ERP, "id", event_id="   "),
        _sound(ERP, "id", event_id="x" * 201),
        _sound(ERP, "id", event_id="x" * 10_000),
        _sound(ERP, "id", event_id="a\nb"),
        _sound(ERP, "id", event_id="a\x00b"),
        _sound(ORDERS, "id", event_id=""),
        _sound(ERP, "id-7", InvoiceNo=""),
        _sound(ERP, "id-8", InvoiceNo="   "),
        _sound(ERP, "id-9", InvoiceNo=None),
    ]


def _huge() -> Built:
    return [
        _sound(ERP, "huge-0", Description="x" * 5_000_000),
        _sound(ERP, "huge-1", Description="x" * 1_001),
        _sound(ERP, "huge-2", Country="é" * 300_000),
        _sound(ORDERS, "huge-3", country="x" * 300_000),
        _sound(PRODUCTS, "huge-4", description="x" * 300_000),
        _sound(CUSTOMERS, "huge-5", address="x" * 300_000),
        (ERP, b"x" * 300_000),
        (ERP, b"{" * 300_000),
        (ERP, b'"' + b"x" * 300_000 + b'"'),
        (ERP, b"[" + b"1," * 150_000 + b"1]"),
    ]


def _deep() -> Built:
    def nested(opening: str, closing: str, depth: int) -> str:
        return opening * depth + closing * depth

    def extra(topic: str, number: int, text: str) -> tuple[str, bytes]:
        return topic, (_text(topic, f"deep-{number}")[:-1] + f', "extra": {text}}}').encode()

    return [
        extra(ERP, 0, nested("[", "]", 10_000)),
        extra(ERP, 1, nested('{"a":', "}", 10_000).replace(":}", ":1}")),
        extra(ORDERS, 2, nested("[", "]", 10_000)),
        extra(EVENTS, 3, nested("[", "]", 10_000)),
        extra(CUSTOMERS, 4, nested("[", "]", 10_000)),
        extra(PRODUCTS, 5, nested("[", "]", 100_000)),
        (ERP, nested("[", "]", 10_000).encode()),
        (ERP, (nested('{"a":', "}", 10_000).replace(":}", ":1}")).encode()),
        (ERP, b"[" * 100_000),
        (ORDERS, b'{"lines":' * 10_000),
    ]


HOSTILE = (
    "'; DROP TABLE order_lines; --",
    '=HYPERLINK("http://x","y")',
    "<script>alert(1)</script>",
    "../../etc/passwd\\..\\x",
    "\u202edrowssap \u2066 RTL",
    "🏠👩‍👩‍👧‍👦 e\u0301",
    "zero\u200bwidth\ufeff\u00a0",
)


def _hostile() -> Built:
    return [
        *[_sound(ERP, f"hostile-{n}", Description=text) for n, text in enumerate(HOSTILE)],
        _sound(ERP, "hostile-7", Description="a\r\nBcc: x@example.com"),
        _sound(EVENTS, "hostile-8", sku="\x1b[2J"),
        _sound(CUSTOMERS, "hostile-9", name="tab\there"),
    ]


def _unknown_kinds() -> Built:
    return [
        _sound(EVENTS, "kind-0", event_type="teleport"),
        _sound(EVENTS, "kind-1", event_type="Page_View"),
        _sound(EVENTS, "kind-2", event_type=""),
        _sound(ORDERS, "kind-3", order_kind="gift"),
        _sound(CUSTOMERS, "kind-4", marketing_consent="maybe"),
        _sound(PRODUCTS, "kind-5", status="lost"),
        _sound(ERP, "kind-6", schema_version=3),
        _sound(ERP, "kind-7", schema_version=0),
        _sound(ORDERS, "kind-8", schema_version=-1),
        _sound(EVENTS, "kind-9", schema_version=9_000_000_000),
    ]


_FAMILIES: dict[str, Callable[[], Built]] = {
    "not_json": _not_json,
    "truncated": _truncated,
    "wrong_encoding": _wrong_encoding,
    "byte_order": _byte_order,
    "empty": _empty,
    "no_object": _no_object,
    "duplicate_keys": _duplicate_keys,
    "missing_required": _missing_required,
    "unknown_extra": _unknown_extra,
    "wrong_type": _wrong_type,
    "not_finite": _not_finite,
    "extreme_money": _extreme_money,
    "fine_decimals": _fine_decimals,
    "bad_currency": _bad_currency,
    "bad_time": _bad_time,
    "bad_id": _bad_id,
    "huge": _huge,
    "deep": _deep,
    "hostile": _hostile,
    "unknown_kinds": _unknown_kinds,
}


if __name__ == "__main__":
    for each in corpus():
        print(each.family, each.number, each.topic, (each.value or b"")[:60])
