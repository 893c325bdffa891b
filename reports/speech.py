"""Figures, days and texts of the data as a reader of one language and time zone sees them.

In: exact values. Out: text, rounded half up once.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from lakehouse.shop import shop
from reports.languages import LANGUAGES, LOCALES


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up, as the screens do; never a negative zero."""
    found = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return found if found else abs(found)


@dataclass(frozen=True)
class Speech:
    """A language and a time zone."""

    language: str
    time_zone: str

    @property
    def locale(self) -> str:
        return LOCALES[self.language]

    def say(self, phrase: str, /, **values: object) -> str:
        return LANGUAGES[self.language][phrase].format(**values)

    def counted(self, phrase: str, number: Decimal) -> str:
        """A phrase that has one form for one, and another."""
        ending = "one" if number == 1 else "other"
        return self.say(f"{phrase}_{ending}", count=self.count(number))

    def money(self, value: Decimal) -> str:
        return str(
            format_currency(
                rounded(value, 2), shop().currency, locale=self.locale, decimal_quantization=False
            )
        )

    def count(self, value: Decimal | int) -> str:
        return str(format_decimal(rounded(Decimal(value), 0), locale=self.locale))

    def decimal(self, value: Decimal, places: int) -> str:
        pattern = f"#,##0.{'0' * places}"
        return str(format_decimal(rounded(value, places), pattern, locale=self.locale))

    def percent(self, ratio: Decimal, places: int = 1) -> str:
        digits = f"#,##0.{'0' * places}%" if self.language == "en" else f"#,##0.{'0' * places}\xa0%"
        return str(format_percent(rounded(ratio, places + 2), format=digits, locale=self.locale))

    def value(self, value: Decimal | None, unit: str) -> str:
        """A KPI's value in its unit; a dash where it has none."""
        if value is None:
            return self.say("none")
        if unit == "money":
            return self.money(value)
        return self.percent(value, 2) if unit == "rate" else self.count(value)

    def signed(self, text: str, value: Decimal) -> str:
        return f"+{text}" if value > 0 else text

    def day(self, value: date, style: str = "long") -> str:
        """Friday, 9 December 2011, or in other styles: 9 Dec 2011."""
        patterns = {
            "en": {
                "long": "EEEE, d MMMM y",
                "short": "EEE, d MMM y",
                "near": "EEE, d MMM",
                "tick": "d MMM",
            },
            "de": {
                "long": "EEEE, d. MMMM y",
                "short": "EEE, d. MMM y",
                "near": "EEE, d. MMM",
                "tick": "d. MMM",
            },
        }
        return str(format_date(value, patterns[self.language][style], locale=self.locale))

    def weekday(self, value: date) -> str:
        return str(format_date(value, "EEEE", locale=self.locale))

    def moment(self, value: datetime) -> str:
        """A time in the reader's zone, with its name."""
        pattern = "d MMM y, HH:mm z" if self.language == "en" else "d. MMM y, HH:mm z"
        return str(
            format_datetime(value, pattern, tzinfo=ZoneInfo(self.time_zone), locale=self.locale)
        )
