"""The pages of the inbox: a list, and each mail as a reader gets it.

In: a path. Out: an answer. A mail's own HTML is shown in a frame that runs no script and loads
nothing from elsewhere; every text around it is escaped.
"""

from dataclasses import dataclass
from html import escape
from urllib.parse import unquote

from lakehouse.html_page import offline_page
from lakehouse.settings import Settings
from reports.archive import html_of
from reports.inbox import kept
from reports.inbox.kept import Kept

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 1rem; }
iframe, pre { border: 1px solid #8888; border-radius: 6px; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
li { margin: .4rem 0; } ul { padding-left: 1.2rem; }
dt { float: left; clear: left; width: 7rem; opacity: .7; }
dd { margin-left: 7rem; overflow-wrap: anywhere; }
iframe { width: 100%; height: 70vh; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .8rem; }
"""
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Answer:
    """What the browser gets."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    disposition: str = "inline"

    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": self.kind,
            "Content-Length": str(len(self.body)),
            "Content-Disposition": self.disposition,
            "Content-Security-Policy": _POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }


def answer(path: str, *, settings: Settings) -> Answer:
    """`/`, `/NAME`, `/NAME/html` or `/NAME/attachment/NUMBER`."""
    parts = [unquote(each) for each in path.partition("?")[0].split("/") if each]
    if not parts:
        return _page("Inbox", _list(kept.mails(settings)))
    found = kept.mail(parts[0], settings=settings)
    match (found, parts[1:]):
        case (Kept(), []):
            return _page(found.header("Subject") or "No subject", _mail(found))
        case (Kept(), ["html"]):
            return Answer(html_of(found.mail).encode())
        case (Kept(), ["attachment", number]) if number.isdecimal():
            attached = list(found.mail.iter_attachments())
            if int(number) < len(attached):
                content = attached[int(number)].get_content()
                body = content if isinstance(content, bytes) else str(content).encode()
                return Answer(body, "application/octet-stream", disposition="attachment")
    return Answer(offline_page("No such mail", style=_STYLE, body="").encode(), status=404)


def _page(title: str, body: str) -> Answer:
    return Answer(offline_page(title, style=_STYLE, body=body).encode())


def _list(mails: list[Kept]) -> str:
    if not mails:
        return "<p>No mail yet. <code>lake report daily</code> sends one.</p>"
    rows = "".join(
        f"<li><a href='/{each.name}'>{escape(each.header('Subject')) or 'No subject'}</a><br>"
        f"{escape(each.header('Date'))}, to {escape(each.header('To'))}</li>"
        for each in mails
    )
    return f"<ul>{rows}</ul>"


def _mail(found: Kept) -> str:
    names = ("From", "To", "Date", "Message-ID", "List-Unsubscribe")
    facts = "".join(
        f"<dt>{name}</dt><dd>{escape(found.header(name)) or '–'}</dd>" for name in names
    )
    files = "".join(
        f"<li><a href='/{found.name}/attachment/{number}' "
        f"download='{escape(each.get_filename() or 'part', quote=True)}'>"
        f"{escape(each.get_filename() or 'part')}</a></li>"
        for number, each in enumerate(found.mail.iter_attachments())
    )
    page = (
        f"<iframe sandbox title='The mail' src='/{found.name}/html'></iframe>"
        if found.mail.get_body(("html",))
        else ""
    )
    text = found.mail.get_body(("plain",))
    plain = f"<h2>As text</h2><pre>{escape(str(text.get_content()))}</pre>" if text else ""
    return f"<p><a href='/'>All mails</a></p><dl>{facts}</dl>{page}<ul>{files}</ul>{plain}"
