"""`lake bench latency`, `lake bench users`: the running platform, measured by real clients."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from lakehouse.settings import Settings
from operations.cli import app
from operations.cli.produce import seconds_of

bench_app = typer.Typer(no_args_is_help=True, help="Measure the running platform.")
app.add_typer(bench_app, name="bench")

Rate = Annotated[float, typer.Option(min=0.1, max=10_000, help="Messages a second.")]
Duration = Annotated[str, typer.Option("--for", help="Such as 90s or 5m.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Publish = Annotated[
    str | None, typer.Option(help="Pause between publishes meanwhile; default: none.")
]


@bench_app.command("latency")
def latency(
    rate: Rate = 50.0,
    duration: Duration = "2m",
    viewers: Annotated[int, typer.Option(min=1, max=500, help="WebSocket clients.")] = 100,
    publish_every: Publish = None,
    as_json: AsJson = False,
) -> None:
    """From an event in the shop to the screens, with a live shop of its own or one that runs.

    Example: lake bench latency --rate 50 --for 5m --viewers 100 --json
    """
    from operations.bench.latency import measure

    found = measure(
        Settings(),
        rate=rate,
        seconds=seconds_of(duration, option="--for"),
        viewers=viewers,
        publish_every=_pause(publish_every),
    )
    _show("Event to screen", found, as_json=as_json)


@bench_app.command("users")
def users(
    viewers: Annotated[int, typer.Option(min=1, max=500, help="Users who click.")] = 100,
    duration: Duration = "2m",
    rate: Rate = 50.0,
    publish_every: Publish = None,
    as_json: AsJson = False,
) -> None:
    """From a click on a filter to its answer, while the shop is live.

    Example: lake bench users --viewers 100 --for 2m --publish-every 45s --json
    """
    from operations.bench.users import measure

    found = measure(
        Settings(),
        rate=rate,
        seconds=seconds_of(duration, option="--for"),
        viewers=viewers,
        publish_every=_pause(publish_every),
    )
    _show("Click to answer", found, as_json=as_json)


def _pause(publish_every: str | None) -> float | None:
    """Seconds between publishes; None for no publish."""
    if publish_every is None:
        return None
    return seconds_of(publish_every, option="--publish-every")


def _show(title: str, found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found))
        return
    print(title)
    for name, value in found.items():
        print(f"  {name.replace('_', ' '):<24} {value}")
