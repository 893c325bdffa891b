"""Parts of the template that a project can do without, and what follows when one is left out.

In: a tree with `scaffold/parts.toml`, and names of parts. Out: the tree without their folders,
their marked lines, and links to what is gone.
"""

import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

from scaffold.generate.names import files, texts

_SIGN = r"(?:#|<!--|--)"
BLOCK = re.compile(rf"\s*{_SIGN} part: (\w+(?:, \w+)*)(?: -->)?\s*")
END = re.compile(rf"\s*{_SIGN} end part(?: -->)?\s*")
LINE = re.compile(rf"(?:;|\s*{_SIGN}) part: (\w+(?:, \w+)*)(?: -->)?(?=\s*\|?\s*$)")
LINK = re.compile(r"\[((?:[^][]|!\[[^]]*\]\([^)]*\))*)\]\((?!https?:)([^)#\s]+)[^)\s]*\)")


def read(tree: Path) -> dict[str, list[str]]:
    """Paths of each part."""
    parts = tomllib.loads((tree / "scaffold" / "parts.toml").read_text(encoding="utf-8"))
    return {name: part["paths"] for name, part in parts.items()}


def leave_out(tree: Path, left_out: Iterable[str], every: dict[str, list[str]]) -> None:
    """Remove the parts; comments that mark the other parts go too."""
    for path in [tree / path for part in left_out for path in every[part]]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path, text in texts(tree):
        if "part: " in text:
            path.write_text(without(text, set(left_out)), encoding="utf-8")
    for path in [each for each in files(tree) if each.suffix == ".md"]:
        path.write_text(_without_dead_links(path), encoding="utf-8")


def without(text: str, left_out: set[str]) -> str:
    """The text without the marked lines of these parts, and without any mark."""
    kept: list[str] = []
    is_in_left_out = False
    for line in text.splitlines(keepends=True):
        if found := BLOCK.fullmatch(line):
            is_in_left_out = _is_of(found, left_out)
        elif END.fullmatch(line):
            is_in_left_out = False
        elif not is_in_left_out:
            found = LINE.search(line.rstrip("\n"))
            if found is None:
                kept.append(line)
            elif not _is_of(found, left_out):
                kept.append(LINE.sub("", line.rstrip("\n")) + "\n")
    return "".join(kept)


def _is_of(mark: re.Match[str], left_out: set[str]) -> bool:
    """Whether a mark names one of these parts; what needs two parts names both."""
    return not left_out.isdisjoint(mark[1].split(", "))


def _without_dead_links(path: Path) -> str:
    def kept(link: re.Match[str]) -> str:
        return link[0] if (path.parent / link[2]).exists() else link[1]

    return LINK.sub(kept, path.read_text(encoding="utf-8"))
