"""Requests to servers of our own, on this machine or in its network: no proxy is asked.

In: an address. Out: what the server says.
"""

import http.client
import json
import urllib.request
from typing import Any

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
FAILURES = (OSError, ValueError, http.client.HTTPException)
"""What comes of a server that does not answer, or says what is no JSON."""


def answer_of(url: str) -> dict[str, Any]:
    """The JSON that a server answers with; empty while it does not answer."""
    try:
        with DIRECT.open(url, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except FAILURES:
        return {}
    return found
