"""The state folder: only an empty or a new folder is taken, and wiping leaves all but our names."""

from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import PROJECT_ROOT, STATE_VERSION, Settings
from lakehouse.state import (
    claim,
    prepare,
    require_ours,
    require_same_shop,
    state_version,
    wipe,
)


def fill(home: Path, *names: str) -> Settings:
    for name in names:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return Settings(home=home)


def left(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_a_new_and_an_empty_folder_become_a_state_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for home in (tmp_path / "new" / "state", tmp_path / "empty"):
        settings = Settings(home=home)
        prepare(settings)
        assert (left(home), state_version(settings)) == (["VERSION"], STATE_VERSION)


@pytest.mark.parametrize(
    "names",
    [
        ("thesis.txt", "src/a.py"),
        ("jars/mine.jar",),
        ("tables/mine.csv", "logs/mine.log"),
        ("VERSION",),
        (".git/config",),
    ],
)
def test_a_folder_of_somebody_else_is_never_taken_nor_changed(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    settings = fill(tmp_path, *names)
    for act in (require_ours, prepare, wipe):
        with pytest.raises(LakeError, match=r"files that are not Cartlake's.*LAKE_HOME"):
            act(settings)
    claim(settings)
    assert left(tmp_path) == sorted(names)


def test_a_marker_that_the_first_version_left_in_a_foreign_folder_is_not_trusted(
    tmp_path: Path,
) -> None:
    settings = fill(tmp_path, "thesis.txt", "ledger/x")
    (tmp_path / "VERSION").write_text("1\n")
    with pytest.raises(LakeError, match="not Cartlake's"):
        wipe(settings)
    assert left(tmp_path) == ["VERSION", "ledger/x", "thesis.txt"]


def test_wiping_removes_our_data_and_keeps_caches_locks_and_what_is_not_ours(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path / "state")
    prepare(settings)
    ours = ("tables/silver/x", "kafka/x", "ledger/x", "gold/x", "reports/x", "logs/x", "damaged/x")
    kept = ("jars/a.jar", "dbt/x", "locks/run.lock", "notes.txt", "mine/deep/x")
    fill(settings.home, *ours, *kept)
    wipe(settings)
    assert left(settings.home) == sorted([*kept, "VERSION"])
    require_ours(settings)


def test_wiping_does_not_follow_a_link_out_of_the_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    prepare(settings)
    fill(tmp_path / "elsewhere", "precious.txt")
    (settings.home / "tables").symlink_to(tmp_path / "elsewhere")
    wipe(settings)
    assert left(tmp_path / "elsewhere") == ["precious.txt"]
    assert left(settings.home) == ["VERSION"]


def test_a_lock_in_a_new_folder_makes_it_ours(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    with hold("run", settings=settings):
        prepare(settings)


def test_a_state_of_another_version_is_refused_and_may_be_wiped(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    prepare(settings)
    (settings.home / "VERSION").write_text("Cartlake state, version 99\n")
    fill(settings.home, "ledger/x")
    with pytest.raises(LakeError, match=r"version 99.*--fresh"):
        prepare(settings)
    wipe(settings)
    prepare(settings)
    assert left(settings.home) == ["VERSION"]


def test_a_state_serves_the_shop_that_it_was_made_for_and_no_other(tmp_path: Path) -> None:
    berlin = {"shop_currency": "EUR", "shop_time_zone": "Europe/Berlin", "shop_locale": "de_DE"}
    german = Settings.model_validate({"home": tmp_path / "state", **berlin})
    british = Settings(home=german.home)
    prepare(german)
    prepare(german)
    for other, wanted in (
        (british, "LAKE_SHOP_CURRENCY=EUR and LAKE_SHOP_TIME_ZONE=Europe/Berlin and LAKE_SHOP_LO"),
        (german.model_copy(update={"shop_locale": "de_AT"}), r"Set LAKE_SHOP_LOCALE=de_DE again"),
    ):
        with pytest.raises(LakeError, match=wanted):
            prepare(other)
        with pytest.raises(LakeError, match=r"made for a shop of EUR, Europe/Berlin, de_DE"):
            require_same_shop(other)
    wipe(british)
    prepare(british)
    with pytest.raises(LakeError, match=r"GBP, Europe/London, en_GB"):
        prepare(german)


def test_a_state_that_does_not_name_its_shop_is_of_the_first_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    prepare(settings)
    (settings.home / "VERSION").write_text(f"Cartlake state, version {STATE_VERSION}\n")
    prepare(settings)
    with pytest.raises(LakeError, match="LAKE_SHOP_CURRENCY=GBP again"):
        prepare(settings.model_copy(update={"shop_currency": "EUR"}))


def test_an_empty_variable_means_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_HOME", "")
    assert Settings().home == PROJECT_ROOT / ".lake"


@pytest.mark.parametrize("sign", ["%", ":", "\\", "*", "?", "[", "{"])
def test_a_folder_whose_name_an_engine_misreads_is_refused_before_anything_starts(
    tmp_path: Path, sign: str
) -> None:
    home = tmp_path / f"a{sign}20b" / "state"
    with pytest.raises(LakeError) as told:
        prepare(Settings(home=home, storage=None))
    assert str(told.value) == (
        f"The state folder {home} has {sign!r} in its name, which Spark or DuckDB reads as "
        "something else. Point LAKE_HOME at a folder whose path has none of % : \\ * ? [ ] { }."
    )
    assert list(tmp_path.iterdir()) == []


def test_the_storage_must_have_a_fitting_name_too(tmp_path: Path) -> None:
    for storage in (str(tmp_path / "50%"), (tmp_path / "50%").as_uri()):
        with pytest.raises(LakeError, match="has '%' in its name"):
            require_ours(Settings(home=tmp_path / "state", storage=storage))
