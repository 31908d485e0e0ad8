"""HTML that no plain text accompanies is read as a person would: tables, lists, links, pictures."""

import pytest

from tickets.mail.receiving.html_text import from_html

OUTLOOK = (
    "<table class=MsoNormalTable><tr><td><p class=MsoNormal>Room</p></td><td><p class=MsoNormal>Printer</p>"
    "</td></tr>\r\n<tr><td><p class=MsoNormal>12</p></td><td><p class=MsoNormal>HP</p></td></tr></table>"
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (OUTLOOK, "Room | Printer\n12 | HP"),
        ("<table><thead><tr><th>a<th>b<tbody><tr><td>1<td>2</table>", "a | b\n1 | 2"),
        (
            "<table><tr><td></td><th>Mon</th><th>Tue</th></tr><tr><td>12</td><td></td><td>x</td></tr></table>",
            "| Mon | Tue\n12 | | x",
        ),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>d</td></tr></table>", "a | b\n| d"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>&nbsp;</td></tr></table>", "a | b\nc"),
        (
            "<p>x</p><table><tr><td>key</td><td>one<br>two</td></tr></table><p>y</p>",
            "x\n\nkey | one two\n\ny",
        ),
        ("<blockquote><table><tr><td>a</td><td>b</td></tr></table></blockquote>", "> a | b"),
        ("<ol><li><table><tr><td>a</td><td>b</td></tr></table></ol>", "1. a | b"),
        ("<table><caption>Rooms</caption><tr><td>a</td><td>b</td></tr></table>", "Rooms\na | b"),
        (
            "<table><tr><td colspan=2>Rooms</td></tr><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
            "Rooms\na | b\nc | d",
        ),
        ("<table><tr><td>never<td>closed", "never | closed"),
    ],
)
def test_rows_of_a_table_are_lines(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        # one cell a row
        ("<table><tr><td>Dear Ann,</td></tr><tr><td><p>one</p><p>two</p></td></tr></table>", "Dear Ann,\n\none\n\ntwo"),
        # a wrapper, with what keeps a distance
        ("<table><tr><td width=20>&nbsp;</td><td><table><tr><td>Hello</td></tr></table></td></tr></table>", "Hello"),
        ("<table><tr><td width=20></td><td>Hello</td><td width=20></td></tr></table>", "Hello"),
        # columns of a page
        (
            "<table><tr><td><h2>Chairs</h2><p>Half the price.</p></td><td><h2>Lamps</h2><p>All.</p></td></tr></table>",
            "Chairs\n\nHalf the price.\n\nLamps\n\nAll.",
        ),
        (f"<table><tr><td>{'word ' * 100}</td><td>b</td></tr></table>", f"{'word ' * 99}word\nb"),
        ("<table><tr><td>1<br>2<br>3<br>4</td><td>b</td></tr></table>", "1\n2\n3\n4\nb"),
        ("<table role=presentation><tr><td>✓</td><td>Free</td></tr></table>", "✓ Free"),
        (f"<table><tr><td>{OUTLOOK}</td></tr></table>", "Room | Printer\n12 | HP"),
        (f"<table><tr><td>a</td><td>{OUTLOOK}</td></tr></table>", "a\n\nRoom | Printer\n12 | HP"),
    ],
)  # fmt: skip
def test_tables_that_only_arrange_a_page_have_no_bars(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<ol><li><div>open it</div></li><li><div>close it</div></li></ol>", "1. open it\n2. close it"),
        ("<ol start=5><li>a<li>b</ol>", "5. a\n6. b"),
        ("<ol start=x><li>a<li value=7>b<li>c</ol>", "1. a\n7. b\n8. c"),
        ("<ul><li><div>a</div></li><li><p>b</p></li></ul>c", "- a\n- b\n\nc"),
        ("<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>", "- a\n- b"),
        ("<ol><li>a<ul><li>x</li><li>y</li></ul></li><li>b</li></ol>", "1. a\n  - x\n  - y\n2. b"),
        ("<ul><li>a<ol><li>x<ol><li>deep</ol></ol><li>b</ul>", "- a\n  1. x\n   1. deep\n- b"),
        ("<ol type=a><li>x<li>y</ol><ol type=I start=4><li>x<li>y</ol>", "a. x\nb. y\n\nIV. x\nV. y"),
        ("<ol style='list-style-type: upper-alpha' start=27><li>x</ol>", "AA. x"),
        ("<ul><li></li><li>&nbsp;</li><li>a</li><li><img src=x></li></ul>", "- a"),
        ("<ol><li>a</li><li></li><li>c</li></ol>", "1. a\n3. c"),
        ("<ol><li><p>a</p><p>more</p></li><li>b</li></ol>", "1. a\n\nmore\n2. b"),
        ("<li>alone", "- alone"),
        ("<ul><li>- typed</li></ul>", "- - typed"),
        ("<blockquote><ol><li>a</ol></blockquote>b", "> 1. a\n>\nb"),
        ("<ol><li><br>a</ol>", "1. a"),
    ],
)
def test_items_of_lists_have_their_marks(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="file://srv/share/list.xlsx">here</a>.', "here (file://srv/share/list.xlsx)."),
        (r'<a href="file:///\\srv\share\a%20b.txt">\\srv\share\a b.txt</a>', r"\\srv\share\a b.txt"),
        (r'<a href="\\srv\share\a.txt">a.txt</a>', r"a.txt (\\srv\share\a.txt)"),
        ('<a href="mailto:ann@example.com?subject=x">Ann</a>', "Ann (ann@example.com)"),
        ('<a href="mailto:Ann@example.com">ann@example.com</a>', "ann@example.com"),
        ('<a href="https://x.example/a">here</a>', "here (https://x.example/a)"),
        ('<a href="https://x.example/">https://x.example</a>', "https://x.example"),
        ('<a href="cid:1">x</a> <a href="#top">y</a> <a href="data:text/html,z">z</a>', "x y z"),
        ('<a href="https://x.example/"><img src=x alt="Our shop"></a>', "[Our shop] (https://x.example/)"),
    ],
)
def test_links_keep_where_they_lead(html, text):
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<img src="cid:1" alt="Error 5">', "[Error 5]"),
        ('a<img alt="two\r\n  lines">', "a[two lines]"),
        ('<img src="cid:1" alt=""><img src="cid:2"><img alt>', ""),
        ('<img alt="counter" width="1" height="1"><img alt=c height=0><img alt=c width=1px>', ""),
        ('<img alt=c style="width:1px;"><img alt=c style="display: none">', ""),
        ('<img alt="wide" style="width:100px" width=100>', "[wide]"),
        ('Thanks <img alt="🙂" data-emoji="🙂">', "Thanks 🙂"),
    ],
)
def test_pictures_are_named_by_their_words(html, text):
    assert from_html(html) == text


def test_line_breaks_between_tags_are_no_empty_lines():
    html = "<p class=MsoNormal>one</p>\r\n<p class=MsoNormal>two</p>\r\n<p class=MsoListParagraph>3.&nbsp; three</p>"
    assert from_html(html) == "one\ntwo\n3. three"


@pytest.mark.parametrize("text", ["a < b", "<<", "1<2 and 3 <4", "<", "<3", "< p>", "a <= b", "<<b>>"])
def test_bracket_that_begins_no_tag_is_a_character(text):
    words = {"<<b>>": "<>"}.get(text, text)
    assert from_html(f"<p>{text}</p>") == words


def test_brackets_stay_as_they_are_where_html_escapes_nothing():
    assert from_html("<p>1 << 2</p><xmp>if a << 1 < b</xmp>") == "1 << 2\n\nif a << 1 < b"
