"""`lake contracts`: what changed since the contracts were released, and who would notice."""

from typing import TYPE_CHECKING

import typer

from lakehouse.errors import CheckFailed
from operations.cli import app

if TYPE_CHECKING:
    from governance.contracts.changes import Change

contracts_app = typer.Typer(
    no_args_is_help=True, help="Contracts of topics, tables and gold: check, release."
)
app.add_typer(contracts_app, name="contracts")

SHOWN_READERS = 12
"""Names of one kind that a breaking change lists at most."""


@contracts_app.command("check")
def check() -> None:
    """Compare the code's contracts with the released ones; exit code 1 for a breaking change.

    A new optional field with a new schema_version, or a new nullable column, passes. Example:
    lake contracts check
    """
    changes = _judged()
    print(_summary(changes))


@contracts_app.command("release")
def release() -> None:
    """Write the code's contracts down as released, after a check that passes.

    Commit the file with the change it belongs to. Example: lake contracts release
    """
    from governance.contracts import released

    changes = _judged()
    if not changes:
        print("Nothing to release: the contracts are the released ones.")
        return
    path = released.SNAPSHOT
    released.write_released(released.present_shapes(), snapshot=path)
    print(f"Released {_counted(len(changes), 'additive change')} to {path}. Commit it.")


def _judged() -> "tuple[Change, ...]":
    """Changes since the release, all of them additive. Raises: CheckFailed for a breaking one."""
    from governance.contracts import released
    from governance.contracts.changes import changes_between

    before = released.released_shapes(released.SNAPSHOT)
    changes = changes_between(before, released.present_shapes())
    for change in changes:
        print(f"{'breaking' if change.is_breaking else 'additive'}  {change}")
        if change.is_breaking:
            for line in _readers_of(change):
                print(f"          {line}")
    broken = sum(change.is_breaking for change in changes)
    if broken:
        raise CheckFailed(
            f"{_counted(broken, 'breaking change')} of released contracts. Leave the old name as "
            "it is and add the new one beside it: docs/contracts.md says how."
        )
    return changes


def _readers_of(change: "Change") -> list[str]:
    from governance.lineage.readers import consumers_of

    lines = []
    for kind, names in consumers_of(change.contract, change.field).items():
        more = len(names) - SHOWN_READERS
        shown = [*names[:SHOWN_READERS], *([f"and {more} more"] if more > 0 else [])]
        lines.append(f"{kind}: {', '.join(shown)}")
    return lines or ["nothing in this project reads it"]


def _summary(changes: "tuple[Change, ...]") -> str:
    if not changes:
        return "The contracts are the released ones."
    return (
        f"{_counted(len(changes), 'additive change')} since the last release, none breaking. "
        "`lake contracts release` writes them down."
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
