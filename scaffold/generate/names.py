"""The names of the template, found where they are names, and replaced.

In: a tree and the answers. Out: the tree with the new names, and how many of each kind there were.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS_AFTER = ("--", "COMMAND", "…", "VERB")
"""What follows the command in a text, beside its own verbs."""
NOT_TEXT = {".parquet", ".lock", ".png"}
"""Suffixes of files that are left alone: data, and lists of what others publish."""


@dataclass(frozen=True)
class Kind:
    """One kind of name: what it is called, where it stands, and what comes in its place."""

    title: str
    pattern: re.Pattern[str]
    new: str


def kinds(answers: dict[str, Any], tree: Path) -> tuple[Kind, ...]:
    """All kinds of names, in the order in which they are replaced.

    The variable `lake`, the lake in a sentence, `lakehouse`, `LakeError` and Delta Lake are no
    names of the product, and match none of these.
    """
    command = answers["command"]
    verbs = "|".join(re.escape(each) for each in (*WORDS_AFTER, *verbs_of(tree)))
    return (
        Kind("title Cartlake", re.compile(r"\bCartlake\b"), answers["project_name"]),
        Kind("package cartlake", re.compile(r"(?<![a-z])cartlake(?![a-z])"), answers["package"]),
        Kind("prefix LAKE_", re.compile(r"(?<![A-Z0-9_])LAKE_(?![a-z])"), answers["env_prefix"]),
        Kind("state folder .lake", re.compile(r"(?<![\w)\]])\.lake\b(?!\()"), f".{command}"),
        Kind(
            "command lake",
            re.compile(
                r"(?<=/)lake(?![\w/-])"  # a path ends in it: ./lake, bin/lake
                r"""|(?<=["'`?])lake(?=["'`]|\s|\\s)"""  # quoted, alone or first
                rf"|(?<![\w./-])lake(?=\s+(?:{verbs}))"  # before a verb
                r"|^lake(?= = \")",  # the script of pyproject.toml
                re.M,
            ),
            command,
        ),
    )


def verbs_of(tree: Path) -> list[str]:
    """Commands and groups of the command line, longest first."""
    modules = (tree / "operations" / "cli").glob("*.py")
    texts = [path.read_text(encoding="utf-8") for path in modules]
    pattern = re.compile(r'(?:\bapp\.command\(|add_typer\(\w+, name=)"([a-z-]+)"')
    found = {verb for text in texts for verb in pattern.findall(text)}
    return sorted(found, key=lambda verb: (-len(verb), verb))


def rename(tree: Path, every: tuple[Kind, ...]) -> dict[str, int]:
    """Replace all names in texts and paths; returns how many of each kind there were."""
    counts = {kind.title: 0 for kind in every}
    for path, text in texts(tree):
        if "lake" not in text.lower():
            continue
        new = text
        for kind in every:
            new, count = kind.pattern.subn(_as_is(kind.new), new)
            counts[kind.title] += count
        if new != text:
            path.write_text(new, encoding="utf-8")
    package, command = (
        next(k.new for k in every if k.title.startswith(w)) for w in ("pack", "comm")
    )
    for path in sorted(files(tree)):
        if path.stem == "cartlake":
            path.rename(path.with_stem(package))
            counts["package cartlake"] += 1
    (tree / "lake").rename(tree / command)
    counts["command lake"] += 1
    return counts


def left_over(tree: Path) -> list[str]:
    """Files that still have the product's name, in whatever form."""
    every = [path for path, text in texts(tree) if "cartlake" in text.lower()]
    return [
        str(path.relative_to(tree))
        for path in every + [each for each in files(tree) if "cartlake" in each.name]
    ]


def files(tree: Path) -> Iterator[Path]:
    """All files of the tree."""
    return (path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())


def texts(tree: Path) -> Iterator[tuple[Path, str]]:
    """Files that may hold names, with their text."""
    for path in sorted(files(tree)):
        if (
            path.suffix not in NOT_TEXT
            and path.name != "LICENSE"
            and "__pycache__" not in path.parts
        ):
            yield path, path.read_text(encoding="utf-8")


def _as_is(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text
