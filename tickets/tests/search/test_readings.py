"""What is written in one way is found and marked by another: Mueller and Müller, O'Neill and oneill, 1,250 and 1250."""

from io import StringIO

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.actor import acting_as
from accounts.tests.cast import make_person
from helpdesk.letters import words_of
from helpdesk.readings import CONTEXT, Pieces, all_words, other_readings
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import SearchDocument, Ticket
from tickets.models.search_document import EDITION
from tickets.search import documents
from tickets.search.asking import runs_wanted
from tickets.search.database import database
from tickets.search.finding import Search, search
from tickets.search.marking import marked, spans
from tickets.search.matching import Words
from tickets.search.passages import attach
from tickets.search.query import parse
from tickets.search.spelling import suggestion
from tickets.tests.factories import make_ticket, upload

BEGUN = ("muell", "müll", "druckerwarte")  # only the last word may be
# A text; what finds it; what does not. Each search is tried alone and with another word behind it.
TEXTS = [
    # Letters
    ("Herr Müller kommt", ["Müller", "Mueller", "Muller", "MÜLLER", "mu\u0308ller", "muell", '"herr mueller"', '"Mueller kommt"'], ["Moeller", "Miller", '"mueller herr"']),
    ("Herr Mueller kommt", ["Müller", "Mueller", "müll", '"Herr Müller kommt"'], ["Muler"]),
    ("Fußgänger in Köln", ["Fussgänger", "fussgaenger", "Fußganger", "koeln", "koln", "KÖLN"], ["fussgenger", "kolen"]),
    ("Fussgaenger in Koeln", ["Fußgänger", "Köln"], ["Fußganger"]),
    ("Smørrebrød på Århus", ["smorrebrod", "smoerrebroed", "Smørrebrød", "Aarhus", "Arhus", "pa", "paa"], ["smarrebrad", "orhus"]),
    ("Aarhus og Aalborg", ["Århus", "Ålborg", "aarhus"], ["Arhus"]),
    ("Ægir på Læsø", ["aegir", "Ægir", "laeso", "laesoe", "Læsø", "LÆSØ"], ["egir", "loeso"]),
    ("Café Noël naïve José", ["cafe", "CAFÉ", "noel", "naive", "jose"], ["noeel", "josee"]),
    ("Cœur, Łódź, Þór", ["coeur", "lodz", "thor"], ["cour"]),
    ("Michael queues in Israel, blue does", ["Michael", "queues", "Israel", "blue", "does"], ["Michal", "Isral", "ques"]),
    ("Gänse über Öl", ['"gaense ueber oel"', '"ganse uber ol"', '"Gänse über Öl"'], ['"gaense oel"']),
    # Parts of a word
    ("Tom O'Neill called", ["oneill", "O'Neill", "O’Neill", "o`neill", "ONEILL", "neill", '"tom oneill called"'], ["oneal", "tomoneill"]),
    ("Tom ONeill called", ["O'Neill", "o’neill", "oneill"], ["neill"]),
    ("Das O’Brien d´Arc", ["obrien", "O'Brien", "darc", "d'arc"], ["obryan"]),
    ("It doesn't and can’t", ["doesnt", '"doesn’t and"', "doesn't", "doesn’t", "cant", "can't"], ["doesnot"]),
    ("New e-mail account", ["email", "e-mail", "E‑Mail", "EMAIL", "mail", '"new email account"'], ["newemail", "emails"]),
    ("New email account", ["email", "e-mail", "E‐Mail", '"new e-mail account"'], ["mail"]),
    ("Wi-Fi-Router kaputt", ["wifi", "wi-fi", "wifirouter", "wifi-router", "WiFi router", "wi-firouter", '"wifi router kaputt"'], ["wireless", '"wifi kaputt"']),
    ("WiFi router kaputt", ["Wi-Fi", "wi-fi-router", "wifi"], ["wi-router"]),
    ("E-Mail-Adresse", ["Emailadresse", "email-adresse", "E-Mailadresse", "mailadresse", "email", "adresse"], ["adresseemail"]),
    ("Emailadresse", ["E-Mail-Adresse", "Email-Adresse", "E-Mailadresse"], ["adresse"]),
    ("state-of-the-art", ["stateoftheart", "state-of-the-art", "art"], ["stateart"]),
    ("PC-0042 WS-17b", ["pc0042", "PC-0042", "0042", "ws17b"], ["pc042", "pc-42"]),
    ("PC0042", ["PC-0042", "pc0042"], ["0042"]),
    ("550e8400-e29b-41d4-a716-446655440000", ["550e8400e29b41d4a716446655440000", "550e8400", "446655440000"], ["550e8401"]),
    ("Call 555-1234", ["5551234", "555-1234", "555"], ["551234"]),
    ("Drucker\u00adwarteschlange", ["Druckerwarteschlange", "druckerwarte"], ["warteschlangen"]),
    ("Jean-Luc's Müller-Straße", ["jeanluc", "muellerstrasse", "mullerstrasse", "müllerstraße", "Müller-Strasse", "mueller"], ["lucjean"]),
    # Numbers
    ("costs 1,250 euro", ["1250", "1,250", "1.250", "1'250", '"1 250"', "1 250", "1\u00a0250", '"costs 1250 euro"', "euro 1250"], ["12500", "125", "250000", "2501", "1251"]),
    ("costs 1250 euro", ["1250", "1,250", "1.250", "1’250", '"1 250"', "1 250", "1\u202f250 euro"], ["1251", "12.50"]),
    ("costs 1 250 euro", ["1250", "1,250", '"costs 1250"'], ["12500"]),
    ("costs 1.250,50 EUR", ["1250", "1,250.50", "1250.50", "1250,50"], ["125050", "12500"]),
    ("costs 1'250 francs", ["1250", "1,250"], ["12500"]),
    ("costs 1\u202f250\u00a0€", ["1250", "1,250"], ["12500"]),
    ("costs 12,500", ["12500", "12.500", "12 500"], ["1250", "1,250", "2500", "125"]),
    ("costs 1,250,000", ["1250000", "1.250.000", "1 250 000"], ["1250", "250000"]),
    ("costs 1,250kg", ["1250", "1250kg"], ["12500"]),
    ("12-50 of them", ["12-50", "12"], ["1250"]),
    ("10.1.250 and 192.168.10.250", ["10.1.250", "192.168.10.250"], ["1250", "10250"]),
    ("version 1.250.5", ["1.250.5"], ["1250", "12505"]),
    ("5, 250 and 0.250", ["250"], ["5250", "0250"]),
    ("the 0042 code", ["0042"], ["042", "00042"]),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["subject", "description", "reply"])
