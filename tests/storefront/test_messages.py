"""Messages: compact JSON and UTC times."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from storefront.messages import encode, rfc3339


def test_a_message_is_compact_utf8_json_in_the_given_order() -> None:
    assert encode({"b": "Café £", "a": None, "n": -3}) == '{"b":"Café £","a":null,"n":-3}'.encode()


def test_times_are_whole_seconds_in_utc() -> None:
    summer = datetime(2011, 7, 1, 12, 0, 5, 999, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(summer) == "2011-07-01T11:00:05Z"
    assert rfc3339(datetime(2011, 12, 9, 12, 50, tzinfo=UTC)) == "2011-12-09T12:50:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        rfc3339(datetime(2011, 12, 9))
