"""The doors for Mailgun's posts open to Mailgun, once, and to nobody else (THREATS 93 to 97, 108)."""

import email
import email.policy
import json
import time
from urllib.parse import quote_plus

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from tickets.mail.receiving import form
from tickets.mail.receiving.parsing import parse
from tickets.models import InboundEmail, Notification
from tickets.tests.factories import make_ticket
from tickets.tests.mailgun import WEBHOOK_SECRET, event, signature
from tickets.views import webhooks

pytestmark = pytest.mark.django_db
TRACKING = "/anymail/mailgun/tracking/"
INBOUND = "/anymail/mailgun/inbound/"
RAW = "/anymail/mailgun/inbound_mime/"
HOUR = 3600
MAIL = b"From: alice@example.com\r\nTo: support@in.example.com\r\nSubject: Hi\r\n\r\nCaf\xc3\xa9 \xff\x00\r\n.\n\rEnd"


@pytest.fixture(autouse=True)
def key(settings):
    settings.MAILGUN_WEBHOOK_SECRET = WEBHOOK_SECRET


@pytest.fixture
def mailgun_client():
    """Mailgun sends no cookie and sees no exception of ours."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.fixture
def heard(monkeypatch):
    """The events that passed the door of tracking."""
    events = []
    monkeypatch.setattr("tickets.signals.delivery_events.note", events.append)
    return events


@pytest.fixture
def received(monkeypatch):
    """The mails that passed the door of inbound mail."""
    mails = []
    monkeypatch.setattr(webhooks.handler, "receive", lambda raw, **about: mails.append((raw, about)))
    return mails


def tell(client: Client, post: object) -> int:
    body = post if isinstance(post, bytes) else json.dumps(post)
    return client.post(TRACKING, body, content_type="application/json").status_code


def refusals(caplog) -> list[str]:
    return [record.message for record in caplog.records if record.name == "security"]


def test_event_signed_by_mailgun_is_heard(mailgun_client, heard):
    assert tell(mailgun_client, event("delivered", "<1@example.com>")) == 200
    assert [one.message_id for one in heard] == ["<1@example.com>"]


def test_door_without_a_key_is_no_door(mailgun_client, heard, settings):
    """THREATS 95: an empty key would sign for everybody, and the key of the API signs nothing here."""
    settings.MAILGUN_WEBHOOK_SECRET = ""
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_API_KEY": "api key"}
    for secret in ("", "api key"):
        assert tell(mailgun_client, {**event("delivered", "x"), "signature": signature(secret=secret)}) == 404
    assert mailgun_client.post(INBOUND, signature(secret="")).status_code == 404
    assert not heard


def test_two_keys_are_valid_while_they_are_changed(mailgun_client, heard, settings):
    """THREATS 127: what either signed is taken until the old one is removed."""
    settings.MAILGUN_WEBHOOK_SECRET = "the new key"
    settings.MAILGUN_WEBHOOK_SECRET_FALLBACKS = [WEBHOOK_SECRET]
    for number, secret in enumerate((WEBHOOK_SECRET, "the new key", "another key")):
        post = {**event("delivered", f"<{number}@example.com>"), "signature": signature(secret=secret)}
        assert tell(mailgun_client, post) == (400 if secret == "another key" else 200)
    settings.MAILGUN_WEBHOOK_SECRET_FALLBACKS = []
    post = {**event("delivered", "<9@example.com>"), "signature": signature(secret=WEBHOOK_SECRET)}
    assert tell(mailgun_client, post) == 400
    assert [one.message_id for one in heard] == ["<0@example.com>", "<1@example.com>"]


@pytest.mark.parametrize("first", [WEBHOOK_SECRET, "the new key"])
def test_post_that_both_keys_signed_counts_once(mailgun_client, heard, settings, first):
    """Mailgun tries again for hours, and signs anew."""
    settings.MAILGUN_WEBHOOK_SECRET = "the new key"
    settings.MAILGUN_WEBHOOK_SECRET_FALLBACKS = [WEBHOOK_SECRET]
    post, at = event("delivered", "<1@example.com>"), time.time()
    for secret in (first, WEBHOOK_SECRET, "the new key"):
        assert tell(mailgun_client, {**post, "signature": signature(secret=secret, token="t", at=at)}) == 200
    assert len(heard) == 1


def test_empty_fallback_signs_for_nobody(mailgun_client, heard, settings):
    """THREATS 95."""
    settings.MAILGUN_WEBHOOK_SECRET_FALLBACKS = [""]
    assert tell(mailgun_client, {**event("delivered", "x"), "signature": signature(secret="")}) == 400
    settings.MAILGUN_WEBHOOK_SECRET, settings.MAILGUN_WEBHOOK_SECRET_FALLBACKS = "", [WEBHOOK_SECRET]
    assert tell(mailgun_client, event("delivered", "x")) == 404
    assert not heard


def test_key_of_the_api_opens_nothing(mailgun_client, heard, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_API_KEY": "api key"}
    post = {**event("delivered", "<1@example.com>"), "signature": signature(secret="api key")}
    assert tell(mailgun_client, post) == 400


GOOD = {"event": "delivered", "message": {"headers": {"message-id": "1@example.com"}}}
FORGED = {
    "forged": {"signature": {**signature(), "signature": "0" * 64}},
    "empty key": {"signature": signature(secret="")},
    "signature in capitals": {"signature": {**signature(), "signature": signature()["signature"].upper()}},
    "no signature": {},
    "signature null": {"signature": None},
    "signature a list": {"signature": ["token"]},
    "signature a text": {"signature": "token"},
    "token missing": {"signature": {"timestamp": "1", "signature": "x"}},
    "token a list": {"signature": {**signature(), "token": ["x"]}},
    "token not ASCII": {"signature": signature(token="tökén")},
    "token half a character": {"signature": {**signature(), "token": "\ud800"}},
    "token with NUL": {"signature": signature(token="a\0b")},
    "token empty": {"signature": signature(token="")},
    "token long": {"signature": signature(token="x" * 101)},
    "signature not ASCII": {"signature": {**signature(), "signature": "é" * 64}},
    "time in words": {"signature": {**signature(), "timestamp": "now"}},
    "time in Arabic digits": {"signature": {**signature(), "timestamp": "١٢٣"}},
    "time of long ago": {"signature": signature(at=0)},
}


@pytest.mark.parametrize("post", FORGED.values(), ids=FORGED.keys())
def test_what_mailgun_did_not_sign_is_refused(mailgun_client, heard, unchanged, caplog, post):
    """THREATS 93."""
    with unchanged():
        assert tell(mailgun_client, {"event-data": GOOD, **post}) == 400
    assert len(refusals(caplog)) == 1
    assert not heard


ODD_BODIES = {
    "list": b"[]",
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "nothing": b"",
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "number of a mile": b'{"signature": ' + b"1" * 5000 + b"}",
    "not UTF-8": b'{"signature": "\xff\xfe"}',
    "too large": b'{"x": "' + b"x" * 3_000_000 + b'"}',
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_odd_body_is_refused(mailgun_client, unchanged, caplog, body):
    """THREATS 93."""
    with unchanged():
        assert tell(mailgun_client, body) == 400
    assert len(refusals(caplog)) == 1


ODD_EVENTS = {
    "none": {},
    "null": {"event-data": None},
    "list": {"event-data": ["delivered"]},
    "no event": {"event-data": {"timestamp": 1}},
    "event a list": {"event-data": {**GOOD, "event": []}},
    "time not a number": {"event-data": {**GOOD, "timestamp": float("nan")}},
    "time at the end of all days": {"event-data": {**GOOD, "timestamp": 1e300}},
    "time an object": {"event-data": {**GOOD, "timestamp": {}}},
    "message a text": {"event-data": {**GOOD, "message": "x"}},
    "Message-ID a number": {"event-data": {**GOOD, "message": {"headers": {"message-id": 5}}}},
    "status a list": {"event-data": {**GOOD, "client-info": []}},
}


@pytest.mark.parametrize("post", ODD_EVENTS.values(), ids=ODD_EVENTS.keys())
def test_signed_post_of_another_shape_is_refused(mailgun_client, heard, unchanged, caplog, post):
    with unchanged():
        assert tell(mailgun_client, {"signature": signature(), **post}) == 400
    assert len(refusals(caplog)) == 1
    assert not heard


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/json-x", "é"],
)
def test_other_content_type_is_refused(mailgun_client, caplog, content_type):
    body = json.dumps(event("delivered", "<1@example.com>"))
    assert mailgun_client.post(TRACKING, body, content_type=content_type).status_code == 400
    assert len(refusals(caplog)) == 1


def test_charset_of_the_header_is_utf_8_or_not_said(mailgun_client, heard):
    body = json.dumps(event("delivered", "<1@example.com>"))
    for charset, answer in (("no-such-charset", 400), ("utf-16", 400), ("UTF-8", 200)):
        kind = f"application/json; charset={charset}"
        response = mailgun_client.generic("POST", TRACKING, body, content_type=kind)
        assert response.status_code == answer
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("age", "status"), [(-14 * 60, 200), (-16 * 60, 400), (8.5 * HOUR, 200), (9.5 * HOUR, 400)]
)
def test_signature_holds_as_long_as_mailgun_tries_again(mailgun_client, heard, age, status):
    post = event("delivered", "<1@example.com>")
    post["signature"] = signature(at=time.time() - age)
    assert tell(mailgun_client, post) == status


def test_token_opens_once(mailgun_client, heard):
    post = event("delivered", "<1@example.com>")
    assert [tell(mailgun_client, post) for _time in range(3)] == [200, 200, 200]
    post["event-data"]["event"] = "complained"
    assert tell(mailgun_client, post) == 200
    assert len(heard) == 1


def test_token_opens_once_more_where_the_handler_failed(mailgun_client, monkeypatch):
    """THREATS 108."""
    calls = []

    def fail_twice(event):
        calls.append(event)
        if len(calls) < 3:
            raise RuntimeError("a bug of ours")

    monkeypatch.setattr("tickets.signals.delivery_events.note", fail_twice)
    post = event("delivered", "<1@example.com>")
    assert [tell(mailgun_client, post) for _time in range(4)] == [500, 500, 200, 200]
    assert len(calls) == 3


def test_post_that_is_at_work_elsewhere_comes_again_later(mailgun_client, monkeypatch):
    post = event("delivered", "<1@example.com>")
    inner = []
    monkeypatch.setattr(
        "tickets.signals.delivery_events.note", lambda event: inner.append(tell(mailgun_client, post))
    )
    assert tell(mailgun_client, post) == 200
    assert inner == [409]


def test_cache_that_cannot_be_written_loses_nothing(mailgun_client, heard, monkeypatch):
    """Django's answers False then, as if it held the token."""
    monkeypatch.setattr(type(cache._connections["default"]), "add", lambda *args, **options: False)
    assert tell(mailgun_client, event("delivered", "<1@example.com>")) == 409


