"""Business constants of the shop: line classes, service codes, what counts as a sale."""

LINE_CLASSES = ("adjustment", "cancellation", "stock_movement", "zero_price", "sale")
"""Class of an order line; the first rule that fits wins, in this order (docs/data.md, rule 2)."""

SERVICE_CODES = (
    "POST",
    "DOT",
    "M",
    "C2",
    "D",
    "S",
    "BANK CHARGES",
    "AMAZONFEE",
    "CRUK",
    "B",
    "PADS",
)
"""Upper-case stock codes that are services, not products; so is anything like `GIFT_0001_*`."""

SERVICE_CODE_PREFIX = "GIFT_0001_"

SOURCE_SYSTEMS = ("erp", "web")

QUANTITY_LIMIT = 10**9
"""Largest quantity of a line, by absolute value."""

PRICE_LIMIT = 10**8
"""Unit prices stay below it, by absolute value."""

AMOUNT_LIMIT = 10**12
"""Line amounts stay below it, by absolute value."""

MAX_DECIMALS = 4
"""Decimals of a price, after trailing zeros."""

TEXT_LIMIT = 1000
"""Characters of any text at most."""

CONTROL_CHARACTERS = r"[\x00-\x1f\x7f-\x9f]"
"""Characters that no business text may hold: C0, DEL and C1 (U+0080 to U+009F)."""

FIRST_YEAR, LAST_YEAR = 1990, 2099
"""Years in which a fact may lie."""
