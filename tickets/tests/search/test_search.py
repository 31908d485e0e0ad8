"""Who finds which tickets by what: the same cases with the same answers on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import acting_as
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import SearchDocument, SubjectWord, Ticket
from tickets.search import documents, finding
from tickets.search.database import database
from tickets.search.finding import Search, search
from tickets.search.matching import MOST_INTERNAL, MOST_PUBLIC, Words
from tickets.tests.factories import category, make_ticket, upload

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

# name, typed, what alice finds (None: the same as ann), what ann finds
CASES = [
    ("a word", "scanner", None, "scanner"),
    ("capitals", "SCANNER", None, "scanner"),
    ("all words, anywhere", "scanner stairs", None, "scanner"),
    ("a word that is not there", "scanner moon", None, ""),
    ("the last word is begun", "scan", None, "scanner"),
    ("only the last one", "scan stairs", None, ""),
    ("one that is begun before filters", "scan is:open", None, "scanner"),
    ("of the description", "stairs", None, "scanner"),
    ("of a reply", "restart", None, "scanner"),
    ("a phrase", '"paper jam"', None, "jam"),
    ("a phrase in another order", '"jam paper"', None, ""),
    ("a phrase is not begun", '"paper ja"', None, ""),
    ("a phrase ends with its text", '"scanner beside"', None, ""),
    ("a phrase without its end", '"paper jam', None, "jam"),
    ("quotes of books", "“paper jam”", None, "jam"),
    ("without a word", "paper -jam", None, "wifi"),
    ("without a phrase", 'paper -"paper jam"', None, "wifi"),
    ("only without", "-paper -scanner -strasse -e51 -東京 -istanbul -der", "noted", "noted foreign secret"),
    ("a long minus", "paper −jam", None, "wifi"),
    ("umlauts", "müller", None, "strasse"),
    ("umlauts as plain letters", "muller", None, "strasse"),
    ("umlauts in two parts", "mu\u0308ller", None, "strasse"),
    ("capital umlauts", "MÜLLER", None, "strasse"),
    ("ß", "straße", None, "strasse"),
    ("ß as ss", "strasse", None, "strasse"),
    ("ß in capitals", "STRASSE", None, "strasse"),
    ("capital ß", "STRAẞE", None, "strasse"),
    ("é", "cafe", None, "strasse"),
    ("É", "CAFÉ", None, "strasse"),
    ("İ", "istanbul", None, "istanbul"),
    ("İ as it is written", "İSTANBUL", None, "istanbul"),
    ("ø", "kobenhavn", None, "istanbul"),
    ("a ligature", "office", None, "istanbul"),
    ("a wide letter", "ＷＩＦＩ", None, "wifi"),
    ("a hyphen", "wi-fi", None, "wifi"),
    ("a hyphen is a gap", '"wi fi"', None, "wifi"),
    ("a hyphen, begun", "max_user-na", None, "e51"),
    ("one word is not two", "wifi", None, "wifi"),
    ("a mail address in a text", "vera@vendor.example", None, "e51"),
    ("a part of it", "vendor", None, "e51"),
    ("a code", "E51", None, "e51"),
    ("a code in small letters", "e51", None, "e51"),
    ("no part of a code", "51", None, ""),
    ("leading zeros", "0x80070005", None, "e51"),
    ("digits with a dot", "10.0.0.17", None, "e51"),
    ("an exponent is no number", "1e5", None, "e51"),
    ("underscores", "max_user_name", None, "e51"),
    ("a word of it", "user", None, "e51"),
    ("a file's path", r"\\server\share", None, "e51"),
    ("a web address", "https://intranet.example/a?b=1", None, "e51"),
    ("a colon", "error:1234", None, "e51"),
    ("single quotes", "don't", None, "e51"),
    ("a stop word", "the", None, "jam"),
    ("a stop word of German", "der", None, "strasse"),
    ("one letter", "q", None, "e51"),
    ("one letter is not begun", "s", None, ""),
    ("two letters are begun", "sc", "scanner", "scanner jam noted"),
    ("Chinese", "東京", None, "cjk"),
    ("a part of Chinese", "京都", None, "cjk"),
    ("Chinese in another order", "京東", None, ""),
    ("Japanese", "プリンター", None, "cjk"),
    ("Korean, begun", "프린", None, "cjk"),
    ("Cyrillic", "ПРИНТЕР", None, "cjk"),
    ("Greek with accents", "εκτυπωτής", None, "cjk"),
    ("an emoji", "😀", None, ""),
    ("an emoji beside a word", "scanner 😀", None, "scanner"),
    ("signs only", "%_*()&|!:<->'\\", None, ""),
    ("operators are words", "scanner AND stairs", None, ""),
    ("OR is a word", "scanner OR jam", None, ""),
    ("NEAR of FTS5", "NEAR(scanner stairs)", None, ""),
    ("columns of FTS5", "words:scanner", None, ""),
    ("a star", "scann*", None, "scanner"),
    ("a mark of ours", "_zebra", "", "noted secret"),
    ("another one", "=scanner @alice", "", "scanner"),
    ("NUL alone", "\0", None, ""),
    ("NUL between words", "scanner\0stairs", None, "scanner"),
    ("a lone half of a letter", "scanner \udcff", None, "scanner"),
    ("10,000 characters", "x" * 10_000, None, ""),
    ("10,000 characters behind a word", "scanner " + " " * 10_000, None, "scanner"),
    ("many words", "scanner " * 1000, None, "scanner"),
    ("many minuses", "-" * 200, None, ""),
    ("many quotes", '"' * 200, None, ""),
    ("a word of a foreign ticket", "foreign", "", "foreign"),
    ("a word of a note", "zebra", "", "noted secret"),
    ("a phrase of a note", '"zebra crossing"', "", "noted"),
    ("a word of a note and a public one", "zebra scanner", "", ""),
    ("without a word of a note", "sound -zebra", "noted", ""),
    ("a phrase from public to internal", '"sound zebra"', "", ""),
    ("a file's name", "screenshot.png", "", "jam noted"),
    ("the requester's name", "moreau", "", "scanner jam wifi strasse istanbul e51 cjk noted"),
    ("the requester's address", "alice@example.com", "", "scanner jam wifi strasse istanbul e51 cjk noted"),
    ("the requester's department", "purchasing", "", "foreign secret"),
    ("a filter", "category:email", None, "jam"),
    ("a filter with quotes", 'category:"Email Support"', None, "jam"),
    ("a filter in capitals", "CATEGORY:EMAIL", None, "jam"),
    ("not a filter", "paper -category:email", None, "wifi"),
    ("status by phase", "status:waiting", None, "wifi"),
    ("status by name", "status:hold", None, "wifi"),
    ("status by its whole name", 'status:"On Hold"', None, "wifi"),
    ("priority", "priority:urgent", None, "strasse"),
    ("is done", "is:done", None, "e51"),
    ("is closed", "is:closed", None, "e51"),
    ("is open", "is:open paper", None, "jam wifi"),
    ("is unassigned", "is:unassigned paper", None, "wifi"),
    ("is merged", "is:merged", None, ""),
    ("before", "before:2026-11-02", None, "istanbul"),
    ("after", "after:2026-11-02 -paper -scanner -is:done -東京 -foreign -secret -sound", None, "strasse"),
    ("days ago", "before:-7d", None, "istanbul"),
    ("weeks ago", "before:-1w", None, "istanbul"),
    ("today", "before:today", None, "istanbul"),
    ("with a file", "has:file", "jam", "jam noted"),
    ("without a file", "-has:file is:done", None, "e51"),
    ("assignee me", "assignee:me", "", "jam"),
    ("assignee by name", "assignee:weber", "", "jam"),
    ("assignee nobody", "assignee:nobody paper", "", "wifi"),
    ("requester me", "requester:me", "", ""),
    ("requester by name", "requester:charlie", "", "foreign secret"),
    ("requester by address", "requester:charlie@example.com", "", "foreign secret"),
    ("not a requester", "-requester:alice", "", "foreign secret"),
    ("two filters", "requester:alice priority:urgent", "", "strasse"),
    ("a filter that does not exist", "stauts:waiting", None, ""),
    ("a value that does not exist", "status:wating", None, ""),
    ("a filter without a value", "status:", None, ""),
    ("an impossible day", "before:2026-02-31", None, ""),
    ("a day of the far future", "after:99999-01-01", None, ""),
    ("too long ago", "after:-9999y", None, ""),
]  # fmt: skip


@pytest.fixture
def found_by(alice, bob, ann, attachments_dir):
    """function(typed, user) -> the tickets found, by the keys of the table."""
    charlie = make_person("Charlie Okafor", email="charlie@example.com", department="Purchasing")
    keys = {}

    def file(key, requester, subject, description="-", **fields):
        keys[make_ticket(requester, subject=subject, description=description, **fields).pk] = key
        return Ticket.objects.get(pk=max(keys))

    with time_machine.travel(NOW, tick=False) as clock:
        clock.move_to(datetime(2026, 11, 1, 12, tzinfo=UTC))
        file("istanbul", alice, "İstanbul", "København, oﬃce of ours")
        clock.move_to(NOW)
        scanner = file("scanner", alice, "Scanner", "Beside stairs 😀")
        jam = file("jam", alice, "Paper jam", "In the tray", category=category("Email Support"), assignee=ann)
        file("wifi", alice, "Paper on Wi-Fi", "No wifi, wi-fi or WLAN", phase="waiting")
        file("strasse", alice, "Straße 5", "Herr Müller, der vom Café", priority="urgent")
        file(
            "e51", alice, "Error:1234 E51 q", "don't 0x80070005 10.0.0.17 1e5 max_user_name vera@vendor.example "
            r"\\server\share https://intranet.example/a?b=1", phase="done",
        )  # fmt: skip
        file("cjk", alice, "東京都", "プリンター 프린터 принтер ΕΚΤΥΠΩΤΉΣ")
        noted = file("noted", alice, "No sound")
        file("foreign", charlie, "A foreign one")
        file("secret", charlie, "Secret zebra")
        with acting_as(ann):
            conversation.reply(scanner, Message(author=ann, body="Please restart it."))
            conversation.reply(jam, Message(author=ann, body="See here.", files=[upload()]))
            conversation.note(noted, Message(author=ann, body="A zebra crossing", files=[upload()]))

    def find(typed, user):
        with time_machine.travel(NOW, tick=False):
            tickets = search(Ticket.objects.visible_to(user), typed, user=user)
            return {keys[number] for number in tickets.values_list("pk", flat=True)}

    return find


def test_cases(found_by, alice, ann):
    wrong = []
    for name, typed, for_alice, for_ann in CASES:
        for user, expected in ((alice, for_ann if for_alice is None else for_alice), (ann, for_ann)):
            found = found_by(typed, user)
            if found != set(expected.split()):
                wrong.append((name, user.get_short_name(), sorted(found)))
    assert wrong == [], "\n".join(map(str, wrong))


# What changes what is found
def finds(words, user, ticket) -> bool:
    return search(Ticket.objects.filter(pk=ticket.pk), words, user=user).exists()


def test_what_is_said_and_taken_back(alice, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        answer = conversation.reply(ticket, Message(author=ann, body="Pelican", files=[upload("walrus.png")]))
    assert finds("pelican", alice, ticket)
    assert finds("walrus", ann, ticket)
    with acting_as(ann):
        conversation.take_back(answer, author=ann)
    assert not finds("pelican", alice, ticket)
    assert not finds("walrus", ann, ticket)
    assert finds("printer", alice, ticket)


def test_what_is_edited(alice, bob, ann):
    ticket = make_ticket(alice)
    ticket.subject, ticket.requester = "Pelican", bob
    ticket.save()
    assert finds("pelican", alice, ticket)
    assert not finds("printer", alice, ticket)
    assert finds(bob.email, ann, ticket)
    assert not finds(alice.email, ann, ticket)


def test_the_requester_is_called_otherwise(alice, ann):
    ticket, before = make_ticket(alice), alice.email
    alice.full_name, alice.department, alice.email = "Alice Pelican", "Walrus", "new@example.com"
    alice.save()
    for words in ("pelican", "walrus", "new@example.com"):
        assert finds(words, ann, ticket)
    assert not finds(before, ann, ticket)
    assert finds("printer", alice, ticket)


def test_a_merged_ticket_is_read_and_found_at_its_target(alice, bob, ann):
    merged, target = make_ticket(bob, subject="Pelican"), make_ticket(alice)
    with acting_as(ann):
        conversation.note(merged, Message(author=ann, body="Walrus"))
        merging.merge(merged, target)
    assert finds("pelican", alice, target)
    assert finds("pelican", bob, merged)
    assert finds("walrus", ann, target)
    assert not finds("walrus", alice, target)
    with acting_as(ann):
        merging.undo(Ticket.objects.get(pk=merged.pk))
    assert not finds("pelican", alice, target)
    assert finds("pelican", bob, merged)


def test_a_deleted_ticket_leaves_no_words(alice, ann):
    ticket = make_ticket(alice, subject="Pelican")
    with acting_as(ann):
        ticket.delete()
    assert not SearchDocument.objects.exists()
    assert not search(Ticket.objects.all(), "pelican", user=ann).exists()


def test_document_and_data_stand_or_fall_together(alice):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_ticket(alice, subject="Pelican")
        1 / 0  # noqa: B018
    assert not SearchDocument.objects.exists()
    assert not SubjectWord.objects.exists()


def test_filing_costs_few_queries_more(alice):
    with CaptureQueriesContext(connection) as queries:
        make_ticket(alice)
    about_search = [
        query["sql"] for query in queries if "search" in query["sql"] or "subjectword" in query["sql"]
    ]
    assert len(about_search) <= 2


# More than a document takes
def test_too_many_words_break_nothing_and_notes_push_nothing_out(alice, ann, monkeypatch):
    monkeypatch.setattr(documents, "MOST_PUBLIC", 300)
    monkeypatch.setattr(documents, "MOST_INTERNAL", 100)
    ticket = make_ticket(alice, subject="Printer", description="Pelican")
    with acting_as(ann):
        for number in range(20):
            conversation.note(ticket, Message(author=ann, body=f"Walrus note {number}"))
        conversation.reply(ticket, Message(author=ann, body="Ostrich"))
        for number in range(20):
            conversation.reply(ticket, Message(author=ann, body=f"More and more words {number}"))
        conversation.reply(ticket, Message(author=ann, body="Flamingo"))
    for words in ("printer", "pelican", "ostrich"):
        assert finds(words, alice, ticket)
    assert finds("walrus", ann, ticket)
    assert not finds("flamingo", alice, ticket)


@pytest.mark.parametrize(
    "text", ["x" * 20_000, "x " * 10_000, "東" * 20_000, " ".join(map(str, range(4000)))]
)
def test_the_longest_texts_are_kept(alice, ann, text):
    ticket = make_ticket(alice, subject="Printer", description=text[:20_000])
    with acting_as(ann):
        for _number in range(2):
            conversation.reply(ticket, Message(author=ann, body=text[:20_000]))
        conversation.reply(ticket, Message(author=ann, body="Flamingo"))
    assert finds("printer flamingo", alice, ticket)


def test_the_fullest_document_fits_into_the_database(alice):
    """Each word another one, as short and as long as they come."""
    ticket = make_ticket(alice)
    for length in (1, 2, 4, 60):
        many = tuple(f"{number:0{length}x}" for number in range(200_000))
        SearchDocument.objects.filter(pk=ticket.pk).update(
            words=database().document(Words((many,)).cut(MOST_PUBLIC + MOST_INTERNAL))
        )


# rebuild_search
def test_rebuild_makes_the_same_documents_again(found_by, alice, ann):
    def words():
        return dict(SearchDocument.objects.values_list("pk", "words"))

    typed = [typed for _name, typed, _alice, _ann in CASES]
    before = [found_by(one, user) for one in typed for user in (alice, ann)]
    SearchDocument.objects.all().delete()
    call_command("rebuild_search", stdout=StringIO())
    rebuilt = words()
    assert [found_by(one, user) for one in typed for user in (alice, ann)] == before
    call_command("rebuild_search", stdout=StringIO())
    assert words() == rebuilt


def test_rebuild_keeps_what_is_suggested_and_drops_what_stands_in_no_subject(alice, monkeypatch):
    make_ticket(alice, subject="Pelican")
    SubjectWord.objects.create(word="ostrich")
    meanwhile, build = [], documents.build

    def build_and_look(numbers):
        meanwhile.append(set(SubjectWord.objects.values_list("word", flat=True)))
        return build(numbers)

    monkeypatch.setattr(documents, "build", build_and_look)
    call_command("rebuild_search", "--missing", stdout=StringIO())
    call_command("rebuild_search", stdout=StringIO())
    assert meanwhile == [{"pelican", "ostrich"}]
    assert set(SubjectWord.objects.values_list("word", flat=True)) == {"pelican"}


def test_rebuild_of_the_missing_ones_leaves_the_others(alice, ann):
    kept, missing = make_ticket(alice), make_ticket(alice)
    SearchDocument.objects.filter(pk=missing.pk).delete()
    SearchDocument.objects.filter(pk=kept.pk).update(words="")
    out = StringIO()
    call_command("rebuild_search", "--missing", stdout=out)
    assert out.getvalue() == "The words of 1 ticket are ready to be searched.\n"
    assert finds("printer", alice, missing)
    assert not finds("printer", alice, kept)


def test_a_reply_to_a_ticket_without_a_document_makes_it_whole(alice, ann):
    ticket = make_ticket(alice)
    SearchDocument.objects.all().delete()
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Pelican"))
    assert finds("printer pelican", alice, ticket)


def test_demo_and_import_can_be_found(ann, alice, tmp_path):
    call_command("seed_demo", tickets=3, users=1, stdout=StringIO())
    file = tmp_path / "tickets.csv"
    file.write_text(f"subject,description,requester\nPelican,Walrus,{alice.email}\n")
    call_command("import_tickets", str(file), stdout=StringIO())
    assert SearchDocument.objects.count() == 4
    assert search(Ticket.objects.all(), "pelican walrus", user=alice).count() == 1


# Stemming
@pytest.mark.parametrize(
    ("language", "text", "typed", "is_found"),
    [
        ("simple", "The printers were printing", "printed", False),
        ("english", "The printers were printing", "printed", True),
        ("english", "The printers were printing", '"printer was"', False),
        ("english", "The printers were printing", "printi", False),
        ("english", "The printers were printing", "prin", True),
        ("german", "Die Häuser der Straßen", "Haus Straße", True),
        ("german", "Die Häuser der Straßen", "Haeusern Strassen", True),
        ("german", "Die Haeuser", "Häusern", True),
        ("english", "It doesn't print e-mails", "doesnt email", True),
        ("french", "Les imprimantes bloquées", "imprimante bloquée", True),
    ],
)
def test_language(settings, alice, language, text, typed, is_found):
    settings.SEARCH_LANGUAGE = language
    assert finds(typed, alice, make_ticket(alice, subject=text)) == is_found


# Many hits
def test_more_hits_than_are_fetched_are_found_all_the_same(found_by, alice, ann, monkeypatch):
    typed = [typed for _name, typed, _alice, _ann in CASES]
    before = [found_by(one, user) for one in typed for user in (alice, ann)]
    monkeypatch.setattr(finding, "MOST_FETCHED", 0)
    assert [found_by(one, user) for one in typed for user in (alice, ann)] == before


def test_word_of_most_of_the_newest_tickets_is_taken_for_a_common_one(alice, ann, monkeypatch):
    """PostgreSQL then does not look for all of them; what is found stays the same."""
    for number in range(30):
        make_ticket(alice, subject=f"Printer {number}")
    monkeypatch.setattr(finding, "MOST_FETCHED", 0)
    common = finding.Search("printer", user=ann)
    assert common.numbers is None
    assert common.filter(Ticket.objects.all()).count() == 30
    monkeypatch.setattr(finding, "MOST_FETCHED", 2000)
    assert len(finding.Search("printer", user=ann).numbers) == 30


def test_numbers(alice, bob, ann):
    ticket = make_ticket(alice)
    number = ticket.pk
    other = make_ticket(alice, subject=f"As in {number}, but worse")
    found = {
        typed: set(search(Ticket.objects.all(), typed, user=ann).values_list("pk", flat=True))
        for typed in (
            f"#{number}",
            f" #{number} ",
            str(number),
            f"{number} worse",
            "#99999999999999999999",
            "#",
        )
    }
    assert list(found.values()) == [{number}, {number}, {number, other.pk}, {other.pk}, set(), set()]


# Wrong filters
@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("stauts:waiting", "There is no filter “stauts:”. Did you mean status:waiting?"),
        ("status:wating", "“wating” is not a valid value for “status:”. Did you mean status:waiting?"),
        ("category:emial", "“emial” is not a valid value for “category:”. Did you mean category:email?"),
        ("priority:urgnet", "“urgnet” is not a valid value for “priority:”. Did you mean priority:urgent?"),
        ("is:opne", "“opne” is not a valid value for “is:”. Did you mean is:open?"),
        ("has:flie", "“flie” is not a valid value for “has:”. Did you mean has:file?"),
        ("status:", "“status:” needs a value. Did you mean status:waiting?"),
        ("before:01.11.2026", "“01.11.2026” is not a date like 2026-11-01 or -7d."),
        ("assignee:wbeer", "“wbeer” is not a valid value for “assignee:”. Did you mean assignee:weber?"),
        (
            "requester:moraeu",
            "“moraeu” is not a valid value for “requester:”. Did you mean requester:moreau?",
        ),
        ("requester:moreau", ""),
        ("https://example.com error:12", ""),
        ("note: call", ""),
    ],
)
def test_wrong_filters_say_so_and_name_the_nearest(alice, ann, typed, problem):
    make_ticket(alice)
    assert " ".join(Search(typed, user=ann).problems) == problem


@pytest.mark.parametrize("typed", ["after:0001-01-01", "before:0001-01-01"])
def test_day_before_all_times_is_a_wrong_one(alice, typed):
    with timezone.override("Asia/Tokyo"):
        asked = Search(typed, user=alice)
        assert asked.problems == ["“0001-01-01” is not a date like 2026-11-01 or -7d."]
        assert not asked.filter(Ticket.objects.all()).exists()


@pytest.mark.parametrize("typed", ["assignee:ann", "requester:alice", "requester:nobody"])
def test_filters_of_staff_do_not_exist_for_others(alice, typed):
    name = typed.partition(":")[0]
    assert f"There is no filter “{name}:”." in Search(typed, user=alice).problems[0]
