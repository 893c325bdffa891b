"""The list of readers: as written down, and each way it may be wrong."""

from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from reports.addresses import Address
from reports.recipients import Mailing, Recipient, read_mailing

SENDER = Address("reports@shop.example")


def written(home: Path, text: str) -> Mailing:
    home.mkdir(exist_ok=True)
    (home / "recipients.toml").write_text(text, encoding="utf-8")
    return read_mailing(Settings(home=home))


def test_readers_are_data_with_defaults(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        'owners = ["data@shop.example"]\n[[recipient]]\naddress = "jo@shop.example"\n'
        '[[recipient]]\naddress = "mo@shop.example"\nreports = ["weekly"]\nlanguage = "de"\n'
        'time_zone = "Asia/Tokyo"\n',
    )
    jo = Recipient(Address("jo@shop.example"), ("daily", "weekly"), "en", "Europe/London")
    mo = Recipient(Address("mo@shop.example"), ("weekly",), "de", "Asia/Tokyo")
    assert found == Mailing((jo, mo), (Address("data@shop.example"),))
    assert (found.of("daily"), found.of("weekly")) == ((jo,), (jo, mo))


def test_without_a_file_the_alerts_reader_gets_every_report(tmp_path: Path) -> None:
    found = read_mailing(Settings(home=tmp_path, alert_to="a@shop.example, b@shop.example"))
    assert [each.address.spec for each in found.of("weekly")] == [
        "a@shop.example",
        "b@shop.example",
    ]
    assert found.owners == (Address("a@shop.example"), Address("b@shop.example"))
    assert read_mailing(Settings(home=tmp_path)) == Mailing((), ())


def test_an_unsubscribe_link_names_report_and_reader(tmp_path: Path) -> None:
    found = written(tmp_path, 'unsubscribe = "https://shop.example/?r={report}&a={address}"')
    link = found.unsubscribe_link("daily", Address("jo+x@shop.example"), sender=SENDER)
    assert link == "https://shop.example/?r=daily&a=jo%2Bx%40shop.example"
    plain = Mailing((), ()).unsubscribe_link("daily", Address("jo@shop.example"), sender=SENDER)
    assert plain == "mailto:reports@shop.example?subject=unsubscribe%20daily"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("owners = ", "can't be read"),
        ('owner = ["a@b.example"]', "'owner' is no setting"),
        ('[[recipient]]\naddress = "jo"', "no mail address"),
        ('[[recipient]]\naddress = "jo@b.example\\nBcc: x@y.example"', "line end"),
        ('[[recipient]]\naddress = "jo@b.example"\nlanguage = "xx"', "no language 'xx'"),
        ('[[recipient]]\naddress = "jo@b.example"\ntime_zone = "Mars/X"', "no time zone"),
        ('[[recipient]]\naddress = "jo@b.example"\ntime_zone = "../x"', "no time zone"),
        ('[[recipient]]\naddress = "jo@b.example"\nreports = ["hourly"]', "no report 'hourly'"),
        (
            '[[recipient]]\naddress = "a@b.example"\n[[recipient]]\naddress = "A <a@B.example>"',
            "twice",
        ),
        ('unsubscribe = "javascript:alert(1)"', "https:// or a mailto:"),
        ('unsubscribe = "https://x.example/\\r\\nBcc: y"', "https:// or a mailto:"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(LakeError, match=told):
        written(tmp_path, text)
