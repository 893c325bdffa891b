"""The frame of a page that needs no network: one HTML file, readable on a phone."""

from html import escape


def offline_page(title: str, *, style: str, body: str) -> str:
    """A whole page as text.

    Args:
        title: Its title, as plain text; it is escaped, and becomes the heading too.
        style: CSS.
        body: HTML below the heading; the caller has escaped every value in it.
    """
    heading = escape(title)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{heading}</title><style>{style}</style></head><body><main>"
        f"<h1>{heading}</h1>{body}</main></body></html>\n"
    )
