"""`lake models` and `lake retrain`: which model serves, why, and how to change it."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings, clean_environment
from operations.cli import app

if TYPE_CHECKING:
    from ml.retraining import Outcome

models = typer.Typer(help="Registered models: which serves, and why.", no_args_is_help=True)
app.add_typer(models, name="models")

Name = Annotated[str, typer.Argument(help="A name of `lake models list`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """Every model: the version that serves, the challenger in its shadow, the last decision."""
    from ml import decisions, serving
    from ml.catalogue import MODELS

    settings = Settings()
    rows = []
    for each in MODELS:
        found = serving.champion(each.name, settings=settings)
        past = decisions.of_model(each.name, settings=settings)
        last = past[-1] if past else None
        shadow = serving.challenger(each.name, settings=settings)
        rows.append(
            {
                "model": each.name,
                "foresees": each.description,
                "champion": found.version if found else None,
                "trained_at": found.trained_at if found else None,
                "challenger": shadow.version if shadow else None,
                "last_decision": f"{last.kind} {last.at[:16]}" if last else None,
                "because": last.why if last else None,
            }
        )
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    _table([_shown(row) for row in rows])
    for row in rows:
        if row["challenger"] and not row["champion"]:
            print(f"\nNo version of {row['model']} serves. {row['because']}.")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row that fits into a terminal: no explanations, times to the minute."""
    kept = {key: value for key, value in row.items() if key not in ("foresees", "because")}
    for key in ("trained_at", "last_decision"):
        kept[key] = re.sub(r"(\d\d-\d\d)T(\d\d:\d\d).*", r"\1 \2", kept[key] or "") or None
    return kept


@models.command("show")
def show(
    name: Name,
    number: Annotated[
        int | None,
        typer.Option("--version", help="Which; default: the champion, else the challenger."),
    ] = None,
) -> None:
    """One version: parameters, figures, data, code and card, and all decisions on the model."""
    from ml import serving
    from ml.catalogue import model
    from ml.registry import Registry

    settings = Settings()
    model(name)
    if number is None:
        found = serving.champion(name, settings=settings)
        if found is None:
            print(f"No version of {name} serves.\n")
            found = serving.challenger(name, settings=settings)
        if found is None:
            _print_decisions(name, settings)
            raise LakeError(f"There is no version of {name}: train one with `lake retrain {name}`.")
        number = found.version
    version = Registry(settings).version(name, number)
    print(version.tags.get("mlflow.note.content", "").rstrip())
    print(f"\nVersion {number} ({', '.join(version.aliases) or 'no alias'}), run {version.run_id}")
    for title, facts in (("parameters", version.parameters), ("figures", version.metrics)):
        shown = {key: value for key, value in sorted(facts.items()) if not key.startswith("fold_")}
        print(f"{title}: " + ", ".join(f"{key} {_short(value)}" for key, value in shown.items()))
    for key in ("gold_run", "code_sha256", "mlflow.source.git.commit", "environment", "sha256"):
        print(f"{key.rpartition('.')[2]}: {version.tags.get(key, 'unknown')}")
    _print_decisions(name, settings)


@models.command("promote")
def promote(
    name: Name,
    number: Annotated[int, typer.Argument(metavar="VERSION", help="Its number.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also where it is not better; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes on the record.")] = "",
) -> None:
    """Make a version serve where it is better than the champion on the present hold-out."""
    from ml.decisions import user
    from ml.retraining import promote as promoted

    if force and not reason.strip():
        raise LakeError("--force needs --reason: it goes on the record with your name.")
    done = promoted(
        name, number, settings=Settings(), who=user(), why=reason.strip(), is_forced=force
    )
    print(f"Version {done.version} of {name} serves: {done.reason}")


@models.command("rollback")
def rollback(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes on the record.")],
) -> None:
    """Make the version serve that served before the present one."""
    from ml.decisions import user
    from ml.retraining import roll_back

    done = roll_back(name, settings=Settings(), who=user(), why=reason)
    print(f"Version {done.version} of {name} serves again.")


@app.command("retrain")
def retrain(
    name: Annotated[str | None, typer.Argument(help="A model; default: every one.")] = None,
    as_json: Json = False,
) -> None:
    """Train a challenger, and promote it where it is better than the champion for certain.

    Example: lake retrain daily_sales
    """
    from dataclasses import asdict

    from ml.catalogue import MODELS, model
    from ml.decisions import user
    from ml.retraining import retrain as trained_anew

    chosen = [model(name)] if name else list(MODELS)
    done = [
        trained_anew(each.name, settings=Settings(), who=user(), trigger="by command")
        for each in chosen
    ]
    if as_json:
        print(json.dumps([asdict(each) for each in done], indent=1))
        return
    for outcome in done:
        print(_sentence(outcome))


@models.command("page")
def page(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 5000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the page asks for no login.")
    ] = "127.0.0.1",
) -> None:
    """Show runs and versions on MLflow's own page, until Ctrl-C.

    Example: lake models page --port 5001
    """
    from lakehouse.processes.programs import describe_listener, is_free
    from lakehouse.state import claim
    from ml.registry import QUIET, store_uri

    settings = Settings()
    claim(settings)
    if not is_free(port):
        raise LakeError(
            f"Port {port} is taken by {describe_listener(port)}. Stop that program, or choose "
            "another port with --port."
        )
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    print(f"MLflow's page: http://127.0.0.1:{port}/", flush=True)
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)),
        *("--workers", "1", "--no-serve-artifacts", "--backend-store-uri", store_uri(settings)),
    ]
    environment = clean_environment() | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | QUIET
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def _print_decisions(name: str, settings: Settings) -> None:
    from ml import decisions

    print("decisions:")
    for each in decisions.of_model(name, settings=settings):
        version = f"version {each.version}" if each.version else "no version"
        print(f"  {each.at[:16]} {each.kind}, {version}, by {each.who}: {each.why}")


def _sentence(done: "Outcome") -> str:
    if done.version is None:
        return f"{done.model}: no version was made. {done.reason}"
    verb = "serves" if done.is_promoted else "is refused"
    return f"{done.model}: version {done.version} {verb}: {done.reason}."


def _table(rows: Sequence[Mapping[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in rows[0]:
        table.add_column(title.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("-" if value is None else str(value) for value in row.values()))
    Console(markup=False).print(table)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
