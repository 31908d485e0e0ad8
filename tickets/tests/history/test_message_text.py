"""What somebody typed, as the page shows it: line by line, with links, folded quotes, and never markup of theirs."""

import re
import resource
from html.parser import HTMLParser

import pytest
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from tickets.rules.typed import QUOTE, blocks, unquoted
from tickets.templatetags.tickets_text import (
    MAY_HOLD_LINK,
    OutsideUrlizer,
    message_text,
    urlize,
)

REL = 'rel="nofollow noopener ugc"'
ALLOWED = {
    "div": {"dir"}, "pre": {"dir", "tabindex"}, "blockquote": {"dir"}, "details": set(), "summary": set(),
    "a": {"href", "rel"},
}  # fmt: skip
NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "- <svg/onload=alert(1)>",
    "> <iframe src=javascript:alert(1)></iframe>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    'https://example.com/"onmouseover="alert(1)',
    "https://example.com/'onmouseover='alert(1)",
    "https://example.com/<script>alert(1)</script>",
    'mailto:x@example.com"onclick="alert(1)',
    "</p></article><form action=https://evil.example>",
    "{{ 7*7 }} {% debug %} %(x)s {0}",
    "<a href='javascript:alert(1)'>click</a>",
    "<!-- --><style>body{display:none}</style>",
]
NO_LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(document.domain)",
    "javascript://example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "vbscript:example.com",
    "file:///etc/passwd",
    "ftp://example.com/x",
    "tel:+4912345",
    "tel:example.com/",
    "ftp://example.com",
    "JaVaScRiPt:alert(1)//example.com",
    "(javascript://example.com/)",
    "java&#115;cript://example.com/",
    "javascript\u200b://example.com",
    "data:text/html,example.com/",
    "view-source:www.example.com/a.com",
    "//example.com",
    "\\\\example.com",
    "\uff48ttp://example.com",
    "www.javascript:example.com",
    "java\tscript:alert(1)",
]


class Tags(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def links(text: str) -> list[str]:
    return [attrs["href"] for tag, attrs in Tags(message_text(text)).found if tag == "a"]


AS_TYPED = {
    "lines and empty lines": "One\ntwo\n\nThree\n\n\n\nFour",
    "lists": "Please:\n- unplug it\n* wait\n\u2022 ask\n  - twice\n1. Thanks",
    "indents": "  two\n   three\nnone",
    "volts": "> 5 V\n>> and\nless",
    "spaces": "a  b   c.  D ",
}


@pytest.mark.parametrize("text", AS_TYPED.values(), ids=AS_TYPED)
def test_what_was_typed_on_a_page_stays_as_it_is(text):
    assert message_text(text) == f'<div dir="auto">{escape(text)}</div>'


CODE = {
    "four spaces": "    if x:\n        pass",
    "a tab": "\ta\tb\n\n\tc",
    "spaces and a tab": "  \tx",
    "columns": "Name      Room\nAlice     204\nBob       7",
    "values": "Model:  X1\nSerial:  7",
    "tabs": "Name\tRoom\nAlice\t204",
    "bars": "+----+\n| a  |\n+----+",
    "under an indent": "    head\na   b",
}


@pytest.mark.parametrize("text", CODE.values(), ids=CODE)
@pytest.mark.parametrize("source", ["web", "email"])
def test_columns_line_up(text, source):
    pre = f'<pre dir="auto" tabindex="0">{escape(text)}</pre>'
    assert message_text(text, source) == pre
    expected = f'<div dir="auto">Look:\n</div>\n{pre}\n<div dir="auto">Bye</div>'
    assert message_text(f"Look:\n\n{text}\nBye", source) == expected


@pytest.mark.parametrize(
    "text", ["One.  Two\nThree!  Four", "a   b\nwords\nc   d", "a   b", "| only one", "|\n|", "+1\n+2"]
)
def test_what_only_looks_like_columns_is_text(text):
    assert "<pre" not in message_text(text)


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("See https://example.com/a?b=1&c=2.", "https://example.com/a?b=1&c=2"),
        ("(http://example.com/x)", "http://example.com/x"),
        ("Write to help@example.com, please", "mailto:help@example.com"),
        ("- https://example.com/list", "https://example.com/list"),
        ("> https://example.com/quoted", "https://example.com/quoted"),
    ],
)
def test_address_is_a_link_without_rank_or_way_back(text, href):
    assert links(text) == [href]
    assert REL in message_text(text)


@pytest.mark.parametrize("text", NO_LINKS)
def test_other_schemes_are_never_clickable(text):
    assert links(text) == []


