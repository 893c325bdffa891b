"""The embedded history is the known file, with its attribution beside it."""

import hashlib

from storefront.data import ATTRIBUTION, embedded_history


def test_the_embedded_history_is_the_known_file() -> None:
    digest = hashlib.sha256(embedded_history().read_bytes()).hexdigest()
    assert digest == "b6066a4142b88a18826d1fd50f885f7466e160b27fc0b6965b60e06e0bf8844b"


def test_the_attribution_lies_beside_the_data() -> None:
    readme = embedded_history().with_name("README.md").read_text(encoding="utf-8")
    assert ATTRIBUTION in " ".join(readme.replace("\n> ", " ").split())
