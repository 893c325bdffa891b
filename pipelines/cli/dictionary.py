"""`lake dictionary`: the page that says what each KPI, table and column means."""

import os
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import CheckFailed, LakeError
from pipelines.cli import app


@app.command("dictionary")
def dictionary(
    check: Annotated[bool, typer.Option("--check", help="Only compare; write nothing.")] = False,
    page: Annotated[
        Path | None, typer.Option("--page", help="Another file than docs/dictionary.md.")
    ] = None,
) -> None:
    """Write the data dictionary anew from the declared KPIs and the contracts.

    With --check, exit code 1 when the page is not current. Example: lake dictionary
    """
    from lakehouse.contracts import dictionary as contents

    path = page or contents.PAGE
    text = contents.dictionary()
    try:
        is_current = path.is_file() and path.read_text(encoding="utf-8") == text
        if not is_current and not check:
            path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "no UTF-8"
        raise LakeError(f"The dictionary {path} can't be read or written ({reason}).") from error
    if check and not is_current:
        raise CheckFailed(f"{path} is not current. `lake dictionary` writes it anew.")
    print(f"{path} {'is current' if is_current else 'was written'}.")
