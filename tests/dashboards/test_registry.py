"""A page is a folder and a line: what the list names is there, and what is there is listed."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from dash import Dash

from dashboards import shell
from dashboards.registry import GROUPS, PAGES, module_at, modules
from dashboards.shell import mounted
from lakehouse.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "dashboards" / "pages"
ICONS = PROJECT_ROOT / "dashboards" / "assets" / "icons"


def ids_of(part: Any) -> Iterator[str]:
    for each in part if isinstance(part, list | tuple) else [part]:
        if hasattr(each, "to_plotly_json"):
            if isinstance(getattr(each, "id", None), str):
                yield each.id
            yield from ids_of(getattr(each, "children", None))


def test_each_folder_is_listed_once() -> None:
    folders = [path.parent.name for path in FOLDER.glob("*/page.py")]
    assert sorted(PAGES) == sorted(folders)


def test_each_page_has_a_path_a_title_a_group_and_an_icon_that_exists() -> None:
    pages = [module.PAGE for module in modules()]
    assert [page for page in pages if page.path == "/"] == pages[:1]
    assert max(Counter(page.path for page in pages).values()) == 1
    assert max(Counter(page.title for page in pages).values()) == 1
    assert [page.group for page in pages] == sorted(
        (page.group for page in pages), key=GROUPS.index
    )
    sheet = (ICONS.parent / "cartlake.css").read_text(encoding="utf-8")
    for page in pages:
        assert (ICONS / f"{page.icon}.svg").is_file(), page.icon
        assert f".icon-{page.icon} {{" in sheet


def test_a_page_is_found_with_or_without_a_slash_at_its_end() -> None:
    for module in modules():
        assert module_at(module.PAGE.path) is module
        assert module_at(f"{module.PAGE.path}/") is module
    assert [module_at(path) for path in ("/nowhere", None, 7)] == [None] * 3


def test_only_the_opened_page_is_mounted(shop: Any) -> None:
    frame = list(ids_of(shell.layout(shop.gold)))
    for module in modules():
        opened = list(ids_of(mounted(module.PAGE.path)))
        assert opened
        assert not set(opened) & set(frame)
        assert max(Counter([*frame, *opened]).values()) == 1
    assert list(ids_of(mounted("/nowhere"))) == []


@pytest.fixture
def app(shop: Any) -> Dash:
    app = Dash(__name__, suppress_callback_exceptions=True)
    shell.register(app, shop.gold)
    return app


def with_charts(ids: set[str]) -> set[str]:
    """With the charts that are mounted when their figure is there."""
    return ids | {each.replace("-place", "-graph") for each in ids if each.endswith("-place")}


def test_each_callback_belongs_to_the_frame_or_to_one_page(shop: Any, app: Dash) -> None:
    frame = set(ids_of(shell.layout(shop.gold)))
    pages = [frame | with_charts(set(ids_of(module.layout()))) for module in modules()]
    assert len(app._callback_list) > len(PAGES)
    for callback in app._callback_list:
        named = {each["id"] for each in [*callback["inputs"], *callback["state"]]}
        outputs = callback["output"].strip(".").split("...")
        named |= {each.rsplit(".", 1)[0] for each in outputs}
        assert any(named <= page for page in pages), named
