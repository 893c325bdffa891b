"""The pointer names an old or a new whole file, whatever step a publish dies in."""

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakeError
from lakehouse.ledger import chain, publishes
from lakehouse.pointer import CURRENT, current, in_service
from lakehouse.settings import PROJECT_ROOT, Settings
from pipelines.publishing import pointer

DIES_AT_A_STEP = """
import os, signal, sys
from pathlib import Path
from lakehouse.settings import Settings
from pipelines.publishing import pointer

home, built, left = Path(sys.argv[1]), Path(sys.argv[2]), [int(sys.argv[3])]

def dying(act):
    def step(*args, **options):
        found = act(*args, **options)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return step

for owner, name in (
    (pointer.chain, "write"), (pointer, "_flush"), (Path, "replace"), (pointer, "point_to"),
    (pointer, "drop_old_versions"), (Path, "write_text"),
):
    setattr(owner, name, dying(getattr(owner, name)))
facts = {"run_id": "new", "table_versions": {"t": 2}, "rows": {}, "refined_batch": 2, "fence": 2}
pointer.put_in_service(built, facts=facts, settings=Settings(home=home))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "state")


def built(settings: Settings, run_id: str) -> Path:
    path = settings.gold_dir / "build" / run_id / f"gold-{run_id}.duckdb"
    path.parent.mkdir(parents=True)
    path.write_text(f"gold of {run_id}")
    return path


def put(settings: Settings, run_id: str, *, fence: int = 1) -> Path:
    facts: dict[str, Any] = {"table_versions": {"t": fence}, "rows": {}, "refined_batch": fence}
    facts |= {"run_id": run_id, "fence": fence}
    return pointer.put_in_service(built(settings, run_id), facts=facts, settings=settings)


def kinds(settings: Settings) -> list[tuple[str, str]]:
    lines = chain.lines(publishes.CHAIN, settings=settings)
    return [(line["kind"], line["run_id"]) for line in lines]


def test_a_publish_names_the_file_pins_the_ledger_and_keeps_three(settings: Settings) -> None:
    assert publishes.last_published(settings) is None
    assert current(settings) is None
    for fence, run_id in enumerate(("a", "b", "c", "d"), start=1):
        path = put(settings, run_id, fence=fence)
        assert path.read_text() == f"gold of {run_id}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    found = in_service(settings)
    head = found.part("heads")["publishes"]
    lines = list(chain.lines(publishes.CHAIN, settings=settings))
    assert (found.run_id, found.path.name) == ("d", "gold-d.duckdb")
    assert (found.change_id, found.facts["fence"]) == ("d", 4)
    assert found.part("table_versions") == {"t": 4}
    assert head == {"lines": 7, "sha256": lines[6]["sha256"]}  # up to the intent of this publish
    last = publishes.last_published(settings)
    assert last is not None
    assert (last.run_id, last.table_versions, last.refined_batch) == ("d", {"t": 4}, 4)
    assert sorted(path.name for path in settings.gold_dir.glob("gold-*")) == [
        *("gold-b.duckdb", "gold-c.duckdb", "gold-d.duckdb"),
    ]
    assert pointer.is_in_service(last, settings=settings)
    (settings.gold_dir / "gold-d.duckdb").unlink()
    assert not pointer.is_in_service(last, settings=settings)


def test_sigkill_at_every_step_leaves_a_whole_version_and_the_next_start_settles_it(
    tmp_path: Path,
) -> None:
    """T30: SIGKILL at every step of putting gold into service."""
    seen: set[tuple[str, str]] = set()
    for step in range(1, 40):
        settings = Settings(home=tmp_path / f"state-{step}")
        put(settings, "old")
        private = built(settings, "new")
        child = subprocess.run(
            [sys.executable, "-c", DIES_AT_A_STEP, settings.home, private, str(step)],
            cwd=PROJECT_ROOT,
            check=False,
        )
        serving = json.loads((settings.gold_dir / CURRENT).read_text())
        run_id = serving["run_id"]
        assert (settings.gold_dir / serving["file"]).read_text() == f"gold of {run_id}"
        pointer.settle(settings)
        assert pointer.settle(settings) is None
        last = publishes.last_published(settings)
        assert last is not None
        assert last.run_id == run_id == in_service(settings).run_id
        assert chain.breaks(publishes.CHAIN, settings=settings) == []
        ended = kinds(settings)[-1]
        assert ended == (("published", "new") if run_id == "new" else ("abandoned", "new"))
        names = {path.name for path in settings.gold_dir.glob("gold-*")}
        assert names == {"gold-old.duckdb", *(["gold-new.duckdb"] if run_id == "new" else [])}
        seen.add(ended)
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
    assert child.returncode == 0
    assert step > 8
    assert seen == {("published", "new"), ("abandoned", "new")}


def test_a_publish_with_a_stale_fence_cannot_take_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T06: a publish that was overtaken after its intent, the lock being gone round, gives up."""
    put(settings, "old", fence=1)
    real = pointer._flush

    def overtaken(path: Path) -> None:
        monkeypatch.setattr(pointer, "_flush", real)
        assert pointer.settle(settings) == (
            "Run slow was cut short in its publish: it counts as abandoned."
        )
        put(settings, "fast", fence=3)
        real(path)

    monkeypatch.setattr(pointer, "_flush", overtaken)
    with pytest.raises(LakeError, match="Run slow was overtaken by run fast"):
        put(settings, "slow", fence=2)
    assert in_service(settings).run_id == "fast"
    assert pointer.settle(settings) is None
    assert sorted(path.name for path in settings.gold_dir.glob("gold-*")) == [
        *("gold-fast.duckdb", "gold-old.duckdb"),
    ]


def test_a_damaged_pointer_is_as_none(settings: Settings) -> None:
    put(settings, "a")
    for content in ("", "{", "[]", "\x00", '{"file": "gold-a.duckdb"}', '{"run_id": "a"}'):
        (settings.gold_dir / CURRENT).write_text(content)
        assert current(settings) is None
        assert not pointer.is_in_service(publishes.last_published(settings), settings=settings)
