"""What time it is in the shop: the real clock, moved by whole days where the shop is simulated.

In: a file of the state folder, made when the simulated shop first opens live; none for a real shop.
Out: the shop's present moment in UTC. The simulated shop goes on after a history of long ago: its
clock shows the real time of day on the day after, so that "today" and "the last minute" mean
what they say, and no figure of the history is moved.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.settings import Settings

FILE = "clock.json"


@dataclass(frozen=True)
class ShopClock:
    """The shop's clock: `days_behind` the real one, which is 0 for a real shop."""

    days_behind: int = 0

    def now(self) -> datetime:
        """The shop's present moment in UTC."""
        return self.of(datetime.now(UTC))

    def of(self, moment: datetime) -> datetime:
        """What the shop's clock shows at a real moment."""
        return moment - timedelta(days=self.days_behind)

    def real(self, moment: datetime) -> datetime:
        """The real moment at which the shop's clock shows this one."""
        return moment + timedelta(days=self.days_behind)


def shop_clock(settings: Settings) -> ShopClock:
    """The clock of this state folder's shop. Raises: LakeError when its file is damaged."""
    path = settings.live_dir / FILE
    try:
        return ShopClock(int(json.loads(path.read_text(encoding="utf-8"))["days_behind"]))
    except FileNotFoundError:
        return ShopClock()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LakeError(
            f"The shop's clock {path} can't be read ({error}). It holds the days between the real "
            'calendar and the shop\'s, such as {"days_behind": 0}: write it again.'
        ) from error


def set_clock(first_day: date, *, settings: Settings) -> ShopClock:
    """The shop's clock; where there is none yet, one on which today is `first_day`."""
    if not (settings.live_dir / FILE).exists():
        behind = (datetime.now(UTC).date() - first_day).days
        replace_text(settings.live_dir / FILE, json.dumps({"days_behind": behind}))
    return shop_clock(settings)
