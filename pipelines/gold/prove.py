"""The proof that dbt's tests catch what they claim: gold of an invented shop, damaged on purpose.

In: the invented shops and `dbt_project/planted_defects.yml`. Out: a row per defect with the one
test that saw it, and the tests that fail over sound shops. dbt runs in a child process, which
evaluates the tests' own compiled SQL on the damaged tables. Run standalone: `lake quality prove`.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.contracts.tables import GOLD_SOURCES
from lakehouse.errors import LakeError
from lakehouse.processes.worker import Worker, serve
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.shop_format import counted
from pipelines.gold import dbt_child
from quality.proof.prove import ProofRow
from quality.proof.sample_shop import build_shop

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
DEFECTS_FILE = DBT_PROJECT / "planted_defects.yml"


@dataclass(frozen=True)
class GoldProof:
    """Rows of the planted defects, and by seed what failed in a sound shop."""

    rows: tuple[ProofRow, ...]
    alarms: Mapping[int, tuple[str, ...]]


def gold_defects() -> list[dict[str, str]]:
    """The planted defects of gold: name, check, damage."""
    import yaml  # type: ignore[import-untyped]

    found: list[dict[str, str]] = yaml.safe_load(DEFECTS_FILE.read_text(encoding="utf-8"))
    return found


def prove_gold(
    seeds: Sequence[int] = (0,),
    *,
    defects: Iterable[Mapping[str, str]] | None = None,
    without: Sequence[str] = (),
) -> GoldProof:
    """Build gold of each seed's shop, and damage that of the first.

    Args:
        seeds: One seed or more.
        defects: What to plant; those of the project otherwise.
        without: Tests to leave out, as if they were deleted.

    Raises:
        LakeError: Gold can't be built, or the child process died; the message says why.
    """
    planted = list(gold_defects() if defects is None else defects)
    with tempfile.TemporaryDirectory(prefix="gold-proof-") as folder:
        home = Path(folder)
        request = {
            "home": folder,
            "builds": [_silver_of(seed, home / str(seed)) for seed in seeds],
            "defects": [dict(each) for each in planted],
            "without": list(without),
        }
        with Worker(
            "pipelines.gold.prove",
            task="proves gold",
            settings=Settings(home=home),
            log_name="proof.log",
        ) as worker:
            answer = worker.ask(request)
    rows = tuple(
        ProofRow(
            each["name"],
            each["check"],
            tuple(name for name, _, _ in found),
            f"{counted(found[0][1])} failing rows: {found[0][2]}" if found else "",
            "blocks" if found else "",
        )
        for each, found in zip(planted, answer["found"], strict=True)
    )
    alarms = dict(zip(seeds, map(tuple, answer["alarms"]), strict=True))
    return GoldProof(rows, alarms)


def _silver_of(seed: int, folder: Path) -> dict[str, str]:
    """Silver of a shop as Parquet files. Returns: the variables of a build."""
    folder.mkdir(parents=True)
    variables = {"gold_file": str(folder / "gold.duckdb"), "scratch_dir": str(folder)}
    with build_shop(seed) as shop:
        for table in GOLD_SOURCES:
            path = folder / f"{table.name}.parquet"
            name = shop.relations[table.name]
            shop.connection.execute(f"copy {name} to '{path}' (format parquet)")
            variables[table.flat_name] = f"read_parquet('{path}')"
    return variables


def proof(request: Mapping[str, Any]) -> dict[str, Any]:
    """In the child: what each defect made fail, and what failed over sound shops."""
    arguments = [
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", f"{request['home']}/target", "--log-path", f"{request['home']}/logs"),
    ]
    found: list[list[Any]] = []
    alarms: list[list[str]] = []
    manifest = None
    for place, variables in enumerate(request["builds"]):
        results, manifest = _build(arguments, variables, manifest)
        good = ("success", "pass")
        alarms.append([each.node.name for each in results if str(each.status) not in good])
        if place == 0:
            tests = [
                (each.node.name, each.node.compiled_code)
                for each in results
                if each.node.resource_type == "test" and each.node.name not in request["without"]
            ]
            found = [_planted(each["damage"], tests) for each in request["defects"]]
        dbt_child.close(is_wanted=True)
    return {"found": found, "alarms": alarms}


def _build(
    arguments: list[str], variables: Mapping[str, str], manifest: Any
) -> tuple[list[Any], Any]:
    if manifest is None:
        manifest, failure = dbt_child.parse(arguments)
        if failure is not None:
            raise LakeError(f"The dbt project does not parse: {failure}.")
    outcome = dbt_child.run(arguments, manifest=manifest, variables=variables)
    if outcome.result is None:
        raise LakeError(f"Gold of the invented shop was not built: {outcome.exception}.")
    return [
        each for each in outcome.result.results if each.node.resource_type != "operation"
    ], manifest


def _planted(damage: str, tests: Sequence[tuple[str, str]]) -> list[tuple[str, int, str]]:
    """Tests that fail on damaged gold: name, failing rows, one of them as text."""
    cursor = _cursor()
    cursor.execute("begin")
    try:
        cursor.execute(damage)
        failed = []
        for name, sql in tests:
            rows = cursor.execute(f"select * from ({sql})").fetchall()
            if rows:
                names = [column[0] for column in cursor.description]
                shown = ", ".join(
                    f"{key}={value}" for key, value in zip(names, rows[0], strict=True)
                )
                failed.append((name, len(rows), shown[:200]))
        return failed
    finally:
        cursor.execute("rollback")
        cursor.close()


def _cursor() -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    return DuckDBConnectionManager.env().handle().cursor()


if __name__ == "__main__":
    serve(lambda _: proof)
