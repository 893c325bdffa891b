"""`lake cluster`: a Spark cluster on this machine, or one of its programs in a container."""

from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.cli import app

cluster_app = typer.Typer(no_args_is_help=True, help="A standalone Spark cluster.")
app.add_typer(cluster_app, name="cluster")

Cores = Annotated[int, typer.Option(min=1, help="Cores of each worker.")]
Memory = Annotated[str, typer.Option(help="Memory of each worker for its executors, such as 2g.")]


@cluster_app.command("start")
def start_cluster(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many workers.")] = 2,
    cores: Cores = 1,
    memory: Memory = "1g",
) -> None:
    """Start a master and workers on the loopback address; they outlive this shell.

    Example: lake cluster start --workers 2
    """
    from lakehouse.jars.fetch import ensure_jars
    from operations.cluster import start

    settings = Settings()
    ensure_jars(settings)
    found = start(settings, workers=workers, cores=cores, memory=memory)
    print(f"Spark cluster: {found.address} (pid {found.pid}), {found.alive} workers.")
    print(f"Commands use it with: export LAKE_SPARK_MASTER={found.address}")


@cluster_app.command("stop")
def stop_cluster() -> None:
    """Stop the cluster of this state folder and what runs on it."""
    from operations.cluster import stop

    number = stop(Settings())
    print(f"Stopped {number} programs." if number else "No cluster was running.")


@cluster_app.command("status")
def cluster_status() -> None:
    """Whether the master answers, and which workers it can use; exit code 2 when none."""
    from operations.cluster import status

    found = status(Settings())
    if found.pid is None:
        print("No cluster is running. Start it with `lake cluster start`.")
        raise typer.Exit(2)
    print(
        f"Spark cluster: {found.address} (pid {found.pid}), {found.alive} of {found.started} "
        f"workers can be used, {found.applications} applications."
    )
    if not found.alive:
        raise typer.Exit(2)


@cluster_app.command("serve")
def serve(
    program: Annotated[str, typer.Argument(help="master or worker")],
    host: Annotated[
        str | None, typer.Option(help="Name to listen on; default: the host's.")
    ] = None,
    cores: Cores = 1,
    memory: Memory = "1g",
) -> None:
    """Be one program of a cluster until stopped; a worker joins the master of LAKE_SPARK_MASTER.

    Containers run this. The secret in the state folder is the same for all of them.
    """
    import os
    import socket

    from lakehouse import spark_cluster

    settings, name = Settings(), host or socket.gethostname()
    spark_cluster.make_secret(settings)
    if program == "master":
        found = spark_cluster.master(settings, host=name)
    elif program == "worker":
        found = spark_cluster.worker(
            settings, host=name, master_url=settings.spark_master, cores=cores, memory=memory
        )
    else:
        raise LakeError(f"There is no program '{program}' of a cluster: use master or worker.")
    os.chdir(settings.cluster_dir)
    os.execve(found.command[0], found.command, found.environment)  # noqa: S606 - no shell is wanted
