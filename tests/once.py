"""What one process of a test run makes for all of them, where a second one would take its time.

In: a name and what makes it. Out: its JSON, from this process or from the one that was first.
"""

import fcntl
import json
import os
from collections.abc import Callable
from typing import Any

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """What `make` gives, as JSON: called by the first process that asks, awaited by the others."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            text = json.dumps(make())
            path.write_text(text, encoding="utf-8")
        return json.loads(path.read_text(encoding="utf-8"))
