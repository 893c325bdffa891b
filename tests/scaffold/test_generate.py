"""Rules of the generator, without a project: names, parts, answers."""

import json
import subprocess
import sys
import tomllib
from typing import Any

import pytest
from babel.core import Locale, get_global
from babel.localedata import locale_identifiers

from lakehouse.settings import FOREIGN_PREFIXES, PROJECT_ROOT, Settings
from scaffold.generate import answers, finish, names, parts

GOOD: dict[str, Any] = {
    "project_name": "Orchard Books",
    "package": "orchard_books",
    "command": "orchard",
    "env_prefix": "ORCH_",
    "description": 'Says "books", and a \\ too.',
    "author": "Žofie O'Brien",
    "currency": "JPY",
    "time_zone": "Asia/Tokyo",
    "locale": "ja_JP",
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Cartlake's screens", "# Orchard Books's screens"),
        ('name: cartlake, "cartlake-admin"', 'name: orchard_books, "orchard_books-admin"'),
        ("-Dcartlake.broker=", "-Dorchard_books.broker="),
        ('env_prefix="LAKE_"; "\\nLAKE_HOME"', 'env_prefix="ORCH_"; "\\nORCH_HOME"'),
        ('PROJECT_ROOT / ".lake"; .lake-sync', 'PROJECT_ROOT / ".orchard"; .orchard-sync'),
        ("run ./lake demo or `lake list`", "run ./orchard demo or `orchard list`"),
        (r'match=r"run \./lake demo"', r'match=r"run \./orchard demo"'),
        (
            'prog_name="lake"; "$venv/bin/lake" "$@"',
            'prog_name="orchard"; "$venv/bin/orchard" "$@"',
        ),
        ("Example: lake produce live", "Example: orchard produce live"),
        ('(f"lake {words}")', '(f"orchard {words}")'),
        ('lake = "operations.cli:main"', 'orchard = "operations.cli:main"'),
    ],
)
def test_a_name_is_replaced_where_it_is_one(before: str, after: str) -> None:
    assert renamed(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "lake.execute(sql); published.lake.rows(x)",
        "with open_lake(settings) as lake:",
        "def lake(tmp_path: Path) -> Lake: ...",
        "    lake = new_lake(kafka)",
        "Delta Lake, deltalake, lakehouse, LakeError, LakeState",
        "gold is behind the lake; the lake's tables; two lakes",
        'assert lake("restatements") == 0',
        "LAKE: Path",
        "from operations.airflow.lake_command import run",
    ],
)
def test_what_is_no_name_stays(text: str) -> None:
    assert renamed(text) == text


def renamed(text: str) -> str:
    for kind in names.kinds(GOOD, PROJECT_ROOT):
        text, _ = kind.replace(text)
    return text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"project_name": " "}, "needs a name"),
        ({"project_name": "Žofie"}, "without accents"),
        ({"project_name": "../up"}, "without accents"),
        ({"project_name": "Cartlake"}, "is the template"),
        ({"project_name": "A" + "b" * 30}, "too long"),
        ({"package": "2fast"}, "no identifier"),
        ({"package": "my-shop"}, "no identifier"),
        ({"package": "größe"}, "no identifier"),
        ({"package": "a/b"}, "no identifier"),
        ({"package": ""}, "no identifier"),
        ({"package": "a" * 31}, "too long"),
        ({"package": "class"}, "keyword"),
        ({"package": "match"}, "keyword"),
        ({"package": "json"}, "a module of Python"),
        ({"package": "dbt_core"}, "a package that it needs"),
        ({"package": "cartlake"}, "a package that it needs"),
        ({"package": "lakehouse"}, "a folder of the project"),
        ({"command": "My Shop"}, "small letters"),
        ({"command": "x"}, "small letters"),
        ({"command": "test"}, "a word of the shell"),
        ({"command": "git"}, "another program"),
        ({"command": "dash"}, "another program"),
        ({"command": "docs"}, "a folder of the project"),
        ({"command": "a" * 21}, "too long"),
        ({"env_prefix": "ORCH"}, "capital letters"),
        ({"env_prefix": "orch_"}, "capital letters"),
        ({"env_prefix": "SPARK_"}, "belongs to another program"),
        ({"description": ""}, "one line"),
        ({"author": "two\nlines"}, "one line"),
        ({"currency": "eur"}, "no code of ISO 4217"),
        ({"currency": "DEM"}, "no code of ISO 4217"),
        ({"currency": ""}, "no code of ISO 4217"),
        ({"time_zone": "Europe/Nowhere"}, "is not known"),
        ({"time_zone": "../../etc/passwd"}, "is not known"),
        ({"time_zone": "CEST"}, "is not known"),
        ({"locale": "de"}, "is not known"),
        ({"locale": "xx_YY"}, "is not known"),
        ({"locale": "en_GB.UTF-8"}, "is not known"),
    ],
    ids=lambda each: json.dumps(each) if isinstance(each, dict) else each,
)
def test_a_bad_answer_is_refused_with_a_sentence(changed: dict[str, str], told: str) -> None:
    said = answers.complaint(GOOD | changed, PROJECT_ROOT)
    assert said is not None
    assert told in said
    assert said.endswith(".")
    assert "\n" not in said.replace(repr(next(iter(changed.values()))), "")


