"""The declared KPIs: whole, computable, and worth the same in Python as in gold's SQL."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from lakehouse.contracts.gold import GOLD_TABLES
from lakehouse.contracts.kpis import Kpi, kpi, read_kpis
from lakehouse.errors import LakeError

SOUND = {
    "name": "conversion_rate",
    "unit": "rate",
    "measure": "buyers",
    "per": "visitors",
    "direction": "up",
    "owner": "web shop",
    "source": "fct_daily_funnel",
    "definition": "Buyers by visitors.",
}


def declared(folder: Path, *kpis: dict[str, str]) -> Path:
    path = folder / "dbt_project.yml"
    path.write_text(yaml.safe_dump({"vars": {"kpis": list(kpis)}}))
    return path


def test_the_shops_kpis_name_a_mart_of_gold_and_each_is_known_by_its_name() -> None:
    found = read_kpis()
    assert {f"gold.{each.source}" for each in found} <= set(GOLD_TABLES)
    assert [kpi(each.name) for each in found] == list(found)
    assert {
        "gross_revenue",
        "net_revenue",
        "cancelled_amount",
        "order_count",
        "average_order_value",
        "item_quantity",
        "conversion_rate",
        "return_rate",
        "active_customers",
        "new_customers",
        "repeat_rate",
        "cart_abandonment_rate",
        "freshness_days",
    } == {each.name for each in found}


def test_a_declaration_is_read_as_it_stands(tmp_path: Path) -> None:
    plain = {key: text for key, text in SOUND.items() if key != "per"} | {"name": "buyers"}
    assert read_kpis(declared(tmp_path, SOUND, plain)) == (Kpi(**SOUND), Kpi(**plain))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "percent"}, "has a unit other than"),
        ({"direction": "sideways"}, "has a direction other than"),
        ({"owner": ""}, "has no owner"),
        ({"formula": "a / b"}, "can't be read"),
    ],
)
def test_a_declaration_that_is_not_whole_is_named(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    with pytest.raises(LakeError, match=message):
        read_kpis(declared(tmp_path, {**SOUND, **change}))
    with pytest.raises(LakeError, match="twice"):
        read_kpis(declared(tmp_path, SOUND, SOUND))
    with pytest.raises(LakeError, match="can't be read"):
        read_kpis(tmp_path / "none.yml")


def test_a_quotient_is_rounded_half_up_and_has_no_value_without_a_base() -> None:
    rate = Kpi(**SOUND)
    assert rate.value({"buyers": 2, "visitors": 3}) == Decimal("0.6667")
    assert rate.value({"buyers": Decimal("-0.0001"), "visitors": 2}) == Decimal("-0.0001")
    assert rate.value({"buyers": 1, "visitors": 20_000}) == Decimal("0.0001")
    assert rate.value({"buyers": 1, "visitors": 20_001}) == 0
    assert rate.value({"buyers": 1, "visitors": 0}) is None
    assert rate.value({"buyers": 1, "visitors": -1}) is None
    with pytest.raises(KeyError, match="visitors"):
        rate.value({"buyers": 1})
