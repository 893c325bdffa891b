"""How long a click on a filter takes to its answer, with many users while the shop is live.

In: users, a duration. Out: percentiles over all clicks, and those of one user alone before. Each
user opens a page and then clicks on a schedule of their own, whether or not the last answer is
there; a click counts from the moment at which it was due until all is answered. What it asks for is
what the browser asks for, and then for what follows from the answers: the server's own list of
callbacks says so.
"""

import contextlib
import http.client
import json
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import urlencode

from dashboards.periods import PRESETS
from lakehouse.contracts.gold import FCT_DAILY_SALES
from lakehouse.duck import open_gold
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.bench.subject import Subject, live_shop, machine, percentiles
from operations.lag import unread_records

THINK_SECONDS = 5.0
ALONE_SECONDS = 15.0
_PAGE = "/"
_SAMPLE_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_CALLBACK = "/_dash-update-component"

Slot = dict[str, Any]
Known = dict[tuple[str, str], Any]
"""Values in the browser by component and property."""
_SEARCH = ("url", "search")


@dataclass(frozen=True)
class Click:
    """A callback that runs when the filters change, and those that run with its answer."""

    output: str
    outputs: list[Slot] | Slot
    inputs: list[Slot]
    state: list[Slot]
    then: Sequence["Click"] = ()

    def body(self, known: Known) -> bytes:
        """The request of one click."""
        inputs = [{**each, "value": known.get(_place(each), {})} for each in self.inputs]
        changed = next(each for each in self.inputs if _place(each) in known)
        content = {
            "output": self.output,
            "outputs": self.outputs,
            "inputs": inputs,
            "state": [{**each, "value": None} for each in self.state],
            "changedPropIds": [".".join(_place(changed))],
        }
        return json.dumps(content).encode()

    def gives(self) -> set[tuple[str, str]]:
        """What its answer holds."""
        slots = self.outputs if isinstance(self.outputs, list) else [self.outputs]
        return {_place(each) for each in slots}


@dataclass
class User:
    """One who clicks: `seconds` of each click, `errors` for answers that were none."""

    settings: Settings
    clicks: Sequence[Click]
    countries: Sequence[str]
    random: Random
    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def work(self, *, first: float, until: float) -> None:
        """Click every few seconds from `first` on, by the monotonic clock."""
        port = self.settings.dashboard_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
        due = first
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            search = self._search()
            for click in self.clicks:
                self._ask(connection, click, {_SEARCH: search})
            self.seconds.append(time.monotonic() - due)
            due += THINK_SECONDS
        connection.close()

    def _search(self) -> str:
        chosen: dict[str, Any] = {"period": self.random.choice(list(PRESETS))}
        if self.countries and self.random.random() < 0.5:
            chosen["country"] = self.random.sample(self.countries, min(2, len(self.countries)))
        return f"?{urlencode(chosen, doseq=True)}"

    def _ask(self, connection: http.client.HTTPConnection, click: Click, known: Known) -> None:
        try:
            status, answer = _post(connection, click.body(known))
        except (OSError, http.client.HTTPException):
            connection.close()
            status, answer = 0, b""
        self.errors += status != http.HTTPStatus.OK
        if click.then and status == http.HTTPStatus.OK:
            found = json.loads(answer)["response"]
            given = {(id_, name): value for id_ in found for name, value in found[id_].items()}
            for each in click.then:
                self._ask(connection, each, given)


def measure(
    settings: Settings, *, rate: float, seconds: float, viewers: int, publish_every: float | None
) -> dict[str, Any]:
    """Run the measurement; the figures are those of the JSON object. Raises: LakeError."""
    with live_shop(settings, rate=rate, publish_every=publish_every) as subject:
        return _measured(subject, rate=rate, seconds=seconds, viewers=viewers)


