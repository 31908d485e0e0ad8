"""What a raw mail says, who it is from and what it is, for each mail in tickets/tests/mail/mails (THREATS 2.6)."""

import random
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.mail.receiving import html_text, plain_text, quoting
from tickets.mail.receiving.authentication import Verdict, verdict
from tickets.mail.receiving.limits import MAX_LEVELS, MAX_PARTS
from tickets.mail.receiving.parsing import Mail, Nature, TooComplex, check_size, parse
from tickets.tests.mail.mails import EXPECTED, FOLDER, raw

READABLE = [name for name, expected in EXPECTED.items() if expected.outcome != "failed:too_complex"]


def test_each_mail_has_a_row_and_each_row_a_mail():
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)
    assert len(EXPECTED) >= 64


@pytest.mark.parametrize("name", READABLE)
def test_mail_says_what_is_new(name):
    mail, expected = parse(raw(name)), EXPECTED[name]
    assert expected.reply in mail.reply
    assert not [words for words in expected.folded if words in mail.reply]
    assert bool(mail.reply.strip()) == bool(mail.text.strip())


@pytest.mark.parametrize("name", READABLE)
def test_mail_brings_its_files(name):
    assert tuple(file.name for file in parse(raw(name)).files) == EXPECTED[name].files


@pytest.mark.parametrize("name", READABLE)
def test_person_and_machine_are_distinguished(name):
    """THREATS 101."""
    mail = parse(raw(name))
    assert mail.nature == EXPECTED[name].nature
    assert bool(mail.why) == (mail.nature != Nature.HUMAN)


@pytest.mark.parametrize("name", READABLE)
def test_sender_is_believed_only_with_proof(name):
    """THREATS 98."""
    mail = parse(raw(name))
    said = verdict(
        list(mail.headers), sender=mail.sender, envelope_sender=mail.sender, trusted="mx.example.net"
    )
    assert said == EXPECTED[name].verdict


@pytest.mark.parametrize("name", [name for name in EXPECTED if name not in READABLE])
def test_mail_with_too_much_in_it_is_not_opened(name):
    with pytest.raises(TooComplex):
        check_size(raw(name))


@pytest.mark.parametrize("name", READABLE)
def test_lines_and_letters_are_clean(name):
    mail = parse(raw(name))
    for text in (mail.subject, mail.sender_name, *(file.name for file in mail.files)):
        assert len(text.splitlines()) <= 1
        assert not set(plain_text.DIRECTIONS).intersection(text)
    for text in (mail.text, mail.reply, mail.subject, mail.html):
        assert "\0" not in text
        text.encode()


