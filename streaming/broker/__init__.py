"""A real local Kafka: how it is configured, started, watched and stopped."""

from streaming.broker.lifecycle import (
    Broker,
    BrokerStatus,
    require_alive,
    require_running,
    start,
    status,
    stop,
)

__all__ = ["Broker", "BrokerStatus", "require_alive", "require_running", "start", "status", "stop"]
