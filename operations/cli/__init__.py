"""The command `lake`: each verb one function in a module beside this one.

In: arguments. Out: exit code 0 done, 1 a check of the data failed, 2 wrong use or a missing
prerequisite. Errors are one or two sentences; a traceback only with `--debug`.
"""

import errno
import sys
from traceback import walk_tb
from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings, forget_foreign
from lakehouse.state import require_ours, require_same_shop
from operations.cli.terminal import write_what_the_terminal_can

INTERRUPTED = 130
STATELESS = ("list", "doctor", "test")
"""Commands that leave the state folder alone; each other one refuses a folder that is not ours."""
QUERY_CUT_SHORT = "Query interrupted"
"""What DuckDB says of a Ctrl-C that came while it was computing."""

app = typer.Typer(
    name="lake",
    help="Cartlake: an e-commerce data platform from the Kafka event to the screen, reconciled.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("cartlake"))
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
    version: Annotated[  # noqa: ARG001 - told before any command
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of every command."""
    _state["debug"] = debug
    if context.invoked_subcommand not in STATELESS and "--help" not in sys.argv:
        settings = Settings()
        require_ours(settings)
        if context.invoked_subcommand != "demo":  # which may wipe the state of another shop
            require_same_shop(settings)


_state = {"debug": False}


def main() -> None:
    """Run the command line and end the process with its exit code."""
    forget_foreign()
    write_what_the_terminal_can()
    from operations.cli import (  # noqa: F401 - each module adds its commands to `app`
        airflow,  # part: airflow
        alerts,
        bench,  # part: simulator
        checks,
        cluster,
        contracts,
        demo,
        dictionary,
        docs,
        experiment,
        lineage,
        live,  # part: simulator
        mail,
        maintain,
        ml,
        models,
        produce,
        produce_shop,  # part: simulator
        profile,
        publish,
        quality,
        quarantine,
        query,
        recovery,
        report,
        run,
        system,
        test,
    )

    try:
        code = app(prog_name="lake", standalone_mode=False)
        if code == INTERRUPTED:  # Typer makes this code of Ctrl-C
            raise KeyboardInterrupt
    except typer.Exit as end:
        code = end.exit_code
    except typer.Abort:
        code = INTERRUPTED
    except KeyboardInterrupt:
        code = _stopped()
    except LakeError as error:
        code = _complain(error)
    except Exception as error:  # noqa: BLE001 - the last resort says so in one sentence
        code = _stopped() if str(error) == QUERY_CUT_SHORT else _complain_generally(error)
    sys.exit(code if isinstance(code, int) else 0)


def _stopped() -> int:
    typer.secho(
        "Stopped. Nothing is lost: the next run carries on where this one stopped.", err=True
    )
    return INTERRUPTED


def _complain(error: LakeError) -> int:
    if _state["debug"]:
        import traceback

        traceback.print_exception(error)
    typer.secho(str(error), fg="red", err=True)
    return error.exit_code


def _complain_generally(error: Exception) -> int:
    if (show := getattr(error, "format_message", None)) is not None:  # wrong use of Typer
        if text := show():
            typer.secho(
                f"{text.rstrip('.')}. `lake COMMAND --help` shows what fits.", fg="red", err=True
            )
        return 2
    if _state["debug"]:
        raise error
    if _is_of_a_dead_jvm(error):
        typer.secho(
            "Spark's Java process ended, most often for want of memory: `lake doctor` says what "
            "fits this machine. Nothing is lost: run the same command again.",
            fg="red",
            err=True,
        )
        return 2
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        typer.secho(
            "The disk is full. Free some space and run the same command again: it goes on where "
            "it stopped.",
            fg="red",
            err=True,
        )
        return 2
    text = str(error).strip().splitlines()
    typer.secho(
        f"{type(error).__name__}: {text[0] if text else 'no message'}. This is unexpected; nothing "
        "is lost. Run the command again with `lake --debug ...` for the details.",
        fg="red",
        err=True,
    )
    return 2


def _is_of_a_dead_jvm(error: Exception) -> bool:
    """Whether Spark's Java half is gone: py4j says so itself, or passes on its socket's error."""
    if type(error).__name__ in ("Py4JError", "Py4JNetworkError"):
        return True
    raised_in = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    return isinstance(error, OSError) and any(name.startswith("py4j.") for name in raised_in)
