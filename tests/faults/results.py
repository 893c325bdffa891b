"""What each fault test found, one JSON line a test, for the table of `docs/reliability.md`.

In: figures of a test, and the outcome of every test whose docstring begins with its number (T02,
T15 ...). Out: lines in the file that `pytest --fault-results FILE` names. The hooks are taken in by
`tests/conftest.py`.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.proof import Damage

OPTION = "--fault-results"
NUMBERED = re.compile(r"(T\d\d)(?: (?:to|and) (T\d\d))?[:.] *")


@dataclass(frozen=True)
class Result:
    """One line of the table. Figures are None where the test asserts and measures none."""

    test: str
    title: str
    records: int | None = None
    lost: int | None = None
    doubled: int | None = None
    pounds_off: str | None = None
    recovery_seconds: float | None = None
    human_steps: int | None = None
    note: str = ""


Recorder = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, default=None, metavar="FILE", help="Append fault figures to FILE.")
    parser.addoption(
        "--faults-only", action="store_true", help="Only tests with a number, slow ones too."
    )
    parser.addoption("--fault-kills", default=50, type=int, help="Random SIGKILLs of T03.")
    parser.addoption("--fault-seed", default=None, type=int, help="Their seed; default: a new one.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--faults-only"):
        others = [item for item in items if not results_of(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if results_of(item)]


@pytest.fixture
def record_fault(request: pytest.FixtureRequest) -> Recorder:
    """Call it with the damage, recovery seconds and human steps; the docstring names the test."""

    def record(
        damage: Damage | None = None,
        *,
        recovery_seconds: float | None = None,
        human_steps: int = 0,
        note: str = "",
    ) -> None:
        figures: dict[str, Any] = {"recovery_seconds": recovery_seconds, "note": note}
        if damage is not None:
            figures |= asdict(damage) | {"pounds_off": f"{damage.pounds_off:f}"}
        request.node.stash[_FIGURES] = figures | {"human_steps": human_steps}

    return record


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    path = item.config.getoption(OPTION)
    if path and report.when == "call" and report.passed:
        for result in results_of(item):
            _append(Path(path), result, node=item.nodeid)
    return report


def results_of(item: pytest.Item) -> list[Result]:
    """A line for each number that the test's docstring begins with, or else its module's."""
    function = getattr(item, "function", None)
    module = getattr(item, "module", None)
    figures = item.stash.get(_FIGURES, {})
    name = getattr(item, "originalname", None) or item.name
    found = numbered(name, getattr(function, "__doc__", None), getattr(module, "__doc__", None))
    return [Result(number, title, **figures) for number, title in found]


def numbered(name: str, *docstrings: str | None) -> list[tuple[str, str]]:
    """(T number, title) of a test; several where its docstring says "T15 to T17".

    The title is the first sentence after the number, or the name of the test.
    """
    for docstring in docstrings:
        text = " ".join((docstring or "").partition("\n\n")[0].split())
        if (found := NUMBERED.match(text)) is not None:
            title = text[found.end() :].rstrip(".")
            title = title or name.removeprefix("test_").replace("_", " ")
            first, last = (int((each or found[1])[1:]) for each in found.groups())
            return [(f"T{number:02}", title) for number in range(first, last + 1)]
    return []


_FIGURES = pytest.StashKey[dict[str, Any]]()


def _append(path: Path, result: Result, *, node: str) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    line = asdict(result) | {"node": node, "at": at}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | {"machine": machine()}, sort_keys=True) + "\n")


def machine() -> str:
    """The machine in a few words."""
    import psutil

    memory = round(psutil.virtual_memory().total / 2**30)
    return f"{os.cpu_count()} CPUs, {memory} GiB of memory, {os.uname().sysname}"
