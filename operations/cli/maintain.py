"""`lake maintain`: fewer files, less disk, the same rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.settings import Settings
from lakehouse.shop_format import counted, number
from operations.cli import app

if TYPE_CHECKING:
    from operations.maintain import Chore


@app.command("maintain")
def maintain(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what each table needs, and change nothing.")
    ] = False,
    keep_hours: Annotated[
        float, typer.Option(help="Hours that files are kept after they left a table; 168 or more.")
    ] = 168,
) -> None:
    """Join small files, and delete files that left their table a week ago.

    Rows stay as they are, and the audit holds as before. Example: lake maintain --dry-run
    """
    from operations.maintain import chores

    settings = Settings()
    due = chores(settings, keep_hours=keep_hours)
    if dry_run:
        _show(due)
        return
    from operations.cli.display import show_summary, stage_display
    from operations.run import run_jobs

    with stage_display() as on_change:
        report = run_jobs(
            ["maintain"],
            settings=settings,
            command="lake maintain",
            options={"keep_hours": str(keep_hours)},
            on_change=on_change,
        )
    show_summary(report, is_full=False)


def _show(due: "Sequence[Chore]") -> None:
    if not due:
        print("There are no tables yet: run ./lake demo.")
        return
    for each in due:
        found = each.survey
        size = found.live_bytes / 1024**2
        files = counted(found.live_files)
        print(f"{each.table.name:<26} {files:>5} files, {number(size, places=1)} MB")
        if found.crowded:
            parts = ", ".join(value or "the table" for value in found.crowded)
            print(f"{'':26} to join: {counted(found.small_files)} small files, too many in {parts}")
        if found.expired or found.resting:
            freed = found.expired_bytes / 1024**2
            print(
                f"{'':26} replaced: {counted(found.expired)} files to delete "
                f"({number(freed, places=1)} MB), {counted(found.resting)} kept for "
                f"{number(each.keep_hours)} hours ({each.why})"
            )
        if found.stray:
            freed = found.stray_bytes / 1024**2
            print(
                f"{'':26} stray: {counted(found.stray)} files that no commit names "
                f"({number(freed, places=1)} MB), {counted(found.stray_expired)} old enough to "
                "delete"
            )