def test_webhook_without_database_comes_again(mailgun_client, alice):
    """THREATS 96: 503, and then exactly once."""
    make_ticket(alice)
    Notification.objects.update(message_id="<1@example.com>")
    post = event("delivered", "<1@example.com>")

    def fail(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    with connection.execute_wrapper(fail):
        assert tell(mailgun_client, post) == 503
    assert [tell(mailgun_client, post), tell(mailgun_client, post)] == [200, 200]
    assert Notification.objects.get().state == "delivered"


@pytest.mark.parametrize("verb", ["get", "head", "options", "put", "delete"])
@pytest.mark.parametrize("url", [TRACKING, INBOUND, RAW])
def test_doors_take_posts_only(mailgun_client, url, verb):
    assert getattr(mailgun_client, verb)(url).status_code == 405


# Mail that comes in
def bring(client: Client, mail: bytes | None = MAIL, *, url: str = RAW, **fields) -> int:
    """Posts a mail as multipart, by hand: bytes of any kind, fields in any number."""
    sent = {"sender": "alice@example.com", "recipient": "support@in.example.com", **signature(), **fields}
    parts = [(name, value if isinstance(value, bytes) else value.encode()) for name, value in sent.items()]
    if mail is not None:
        parts.insert(2, ("body-mime", mail))
    return client.post(url, multipart(parts), content_type='multipart/form-data; boundary="b+1"').status_code


def multipart(parts: list[tuple[str, bytes]]) -> bytes:
    """A name may hold more of its header."""
    lines = [
        b'--b+1\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in parts
    ]
    return b"".join(lines) + b"--b+1--\r\n"


def test_raw_mail_passes_byte_by_byte(mailgun_client, received):
    token = "a" * 50
    assert bring(mailgun_client, **signature(token=token)) == 200
    envelope = {"envelope_sender": "alice@example.com", "recipient": "support@in.example.com"}
    assert received == [(MAIL, {"route": "mailgun", "provider_id": token, **envelope})]


def test_urlencoded_mail_passes_byte_by_byte(mailgun_client, received):
    fields = {
        "body-mime": MAIL,
        "sender": "ünal@example.com",
        "recipient": "a+b@in.example.com",
        **signature(),
    }
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())
    kind = "application/x-www-form-urlencoded"
    assert mailgun_client.post(RAW, body, content_type=kind).status_code == 200
    raw, about = received[0]
    assert raw == MAIL
    assert (about["envelope_sender"], about["recipient"]) == ("ünal@example.com", "a+b@in.example.com")


