"""News of a publish: one bus per process, the newest message only, no message without news."""

import asyncio
import json
from typing import Any

from dashboards.live import Bus, epoch, follow, message_of


def test_the_epoch_changes_with_every_publish_and_every_run(shop: Any) -> None:
    texts = [epoch(shop.settings)]
    shop.publish("run-1")
    texts.append(epoch(shop.settings))
    shop.report()
    texts.append(epoch(shop.settings))
    shop.publish("run-1")
    texts.append(epoch(shop.settings))
    assert len(set(texts)) == 4
    assert texts[0] == "none/none/none"
    assert epoch(shop.settings) == texts[-1]


def test_a_message_is_small_and_plain_json() -> None:
    assert json.loads(message_of("a/b")) == {"epoch": "a/b"}


def test_subscribers_start_with_the_newest_message_and_skip_what_they_missed() -> None:
    async def story() -> tuple[str, str, str, int]:
        bus = Bus("one")
        with bus.subscribe() as slow, bus.subscribe() as quick:
            first = await quick.get()
            for message in ("two", "three", "four"):
                bus.publish(message)
            late = await slow.get()
            assert slow.empty()
            last = await quick.get()
        return first, late, last, len(bus)

    assert asyncio.run(story()) == ("one", "four", "four", 0)


def test_the_watcher_publishes_what_changes_on_disk_and_ends_with_the_server(shop: Any) -> None:
    async def story() -> tuple[str, str, int]:
        bus, lifespan = follow(shop.settings)
        server: Any = None
        async with lifespan(server):
            with bus.subscribe() as queue:
                before = await queue.get()
                await asyncio.to_thread(shop.publish, "run-1")
                after = await asyncio.wait_for(queue.get(), 10)
        return before, after, len(asyncio.all_tasks())

    before, after, tasks = asyncio.run(story())
    assert before != after
    assert after == message_of(epoch(shop.settings))
    assert tasks == 1
