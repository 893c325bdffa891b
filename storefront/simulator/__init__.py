"""A seeded web shop that trades on with the catalog and the customers of an ERP extract."""

from storefront.simulator.catalog import Catalog, catalog_from, load_catalog
from storefront.simulator.parameters import ShopParameters
from storefront.simulator.shop import simulate

__all__ = ["Catalog", "ShopParameters", "catalog_from", "load_catalog", "simulate"]
