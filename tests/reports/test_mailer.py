"""Each way in which handing over a mail can end, against real servers."""

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from reports.addresses import Address
from reports.mailer import Encryption, MailServer, Outcome, mail_server, send
from tests.reports.mail_servers import Fault, Sink, mail_server_with

MAIL = b"Subject: hello\r\n\r\nOne.\r\n.\r\n..two\r\n"
SENDER, READER = Address("shop@shop.example"), Address("jo@reader.example")


def handed_over(sink: Sink, *, timeout: float = 5.0, **options: object) -> tuple[Outcome, int]:
    """What came of one mail, and how often its end was announced."""
    ends: list[int] = []
    server = MailServer(
        "127.0.0.1", sink.port, **{"encryption": "offered", **options}, timeout=timeout
    )  # type: ignore[arg-type]
    found = send(
        MAIL, sender=SENDER, recipient=READER, server=server, on_end=lambda: ends.append(1)
    )
    return found, len(ends)


def test_a_mail_arrives_byte_for_byte() -> None:
    with mail_server_with() as sink:
        found, ends = handed_over(sink)
    assert (found.verdict, found.detail, ends) == ("sent", "250 2.0.0 taken", 1)
    assert sink.mails == [MAIL]


@pytest.mark.parametrize(
    ("fault", "verdict", "kept", "ends"),
    [
        ("slow", "sent", 1, 1),
        ("greylisted", "later", 0, 0),
        ("busy", "later", 0, 0),
        ("dies_at_rcpt", "later", 0, 0),
        ("full", "later", 0, 1),
        ("unknown_user", "refused", 0, 0),
        ("sender_refused", "refused", 0, 0),
        ("spam", "refused", 0, 1),
        ("dies_after_data", "unknown", 0, 1),
        ("keeps_and_dies", "unknown", 1, 1),
        ("refuses_starttls", "later", 0, 0),
    ],
)
def test_each_fault_of_a_server_is_told_for_what_it_is(
    fault: Fault, verdict: str, kept: int, ends: int
) -> None:
    with mail_server_with(fault) as sink:
        found, ended = handed_over(sink)
    assert (found.verdict, len(sink.mails), ended) == (verdict, kept, ends)


def test_a_server_that_does_not_answer_in_time_leaves_the_fate_unknown() -> None:
    with mail_server_with("too_slow") as sink:
        found, _ = handed_over(sink, timeout=0.3)
    assert found.verdict == "unknown"


def test_a_server_that_is_down_takes_it_later() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found, ends = handed_over(Sink(port=port))
    assert (found.verdict, ends) == ("later", 0)
    assert f"127.0.0.1:{port}" in found.detail


def test_a_server_that_drips_its_greeting_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found, _ = handed_over(Sink(port=listening.getsockname()[1]), timeout=0.2)
    assert found.verdict == "later"


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's TLS for 127.0.0.1, and the file of the certificate that it shows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    own = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=9))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "sink.pem"
    file.write_bytes(
        own.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context, str(file)


def test_tls_is_taken_where_the_certificate_is_known(tmp_path: Path) -> None:
    context, file = certificate(tmp_path)
    with mail_server_with(tls=context) as sink:
        found, _ = handed_over(sink, encryption="starttls", ca_file=file)
    assert (found.verdict, len(sink.mails)) == ("sent", 1)


@pytest.mark.parametrize("encryption", ["offered", "starttls"])
def test_an_unknown_certificate_gets_no_mail(tmp_path: Path, encryption: Encryption) -> None:
    context, _ = certificate(tmp_path)
    with mail_server_with(tls=context) as sink:
        found, _ = handed_over(sink, encryption=encryption)
    assert (found.verdict, sink.mails) == ("later", [])
    assert found.detail.startswith("TLS failed: ")


def test_no_tls_where_it_is_required_means_no_mail() -> None:
    with mail_server_with() as sink:
        found, _ = handed_over(sink, encryption="starttls")
    assert (found.verdict, sink.mails) == ("later", [])


@pytest.mark.parametrize(
    ("url", "wish", "expected"),
    [
        ("smtp://mail.example", "auto", ("mail.example", 25, "offered", "", "")),
        ("smtp://mail.example", "off", ("mail.example", 25, "none", "", "")),
        ("smtp://mail.example:587", "required", ("mail.example", 587, "starttls", "", "")),
        (
            "smtp://me:p%40ss@mail.example:587",
            "auto",
            ("mail.example", 587, "starttls", "me", "p@ss"),
        ),
        ("smtps://me:p%40ss@mail.example", "auto", ("mail.example", 465, "tls", "me", "p@ss")),
    ],
)
def test_the_settings_name_the_server(
    tmp_path: Path, url: str, wish: str, expected: tuple[object, ...]
) -> None:
    found = mail_server(Settings(home=tmp_path, alert_smtp=url, smtp_tls=wish))  # type: ignore[arg-type]
    assert found is not None
    assert (found.host, found.port, found.encryption, found.user, found.password) == expected


def test_a_password_without_tls_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, alert_smtp="smtp://me:pw@mail.example", smtp_tls="off")
    with pytest.raises(LakeError, match="never travels without TLS"):
        mail_server(settings)
