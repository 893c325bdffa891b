"""`lake quality prove`: the matrix, and exit code 1 as soon as one defect is missed."""

import pytest

import pipelines.gold.prove
import quality.proof.prove
from lakehouse.errors import CheckFailed
from operations.cli.quality import prove
from pipelines.gold.prove import GoldProof
from quality.gate.suites import RULES
from quality.proof.defects import DEFECTS
from quality.proof.prove import ProofRow, prove_defects

WANTED = ("order_lines.currency.known", "products.unit_price.not_negative")


@pytest.fixture(autouse=True)
def few_defects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two defects of silver and one of gold that was seen; the whole matrix takes minutes."""
    chosen = [each for each in DEFECTS if each.check in WANTED]
    rules = [rule for rule in RULES if rule.name in WANTED]
    rows = tuple(prove_defects(chosen, rules=rules))
    monkeypatch.setattr(quality.proof.prove, "prove_defects", lambda: iter(rows))
    monkeypatch.setattr(quality.proof.prove, "alarms", lambda _: ())
    gold = ProofRow(
        "lost order", "orders_equal", ("orders_equal",), "1 failing rows: a=1", "blocks"
    )
    monkeypatch.setattr(
        pipelines.gold.prove, "prove_gold", lambda _: GoldProof((gold,), {0: (), 1: ()})
    )


def test_the_matrix_names_defect_check_and_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    prove(seeds=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        (
            "caught  blocks  wrong currency: a line in another one  ->  "
            "order_lines.currency.known  1 of 10,625 rows; currency XTS, "
            "source_topic erp.invoice_lines.v1, source_partition 7, first_offset 1000000"
        ),
        (
            "caught  warns  a negative list price  ->  products.unit_price.not_negative  "
            "1 of 81 rows; price_sign -1, source_topic catalog.products.v1, "
            "source_partition 0, first_offset 19"
        ),
        "caught  blocks  lost order  ->  orders_equal  1 failing rows: a=1",
        "3 of 3 planted defects caught by their check alone; 0 of 2 sound shops alarmed.",
    ]


def test_a_missed_defect_and_an_alarmed_shop_fail_the_proof(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = ProofRow("a line in euros", WANTED[0], (), "", "")
    monkeypatch.setattr(quality.proof.prove, "prove_defects", lambda: iter([missed]))
    monkeypatch.setattr(quality.proof.prove, "alarms", lambda seed: ("a.rule",) if seed else ())
    with pytest.raises(CheckFailed) as caught:
        prove(seeds=2)
    assert str(caught.value) == (
        "The checks do not do what they claim: 'a line in euros' is missed, sound shop 1 alarms."
    )
    out = capsys.readouterr().out
    assert "missed  seen by nothing  a line in euros  ->  order_lines.currency.known" in out
    assert "alarm   sound shop 1: a.rule" in out
    assert "1 of 2 planted defects caught by their check alone; 1 of 2 sound shops alarmed." in out
