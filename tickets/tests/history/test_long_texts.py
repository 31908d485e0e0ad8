"""Pages, mails and lists with very long texts: what is too much is cut, and says so."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.writing import digest, messages
from tickets.models import Macro, SavedReply, SavedView, SearchDocument, SubjectWord, Ticket
from tickets.models.notification import Notification
from tickets.rules import excerpts
from tickets.search import documents, passages
from tickets.search.finding import Search, search
from tickets.templatetags.tickets_text import OutsideUrlizer
from tickets.tests.factories import make_ticket
from tickets.tests.work import work

pytestmark = pytest.mark.django_db
SITE, QUEUE = "/tickets/", "/admin/tickets/ticket/"
LONGEST = 20_000
CUT_PAGE = "This page is long, so only the beginning is shown."
CUT_SEARCH = "This search is too long. Only its beginning is searched."


def different(kind: str, number: int) -> str:
    """20,000 characters, no word of which stands anywhere else."""
    pieces = (kind.format(f"{number:x}g{step:x}") for step in range(LONGEST // (len(kind) + 1)))
    return "".join(pieces)[:LONGEST]


ADDRESSES, LISTS = "{}@b.cd ", "- {}\n"


def ticket_with(alice, ann, texts: list[str]) -> Ticket:
    ticket = make_ticket(alice, subject="Printer", description="It does not print.")
    for text in texts:
        with acting_as(ann):
            conversation.reply(ticket, Message(author=ann, body=text))
    return ticket


@pytest.fixture
def links_made(monkeypatch):
    """The words that were looked at for links."""
    seen, handle_word = [], OutsideUrlizer.handle_word
    monkeypatch.setattr(
        OutsideUrlizer,
        "handle_word",
        lambda *args, **kwargs: (seen.append(1), handle_word(*args, **kwargs))[1],
    )
    return seen


def page_of(ticket: Ticket, who) -> str:
    return f"{QUEUE}{ticket.pk}/change/" if who.is_staff else ticket.get_absolute_url()


# A ticket's page
@pytest.mark.parametrize("reader", ["alice", "ann"])
def test_page_has_room_for_few_of_the_longest_texts(request, client_of, alice, ann, reader, links_made):
    reader = request.getfixturevalue(reader)
    client, counts = client_of(reader), []
    for number in (10, 20):
        ticket = ticket_with(alice, ann, [different(ADDRESSES, at) for at in range(number)])
        del links_made[:]
        page = client.get(page_of(ticket, reader)).content.decode()
        counts.append(len(links_made))
        assert page.count(CUT_PAGE) == number - 1
    assert counts[1] - counts[0] < 10 * 2 * excerpts.BEGINNING


@pytest.mark.parametrize("reader", ["alice", "ann"])
def test_what_is_cut_can_be_read_on_the_page(request, client_of, alice, ann, reader):
    reader = request.getfixturevalue(reader)
    texts = [different(ADDRESSES, number) + "\nThe very end" for number in range(40)]
    ticket = ticket_with(alice, ann, [text[-LONGEST:] for text in texts])
    client, oldest = client_of(reader), ticket.comments.first()
    page = client.get(page_of(ticket, reader)).content.decode()
    message = page.partition(f'id="message-{oldest.pk}"')[2].partition("</article>")[0]
    assert CUT_PAGE in message
    assert "The very end" not in message
    assert "<details open>" not in page
    link = f"?whole=message-{oldest.pk}#message-{oldest.pk}"
    assert link in message.replace("?&amp;", "?")
    page = client.get(f"{page_of(ticket, reader)}?whole=message-{oldest.pk}").content.decode()
    message = page.partition(f'id="message-{oldest.pk}"')[2].partition("</article>")[0]
    assert CUT_PAGE not in message
    assert "The very end" in message
    assert "<details open>" in page


def test_way_to_the_whole_keeps_the_queue(client_of, alice, ann):
    ticket = ticket_with(alice, ann, [different(ADDRESSES, number) for number in range(6)])
    page = client_of(ann).get(f"{page_of(ticket, ann)}?_changelist_filters=phase%3Dall").content.decode()
    assert "?_changelist_filters=phase%3Dall&amp;whole=message-" in page


def test_newest_and_description_stay_whole(client_of, alice, ann):
    ticket = ticket_with(alice, ann, [different(ADDRESSES, number) for number in range(8)])
    entries = client_of(alice).get(ticket.get_absolute_url()).context["folds"][-1].entries
    assert [entry.beginning is None for entry in entries if entry.body] == [False] * 7 + [True]


@pytest.mark.parametrize("text", ["Short words, as people write them.\n" * 20, "> quoted\nanswer\n" * 20])
def test_an_ordinary_page_is_never_cut(client_of, alice, ann, text):
    ticket = ticket_with(alice, ann, [text] * 60)
    page = client_of(alice).get(ticket.get_absolute_url()).content.decode()
    assert CUT_PAGE not in page


def test_short_texts_are_whole_on_the_fullest_page():
    shown = excerpts.beginnings([different(ADDRESSES, 1)] * 7 + ["x" * excerpts.BEGINNING, "y" * 501])
    assert [one is None for one in shown] == [True] * 2 + [False] * 5 + [True, False]


def test_page_that_is_exactly_full_has_no_room_for_more(monkeypatch):
    text = "word " * 200
    monkeypatch.setattr(excerpts, "MOST", 3 * excerpts.effort(text))
    assert [one is None for one in excerpts.beginnings([text] * 6)] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("text", ["word " * 4000, "x" * LONGEST, "line\n" * 4000, " " * 499 + "x" * 400])
def test_a_beginning_ends_with_a_word_where_there_is_one(text):
    beginning = excerpts.beginning(text)
    assert len(beginning) <= excerpts.BEGINNING + 2
    assert beginning.endswith(" …")
    assert text.startswith(beginning.removesuffix(" …"))


def test_news_are_cut_too(client_of, alice, ann):
    ticket = ticket_with(alice, ann, [different(ADDRESSES, number) for number in range(8)])
    news = client_of(alice).get(f"{ticket.get_absolute_url()}timeline/?after=1").content.decode()
    assert news.count(CUT_PAGE) == 7


# A search
@pytest.mark.parametrize("who", ["alice", "ann"])
@pytest.mark.parametrize("url", [SITE, QUEUE])
@pytest.mark.parametrize("typed", ["printer " * 40, " ".join(f"{number:x}" for number in range(60))])
def test_searcher_reads_what_is_not_searched(request, client_of, alice, ann, who, url, typed):
    user = request.getfixturevalue(who)
    if url == QUEUE and who == "alice":
        return
    make_ticket(alice, subject="Printer")
    client = client_of(user)
    assert client.get(url, {"q": typed, "phase": "all"}).content.decode().count(CUT_SEARCH) == 1
    assert CUT_SEARCH not in client.get(url, {"q": typed[:60], "phase": "all"}).content.decode()


@pytest.mark.parametrize("typed", ["pri " * 50, " ".join("abcdefghijklmnopqrstuvwxyz" * 3), '"a a" ' * 30])
def test_any_number_of_terms_finds(alice, ann, typed):
    ticket = make_ticket(
        alice, subject="Printer " + " ".join("abcdefghijklmnopqrstuvwxyz"), description="a a"
    )
    assert list(search(Ticket.objects.all(), typed, user=ann)) == [ticket]


@pytest.mark.parametrize("url", [SITE, QUEUE])
def test_search_through_twice_the_text_is_twice_the_work(client_of, alice, ann, url):
    def page(size: int) -> int:
        Ticket.objects.all().delete()
        for _number in range(3):
            make_ticket(alice, description="a " * size)
        client = client_of(ann)
        return work(lambda: client.get(url, {"q": "a b a", "phase": "all"}))

    few, many = page(500), page(1000)
    assert many < 2.2 * few


def test_search_reads_only_so_much(client_of, alice, ann, monkeypatch):
    monkeypatch.setattr(passages, "MOST_READ", 60_000)
    for number in range(12):
        make_ticket(alice, subject="Printer", description=different("{} ", number))
    page = client_of(ann).get(SITE, {"q": "printer"}).content.decode()
    assert "These tickets have too much text to show everywhere what was found." in page
    page = client_of(ann).get(f"{QUEUE}?phase=all", {"q": "printer", "phase": "all"}).content.decode()
    assert "These tickets have too much text to show everywhere what was found." in page


def test_wrong_filters_of_saved_views_look_for_nothing(client_of, ann, monkeypatch):
    """What may have been meant is looked for when it is shown."""
    wrong = " ".join(f"requester:nobody{number}" for number in range(9))
    for number in range(5):
        SavedView.objects.create(name=f"View {number}", owner=ann, query=f"q={wrong}")
    looked = []
    monkeypatch.setattr("tickets.search.meanings.nearest", lambda *args: looked.append(args))
    client_of(ann).get(QUEUE)
    assert looked == []
    assert len(Search(wrong, user=ann).problems) == len(looked) == 9


def test_suggestions_are_taken_from_words_as_long(client_of, alice, ann):
    SubjectWord.objects.bulk_create(SubjectWord(word=f"p{number:x}g") for number in range(5000))
    make_ticket(alice, subject="The printer")
    with CaptureQueriesContext(connection) as queries:
        content = client_of(ann).get(SITE, {"q": "pritner"}).content.decode()
    assert ">printer</a>?" in content
    (asked,) = [query["sql"] for query in queries if "tickets_subjectword" in query["sql"]]
    assert "LIMIT" in asked


# A document that is full
def test_reply_to_a_full_document_reads_no_other_text(alice, ann, monkeypatch):
    monkeypatch.setattr(documents, "MOST_PUBLIC", 300)
    ticket = ticket_with(alice, ann, ["words " * 40, "more " * 20])
    monkeypatch.setattr(documents, "build", lambda numbers: pytest.fail("It is made anew."))
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Flamingo"))
    assert not search(Ticket.objects.all(), "flamingo", user=ann).exists()
    assert SearchDocument.objects.get(pk=ticket.pk).public_size <= 300


def test_last_room_of_a_document_is_filled(alice, ann, monkeypatch):
    ticket = ticket_with(alice, ann, ["pelican"])
    size = SearchDocument.objects.get(pk=ticket.pk).public_size
    monkeypatch.setattr(documents, "MOST_PUBLIC", size + 14)
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Walrus penguin"))
    for word, is_found in (("pelican", True), ("walrus", True), ("penguin", False)):
        assert search(Ticket.objects.all(), word, user=ann).exists() == is_found
    kept = SearchDocument.objects.get(pk=ticket.pk)
    documents.build([ticket.pk])
    assert SearchDocument.objects.get(pk=ticket.pk).public_size == kept.public_size


def test_texts_past_a_full_document_are_not_read(alice, ann, monkeypatch):
    ticket = ticket_with(alice, ann, [different("{} ", number) for number in range(6)])
    monkeypatch.setattr(documents, "MOST_PUBLIC", 30_000)
    read, stems_of = [], documents.stems_of
    monkeypatch.setattr(documents, "stems_of", lambda text: (read.append(text), stems_of(text))[1])
    documents.build([ticket.pk])
    assert sum(len(text) == LONGEST for text in read) == 1


# Mails
def test_mail_of_many_long_texts_holds_their_beginnings(alice, ann, mailgun):
    ticket = ticket_with(alice, ann, [f"{number} " + "word " * 3900 for number in range(30)])
    rows = list(
        Notification.objects.filter(person=alice, ticket_id=ticket.pk).select_related("activity", "person")
    )
    mail = messages.build([row for row in rows if row.activity.verb == "replied"])
    rest = "See the full message on the ticket page."
    assert mail.body.count(rest) == mail.alternatives[0][0].count("See the full message") == 20
    assert len(mail.body) < digest.MOST_QUOTED + 30 * 2 * excerpts.BEGINNING


# Lists of the admin, saved replies, macros
@pytest.mark.parametrize(
    "url", ["/admin/accounts/user/", "/admin/tickets/savedreply/", "/admin/tickets/macro/"]
)
def test_list_searches_for_each_word_once(client_of, root, ann, url):
    def conditions(typed: str) -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries:
            content = client.get(url, {"q": typed}).content.decode()
        return max(query["sql"].count(" LIKE ") for query in queries), content

    client = client_of(root)
    once, content = conditions("ann")
    assert CUT_SEARCH not in content
    assert conditions("ann ann ann")[0] == once
    many, content = conditions(" ".join(f"{number:x}" for number in range(300)))
    assert many <= 10 * once
    assert content.count(CUT_SEARCH) == 1
    found = client.get("/admin/autocomplete/", {
        "app_label": "tickets", "model_name": "ticket", "field_name": "requester", "term": "ann " * 300,
    })  # fmt: skip
    assert [row["text"] for row in found.json()["results"]]
    assert CUT_SEARCH not in client.get(url).content.decode()


def test_saved_replies_are_searched_for_few_words(client_of, alice, ann):
    SavedReply.objects.create(title="a b c", body="d", owner=ann)
    ticket = make_ticket(alice)
    url = f"{QUEUE}{ticket.pk}/saved-replies/"
    with CaptureQueriesContext(connection) as queries:
        content = client_of(ann).get(url, {"q": "a b " * 50}).content.decode()
    assert "a b c" in content
    assert max(query["sql"].count(" LIKE ") for query in queries) == 4


def test_unknown_variables_are_not_named_by_the_thousand(client_of, ann):
    body = "".join(f"{{v{number}}}" for number in range(2000))
    fields = {"title": "Hello", "body": body, "audience": "me"}
    page = client_of(ann).post("/admin/tickets/savedreply/add/", fields).content.decode()
    assert page.count("} does not exist.") == 5
    assert "1995 more do not exist." in page


def test_list_of_accented_texts_is_soon_shown(client_of, alice, ann):
    """Only as much of them is composed as is shown."""
    text = "a" + "\u0323\u0301" * 9000
    SavedReply.objects.create(title="Accents", body=text, owner=ann)
    Macro.objects.create(title="Accents", body=text, owner=ann)
    ticket = make_ticket(alice)
    composed = []

    def normalize(form, text, normal=excerpts.Truncator.chars.__globals__["unicodedata"].normalize):
        composed.append(len(text))
        return normal(form, text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.utils.text.unicodedata.normalize", normalize)
        for name in ("saved-replies", "macros", "change"):
            assert client_of(ann).get(f"{QUEUE}{ticket.pk}/{name}/").status_code == 200
        assert client_of(ann).get("/admin/tickets/macro/").status_code == 200
    assert composed
    assert max(composed) <= 6000
