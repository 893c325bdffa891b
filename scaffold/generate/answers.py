"""Whether the answers can be a project: the first that can't be, said in a sentence.

In: answers, and the template's tree. Out: a sentence, or none.
"""

import keyword
import re
import sys
import tomllib
import zoneinfo
from pathlib import Path
from typing import Any

from scaffold.generate.lock import normal

MOST = {"project_name": 30, "package": 30, "command": 20, "env_prefix": 20}


def complaint(answers: dict[str, Any], tree: Path) -> str | None:
    """Why the answers are refused, or None."""
    for check in (_name, _package, _command, _prefix, _texts, _shop):
        if said := check(answers, tree):
            return said
    return None


def _name(answers: dict[str, Any], _: Path) -> str | None:
    name = answers["project_name"]
    if not name.strip():
        return "The project needs a name that people read, such as My Shop."
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(?:[ -][A-Za-z0-9]+)*", name):
        return (
            f"The name {name!r} does not fit: it begins with a letter, and has letters and digits "
            "without accents, single blanks and hyphens."
        )
    if name.lower() == "cartlake":
        return "Cartlake is the template: give your project a name of its own."
    return _too_long("project_name", name)


def _package(answers: dict[str, Any], tree: Path) -> str | None:
    name = answers["package"]
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", name):
        return (
            f"The package {name!r} is no identifier: use small letters, digits and single "
            "underscores, with a letter first, such as my_shop."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return f"The package {name!r} has the name of a keyword of Python: choose another."
    if name in sys.stdlib_module_names:
        return f"The package {name!r} has the name of a module of Python: choose another."
    if normal(name) in _packages(tree):
        return f"The package {name!r} has the name of a package that it needs: choose another."
    if (tree / name).exists():
        return f"The package {name!r} has the name of a folder of the project: choose another."
    return _too_long("package", name)


def _command(answers: dict[str, Any], tree: Path) -> str | None:
    name = answers["command"]
    if not re.fullmatch(r"[a-z][a-z0-9]+", name):
        return (
            f"The command {name!r} does not fit: use two or more small letters and digits, with a "
            "letter first."
        )
    taken = _taken(tree)
    if name in taken["shell"]:
        return f"The command {name!r} is a word of the shell: choose another."
    if name in taken["programs"] or name in _packages(tree):
        return f"The command {name!r} has the name of another program: choose another."
    if name != "lake" and (tree / name).exists():
        return f"The command {name!r} has the name of a folder of the project: choose another."
    return _too_long("command", name)


def _prefix(answers: dict[str, Any], tree: Path) -> str | None:
    prefix = answers["env_prefix"]
    if not re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_", prefix):
        return (
            f"The prefix {prefix!r} does not fit: use capital letters, digits and single "
            "underscores, with a letter first and an underscore at the end, such as MY_SHOP_."
        )
    if prefix in _taken(tree)["prefixes"]:
        return f"The prefix {prefix!r} belongs to another program: choose another."
    return _too_long("env_prefix", prefix)


def _texts(answers: dict[str, Any], _: Path) -> str | None:
    for what, most in (("description", 200), ("author", 80)):
        text = answers[what]
        if not text.strip() or not text.isprintable() or len(text) > most:
            return f"The {what} must be one line of 1 to {most} characters."
    return None


def _shop(answers: dict[str, Any], tree: Path) -> str | None:
    world = tomllib.loads((tree / "scaffold" / "world.toml").read_text(encoding="utf-8"))
    currency, time_zone, locale = (answers[each] for each in ("currency", "time_zone", "locale"))
    if currency not in world["currencies"].split():
        return f"The currency {currency!r} is no code of ISO 4217 in use today, such as EUR or GBP."
    zones = zoneinfo.available_timezones() or {time_zone}  # none on a machine without the data
    if time_zone not in zones or not ("/" in time_zone or time_zone == "UTC"):
        return f"The time zone {time_zone!r} is not known: give one such as Europe/Berlin or UTC."
    if locale not in world["locales"].split():
        return f"The locale {locale!r} is not known: give one such as de_DE or en_GB."
    return None


def _too_long(what: str, text: str) -> str | None:
    if len(text) <= MOST[what]:
        return None
    said = {"project_name": "name", "env_prefix": "prefix"}.get(what, what)
    return f"The {said} {text!r} is too long: use {MOST[what]} characters at most."


def _packages(tree: Path) -> set[str]:
    """Names of all that the template's lock holds, its own included."""
    lock = (tree / "uv.lock").read_text(encoding="utf-8")
    return set(re.findall(r'(?m)^\[\[package\]\]\nname = "(.*)"$', lock))


def _taken(tree: Path) -> dict[str, list[str]]:
    return tomllib.loads((tree / "scaffold" / "taken.toml").read_text(encoding="utf-8"))