def _measured(subject: Subject, *, rate: float, seconds: float, viewers: int) -> dict[str, Any]:
    settings = subject.settings
    clicks, countries = clicks_of(settings), _countries(settings)

    def users(count: int) -> list[User]:
        return [User(settings, clicks, countries, Random(n)) for n in range(count)]  # noqa: S311

    alone = _click(users(1), seconds=ALONE_SECONDS)
    many = users(viewers)
    lags: list[int] = []
    before, clock = subject.cost()[0], time.monotonic()
    all_seconds = _click(many, seconds=seconds, settings=settings, lags=lags)
    wall = time.monotonic() - clock
    cpu, memory = subject.cost()
    found, one = percentiles(all_seconds), percentiles(alone)
    p95, one_p95 = found["p95_seconds"], one["p95_seconds"]
    return {
        **found,
        "messages": len(all_seconds),
        "viewers": viewers,
        "errors": sum(each.errors for each in many),
        "one_user_p95_seconds": one_p95,
        "ratio_to_one_user": round(p95 / one_p95, 2) if p95 and one_p95 else None,
        "rate": rate,
        "seconds": seconds,
        "cpu_cores": round((cpu - before) / wall, 2),
        "pss_bytes": memory,
        "ingest_lag_records": max(lags, default=0),
        **machine(),
    }


def _click(
    users: Sequence[User],
    *,
    seconds: float,
    settings: Settings | None = None,
    lags: list[int] | None = None,
) -> list[float]:
    """Let all users click; they begin evenly spread over a pause."""
    began = time.monotonic() + 0.5
    threads = [
        threading.Thread(
            target=user.work,
            kwargs={
                "first": began + THINK_SECONDS * number / len(users),
                "until": began + seconds,
            },
            daemon=True,
        )
        for number, user in enumerate(users)
    ]
    for each in threads:
        each.start()
    while settings is not None and lags is not None and time.monotonic() < began + seconds:
        time.sleep(_SAMPLE_SECONDS)
        with contextlib.suppress(LakeError):
            lags.append(unread_records(settings))
    for each in threads:
        each.join()
    return [each for user in users for each in user.seconds]


def clicks_of(settings: Settings) -> list[Click]:
    """What the browser asks for when the filters of the first page change."""
    port = settings.dashboard_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/_dash-dependencies")
        known = json.load(connection.getresponse())
        served = [each for each in known if each.get("clientside_function") is None]
        page = next(each for each in served if each["output"] == "page.children")
        content = {
            "output": page["output"],
            "outputs": {"id": "page", "property": "children"},
            "inputs": [{"id": "url", "property": "pathname", "value": _PAGE}],
            "changedPropIds": ["url.pathname"],
        }
        status, answer = _post(connection, json.dumps(content).encode())
    if status != http.HTTPStatus.OK:
        raise LakeError(f"The screens did not open their first page (HTTP {status}).")
    mounted = set(re.findall(r'"id": ?"([^"]+)"', answer.decode()))
    clicks = [each for each in map(_click_of, served) if {id_ for id_, _ in each.gives()} & mounted]
    return [
        replace(each, then=[other for other in clicks if _follows(other, each)])
        for each in clicks
        if _SEARCH in map(_place, each.inputs)
    ]


def _follows(click: Click, other: Click) -> bool:
    """Whether all that a callback waits for is in the other's answer."""
    return bool(click.inputs) and set(map(_place, click.inputs)) <= other.gives()


def _place(slot: Slot) -> tuple[str, str]:
    return slot["id"], slot["property"]


def _click_of(known: dict[str, Any]) -> Click:
    output = known["output"]
    parts = output.strip(".").split("...") if output.startswith("..") else [output]
    slots = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]
    inputs, state = (
        [{"id": each["id"], "property": each["property"]} for each in known[name]]
        for name in ("inputs", "state")
    )
    return Click(output, slots if output.startswith("..") else slots[0], inputs, state)


def _post(connection: http.client.HTTPConnection, body: bytes) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    connection.request("POST", _CALLBACK, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _countries(settings: Settings) -> list[str]:
    with contextlib.closing(open_gold(settings)) as gold:
        rows = gold.execute(f"select distinct country from {FCT_DAILY_SALES}").fetchall()
    return [country for (country,) in rows]
