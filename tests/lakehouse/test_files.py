"""A file that only its owner reads: whole or not at all, and made once."""

import stat
from pathlib import Path

from lakehouse.files import create_private


def test_the_first_one_makes_it_and_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert create_private(path, "first")
    assert not create_private(path, "second")
    assert path.read_text() == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
