"""The pages of the screens: a page is a folder of `dashboards/pages` and a line of `PAGES`.

In: the names of the folders. Out: their modules `page`, each with a `PAGE`, a `layout` that is
built when the page is opened, and callbacks that are registered once when the server starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from dashboards.published import PublishedGold

PAGES = (
    "executive",
    "sales",
    "products",
    "live",
    "segments",
    "churn",
    "lifetime_value",
    "forecast",
    "models",
    "experiments",
    "alerts",
    "reports",
    "data_health",
)
"""Folders of `dashboards/pages`, in the order of the navigation within each group."""

Group = Literal["Sales", "Customers", "Models", "Decisions", "Platform"]
GROUPS: tuple[Group, ...] = ("Sales", "Customers", "Models", "Decisions", "Platform")
Filter = Literal["period", "comparison", "country", "source"]


@dataclass(frozen=True)
class Page:
    """What the frame needs to know of a page.

    `icon` names a class of `assets/cartlake.css`. `filters` are the parts of the filter bar that
    the page obeys: its callbacks take them from the address, as `filters.chosen` reads it.
    """

    path: str
    title: str
    group: Group
    icon: str
    filters: Sequence[Filter] = ()


class PageModule(Protocol):
    """The module `page` in the folder of a page."""

    PAGE: Page

    def layout(self) -> Any:
        """The page without figures, built each time that it is opened."""

    def register(self, app: Any, gold: PublishedGold) -> None:
        """Connect the page. Its callbacks run while it is mounted, first when it is opened."""


def module_of(name: str) -> PageModule:
    """The module `page` of a folder."""
    return cast("PageModule", import_module(f"{__package__}.pages.{name}.page"))


@cache
def modules() -> tuple[PageModule, ...]:
    """Every page's module, in the order of the navigation: by group, then as listed."""
    found = map(module_of, PAGES)
    return tuple(sorted(found, key=lambda module: GROUPS.index(module.PAGE.group)))


def module_at(path: object) -> PageModule | None:
    """The page at an address, with or without a slash at its end; None when there is none."""
    clean = (path.rstrip("/") or "/") if isinstance(path, str) else None
    return next((module for module in modules() if module.PAGE.path == clean), None)