def test_same_bytes_under_two_names_are_two_files():
    part = b"--b\r\nContent-Disposition: attachment; filename=%b\r\n\r\nsame\r\n"
    parts = b"".join(part % name for name in (b"a.txt", b"b.txt", b"a.txt"))
    mail = parse(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n")
    assert [file.name for file in mail.files] == ["a.txt", "b.txt"]


def test_headers_are_read():
    mail = parse(raw("gmail_web"))
    assert mail.sender == "alice@example.com"
    assert mail.sender_name == "Alice Moreau"
    assert mail.subject == "Re: [#7] The printer on floor 2 is silent"
    assert mail.sent_at == datetime(2026, 11, 20, 9, 15, tzinfo=UTC)
    assert mail.recipients == ("support+7.0123456789abcdef0123@in.example.com",)
    assert mail.references == ("<ticket-7@in.example.com>", "<ticket-7.1@in.example.com>")
    assert mail.message_id.endswith("@example.com>")
    assert "gmail_quote" in mail.html


def test_parameters_that_the_library_stumbles_over_are_absent():
    head = b"Content-Type: multipart/mixed; boundary*1=b; boundary*=c; boundary*0=d\r\n"
    assert parse(head + b"\r\n--b\r\n\r\nwords\r\n--b--\r\n").text == "--b\n\nwords\n--b--"


def test_what_is_absent_is_empty():
    mail = parse(b"")
    assert (mail.sender, mail.message_id, mail.subject, mail.text, mail.reply) == ("", "", "", "", "")
    assert mail.sent_at is None
    assert parse(raw("no_message_id")).message_id == ""
    assert parse(raw("bad_date")).sent_at is None


def test_subjects_are_decoded_to_one_short_line():
    assert parse(raw("emoji_subject")).subject == "🖨️ printer is on fire"
    assert parse(raw("japanese_iso_2022_jp")).subject == "Re: プリンター"
    assert parse(raw("raw_bytes_in_headers")).subject == "Clé perdue"
    assert parse(raw("hostile_header_injection")).subject == "Hello Bcc: victim@other.example Body"
    assert len(parse(b"Subject: " + b"x" * 900 + b"\r\n\r\n").subject) == 150


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("Alice <Alice@Example.COM>", "Alice", "alice@example.com"),
        ("alice@example.com (Alice Moreau)", "Alice Moreau", "alice@example.com"),
        ('"Moreau, Alice" <alice@example.com>', "Moreau, Alice", "alice@example.com"),
        ("Moreau, Alice <alice@example.com>", "Moreau, Alice", "alice@example.com"),
        ('"<mallory@evil.example>" <alice@example.com>', "<mallory@evil.example>", "alice@example.com"),
        ("=?utf-8?q?Ren=C3=A9=2C_=3Ca=40b=2Ec=3E?= <r@example.com>", "René, <a@b.c>", "r@example.com"),
        ("alice@example.com <mallory@evil.example>", "alice@example.com", "mallory@evil.example"),
        ("alice@example.com, bob@example.com", "", ""),
        ("Alice <alice@example.com> <mallory@evil.example>", "Alice", ""),
        ("alice@example.com\0.evil.example", "", ""),
        ("alice@example.com)mallory@evil.example", "", ""),
        ("alice@[127.0.0.1]", "", ""),
        ("a@b@example.com", "", ""),
        ("Friends: alice@example.com, bob@example.com;", "", ""),
        ("(" * 50_000 + "alice@example.com", "", ""),
    ],
)
def test_sender_is_one_address_or_none(value, name, address):
    mail = parse(f"From: {value}\r\n\r\nx".encode())
    assert mail.sender == address
    assert not address or mail.sender_name == name


def test_recipients_end_at_100():
    """THREATS 106."""
    recipients = parse(raw("hostile_500_copies")).recipients
    assert len(recipients) == 100
    assert "support@in.example.com" in recipients


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p class=MsoNormal>one</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two<br>three</div><div><br></div>four", "one\ntwo\nthree\n\nfour"),
        ("a <b>bold</b>\n  word<i>s</i>", "a bold words"),
        ("<pre>x\n  y</pre>z", "x\n  y\n\nz"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n>\n>> b\n>>\nc"),
        ("<a href='https://x.example/'>https://x.example</a>", "https://x.example"),
        ("<a href='javascript:alert(1)'>here</a>", "here"),
        ("<title>no</title><style>no</style><script>no</script><template>no</template>yes", "yes"),
        ("1 &lt; 2 &amp; 3 &#0; &#xd800;", "1 < 2 & 3 \ufffd \ufffd"),
        ("<p>never closed <b>tags", "never closed tags"),
    ],
)
def test_html_becomes_plain_text(html, text):
    assert html_text.from_html(html) == text


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (b"\x93quoted\x94", "us-ascii", "“quoted”"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Zażółć".encode("iso-8859-2"), "ISO-8859-2", "Zażółć"),
        ("한국".encode("cp949"), "ks_c_5601-1987", "한국"),
        ("\ufeffmark".encode("utf-16"), "utf-16", "mark"),
        (b"a\xffb", "utf-8", "aÿb"),
        (b"5f", "hex", "5f"),
        (b"a\r\nb\rc\0", "punycode", "a\nb\nc"),
    ],
)
def test_bytes_become_text(content, charset, text):
    assert plain_text.decode(content, charset) == text