def test_mail_of_25_megabytes_passes_and_other_pages_stay_small(mailgun_client, received, settings):
    mail = b"Subject: large\r\n\r\n" + b"0123456789abcdef" * (25 * 65536)
    assert bring(mailgun_client, mail) == 200
    assert received[0][0] == mail
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE < 3_000_000


def test_post_above_26_megabytes_is_not_read(mailgun_client, received):
    assert bring(mailgun_client, b"x" * (26 * 1024 * 1024)) == 413


def test_mail_opens_once(mailgun_client, received):
    fields = signature()
    assert [bring(mailgun_client, **fields), bring(mailgun_client, b"Another", **fields)] == [200, 200]
    assert [raw for raw, _about in received] == [MAIL]


def test_mail_that_fails_is_brought_again(mailgun_client, monkeypatch):
    """THREATS 108: the handler counts, and at the third time it keeps the mail for people."""
    mails = []

    def receive(raw, **about):
        mails.append(raw)
        if len(mails) < 3:
            raise RuntimeError("a bug of ours")

    monkeypatch.setattr(webhooks.handler, "receive", receive)
    fields = signature()
    assert [bring(mailgun_client, **fields) for _time in range(4)] == [500, 500, 200, 200]
    assert mails == [MAIL] * 3


SIGNED_BY_NOBODY = {name: {"signature": value} for name, value in {"forged": "0" * 64, "none": ""}.items()}


