"""What holds for the repository as a whole: one place for each thing, names, docs that are true."""

import ast
import importlib
import itertools
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml  # type: ignore[import-untyped]

import operations.cli
from lakehouse.contracts import TABLES, TOPICS, dead_letter_topic
from lakehouse.contracts.business import SERVICE_CODE_PREFIX, SERVICE_CODES
from lakehouse.contracts.gold import GOLD_TABLES
from lakehouse.contracts.topics import ENVELOPE, ORDER_LINE_FIELDS, SOURCE_TOPICS
from lakehouse.settings import PROJECT_ROOT, Settings

PACKAGES = (
    *("lakehouse", "experiments", "ml", "reports", "storefront", "quality", "pipelines"),
    *("streaming", "governance", "dashboards", "operations"),
)
MODULES = sorted(
    path for each in (*PACKAGES, "dags") for path in (PROJECT_ROOT / each).rglob("*.py")
)
DOCS = [
    *sorted(PROJECT_ROOT.glob("*.md")),
    *sorted((PROJECT_ROOT / "docs").rglob("*.md")),
    PROJECT_ROOT / "storefront" / "data" / "README.md",  # part: history
    PROJECT_ROOT / "dags" / "README.md",  # part: airflow
]
TEXTS = [*DOCS, PROJECT_ROOT / "NOTICE", PROJECT_ROOT / ".env.example"]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core"}
MOST_LINES = 400
FLOATS = re.compile(r"\b(float|double|real)\b", re.IGNORECASE)
MONEY = re.compile(r"(^|_)(amount|price)$")


def relative(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def users_of(is_use: Callable[[ast.AST], bool]) -> set[str]:
    return {relative(path) for path in MODULES if any(map(is_use, ast.walk(tree(path))))}


def is_attribute(node: ast.AST, owner: str, *names: str) -> bool:
    """Whether a node is `owner.name`, or imports such a name from `owner`."""
    if isinstance(node, ast.ImportFrom):
        return node.module == owner and any(alias.name in names for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
    )


def imports(node: ast.AST, package: str) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == package for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package


def literals(module: ast.Module) -> Iterator[str]:
    """Texts of a module, those within f-strings included, docstrings and bare texts left out."""
    bare = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def test_the_environment_is_read_in_settings_only() -> None:
    found = users_of(lambda node: is_attribute(node, "os", "environ", "environb", "getenv"))
    assert found == {"lakehouse/settings.py"}


def test_every_program_is_started_under_an_environment_of_ours() -> None:
    def starts_without(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and is_attribute(node.func, "subprocess", "Popen", "run", "call", "check_output")
            and "env" not in {each.arg for each in node.keywords}
        )

    # The supervisor has been started under one itself.
    assert users_of(starts_without) == {"lakehouse/processes/supervisor.py"}


def test_no_code_and_no_rule_names_a_currency_or_a_time_zone_but_the_settings() -> None:
    dbt = (
        path for kind in ("*.sql", "_*.yml") for path in (PROJECT_ROOT / "dbt_project").rglob(kind)
    )
    named = re.compile(r"£|\bGBP\b|[Pp]ounds?\b|POUNDS|\bLondon\b|[Ss]terling")
    found = {relative(p) for p in (*MODULES, *dbt) if named.search(p.read_text(encoding="utf-8"))}
    assert found == {
        "lakehouse/setting_values.py",  # examples in sentences
        "lakehouse/settings.py",  # the defaults
        "lakehouse/shop_format.py",  # examples
        "lakehouse/state.py",  # states from before there was a choice
        "dbt_project/models/marts/_unit_tests.yml",  # the default's expected rows
    }


def test_thousands_are_parted_as_the_shop_writes_them() -> None:
    """Python's own sign for thousands is what Germany writes before decimals."""
    specs = (
        (path, node.format_spec)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FormattedValue) and node.format_spec
    )
    named = re.compile(r"'[^%]*,(\.\d+)?\w?'$")
    assert [
        f"{relative(path)}:{spec.lineno}" for path, spec in specs if named.search(ast.unparse(spec))
    ] == []


def test_duckdb_is_connected_to_in_duck_only() -> None:
    assert users_of(lambda node: is_attribute(node, "duckdb", "connect")) == {"lakehouse/duck.py"}


def test_the_spark_session_is_built_in_spark_only() -> None:
    found = users_of(
        lambda node: is_attribute(node, "SparkSession", "builder", "Builder", "getActiveSession")
    )
    assert found == {"lakehouse/spark.py"}


def test_delta_is_imported_in_tables_only() -> None:
    found = users_of(lambda node: imports(node, "delta") or imports(node, "deltalake"))
    assert {name.rpartition("/")[0] for name in found} == {"lakehouse/tables"}


def test_mlflow_is_imported_in_the_registry_of_models_only() -> None:
    assert users_of(lambda node: imports(node, "mlflow")) == {"ml/registry.py"}


def test_tables_and_topics_are_named_in_the_contracts_only() -> None:
    names = [*(table.name for table in TABLES), *TOPICS, *GOLD_TABLES]
    marts = [name.partition(".")[2] for name in GOLD_TABLES]
    any_name = re.compile(rf"\b({'|'.join(map(re.escape, [*names, *marts]))})\b")
    found = [
        f"{relative(path)}: {text!r}"
        for path in MODULES
        if not path.is_relative_to(PROJECT_ROOT / "lakehouse" / "contracts")
        for text in literals(tree(path))
        if any_name.search(text)
    ]
    assert found == []


