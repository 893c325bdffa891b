"""What a person sees of a run: live stages, the stage table, key figures, the verdict."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.shop_format import counted, number, plain_money

if TYPE_CHECKING:
    from rich.console import Console

    from lakehouse.stages import Stage

FIGURES = (
    ("erp_gross_amount", "Gross sales (ERP)", True),
    ("cancelled_amount", "Cancellations (ERP)", True),
    ("erp_net_amount", "Net sales (ERP)", True),
    ("erp_order_count", "Orders with a sale (ERP)", False),
    ("erp_line_count", "Sale lines (ERP)", False),
    ("erp_identified_amount", "Identified gross sales (ERP)", True),
    ("erp_identified_customer_count", "Identified customers (ERP)", False),
    ("web_gross_amount", "Gross sales (simulated web shop)", True),
    ("web_order_count", "Orders with a sale (simulated web shop)", False),
)


@contextlib.contextmanager
def stage_display() -> "Iterator[Callable[[Stage], None]]":
    """Shows each stage as it runs; yields what to call when a stage changes."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True, disable=not sys.stdout.isatty()) as progress:
        tasks: dict[int, Any] = {}

        def change(stage: "Stage") -> None:
            if stage.status == "running":
                tasks[id(stage)] = progress.add_task(stage.name, total=None)
                return
            task = tasks.pop(id(stage), None)
            if task is not None:
                progress.remove_task(task)
            note = f"  {stage.note}" if stage.note else ""
            mark = {"done": "[green]✓[/]", "failed": "[red]✗[/]"}.get(stage.status, "·")
            progress.console.print(
                f"{mark} {stage.name:<10} {stage.seconds:>7.1f} s{note}", highlight=False
            )

        change.progress = progress  # type: ignore[attr-defined]
        yield change


@contextlib.contextmanager
def counting(label: str) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """A progress bar over records; yields (set the total, set how many are done)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, transient=True, disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task(label, total=None)
        yield (
            lambda total: progress.update(task, total=total),
            lambda done: progress.update(task, completed=done),
        )


def show_summary(report: dict[str, Any], *, is_full: bool = True) -> None:
    """Print the stage table and, after a publish, the key figures with the verdict."""
    console = wide_console()
    console.print(_stage_table(report))
    if is_full:
        if report["message"]:
            console.print(report["message"], highlight=False)
        console.print(_figure_table(report))
        console.print(_verdict(report), highlight=False)


def show_equations(rows: list[dict[str, Any]]) -> None:
    """Print the audit: equation, both sides, verdict, and each difference by name."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "Equation", "Left", "Right", "Verdict"):
        table.add_column(name, overflow="fold")
    for row in rows:
        style = "green" if row["verdict"] == "holds" else "red"
        table.add_row(
            row["equation"],
            *[escape(row[side]) for side in ("statement", "left", "right")],
            f"[{style}]{row['verdict']}[/]",
        )
    console = wide_console()
    console.print(table)
    for row in rows:
        if row["difference"]:
            console.print(
                f"[red]{row['equation']}[/] {escape(row['difference'])}",
                highlight=False,
                soft_wrap=True,
            )


def show_restatements(rows: list[dict[str, Any]], *, total: int) -> None:
    """Print restated KPIs, newest publish last, exactly as they were published."""
    from rich.table import Table

    if not rows:
        print("No published KPI was changed by a later publish.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Day", "KPI", "Unit", "Before", "After", "Run"):
        table.add_column(name, justify="right" if name in ("Before", "After") else "left")
    for row in rows:
        table.add_row(*["none" if value is None else value for value in row.values()])
    wide_console().print(table, highlight=False)
    print(
        f"{counted(total)} in all."
        if total == len(rows)
        else f"The newest {counted(len(rows))} of {counted(total)}."
    )


def wide_console() -> "Console":
    """The terminal, or a page wide enough for the tables where output goes to a file."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=160)


def _stage_table(report: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Stage", "Rows in", "Rows out", "Seconds", "CPU s", ""):
        table.add_column(name, justify="left" if name in ("Stage", "") else "right")
    for stage in report["stages"]:
        table.add_row(
            stage["name"],
            _count(stage["rows_in"]),
            _count(stage["rows_out"]),
            f"{stage['seconds']:.1f}",
            f"{stage['cpu_seconds']:.1f}",
            stage["note"],
        )
    table.add_row(
        "whole run",
        "",
        "",
        f"{report['wall_seconds']:.1f}",
        f"{report['cpu_seconds']:.1f}",
        f"peak memory {report['peak_pss_bytes'] / 2**30:.2f} GiB",
    )
    return table


def _figure_table(report: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, label, is_money in FIGURES:
        value = report["figures"].get(name)
        if value is not None:
            table.add_row(
                label, plain_money(Decimal(value)) if is_money else number(int(Decimal(value)))
            )
    refused = sum(each["records"] for each in report["quarantine"])
    table.add_row("Refused records in quarantine", number(refused))
    return table


def _verdict(report: dict[str, Any]) -> str:
    rows = report["reconciliation"]
    failed = [row for row in rows if row["verdict"] != "holds"]
    if not rows:
        return "No reconciliation was due."
    if failed:
        return f"[red]Reconciliation fails: {failed[0]['equation']} {failed[0]['difference']}[/]"
    placed = next((row["right"] for row in rows if row["equation"] == "R4"), "")
    holds = f"[green]Reconciled: all {len(rows)} equations hold.[/]"
    return f"{holds} Every record has one place: {placed}."


def _count(rows: int | None) -> str:
    return "" if rows is None else number(rows)
