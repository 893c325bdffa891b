"""The names of the template, found where they are names, and replaced.

In: a tree and the answers. Out: the tree with the new names, and how many of each kind there were.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS_AFTER = ("--", "COMMAND", "…", "VERB")
"""What follows the command in a text, beside its own verbs."""
NOT_TEXT = {".parquet", ".lock", ".png"}
"""Suffixes of files that are left alone: data, and lists of what others publish."""


@dataclass(frozen=True)
class Kind:
    """One kind of name: what it names, the old name, where that is a name, and the new one."""

    what: str
    old: str
    pattern: str
    new: str

    def replace(self, text: str) -> tuple[str, int]:
        """The text with the new name, and how often it was put in."""
        if self.old not in text:
            return text, 0
        return re.subn(self.pattern, lambda _: self.new, text)


def kinds(answers: dict[str, Any], tree: Path) -> tuple[Kind, ...]:
    """All kinds of names, in the order in which they are replaced.

    The variable `lake`, the lake in a sentence, `lakehouse`, `LakeError` and Delta Lake are no
    names of the product, and match none of these.
    """
    verbs = "|".join(re.escape(each) for each in (*WORDS_AFTER, *verbs_of(tree)))
    command = (
        r"(?m)(?<=/)lake(?![\w/-])"  # a path ends in it: ./lake, bin/lake
        r"""|(?<=["'`?])lake(?=["'`]|\s|\\s)"""  # quoted, alone or first
        rf"|(?<![\w./-])lake(?=\s+(?:{verbs}))"  # before a verb
        r"|^lake(?= = \")"  # the script of pyproject.toml
    )
    state = r"(?<![\w)\]])\.lake\b(?!\()"  # no attribute of an object
    return (
        Kind("title", "Cartlake", r"\bCartlake\b", answers["project_name"]),
        Kind("package", "cartlake", r"(?<![a-z])cartlake(?![a-z])", answers["package"]),
        Kind("prefix", "LAKE_", r"(?<![A-Z0-9_])LAKE_(?![a-z])", answers["env_prefix"]),
        Kind("state folder", ".lake", state, f".{answers['command']}"),
        Kind("command", "lake", command, answers["command"]),
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
    counts = {kind.what: 0 for kind in every}
    for path, text in texts(tree):
        new = text
        for kind in every:
            new, count = kind.replace(new)
            counts[kind.what] += count
        if new != text:
            path.write_text(new, encoding="utf-8")
    for kind in every:
        for path in [each for each in files(tree) if each.stem == kind.old]:
            path.rename(path.with_stem(kind.new))
            counts[kind.what] += 1
    return counts


def left_over(tree: Path) -> list[str]:
    """Files that still have the product's name, in whatever form."""
    found = [path for path, text in texts(tree) if "cartlake" in text.lower()]
    found += [path for path in files(tree) if "cartlake" in path.name]
    return [str(path.relative_to(tree)) for path in found]


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
