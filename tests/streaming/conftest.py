"""A state folder of its own for each test that starts, kills or wipes a broker."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from lakehouse.jars.fetch import ensure_jars
from lakehouse.settings import Settings
from lakehouse.state import claim
from streaming import broker
from tests.brokers import free_ports


@pytest.fixture(scope="module")
def new_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Settings]]:
    """Makes settings of an empty state folder with the jars in it; stops its broker afterwards.

    The folder's name has what Java's property files and class paths stumble over.
    """
    ensure_jars(Settings())

    def make() -> Settings:
        home = tmp_path_factory.mktemp("a shop, with blanks") / "state"
        claim(Settings(home=home))
        (home / "jars").symlink_to(Settings().jars_dir)
        port, controller = free_ports(2)
        settings = Settings(
            home=home, kafka_port=port, kafka_controller_port=controller, kafka_bootstrap=None
        )
        cleanup.callback(broker.stop, settings)
        return settings

    with contextlib.ExitStack() as cleanup:
        yield make
