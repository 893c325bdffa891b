"""How the streams are getting on, for those who watch them from another process.

In: each query's last progress, as Spark tells it. Out: a small file of the state folder.
"""

import json
from collections.abc import Mapping
from typing import Any

from lakehouse.files import replace_text
from lakehouse.settings import Settings

_FILE = "streams.json"


def write_progress(found: Mapping[str, Mapping[str, float]], *, settings: Settings) -> None:
    """Replace what is known: by query the `seconds` and `records` of its last batch with any, and
    its `failures`."""
    replace_text(settings.live_dir / _FILE, json.dumps(found))


def read_progress(settings: Settings) -> dict[str, Any]:
    """What is known; nothing before the streams have run. Raises: ValueError for a damaged file."""
    try:
        text = (settings.live_dir / _FILE).read_text(encoding="utf-8")
    except OSError:
        return {}
    return dict(json.loads(text))
