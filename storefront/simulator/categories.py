"""Shelves of the simulated shop: the category of a product from the words of its name."""

_SHELVES = (
    ("seasonal", ("CHRISTMAS", "EASTER", "ADVENT", "SNOW", "REINDEER", "HALLOWEEN", "VALENTINE")),
    ("lighting", ("LIGHT", "LAMP", "LANTERN", "CANDLE", "T-LIGHT", "HOLDER")),
    ("bags", ("BAG", "PURSE", "SHOPPER", "BACKPACK", "LUGGAGE")),
    ("kitchen", ("CAKE", "MUG", "CUP", "PLATE", "BOWL", "TEA", "TEAPOT", "JAR", "BAKING", "SPOON")),
    ("stationery", ("CARD", "PEN", "PENCIL", "PENCILS", "WRAP", "NOTEBOOK", "PAPER", "STICKERS")),
    ("jewellery", ("NECKLACE", "BRACELET", "EARRINGS", "RING", "BROOCH")),
    ("garden", ("GARDEN", "PLANT", "FLOWER", "BIRD", "SEEDS", "HERB")),
    ("toys", ("GAME", "TOY", "DOLL", "PUZZLE", "DOMINOES", "SOLDIER", "PLAYHOUSE", "CRAYONS")),
    ("home", ("CUSHION", "CLOCK", "FRAME", "SIGN", "DRAWER", "HOOK", "MIRROR", "DOORMAT", "RUG")),
)
_OTHER = "gifts"


def category_of(description: str) -> str:
    """The first shelf one of whose words is in the name, singular or plural; else `gifts`."""
    words = set(description.upper().split())
    words |= {word.removesuffix("S") for word in words}
    return next((shelf for shelf, marks in _SHELVES if words.intersection(marks)), _OTHER)
