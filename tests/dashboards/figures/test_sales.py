"""The figure of sales over time: what is drawn, from which exact amounts, and in which words."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

import dashboards.figures.sales as figures

COLUMNS = ["bucket_date", "source_system", "gross_revenue", "cancelled_amount", "net_revenue"]


def sales(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (
                date.fromisoformat(day),
                source,
                Decimal(gross),
                Decimal(cancelled),
                Decimal(gross) + Decimal(cancelled),
            )
            for day, source, gross, cancelled in rows
        ],
        columns=COLUMNS,
        dtype=object,
    )


def traces(figure: dict[str, Any]) -> dict[str, tuple[list[str], list[float]]]:
    return {each["name"]: (list(each["x"]), list(each["y"])) for each in figure["data"]}


TWO_WEEKS = sales(
    ("2011-01-03", "erp", "100.1000", "-20.0000"),
    ("2011-01-03", "web", "10.2000", "0"),
    ("2011-01-10", "web", "5.0000", "-6.0000"),
)


def test_sources_stack_cancellations_hang_below_and_net_is_the_sum_of_all() -> None:
    figure = figures.sales_over_time(TWO_WEEKS, grain="week")
    assert traces(figure) == {
        "ERP invoices": (["2011-01-03"], [100.1]),
        "Web shop": (["2011-01-03", "2011-01-10"], [10.2, 5.0]),
        "Cancelled": (["2011-01-03", "2011-01-10"], [-20.0, -6.0]),
        "Net": (["2011-01-03", "2011-01-10"], [90.3, -1.0]),
    }
    assert figure["layout"]["barmode"] == "relative"
    assert figure["layout"]["yaxis"]["title"]["text"] == "£ per week"


def test_hovering_says_the_bucket_and_the_exact_amount() -> None:
    net = figures.sales_over_time(TWO_WEEKS, grain="week", is_last_cut=True)["data"][-1]
    assert list(net["customdata"]) == [
        "<b>3 Jan 2011 – 9 Jan 2011</b><br>Net £90.30",
        "<b>10 Jan 2011 – 16 Jan 2011</b> (incomplete)<br>Net −£1.00",
    ]


def test_a_bucket_that_is_not_whole_is_drawn_lighter() -> None:
    whole = figures.sales_over_time(TWO_WEEKS, grain="week")["data"][1]["marker"]
    cut = figures.sales_over_time(TWO_WEEKS, grain="week", is_first_cut=True)["data"][1]["marker"]
    assert (list(whole["opacity"]), list(cut["opacity"])) == ([1.0, 1.0], [0.45, 1.0])


def test_a_source_keeps_its_colour_whatever_else_is_shown() -> None:
    only_web = figures.sales_over_time(sales(("2011-01-03", "web", "1", "0")), grain="day")
    both = figures.sales_over_time(TWO_WEEKS, grain="week")
    assert only_web["data"][0]["marker"]["color"] == both["data"][1]["marker"]["color"]
    assert [each["name"] for each in only_web["data"]] == ["Web shop", "Net"]


def test_a_source_that_is_new_to_the_screens_is_drawn_by_its_name() -> None:
    figure = figures.sales_over_time(sales(("2011-01-03", "kiosk", "1", "0")), grain="day")
    assert [each["name"] for each in figure["data"]] == ["kiosk", "Net"]


def test_axes_are_labelled_in_round_pounds_and_few_days() -> None:
    days = [f"2011-{month:02}-01" for month in range(1, 13)]
    frame = sales(*((day, "erp", "450000", "-220000") for day in days))
    layout = figures.sales_over_time(frame, grain="month")["layout"]
    assert layout["yaxis"]["ticktext"] == ["−£200k", "£0", "£200k", "£400k"]
    assert layout["yaxis"]["tickvals"] == [-200000.0, 0.0, 200000.0, 400000.0]
    assert layout["xaxis"]["ticktext"] == ["Jan<br>2011", "Apr", "Jul", "Oct"]


def test_no_sales_make_an_empty_figure_not_an_error() -> None:
    figure = figures.sales_over_time(sales(), grain="day")
    assert traces(figure) == {"Net": ([], [])}


def test_both_themes_define_the_same_parts() -> None:
    light, dark = (figures.TEMPLATES[name]["layout"] for name in ("light", "dark"))
    assert light.keys() == dark.keys()
    assert light["font"]["color"] != dark["font"]["color"]


def test_a_figure_carries_no_theme_of_its_own() -> None:
    assert "template" not in figures.sales_over_time(TWO_WEEKS, grain="week")["layout"]


def test_labels_of_weeks_that_lie_in_heaps_keep_their_distance() -> None:
    weeks = [date(2019, 3, 18) + timedelta(weeks=n) for n in (0, 1, 2, 3, 31, 32)]
    assert figures.bucket_ticks(weeks, "week") == {
        "tickvals": ["2019-03-18", "2019-10-21"],
        "ticktext": ["18 Mar<br>2019", "21 Oct"],
    }
