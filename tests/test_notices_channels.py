"""What goes out, to which addresses, in which form: against real HTTP and SMTP servers on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.receivers import certificate_for, free_port, http_receiver, smtp_receiver
from twin.alerts.messages import Message, new_message
from twin.errors import DeliveryError, DeliveryRefusedError, SettingsError
from twin.schema.alert import Severity
from twin.schema.notice import Notice, NoticeEvent, NoticeRecord
from twin.schema.target import Channel, Target
from twin.services.channels import Channels
from twin.services.notice_forms import html, mail, plain, slack, webhook
from twin.services.notice_settings import NoticeSettings
from twin.services.notice_words import letter_of
from twin.services.outward import Rules, allowed_addresses

T0_S = 1_772_445_600.0  # 2026-03-02 10:00 UTC
LOCAL = {"allow_networks": ["127.0.0.0/8"], "allow_http": True}
OPENED = Notice(
    case_id="PUMP-001|1",
    event=NoticeEvent.OPENED,
    severity=Severity.CRITICAL,
    target="t",
    shard="S0",
    at_s=T0_S + 60,
    device_id="PUMP-001",
    onset_s=T0_S,
    title="Bearing wear",
    text="Vibration is 38 % above what the twin expects.",
    action="Swap the drive-end bearing",
    cause="bearing_wear",
    verdict="machine",
    where="Rough-40, Utilities, Basel",
    time_zone="Europe/Zurich",
)
CLOSED = replace(OPENED, event=NoticeEvent.CLOSED, closed_s=T0_S + 7800)


def settings(**document: Any) -> NoticeSettings:
    return NoticeSettings.parsed(json.dumps(document), {})


def message(target: Target, *notices: Notice, is_digest: bool = False) -> Message:
    records = [NoticeRecord(notice) for notice in notices or (OPENED,)]
    return new_message(target, records, is_digest=is_digest)


def hook(port: int, *, host: str = "127.0.0.1", scheme: str = "http", **other: Any) -> Target:
    return Target("t", Channel.WEBHOOK, url=f"{scheme}://{host}:{port}/in", **other)


def carry(target: Target, given: NoticeSettings, names: Mapping[str, list[str]] | None = None) -> None:
    """names: what the resolver says; every other name is its own address."""
    Channels(given, lambda host, _port: (names or {}).get(host, [host])).carry(message(target), T0_S + 90)


# --- addresses --------------------------------------------------------------------------------------------------------

_REFUSED = """127.0.0.1 127.8.9.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 169.254.1.1 100.64.0.1 0.0.0.0
    224.0.0.1 255.255.255.255 240.0.0.1 192.0.0.192 198.18.0.1 192.0.2.1 168.63.129.16 ::1 :: fe80::1 fc00::1
    fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::808:808
    64:ff9b:1::a00:1 2002:7f00:1:: 2001:0:1:: ::127.0.0.1 fec0::1 2001:db8::1"""


@pytest.mark.parametrize("address", _REFUSED.split())
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(DeliveryRefusedError, match="not a public address"):
        allowed_addresses("hooks.example.com", 443, Rules(), lambda _h, _p: [address])


def test_public_addresses_are_allowed_and_one_bad_among_them_refuses_all() -> None:
    public = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"]
    assert allowed_addresses("x", 443, Rules(), lambda _h, _p: public) == public
    with pytest.raises(DeliveryRefusedError, match=r"127\.0\.0\.1"):
        allowed_addresses("x", 443, Rules(), lambda _h, _p: [public[0], "127.0.0.1"])


def test_a_setting_allows_a_network_but_a_metadata_service_only_by_its_own_address() -> None:
    rules = Rules.of(["10.0.0.0/8", "169.254.0.0/16"])
    assert allowed_addresses("x", 1, rules, lambda _h, _p: ["10.1.2.3"]) == ["10.1.2.3"]
    assert allowed_addresses("x", 1, rules, lambda _h, _p: ["::ffff:10.1.2.3"]) == ["::ffff:10.1.2.3"]
    with pytest.raises(DeliveryRefusedError):
        allowed_addresses("x", 1, rules, lambda _h, _p: ["169.254.169.254"])
    one = Rules.of(["169.254.169.254/32"])
    assert allowed_addresses("x", 1, one, lambda _h, _p: ["169.254.169.254"])


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]"])
def test_no_spelling_of_this_machine_gets_through_the_real_resolver(host: str) -> None:
    with http_receiver() as receiver:
        with pytest.raises(DeliveryError):
            Channels(NoticeSettings(rules=Rules(http=True))).carry(
                message(hook(receiver.port, host=host)), T0_S
            )
        assert receiver.got == []


def test_a_name_that_resolves_to_this_machine_is_refused_and_nothing_is_sent() -> None:
    with http_receiver() as receiver:
        with pytest.raises(DeliveryRefusedError, match=r"hooks\.test: resolves to 127\.0\.0\.1"):
            carry(
                hook(receiver.port, host="hooks.test"),
                settings(allow_http=True),
                {"hooks.test": ["127.0.0.1"]},
            )
        assert receiver.got == []


def test_the_address_that_was_judged_is_the_one_connected_to() -> None:
    """The second answer of a resolver that changes its mind is never asked for."""
    asked: list[str] = []

    def changing(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    with http_receiver() as receiver:
        Channels(settings(**LOCAL), changing).carry(message(hook(receiver.port, host="hooks.test")), T0_S)
        assert len(receiver.got) == len(asked) == 1
        assert receiver.got[0].headers["Host"] == f"hooks.test:{receiver.port}"


def test_plain_http_needs_a_setting() -> None:
    with pytest.raises(DeliveryRefusedError, match="https"):
        carry(hook(80), NoticeSettings())
    with pytest.raises(SettingsError, match="must be https"):
        settings(targets=[{"name": "t", "channel": "webhook", "url": "http://x.test/"}])


def test_the_certificate_must_hold_for_the_name(tmp_path: Path) -> None:
    certificate = certificate_for("hooks.test", tmp_path)
    given = settings(allow_networks=["127.0.0.0/8"], ca_file=str(certificate))
    names = {"hooks.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}
    with http_receiver(certificate=certificate) as receiver:
        carry(hook(receiver.port, host="hooks.test", scheme="https"), given, names)
        assert len(receiver.got) == 1
        with pytest.raises(DeliveryError, match="certificate"):
            carry(hook(receiver.port, host="other.test", scheme="https"), given, names)
        with pytest.raises(DeliveryError, match="certificate"):
            carry(
                hook(receiver.port, host="hooks.test", scheme="https"),
                settings(allow_networks=["127.0.0.0/8"]),
                names,
            )
        assert len(receiver.got) == 1


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with http_receiver() as receiver:
        carry(hook(receiver.port), settings(**LOCAL))
        assert receiver.got[0].path == "/in"


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (302, DeliveryRefusedError, "redirect"),
        (307, DeliveryRefusedError, "redirect"),
        (401, DeliveryRefusedError, "401 Unauthorized"),
        (404, DeliveryRefusedError, "404"),
        (408, DeliveryError, "408"),
        (429, DeliveryError, "429"),
        (500, DeliveryError, "500 Internal Server Error"),
        (503, DeliveryError, "503"),
    ],
)
def test_an_answer_decides_whether_to_try_again(status: int, kind: type[DeliveryError], says: str) -> None:
    with http_receiver() as receiver, http_receiver() as elsewhere:
        receiver.answers = [status]
        receiver.headers = {"Location": f"http://127.0.0.1:{elsewhere.port}/stolen", "Retry-After": "120"}
        with pytest.raises(DeliveryError, match=says) as caught:
            carry(hook(receiver.port), settings(**LOCAL))
        assert type(caught.value) is kind
        assert caught.value.retry_after_s == (120.0 if kind is DeliveryError else 0.0)
        assert elsewhere.got == []


def test_a_server_that_drips_its_answer_is_cut_off() -> None:
    given = settings(**LOCAL)
    given = replace(given, rules=replace(given.rules, limit_s=0.3))
    with http_receiver() as receiver:
        receiver.slow_s = 2.0
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="too long"):
            carry(hook(receiver.port), given)
        assert time.monotonic() - began < 1.0


def test_nobody_there_is_tried_again_and_the_address_path_is_not_in_the_error() -> None:
    target = Target("t", Channel.SLACK, url=f"http://127.0.0.1:{free_port()}/services/T0/SECRET")
    with pytest.raises(DeliveryError, match="does not accept connections") as caught:
        carry(target, settings(**LOCAL))
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in target.masked + repr(target)


# --- forms ------------------------------------------------------------------------------------------------------------


def test_a_signed_webhook_can_be_verified_and_names_its_message() -> None:
    with http_receiver() as receiver:
        secret = "whsec_" + base64.b64encode(b"a key of many bytes").decode()
        carry(hook(receiver.port, secret=secret), settings(base_url="https://twin.test", **LOCAL))
        (got,) = receiver.got
    body = json.loads(got.body)
    assert (body["schema"], body["id"], body["test"]) == (
        "twin.notification/1",
        got.headers["webhook-id"],
        False,
    )
    assert got.headers["Idempotency-Key"] == body["id"]
    signed = f"{body['id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(b"a key of many bytes", signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    (item,) = body["notices"]
    assert item["onset"] == "2026-03-02T10:00:00Z"
    assert item["url"] == "https://twin.test/device?id=PUMP-001&at=2026-03-02T10%3A00%3A00Z"
    assert (item["severity"], item["cause"], item["closed"]) == ("critical", "bearing_wear", None)


def test_an_unsigned_webhook_says_so_by_having_no_signature() -> None:
    with http_receiver() as receiver:
        carry(hook(receiver.port), settings(**LOCAL))
        assert "webhook-signature" not in receiver.got[0].headers


def test_the_text_says_what_where_since_when_how_bad_why_and_what_to_do() -> None:
    target = hook(1)
    letter = letter_of(message(target), "https://twin.test")
    assert letter.subject == "Critical: PUMP-001: Bearing wear"
    assert plain(letter) == (
        "Critical: PUMP-001: Bearing wear\n"
        "Where: Rough-40, Utilities, Basel\n"
        "Since: 2 Mar 2026, 11:00 CET\n"
        "Why: Vibration is 38 % above what the twin expects.\n"
        "What to do: Swap the drive-end bearing.\n"
        "Open: https://twin.test/device?id=PUMP-001&at=2026-03-02T10%3A00%3A00Z\n"
    )
    assert "Open:" not in plain(letter_of(message(target), ""))
    gateway = replace(OPENED, device_id="GW-1", case_id="GW-1|7", is_device=False)
    assert "Open: https://twin.test/alerts?alert=GW-1%7C7\n" in plain(
        letter_of(message(target, gateway), "https://twin.test")
    )


def test_an_end_says_how_long_it_lasted() -> None:
    text = plain(letter_of(message(hook(1), CLOSED), ""))
    assert text.startswith("Over: PUMP-001: Bearing wear\n")
    assert "Since: 2 Mar 2026, 11:00 CET. It lasted 2 h 10 min.\n" in text
    withdrawn = replace(CLOSED, withdrawn=True, closed_s=T0_S)
    assert "lasted" not in plain(letter_of(message(hook(1), withdrawn), ""))


def test_several_notices_of_one_case_are_one_entry_as_it_stands_now() -> None:
    minor = replace(OPENED, severity=Severity.MINOR)
    raised = replace(OPENED, event=NoticeEvent.RAISED, was=Severity.MINOR)
    letter = letter_of(message(hook(1), minor, raised), "")
    assert [e.headline for e in letter.entries] == ["Critical (was minor): PUMP-001: Bearing wear"]


def test_a_digest_counts_the_cases_and_names_the_worst() -> None:
    many = [
        replace(
            OPENED, case_id=f"D{n}|1", device_id=f"D{n}", severity=Severity.MAJOR if n else Severity.CRITICAL
        )
        for n in range(14)
    ]
    letter = letter_of(message(hook(1), *many, is_digest=True), "https://twin.test")
    assert letter.subject == "14 more cases, first Critical: D0: Bearing wear"
    assert len(plain(letter).splitlines()) == 14


HOSTILE = replace(
    OPENED,
    title="<!channel> <script>alert(1)</script>\r\nBcc: thief@x.test",
    text="*bold* & <b>",
    device_id="Größe-測定\nBcc: x@x.test",
)


def test_hostile_text_is_escaped_in_every_form() -> None:
    told = message(hook(1, to=("a@x.test",)), HOSTILE)
    sent = slack(told, "https://twin.test")
    assert "<!channel>" not in json.dumps(sent)
    assert "&lt;!channel&gt;" in sent["text"]
    assert "<script>" not in html(letter_of(told, ""))
    made = mail(told, "", "twin@x.test", T0_S)
    assert made["Bcc"] is None
    assert "\n" not in made["Subject"]
    assert "Größe-測定" in made["Subject"]
    assert webhook(told, "", T0_S)["notices"][0]["device_id"].startswith("Größe-測定")


def test_slack_gets_all_of_it_as_text_and_as_blocks_within_its_limits() -> None:
    many = [replace(OPENED, case_id=f"D{n}|1", device_id=f"D{n}", text="x" * 5000) for n in range(50)]
    sent = slack(message(hook(1), *many), "https://twin.test")
    assert len(sent["blocks"]) <= 50
    assert len(sent["text"]) <= 40_000
    assert all(len(block.get("text", {}).get("text", "")) <= 3000 for block in sent["blocks"])
    one = slack(message(hook(1)), "https://twin.test")
    assert "*Why:* Vibration is 38 % above" in one["text"]
    assert one["blocks"][0]["text"]["text"] == one["text"]


# --- mail -------------------------------------------------------------------------------------------------------------


def mail_settings(port: int, **other: Any) -> NoticeSettings:
    smtp = {"host": "mail.test", "port": port, "sender": "twin@x.test", **other.pop("smtp", {})}
    return settings(smtp=smtp, allow_networks=["127.0.0.0/8"], **other)


TO = Target("t", Channel.EMAIL, to=("ann@x.test", "bob@x.test"))
HERE = {"mail.test": ["127.0.0.1"]}


def test_a_mail_arrives_with_both_parts_over_starttls(tmp_path: Path) -> None:
    certificate = certificate_for("mail.test", tmp_path)
    with smtp_receiver(certificate=certificate) as mailbox:
        carry(TO, mail_settings(mailbox.port, ca_file=str(certificate)), HERE)
    (got,) = mailbox.got
    assert mailbox.to == [["ann@x.test", "bob@x.test"]]
    assert got["Subject"] == "Critical: PUMP-001: Bearing wear"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"].startswith(f"<{message(TO).message_id}@")
    plain_part, html_part = got.get_body(("plain",)), got.get_body(("html",))
    assert plain_part is not None and "What to do: Swap" in plain_part.get_content()
    assert html_part is not None and "<b>Critical: PUMP-001" in html_part.get_content()


def test_without_starttls_nothing_is_mailed_unless_a_setting_allows_it() -> None:
    with smtp_receiver() as mailbox:
        with pytest.raises(DeliveryRefusedError, match="STARTTLS"):
            carry(TO, mail_settings(mailbox.port), HERE)
        assert mailbox.got == []
        with pytest.raises(SettingsError, match="security"):
            mail_settings(mailbox.port, smtp={"security": "none"})
        carry(TO, mail_settings(mailbox.port, smtp={"security": "none"}, allow_http=True), HERE)
        assert len(mailbox.got) == 1


@pytest.mark.parametrize(("answer", "kind"), [("451 later", DeliveryError), ("550 no", DeliveryRefusedError)])
def test_a_mail_servers_code_decides_whether_to_try_again(answer: str, kind: type[DeliveryError]) -> None:
    with smtp_receiver() as mailbox:
        mailbox.refuse = answer
        with pytest.raises(DeliveryError) as caught:
            carry(TO, mail_settings(mailbox.port, smtp={"security": "none"}, allow_http=True), HERE)
        assert type(caught.value) is kind


def test_a_mail_server_on_a_private_address_is_refused() -> None:
    with pytest.raises(DeliveryRefusedError, match="not a public address"):
        carry(TO, settings(smtp={"host": "mail.test", "sender": "t@x.test"}), HERE)


# --- settings ---------------------------------------------------------------------------------------------------------


def test_secrets_come_from_the_environment_and_are_in_no_error_and_no_repr() -> None:
    text = json.dumps(
        {"targets": [{"name": "team", "channel": "slack", "url": "env:SLACK_URL", "least": "critical"}]}
    )
    url = "https://hooks.slack.com/services/T0/B0/SECRET"
    given = NoticeSettings.parsed(text, {"SLACK_URL": url})
    assert given.targets[0].url == url
    assert given.targets[0].masked == "https://hooks.slack.com/…"
    assert "SECRET" not in repr(given)
    with pytest.raises(SettingsError, match="SLACK_URL"):
        NoticeSettings.parsed(text, {})
    with pytest.raises(SettingsError) as caught:
        NoticeSettings.parsed(text, {"SLACK_URL": "ftp://SECRET@host/x"})
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        {"targets": [{"name": "a b", "channel": "log"}]},
        {"targets": [{"name": "a", "channel": "pigeon"}]},
        {"targets": [{"name": "a", "channel": "log"}, {"name": "a", "channel": "log"}]},
        {"targets": [{"name": "a", "channel": "log", "least": "dire"}]},
        {"targets": [{"name": "a", "channel": "log", "most": 0}]},
        {"targets": [{"name": "a", "channel": "email", "to": "a@x.test\nBcc: b@x.test"}]},
        {"targets": [{"name": "a", "channel": "email", "to": "a@x.test"}]},
        {"targets": [{"name": "a", "channel": "webhook", "url": "https://u:p@x.test/"}]},
        {"targets": [{"name": "a", "channel": "webhook", "url": "https://x.test:99999/"}]},
        {"targets": [{"name": "a", "channel": "webhook", "url": "file:///etc/passwd"}]},
        {"smtp": {"host": "x", "sender": "a@x.test", "port": "25"}},
        {"base_url": "javascript:alert(1)"},
        {"allow_networks": ["everything"]},
        {"group_wait_s": -1},
        {"unheard_of": 1},
        [],
    ],
)
def test_malformed_settings_are_refused_when_the_process_starts(document: Any) -> None:
    with pytest.raises(SettingsError):
        NoticeSettings.parsed(json.dumps(document), {})