def test_texts_are_found(alice, place):
    wrong = []
    for text, finding, missing in TEXTS:
        ticket = filed(alice, text, place)
        tickets = Ticket.objects.filter(pk=ticket.pk)
        for typed in (*finding, *missing):
            behind = () if typed in BEGUN else (f"{typed} zebra",)
            for words in (typed, f"zebra {typed}", *behind):
                is_found = search(tickets, words, user=alice).exists()
                if is_found != (typed in finding):
                    wrong.append((text, words, is_found))
    assert wrong == [], "\n".join(map(str, wrong))


def filed(alice, text: str, place: str) -> Ticket:
    if place == "reply":
        ticket = make_ticket(alice, subject="Zebra", description="-")
        with acting_as(alice):
            conversation.reply(ticket, Message(author=alice, body=text))
        return ticket
    return make_ticket(alice, **{"subject": "Zebra", "description": "zebra", place: f"{text} / zebra"})


@pytest.mark.parametrize(("text", "finding", "missing"), TEXTS, ids=[row[0] for row in TEXTS])
def test_what_finds_a_text_is_marked_in_it(text, finding, missing):
    for typed in finding:
        terms = parse(typed).terms
        numbers = {number for _span, number in spans(text, runs_wanted(terms))}
        assert numbers == set(range(len(terms))), typed
    for typed in missing:
        terms = parse(typed).terms
        assert {number for _span, number in spans(text, runs_wanted(terms))} != set(range(len(terms))), typed