@pytest.mark.parametrize(
    "text",
    ["example.com", "www.example.com/a?b=1", "www.example.com:8080/a", "example.org/a:b", "müller.com"],
)
def test_host_alone_is_a_link(text):
    (link,) = links(text)
    assert link.startswith("http://")


@pytest.mark.parametrize("text", NASTY)
def test_markup_of_the_writer_is_only_text(text):
    for tag, attrs in Tags(message_text(text, "email")).found:
        assert set(attrs) <= ALLOWED[tag]
        assert attrs.get("href", "https:").startswith(("https:", "http:", "mailto:"))


def test_quoted_lines_of_a_mail_fold_together():
    text = "I did.\n> Did you\n>> restart it?\n>     twice\n\n> Regards\n\nIt helped."
    assert message_text(text, "email") == (
        '<div dir="auto">I did.</div>\n<details><summary>Show what is quoted</summary>'
        '<blockquote dir="auto">Did you\nrestart it?\n    twice\n\nRegards\n</blockquote></details>\n'
        '<div dir="auto">It helped.</div>'
    )
    for source in ("web", "admin", "import"):
        assert "<details>" not in message_text(text, source)


@pytest.mark.parametrize("text", ["", "\n", " \n ", ">", "> \n>"])
def test_nothing_typed_is_no_error(text):
    assert "None" not in message_text(text)


@pytest.mark.parametrize(
    "piece", ["> ", "- ", "(", "https://example.com/(", "a@", "&", "<", "x@example.com "]
)
def test_long_text_is_shown_soon(piece):
    """THREATS: no text of 20,000 characters makes the page hang."""
    assert message_text(piece * (20_000 // len(piece)))


@pytest.mark.parametrize(
    "text", [*NASTY, *NO_LINKS, 'Just words. No link: none, "really"!', "a.b", "me@x.org"]
)
def test_text_is_searched_for_links_wherever_there_may_be_one(text):
    """What the quick look passes over, the thorough one leaves alone too."""
    if "<a " in urlize(text, autoescape=True):
        assert MAY_HOLD_LINK.search(text)


LINES = st.tuples(
    st.sampled_from(["> ", ">", ">>", "- ", "", " ", "    ", "\t", "| ", "text ", "\xa0"]),
    st.sampled_from(["", "a", "a b", "a  b", "a\tb", "https://a.bc/", "x@y.zz", "<b>", "&lt;", "'", "|"]),
    st.sampled_from(["\n", "\n\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x1c"]),
).map("".join)
TEXTS = st.lists(LINES, max_size=12).map("".join) | st.text(max_size=80)


class Seen(HTMLParser):
    """The text of a page, and that of its elements with a direction of their own."""

    def __init__(self, html: str):
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data):
        self.text += data


@given(TEXTS)
def test_what_is_copied_is_what_was_typed(text):
    """Only empty lines around it are gone, and how lines end."""
    lines = "\n".join(text.splitlines())
    shown = Seen(message_text(text)).text
    assert shown == re.sub(r"\A(?:[^\S\n]*\n)+|(?:\n[^\S\n]*)+\Z", "", lines if lines.strip() else "")


@given(TEXTS)
def test_all_blocks_at_once_are_each_block_for_itself(text):
    """Escaped and searched for links together, they are what they would be alone."""
    for source in ("web", "email"):
        found = [(kind, "\n".join(lines)) for kind, lines in blocks(text, has_quotes=source == "email")]
        html = message_text(text, source)
        for kind, block in found:
            alone = "\n".join(unquoted(line) for line in block.split("\n")) if kind == QUOTE else block
            assert urlize(alone, autoescape=True) in html


@given(TEXTS)
def test_every_text_has_its_own_direction(text):
    for source in ("web", "email"):
        for tag, attrs in Tags(message_text(text, source)).found:
            assert tag not in ("div", "pre", "blockquote") or attrs["dir"] == "auto"


@pytest.mark.parametrize("line", ["- https://example.com/{}\n", "> {}@example.com\n- x\ny\n"])
def test_links_are_looked_for_once_a_message(monkeypatch, line):
    calls, at_once = [], OutsideUrlizer.__call__
    monkeypatch.setattr(
        OutsideUrlizer, "__call__", lambda *args, **kwargs: (calls.append(1), at_once(*args, **kwargs))[1]
    )
    html = message_text("".join(line.format(number) for number in range(500)))
    assert html.count("<a href") == 500
    assert len(calls) == 1


def test_links_take_as_long_however_deep_the_page_is_nested():
    """Counted by the memory that is taken anew: a piece of Python's stack at each call, where it goes wrong."""
    text = " ".join(f"{number}@example.com" for number in range(300))

    def faults(depth: int) -> int:
        if depth:
            return faults(depth - 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        message_text(text)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert max(map(faults, range(300))) < 300
