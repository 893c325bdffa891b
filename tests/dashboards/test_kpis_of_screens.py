"""Screens, mails and alerts compute no KPI: they ask the semantic layer.

Who adds a division or an aggregate here adds it to the lists below, and says why it is no KPI.
"""

import ast
import re
from pathlib import Path

from lakehouse.settings import PROJECT_ROOT

READERS = list((PROJECT_ROOT / "dashboards").rglob("*.py"))
MAILS = list((PROJECT_ROOT / "reports").rglob("*.py"))
DIVISIONS = {
    "dashboards/components.py: change",  # how much more or less than before
    "dashboards/components.py: sparkline",  # where a point is drawn
    "dashboards/exports/html_file.py: _bars",  # where a bar is drawn
    "dashboards/exports/pdf_file.py: _bars",
    "dashboards/exports/pdf_file.py: _tiles",
    "dashboards/exports/pdf_file.py: _widths",
    "dashboards/figures/sales.py: bucket_ticks",  # how many labels fit
    "dashboards/figures/sales.py: _money_ticks",  # where lines are drawn
    "dashboards/formats.py: seconds",
    "dashboards/formats.py: share",  # parts of a whole: a country of all countries
    "dashboards/formats.py: size",
    "dashboards/pages/churn/page.py: _chances",  # length of a bar
    "dashboards/pages/data_health/cards.py: _stage",  # length of a bar
    "dashboards/pages/experiments/cards.py: _declared",  # weights of the arms
    "dashboards/pages/lifetime_value/page.py: _key_figures",  # part of the best tenth
    "dashboards/pages/lifetime_value/page.py: _spread",  # length of a bar
    "dashboards/pages/lifetime_value/page.py: _tenths",
    "dashboards/pages/segments/page.py: _beside",  # part of a segment
    "dashboards/pages/segments/page.py: _moves",  # length of a bar
    "dashboards/periods.py: before",  # whole weeks of a period
    "dashboards/queries/customer_scores.py: by_segment",  # part of all customers' spend
    "dashboards/queries/customer_scores.py: by_tenth",  # which tenth a customer is in
    "dashboards/pages/sales/cards.py: _country",  # length of a bar, part of all countries
    "dashboards/pages/sales/cards.py: _home",  # part of all countries
    "dashboards/pages/sales/cards.py: countries_list",  # whether one dwarfs the others
    "dashboards/pages/sales/cards.py: products_list",  # length of a bar
}
SHARES = {
    "dashboards/live_figures.py: _row",  # parts of the visits that began today
    "dashboards/pages/executive/parts.py: target_text",  # how much of a target was reached
    "dashboards/pages/executive/words.py: sentence",  # how much more or less than before
    "dashboards/pages/sales/cards.py: _country",
}
AGGREGATES = {"count(*)"}
"""The number of outlying days: everything else is asked of the semantic layer."""


AGGREGATES_OF_MAILS = {"count(*)"}
"""The number of a model's features that have drifted."""


def uses(path: Path) -> set[tuple[str, str]]:
    """(function, what) of each division and call of `share`; paths are joined freely."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            is_quotient = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(
                node.op, ast.Div | ast.FloorDiv
            )
            if is_quotient and not _is_path(node):
                found.add((function.name, "division"))
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("share"):
                found.add((function.name, "share"))
    return found


def _is_path(node: ast.AST) -> bool:
    left = ast.unparse(getattr(node, "left", node))
    return bool(re.search(r"_dir\b|Path\(|folder|report_path|home\b", left))


def named(what: str) -> set[str]:
    return {
        f"{path.relative_to(PROJECT_ROOT).as_posix()}: {function}"
        for path in READERS
        for function, each in uses(path)
        if each == what
    }


def test_no_screen_divides_one_figure_by_another() -> None:
    assert named("division") == DIVISIONS
    assert named("share") == SHARES


def aggregates(paths: list[Path]) -> set[str]:
    """Aggregates in the SQL of some modules; SQL divides nowhere."""
    texts = []
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                text = ast.unparse(node)
                if re.search(r"\bselect\b.*\bfrom\b", text, re.DOTALL):
                    texts.append(text)
    assert texts
    assert [text for text in texts if re.search(r"\w\s*/\s*\w", text)] == []
    return {
        " ".join(each.split())
        for text in texts
        for each in re.findall(
            r"\b(?:sum|count|avg|mean|median|stddev|quantile\w*)\((?:[^()]|\([^()]*\))*\)", text
        )
    }


def test_no_query_of_a_screen_makes_a_figure_of_its_own() -> None:
    assert aggregates(READERS) == AGGREGATES


def test_no_query_of_a_mail_or_an_alert_makes_a_figure_of_its_own() -> None:
    assert aggregates(MAILS) == AGGREGATES_OF_MAILS
