"""`lake mail`: an inbox of this machine, to read the reports without a mail server."""

import typer

from lakehouse.settings import Settings
from operations.cli import app

mail = typer.Typer(help="An inbox of this machine that shows mails.", no_args_is_help=True)
app.add_typer(mail, name="mail")


@mail.command("start")
def start() -> None:
    """Start the inbox; while it runs and no mail server is set, mails go there."""
    from reports.inbox.lifecycle import page_address
    from reports.inbox.lifecycle import start as start_inbox

    settings = Settings()
    is_new = start_inbox(settings)
    print(f"The inbox {'runs' if is_new else 'ran already'}: {page_address(settings)}")


@mail.command("stop")
def stop() -> None:
    """Stop the inbox; its mails stay."""
    from reports.inbox.lifecycle import stop as stop_inbox

    print("The inbox is stopped." if stop_inbox(Settings()) else "The inbox did not run.")


@mail.command("status")
def status() -> None:
    """Whether the inbox runs, and where its page is."""
    from reports.inbox.lifecycle import page_address, port_of_running

    settings = Settings()
    port = port_of_running(settings)
    if port is None:
        print("The inbox does not run (lake mail start).")
    else:
        print(f"The inbox takes mails on 127.0.0.1:{port} and shows them: {page_address(settings)}")