def test_the_shops_answers_are_what_the_settings_take() -> None:
    world = tomllib.loads((PROJECT_ROOT / "scaffold" / "world.toml").read_text(encoding="utf-8"))
    current = {
        code
        for found in get_global("territory_currencies").values()
        for code, _, until, is_tender in found
        if is_tender and until is None
    }
    assert set(world["currencies"].split()) == current
    own = {each for each in locale_identifiers() if "_" in each and str(Locale.parse(each)) == each}
    assert set(world["locales"].split()) == own
    fields = Settings.model_fields
    assert {name: fields[f"shop_{name}"].default for name in finish.SHOP} == finish.SHOP


def test_good_answers_pass() -> None:
    assert answers.complaint(GOOD, PROJECT_ROOT) is None


def test_no_prefix_is_one_whose_variables_are_dropped() -> None:
    refused = {each for each in FOREIGN_PREFIXES if each.endswith("_") and each[0] != "_"}
    assert refused <= set(answers._taken(PROJECT_ROOT)["prefixes"])


def test_marked_lines_go_with_their_part_and_the_marks_always() -> None:
    text = (
        "a\n"
        "    b,  # part: airflow\n"
        "# part: simulator\n"
        "c\n"
        "d  # part: airflow\n"
        "# end part\n"
        "| e | f <!-- part: airflow --> |\n"
        "g # why; part: simulator\n"
        "<!-- part: history, simulator -->\n"
        "h\n"
        "<!-- end part -->\n"
        "def share(part: Decimal) -> None:\n"
    )
    rest = "def share(part: Decimal) -> None:\n"
    whole = f"a\n    b,\nc\nd\n| e | f |\ng # why\nh\n{rest}"
    assert parts.without(text, set()) == whole
    assert parts.without(text, {"airflow"}) == f"a\nc\ng # why\nh\n{rest}"
    assert parts.without(text, {"simulator"}) == f"a\n    b,\n| e | f |\n{rest}"


def test_every_path_of_a_part_is_there_and_every_mark_names_a_part() -> None:
    every = parts.read(PROJECT_ROOT)
    paths = {path for of_part in every.values() for path in of_part}
    assert [path for path in sorted(paths) if not (PROJECT_ROOT / path).exists()] == []
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    marks = set()
    for name in filter(None, done.stdout.split("\0")):
        path = PROJECT_ROOT / name
        own = name.startswith(tuple(every["template"]))
        if path.suffix not in names.NOT_TEXT and path.is_file() and not own:
            for line in path.read_text(encoding="utf-8").splitlines():
                if found := parts.BLOCK.fullmatch(line) or parts.LINE.search(line):
                    marks |= set(found[1].split(", "))
    assert marks == set(every)


def test_the_generator_needs_the_standard_library_only() -> None:
    code = "import sys; from scaffold.generate import finish, parts, answers\n"
    code += "print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {code}"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {each for each in done.stdout.split() if not each.startswith("_sysconfigdata_")}
    assert loaded - sys.stdlib_module_names - {"__main__"} == {"scaffold"}
