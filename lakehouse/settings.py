"""Every path, host, port and size of the platform, read from the environment once.

In: `LAKE_*` variables and an optional `.env` beside the project. Out: a frozen `Settings`.
This is the only module that reads the environment; `.env.example` lists the same names.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SHOP_TIME_ZONE = "Europe/London"
STATE_VERSION = 1


class Settings(BaseSettings):
    """Frozen settings; pass them on explicitly, so that tests need no environment."""

    model_config = SettingsConfigDict(
        env_prefix="LAKE_",
        env_file=PROJECT_ROOT / ".env",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
    )

    home: Path = Field(PROJECT_ROOT / ".lake", description="Folder of all state")
    storage: str | None = Field(
        None, description="URI of the table storage; default: tables/ in home"
    )
    kafka_port: int = Field(9092, ge=1024, le=65535, description="Loopback port of the broker")
    kafka_controller_port: int = Field(
        9093, ge=1024, le=65535, description="Loopback port of the broker's controller"
    )
    kafka_bootstrap: str | None = Field(
        None, description="host:port of another Kafka; default: the local broker"
    )
    kafka_heap: str = Field("512m", description="Heap of the local broker's JVM")
    java_home: Path | None = Field(
        None, validation_alias="JAVA_HOME", description="Folder of the Java to use; default: PATH"
    )
    dashboard_port: int = Field(8050, ge=1024, le=65535, description="Loopback port of the screens")
    airflow_port: int = Field(8080, ge=1024, le=65535, description="Loopback port of Airflow")
    alert_smtp: str | None = Field(
        None, description="Mail server for failed runs: smtp://[user:password@]host[:port]"
    )
    alert_to: str | None = Field(None, description="Who gets a mail when a run fails")
    alert_from: str = Field("cartlake@localhost", description="Sender of that mail")
    lag_records: int = Field(
        100_000, ge=0, description="Records that may wait in Kafka before `lake lag` fails"
    )
    lag_hours: float = Field(
        26.0,
        ge=0,
        description="Hours that gold may be behind the lake before `lake lag` fails",
    )
    spark_master: str = Field("local[2]", description="Spark master URL")
    spark_driver_memory: str = Field("2g", description="Heap of the Spark driver")
    spark_java_options: str = Field(
        "-Dfile.encoding=UTF-8 -XX:+UseSerialGC", description="Options of the Spark driver's JVM"
    )
    spark_shuffle_partitions: int = Field(
        2, ge=1, description="Shuffle partitions; fixed by a query's first checkpoint"
    )
    ingest_max_records: int = Field(
        200_000, ge=1, description="Kafka records in one ingest batch at most"
    )
    refine_max_bytes: str = Field("256m", description="Bronze bytes in one refine batch at most")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="Level of the log files"
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator("java_home", mode="before")
    @classmethod
    def _unset_when_empty(cls, java_home: str | Path | None) -> str | Path | None:
        return java_home or None

    def environment(self) -> dict[str, str]:
        """The environment under which a child process has these very settings."""
        own = {
            f"LAKE_{name.upper()}": str(value)
            for name, value in self.model_dump(mode="json", exclude={"java_home"}).items()
            if value is not None
        }
        return {**os.environ, **own}

    @cached_property
    def bootstrap(self) -> str:
        return self.kafka_bootstrap or f"127.0.0.1:{self.kafka_port}"

    @cached_property
    def tables_uri(self) -> str:
        return (self.storage or str(self.home / "tables")).rstrip("/")

    @cached_property
    def jars_dir(self) -> Path:
        return self.home / "jars"

    @cached_property
    def kafka_dir(self) -> Path:
        return self.home / "kafka"

    @cached_property
    def checkpoints_dir(self) -> Path:
        return self.home / "checkpoints"

    @cached_property
    def gold_dir(self) -> Path:
        return self.home / "gold"

    @cached_property
    def ledger_dir(self) -> Path:
        return self.home / "ledger"

    @cached_property
    def reports_dir(self) -> Path:
        return self.home / "reports"

    @cached_property
    def airflow_dir(self) -> Path:
        return self.home / "airflow"

    @cached_property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @cached_property
    def locks_dir(self) -> Path:
        return self.home / "locks"


def address(settings: Settings) -> str:
    """Where a browser finds the screens."""
    return f"http://127.0.0.1:{settings.dashboard_port}/"
