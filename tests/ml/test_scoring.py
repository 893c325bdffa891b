"""Scoring of the customers in gold: what is written, by which model, what a failure spares."""

from datetime import date

import pandas as pd
import pytest

from lakehouse.contracts.scores import (
    CUSTOMER_CHURN,
    CUSTOMER_FEATURES,
    CUSTOMER_LIFETIME_VALUE,
    CUSTOMER_SEGMENTS,
)
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import current_version
from ml import artifacts, churn, scores, scoring, serving
from ml.features import NAMES, features
from ml.sales import gold_sales
from operations import scoring as jobs
from operations.context import Context
from pipelines.publishing.publish import PublishOutcome
from tests.gold_files import serve_gold
from tests.ml.purchases import shop

pytestmark = pytest.mark.usefixtures("few_repetitions")
TABLES = (CUSTOMER_SEGMENTS, CUSTOMER_CHURN, CUSTOMER_LIFETIME_VALUE)


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return shop(21, customers=180, days=420)


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, sales: pd.DataFrame) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("scores") / "state")
    rows = ", ".join(
        f"('{row.customer_id}', 'web', '{row.order_id}', '{row.day:%Y-%m-%d}', {row.amount:.4f})"
        for row in sales.itertuples(index=False)
    )
    serve_gold(
        settings,
        "create table gold.fct_customer_orders (customer_id varchar, source_system varchar, "
        "order_id varchar, order_date date, gross_amount decimal(18, 4)); "
        f"insert into gold.fct_customer_orders values {rows}",
    )
    return settings


def test_gold_gives_purchases_as_a_file_does(settings: Settings, sales: pd.DataFrame) -> None:
    found = gold_sales(settings)
    assert found.columns.tolist() == ["customer_id", "day", "amount", "order_id"]
    assert len(found) == len(sales)
    assert found["amount"].sum() == pytest.approx(sales["amount"].sum(), abs=0.1)


def test_every_customer_is_scored_with_version_and_day(settings: Settings) -> None:
    now = scoring.known(settings)
    expected = features(now.sales, now.cutoff)
    scoring.write_features(now, settings)
    written = scores.read(CUSTOMER_FEATURES, settings=settings).set_index("customer_id")
    pd.testing.assert_frame_equal(written[list(NAMES)], expected)
    notes = [write(now, settings).note for write in scoring.WRITERS.values()]
    assert notes[0] == "groups found anew"
    assert notes[1].startswith("no version serves: by the rule recency")
    for table in TABLES:
        frame = scores.read(table, settings=settings)
        assert frame["customer_id"].tolist() == expected.index.tolist()
        assert frame["cutoff_date"].dt.date.unique().tolist() == [now.cutoff]
        assert frame["model_version"].str.contains(now.run_id).all()
    chances = scores.read(CUSTOMER_CHURN, settings=settings)["churn_chance"]
    assert chances.between(0, 1).all()
    assert chances.nunique() > 90


def test_the_champion_of_the_registry_scores(settings: Settings) -> None:
    now = scoring.known(settings)
    cutoff = date(2019, 9, 1)
    estimator = churn.fit(churn.examples(now.sales, churn.origins(now.sales, cutoff)))
    artifact = artifacts.of_estimator(estimator)
    path = settings.models_dir / "some" / artifact.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(artifact.content)
    served = serving.Served(
        model="churn",
        version=7,
        run_id="r",
        file=f"some/{artifact.file_name}",
        format=artifact.format,
        sha256=artifact.sha256,
        known_until="2019-08-31",
        trained_at="2020-01-01T00:00:00+00:00",
    )
    serving.serve(served, settings=settings)
    assert scoring.write_churn(now, settings).note == "by churn 7"
    frame = scores.read(CUSTOMER_CHURN, settings=settings)
    assert set(frame["model_version"]) == {"churn 7"}
    own = churn.chances(estimator, features(now.sales, now.cutoff))
    assert frame["churn_chance"].to_numpy() == pytest.approx(own)
    path.write_bytes(b"another")
    with pytest.raises(LakeError, match="its SHA-256 differs"):
        scoring.write_churn(now, settings)
    assert set(scores.read(CUSTOMER_CHURN, settings=settings)["model_version"]) == {"churn 7"}


def test_one_table_that_cannot_be_written_stops_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> scoring.Written:
        raise LakeError("The file is refused.")

    monkeypatch.setitem(scoring.WRITERS, "churn", broken)
    log = StageLog(TreeMeter())
    with pytest.raises(LakeError, match=r"Not everything was scored\. churn: The file is refused"):
        jobs.score(Context(settings, log, PublishOutcome("run")))
    assert [(each.name, each.status) for each in log.stages] == [
        ("score segments", "done"),
        ("score churn", "failed"),
        ("score lifetime value", "done"),
        ("score daily_sales", "skipped"),
        ("score recommendations", "skipped"),
    ]
    assert log.stages[-1].note == "no version serves: lake models show recommendations"
    assert [current_version(table, settings=settings) for table in TABLES] == [1, None, 1]
