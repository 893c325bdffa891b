"""The frame around the pages: header, navigation, the "as of" line, and what keeps it live.

In: the pages and the gold in service. Out: the app's layout and its callbacks. A page is mounted
when it is opened; the filters are kept in the address, so they survive a change of page.
"""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, dcc, html

from dashboards import components, filters, formats
from dashboards.callbacks import off_loop
from dashboards.figures import sales as sales_figures
from dashboards.live import epoch
from dashboards.published import PublishedGold
from dashboards.queries import sales as sales_queries
from dashboards.queries.last_run import LastRun, read_last_run
from dashboards.registry import GROUPS, module_at, modules
from lakehouse.errors import LakeError
from lakehouse.pointer import NothingPublished, Version

NAME = "Cartlake"
_HEALTH = "/data-health"
_THEME = {
    "primaryColor": "brand",
    "primaryShade": {"light": 7, "dark": 4},
    "defaultRadius": "md",
    "fontFamily": "var(--font)",
    "fontFamilyMonospace": "var(--mono)",
    "colors": {
        "brand": [
            "#e7f5fa",
            "#d2e8f0",
            "#a6d0e0",
            "#76b7d0",
            "#4fa2c2",
            "#3694ba",
            "#268db6",
            "#14749a",
            "#0a6486",
            "#00506d",
        ],
        "dark": [
            "#e4ecf2",
            "#c3cfda",
            "#9aabba",
            "#74879a",
            "#4c5d6c",
            "#33414d",
            "#1b252e",
            "#161f27",
            "#0e151b",
            "#0a0f14",
        ],
    },
    "components": {"Tooltip": {"defaultProps": {"withArrow": True}}},
}


def layout(gold: PublishedGold) -> Any:
    """The layout of one page load, with the epoch that it starts from."""
    return dmc.MantineProvider(
        dmc.AppShell(
            [
                html.A("Skip to the figures", href="#main", className="skip"),
                dmc.AppShellHeader(_header()),
                dmc.AppShellNavbar(_navigation()),
                dmc.AppShellMain(
                    html.Div(
                        [html.Div(id="as-of"), filters.bar(), html.Div(id="page")],
                        className="page",
                        id="main",
                    )
                ),
                dcc.Location(id="url", refresh=False),
                dcc.Store(id="epoch", data={"epoch": epoch(gold.settings)}),
                dcc.Store(id="live-message"),
                dcc.Store(id="pages", data=filters.pages()),
                dcc.Store(id="templates", data=sales_figures.TEMPLATES),
                dcc.Store(id="shown-scheme"),
            ],
            id="shell",
            header={"height": 56},
            navbar={"width": 216, "breakpoint": "sm", "collapsed": {"mobile": True}},
            padding=0,
        ),
        theme=_THEME,
        defaultColorScheme="auto",
    )


def _header() -> Any:
    return html.Div(
        [
            dmc.Burger(
                id="burger", opened=False, hiddenFrom="sm", size="sm", **{"aria-label": "Menu"}
            ),
            dcc.Link(
                [components.icon("brand"), html.Span(NAME)],
                href="/",
                className="brand",
                title=f"{NAME}: first page",
            ),
            html.Span(
                [
                    html.Span(className="live-dot", **{"aria-hidden": "true"}),
                    html.Span("Live", className="live-on"),
                    html.Span("Connecting", className="live-off"),
                ],
                className="live",
                title="The page shows new figures as soon as they are published",
                role="status",
            ),
            dmc.ColorSchemeToggle(
                id="scheme",
                lightIcon=components.icon("sun"),
                darkIcon=components.icon("moon"),
                variant="subtle",
                color="gray",
                size="lg",
                **{"aria-label": "Switch between light and dark"},
            ),
        ],
        className="header",
    )


def _navigation() -> Any:
    groups = []
    for group in GROUPS:
        links = [
            dcc.Link(
                [components.icon(page.icon), html.Span(page.title)],
                href=page.path,
                className="nav-link",
                id=f"link-{index}",
            )
            for index, page in enumerate(module.PAGE for module in modules())
            if page.group == group
        ]
        if links:
            title = html.H2(group, className="nav-group")
            groups.append(html.Section([title, *links], **{"aria-label": group}))
    return html.Nav(groups, className="nav", **{"aria-label": "Pages"})


def mounted(path: object) -> Any:
    """The page at an address, or where to go from an address that has none."""
    module = module_at(path)
    if module is not None:
        return module.layout()
    way = html.P(["Nothing is at this address. ", dcc.Link("Go to the first page", href="/")])
    return html.Div([html.H1("No such page"), way], className="page-head")


def register(app: Any, gold: PublishedGold) -> None:
    """Callbacks of the frame and of every page."""
    app.callback(Output("as-of", "children"), Input("epoch", "data"))(
        off_loop(lambda _epoch: as_of(gold), on_error=lambda _notice: None)
    )
    app.callback(Output("page", "children"), Input("url", "pathname"))(
        off_loop(mounted, on_error=lambda notice: notice)
    )
    count = len(modules())
    app.clientside_callback(
        ClientsideFunction("cartlake", "show_page"),
        *(Output(f"link-{index}", "className") for index in range(count)),
        *(Output(f"link-{index}", "href") for index in range(count)),
        Input("url", "pathname"),
        Input("url", "search"),
        State("pages", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("cartlake", "close_menu"),
        Output("burger", "opened"),
        Input("url", "pathname"),
    )
    app.clientside_callback(
        ClientsideFunction("cartlake", "open_menu"),
        Output("shell", "navbar"),
        Input("burger", "opened"),
        State("shell", "navbar"),
    )
    app.clientside_callback(
        ClientsideFunction("cartlake", "next_epoch"),
        Output("epoch", "data"),
        Input("live-message", "data"),
        State("epoch", "data"),
        prevent_initial_call=True,
    )
    filters.register(app, gold)
    for module in modules():
        module.register(app, gold)


def as_of(gold: PublishedGold) -> Any:
    """Which version the figures are of; amber when the last run failed."""
    run = _last_run(gold)
    try:
        with gold.reader() as reader:
            version, extent = reader.version, sales_queries.held(reader)
    except NothingPublished:
        return _failed(run, None) if run is not None and run.is_failed else None
    if run is not None and run.is_failed:
        return _failed(run, version)
    facts = [
        html.Span(["As of ", html.Strong(formats.moment(version.published_at))]),
        html.Span(["run ", html.Code(version.run_id)]),
        html.Span(["data to ", formats.day(extent.last_day)]) if extent else None,
        html.Span(f"orders on {_outlying(extent.outlier_count)} left out of all periods")
        if extent and extent.outlier_count
        else None,
    ]
    return html.P(facts, className="as-of-facts", role="status")


def _outlying(count: int) -> str:
    return "1 day far from all others" if count == 1 else f"{count} days far from all others"


def _last_run(gold: PublishedGold) -> LastRun | None:
    try:
        return read_last_run(gold.settings)
    except LakeError:
        return None  # Data health says what is wrong with the report


def _failed(run: LastRun, version: Version | None) -> Any:
    stay = (
        f"The figures stay those of run {version.run_id}, published "
        f"{formats.moment(version.published_at)}."
        if version
        else "Nothing was published."
    )
    return components.banner(
        "warn",
        [
            html.Strong(f"The last run failed, {formats.moment(run.finished_at)}. "),
            f"{stay} ",
            html.Span(run.message),
            " ",
            dcc.Link("See data health", href=_HEALTH),
        ],
    )