def test_soft_line_breaks_are_joined():
    flowed = "one \ntwo\n> three \n> four\n>> five\n-- \nAlice \nRoom"
    text = "one two\n> three four\n>> five\n-- \nAlice Room"
    assert plain_text.unflow(flowed, deletes_space=False) == text


@pytest.mark.parametrize(
    ("headers", "nature"),
    [
        ("X-Auto-Response-Suppress: None", Nature.HUMAN),
        ("X-Auto-Response-Suppress: DR, RN, NRN", Nature.HUMAN),
        ("X-Auto-Response-Suppress: OOF", Nature.AUTOMATIC),
        ("Auto-Submitted: no", Nature.HUMAN),
        ("Auto-Submitted: auto-notified", Nature.AUTOMATIC),
        ("Precedence: first-class", Nature.HUMAN),
        ("Subject: Automatic reply: away", Nature.HUMAN),
        ("From: No Reply <no_reply+7@shop.example>", Nature.AUTOMATIC),
        ("From: Noreen Plyford <noreen@example.com>", Nature.HUMAN),
        ("Return-Path: <>", Nature.AUTOMATIC),
        ("List-Unsubscribe: <mailto:u@shop.example>", Nature.LIST),
        ("X-Apple-Action: VACATION", Nature.AUTOMATIC),
        ("X-Apple-Action: MOVE-TO-FOLDER", Nature.HUMAN),
    ],
)
def test_nature_of_doubtful_headers(headers, nature):
    assert parse(f"{headers}\r\n\r\nHello".encode()).nature == nature


@pytest.mark.parametrize(
    "prefix",
    [
        "Automatic reply", "Auto reply", "Out of office", "Out of Office AutoReply", "Automatische Antwort",
        "Abwesenheitsnotiz", "Réponse automatique", "Absence du bureau", "Respuesta automática",
        "Fuera de la oficina", "Risposta automatica", "Fuori sede", "Resposta automática",
        "Automatisch antwoord", "Afwezig", "Odpowiedź automatyczna", "Autosvar", "Automatiskt svar",
        "Automatisk svar", "Fravær", "Automaattinen vastaus", "Poissa", "Automatická odpověď",
        "Automatikus válasz", "Răspuns automat", "Otomatik Yanıt", "Αυτόματη απάντηση", "תשובה אוטומטית",
        "자동 회신", "Автоматична відповідь", "Автоматический ответ", "自動応答", "自动答复", "رد تلقائي",
    ],
)  # fmt: skip
def test_absence_note_without_headers_is_a_machines(prefix):
    answer = f"Subject: {prefix}: Printer\r\nIn-Reply-To: <n1@mg.example.com>\r\n\r\n"
    assert parse(f"{answer}I am away until Monday.".encode()).nature == Nature.AUTOMATIC
    assert parse(f"Subject: {prefix}: [#7] Printer\r\n\r\nAway.".encode()).nature == Nature.AUTOMATIC
    for human in (
        f"Subject: {prefix}: how do I set one?\r\n\r\nPlease help.",
        f"Subject: Re: {prefix}: Printer\r\nIn-Reply-To: <n1@mg.example.com>\r\n\r\nThen call Bob.",
        answer + "It is longer than any note. " * 200,
    ):
        assert parse(human.encode()).nature == Nature.HUMAN


@pytest.mark.parametrize(
    "subject",
    [
        "Out of Office Re: [#7] Printer", "Out of office - [#7] Printer", "[Auto-Reply] [#7] Printer",
        "Abwesenheitsnotiz Re: [#7] Printer", "Urlaub: Re: [#7] Printer", "On holiday: Re: [#7] Printer",
        "Automaatvastus: [#7] Printer", "Samodejni odgovor: [#7] Printer", "Аутоматски одговор: [#7] Printer",
    ],
)  # fmt: skip
def test_absence_note_before_our_own_subject_is_a_machines(subject):
    assert parse(f"Subject: {subject}\r\n\r\nI am away.".encode()).nature == Nature.AUTOMATIC


