"""What runs and what lies in the state folder, at a glance.

In: settings. Out: one text for the terminal. It reads logs and pointers only and starts nothing.
"""

from lakehouse import pointer
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.ledger import losses
from lakehouse.processes.programs import is_free
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from lakehouse.tables import current_versions
from operations.lag import unread_records
from operations.report import versions
from pipelines.publishing import restatements
from streaming import broker, retention


def describe(settings: Settings) -> str:
    """State folder, broker, screens, row counts, last publish, lag, versions."""
    lines = [f"State      {settings.home}"]
    status = broker.status(settings)
    lines.append(
        f"Broker     Kafka at {status.bootstrap}, pid {status.pid}"
        if status.running
        else f"Broker     pid {status.pid} does not answer (lake broker start)"
        if status.pid
        else "Broker     not running (lake broker start)"
    )
    port = settings.dashboard_port
    lines.append(
        "Screens    not running (lake dashboard)"
        if is_free(port)
        else f"Screens    port {port} is in use: http://127.0.0.1:{port}/"
    )
    found = current_versions(settings)
    with open_lake(settings) as lake:
        for name, version in found.items():
            relation = delta_relation(settings, name, version=version)
            rows = lake.execute(f"select count(*) from {relation}").fetchall()[0][0]
            lines.append(f"{name:<27} {counted(rows):>12} rows  version {version}")
        if status.running and BRONZE_EVENTS.name in found:
            unread = unread_records(settings)
            lines.append(f"Lag        {counted(unread)} records in Kafka are not in bronze yet")
    lines += [f"Warning    {text}" for text in retention.warnings(settings)]
    serving = pointer.current(settings)
    lines.append(
        f"Gold       run {serving.run_id}, published {serving.facts.get('published_at')}"
        if serving
        else "Gold       nothing published yet (./lake demo)"
    )
    restated = restatements.summary(settings)
    if restated["all_figures"]:
        lines.append(
            f"Restated   {counted(restated['figures'])} KPIs of {counted(restated['days'])} days "
            f"by that run, {counted(restated['all_figures'])} of {counted(restated['all_days'])} "
            "by all "
            "(lake restatements)"
        )
    if lost := losses.size(losses.accepted(settings)):
        why = "; ".join(losses.reasons(settings))
        lines.append(f"Given up   {counted(lost)} records that Kafka lost unread: {why}")
    lines.append("Versions   " + ", ".join(f"{name} {each}" for name, each in versions().items()))
    return "\n".join(lines)
