"""The table of `docs/reliability.md`: what it shows, and that no numbered test is missing in it."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lakehouse.settings import PROJECT_ROOT
from tests.faults import report
from tests.faults.results import numbered

DOCUMENT = PROJECT_ROOT / "docs" / "reliability.md"
FIGURES: dict[str, Any] = {
    "records": 800,
    "lost": 0,
    "doubled": 0,
    "pounds_off": "0.0000",
    "recovery_seconds": 2.345,
    "human_steps": 0,
    "note": "",
    "node": "test_a",
    "at": "2026-11-20T10:00:00+00:00",
    "machine": "2 CPUs, 8 GiB of memory, Linux",
}


def test_every_numbered_test_has_its_row_in_the_document() -> None:
    rows = re.findall(r"^\| (T\d\d) \|", DOCUMENT.read_text(encoding="utf-8"), re.M)
    assert sorted(set(rows)) == sorted({number for number, _ in report.numbered_tests()})


def test_a_docstring_gives_the_numbers_and_the_title() -> None:
    assert numbered("test_a_b", "T02: SIGKILL\n    at night.\n\n    More.", None) == [
        ("T02", "SIGKILL at night")
    ]
    assert numbered("test_a_b", "T12.") == [("T12", "a b")]
    assert numbered("test_a_b", None, "T07 and T08: a damaged checkpoint.") == [
        ("T07", "a damaged checkpoint"),
        ("T08", "a damaged checkpoint"),
    ]
    assert numbered("test_a_b", "Nothing of the kind: T12.") == []


def test_the_table_shows_damage_as_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = [("T01", "hurt"), ("T02", "sound"), ("T03", "not run"), ("T04", "no figures")]
    monkeypatch.setattr(report, "numbered_tests", lambda: iter(tests))
    hurt = {"lost": 3, "doubled": 1_000, "pounds_off": "1.2345", "human_steps": 1, "note": "ouch"}
    again = {"node": "test_b[2]", "note": "another", "recovery_seconds": 10.0, "pounds_off": "0.01"}
    lines = [
        {"test": "T01", "title": "hurt", **FIGURES, "lost": 99},
        {"test": "T01", "title": "hurt", **FIGURES, **hurt},
        {"test": "T02", "title": "sound", **FIGURES, "node": "test_b[1]", "note": "one way"},
        {"test": "T02", "title": "sound", **FIGURES, **again},
        {"test": "T04", "title": "no figures", **FIGURES, "lost": None, "recovery_seconds": None},
    ]
    results, document = tmp_path / "results.jsonl", tmp_path / "page.md"
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(sys, "argv", ["report", str(results), str(document)])
    report.main()
    report.main()
    assert document.read_text() == "\n".join(
        [
            "before",
            report.BEGIN,
            (
                "Measured on 2026-11-20, on 2 CPUs, 8 GiB of memory, Linux. "
                "`lake test --faults` measures all of it again."
            ),
            "",
            *report.HEAD,
            "| T01 | hurt (ouch) | 800 | 3 | 1,000 | 123.45 | 2.3 | 1 |",
            "| T02 | sound (one way; another) | 800 | 0 | 0 | 1 | 10.0 | 0 |",
            "| T03 | not run | not measured yet |  |  |  |  |  |",
            "| T04 | no figures |  | asserted 0 | asserted 0 | asserted 0 |  | 0 |",
            report.END,
            "after",
            "",
        ]
    )