@pytest.mark.parametrize("fields", SIGNED_BY_NOBODY.values(), ids=SIGNED_BY_NOBODY.keys())
@pytest.mark.parametrize("url", [INBOUND, RAW])
def test_mail_that_mailgun_did_not_sign_is_refused(mailgun_client, received, unchanged, caplog, url, fields):
    with unchanged():
        assert bring(mailgun_client, url=url, **fields) == 400
    assert len(refusals(caplog)) == 1
    assert not received


def test_signature_with_bytes_of_any_kind_is_refused(mailgun_client, received):
    for name in ("token", "timestamp", "signature"):
        assert bring(mailgun_client, **{name: b"\xff\x00"}) == 400
        assert bring(mailgun_client, **{name: b"x" * 1_000_000}) == 400


ODD_FORMS = {
    "nothing": ("multipart/form-data; boundary=b", b""),
    "no boundary": ("multipart/form-data", multipart([("a", b"b")])),
    "boundary not ASCII": ("multipart/form-data; boundary=é", b""),
    "another boundary": ("multipart/form-data; boundary=other", multipart([("a", b"b")])),
    "cut off": ('multipart/form-data; boundary="b+1"', multipart([("a", b"b")])[:-10]),
    "no header": ('multipart/form-data; boundary="b+1"', b"--b+1\r\nx\r\n--b+1--"),
    "too many": ('multipart/form-data; boundary="b+1"', multipart([("a", b"b")] * 501)),
    "odd charset": (
        'multipart/form-data; boundary="b+1"',
        multipart([("\"; filename*=no-such''x; x=\"", b"b")]),
    ),
    "too many pairs": ("application/x-www-form-urlencoded", b"a=b&" * 501),
    "JSON": ("application/json", b"{}"),
    "text": ("text/plain", b"body-mime=x"),
}


