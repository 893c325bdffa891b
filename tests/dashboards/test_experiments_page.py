"""The page Experiments: verdict, checks, figures and declaration of each; reasons where none."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboards.pages.experiments.page import body
from dashboards.queries.experiments import read_experiments
from experiments.shop_units import analyse_experiment
from lakehouse.duck import open_gold
from tests.experiments.test_shop_units import declared, served

Words = Callable[[Any], str]


def test_each_experiment_of_the_registry_is_a_card_with_its_verdict(
    tmp_path: Path, words_of: Words
) -> None:
    with open_gold(served(tmp_path)) as gold:
        found = read_experiments(gold)
    text = words_of(body(found))
    assert text.startswith("One page checkout no difference shown ")
    assert "A checkout on one page makes more visitors buy. Figures hold at every look" in text
    assert "Same page twice" in text
    assert "Sample ratio: chi² " in text
    assert "Guardrail product view count of B, must not fall: holds, difference " in text
    assert "Owner Sales. Unit visitor; arms A 50%, B 50%, control A." in text
    assert "Smallest effect of interest: 0.03 of has order. Days: 2 Jan 2012 – 4 Jan 2012" in text
    assert "4 Jan 2012, 3 so far." in text


def test_texts_of_a_registry_are_texts_and_an_unsound_assignment_is_said(
    tmp_path: Path, words_of: Words
) -> None:
    evil = declared(hypothesis="<script>alert(1)</script>", arms={"A": 1.0, "B": 9.0})
    with open_gold(served(tmp_path)) as gold:
        found = analyse_experiment(gold, "e", evil)
    broken = declared(arms={"A": 1.0, "B": 1.0})
    text = words_of(body([("e", evil, found), ("f", broken, "No visit yet.")]))
    assert "<script>alert(1)</script>" in text
    doubtful = dataclasses.replace(
        found, analysis=dataclasses.replace(found.analysis, is_sound=False)
    )
    assert words_of(body([("e", evil, doubtful)])).startswith("E not to be trusted ")
    assert "F More buy No visit yet." in text


def test_without_a_visit_each_card_says_why(tmp_path: Path, words_of: Words) -> None:
    settings = served(tmp_path, visitors=0)
    with open_gold(settings) as gold:
        found = read_experiments(gold)
    assert [each[2] for each in found] == [
        f"Nobody was shown experiment {name} yet: gold has no exposure of it. The web shop sends "
        "one with each visit of its days."
        for name in ("one_page_checkout", "same_page_twice")
    ]
    assert "Nobody was shown experiment same_page_twice yet" in words_of(body(found))
