"""`lake quality`: does the gate catch what it claims."""

from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.errors import CheckFailed
from operations.cli import app

if TYPE_CHECKING:
    from quality.proof.prove import ProofRow

quality_app = typer.Typer(no_args_is_help=True, help="The quality rules: prove.")
app.add_typer(quality_app, name="quality")


@quality_app.command("prove")
def prove(
    seeds: Annotated[int, typer.Option(min=1, help="Sound shops that must raise nothing.")] = 20,
) -> None:
    """Plant every known defect in an invented shop, one at a time, and show which check saw it.

    Each must be caught by the one check that is named for it, and sound shops must raise none;
    exit code 1 otherwise. It needs no state, and some minutes. Example: lake quality prove
    """
    from operations.cli.display import wide_console
    from pipelines.gold.prove import prove_gold
    from quality.proof.prove import alarms, prove_defects

    console = wide_console()
    rows = []
    for row in prove_defects():
        rows.append(row)
        console.print(_told(row), highlight=False, soft_wrap=True)
    gold = prove_gold(range(seeds))
    for row in gold.rows:
        console.print(_told(row), highlight=False, soft_wrap=True)
    rows += gold.rows
    raised = {seed: (*alarms(seed), *gold.alarms[seed]) for seed in range(seeds)}
    missed = [row for row in rows if not row.caught]
    alarmed = {seed: names for seed, names in raised.items() if names}
    for seed, rules in alarmed.items():
        console.print(f"[red]alarm[/]   sound shop {seed}: {', '.join(rules)}", highlight=False)
    print(
        f"{len(rows) - len(missed)} of {len(rows)} planted defects caught by their check alone; "
        f"{len(alarmed)} of {seeds} sound shops alarmed."
    )
    if missed or alarmed:
        problems = [f"'{row.defect}' is missed" for row in missed]
        problems += [f"sound shop {seed} alarms" for seed in alarmed]
        raise CheckFailed(f"The checks do not do what they claim: {', '.join(problems)}.")


def _told(row: "ProofRow") -> str:
    from rich.markup import escape

    if row.caught:
        verdict = f"[green]caught[/]  {row.effect}"
    else:
        others = ", ".join(row.found) or "nothing"
        verdict = f"[red]missed[/]  seen by {escape(others)}"
    return f"{verdict}  {escape(row.defect)}  ->  [bold]{row.check}[/]  {escape(row.saw)}"