@pytest.mark.parametrize(("content_type", "body"), ODD_FORMS.values(), ids=ODD_FORMS.keys())
def test_odd_form_is_refused(mailgun_client, received, unchanged, caplog, content_type, body):
    with unchanged():
        assert mailgun_client.post(RAW, body, content_type=content_type).status_code == 400
    assert len(refusals(caplog)) == 1


@pytest.mark.parametrize("url", [INBOUND, RAW])
def test_post_without_a_mail_is_refused(mailgun_client, received, url):
    assert bring(mailgun_client, None, url=url) == 400
    assert bring(mailgun_client, None, url=url, **{"message-headers": "{"}) == 400
    assert bring(mailgun_client, None, url=url, **{"message-headers": "5"}) == 400


PICTURE = b"\x89PNG\r\n\x1a\n\x00\r\n\n\r\xff--b\r\n"
TAKEN_APART = {
    "message-headers": json.dumps(
        [
            ["From", "Ünal <alice@example.com>"],
            ["Message-Id", "<1@example.com>"],
            ["Subject", "Grüße"],
            ["Content-Type", 'multipart/mixed; boundary="x"'],
            ["Content-Transfer-Encoding", "8bit"],
        ]
    ),
    "body-plain": "Schöne Grüße",
    "body-html": "<p>Schöne Grüße</p>",
    "attachment-count": "2",
    'attachment-1"; filename="bild ü.png': PICTURE,
    'attachment-2"; filename="': b"no name",
}


def test_mail_that_mailgun_took_apart_is_put_together(mailgun_client, received):
    assert bring(mailgun_client, None, url=INBOUND, **TAKEN_APART) == 200
    mail = email.message_from_bytes(received[0][0], policy=email.policy.default)
    assert (mail["From"], mail["Message-Id"]) == ("Ünal <alice@example.com>", "<1@example.com>")
    assert mail["Subject"] == "Grüße"
    assert mail.get_body(("plain",)).get_content().strip() == "Schöne Grüße"
    files = list(mail.iter_attachments())
    assert files[0].get_filename() == "bild ü.png"
    assert files[0].get_payload(decode=True) == PICTURE
    assert files[1].get_payload(decode=True) == b"no name"


def taken_apart(**changes) -> dict:
    return {**TAKEN_APART, **{name.replace("_", "-"): value for name, value in changes.items()}}


@pytest.mark.parametrize("name", ["From", "To", "Cc", "Subject", "References", "Content-Type", "X-Other"])
@pytest.mark.parametrize("unit", ['"', "(", "a@b.example, ", "=?utf-8?q?x?= ", "\u00e9", "<"])
def test_long_header_is_left_out_whole(mailgun_client, received, name, unit):
    """Python's grammar of addresses takes the square of it; and a part of it may be another's address."""
    value = "ann@example.com " + unit * 3000
    headers = [["Message-Id", "<1@example.com>"], [name, value[:20_000]]]
    assert bring(mailgun_client, None, url=INBOUND, **taken_apart(message_headers=json.dumps(headers))) == 200
    assert b"ann@example.com" not in received[0][0]
    assert b"<1@example.com>" in received[0][0]


