"""Carries one message to its target: into the log, to a webhook, to a Slack-style webhook, by SMTP.

Promises: returns when the receiver has taken it, raises DeliveryError otherwise; no secret and no path of an address is
in an error or a log line. A redirect is refused, an answer's body is not read.
"""

from __future__ import annotations

import http.client
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from email.message import EmailMessage
from http import HTTPStatus
from urllib.parse import urlsplit

from twin.alerts.messages import Message
from twin.errors import DeliveryError, DeliveryRefusedError
from twin.schema.target import Channel
from twin.services import notice_forms
from twin.services.notice_settings import MailServer, NoticeSettings
from twin.services.notice_words import letter_of
from twin.services.outward import Line, Resolve, resolve

log = logging.getLogger("twin.notices")
AGAIN = frozenset({408, 425, 429})
LONGEST_RETRY_AFTER_S = 3600.0

Carry = Callable[[Message, float], None]
"""(message, now_s); raises DeliveryError."""


class Channels:
    """Every channel of one set of settings."""

    def __init__(self, settings: NoticeSettings, look_up: Resolve = resolve) -> None:
        self._settings = settings
        self._look_up = look_up

    def carry(self, message: Message, now_s: float) -> None:
        """Deliver it. Raises DeliveryError to be tried again, DeliveryRefusedError when that will not help."""
        target, base_url = message.target, self._settings.base_url
        if target.channel is Channel.LOG:
            log.warning("%s", notice_forms.plain(letter_of(message, base_url)).strip())
        elif target.channel is Channel.EMAIL:
            self._mail(message, now_s)
        elif target.channel is Channel.SLACK:
            body = notice_forms.json_body(notice_forms.slack(message, base_url))
            self._post(target.url, body, {"Idempotency-Key": message.message_id})
        else:
            body = notice_forms.json_body(notice_forms.webhook(message, base_url, now_s))
            self._post(target.url, body, notice_forms.signed(body, message.message_id, now_s, target.secret))

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        parts, rules = urlsplit(url), self._settings.rules
        is_tls = parts.scheme == "https"
        if not is_tls and not (parts.scheme == "http" and rules.http):
            raise DeliveryRefusedError(
                parts.hostname or "address", rule="must be https", next_step="Set allow_http to allow it"
            )
        host = parts.hostname or ""
        port = parts.port or (443 if is_tls else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with Line(host, port, rules, self._look_up) as line:
            try:
                if is_tls:
                    line.encrypt(rules.tls())
                kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
                connection = kind(host, port)
                connection.sock, connection.auto_open = line.socket, 0
                sent = {
                    "Content-Type": "application/json",
                    "User-Agent": "twin-notify/1",
                    "Connection": "close",
                }
                connection.request("POST", path, body, {**sent, **headers})
                with closing(connection.getresponse()) as answer:
                    status, retry_after = answer.status, answer.getheader("Retry-After", "")
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise line.failure(error) from error
        _judge(host, status, retry_after)

    def _mail(self, message: Message, now_s: float) -> None:
        server, rules = self._settings.mail, self._settings.rules
        if server is None:
            raise DeliveryRefusedError(
                f"target {message.target.name}",
                rule="needs a mail server",
                next_step="Set smtp in TWIN_NOTIFY",
            )
        mail = notice_forms.mail(message, self._settings.base_url, server.sender, now_s)
        with Line(server.host, server.port, rules, self._look_up) as line:
            try:
                if server.security == "tls":
                    line.encrypt(rules.tls())
                refused = _sent(line, server, mail, rules.tls() if server.security == "starttls" else None)
            except smtplib.SMTPException as error:
                raise _mail_failure(server.host, error) from error
            except (OSError, ValueError) as error:
                raise line.failure(error) from error
        if refused:
            log.warning("%s: %d of its addresses were refused", message.target.name, len(refused))


class _Session(smtplib.SMTP):
    """SMTP over a connection that is already there."""

    def __init__(self, line: Line, host: str, port: int) -> None:
        self._line = line
        super().__init__(host, port, local_hostname=socket.gethostname() or "localhost")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._line.socket


def _sent(
    line: Line, server: MailServer, mail: EmailMessage, context: ssl.SSLContext | None
) -> Mapping[str, object]:
    """The addresses that were refused while others were taken."""
    with closing(_Session(line, server.host, server.port)) as session:
        session.ehlo_or_helo_if_needed()
        if context is not None:
            session.starttls(context=context)
            if session.sock is not None:
                line.socket = session.sock
        if server.user:
            session.login(server.user, server.password)
        refused: Mapping[str, object] = session.send_message(mail)
        try:
            session.quit()
        except (OSError, smtplib.SMTPException):
            log.debug("%s closed before it was asked to", server.host)
        return refused


def _judge(host: str, status: int, retry_after: str) -> None:
    if 200 <= status < 300:
        return
    try:
        word = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        word = str(status)
    if 300 <= status < 400:
        raise DeliveryRefusedError(
            host, rule=f"answered with a redirect ({word})", next_step="Set the address it leads to"
        )
    if status >= 500 or status in AGAIN:
        error = DeliveryError(host, rule=f"answered {word}", next_step="It is tried again")
        if retry_after.isdigit():
            error.retry_after_s = min(float(retry_after), LONGEST_RETRY_AFTER_S)
        raise error
    raise DeliveryRefusedError(host, rule=f"answered {word}", next_step="Correct the target's address or key")


def _mail_failure(host: str, error: smtplib.SMTPException) -> DeliveryError:
    """By the server's code, without its text, which may repeat an address or a user's name."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [int(answer[0]) for answer in error.recipients.values()]
        what = "refused every address"
    elif isinstance(error, smtplib.SMTPResponseException):
        codes, what = [int(error.smtp_code)], f"answered {error.smtp_code}"
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        codes, what = [500], "does not offer what the settings require (STARTTLS or a login)"
    else:
        codes, what = [], f"broke off ({type(error).__name__})"
    kind = DeliveryRefusedError if codes and min(codes) >= 500 else DeliveryError
    return kind(host, rule=what, next_step="Look at the mail server and its settings in TWIN_NOTIFY")
