"""Invented customers: names from short lists, addresses in towns that do not exist.

In: a customer's id and country. Out: `Profile`. No real person stands behind any of them, and mail
to the example domains reaches nobody.
"""

from dataclasses import dataclass, replace
from datetime import date
from random import Random

from storefront.simulator.world import World

_FIRST_NAMES = (
    *("Ada", "Amal", "Anouk", "Bela", "Bruno", "Carmen", "Clio", "Dag", "Edda", "Elif"),
    *("Emil", "Fenna", "Gwen", "Hugo", "Ida", "Ines", "Ivo", "Jonas", "Juno", "Kaito"),
    *("Lena", "Linus", "Maeve", "Malik", "Mira", "Nadia", "Nils", "Olive", "Oskar", "Paloma"),
    *("Priya", "Quinn", "Rhea", "Rufus", "Saskia", "Tamsin", "Tove", "Uma", "Viggo", "Zeno"),
)
_SURNAMES = (
    *("Amberfold", "Ashgrove", "Birchwater", "Bramblewick", "Cloverden", "Copperfern"),
    *("Dovecliff", "Eastmarrow", "Elderglen", "Fallowmere", "Fernhollow", "Foxbarrow"),
    *("Goldthistle", "Greyheron", "Hazelbrook", "Honeycombe", "Inkwell", "Juniperhill"),
    *("Kestrelby", "Larkfield", "Lindenmoor", "Mapleton-Rowe", "Marshlight", "Nettlebank"),
    *("Oakapple", "Otterburrow", "Pebbleford", "Plumstone", "Quillfeather", "Ravensbeck"),
    *("Rushwillow", "Saltmarsh", "Silverbirch", "Sparrowgate", "Teaselworth", "Thornwick"),
    *("Umberfield", "Violetcombe", "Wrenhaven", "Yarrowdale"),
)
_STREETS = (
    "Lantern Row",
    "Teapot Lane",
    "Button Street",
    "Ribbon Hill",
    "Candle Court",
    "Kite Way",
)
_TOWNS = ("Nowhereton", "Samplebury", "Mockford", "Testholme", "Placehold-on-Sea", "Fictown")
_MAIL_DOMAINS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True)
class Profile:
    """What the shop knows about a customer."""

    customer_id: str
    first_name: str
    surname: str
    mail_domain: str
    address: str
    country: str
    has_consent: bool

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.surname}"

    @property
    def email(self) -> str:
        mark = "".join(each for each in self.customer_id if each.isascii() and each.isalnum())
        return f"{self.first_name}.{self.surname}.{mark[:30]}@{self.mail_domain}".lower()


def new_profile(world: World, *, customer_id: str, country: str) -> Profile:
    """The first profile of a customer; always the same one in this world."""
    stream = world.stream("person", customer_id)
    return Profile(
        customer_id,
        first_name=stream.choice(_FIRST_NAMES),
        surname=stream.choice(_SURNAMES),
        mail_domain=stream.choice(_MAIL_DOMAINS),
        address=_address(stream),
        country=country,
        has_consent=stream.random() < world.parameters.consent_rate,
    )


def changed_profile(world: World, profile: Profile, *, day: date) -> Profile:
    """The profile after a move, a new name, another mailbox or a change of mind."""
    stream = world.stream("change of person", profile.customer_id, day)
    kind = stream.choices(("move", "consent", "mailbox", "name"), (50, 30, 15, 5))[0]
    if kind == "move":
        return replace(profile, address=_address(stream, not_this=profile.address))
    if kind == "consent":
        return replace(profile, has_consent=not profile.has_consent)
    if kind == "mailbox":
        others = [domain for domain in _MAIL_DOMAINS if domain != profile.mail_domain]
        return replace(profile, mail_domain=stream.choice(others))
    others = [surname for surname in _SURNAMES if surname != profile.surname]
    return replace(profile, surname=stream.choice(others))


def _address(stream: Random, *, not_this: str = "") -> str:
    found = not_this
    while found == not_this:
        number, street, town = (
            stream.randrange(1, 200),
            stream.choice(_STREETS),
            stream.choice(_TOWNS),
        )
        found = f"{number} {street}, {town}"
    return found
