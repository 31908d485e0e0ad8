"""What somebody typed, as the page shows it: paragraphs, lists, links, folded quotes, and never markup of theirs."""

from html.parser import HTMLParser

import pytest

from tickets.templatetags.tickets_text import MAY_HOLD_LINK, message_text, urlize

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
