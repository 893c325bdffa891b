"""The shop's own experiments from gold: visitors, arms by the hash, days, guardrails, ratios."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from experiments.analyse import conclude
from experiments.assignment import arm_of
from experiments.comparing import compare_ratios, ratio_error
from experiments.registry import OWN_REGISTRY, Experiment, guardrail_of, read_registry
from experiments.shop_units import analyse_experiment
from experiments.units import Arm, Metric, Units, parse_metric, read_units
from lakehouse.duck import open_gold
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from storefront.simulator.parameters import PLANTED_ARMS, ShopParameters
from tests.gold_files import serve_gold

FIRST = date(2012, 1, 2)
WEIGHTS = {"A": 1.0, "B": 1.0}


def declared(**changes: object) -> Experiment:
    fields: dict[str, object] = {
        "hypothesis": "More buy",
        "owner": "Sales",
        "unit": "visitor",
        "salt": "s_1",
        "control": "A",
        "arms": WEIGHTS,
        "metrics": ["has_order:binary", "gross_amount:money", "order_count/session_count:ratio"],
        "minimum_effect": 0.1,
        "covariate": "gross_before",
    }
    return Experiment(**{**fields, **changes})  # type: ignore[arg-type]


def served(
    tmp_path: Path, *more: tuple[str, str, int], visitors: int = 400, shown_from: int = 0
) -> Settings:
    """Visitor n has n % 3 + 1 sessions from day 0 on; each fifth one orders n pounds once.

    Each session of day `shown_from` or later begins with an exposure to e and the shop's own, in
    the arm that the hash of e gives; `more` are others, of a visitor in an arm on a day.
    """
    settings = Settings(home=tmp_path / "state")
    shown = [
        (f"v{n}", arm_of(f"v{n}", salt="s_1", weights=WEIGHTS), day)
        for n in range(visitors)
        for day in range(shown_from, n % 3 + 1)
    ]
    experiments = "(values ('e'), ('one_page_checkout'), ('same_page_twice')) as e(experiment)"
    rows = ", ".join(f"('{who}', '{arm}', {day})" for who, arm, day in (*shown, *more))
    serve_gold(
        settings,
        f"""create table gold.fct_sessions as
          select 'v' || n as visitor_id, 'v' || n || '-' || s as session_id,
            case when n % 2 = 0 then 'c' || n end as customer_id,
            date '{FIRST}' + s::int as session_date,
            case when n % 5 = 0 and s = 0 then 'o' || n end as order_id,
            n % 5 = 0 and s = 0 as has_order, 3 as page_view_count, 2 as product_view_count,
            1 as add_to_cart_count, 1 as checkout_count, 60 as duration_seconds,
            date '{FIRST}' + s::int + interval 1 minute as ended_at
          from range({visitors}) as v(n), range(3) as w(s) where s <= n % 3""",
        f"""create table gold.fct_exposures as
          select experiment, who as visitor_id, arm, date '{FIRST}' + day as exposure_date,
            (date '{FIRST}' + day)::timestamp as first_exposed_at
          from (values {rows or "(null, null, null)"}) as shown(who, arm, day), {experiments}
          where who is not null
          union all
          select 'other', 'v0', 'A', date '{FIRST}', timestamp '{FIRST}'
          where {visitors} > 0""",
        f"""create table gold.fct_orders as
          select 'o' || n as order_id, 'web' as source_system, 'c' || n as customer_id,
            date '{FIRST}' as order_date, n::decimal(18, 4) as gross_amount
          from range({visitors}) as v(n) where n % 5 = 0
          union all
          select 'e' || n, 'erp', 'c' || n, date '{FIRST}' - 10, (n * 2)::decimal(18, 4)
          from range({visitors}) as v(n)
          union all
          select 'old' || n, 'erp', 'c' || n, date '{FIRST}' - 91, 1000.0::decimal(18, 4)
          from range({visitors}) as v(n)""",
    )
    return settings


def test_a_visitor_is_a_unit_of_the_arm_that_was_shown(tmp_path: Path) -> None:
    with open_gold(served(tmp_path)) as gold:
        found = analyse_experiment(gold, "e", declared(), sequential=False)
    arms = {n: arm_of(f"v{n}", salt="s_1", weights=WEIGHTS) for n in range(400)}
    own = {arm: [n for n in arms if arms[n] == arm] for arm in "AB"}
    assert found.analysis.units == {arm: len(own[arm]) for arm in "AB"}
    assert (found.first_day, found.last_day, found.days) == (FIRST, date(2012, 1, 4), 3)
    share = {arm: np.mean([n % 5 == 0 for n in own[arm]]) for arm in "AB"}
    per_visit = {
        arm: sum(n % 5 == 0 for n in own[arm]) / sum(n % 3 + 1 for n in own[arm]) for arm in "AB"
    }
    by_name = {each.metric: each.figures for each in found.analysis.comparisons}
    assert by_name["has_order"].difference == pytest.approx(share["B"] - share["A"])
    assert by_name["order_count/session_count"].difference == pytest.approx(
        per_visit["B"] - per_visit["A"]
    )
    assert found.analysis.before is not None
    before = {arm: np.mean([n * 2 * (n % 2 == 0) for n in own[arm]]) for arm in "AB"}
    [bias] = found.analysis.before.bias
    assert bias.difference == pytest.approx(before["B"] - before["A"])


def test_days_of_an_experiment_cut_its_visits(tmp_path: Path) -> None:
    with open_gold(served(tmp_path)) as gold:
        late = declared(first_day=date(2012, 1, 4))
        found = analyse_experiment(gold, "e", late)
        assert sum(found.analysis.units.values()) == sum(n % 3 == 2 for n in range(400))
        with pytest.raises(LakeError, match="on its days: gold's exposures are from 2012-01-02 to"):
            analyse_experiment(gold, "e", declared(first_day=date(2013, 1, 1)))
        with pytest.raises(LakeError, match="Nobody was shown experiment unknown yet"):
            analyse_experiment(gold, "unknown", declared())
        with pytest.raises(LakeError, match="which gold does not know of a visitor"):
            analyse_experiment(gold, "e", declared(metrics=["margin:money"]))
        with pytest.raises(LakeError, match="is of unit customer"):
            analyse_experiment(gold, "e", declared(unit="customer"))


def test_visits_before_the_first_exposure_do_not_count(tmp_path: Path) -> None:
    with open_gold(served(tmp_path, shown_from=1)) as gold:
        found = analyse_experiment(
            gold, "e", declared(metrics=["session_count:money"], covariate=None)
        )
    own: dict[str, list[int]] = {"A": [], "B": []}
    for n in range(400):
        if n % 3 > 0:
            own[arm_of(f"v{n}", salt="s_1", weights=WEIGHTS)].append(n % 3)
    assert found.analysis.units == {arm: len(counts) for arm, counts in own.items()}
    [each] = found.analysis.comparisons
    assert each.figures.difference == pytest.approx(np.mean(own["B"]) - np.mean(own["A"]))


def test_a_visitor_who_was_shown_two_arms_is_left_out_and_counted(tmp_path: Path) -> None:
    arm = arm_of("v7", salt="s_1", weights=WEIGHTS)
    other = {"A": "B", "B": "A"}[arm]
    with open_gold(served(tmp_path, ("v7", other, 1))) as gold:
        found = analyse_experiment(gold, "e", declared())
    assert found.analysis.in_two_arms == 1
    assert sum(found.analysis.units.values()) == 399


def test_gold_from_before_there_were_exposures_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    serve_gold(settings, "create table gold.fct_sessions (session_date date)")
    with open_gold(settings) as gold, pytest.raises(LakeError, match="by an older version"):
        analyse_experiment(gold, "e", declared())


def test_an_arm_that_nobody_declared_is_refused(tmp_path: Path) -> None:
    more = [(f"x{n}", "C", 0) for n in range(3)]
    with (
        open_gold(served(tmp_path, *more)) as gold,
        pytest.raises(LakeError, match="units of arm C, which"),
    ):
        analyse_experiment(gold, "e", declared())


def test_a_guardrail_that_gets_worse_is_said_and_one_that_gets_better_is_not() -> None:
    random = np.random.default_rng(7)
    base, worse = random.normal(10, 2, (2, 400))
    ones = (random.random((2, 400)) < 0.5).astype(float)
    arms = {"A": Arm((ones[0], base), None), "B": Arm((ones[1], worse + 1), None)}
    units = Units(("bought", "minutes"), ("binary", "money"), arms, 0)
    risen = conclude(units, source="u", control="A", guardrails={"minutes": "rise"})
    [guard] = risen.guardrails
    assert guard.is_broken
    assert guard.p_value_worse == pytest.approx((guard.figures.p_value or 0) / 2)
    assert "GUARDRAIL BROKEN: minutes of B got worse" in risen.verdict
    assert [each.metric for each in risen.comparisons] == ["bought"]
    assert risen.comparisons[0].p_value_adjusted == risen.comparisons[0].figures.p_value
    fallen = conclude(units, source="u", control="A", guardrails={"minutes": "fall"})
    assert not fallen.guardrails[0].is_broken
    assert "GUARDRAIL" not in fallen.verdict


def test_the_error_of_a_ratio_is_that_of_the_delta_method() -> None:
    random = np.random.default_rng(3)
    visits = random.poisson(3, (2, 500)) + 1.0
    orders = random.binomial(visits.astype(int), 0.2).astype(float)
    arm, control = (np.column_stack([orders[n], visits[n]]) for n in (0, 1))
    found = compare_ratios(arm, control)
    variances = []
    for rows in (arm, control):
        top, base = rows[:, 0], rows[:, 1]
        ratio = top.sum() / base.sum()
        cov = np.cov(top, base)
        variances.append(
            (cov[0, 0] - 2 * ratio * cov[0, 1] + ratio**2 * cov[1, 1])
            / (len(rows) * base.mean() ** 2)
        )
    error = math.sqrt(sum(variances))
    assert ratio_error(arm, control) == pytest.approx(error)
    assert found.statistic == pytest.approx(found.difference / error)
    assert found.difference == pytest.approx(
        orders[0].sum() / visits[0].sum() - orders[1].sum() / visits[1].sum()
    )


def test_the_delta_method_alarms_as_often_as_it_says_where_rows_of_a_unit_hang_together() -> None:
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(400):
        rates = random.beta(1, 4, (2, 300))
        visits = random.poisson(4, (2, 300)) + 1
        orders = random.binomial(visits, rates)
        arms = [np.column_stack([orders[n], visits[n]]).astype(float) for n in (0, 1)]
        alarms += (compare_ratios(*arms).p_value or 1) < 0.05
    assert 0.03 <= alarms / 400 <= 0.075


def test_a_ratio_is_read_from_two_columns_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("u,arm,orders,visits\na,A,1,2\na,A,0,3\nb,B,2,4\nc,B,0,1\n", encoding="utf-8")
    metric = parse_metric("orders/visits:ratio")
    assert metric == Metric("orders/visits", "ratio")
    found = read_units(path, unit="u", arm="arm", metrics=[metric], covariate=None)
    assert {arm: each.values[0].tolist() for arm, each in found.arms.items()} == {
        "A": [[1.0, 5.0]],
        "B": [[2.0, 4.0], [0.0, 1.0]],
    }
    with pytest.raises(LakeError, match="write NUMERATOR/DENOMINATOR:ratio"):
        parse_metric("orders/:ratio")


def test_what_the_shop_plays_is_what_its_registry_declares() -> None:
    found = read_registry(OWN_REGISTRY)
    planted, same = found["one_page_checkout"], found["same_page_twice"]
    assert (planted.salt, dict(planted.arms)) == (ShopParameters().planted_salt, PLANTED_ARMS)
    assert same.salt != planted.salt
    assert guardrail_of("product_view_count:money:fall") == ("product_view_count:money", "fall")
    assert guardrail_of("returned:money") == ("returned:money", "rise")
