"""Alerts to a web address: one POST of JSON, signed, so that the receiver knows who wrote it.

In: a message, an address, a key. Out: what became of it. The signature is the HMAC-SHA256 of
timestamp, full stop and body; a receiver that keeps notice ids takes a repeated one for the same.
"""

import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reports.alerts.messages import Message

TIMEOUT = 10
_LONGEST = 200
_AGAIN = (408, 425, 429)
"""Refusals that mean "later"."""


@dataclass(frozen=True)
class Answer:
    """What became of one attempt. `is_final`: another one would not help."""

    is_taken: bool
    is_final: bool
    detail: str


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What stands in the header X-Alert-Signature."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def post(message: Message, url: str, *, key: str, now: datetime) -> Answer:
    """Send one message, to this address alone; no failure of the network is raised."""
    body = json.dumps(message.as_json(), ensure_ascii=False, sort_keys=True).encode()
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-Alert-Delivery": message.batch,
        "X-Alert-Timestamp": timestamp,
        "X-Alert-Signature": signature(key, timestamp, body),
    }
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http and https by the settings
    try:
        with _opener().open(request, timeout=TIMEOUT) as answer:
            return Answer(True, True, str(answer.status))
    except urllib.error.HTTPError as error:
        with error:
            is_final = error.code < 500 and error.code not in _AGAIN
            return Answer(False, is_final, f"HTTP {error.code}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(False, False, " ".join(str(error).split())[:_LONGEST] or type(error).__name__)


class _Stay(urllib.request.HTTPRedirectHandler):
    """A signed message goes where the settings say, and nowhere else."""

    def redirect_request(self, *_args: Any, **_others: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
