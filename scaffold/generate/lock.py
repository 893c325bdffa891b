"""`uv.lock` follows `pyproject.toml`: what no longer is asked for goes, with all it alone needed.

In: a tree. Out: its lock, which uv finds current. No package changes its version, and nothing is
looked up, so it works without network.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

_BLOCKS = re.compile(r"(?m)^(?=\[\[package\]\]$)")
_LIST = re.compile(r"(?m)^([\w-]+) = \[(?:\n(?: .*\n)*\]|.*\])\n")
_ITEM = re.compile(r'(?m)^ *\{ name = "([^"]+)".*\n')


def follow(tree: Path, *, old: str, new: str) -> int:
    """Prune the lock and give the project its new name; returns how many packages went."""
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {group: _names(each) for group, each in project["dependency-groups"].items()}
    asked["dependencies"] = asked["requires-dist"] = _names(project["project"]["dependencies"])
    path = tree / "uv.lock"
    head, *blocks = _BLOCKS.split(path.read_text(encoding="utf-8"))
    at = next(n for n, each in enumerate(blocks) if f'\nname = "{old}"\n' in each)
    root = blocks[at].replace(f'\nname = "{old}"\n', f'\nname = "{normal(new)}"\n', 1)
    blocks[at] = _LIST.sub(lambda found: _asked_for(found, asked), root)
    packages = [(tomllib.loads(each)["package"][0], each.rstrip()) for each in blocks]
    needed = _reachable([package for package, _ in packages], normal(new))
    kept = [each for each in packages if _key(each[0]) in needed]
    kept.sort(key=lambda each: each[0]["name"])
    path.write_text(head + "\n\n".join(text for _, text in kept) + "\n", encoding="utf-8")
    return len(packages) - len(kept)


def normal(name: str) -> str:
    """A package's name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[^A-Za-z0-9._-]", each)[0]) for each in requirements}


def _asked_for(found: re.Match[str], asked: dict[str, set[str]]) -> str:
    """A list of the project's own entry, with what `pyproject.toml` still asks for."""
    wanted = asked.get(found[1])
    if wanted is None:
        return ""
    return _ITEM.sub(lambda item: item[0] if item[1] in wanted else "", found[0])


def _key(package: dict[str, Any]) -> tuple[str, str | None]:
    return package["name"], package.get("version")


def _reachable(packages: list[dict[str, Any]], root: str) -> set[tuple[str, str | None]]:
    """What the root needs, directly or not, on any machine."""
    found: set[tuple[str, str | None]] = set()
    waiting = [each for each in packages if each["name"] == root]
    while waiting:
        package = waiting.pop()
        if _key(package) in found:
            continue
        found.add(_key(package))
        lists = [package.get("dependencies", [])]
        for table in ("optional-dependencies", "dev-dependencies"):
            lists += package.get(table, {}).values()
        for wanted in (each for one in lists for each in one):
            version = wanted.get("version")
            waiting += [
                each
                for each in packages
                if each["name"] == wanted["name"] and version in (None, each.get("version"))
            ]
    return found