@pytest.mark.parametrize(
    "subject",
    ["Urlaub: how do I file it?", "Absence: the form is broken", "Vacation", "Automatic replies do not work"],
)
def test_answer_about_an_absence_is_a_persons(subject):
    answer = f"Subject: {subject}\r\nIn-Reply-To: <n1@mg.example.com>\r\n\r\nPlease help."
    assert parse(answer.encode()).nature == Nature.HUMAN


MAILGUN = [
    ("X-Mailgun-Spf", "Pass"),
    ("X-Mailgun-Dkim-Check-Result", "Pass"),
    ("Received", "from mail.example.com by mxa.mailgun.org"),
    ("DKIM-Signature", "v=1; a=rsa-sha256; d=example.com; s=k1; b=xyz"),
]


@pytest.mark.parametrize(
    ("headers", "envelope_sender", "expected"),
    [
        (MAILGUN, "bounce@mailer.example", Verdict.PASS),
        (MAILGUN[:1], "alice@example.com", Verdict.PASS),
        (MAILGUN[:1], "mallory@evil.example", Verdict.NONE),
        ([("X-Mailgun-Spf", "SoftFail"), *MAILGUN[1:]], "alice@example.com", Verdict.PASS),
        ([("X-Mailgun-Spf", "Fail")], "alice@example.com", Verdict.FAIL),
        ([("X-Mailgun-Spf", "Neutral")], "alice@example.com", Verdict.NONE),
        # The sender's own headers stand below Mailgun's.
        ([("X-Mailgun-Spf", "Fail"), ("X-Mailgun-Spf", "Pass")], "alice@example.com", Verdict.FAIL),
        ([MAILGUN[2], *MAILGUN], "alice@example.com", Verdict.NONE),
        # Mailgun does not say which of the signatures it means.
        ([*MAILGUN[1:], ("DKIM-Signature", "d=evil.example")], "bounce@mailer.example", Verdict.NONE),
        ([*MAILGUN[1:], ("DKIM-Signature", "v=1; s=k1")], "bounce@mailer.example", Verdict.NONE),
        (
            [*MAILGUN[1:], ("DKIM-Signature", "d=example.com; d=evil.example")],
            "b@mailer.example",
            Verdict.NONE,
        ),
    ],
)
def test_verdict_of_mailgun(headers, envelope_sender, expected):
    said = verdict(headers, sender="alice@example.com", envelope_sender=envelope_sender, trusted="mailgun")
    assert said == expected


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["mx.example.net; dkim=pass header.d=mail.example.com"], Verdict.PASS),
        (["mx.example.net; dkim=pass header.i=@example.com"], Verdict.PASS),
        (["mx.example.net; dkim=pass header.d=notexample.com"], Verdict.NONE),
        (["mx.example.net; dkim=pass header.d=com"], Verdict.NONE),
        (["mx.example.net; dmarc=pass header.from=evil.example"], Verdict.FAIL),
        (["mx.example.net; spf=fail smtp.mailfrom=example.com"], Verdict.FAIL),
        (["mx.example.net; spf=fail smtp.mailfrom=a.example; dkim=pass header.d=example.com"], Verdict.PASS),
        (["mx.example.net; spf=none", "mx.example.net; dkim=pass header.d=example.com"], Verdict.PASS),
        (["mx.example.net (mx.example.net; dmarc=fail) 1; dmarc = pass"], Verdict.PASS),
        (["evil.example; x=(mx.example.net); dmarc=pass", "mx.example.net; dmarc=pass"], Verdict.NONE),
        (["mx.example.net; none"], Verdict.NONE),
        (["mx.example.net.evil.example; dmarc=pass"], Verdict.NONE),
        (["", ";;==;=", "mx.example.net; dmarc=pass"], Verdict.NONE),
        (['mx.example.net; x="' + r"\"" * 100_000], Verdict.NONE),  # in linear time
        # Servers repeat the envelope's sender, which may be anything between quotes.
        (['mx.example.net; spf=pass smtp.mailfrom="x; dmarc=pass y"@evil.example'], Verdict.NONE),
        (
            ['mx.example.net; spf=pass (of "x) ; dmarc=pass (y"@evil.example) smtp.helo=e.example'],
            Verdict.NONE,
        ),
        (['mx.example.net; dmarc=fail "x; dmarc=pass y"', "mx.example.net; dmarc=pass"], Verdict.FAIL),
        (["mx.example.net; spf=pass smtp.mailfrom=x;dmarc=pass;y@evil.example; dmarc=fail"], Verdict.FAIL),
    ],
)
def test_verdict_of_authentication_results(results, expected):
    headers = [("Authentication-Results", value) for value in results]
    said = verdict(headers, sender="alice@example.com", envelope_sender="", trusted="mx.example.net")
    assert said == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "DKIM-Signature: v=1; h=" + "from:" * 1000 + "; d=evil.example",
        "X-Filling: 1\n" * 200 + "DKIM-Signature: v=1; d=evil.example",
        "DKIM-Signature: v=1; x==?utf-8?b?OyBkPWV4YW1wbGUuY29tOyA=;d=evil.example;?=",
    ],
)
def test_signature_of_another_can_not_be_hidden_from_us(hidden):
    """Mailgun checks it all the same, and says that it holds."""
    lines = [*(": ".join(header) for header in MAILGUN), hidden, "From: alice@example.com", "", "Hello"]
    headers = parse("\n".join(lines).encode()).headers
    said = verdict(headers, sender="alice@example.com", envelope_sender="m@evil.example", trusted="mailgun")
    assert said == Verdict.NONE


