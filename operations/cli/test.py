"""`lake test`: every check of the project, one after the other, with what each took."""

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings, clean_environment
from operations.cli import app

CHECKS = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
    ("contracts", ("lake", "contracts", "check")),
    (
        "sql",
        ("sqlfluff", "lint", "--disable-progress-bar", "dbt_project/models", "dbt_project/tests"),
    ),
)

CONTAINERS = "tests/deploy/test_services.py"
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Two processes, each with a Spark and a Kafka of its own; a file's tests stay together, and a file
of one long test is not left for the end."""


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_checks(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Slow fault tests too, and rewrite their table.")
    ] = False,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults", help="Only the fault tests, slow ones too, and rewrite their table."
        ),
    ] = False,
    stack: Annotated[
        bool,
        typer.Option(
            "--stack", help="Only the tests that start the real Airflow, a cluster or containers."
        ),
    ] = False,
) -> None:
    """Lint, types, layers, unit, Spark, Kafka, dbt, browser and end-to-end tests.

    Those of the real Airflow, of a Spark cluster and of containers run with --stack only. Further
    arguments go to pytest, for example `lake test -k broker`.
    """
    from operations.doctor import BROWSER

    if not (PROJECT_ROOT / "tests").is_dir():
        raise LakeError("The tests are part of the source tree: run ./lake test in a clone.")
    if not context.args and not (faults or stack or shutil.which(BROWSER)):
        raise LakeError(
            "Chromium is missing, which the tests of the screens drive. Install it, for example by "
            "`sudo apt-get install -y chromium`, then run this again."
        )
    failed = [] if context.args or faults or stack else _failed_of_two_at_a_time(*CHECKS)
    if stack:
        failed += _failed(("pytest", ("pytest", "-m", "stack", *_of_containers(), *context.args)))
    elif faults:
        chosen = ("pytest", "--faults-only", *(context.args or SIDE_BY_SIDE))
        failed += _with_figures(chosen, is_full=not context.args)
    else:
        failed += _test(context.args, everything=everything)
    if failed:
        print(f"Failed: {', '.join(failed)}")
        raise typer.Exit(1)


def _test(arguments: list[str], *, everything: bool) -> list[str]:
    fast = ("pytest", "-m", "not slow and not stack", *(arguments or SIDE_BY_SIDE))
    if not everything:
        return _failed(("pytest", fast))
    if arguments:
        return _with_figures(("pytest", "-m", "not stack", *arguments), is_full=False)
    return _with_figures(fast, ("pytest", "-m", "slow", *SIDE_BY_SIDE))


def _of_containers() -> tuple[str, ...]:
    """Leaves the tests of the services out where no container engine answers, and says so."""
    docker = shutil.which("docker") or "docker"
    for words in (("info",), ("compose", "version")):
        try:
            done = subprocess.run(
                [docker, *words], env=clean_environment(), capture_output=True, check=False
            )
        except FileNotFoundError:
            done = None
        if done is None or done.returncode != 0:
            print(
                f"There is no container engine with compose here (`docker {' '.join(words)}` "
                f"fails), so {CONTAINERS} is left out."
            )
            return ("--ignore", CONTAINERS)
    return ()


def _with_figures(*runs: tuple[str, ...], is_full: bool = True) -> list[str]:
    """Run pytest; full runs that pass bring the table of docs/reliability.md up to date."""
    figures = Settings().reports_dir / "fault-figures.jsonl"
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.unlink(missing_ok=True)
    failed = _failed(*[("pytest", (*run, "--fault-results", str(figures))) for run in runs])
    report = ("python", "-m", "tests.faults.report", str(figures), "docs/reliability.md")
    if failed or not is_full:
        return failed
    return _failed(("reliability table", report))


def _failed_of_two_at_a_time(*checks: tuple[str, tuple[str, ...]]) -> list[str]:
    """Checks that need one core each, two side by side; each one's output comes when it ends."""
    with ThreadPoolExecutor(2) as pool:
        passed = pool.map(lambda check: _passes(*check, at_its_end=True), checks)
        return [name for (name, _), good in zip(checks, passed, strict=True) if not good]


def _failed(*checks: tuple[str, tuple[str, ...]]) -> list[str]:
    return [name for name, command in checks if not _passes(name, command)]


def _passes(name: str, command: tuple[str, ...], *, at_its_end: bool = False) -> bool:
    heading = f"== {name}"
    if not at_its_end:
        print(heading, flush=True)
    started = time.monotonic()
    program = str(PROJECT_ROOT / ".venv" / "bin" / command[0])
    if not (PROJECT_ROOT / ".venv").is_dir():
        program = f"{sys.prefix}/bin/{command[0]}"
    done = subprocess.run(
        [program, *command[1:]],
        cwd=PROJECT_ROOT,
        env=clean_environment("JAVA_TOOL_OPTIONS"),
        stdout=subprocess.PIPE if at_its_end else None,
        stderr=subprocess.STDOUT if at_its_end else None,
        text=True,
        check=False,
    )
    took = f"{time.monotonic() - started:.0f} s"
    verdict = f"{heading} {'passed' if done.returncode == 0 else 'FAILED'} in {took}"
    print(f"{heading}\n{done.stdout}{verdict}" if at_its_end else verdict, flush=True)
    return done.returncode == 0
