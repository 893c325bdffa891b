"""What the simulated shop sells and to whom, learned from an ERP extract of any shop.

In: the rows of an extract; bad rows are ignored. Out: `Catalog`, the same for the same content,
whatever the order or the form of the file.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from lakehouse.contracts.amounts import line_amount
from lakehouse.contracts.business import (
    FIRST_YEAR,
    LAST_YEAR,
    SERVICE_CODE_PREFIX,
    SERVICE_CODES,
    TEXT_LIMIT,
)
from lakehouse.contracts.erp_lines import canonical_id, present, read_time
from lakehouse.contracts.outliers import plausible_span
from lakehouse.contracts.topics import ERP_COLUMNS, DateOrder
from storefront.erp.columns import ExtractRow
from storefront.erp.extract import AS_USUAL, Reading, read_extract

UNKNOWN_COUNTRY = "Unspecified"

Offers = Counter[tuple[str, str | None, str]]
"""Sale lines by raw sku, description and price."""

Buyers = set[tuple[str, str | None, str]]
"""Raw customer and country, and order, of the sales."""

T = TypeVar("T", str, Decimal)


@dataclass(frozen=True, order=True)
class Product:
    """A product that was sold. `price` is its most frequent price in cents, `sold` its lines."""

    sku: str
    description: str
    price: int
    sold: int


@dataclass(frozen=True, order=True)
class KnownCustomer:
    """A customer of the extract. `orders` counts invoices with a sale."""

    customer_id: str
    country: str
    orders: int


@dataclass(frozen=True)
class Catalog:
    """Products and customers, each in the order of its id.

    Attributes:
        last_day: Last plausible day with a sale (`lakehouse.contracts.outliers`); the simulated
            clock goes on after it.
    """

    products: tuple[Product, ...]
    customers: tuple[KnownCustomer, ...]
    last_day: date | None


def load_catalog(path: Path, reading: Reading = AS_USUAL) -> Catalog:
    """Catalog of the extract in a file.

    Raises:
        LakeError: The file is no ERP extract.
    """
    extract = read_extract(path, reading)
    return catalog_from(extract.rows(), date_order=extract.date_order)


def catalog_from(rows: Iterable[ExtractRow], *, date_order: DateOrder | None = None) -> Catalog:
    """Catalog of the sale lines among the rows.

    The name of a product is its most frequent trimmed description, ties by text; its price the most
    frequent one, ties by the lower; a customer's country the most frequent one, ties by text.
    """
    offers: Offers = Counter()
    buyers: Buyers = set()
    times: set[str] = set()
    width = len(ERP_COLUMNS)
    for texts, _, column_count in rows:
        invoice, sku, description, quantity, time, price, customer, country = texts
        if not (invoice and sku and quantity and time and price) or column_count != width:
            continue
        order_id = canonical_id(invoice)
        if order_id is None or canonical_id(sku) is None:
            continue
        if not (_is_positive(quantity) and _is_positive(price) and _is_sale(invoice)):
            continue
        offers[sku, description, price] += 1
        times.add(time)
        if customer:
            buyers.add((customer, country, order_id))
    return Catalog(_products(offers), _customers(buyers), _last_day(times, date_order=date_order))


@lru_cache(1 << 12)
def _is_positive(text: str) -> bool:
    number = line_amount("1", text)
    return number is not None and number > 0


@lru_cache(1 << 12)
def _is_sale(invoice: str) -> bool:
    return not invoice.strip(" ").upper().startswith(("A", "C"))


def _products(offers: Offers) -> tuple[Product, ...]:
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    prices: defaultdict[str, Counter[Decimal]] = defaultdict(Counter)
    for (raw_sku, raw_description, raw_price), lines in offers.items():
        sku = (canonical_id(raw_sku) or "").strip(" ").upper()
        amount = line_amount("1", raw_price)
        if not _is_product(sku) or amount is None:
            continue
        description = (raw_description or "").strip(" ")
        names[sku][description if _is_sound(description) else sku] += lines
        prices[sku][amount] += lines
    return tuple(
        Product(sku, _most_frequent(names[sku]), _cents(_most_frequent(found)), found.total())
        for sku, found in sorted(prices.items())
    )


def _customers(buyers: Buyers) -> tuple[KnownCustomer, ...]:
    countries: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for raw_customer, raw_country, _ in buyers:
        customer_id = (canonical_id(raw_customer) or "").strip(" ")
        country = (present(raw_country or "") or "").strip(" ")
        if _is_sound(customer_id):
            countries[customer_id][country if _is_sound(country) else UNKNOWN_COUNTRY] += 1
    return tuple(
        KnownCustomer(customer_id, _most_frequent(found), found.total())
        for customer_id, found in sorted(countries.items())
    )


def _last_day(times: set[str], *, date_order: DateOrder | None) -> date | None:
    read = (read_time(text, date_order=date_order) for text in times)
    days = {time[:10] for time in read if time and FIRST_YEAR <= int(time[:4]) <= LAST_YEAR}
    span = plausible_span(map(date.fromisoformat, days))
    return span.last if span else None


def _is_product(sku: str) -> bool:
    is_service = sku in SERVICE_CODES or sku.startswith(SERVICE_CODE_PREFIX)
    return _is_sound(sku) and not is_service


def _is_sound(text: str) -> bool:
    return bool(text) and len(text) <= TEXT_LIMIT and text.isprintable()


def _most_frequent(found: Counter[T]) -> T:
    """The most frequent value; among equals the smallest."""
    most = max(found.values())
    return min(value for value, times in found.items() if times == most)


def _cents(amount: Decimal) -> int:
    return max(1, int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP)))


_SHELVES = (
    ("seasonal", ("CHRISTMAS", "EASTER", "ADVENT", "SNOW", "REINDEER", "HALLOWEEN", "VALENTINE")),
    ("lighting", ("LIGHT", "LAMP", "LANTERN", "CANDLE", "T-LIGHT", "HOLDER")),
    ("bags", ("BAG", "PURSE", "SHOPPER", "BACKPACK", "LUGGAGE")),
    ("kitchen", ("CAKE", "MUG", "CUP", "PLATE", "BOWL", "TEA", "TEAPOT", "JAR", "BAKING", "SPOON")),
    ("stationery", ("CARD", "PEN", "PENCIL", "PENCILS", "WRAP", "NOTEBOOK", "PAPER", "STICKERS")),
    ("jewellery", ("NECKLACE", "BRACELET", "EARRINGS", "RING", "BROOCH")),
    ("garden", ("GARDEN", "PLANT", "FLOWER", "BIRD", "SEEDS", "HERB")),
    ("toys", ("GAME", "TOY", "DOLL", "PUZZLE", "DOMINOES", "SOLDIER", "PLAYHOUSE", "CRAYONS")),
    ("home", ("CUSHION", "CLOCK", "FRAME", "SIGN", "DRAWER", "HOOK", "MIRROR", "DOORMAT", "RUG")),
)


_OTHER = "gifts"


def category_of(description: str) -> str:
    """The first shelf one of whose words is in the name, singular or plural; else `gifts`."""
    words = set(description.upper().split())
    words |= {word.removesuffix("S") for word in words}
    return next((shelf for shelf, marks in _SHELVES if words.intersection(marks)), _OTHER)
