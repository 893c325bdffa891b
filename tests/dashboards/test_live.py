"""News of a publish: one bus per process, the newest message only, no message without news."""

import asyncio
import json
from typing import Any

from dashboards.live import Bus, Subscription, epoch, follow, message_of


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
        bus = Bus(epoch="one")
        with bus.subscribe() as slow, bus.subscribe() as quick:
            first = await quick.get()
            await slow.get()
            for message in ("two", "three", "four"):
                bus.publish("epoch", message)
            late = await slow.get()
            assert slow.empty()
            last = await quick.get()
        return first, late, last, len(bus)

    assert asyncio.run(story()) == ("one", "four", "four", 0)


def test_news_of_one_kind_never_takes_the_place_of_another() -> None:
    async def story() -> list[str]:
        bus = Bus(epoch="e1")
        with bus.subscribe() as slow:
            for number in range(50):
                bus.publish("live", f"l{number}")
            bus.publish("epoch", "e2")
            return [await slow.get(), await slow.get()]

    assert asyncio.run(story()) == ["e2", "l49"]


def test_who_waits_is_woken_by_the_next_message() -> None:
    async def story() -> str:
        bus = Bus()
        with bus.subscribe() as waiting:
            task = asyncio.create_task(waiting.get())
            await asyncio.sleep(0)
            bus.publish("live", "now")
            return await asyncio.wait_for(task, 10)

    assert asyncio.run(story()) == "now"


def test_the_watcher_publishes_what_changes_on_disk_and_ends_with_the_server(shop: Any) -> None:
    async def story() -> tuple[str, str, int]:
        bus, reader, lifespan = follow(shop.settings)
        server: Any = None
        async with lifespan(server):
            with bus.subscribe() as queue:
                before = await queue.get()
                await asyncio.to_thread(shop.publish, "run-1")
                after = await asyncio.wait_for(_next_epoch(queue), 10)
        assert not reader.is_connected
        return before, after, len(asyncio.all_tasks())

    before, after, tasks = asyncio.run(story())
    assert before != after
    assert after == message_of(epoch(shop.settings))
    assert tasks == 1


async def _next_epoch(queue: Subscription) -> str:
    while "epoch" not in (message := await queue.get()):
        pass
    return message