def test_the_contracts_name_every_mart_and_every_topic() -> None:
    marts = (PROJECT_ROOT / "dbt_project" / "models" / "marts").glob("*.sql")
    assert set(GOLD_TABLES) == {f"gold.{path.stem}" for path in marts}
    assert {dead_letter_topic(topic.name) for topic in SOURCE_TOPICS} < set(TOPICS)


def test_money_is_a_decimal_in_tables_and_a_text_in_messages() -> None:
    columns = [column for table in TABLES for column in table.columns]
    assert [column for column in columns if FLOATS.search(column.type)] == []
    money = [column for column in columns if MONEY.search(column.name)]
    assert {column.type for column in money} == {"decimal(12,4)", "decimal(18,4)"}
    fields = [*ENVELOPE, *ORDER_LINE_FIELDS, *(f for topic in SOURCE_TOPICS for f in topic.fields)]
    sums = [field for field in fields if MONEY.search(field.name.lower())]
    assert {field.kind for field in sums} == {"string"}
    for path in (PROJECT_ROOT / "dbt_project" / "models").rglob("*.yml"):
        types = re.findall(r"data_type: *\"?([^,}\n]+)", path.read_text(encoding="utf-8"))
        assert [each for each in types if FLOATS.search(each)] == [], relative(path)


def test_service_codes_are_the_same_in_python_and_dbt() -> None:
    text = (PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8")
    variables = yaml.safe_load(text)["vars"]
    assert tuple(variables["service_codes"]) == SERVICE_CODES
    assert variables["service_code_prefix"] == SERVICE_CODE_PREFIX


def test_every_module_says_what_it_does() -> None:
    silent = [path for path in MODULES if tree(path).body and not ast.get_docstring(tree(path))]
    assert [relative(path) for path in silent] == []


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_names_come_from_the_business_or_the_layer() -> None:
    folders = [*PACKAGES, "dbt_project/models", "dbt_project/macros", "tests"]
    paths = [path for each in folders for path in (PROJECT_ROOT / each).rglob("*.*")]
    found = [
        path
        for path in paths
        if {*path.parts[len(PROJECT_ROOT.parts) : -1], path.stem} & FORBIDDEN_NAMES
    ]
    assert [relative(path) for path in found] == []


def test_env_example_lists_every_setting_with_its_default_and_a_meaning() -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = {}
    for before, line in itertools.pairwise(lines):
        if found := re.fullmatch(r"#(LAKE_[A-Z_]+)=(.*)", line):
            assert re.match(r"# \S", before), line
            shown[found[1]] = found[2]
    defaults = {
        f"LAKE_{name.upper()}": field.default
        for name, field in Settings.model_fields.items()
        if field.validation_alias is None
    }
    expected = {
        name: relative(value) if isinstance(value, Path) else "" if value is None else str(value)
        for name, value in defaults.items()
    }
    assert shown == expected
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_docs_and_examples_mention_no_private_path() -> None:
    private = re.compile(r"\.\./shared|(?<![\w.:/-])/(work|tmp|root|home|Users|mnt|srv)/")
    found = [
        f"{relative(path)}: {line}"
        for path in TEXTS
        for line in path.read_text(encoding="utf-8").splitlines()
        if private.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("path", DOCS, ids=relative)
def test_relative_links_lead_to_files(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@cache
def commands() -> dict[str, set[str]]:
    """Options of each command by its words, such as "broker start"; groups included."""
    for module in pkgutil.iter_modules(operations.cli.__path__):
        importlib.import_module(f"operations.cli.{module.name}")
    found: dict[str, set[str]] = {}

    def add(command: Any, words: str) -> None:
        found[words] = {"--help"} | {
            option for each in command.params for option in (*each.opts, *each.secondary_opts)
        }
        for name, inner in getattr(command, "commands", {}).items():
            add(inner, f"{words} {name}".strip())

    add(typer.main.get_command(operations.cli.app), "")
    return found


def calls(text: str) -> Iterator[list[str]]:
    """Words after each `lake` in the code of a document, without arguments of other kinds."""
    blocks = re.findall(r"^```.*?^```", text, re.M | re.S)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    lines = [line for block in blocks for line in block.splitlines()]
    for code in (*spans, *lines):
        if found := re.match(r"\s*(?:\./)?lake\s+([^#\"|]*)", code):
            yield found[1].split()


@pytest.mark.parametrize("path", DOCS, ids=relative)
def test_commands_and_options_that_the_docs_name_exist(path: Path) -> None:
    unknown = []
    for words in calls(path.read_text(encoding="utf-8")):
        name = ""
        for before, word in itertools.pairwise(["", *words]):
            if f"{name} {word}".strip() in commands():
                name = f"{name} {word}".strip()
            elif word.startswith("--"):
                if word not in commands()[name]:
                    unknown.append(words)
            elif (not name and word.islower()) or (
                not before.startswith("--")  # else its value
                and any(each.startswith(f"{name} ") for each in commands())
            ):
                unknown.append(words)
    assert unknown == []


def test_the_readme_names_every_command() -> None:
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    groups = {words.rpartition(" ")[0] for words in commands()}
    missing = [
        words
        for words in commands()
        if words not in groups
        and f"lake {words}" not in text
        and not (f"lake {words.partition(' ')[0]} " in text and f"`{words.split()[-1]}`" in text)
    ]
    assert missing == []
