"""Back to a gold that was in service before: the last three are kept, and going back is recorded.

In: the kept versions and a reason. Out: the pointer on an earlier file, a line before and one after
in the ledger's chain of publishes, and the KPIs that readers see change. The next publish goes on
from there. Run standalone: `lake publish list`, `lake publish rollback --reason TEXT`.
"""

from dataclasses import dataclass
from typing import Any

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import chain, commits, publishes
from lakehouse.locks import hold
from lakehouse.pointer import current
from lakehouse.settings import Settings
from pipelines.publishing import pointer, restatements

_OF_A_LINE = ("kind", "at", "previous", "sha256", "rollback_id", "from_run", "reason")


@dataclass(frozen=True)
class Version:
    """A kept version; times are RFC 3339 in UTC, `size` is in bytes.

    `published_at` is its publish, `serving_since` when it last came into service; `reason` is that
    of the rollback which brought it back, else empty.
    """

    run_id: str
    file: str
    published_at: str
    serving_since: str
    size: int
    is_in_service: bool
    reason: str


def kept(settings: Settings) -> list[Version]:
    """The versions whose file is there, by their publish, newest first."""
    version = current(settings)
    reasons = {line["run_id"]: line.get("reason", "") for line in publishes.served(settings)}
    found = [
        Version(
            each.run_id,
            each.file,
            each.first_published_at,
            each.published_at,
            (settings.gold_dir / each.file).stat().st_size,
            version is not None and each.run_id == version.run_id,
            reasons[each.run_id],
        )
        for each in publishes.kept_versions(settings)
    ]
    return sorted(found, key=lambda each: each.published_at, reverse=True)


def roll_back(settings: Settings, *, reason: str, to: str | None = None) -> Version:
    """Bring a kept version into service again.

    Args:
        settings: Where gold lies.
        reason: Why; kept in the ledger.
        to: Run of the version; the one before that in service otherwise.

    Returns:
        The version now in service.

    Raises:
        LakeError: There is no such version, no reason is given, or a publish is under way.
        CheckFailed: The file is not the one that was published; what is in service stays.
    """
    if not reason.strip():
        raise LakeError("Say why, with a reason that others will understand: --reason TEXT.")
    if publishes.last_published(settings) is None:
        raise LakeError(f"No gold has been published yet in {settings.gold_dir}: run ./lake demo.")
    with hold("publish", settings=settings):
        pointer.settle(settings)
        before = publishes.last_published(settings)
        target = _target(settings, to)
        path = settings.gold_dir / target.file
        facts = _facts(target.run_id, settings=settings)
        if facts.get("file_sha256") != commits.file_sha256(path):
            raise CheckFailed(
                f"{path} is not the file that run {target.run_id} published, and does not come "
                "into service. What is in service stays: choose another run of `lake publish list`."
            )
        line = {
            **facts,
            "fence": publishes.next_fence(settings),
            "first_published_at": target.published_at,
            "rollback_id": f"rollback-{chain.now()}",
            "from_run": before.run_id if before else None,
            "reason": reason.strip(),
        }
        publishes.record("rollback_intent", line, settings=settings)
        _restate(before, line, settings=settings)
        pointer.require_newest(line, settings=settings)
        pointer.point_to(line, settings=settings)
        publishes.record("rolled_back", line, settings=settings)
    return next(each for each in kept(settings) if each.run_id == target.run_id)


def _target(settings: Settings, to: str | None) -> Version:
    versions = kept(settings)
    if to is not None:
        chosen = [each for each in versions if each.run_id == to]
        if chosen and chosen[0].is_in_service:
            raise LakeError(f"Run {to} is in service already.")
    else:
        newer = [each.published_at for each in versions if each.is_in_service]
        newer = newer or [_last_publish(settings)]
        chosen = [each for each in versions if each.published_at < newer[0]]
    if not chosen:
        what = f"No version of run '{to}'" if to else "No version before the one in service"
        raise LakeError(
            f"{what} is kept in {settings.gold_dir}: `lake publish list` shows those that are."
        )
    return chosen[0]


def _last_publish(settings: Settings) -> str:
    """When the version last in service was published, where its file or the pointer is gone."""
    last = publishes.last_published(settings)
    return last.first_published_at if last else ""


def _facts(run_id: str, *, settings: Settings) -> dict[str, Any]:
    """What the ledger keeps of a publish."""
    own = publishes.lines(settings, "published", run_id=run_id)
    return {key: value for key, value in own[-1].items() if key not in _OF_A_LINE}


def _restate(
    before: publishes.Published | None, line: dict[str, Any], *, settings: Settings
) -> None:
    """Write down which KPIs change for readers; one that can't be read has nothing to compare."""
    if before is None or not (settings.gold_dir / before.file).is_file():
        return
    try:
        found = restatements.compare(
            settings.gold_dir / before.file,
            settings.gold_dir / line["file"],
            run_id=line["rollback_id"],
        )
    except LakeError:
        return
    restatements.record(found, settings=settings)
