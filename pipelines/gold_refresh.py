"""Gold of pinned silver: what changed since the last gold where that is enough, else all of it.

In: pinned versions, and the last publish. Out: a build, not published yet, that says what it began
from. Alone: `lake publish`; `lake publish --full-refresh` builds everything.
"""

from collections.abc import Mapping

from lakehouse.settings import Settings
from pipelines.gold import GoldBuild, GoldFailed, build_gold
from pipelines.gold_worker import GoldWorker
from pipelines.last_gold import LastGold, find_last_gold
from pipelines.pointer import Published


def refresh_gold(
    settings: Settings,
    versions: Mapping[str, int],
    last: Published | str | None,
    *,
    run_id: str,
    worker: GoldWorker,
) -> GoldBuild:
    """Go on from the last gold where that is possible and gives sound gold, else build it all."""
    begin = (
        last
        if isinstance(last, str)
        else find_last_gold(settings, last=last, table_versions=versions)
    )
    if isinstance(begin, LastGold):
        try:
            return build_gold(
                settings, run_id=run_id, table_versions=versions, worker=worker, last=begin
            )
        except GoldFailed as error:
            begin = f"going on from {begin.run_id} failed ({error})"
    return build_gold(settings, run_id=run_id, table_versions=versions, worker=worker, last=begin)
