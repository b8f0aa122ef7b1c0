"""A message in the form of each channel: plain text, mail, Slack-style JSON, webhook JSON with its signature.

Everything that comes from devices or cases is escaped for the form it goes into. The webhook's schema has a version;
fields may be added to it, a change of meaning makes the next version. Signed as the Standard Webhooks do it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from html import escape
from typing import Any

from twin.alerts.messages import Message
from twin.schema.instant import format_instant, from_seconds
from twin.schema.notice import Notice
from twin.services.notice_words import Letter, letter_of, link_of

SCHEMA = "twin.notification/1"
_COLOURS = {"critical": "#C03A00", "major": "#E69F00", "minor": "#F0E442", "info": "#8F9A9E"}
_SECTION, _TEXT = 2800, 35_000
"""Below Slack's limits of a section and of a text."""


def plain(letter: Letter) -> str:
    """Text for a mail or a log: blocks of "Label: text", or one line a case."""
    if not letter.in_full:
        lines = [f"{e.headline}{f'  {e.link}' if e.link else ''}" for e in letter.entries]
        return "\n".join(lines) + "\n"
    blocks = []
    for entry in letter.entries:
        lines = [entry.headline, *(f"{label}: {text}" for label, text in entry.facts)]
        if entry.link:
            lines.append(f"Open: {entry.link}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def html(letter: Letter) -> str:
    """The same as a small HTML document without pictures, scripts or outside resources."""
    parts = []
    for entry in letter.entries:
        link = f'<p><a href="{escape(entry.link)}">Open it in the twin</a></p>' if entry.link else ""
        rows = "".join(
            f'<tr><td style="color:#626E73;padding:2px 12px 2px 0;vertical-align:top">{escape(label)}</td>'
            f'<td style="padding:2px 0">{escape(text)}</td></tr>'
            for label, text in (entry.facts if letter.in_full else ())
        )
        colour = _COLOURS[entry.notice.severity.word]
        parts.append(
            f'<div style="border-left:4px solid {colour};padding:2px 0 2px 12px;margin:0 0 18px">'
            f'<p style="margin:0 0 6px"><b>{escape(entry.headline)}</b></p><table>{rows}</table>{link}</div>'
        )
    return (
        '<!doctype html><html><body style="font:15px/1.45 system-ui,sans-serif;color:#172024">'
        f"{''.join(parts)}</body></html>"
    )


def mail(message: Message, base_url: str, sender: str, at_s: float) -> EmailMessage:
    """One mail to all of the target's addresses; its Message-ID is the message's, so that a repeat can be told."""
    letter = letter_of(message, base_url)
    made = EmailMessage()
    made["Subject"] = _cut(letter.subject, 180)
    made["From"] = sender
    made["To"] = ", ".join(message.target.to)
    made["Date"] = formatdate(at_s)
    host = sender.partition("@")[2]
    made["Message-ID"] = f"<{message.message_id}@{host}>"
    cases = {record.notice.case_id for record in message.records}
    if len(cases) == 1:
        # Mail programs show what is said of one case as one conversation.
        made["References"] = f"<case-{hashlib.sha256(cases.pop().encode()).hexdigest()[:24]}@{host}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(plain(letter))
    made.add_alternative(html(letter), subtype="html")
    return made


def slack(message: Message, base_url: str) -> dict[str, Any]:
    """`text` holds all of it (other programs read only that), `blocks` the same in Slack's form."""
    letter = letter_of(message, base_url)
    entries = []
    for entry in letter.entries:
        facts = (
            [f"*{_mrkdwn(label)}:* {_mrkdwn(text)}" for label, text in entry.facts] if letter.in_full else []
        )
        link = [f"<{_mrkdwn(entry.link)}|Open it in the twin>"] if entry.link else []
        entries.append(_cut("\n".join([f"*{_mrkdwn(entry.headline)}*", *facts, *link]), _SECTION))
    blocks: list[dict[str, Any]] = []
    if len(entries) > 1:
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": _cut(letter.subject, 150)}})
    blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in entries[:45]]
    if len(entries) > 45:
        rest = {"type": "plain_text", "text": f"and {len(entries) - 45} more"}
        blocks.append({"type": "context", "elements": [rest]})
    return {"text": _cut("\n\n".join(entries), _TEXT), "blocks": blocks}


def webhook(message: Message, base_url: str, at_s: float) -> dict[str, Any]:
    """The documented schema; see docs/notifications.md."""
    letter = letter_of(message, base_url)
    return {
        "schema": SCHEMA,
        "id": message.message_id,
        "sent_at": format_instant(from_seconds(at_s)),
        "target": message.target.name,
        "subject": letter.subject,
        "test": letter.is_test,
        "digest": message.is_digest,
        "notices": [_item(record.notice, base_url) for record in message.records],
    }


def signed(body: bytes, message_id: str, at_s: float, secret: str) -> Mapping[str, str]:
    """Headers that name the message and, with a secret, prove who sent it and when."""
    stamp = str(int(at_s))
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp, "Idempotency-Key": message_id}
    if secret:
        content = f"{message_id}.{stamp}.".encode() + body
        digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    return headers


def json_body(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _item(notice: Notice, base_url: str) -> dict[str, Any]:
    closed_s = notice.closed_s
    return {
        "id": notice.notice_id,
        "event": notice.event.value,
        "severity": notice.severity.word,
        "previous_severity": None if notice.was is None else notice.was.word,
        "case_id": notice.case_id,
        "device_id": notice.device_id,
        "where": notice.where,
        "simulated": notice.simulated,
        "title": notice.title,
        "cause": notice.cause,
        "verdict": notice.verdict,
        "text": notice.text,
        "action": notice.action,
        "onset": format_instant(from_seconds(notice.onset_s)),
        "closed": None if closed_s is None else format_instant(from_seconds(closed_s)),
        "lasted_s": None if closed_s is None else round(closed_s - notice.onset_s, 3),
        "withdrawn": notice.withdrawn,
        "unacknowledged_s": None if notice.waited_s is None else round(notice.waited_s, 3),
        "back": None if notice.back_s is None else format_instant(from_seconds(notice.back_s)),
        "url": link_of(notice, base_url) or None,
    }


def _key(secret: str) -> bytes:
    """The bytes of a "whsec_…" secret, or of any other text as it is."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except (ValueError, binascii.Error):
            pass
    return secret.encode()


def _mrkdwn(text: str) -> str:
    """Slack's three; without them a title could call a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
