"""The proof that the gate catches what it claims: defects planted one at a time, and sound shops.

In: the planted defects and the rules. Out: one row per defect that names what saw it, and the
alarms of sound shops, of which there may be none. Run standalone: `lake quality prove`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from quality.gate.rule import SuiteRule
from quality.gate.suites import RULES
from quality.gate.table_frames import FRAMES
from quality.proof.defects import DEFECTS
from quality.proof.line_defects import PlantedDefect
from quality.proof.sample_shop import Shop, build_shop


@dataclass(frozen=True)
class ProofRow:
    """What became of one planted defect. `found` are the checks that failed, by name.

    `saw` is what the first of them observed, empty when none failed.
    """

    defect: str
    check: str
    found: tuple[str, ...]
    saw: str
    effect: str

    @property
    def caught(self) -> bool:
        """Whether the named check failed, and it alone."""
        return self.found == (self.check,)


def prove_defect(
    shop: Shop, defect: PlantedDefect, *, rules: Sequence[SuiteRule] = RULES
) -> ProofRow:
    """Plant a defect, judge what reads the damaged table, and undo it.

    Args:
        shop: A sound shop.
        defect: What to plant.
        rules: The gate's rules, or fewer.
    """
    frames = {
        (each.table, each.name) for each in FRAMES if defect.table in (each.table, *each.others)
    }
    asked = [rule for rule in rules if (rule.table, rule.frame) in frames]
    with shop.changed():
        if defect.damage:
            shop.connection.execute(defect.damage)
        if defect.line:
            shop.add("order_lines", **defect.line)
        result = shop.judge(rules=asked)
    failed = [row for row in result.results if not row["success"]]
    # A check that could not run has seen nothing.
    found = tuple(
        row["rule"] if row["status"] == "failed" else f"{row['rule']} (broken)" for row in failed
    )
    saw = "; ".join(filter(None, (failed[0]["observed"], failed[0]["detail"]))) if failed else ""
    effect = {"block": "blocks", "warn": "warns"}[failed[0]["severity"]] if failed else ""
    return ProofRow(defect.name, defect.check, found, saw, effect)


def prove_defects(
    defects: Iterable[PlantedDefect] = DEFECTS,
    *,
    seed: int = 0,
    rules: Sequence[SuiteRule] = RULES,
) -> Iterator[ProofRow]:
    """A row for each defect, in their order, each planted alone in the shop of the seed."""
    with build_shop(seed) as shop:
        for defect in defects:
            yield prove_defect(shop, defect, rules=rules)


def alarms(seed: int, *, rules: Sequence[SuiteRule] = RULES) -> tuple[str, ...]:
    """Rules that fail in the sound shop of a seed; there should be none."""
    with build_shop(seed) as shop:
        result = shop.judge(rules=rules)
    return tuple(row["rule"] for row in result.results if not row["success"])