def test_encoded_words_prove_nothing():
    results = "mx.example.net; spf=pass smtp.mailfrom==?utf-8?q?=3B_dmarc=3Dpass_x?=@evil.example"
    headers = parse(f"Authentication-Results: {results}\nFrom: alice@example.com\n\nHello".encode()).headers
    said = verdict(headers, sender="alice@example.com", envelope_sender="", trusted="mx.example.net")
    assert said == Verdict.NONE


def test_nothing_is_believed_where_nothing_is_trusted():
    headers = [("Authentication-Results", "mx.example.net; dmarc=pass"), *MAILGUN]
    said = verdict(headers, sender="alice@example.com", envelope_sender="alice@example.com", trusted="")
    assert said == Verdict.NONE


def nested(levels: int) -> bytes:
    message = b"Content-Type: text/plain\r\n\r\ndeep\r\n"
    for level in range(levels):
        boundary = b"b%d" % level
        message = b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n%b--%b--\r\n" % (
            boundary,
            boundary,
            message,
            boundary,
        )
    return message


def wide(parts: int, head: bytes = b'boundary="b"') -> bytes:
    start = b"Content-Type: multipart/mixed; " + head + b"\r\n\r\n"
    return start + b"--b\r\n\r\nx\r\n" * parts + b"--b--\r\n"


def test_parts_and_levels_up_to_the_limit_are_opened():
    assert parse(nested(MAX_LEVELS - 1)).text == "deep"
    assert parse(wide(MAX_PARTS)).text.count("x") == MAX_PARTS
    for much in (nested(MAX_LEVELS + 1), wide(MAX_PARTS + 1), b"\n" * 700_000, b"x" * (27 << 20)):
        with pytest.raises(TooComplex):
            check_size(much)


def test_boundaries_that_the_scan_does_not_know_are_counted_too():
    with pytest.raises(TooComplex):
        parse(wide(1000, b"boundary*1=\"\"; boundary*0*=us-ascii''%62"))
    chain = b"Content-Type: message/rfc822\r\n\r\n" * 150
    with pytest.raises(TooComplex):
        parse(chain + b"x")


def test_lines_that_only_look_like_boundaries_do_not_count():
    check_size(b"Subject: x\r\n\r\n" + b"--\r\n-- \r\n--------\r\n" * 1000)
    check_size(b"Subject: x\r\n\r\n" + b"boundary=a\r\n" * 1000)


