"""A small catalog for simulated days."""

from datetime import date

import pytest

from storefront.data import embedded_history
from storefront.simulator import Catalog, load_catalog
from storefront.simulator.catalog import KnownCustomer, Product


@pytest.fixture
def catalog() -> Catalog:
    """200 products and 150 customers of three countries."""
    countries = ("United Kingdom", "France", "Germany")
    return Catalog(
        tuple(Product(f"{n:05d}", f"RED BAG NO {n}", 25 + 7 * n, 1 + n % 9) for n in range(200)),
        tuple(KnownCustomer(str(12_000 + n), countries[n % 3], 1 + n % 5) for n in range(150)),
        date(2011, 12, 9),
    )


# part: history
@pytest.fixture(scope="session")
def real_catalog() -> Catalog:
    """The catalog of the embedded history."""
    return load_catalog(embedded_history())


# end part
