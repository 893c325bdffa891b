"""Addresses: what any mail server takes, and nothing that could end a header line."""

import pytest

from lakehouse.errors import LakeError
from reports.addresses import Address, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jo@shop.example", Address("jo@shop.example")),
        ("Jo Roe <jo@Shop.Example>", Address("jo@shop.example", "Jo Roe")),
        ('"Roe, Jo" <jo+x@shop.example>', Address("jo+x@shop.example", "Roe, Jo")),
        ("Jürgen <j@bücher.example>", Address("j@xn--bcher-kva.example", "Jürgen")),
        ("j@xn--bcher-kva.example", Address("j@xn--bcher-kva.example")),
        ("owner@localhost", Address("owner@localhost")),
        ('"jo roe"@shop.example', Address('"jo roe"@shop.example')),
    ],
)
def test_an_address_is_read_as_it_was_meant(text: str, expected: Address) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jo",
        "@shop.example",
        "jo@",
        "jo@shop..example",
        "jo@-shop.example",
        "jo@shop.example\nBcc: all@shop.example",
        "jo@shop.example\r\nRCPT TO:<all@shop.example>",
        "Jo\r\nBcc: x@y.example <jo@shop.example>",
        "Jo\u2028Roe <jo@shop.example>",
        "Jo\u202e <jo@shop.example>",
        "jo@shop\u200b.example",
        "jo@shop.example, mo@shop.example",
        "jo mo@shop.example",
        "<jo@shop.example> <mo@shop.example>",
        "jö@shop.example",
        "jo@straße.example",
        "jo@[127.0.0.1]",
        f"{'a' * 250}@shop.example",
        "jo@shop.example>",
    ],
)
def test_what_is_no_single_plain_mailbox_is_refused(text: str) -> None:
    with pytest.raises(LakeError):
        parse_address(text)
