"""The closed list of reasons for which a record is refused, each with its meaning and remedy.

Checks run in the order of this list: a record is refused for the first reason that fits.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why a record lies in quarantine. `code` is what the tables hold."""

    code: str
    meaning: str
    remedy: str


REASONS = (
    Reason(
        "contract_refused",
        "The producer refused it against the topic's contract (DLQ).",
        "Fix the producer and send the fact again.",
    ),
    Reason(
        "empty_value",
        "The record has no value (a tombstone) or only blanks.",
        "Send the fact with its message.",
    ),
    Reason("not_utf8", "The bytes are not valid UTF-8.", "Encode messages as UTF-8."),
    Reason(
        "not_json",
        "Not one JSON object: malformed, cut off, or with text after it.",
        "Send exactly one JSON object.",
    ),
    Reason("duplicate_keys", "A JSON object names a key twice.", "Name each key once."),
    Reason("missing_field", "A required field is absent or null.", "Send every required field."),
    Reason(
        "wrong_type",
        "A field has another JSON type than the contract says.",
        "Send the type of the contract; money and ids are strings.",
    ),
    Reason(
        "unknown_version",
        "schema_version is not one that this platform reads.",
        "Send a known schema version, or update the platform.",
    ),
    Reason(
        "bad_event_id",
        "event_id is blank or longer than 200 characters.",
        "Send a stable id of at most 200 characters.",
    ),
    Reason(
        "bad_time",
        "occurred_at is no RFC 3339 time in UTC between 1990 and 2099.",
        "Send times like 2011-12-09T12:50:00Z.",
    ),
    Reason(
        "wrong_column_count",
        "The row of the extract has not eight columns.",
        "Quote texts that hold the delimiter and extract again.",
    ),
    Reason(
        "control_characters",
        "A text holds control characters (also U+0080 to U+009F: cp1252 read as latin-1).",
        "Remove them at the source, or name the file's own --encoding.",
    ),
    Reason("text_too_long", "A text is longer than 1,000 characters.", "Shorten it at the source."),
    Reason(
        "missing_order_id", "The invoice number or order id is empty.", "Fill it at the source."
    ),
    Reason("bad_quantity", "The quantity is no whole number.", "Correct it at the source."),
    Reason(
        "quantity_out_of_range",
        "The quantity is beyond one thousand million pieces.",
        "Correct it at the source.",
    ),
    Reason("bad_price", "The unit price is no plain decimal number.", "Correct it at the source."),
    Reason(
        "too_many_decimals",
        "The unit price has five or more decimals.",
        "Round it at the source; the platform never rounds a price.",
    ),
    Reason(
        "price_out_of_range",
        "The unit price is a hundred million or more.",
        "Correct it at the source.",
    ),
    Reason(
        "amount_out_of_range",
        "Quantity times price is beyond a million million.",
        "Correct it at the source.",
    ),
    Reason(
        "bad_date",
        "The invoice date does not exist or has another form.",
        "Use yyyy-MM-dd HH:mm:ss, or one order of dates with slashes in the whole file.",
    ),
    Reason(
        "date_out_of_range",
        "The invoice date is not between 1990 and 2099.",
        "Correct it at the source.",
    ),
    Reason(
        "unknown_currency",
        "The currency is not one that the shop trades in.",
        "Send amounts in the shop's currency, the setting LAKE_SHOP_CURRENCY.",
    ),
    Reason(
        "unknown_value",
        "A coded field holds a value outside its closed list.",
        "Send one of the values of the contract.",
    ),
    Reason(
        "bad_line",
        "A line of the order is refused, and with it the whole order.",
        "Correct the line that the detail names.",
    ),
    Reason(
        "conflict",
        "The same event_id was accepted before with other content.",
        "Find out which is right; send a correction under a new event_id.",
    ),
)

REASON_CODES = tuple(reason.code for reason in REASONS)
