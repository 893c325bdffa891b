"""What settings may be, and the sentence about a setting that does not fit.

In: texts of the environment. Out: the same texts, or a `ValueError` that says what would fit.
"""

import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ValidationError

SIZE = r"^[1-9]\d*[kmgKMG]$"
MASTER = r"^(local(\[([1-9]\d*|\*)\])?|yarn|[a-z0-9]+://\S+)$"
MAIL_SERVER = r"^smtps?://([^\s/@]+@)?[^\s:/@]+(:\d{1,5})?$"
WEB_ADDRESS = r"^https?://[^\s/@?#]+(/\S*)?$"
ADDRESS = r"^[^\s:,/]+:\d{1,5}$"
TARGETS = r"^[a-z_]+=\d{1,12}(\.\d{1,4})?(,[a-z_]+=\d{1,12}(\.\d{1,4})?)*$"
NAMES = r"^[^\s:,/]+(:\d{1,5})?(,[^\s:,/]+(:\d{1,5})?)*$"


def _currency(code: str) -> str:
    from babel.core import get_global

    lists = get_global("territory_currencies").values()
    current = {each[0] for found in lists for each in found if each[3] and each[2] is None}
    if code not in current:
        raise ValueError("must be the code of a currency of today, like EUR or GBP")
    return code


def _time_zone(name: str) -> str:
    is_place = "/" in name or name == "UTC"
    if not is_place or name not in zoneinfo.available_timezones():
        raise ValueError("must be a time zone, like Europe/Berlin or Europe/London")
    return name


def _locale(name: str) -> str:
    from babel.core import Locale, UnknownLocaleError

    try:
        is_exact = str(Locale.parse(name)) == name
    except (UnknownLocaleError, ValueError):
        is_exact = False
    if not is_exact:
        raise ValueError("must be a locale, like de_DE or en_GB")
    return name


Currency = Annotated[str, AfterValidator(_currency)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Locale = Annotated[str, AfterValidator(_locale)]


def what_fits(error: ValidationError, settings: type[BaseModel]) -> str:
    """One sentence about the first value that does not fit."""
    wrong = error.errors()[0]
    place = str(wrong["loc"][0]) if wrong["loc"] else ""
    if place not in settings.model_fields:
        return f"The settings don't fit: {wrong['msg']}."
    facts = settings.model_json_schema(by_alias=False)["properties"][place]
    if wrong["type"] == "value_error":
        fitting = str(wrong["ctx"]["error"])
    elif "examples" in facts:
        fitting = f"must be like {' or '.join(facts['examples'])}"
    elif "enum" in facts:
        fitting = f"must be one of {', '.join(facts['enum'])}"
    elif "minimum" in facts:
        most = f" to {facts['maximum']}" if "maximum" in facts else " on"
        fitting = f"must be a whole number from {facts['minimum']}{most}"
    else:
        fitting = f"does not fit: {wrong['msg']}"
    default = f" for {facts['default']}" if facts["default"] is not None else ""
    name = settings.model_fields[place].validation_alias or f"LAKE_{place.upper()}"
    return f"{name} is {str(wrong['input'])!r}, but {fitting}. Change it, or leave it out{default}."
