"""What somebody typed, as the page shows it: paragraphs, lists, links, folded quotes, and never markup of theirs."""

import resource
from html.parser import HTMLParser
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.templatetags.tickets_text import (
    BULLET,
    MAY_HOLD_LINK,
    OutsideUrlizer,
    message_text,
    plain_text,
    urlize,
)

REL = 'rel="nofollow noopener ugc"'
TAGS = {"p", "br", "ul", "li", "a", "details", "summary", "blockquote"}
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


def test_empty_line_begins_a_paragraph_and_a_line_stays_a_line():
    assert message_text("One\ntwo\n\nThree") == "<p>One<br>two</p>\n\n<p>Three</p>"


@pytest.mark.parametrize("bullet", ["-", "*", "•"])
def test_lines_with_a_bullet_are_a_list(bullet):
    text = f"Please:\n{bullet} unplug it\n{bullet} wait\nThanks"
    assert message_text(text) == (
        "<p>Please:</p><ul><li><p>unplug it</p></li><li><p>wait</p></li></ul><p>Thanks</p>"
    )


@pytest.mark.parametrize("text", ["-5 degrees", "*really* so", "--", "-", "- ", "*  \t ", "- \n• "])
def test_what_only_looks_like_a_bullet_is_text(text):
    assert "<li>" not in message_text(text)


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
    for tag, attrs in Tags(message_text(text)).found:
        assert tag in TAGS
        assert set(attrs) <= ({"href", "rel"} if tag == "a" else set())
        assert attrs.get("href", "https:").startswith(("https:", "http:", "mailto:"))


def test_quoted_lines_fold_together():
    html = message_text("I did.\n> Did you\n>> restart it?\n> Regards\nIt helped.")
    assert html.count("<details>") == 1
    assert "<summary>Show what is quoted</summary>" in html
    assert "<blockquote><p>Did you<br>restart it?<br>Regards</p></blockquote>" in html
    assert html.startswith("<p>I did.</p>")
    assert html.endswith("<p>It helped.</p>")


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


# Line by line it is the same as at once
KINDS = ["> ", ">", ">>", "- ", "* ", "• ", "-", "", " ", "text ", "\xa0"]
WORDS = [
    "",
    "a",
    "a b",
    "https://a.bc/",
    "x@y.zz",
    "www.x.com.",
    '<b class="x">',
    "&lt;",
    "(",
    "'",
    ".",
    "\t",
]
ENDS = ["\n", "\n\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x1c"]
LINES = st.tuples(*map(st.sampled_from, (KINDS, WORDS, ENDS))).map("".join)


def one_block_after_the_other(text: str) -> str:
    """message_text() as it is meant: each line looked at for itself, each block made for itself."""

    def kind(line: str) -> str:
        return "quote" if line.startswith(">") else "list" if BULLET.match(line) else "text"

    def block(kind: str, lines: list[str]) -> str:
        if kind == "quote":
            quoted = plain_text("\n".join(line.lstrip("> ") for line in lines))
            return (
                f"<details><summary>Show what is quoted</summary><blockquote>{quoted}</blockquote></details>"
            )
        if kind == "list":
            items = (plain_text(BULLET.sub("", line, count=1)) for line in lines)
            return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
        words = "\n".join(lines).strip("\n")
        return plain_text(words) if words.strip() else ""

    return "".join(block(kind, list(run)) for kind, run in groupby(text.splitlines(), key=kind))


@given(st.lists(LINES, max_size=12).map("".join) | st.text(max_size=80))
def test_all_blocks_at_once_are_each_block_for_itself(text):
    assert message_text(text) == one_block_after_the_other(text)


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
