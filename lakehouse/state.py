"""The state folder: whose it is, which version it has, and how it is emptied.

In: settings. Out: a folder with a marker of ours, made only where nothing else lies. A folder with
other files in it is never taken over, and emptying removes only names that the platform makes.
"""

import os
import re
import shutil

from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.settings import STATE_VERSION, Settings
from lakehouse.shop import shop_of

MARKER = "VERSION"
CACHES = ("jars", "dbt", "cluster")
"""Folders that hold no data: emptying the state keeps them."""
DATA = (
    *("kafka", "tables", "checkpoints", "ledger", "gold", "live", "reports", "logs", "mail", "ops"),
    *("duckdb", "spark", "damaged", "airflow", "models"),
)
NAMES = (MARKER, *CACHES, *DATA, "locks")
"""Every name that the platform makes in a state folder."""

_UNFIT = re.compile(r"[%:\\*?\[\]{}\x00-\x1f]")
_OURS = re.compile(r"Cartlake state, version (\d+)(?:\nShop: (.*))?")
_FIRST_SHOP = "GBP, Europe/London, en_GB"
"""What every state was made for whose marker does not say it."""


def require_ours(settings: Settings) -> None:
    """Check that engines can read the state folder's name, and that it is missing, empty or ours.

    Raises:
        LakeError: Its name has a sign that an engine takes for something else, or it holds other
            files.
    """
    home = settings.home
    tables = settings.tables_uri.removeprefix("file://")
    for folder in (str(home), *([] if "://" in tables else [tables])):
        if unfit := _UNFIT.search(folder):
            raise LakeError(
                f"The state folder {folder} has {unfit[0]!r} in its name, which Spark or DuckDB "
                "reads as something else. Point LAKE_HOME at a folder whose path has none of "
                "% : \\ * ? [ ] { }."
            )
    try:
        foreign = home.is_dir() and bool(_entries(settings)) and state_version(settings) is None
    except OSError as error:
        raise _unwritable(settings, error) from error
    if foreign:
        raise LakeError(
            f"{home} holds files that are not Cartlake's, so it is not used as the state folder. "
            "Point LAKE_HOME at an empty or a new folder."
        )


def claim(settings: Settings) -> None:
    """Make the state folder and its marker where there is no folder yet, or an empty one.

    Raises:
        LakeError: It can't be written.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        if not _entries(settings):
            _mark(settings)
    except OSError as error:
        raise _unwritable(settings, error) from error


def prepare(settings: Settings) -> None:
    """Claim the state folder and check its version.

    Raises:
        LakeError: It can't be written, holds other files, or belongs to another version.
    """
    require_ours(settings)
    claim(settings)
    if (version := state_version(settings)) != STATE_VERSION:
        raise LakeError(
            f"The state in {settings.home} is of version {version}, this platform reads version "
            f"{STATE_VERSION}. Choose another LAKE_HOME, or wipe it with `lake demo --fresh`."
        )
    require_same_shop(settings)


def require_same_shop(settings: Settings) -> None:
    """Check that a state there is was made for the shop of these settings.

    Raises:
        LakeError: It was made for another one: its days and sums would mean something else.
    """
    text = _marker_text(settings)
    ours = _OURS.fullmatch(text) if text else None
    if ours is None or (made_for := ours[2] or _FIRST_SHOP) == str(shop_of(settings)):
        return
    names = ("LAKE_SHOP_CURRENCY", "LAKE_SHOP_TIME_ZONE", "LAKE_SHOP_LOCALE")
    pairs = zip(names, made_for.split(", "), str(shop_of(settings)).split(", "), strict=True)
    wanted = " and ".join(f"{name}={old}" for name, old, new in pairs if old != new)
    raise LakeError(
        f"The state in {settings.home} was made for a shop of {made_for}, and the settings now say "
        f"{shop_of(settings)}. Set {wanted} again, choose another LAKE_HOME, or wipe it with "
        "`lake demo --fresh`."
    )


def wipe(settings: Settings) -> None:
    """Remove all data of the state, but neither its caches nor anything that is not ours.

    Raises:
        LakeError: The folder holds files and no marker of ours.
    """
    require_ours(settings)
    if not settings.home.exists():
        return
    for name in DATA:
        path = settings.home / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    _mark(settings)


def state_version(settings: Settings) -> int | None:
    """Version that the marker names; None when there is no marker of ours."""
    text = _marker_text(settings)
    if text is None:
        return None
    if (ours := _OURS.fullmatch(text)) is not None:
        return int(ours[1])
    # The first version wrote its bare number, also into folders of other people.
    return 1 if text == "1" and set(_entries(settings)) <= set(NAMES) else None


def _marker_text(settings: Settings) -> str | None:
    marker = settings.home / MARKER
    if not marker.is_file():
        return None
    return marker.read_text(encoding="utf-8", errors="replace").strip()


def _entries(settings: Settings) -> list[str]:
    """Names in the folder, but for drafts of a marker that a crash left behind."""
    return [each.name for each in settings.home.iterdir() if not each.match(f".{MARKER}.*.draft")]


def _mark(settings: Settings) -> None:
    text = f"Cartlake state, version {STATE_VERSION}\nShop: {shop_of(settings)}\n"
    replace_text(settings.home / MARKER, text)


def _unwritable(settings: Settings, error: OSError) -> LakeError:
    return LakeError(
        f"The state folder {settings.home} can't be written ({os.strerror(error.errno or 0)}). "
        "Choose another one with LAKE_HOME."
    )
