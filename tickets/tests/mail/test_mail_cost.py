"""What a mail costs to read, show and file grows with its size, and ends (THREATS 132).

Work is counted in calls, also of C functions, which no busy machine changes. What a single call may cost (a regular
expression, the sorting of accents) is tried with so much that the square of it would never end.
"""

import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from justhtml import stream

from tickets.mail.receiving import (
    embedded,
    handler,
    html_text,
    limits,
    markup,
    mending,
    phrases,
    plain_text,
    quoting,
    winmail,
)  # fmt: skip
from tickets.mail.receiving.authentication import verdict
from tickets.mail.receiving.files import Files
from tickets.mail.receiving.html_events import html_events
from tickets.mail.receiving.limits import MAX_BYTES, MAX_CHARACTERS, MAX_FILES, MAX_LEVELS, TooComplex
from tickets.mail.receiving.markup import MOST_LEVELS, MOST_TAGS, safe_html
from tickets.mail.receiving.parsing import parse
from tickets.mail.receiving.storing import _gist
from tickets.models import Comment, InboundEmail
from tickets.tests import tnef
from tickets.tests.factories import make_ticket

State = InboundEmail.State
CALLS_A_CHARACTER, CALLS_A_LINE = 16, 10
SPACE_FOR_START = 3000


def calls(function, *arguments) -> int:
    """How many functions a call calls."""
    count = 0

    def tally(frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        function(*arguments)
    except TooComplex:
        pass
    finally:
        sys.setprofile(before)
    return count


def html(text: str) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\r\n\r\n" + text.encode()


def plain(text: str) -> bytes:
    return b"Subject: Re: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode()


def flowed(text: str) -> bytes:
    return b"Subject: Re: x\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\n" + text.encode()


def many(part: bytes, count: int = 8, kind: bytes = b"mixed") -> bytes:
    head = b"Content-Type: multipart/%b; boundary=b\r\n\r\n" % kind
    return head + (b"--b\r\n" + part + b"\r\n") * count + b"--b--\r\n"


def nested(mail: bytes, levels: int = MAX_LEVELS - 2) -> bytes:
    for level in range(levels):
        head = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        mail = head + mail + b"\r\n--b%d--\r\n" % level
    return mail


def header(name: str):
    return lambda text: f"{name}: {text.replace(chr(10), ' ')}\r\n\r\nx".encode("utf-8", "replace")


def headers(text: str) -> bytes:
    return (
        b"From: a@b.example\r\n" + b"".join(b"X%d: y\r\n" % number for number in range(len(text))) + b"\r\nx"
    )


def rich_text(text: str) -> bytes:
    return tnef.winmail(tnef.message(tnef.rich(b"{\\rtf1\\fromhtml1 " + text.encode())))


SHELLS = {
    "plain": plain,
    "flowed": flowed,
    "html": html,
    "parts": lambda text: many(html(text)),
    "alternatives": lambda text: many(html(text), kind=b"alternative"),
    "nested": lambda text: nested(plain(text)),
    "attached": lambda text: b"Content-Type: message/rfc822\r\n\r\n" * (MAX_LEVELS - 2) + html(text),
    "uuencoded": lambda text: plain(f"begin 644 a.txt\n{text}"),
    "winmail": lambda text: b"Content-Type: application/ms-tnef\r\n\r\n" + text.encode(),
    "rich text": lambda text: b"Content-Type: application/ms-tnef\r\n\r\n" + rich_text(text),
    "headers": headers,
    **{
        name: header(name)
        for name in (
            "From", "To", "Cc", "Subject", "References", "Date", "Received", "Content-Type",
            "Content-Disposition", "Authentication-Results", "DKIM-Signature", "List-Id", "X-Mailer",
        )
    },
}  # fmt: skip
WORST = [
    "<", "\u2039", "&", "&amp", "<div>", "<blockquote>", "<br>", "<li>", "<td>", "<table><tr><td>x", "<pre>\n",
    "<a href='https://x.example'>", "<a b=c>", "<!--", "<script>", "> a\nb\n", ">", ">\n", "\n", "\r", " ",
    "x \n", "a@b.example, ", "<a@b.example> ", "(", "()", '"', '\\"', "=?utf-8?q?x?= ", "=?utf-8?b?eA==?=",
    "On Mon 1 Ann wrote:\n> x\n", "From: x\nTo: y\n", "-- \n", "Sent from my x\n", "_", ";", ";=", "; a=b", "\0",
    "On 1 <\nann@x.example> wrote:\n", "---- 1 a@b wrote ----\n", "Ann <\n", "a@b.example>:\n", "Date: x\nSubject: y\n",
    "\n\nSent from my iPhone\n", "Von: x\nGesendet: y\nAn: z\n", "12:00 2026 <a@b.example>:\n", "Disclaimer\n> x\n",
    "e\u0301\u0327", "\u202e", "--b\n", "--b0\n", "boundary=", "%00", "=\n",
    "begin 644 x\n", "begin 644 x\n`\nend\n", "#86)C\n", "<img src='data:image/png;base64,AAAA'>", "data:image/",
    "<ol><li>", "<ul><li>x", "<table><tr><td>x<td>y", "<table><td>", "<tr><td><td>", "</table>", "<img alt=x>", "</ol>",
    "<a href='file:x'>", "&nbsp;<p>",
    "{", "{}", r"\u1?", r"\'e4", r"{\*\htmltag1 <p>}", r"\f1 ", r"{\field{\*\fldinst x}{\fldrslt y}}",
]  # fmt: skip


def assert_linear(make, unit: str, count: int) -> None:
    small, large = make(unit * count), make(unit * 2 * count)
    before, after = calls(parse, small), calls(parse, large)
    assert after < 2.2 * before + SPACE_FOR_START, (before, after)


@pytest.mark.parametrize("shell", SHELLS)
def test_twice_the_size_is_twice_the_work(shell):
    for unit in WORST:
        assert_linear(SHELLS[shell], unit, 300)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SHELLS)), st.lists(st.sampled_from(WORST), min_size=1, max_size=4).map("".join))