def steps(function, *arguments) -> int:
    """How many lines of Python a call runs: work that no busy machine changes."""
    count = 0

    def trace(frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return count


def answer_steps(text: str) -> int:
    return steps(lambda: quoting.new_words(text, is_answer=True))


@pytest.mark.parametrize(
    "line",
    [
        ">",
        ">\n",
        "> x\ny\n",
        "On Mon, 1 Jan 2026 Ann <a@b.example> wrote:\n",
        "On Mon 1 wrote ",
        "On x\n",
        "From: x\n",
        "-- \n",
        "Sent from my iPhone\n",
        "a:\n>\n",
        "-----Original Message-----",
        "_",
    ],
)
def test_folding_takes_linear_work(line):
    small, large = (answer_steps(line * count) for count in (300, 3000))
    assert large < 13 * small + 500


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<blockquote>",
        "<a href='http://x.example'>",
        "<",
        "<!--",
        "<table><tr><td>",
        "&amp",
        "<pre>\n",
    ],
)
def test_html_takes_linear_work(piece):
    small, large = (steps(html_text.from_html, piece * count) for count in (200, 2000))
    assert large < 13 * small + 500


@pytest.mark.parametrize(
    "line", [">", "On Mon, 1 Jan 2026 Ann wrote: ", ">\n", "On Mon 1\nwrote:\n", '"', "(", "=?"]
)
def test_a_megabyte_of_one_thing_is_read(line):
    text = line * (1_000_000 // len(line))
    mail = parse(b"Subject: Re: x\r\n\r\n" + text[:1_000_000].encode())
    assert mail.reply
    for header in ("From", "To", "Content-Type", "Subject", "Authentication-Results", "Date", "References"):
        value = text.replace("\n", "")[:200_000]
        assert isinstance(parse(f"{header}: {value}\r\n\r\nx".encode()), Mail)


CORPUS = [raw(name) for name in EXPECTED if name in READABLE]
HEADERS = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: text/html; charset=\xff\xfe\r\n",
        b"Content-Type: text/plain; charset*=x'y'z; name*0*=%\r\n",
        b"Content-Type: application/ms-tnef\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: attachment; filename*999999999999999999999=x\r\n",
        b"Date: Thu, 1 Jan 99999999999 00:00:00 +99999999\r\n",
        b"From: =?utf-8?b?/////?= <\xe2\x80\xae@x>\r\n",
        b"Subject: =?zip?q?=00?= =?idna?b?eA==?= =?undefined?q?x?=\r\n",
        b"Content-Type: multipart/mixed; boundary*1=b; boundary*=c; boundary*0=d\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"\r\n",
    ]
)


@st.composite
def mutated(draw) -> bytes:
    mail = bytearray(draw(st.sampled_from(CORPUS)))
    chance = random.Random(draw(st.integers()))
    for _number in range(draw(st.integers(1, 30))):
        at = chance.randrange(len(mail))
        kind = chance.randrange(4)
        if kind == 0:
            mail[at] = chance.randrange(256)
        elif kind == 1:
            del mail[at : at + chance.randrange(60)]
        elif kind == 2:
            mail[at:at] = chance.randbytes(chance.randrange(20))
        else:
            mail[at:at] = draw(HEADERS)
        mail = mail or bytearray(b"x")
    return bytes(mail)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.one_of(mutated(), st.binary(max_size=400), st.lists(HEADERS | st.binary(max_size=30)).map(b"".join))
)
def test_parse_raises_nothing_but_too_complex(mail):
    """THREATS 105."""
    try:
        parsed = parse(mail)
    except TooComplex:
        return
    assert bool(parsed.reply.strip()) == bool(parsed.text.strip())
    said = verdict(list(parsed.headers), sender=parsed.sender, envelope_sender="", trusted="mx.example.net")
    assert said in Verdict
    for text in (parsed.text, parsed.subject, parsed.sender, parsed.why, parsed.html, *parsed.recipients):
        assert "\0" not in text
        text.encode()
