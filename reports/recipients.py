"""Who gets which report, in which language and time zone: one TOML file.

In: `recipients.toml` in the state folder, or the file of LAKE_RECIPIENTS. Out: `Mailing`. Without a
file, whoever LAKE_ALERT_TO names gets every report, in English and on the shop's clock.

    owners = ["data@shop.example"]
    unsubscribe = "https://shop.example/mail?report={report}&address={address}"

    [[recipient]]
    address = "Jo Roe <jo@shop.example>"
    reports = ["daily", "weekly"]
    language = "en"
    time_zone = "Europe/Berlin"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.shop import shop
from reports.addresses import Address, parse_address
from reports.languages import LANGUAGES

REPORTS = ("daily", "weekly")


@dataclass(frozen=True)
class Recipient:
    """One reader. `reports` of `REPORTS`."""

    address: Address
    reports: tuple[str, ...] = REPORTS
    language: str = "en"
    time_zone: str = field(default_factory=lambda: shop().time_zone)


@dataclass(frozen=True)
class Mailing:
    """All readers, the owners who hear of trouble, and where one unsubscribes."""

    recipients: tuple[Recipient, ...]
    owners: tuple[Address, ...]
    unsubscribe: str = ""

    def of(self, report: str) -> tuple[Recipient, ...]:
        return tuple(each for each in self.recipients if report in each.reports)

    def unsubscribe_link(self, report: str, recipient: Address, *, sender: Address) -> str:
        """What a reader or a mail client follows; a mail to the sender where no link is set."""
        if self.unsubscribe:
            return self.unsubscribe.replace("{report}", quote(report, safe="")).replace(
                "{address}", quote(recipient.spec, safe="")
            )
        return f"mailto:{quote(sender.spec, safe='@')}?subject=unsubscribe%20{quote(report)}"


def recipients_file(settings: Settings) -> Path:
    """Where the readers are written down."""
    return settings.recipients or settings.home / "recipients.toml"


def read_mailing(settings: Settings) -> Mailing:
    """The readers and owners.

    Raises:
        LakeError: The file can't be read, or an entry is not right; the message says which.
    """
    path = recipients_file(settings)
    fallback = _addresses(settings.alert_to)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Mailing(tuple(Recipient(each) for each in fallback), fallback)
    except (OSError, ValueError) as error:
        raise LakeError(f"{path} can't be read: {error}.") from error
    try:
        return _mailing(found, fallback)
    except LakeError as error:
        raise LakeError(f"{path}: {error}") from error


def _mailing(found: Mapping[str, Any], fallback: tuple[Address, ...]) -> Mailing:
    _no_others(found, "owners", "unsubscribe", "recipient")
    recipients = tuple(_recipient(each) for each in _list(found, "recipient"))
    specs = [each.address.spec for each in recipients]
    if twice := next((each for each in specs if specs.count(each) > 1), None):
        raise LakeError(f"{twice} is named twice. Write one [[recipient]] with all its reports.")
    owners = tuple(parse_address(_text(each, "owners")) for each in _list(found, "owners"))
    link = _text(found.get("unsubscribe", ""), "unsubscribe")
    if link and (not link.startswith(("https://", "mailto:")) or not link.isprintable()):
        raise LakeError("unsubscribe must be an https:// or a mailto: link.")
    return Mailing(recipients, owners or fallback, link)


def _recipient(each: object) -> Recipient:
    if not isinstance(each, Mapping):
        raise LakeError("recipient must be written as [[recipient]] with its address below.")
    _no_others(each, "address", "reports", "language", "time_zone")
    address = parse_address(_text(each.get("address", ""), "address"))
    reports = tuple(_text(name, "reports") for name in each.get("reports", REPORTS))
    if strange := set(reports) - set(REPORTS):
        raise LakeError(f"{address.spec}: there is no report {sorted(strange)[0]!r}.")
    language = _text(each.get("language", "en"), "language")
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise LakeError(f"{address.spec}: there is no language {language!r}. Languages: {known}.")
    zone = _text(each.get("time_zone", shop().time_zone), "time_zone")
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        raise LakeError(f"{address.spec}: there is no time zone {zone!r}.") from None
    return Recipient(address, reports, language, zone)


def _addresses(text: str | None) -> tuple[Address, ...]:
    return tuple(parse_address(each) for each in (text or "").split(",") if each.strip())


def _no_others(found: Mapping[str, Any], *names: str) -> None:
    if strange := set(found) - set(names):
        raise LakeError(f"{sorted(strange)[0]!r} is no setting. Settings: {', '.join(names)}.")


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name, [])
    if not isinstance(value, list):
        raise LakeError(f"{name} must be a list.")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise LakeError(f"{name} must be a text.")
    return value