def test_headers_that_are_too_long_together_are_refused(mailgun_client, received):
    headers = json.dumps([["From", '"' * 1900]] * 40)
    assert bring(mailgun_client, None, url=INBOUND, **taken_apart(message_headers=headers)) == 400


def test_attached_message_is_not_taken_apart(mailgun_client, received):
    """Its headers are whatever its sender wrote."""
    inner = b"From: " + b'"' * 50_000 + b"\r\n\r\nHello"
    field = 'attachment-1"; filename="old.eml"\r\nContent-Type: message/rfc822; x="'
    fields = {name: TAKEN_APART[name] for name in ("message-headers", "body-plain", "attachment-count")}
    assert bring(mailgun_client, None, url=INBOUND, **fields, **{field: inner}) == 200
    (file,) = parse(received[0][0]).files
    assert (file.name, file.content) == ("old.eml", inner)


def test_number_of_attachments_is_not_counted_for_ever(mailgun_client, received):
    assert bring(mailgun_client, None, url=INBOUND, **taken_apart(attachment_count="9" * 18)) == 200


@pytest.mark.parametrize("head", [b";" * 9000, b'"' * 9000, b"x" * 9_000_000])
def test_long_head_of_a_field_is_refused_before_it_is_read(head):
    body = b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\nx\r\n--b--"
    with pytest.raises(form.BrokenForm, match="too long"):
        form.parse(body, "multipart/form-data; boundary=b")


@pytest.mark.parametrize("value", [bytes(range(256)), b"a=b&c_d+%41%zz", b"==\r\n=\n= =3D_", b""])
def test_urlencoded_bytes_stay_as_they_are(value):
    field = form.parse(b"a=" + quote_plus(value).encode(), "application/x-www-form-urlencoded").first["a"]
    assert field.read() == value


@pytest.mark.parametrize("value", [b"%", b"%4", b"%zz", b"%%41"])
def test_what_is_not_encoded_is_refused(value):
    field = form.parse(b"a=" + value, "application/x-www-form-urlencoded").first["a"]
    with pytest.raises(form.BrokenForm):
        field.read()


def test_header_of_a_mail_does_not_replace_the_mail(mailgun_client, received):
    """Mailgun adds the headers of a mail that it took apart as fields of their own."""
    fields = {**TAKEN_APART, "body-mime": b"From: boss@example.com\r\n\r\nPay now"}
    assert bring(mailgun_client, None, url=INBOUND, **fields) == 200
    assert b"boss" not in received[0][0]


def test_raw_mail_may_come_to_the_other_address_too(mailgun_client, received):
    assert bring(mailgun_client, url=INBOUND) == 200
    assert received[0][0] == MAIL


def test_mail_is_stored_once_however_often_it_comes(mailgun_client):
    """THREATS 96, 97: with the token of before, with another one, and after the database was away."""
    mail = MAIL.replace(b"Subject", b"Message-ID: <1@example.com>\r\nSubject")

    def fail(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    fields = signature()
    with connection.execute_wrapper(fail):
        assert bring(mailgun_client, mail, **fields) == 503
    assert [bring(mailgun_client, mail, **fields), bring(mailgun_client, mail, **fields)] == [200, 200]
    assert bring(mailgun_client, mail) == 200
    stored = InboundEmail.objects.get()
    assert (bytes(stored.raw), stored.route, stored.provider_id) == (mail, "mailgun", fields["token"])
    assert (stored.envelope_sender, stored.recipient) == ("alice@example.com", "support@in.example.com")


def test_mail_at_which_our_code_fails_is_kept_at_the_third_time(mailgun_client, monkeypatch):
    """THREATS 108."""

    def fail(email):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(webhooks.handler, "_handle", fail)
    fields = signature()
    assert [bring(mailgun_client, **fields) for _time in range(4)] == [500, 500, 200, 200]
    assert (InboundEmail.objects.get().state, InboundEmail.objects.get().attempts) == ("failed", 3)
