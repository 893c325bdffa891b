"""The clicks of `lake bench users` are what the screens answer."""

import time
from random import Random
from typing import Any

from operations.bench.users import User, clicks_of


def test_a_measured_click_asks_for_the_first_page_and_gets_its_answer(server: Any) -> None:
    server.clear()
    server.publish("run-1")
    clicks = clicks_of(server.settings)
    assert len(clicks) == 1
    assert {slot["id"] for slot in clicks[0].inputs} >= {"url"}
    assert [slot["id"] for each in clicks[0].then for slot in each.inputs] == ["executive-shown"]
    user = User(server.settings, clicks, ["Germany", "France"], Random(1))  # noqa: S311
    now = time.monotonic()
    user.work(first=now, until=now + 0.1)
    assert (len(user.seconds), user.errors) == (1, 0)
    assert user.seconds[0] > 0


def test_an_answer_that_is_none_counts_as_an_error(server: Any) -> None:
    server.clear()
    server.publish("run-1")
    (click,) = clicks_of(server.settings)
    wrong = type(click)("..no.such...", click.outputs, click.inputs, click.state)
    user = User(server.settings, [wrong], [], Random(1))  # noqa: S311
    now = time.monotonic()
    user.work(first=now, until=now + 0.1)
    assert user.errors == 1
