"""Which version serves: by one small file, and only with the very bytes that were registered."""

from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from ml import artifacts, serving
from ml.serving import Served

ARTIFACT = artifacts.of_values({"level": 3})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def registered(settings: Settings, number: int = 1) -> Served:
    path = settings.models_dir / f"artifacts/{number}/model.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(ARTIFACT.content)
    file = str(path.relative_to(settings.models_dir))
    return Served("m", number, "run", file, "json", ARTIFACT.sha256, "2011-12-10", "2011-12-09")


def test_the_version_that_serves_is_the_one_named_last(settings: Settings) -> None:
    assert serving.champion("m", settings=settings) is None
    with pytest.raises(LakeError, match=r"No version of m serves yet.*lake retrain m"):
        serving.load_champion("m", settings=settings)
    first, second = registered(settings, 1), registered(settings, 2)
    for each in (first, second):
        serving.serve(each, settings=settings)
        assert serving.load_champion("m", settings=settings) == (each, ARTIFACT)
    serving.shadow(first, "m", settings=settings)
    found = serving.in_use("m", settings=settings)
    assert found == {"champion": second, "challenger": first}
    serving.shadow(None, "m", settings=settings)
    assert list(serving.in_use("m", settings=settings)) == ["champion"]
    assert second.label == "m 2"


def test_changed_missing_and_unreadable_files_are_refused_with_a_way_out(
    settings: Settings,
) -> None:
    served = registered(settings)
    serving.serve(served, settings=settings)
    path = settings.models_dir / served.file
    path.write_text('{"level": 4}')
    with pytest.raises(LakeError, match=r"m 1, \S+, is refused: it was changed.*rollback m"):
        serving.load_champion("m", settings=settings)
    path.unlink()
    with pytest.raises(LakeError, match="is refused: No such file"):
        serving.load_champion("m", settings=settings)
    serving.pointer_of("m", settings=settings).write_text("{")
    with pytest.raises(LakeError, match=r"does not say which m serves.*lake models promote m"):
        serving.champion("m", settings=settings)
