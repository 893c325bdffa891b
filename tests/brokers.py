"""A Kafka of a test's own, on ports that nobody listens on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lakehouse.settings import Settings


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextmanager
def own_kafka(settings: Settings) -> Iterator[Settings]:
    """The same state with a local Kafka on free ports; it runs inside the `with` block."""
    from streaming import broker

    port, controller = free_ports(2)
    ports = {"kafka_bootstrap": None, "kafka_port": port, "kafka_controller_port": controller}
    found = Settings.model_validate({**settings.model_dump(), **ports})
    with broker.start(found, detached=False):
        yield found
