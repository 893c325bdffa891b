"""A mail server that keeps what it is given: each mail as the reader would get it."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage


class _Dialogue(socketserver.StreamRequestHandler):
    """Just enough of SMTP for one client."""

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "DATA":
                self._say("354 go on")
                self.server.mails.append(self._mail())  # type: ignore[attr-defined]
            self._say("250 ok")

    def _mail(self) -> EmailMessage:
        lines = iter(self.rfile.readline, b".\r\n")
        raw = b"".join(line.removeprefix(b".") for line in lines)
        return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[arg-type]

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_sink() -> Iterator[tuple[int, list[EmailMessage]]]:
    """Its port, and the mails so far, while the `with` block lasts."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Dialogue) as server:
        mails: list[EmailMessage] = []
        server.mails = mails  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], mails
        server.shutdown()


def text_of(mail: EmailMessage) -> str:
    """The text of a mail, of all its parts."""
    parts = (each for each in mail.walk() if each.get_content_maintype() == "text")
    return "\n".join(str(each.get_content()) for each in parts)