@pytest.mark.parametrize(
    ("text", "typed", "shown"),
    [
        ("Herr Müller kommt", "mueller", "Herr <mark>Müller</mark> kommt"),
        ("Herr Müller kommt", '"herr mueller"', "<mark>Herr Müller</mark> kommt"),
        ("Tom O'Neill called", "oneill", "Tom <mark>O&#x27;Neill</mark> called"),
        ("New E-Mail-Adresse", "emailadresse", "New <mark>E-Mail-Adresse</mark>"),
        ("New E-Mail-Adresse", "email new", "<mark>New</mark> <mark>E-Mail</mark>-Adresse"),
        ("It is 1,250.50", "1250", "It is <mark>1,250</mark>.50"),
        ("It is 1250", '"1 250"', "It is <mark>1250</mark>"),
        ("It is 1250", "1 250", "It is <mark>1250</mark>"),
        ("It is 12,500", "1250", "It is 12,500"),
        ("Queue of Michael", "müchal", "Queue of Michael"),
    ],
)  # fmt: skip
def test_what_is_marked(text, typed, shown):
    assert marked(text, [span for span, _number in spans(text, runs_wanted(parse(typed).terms))]) == shown


@pytest.mark.django_db
def test_passage_shows_the_other_spelling(alice, ann):
    ticket = make_ticket(alice, subject="Visit", description="x " * 300 + "Herr Müller kommt. " + "y " * 300)
    attach([ticket], parse("mueller"), alice)
    assert "Herr <mark>Müller</mark> kommt." in ticket.passage.text


# Names
NAMES = [
    ("Sinéad O'Neill", "O'Neill oneill ONeill sinead neill", "oneal"),
    ("Jürgen Müller", "Müller mueller muller juergen", "moller"),
    ("Erik Jørgensen", "Jørgensen jorgensen joergensen Jörgensen", "jargensen"),
    ("Ægir Åberg", "aegir Ægir aberg aaberg Åberg", "oberg"),
    ("José Groß", "jose José gross Groß", "grosz"),
    ("Anne-Marie Mueller", "annemarie anne-marie Müller", "muller"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "finding", "missing"), NAMES, ids=[row[0] for row in NAMES])
def test_names_find_their_tickets(alice, ann, name, finding, missing):
    requester, agent = (
        make_person(name, email="p@example.com"),
        make_person(name, role=ann.role, email="a@example.com"),
    )
    theirs = make_ticket(requester, assignee=agent)
    make_ticket(alice, assignee=ann)

    def found(typed: str) -> list:
        return list(Search(typed, user=ann).filter(Ticket.objects.all()))

    for word in finding.split():
        for typed in (word, f"requester:{word}", f"assignee:{word}"):
            assert found(typed) == [theirs], typed
    for word in missing.split():
        for typed in (word, f"requester:{word}", f"assignee:{word}"):
            assert found(typed) == [], typed
    assert found(f'assignee:"{name}" requester:"{name}"') == [theirs]


@pytest.mark.django_db
def test_staff_find_notes_and_files_by_each_spelling_and_others_do_not(alice, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="Ask Müller", files=[upload("büro-plan.png")]))
    for typed in ("mueller", "bueroplan", "buroplan", "bueroplan.png"):
        assert search(Ticket.objects.all(), typed, user=ann).exists(), typed
        assert not search(Ticket.objects.all(), typed, user=alice).exists(), typed


@pytest.mark.django_db
def test_words_left_out_are_left_out_in_each_spelling(alice):
    make_ticket(alice, subject="Printer of Müller")
    for typed in ("printer -mueller", "printer -Müller", "printer -muller", '-"of mueller"'):
        assert not search(Ticket.objects.all(), typed, user=alice).exists(), typed
    assert search(Ticket.objects.all(), "printer -miller", user=alice).exists()


@pytest.mark.django_db
def test_suggestion_knows_each_spelling(alice, ann):
    make_ticket(alice, subject="O'Neill has a Müllerschrank")
    for user in (alice, ann):
        for typed, meant in (("oneil", None), ("onneill", "oneill"), ("muelerschrank", "muellerschrank")):
            assert suggestion(Search(typed, user=user), Ticket.objects.all()) == meant


