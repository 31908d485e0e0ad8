"""What somebody typed is shown as text, wherever it is shown (THREATS 15, 16, 17)."""

import time
import zoneinfo
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from accounts.tests.cast import make_person
from tickets.models import Attachment, Category
from tickets.templatetags.tickets_text import message_text
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db
PAYLOADS = [
    "<script>alert(1)</script>",
    "<script src=data:,alert(1)></script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<!--<img src='--><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)" x="',
    "` onfocus=`alert(1)",
    " onfocus=alert(1) autofocus ",
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<math><mtext><script>alert(1)</script>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<object data=data:text/html,x></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>",
    "<a href=javascript:alert(1)>x</a>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x>",
    "<style>*{display:none}</style>",
    "<template><script>alert(1)</script></template>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\u003cscript\\u003ealert(1)",
    "+ADw-script+AD4-alert(1)",
    "{{7*7}} {% debug %} %(x)s {0} ${7*7} #{7*7}",
    "{{constructor.constructor('alert(1)')()}}",
    "%3Cscript%3Ealert(1)%3C/script%3E",
]
# Two at a time, a long one behind a short one, so that both fit into a category's name (80 characters).
BY_LENGTH = sorted(PAYLOADS, key=len)
TEXTS = [f"{short} {long}" for short, long in zip(BY_LENGTH[:20], BY_LENGTH[:19:-1], strict=True)]


class Structure(HTMLParser):
    """The kinds of element of a page (tag and names of attributes), and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.elements, self.text = set(), ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.add((tag, tuple(sorted(name for name, _value in attrs))))

    def handle_data(self, data):
        self.text += data


def pages_with(words: str, number: int, sam, client_of) -> dict[str, Structure]:
    """The pages that show a person, a category, a ticket and a file, each with `words` in every text."""
    person = make_person(
        "Somebody", email=f"p{number}@example.com", department=words, location=words, phone=words[:50]
    )
    person.full_name = words
    person.save()
    category = Category.objects.create(name=words, description=words)
    ticket = make_ticket(person, subject=words, description=words, category=category, assignee=sam)
    file = Attachment.from_upload(upload(), ticket=ticket, uploader=person)
    file.name = words
    file.save()
    admin = "/admin/tickets/ticket"
    of_person = {
        "list": "/tickets/",
        "search": "/tickets/?" + urlencode({"q": words}),
        "profile": "/accounts/profile/",
        "ticket": f"/tickets/{ticket.pk}/",
        "edit": f"/tickets/{ticket.pk}/edit/",
    }
    of_staff = {
        "admin list": f"{admin}/?q=%23{ticket.pk}",
        "admin ticket": f"{admin}/{ticket.pk}/change/",
        "admin category": f"/admin/tickets/category/{category.pk}/change/",
        "admin log": f"/admin/tickets/activitylog/?q=%23{ticket.pk}",
        "admin people": f"/admin/accounts/user/?q={person.email}",
        "admin person": f"/admin/accounts/user/{person.pk}/change/",
    }
    found = {}
    for client, urls in ((client_of(person), of_person), (client_of(sam), of_staff)):
        for name, url in urls.items():
            found[name] = Structure(client.get(url).content.decode())
    return found


@pytest.fixture
def few_time_zones(monkeypatch):
    """Two pages offer all 500; that takes time and adds nothing here."""
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: {"Europe/Berlin"})


def test_payload_makes_no_element_of_its_own_on_any_page(client_of, sam, few_time_zones):
    """THREATS 15, 16: the kinds of element are those of the same page with plain words."""
    # There is a ticket before it in the queue, and it is similar.
    pages_with("Plain words again", len(TEXTS) + 1, sam, client_of)
    plain = pages_with("Plain words", 0, sam, client_of)
    # A text that begins with a minus is looked for in vain.
    nothing = Structure(client_of(sam).get("/tickets/?q=nothing+of+that+kind").content.decode())
    plain["search"].elements |= nothing.elements
    for number, words in enumerate(TEXTS, start=1):
        for name, structure in pages_with(words, number, sam, client_of).items():
            assert structure.elements <= plain[name].elements, (words, name)
            if name in ("ticket", "admin ticket"):
                assert words.strip() in structure.text, (words, name)


def test_the_test_sees_an_element_that_got_through():
    before, after = Structure("<p><img src=x></p>"), Structure("<p><img src=x onerror=alert(1)></p>")
    assert before.elements != after.elements


DEAD_LINKS = ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "java\tscript:x",
              "JaVaScRiPt:alert(1)", "file:///etc/passwd"]  # fmt: skip


@pytest.mark.parametrize("link", DEAD_LINKS)
def test_link_to_anything_but_the_web_is_no_link(link):
    """THREATS 17."""
    assert "href" not in message_text(f"see {link} there")


@pytest.mark.parametrize(
    ("typed", "href"),
    [
        ("https://example.com/a?b=1&c=2", "https://example.com/a?b=1&amp;c=2"),
        ("http://example.com", "http://example.com"),
        ("www.example.com", "http://www.example.com"),
        ("https://example.com/a).", "https://example.com/a"),
        ('https://example.com/"onmouseover="x', "https://example.com/"),
        ("https://example.com/<script>", "https://example.com/"),
    ],
)
def test_link_to_the_web_earns_no_rank_and_does_not_reach_back(typed, href):
    """THREATS 17."""
    assert f'<a href="{href}" rel="nofollow noopener ugc">' in message_text(f"see {typed} there")


def test_long_text_without_an_end_takes_no_time():
    """Looking for links in 20,000 characters of brackets, dots and ampersands."""
    started = time.monotonic()
    for piece in ("(", "a.", "&lt;", "http://", "@", "a@", "<"):
        message_text(piece * (20_000 // len(piece)))
    assert time.monotonic() - started < 5
