"""Every path, host, port and size of the platform, read from the environment once.

In: `LAKE_*` variables and an optional `.env` beside the project. Out: a frozen `Settings`, and the
environment of our processes: without the variables that steer another set-up of the same engines.
This is the only module that reads the environment; `.env.example` lists the same names.
"""

import contextlib
import os
import pwd
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lakehouse import setting_values as fits
from lakehouse.errors import LakeError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
STATE_VERSION = 2
UNKNOWN_USER = "cartlake"
"""Name for a user who has none."""

FOREIGN_PREFIXES = (
    *("SPARK_", "PYSPARK_", "_PYSPARK_", "HADOOP_", "YARN_", "HIVE_", "KAFKA_", "LOG4J_"),
    *("DBT_", "GX_", "GE_", "DASH_", "PLOTLY_", "REACT_", "UVICORN_", "WEB_CONCURRENCY", "PYTHON"),
    *("AIRFLOW_", "MLFLOW_"),
    "FORWARDED_ALLOW_IPS",
)
"""Begin the names of variables that another Spark, dbt, Airflow or Python may have left behind."""
FOREIGN_NAMES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


class Settings(BaseSettings):
    """Frozen settings; pass them on explicitly, so that tests need no environment.

    Raises: LakeError for a value that does not fit; it names the variable and what fits.
    """

    model_config = SettingsConfigDict(
        env_prefix="LAKE_",
        env_file=PROJECT_ROOT / ".env",
        env_file_encoding="utf-8-sig",
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
        None,
        pattern=fits.ADDRESS,
        examples=["kafka.example:9092"],
        description="host:port of another Kafka; default: the local broker",
    )
    kafka_heap: str = Field(
        "512m",
        pattern=fits.SIZE,
        examples=["512m", "2g"],
        description="Heap of the local broker's JVM",
    )
    java_home: Path | None = Field(
        None, validation_alias="JAVA_HOME", description="Folder of the Java to use; default: PATH"
    )
    jars: Path | None = Field(
        None, description="Folder of the checked jars; default: jars/ in home"
    )
    dashboard_port: int = Field(8050, ge=1024, le=65535, description="Port of the screens")
    dashboard_host: IPv4Address = Field(
        IPv4Address("127.0.0.1"),
        examples=["127.0.0.1", "0.0.0.0"],  # noqa: S104 - an example of what a person may set
        description="Address that the screens listen on; there is no login",
    )
    dashboard_allowed_hosts: str | None = Field(
        None,
        pattern=fits.NAMES,
        examples=["dashboard", "shop.example,shop.example:8443"],
        description="Names that the screens answer to, besides the loopback ones",
    )
    shop_currency: fits.Currency = Field("GBP", description="Currency of all money, by ISO 4217")
    shop_time_zone: fits.TimeZone = Field(
        "Europe/London", description="Time zone of the shop's days and clock, a name of the IANA"
    )
    shop_locale: fits.Locale = Field("en_GB", description="How figures and days are written")
    kpi_targets: str | None = Field(
        None,
        pattern=fits.TARGETS,
        examples=["net_revenue=30000,return_rate=0.02"],
        description="Targets of KPIs: of a day for amounts and counts, as they are for rates",
    )
    # part: airflow
    airflow_port: int = Field(8080, ge=1024, le=65535, description="Port of Airflow")
    airflow_host: str = Field(
        "127.0.0.1", description="Name or address at which Airflow's parts reach its API server"
    )
    airflow_database_file: Path | None = Field(
        None, description="File with the SQLAlchemy URL of Airflow's database; default: SQLite"
    )
    # end part
    alert_smtp: str | None = Field(
        None,
        pattern=fits.MAIL_SERVER,
        examples=["smtp://mail.example:25", "smtps://user:password@mail.example"],
        description="Mail server: smtp://[user:password@]host[:port]",
    )
    alert_to: str | None = Field(None, description="Who gets a mail when a run fails")
    alert_escalate_to: str | None = Field(
        None, description="Who gets a mail of an alert that nobody acknowledges; default: its first"
    )
    alert_rules: Path | None = Field(
        None, description="File with the rules of `lake alerts`; default: reports/alerts/rules.toml"
    )
    alert_webhook: str | None = Field(
        None,
        pattern=fits.WEB_ADDRESS,
        examples=["https://chat.example/hooks/shop"],
        description="Web address that gets alerts as signed JSON; needs the key",
    )
    alert_webhook_key: str | None = Field(
        None, min_length=16, description="Key of that signature, 16 characters or more"
    )
    alert_from: str = Field("cartlake@localhost", description="Sender of every mail")
    recipients: Path | None = Field(
        None, description="Who gets the reports; default: recipients.toml in home"
    )
    dashboard_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s\"'<>]+$",
        examples=["https://figures.shop.example"],
        description="Address of the screens as readers of mails reach it; default: this machine's",
    )
    mail_port: int = Field(
        1025, ge=1024, le=65535, description="Loopback port of the inbox that shows mails"
    )
    mail_page_port: int = Field(
        8025, ge=1024, le=65535, description="Loopback port of the page of that inbox"
    )
    smtp_tls: Literal["auto", "required", "off"] = Field(
        "auto", description="TLS to an smtp:// server: where it is offered, always, or never"
    )
    smtp_ca_file: Path | None = Field(
        None, description="Certificates that the mail server's is checked against; default: system"
    )
    smtp_timeout: float = Field(
        60.0, gt=0, le=600, description="Seconds to wait for an answer of the mail server"
    )
    lag_records: int = Field(
        100_000, ge=0, description="Records that may wait in Kafka before `lake lag` fails"
    )
    lag_hours: float = Field(
        26.0,
        ge=0,
        description="Hours that gold may be behind the lake before `lake lag` fails",
    )
    spark_master: str = Field(
        "local[*]",
        pattern=fits.MASTER,
        examples=["local[2]", "local[*]", "spark://host:7077"],
        description="Spark master URL",
    )
    spark_driver_host: str = Field(
        "127.0.0.1", description="Name or address at which a Spark cluster reaches the driver"
    )
    spark_cores: int | None = Field(
        None, ge=1, description="Cores of a Spark cluster for one command; default: all"
    )
    spark_executor_memory: str = Field(
        "1g",
        pattern=fits.SIZE,
        examples=["1g", "4g"],
        description="Heap of a Spark cluster's executor",
    )
    cluster_port: int = Field(
        7077, ge=1024, le=65535, description="Port of the master of `lake cluster`"
    )
    cluster_page_port: int = Field(
        7078, ge=1024, le=65535, description="Port of the page of that master"
    )
    spark_driver_memory: str = Field(
        "2g",
        pattern=fits.SIZE,
        examples=["1g", "4g"],
        description="Heap of the Spark driver",
    )
    spark_java_options: str = Field(
        # C1 alone: rows are not Java's work here, and compiling for many small plans is most of it.
        "-Dfile.encoding=UTF-8 -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
        " -XX:ReservedCodeCacheSize=240m",
        description="Options of the Spark driver's JVM",
    )
    spark_shuffle_partitions: int = Field(
        2, ge=1, description="Shuffle partitions; fixed by a query's first checkpoint"
    )
    ingest_max_records: int = Field(
        200_000, ge=1, description="Kafka records in one ingest batch at most"
    )
    refine_max_bytes: str = Field(
        "256m",
        pattern=fits.SIZE,
        examples=["64m", "1g"],
        description="Bronze bytes in one refine batch at most",
    )
    margin_rate: float = Field(
        0.3, ge=0, le=1, description="Margin of sales, for the worth of an offer to a customer"
    )
    offer_cost: float = Field(
        5.0, ge=0, description="Pounds that an offer to a customer at risk costs"
    )
    offer_success_rate: float = Field(
        0.1, ge=0, le=1, description="Share of customers at risk whom an offer keeps"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="Level of the log files"
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator(
        "jars",
        "alert_rules",
        "airflow_database_file",
        "smtp_ca_file",
        "recipients",
        check_fields=False,
    )
    @classmethod
    def _also_absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("java_home")
    @classmethod
    def _with_its_links(cls, java_home: Path | None) -> Path | None:
        return None if java_home is None else java_home.expanduser().absolute()

    @field_validator("storage")
    @classmethod
    def _from_where_the_command_runs(cls, storage: str | None) -> str | None:
        is_folder = storage is not None and ":/" not in storage
        return str(Path(storage or "").expanduser().absolute()) if is_folder else storage

    @model_validator(mode="wrap")
    @classmethod
    def _named(cls, values: Any, validate: Any) -> Any:
        try:
            found = validate(values)
        except ValidationError as error:
            raise LakeError(fits.what_fits(error, cls)) from None
        if not found.dashboard_host.is_loopback and found.dashboard_allowed_hosts is None:
            raise LakeError(
                f"LAKE_DASHBOARD_HOST={found.dashboard_host} would open the screens, which have no "
                "login, beyond this machine. Name what they shall answer to in "
                "LAKE_DASHBOARD_ALLOWED_HOSTS too, or leave both out."
            )
        return found

    def environment(self) -> dict[str, str]:
        """The environment of a child process: these very settings, nothing of another set-up."""
        own = {
            f"LAKE_{name.upper()}": str(value)
            for name, value in self.model_dump(mode="json", exclude={"java_home"}).items()
            if value is not None
        }
        if self.java_home is not None:
            own["JAVA_HOME"] = str(self.java_home)
        unknown = {"HOME": str(self.home), "USER": UNKNOWN_USER} if is_user_unknown() else {}
        return {**unknown, **clean_environment(), **own}

    @cached_property
    def bootstrap(self) -> str:
        return self.kafka_bootstrap or f"127.0.0.1:{self.kafka_port}"

    @cached_property
    def tables_uri(self) -> str:
        return (self.storage or str(self.home / "tables")).rstrip("/")

    @cached_property
    def jars_dir(self) -> Path:
        return self.jars or self.home / "jars"

    @cached_property
    def kafka_dir(self) -> Path:
        return self.home / "kafka"

    @cached_property
    def checkpoints_dir(self) -> Path:
        return self.home / "checkpoints"

    @cached_property
    def live_dir(self) -> Path:
        return self.home / "live"

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
    def models_dir(self) -> Path:
        return self.home / "models"

    # part: airflow
    @cached_property
    def airflow_dir(self) -> Path:
        return self.home / "airflow"

    # end part
    @cached_property
    def cluster_dir(self) -> Path:
        return self.home / "cluster"

    @cached_property
    def mail_dir(self) -> Path:
        return self.home / "mail"

    @cached_property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @cached_property
    def locks_dir(self) -> Path:
        return self.home / "locks"


def address(settings: Settings) -> str:
    """Where a browser of this machine finds the screens."""
    return f"http://127.0.0.1:{settings.dashboard_port}/"


def clean_environment(*kept: str) -> dict[str, str]:
    """This process's variables without those of other set-ups, but for the names that are kept."""
    clean = {
        name: value for name, value in os.environ.items() if name in kept or not _is_foreign(name)
    }
    if sys.platform == "linux":  # Java takes the encoding of file names from it
        clean["LC_ALL"] = "C.UTF-8"
    return clean


def forget_foreign() -> None:
    """Take the variables of other set-ups out of this process, before it loads an engine.

    Folders that another Python's path brought in go too. Java's variables stay: only programs read
    them, and those get an environment of their own.
    """
    for folder in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if folder in sys.path:
            sys.path.remove(folder)
    for name in [each for each in os.environ if each.startswith(FOREIGN_PREFIXES)]:
        del os.environ[name]


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process for the time of a `with`, for a library that reads them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def is_user_unknown() -> bool:
    """Whether this user has no entry in the machine's list of users, as in some containers."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return True
    return False


def _is_foreign(name: str) -> bool:
    return name in FOREIGN_NAMES or name.startswith(FOREIGN_PREFIXES)