# Editions
@pytest.mark.django_db
def test_worker_makes_old_documents_anew(alice, ann):
    old, new = make_ticket(alice, subject="Müller"), make_ticket(alice, subject="Köln")
    SearchDocument.objects.filter(pk=old.pk).update(
        edition=0, words=database().document(Words((("muller",),)))
    )
    assert not search(Ticket.objects.all(), "mueller", user=alice).exists()
    assert search(Ticket.objects.all(), "muller", user=alice).exists()
    assert list(SearchDocument.objects.old()) == [old.search_document]
    assert documents.renew() == 1
    assert search(Ticket.objects.all(), "mueller", user=alice).get() == old
    assert documents.renew() == 0
    assert new.search_document.edition == EDITION


@pytest.mark.django_db
def test_worker_stops_when_its_time_is_over(alice, monkeypatch):
    monkeypatch.setattr(documents, "RENEWED_AT_ONCE", 1)
    for _number in range(2):
        make_ticket(alice)
    SearchDocument.objects.update(edition=0)
    assert documents.renew(seconds=0) == 0
    assert documents.renew() == 2


@pytest.mark.django_db
def test_rebuild_takes_old_documents_for_missing(alice):
    old, new = make_ticket(alice), make_ticket(alice)
    SearchDocument.objects.filter(pk=old.pk).update(edition=0)
    out = StringIO()
    call_command("rebuild_search", "--missing", stdout=out)
    assert out.getvalue() == "The words of 1 ticket are ready to be searched.\n"
    assert set(SearchDocument.objects.values_list("edition", flat=True)) == {EDITION}
    assert new.search_document.edition == EDITION


@pytest.mark.django_db
def test_reply_to_a_ticket_with_an_old_document_leaves_the_rest_to_the_worker(alice):
    ticket = make_ticket(alice, subject="Müller")
    SearchDocument.objects.update(edition=0, words=database().document(Words((("muller",),))))
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="In Köln"))
    assert search(Ticket.objects.all(), "koeln", user=alice).exists()
    assert SearchDocument.objects.old().exists()


def test_index_of_old_documents_is_that_of_this_edition():
    (index,) = SearchDocument._meta.indexes
    assert index.condition.children == [("edition__lt", EDITION)]


@pytest.mark.django_db
def test_other_readings_push_no_word_out(alice, monkeypatch):
    monkeypatch.setattr(documents, "MOST_PUBLIC", 200)
    ticket = make_ticket(alice, subject="Printer", description="Müller-Öl " * 6 + "Flamingo")
    documents.build([ticket.pk])
    assert search(Ticket.objects.all(), "flamingo", user=alice).exists()


# The readings themselves
TEXT = st.lists(
    st.sampled_from(["ü", "a", "o", "1", "250", "000", ",", ".", "'", "-", " ", "  ", "ø", "x\u0308", "u\u0308", "東", "ß", "’", "\u00ad", "é"]),
    max_size=40,
).map("".join)  # fmt: skip


@given(TEXT, st.integers(0, 5))
def test_readings_stand_beside_what_differs(text, context):
    pieces = Pieces(text)
    assert pieces.words == words_of(text)
    for words in other_readings(text, context=context):
        assert words
        assert len(words) <= len(pieces.words)


@given(TEXT)
def test_each_word_of_a_text_is_found_by_its_own_text(text):
    """Whoever pastes what stands there finds it."""
    for word in all_words(text):
        assert word
    asked = runs_wanted(parse(f'"{text}"').terms)
    if asked and len(text) < 150:
        assert {number for _span, number in spans(text, asked)} == set(range(len(asked)))


def test_a_text_in_plain_words_has_no_other_reading():
    assert other_readings("The printer on the 2nd floor, room 12, is at 10.0.0.17 - again.") == []


def test_context_is_read_once_for_neighbours():
    assert other_readings("a b c ü d ö e f g h") == [["b", "c", "ue", "d", "oe", "e", "f"]]
    assert CONTEXT == 2