def test_twice_of_any_mixture_is_twice_the_work(shell, unit):
    assert_linear(SHELLS[shell], unit, 150)


@pytest.mark.parametrize(
    ("shell", "unit"), [("plain", "From: x\n"), ("flowed", "> a\nb\n"), ("html", "<"), ("parts", "<td>x")]
)
def test_what_is_read_of_a_mail_ends(shell, unit):
    """More of it costs no more than to find its lines: 600,000 characters, eight times in what has parts."""
    mail = SHELLS[shell](unit * (2 * MAX_CHARACTERS // len(unit)))
    assert calls(parse, mail) < CALLS_A_CHARACTER * MAX_CHARACTERS + CALLS_A_LINE * mail.count(b"\n")


# The mail of THREATS 132
LARGEST = MAX_BYTES - 200_000
MONSTERS = {
    "eight HTML parts of one character": lambda: many(html("<" * (LARGEST // 8))),
    "eight HTML parts of one letter": lambda: many(html("\u2039" * (LARGEST // 24))),
    "alternating quoted lines": lambda: plain("> a\nb\n" * 250_000),
    "alternating quoted lines, deep": lambda: nested(plain("> a\nb\n" * 250_000)),
    "table cells": lambda: html("<table><tr>" + "<td>x</td>" * 60_000),
    "empty lines": lambda: plain("\n" * 590_000),
    "quoted very deep": lambda: plain(">" * 10_000 + " x\n" + "> y\n" * 100_000),
    "base64 that is none": lambda: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=A=\n" * 500_000,
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", MONSTERS)
def test_largest_mail_is_handled_once_and_holds_up_no_other(name, alice, settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    raw = (
        b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: alice@example.com\r\n"
        + MONSTERS[name]()
    )
    assert len(raw) <= MAX_BYTES
    email = handler.receive(raw, route="command", recipient="support@in.example.com")
    assert email.state in (State.FILED, State.FAILED)
    assert email.attempts == 1
    email.refresh_from_db()
    assert bytes(email.raw) == raw
    ticket = make_ticket(alice)
    next_one = f"From: alice@example.com\r\nIn-Reply-To: <x@y>\r\n\r\nHello {ticket.pk}".encode()
    assert handler.receive(next_one, route="command").state == State.QUARANTINED


@pytest.mark.django_db
def test_cut_mail_says_so_on_its_ticket(alice, settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    head = b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: alice@example.com\r\n"
    body = "Short.\n\nOn Mon 1 Ann <ann@example.com> wrote:\n" + "> old\n" * 100_000
    email = handler.receive(head + plain(body), route="command")
    assert email.ticket.description.endswith("(The email is longer. IT can open the original.)")
    assert not Comment.objects.exists()


def test_all_texts_of_a_mail_share_one_allowance():
    mail = parse(many(plain("word " * 20_000), count=8))
    assert len(mail.text) <= MAX_CHARACTERS
    assert mail.is_cut
    assert not parse(many(plain("word " * 5_000), count=8)).is_cut


def test_html_that_nobody_needs_cuts_no_text():
    """The plain text says it all, also where the HTML stands before it."""
    short, long = b"Content-Type: text/plain\r\n\r\nHello.", html("<p>x" * 200_000)
    for parts in ((short, long), (long, short)):
        raw = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        raw += b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
        mail = parse(raw)
        assert (mail.text, mail.is_cut) == ("Hello.", False)


def test_html_is_not_turned_into_text_where_there_is_plain_text():
    def mail(text: str) -> bytes:
        return many(b"Content-Type: text/plain\r\n\r\nHello.\r\n--b\r\n" + html(text), 1, b"alternative")

    assert calls(parse, mail("<td>x" * 20_000)) < 2 * calls(parse, mail("<td>x"))


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-16", "iso-2022-jp", "gb18030", "shift_jis", "utf-7", "cp1252"]
)
def test_text_is_cut_between_two_characters(charset):
    letter = "é" if charset == "cp1252" else "\u3042"
    content = (letter * 1000).encode(charset)
    for allowed in range(1, 40):
        text, is_cut = plain_text.Allowance(allowed).read(content, charset)
        assert is_cut
        assert set(text) <= {letter}
        assert len(text) <= allowed
    assert plain_text.Allowance(1000).read(content, charset) == (letter * 1000, False)


# Single calls whose square would take hours
MILLION = 1_000_000


@pytest.mark.parametrize(
    "results",
    [
        "x" + "()" * MILLION,
        'x="' + r"\"" * MILLION + "\\",
        "x" + " " * MILLION + "y",
        "=" * MILLION,
        '"' * MILLION,
    ],
)
def test_proof_is_read_in_linear_time(results):
    named = [("Authentication-Results", f"mx.example.net; {results}")]
    assert verdict(named, sender="a@b.example", envelope_sender="", trusted="mx.example.net") == "none"


def test_towers_of_accents_are_cut():
    """To sort them takes the square of their number, here and wherever the text goes."""
    text = parse(plain("Zalgo " + "\u0301\u0327" * 100_000)).text
    assert len(text) < 30
    assert len(unicodedata.normalize("NFD", text)) < 30
    assert parse(header("Subject")("e\u0301\u0327" * 10)).subject
    assert len(parse(header("X-Long")("\u0301\u0327" * 60_000)).headers[0][1]) < 30
    for word in ("Việt Nam", "ภาษาไทย", "עִבְרִית", "नमस्ते", "e\u0301\u0323"):
        assert plain_text.clean(word) == word


def test_flowed_lines_are_joined_in_linear_time():
    lines = "x \n" * MILLION
    assert len(plain_text.unflow(lines, deletes_space=False)) == 2 * MILLION


@pytest.mark.parametrize("line", ["From" + " " * 390, "To" + " " * 390, "*" * 390, "From" + "*" * 390])
def test_spaces_in_quoted_headers_take_linear_time(line):
    """Measured where 400 spaces took 80,000 steps in each of 20,000 lines."""
    assert quoting.new_words("\n".join(["From: x", line] * 20_000), is_answer=True)


@pytest.mark.parametrize(
    "pattern", [name for name in dir(phrases) if isinstance(getattr(phrases, name), re.Pattern)]
)
@pytest.mark.parametrize(
    "piece", [" ", "*", "-", "a", "a@", "<", "1:", "this email ", "sent ", ". ", "http://"]
)
def test_pattern_of_a_language_takes_linear_time(pattern, piece):
    """A line is cut at 400 letters where it is looked at; here it may be a thousand times as long."""
    pattern, line = getattr(phrases, pattern), piece * (400_000 // len(piece))
    pattern.match(line)
    pattern.search(line[:4_000])


def test_history_is_separated_from_pasted_mail_in_linear_work():
    known = quoting.Participants(frozenset({"ann weber", "help@x.example"}), frozenset({"x.example/t"}))

    def work(count: int) -> int:
        text = (
            "Mine.\n"
            + "From: v <v@v.example>\nTo: y\nSent: z\nOn 1.1.2026 11:11 v <v@v.example> wrote:\n" * count
        )
        return calls(lambda: quoting.new_words(text, is_answer=True, participants=known))

    assert work(400) < 2.2 * work(200) + SPACE_FOR_START


@pytest.mark.parametrize(
    "comment", ["<!---->", "<!--x--!>", "<!-->", "<!--->", "-->", "--!>", "a --> b", "<p><!--\n-->", "<!--"]
)
def test_comments_are_read_in_linear_time(comment):
    """Measured where 43,000 comments took six seconds: for each one all that follows was looked through."""

    def texts(read) -> str:
        return "".join(what for event, what in read(f"Hello {comment * 9} you") if event == "text")

    assert texts(html_events) == texts(stream)
    html_text.from_html(comment * 200_000)


@pytest.mark.parametrize("unit", ["\xa0", "\xa0x", "<p>\xa0</p>", '<p title="\xa0\xa0">'])
def test_spaces_that_never_break_are_cleaned_in_linear_time(unit, monkeypatch):
    monkeypatch.setattr(markup, "MOST_CHARACTERS", 2 * MILLION)
    monkeypatch.setattr(markup, "MOST_TAGS", MILLION)
    clean, _is_cut = safe_html(unit * (MILLION // len(unit)))
    assert "\ufdd0" not in clean
    assert safe_html("a\xa0b&nbsp;c") == ("a&nbsp;b&nbsp;c", False)


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("begin 644 a\n`\nend\n", ""),
        ("begin 644 a\n", "begin 644 a\n"),
        ("begin 644 a\n#86)C\n", "begin 644 a\n#86)C\n"),
        ("begin 644 a\n#86)C\nx\n", "begin 644 a\n#86)C\nx\n"),
    ],
)
def test_uuencoded_files_without_content_cost_nothing_more(code, left):
    """Measured where 190,000 empty ones took three seconds: each was given a name."""
    mail = parse(plain(code * 50_000))
    assert (mail.text, mail.files) == ((left * 50_000)[:MAX_CHARACTERS].strip("\n"), ())


def test_escaped_picture_is_read_in_linear_time():
    raw = html(f"<img src='data:image/gif;base64,{'%52' * MILLION}'>")
    (file,) = parse(raw).files
    assert len(file.content) == MILLION * 3 // 4


def test_boundaries_are_those_of_the_expression():
    """To look for their beginnings first is only faster."""

    @settings(deadline=None)
    @given(
        st.lists(st.sampled_from(["--", "-", "b", "\n", "\r\n", "Boundary", "*0*", "=", '"', ";", " "])).map(
            "".join
        )
    )
    def same(text):
        text += " " * limits.FEW * len(text)
        found = [match.span() for match in limits.boundaries(text.encode())]
        assert found == [match.span() for match in limits.BOUNDARY.finditer(text.encode())]

    same()


def test_link_is_looked_for_in_its_own_words_only():
    text = "http://x.example " * 20_000 + "<a href='http://x.example'></a>" * 20_000
    assert html_text.from_html(text).count("(http://x.example)") == 20_000


def test_mails_with_one_message_id_are_compared_in_little_memory():
    assert _gist(b"From: a\r\n\r\n" + b"a " * MILLION) == b"From:a" + b"a" * MILLION


# What is small and comes many times
def test_tags_of_a_mail_end():
    """All its HTML together has so many; what stands behind is left out, and the ticket says so."""
    assert not parse(html("<p>x" * 10_000)).is_cut
    for mail in (html("<p>x" * 20_001), many(html("<p>x" * 4_000), 6)):
        assert parse(mail).is_cut
        assert parse(mail).text.count("x") == 20_000


@pytest.mark.parametrize(
    ("shell", "piece"),
    [
        (html, "<img src='data:image/gif;base64,R0lGODlh'>"),
        (html, "data:image/"),
        (plain, "begin 644 a\n#86)C\n`\nend\n"),
    ],
)
def test_files_within_texts_end(shell, piece):
    """Measured where 600,000 pictures of six bytes took half a minute: each was given a name."""
    much, more = (calls(parse, shell(piece * count)) for count in (40_000, 80_000))
    assert more < much + 40_000 * (5 + CALLS_A_LINE * piece.count("\n"))


def test_charsets_of_a_mail_are_looked_up_a_few_times(monkeypatch):
    """Measured where 1,500,000 unknown names took 50 seconds: Python looks for a module of each."""
    looked_up = []
    monkeypatch.setattr(mending, "codec_of", lambda name: looked_up.append(name) or "utf-8")
    parse(plain("".join(f"charset=x{number} " for number in range(10_000))))
    assert len(looked_up) <= mending.MOST_CHARSETS


def test_pictures_that_html_shows_end():
    names = embedded.references(b"".join(b"cid:%d " % number for number in range(50_000)))
    assert len(names) == embedded.MOST_REFERENCES


# Headers, levels, files
@pytest.mark.parametrize(
    "make",
    [
        lambda: nested(plain("x\n" * 200_000)),
        lambda: plain("--x\n" * (limits.MAX_MARKS + 1)),
        lambda: many(b"X: y\r\n" * 900 + b"\r\nx", 6),
    ],
)
def test_lines_within_levels_marks_and_all_headers_end(make):
    with pytest.raises(TooComplex):
        parse(make())


def test_files_of_an_ordinary_mail_are_not_nested_deep():
    file = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    file += b"QUFB\n" * 400_000
    parts = nested(plain("Hello."), 4) + b"\r\n--c\r\n" + file
    mail = b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" + parts + b"\r\n--c--\r\n"
    assert [len(file.content) for file in parse(mail).files] == [1_200_000]


def test_headers_levels_and_files_end():
    for much in (
        headers("x" * 1001),
        nested(plain("x"), MAX_LEVELS + 1),
        # spelled so that the scan does not see them
        nested(plain("x"), MAX_LEVELS + 1).replace(b"boundary=b", b"boundary*0*=us-ascii''b"),
        b"Content-Type: message/rfc822\r\n\r\n" * (MAX_LEVELS + 1) + b"x",
    ):
        with pytest.raises(TooComplex):
            parse(much)
    assert parse(headers("x" * 900)).sender == "a@b.example"


def test_files_of_a_mail_end(monkeypatch):
    def wrap(count: int) -> None:
        files = [winmail.WrappedFile(f"{number}.txt", b"x%d" % number) for number in range(count)]
        monkeypatch.setattr(winmail, "read", lambda content, budget: winmail.Item(files=files))

    part = b"Content-Type: application/ms-tnef\r\n\r\nx"
    wrap(100)
    assert len(parse(many(part, 1)).files) == 100
    wrap(MAX_FILES + 1)
    with pytest.raises(TooComplex):
        parse(many(part, 1))


def test_same_file_again_is_found_without_comparing_all():
    class Counted(str):
        compared = 0

        def __eq__(self, other):
            Counted.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    files = Files()
    for number in range(MAX_FILES):
        files.add(Counted(f"{number}.txt"), "text/plain", b"same")
    assert Counted.compared < MAX_FILES


# What staff see
@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b class=x>",
        "<table>x<br>",
        "<a href=x><p>",
        "<p><b><i>",
        "</b></p>",
        "<",
        "&amp;",
        "<dd><dt>",
    ],
)
def test_html_in_the_frame_is_in_good_order_and_ends(piece):
    small, large = (calls(safe_html, piece * count) for count in (500, 1000))
    assert large < 2.2 * small + SPACE_FOR_START
    clean, is_cut = safe_html(piece * 100_000)
    assert is_cut or not clean.count("<")
    assert clean.count("<") <= 2 * MOST_TAGS + 2 * MOST_LEVELS


def test_frame_keeps_the_levels_of_ordinary_mail():
    table = "<table><tbody><tr><td>" * 20 + "deep" + "</td></tr></tbody></table>" * 20
    clean, is_cut = safe_html(table)
    assert (clean, is_cut) == (table, False)
    too_deep, _is_cut = safe_html("<div>" * 500 + "words" + "</div>" * 500)
    assert too_deep.count("<div>") == MOST_LEVELS
    assert "words" in too_deep


def test_overlapping_tags_do_not_multiply():
    """Each paragraph would open all bold tags again: 5,000 times 5,000 of them."""
    clean, _is_cut = safe_html("".join(f"<b lang=x{n}>" for n in range(5000)) + "<p>x" * 5000)
    assert clean.count("<b") <= MOST_LEVELS
