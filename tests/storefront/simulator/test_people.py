"""Customers are invented, stay the same person, and every change changes something."""

from datetime import date

from storefront.simulator import Catalog, ShopParameters
from storefront.simulator.people import changed_profile, new_profile
from storefront.simulator.world import World


def world_of(catalog: Catalog) -> World:
    return World(1, date(2011, 12, 10), catalog, ShopParameters())


def test_a_customer_is_always_the_same_person(catalog: Catalog) -> None:
    one = new_profile(world_of(catalog), customer_id="12000", country="France")
    assert one == new_profile(world_of(catalog), customer_id="12000", country="France")
    assert one != new_profile(world_of(catalog), customer_id="12001", country="France")


def test_mail_goes_to_example_domains_only(catalog: Catalog) -> None:
    world = world_of(catalog)
    for customer_id in (*map(str, range(50)), "Müller & Söhne <x@y>", "ü"):
        email = new_profile(world, customer_id=customer_id, country="France").email
        mailbox, _, domain = email.partition("@")
        assert domain in ("example.com", "example.org", "example.net")
        assert mailbox.replace(".", "").replace("-", "").isalnum()
        assert mailbox.isascii()


def test_every_change_changes_something_and_never_who_it_is(catalog: Catalog) -> None:
    world = world_of(catalog)
    profile, kinds = new_profile(world, customer_id="12000", country="France"), set()
    for number in range(60):
        changed = changed_profile(world, profile, day=date.fromordinal(734_000 + number))
        assert changed != profile
        assert (changed.customer_id, changed.country) == ("12000", "France")
        kinds |= {
            name
            for name in ("address", "email", "name", "has_consent")
            if getattr(changed, name) != getattr(profile, name)
        }
        profile = changed
    assert kinds == {"address", "email", "name", "has_consent"}
