"""Updates the search document of each ticket, in the transaction of the change.

Appends added text to the document, and rebuilds the document after other changes. The document of a ticket
includes the tickets that are merged into it, because its page shows them (tickets.history.story).
"""

from collections.abc import Iterable
from time import monotonic

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Func, Q, Value

from helpdesk.readings import all_words
from tickets.models import ActivityLog, Attachment, Comment, SearchDocument, SubjectWord, Ticket
from tickets.models.search_document import EDITION, WordsField
from tickets.rules.events import EVENTS, Step, Thing
from tickets.search.database import database
from tickets.search.matching import (
    INTERNAL,
    MOST_INTERNAL,
    MOST_PUBLIC,
    PUBLIC,
    REQUESTER,
    SUBJECT,
    Words,
    marked,
)
from tickets.search.words import stems_of, stems_of_others

BATCH = 500
RENEWING, RENEWED_AT_ONCE = 2, 100  # seconds per run, tickets per transaction
SEARCHED_OF_TICKETS = {"subject", "description", "requester", "merged_into"}
SEARCHED_OF_PEOPLE = ("full_name", "email", "department")
SHORTEST_SUGGESTION = 4  # letters
MOST_DIFFERENT = 40_000  # distinct words of one document, because stemming a word takes 25 µs


class Appended(Func):
    """Appends words to the column."""

    template, arg_joiner = "%(expressions)s", " || "

    def __init__(self, more: Words):
        field = WordsField()
        super().__init__(F("words"), Value(database().document(more), output_field=field), output_field=field)


def note(activity: ActivityLog) -> None:
    """Updates the documents for one row of the log."""
    new = {name: after for name, (_before, after) in activity.changes.items()}
    number, event = activity.ticket_id, EVENTS[activity.verb]
    match event.thing, event.step:
        case Thing.TICKET, Step.ADDED:
            _file(activity, new)
        case Thing.TICKET, Step.CHANGED if new.keys() & SEARCHED_OF_TICKETS:
            build([number, *filter(None, activity.changes.get("merged_into", ()))])
        case Thing.MESSAGE, Step.ADDED if event.is_public:
            _append(number, public=_said(new["body"], PUBLIC))
        case Thing.MESSAGE, Step.ADDED:
            _append(number, internal=_said(new["body"], INTERNAL))
        case Thing.FILE, Step.ADDED:
            _append(number, internal=_said(new["name"], INTERNAL))
        case ((Thing.MESSAGE | Thing.FILE), Step.REMOVED):
            build([number])


@transaction.atomic
def build(numbers: Iterable[int]) -> int:
    """Rebuilds the documents of these tickets and of the tickets that they are merged into.

    Returns their number.
    """
    asked = Ticket.objects.filter(pk__in=list(numbers)).order_by("pk").values_list("pk", "merged_into")
    wanted = sorted({number for row in asked for number in row if number})
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        _lock(part)
        _keep(_gather(part))
    return len(wanted)


def renew(*, seconds: float = RENEWING) -> int:
    """Rebuilds documents of older editions for about `seconds`. Returns their number."""
    end, done = monotonic() + seconds, 0
    old = SearchDocument.objects.old().order_by("pk").values_list("pk", flat=True)
    while monotonic() < end and (numbers := list(old[:RENEWED_AT_ONCE])):
        done += build(numbers)
    return done


def remember_person(person, update_fields: Iterable[str] | None) -> None:
    """Remembers the stored values before `person` is saved, if searchable fields may change."""
    person._searched_before = None
    if person.pk and (update_fields is None or set(update_fields) & set(SEARCHED_OF_PEOPLE)):
        rows = type(person).objects.filter(pk=person.pk).values_list(*SEARCHED_OF_PEOPLE)
        person._searched_before = rows.first()


def note_person(person) -> None:
    """Updates the documents after `person` was saved with another name, address or department."""
    before = person.__dict__.pop("_searched_before", None)
    if before and before != _searched_of(person):
        build(Ticket.objects.filter(requester=person).order_by().values_list("pk", flat=True))


def note_people(people: Iterable[int]) -> None:
    """Marks the documents of the tickets of these people as old. The worker rebuilds them (renew()).

    A list of people may have more tickets than a request can wait for.
    """
    own = Ticket.objects.filter(requester__in=list(people)).order_by()
    targets = own.exclude(merged_into=None).values("merged_into")
    for numbers in (own.values("pk"), targets):
        SearchDocument.objects.filter(ticket__in=numbers).update(edition=EDITION - 1)


def _file(activity: ActivityLog, new: dict) -> None:
    """Creates the document of a new ticket from the row of the log, without a query in most cases."""
    is_own = activity.actor_id == new["requester"]
    person = activity.actor if is_own else get_user_model().objects.get(pk=new["requester"])
    draft = DocumentBuilder()
    draft.add_ticket(new["subject"], new["description"] or "", _searched_of(person))
    _keep({activity.ticket_id: draft})


def _searched_of(person) -> tuple[str, ...]:
    return tuple(getattr(person, name) for name in SEARCHED_OF_PEOPLE)


def _read(text: str, mark: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The words of `text`, and those of its other spellings."""
    return marked(stems_of(text), mark), [marked(words, mark) for words in stems_of_others(text)]


def _said(text: str, mark: str) -> Words:
    words, others = _read(text or "", mark)
    return Words((words, *others))


def _append(number: int, *, public: Words = Words(), internal: Words = Words()) -> None:  # noqa: B008 - frozen
    more = public + internal
    row = SearchDocument.objects.filter(pk=number)
    with_room = row.filter(
        public_size__lte=max(0, MOST_PUBLIC - public.size),
        internal_size__lte=max(0, MOST_INTERNAL - internal.size),
    )
    done = with_room.update(
        words=Appended(more),
        public_size=F("public_size") + public.size,
        internal_size=F("internal_size") + internal.size,
    )
    if not done:
        _append_what_fits(number, public, internal)


def _append_what_fits(number: int, public: Words, internal: Words) -> None:
    """Appends to a document that is nearly full or missing."""
    sizes = SearchDocument.objects.select_for_update().filter(pk=number)
    if (size := sizes.values_list("public_size", "internal_size").first()) is None:
        build([number])
        return
    public, internal = public.cut(MOST_PUBLIC - size[0]), internal.cut(MOST_INTERNAL - size[1])
    if public.size or internal.size:
        SearchDocument.objects.filter(pk=number).update(
            words=Appended(public + internal),
            public_size=size[0] + public.size,
            internal_size=size[1] + internal.size,
        )


class DocumentBuilder:
    """Collects the texts of one ticket for its document. Ignores further texts when it is full."""

    def __init__(self):
        self.public, self.internal, self.subjects = Texts(MOST_PUBLIC), Texts(MOST_INTERNAL), []

    def add_ticket(self, subject: str, description: str, person: Iterable[str]) -> None:
        self.subjects.append(subject)
        for mark in (SUBJECT, PUBLIC):
            self.public.add(*_read(subject, mark))
        if not self.public.is_full:
            self.public.add(*_read(description, PUBLIC))
        for text in person:
            self.internal.add(*_read(text, REQUESTER))

    def document(self, number: int) -> SearchDocument:
        public, internal = self.public.words(), self.internal.words()
        return SearchDocument(
            ticket_id=number,
            words=database().document(public + internal),
            public_size=public.size,
            internal_size=internal.size,
            edition=EDITION,
        )


class Texts:
    """Words of texts, up to `most` bytes. If space is short, other spellings are left out first."""

    def __init__(self, most: int):
        self.most, self.size = most, 0
        self.texts: list[tuple[str, ...]] = []
        self.others: list[tuple[str, ...]] = []
        self.different: set[str] = set()

    @property
    def is_full(self) -> bool:
        return self.size > self.most or len(self.different) > MOST_DIFFERENT

    def add(self, text: tuple[str, ...], others: Iterable[tuple[str, ...]] = ()) -> None:
        self.texts.append(text)
        self.others += others
        self.different.update(text)
        self.size += Words((text,)).size

    def words(self) -> Words:
        return Words((*self.texts, *self.others)).cut(self.most)


def _lock(numbers: list[int]) -> None:
    """Locks these documents until the end of the transaction, so that the texts read now are complete."""
    SearchDocument.objects.bulk_create(
        [SearchDocument(ticket_id=number) for number in numbers], ignore_conflicts=True
    )
    list(SearchDocument.objects.select_for_update().filter(pk__in=numbers).order_by("pk").values_list("pk"))


def _gather(numbers: list[int]) -> dict[int, DocumentBuilder]:
    """The texts of these tickets, by number."""
    drafts = {number: DocumentBuilder() for number in numbers}
    tellers: dict[int, set[int]] = {}
    people = [f"requester__{name}" for name in SEARCHED_OF_PEOPLE]
    sources = Ticket.objects.filter(Q(pk__in=numbers) | Q(merged_into__in=numbers)).order_by("pk")
    rows = sources.values_list("pk", "merged_into", "subject", "description", *people)
    for number, target, subject, description, *person in rows:
        tellers[number] = {number, target} & drafts.keys()
        for teller in tellers[number]:
            drafts[teller].add_ticket(subject, description, person)
    comments = Comment.objects.filter(ticket__in=tellers).order_by("pk")
    for number, body, is_public in comments.values_list("ticket", "body", "is_public"):
        mark = PUBLIC if is_public else INTERNAL
        builders = [drafts[teller] for teller in tellers[number]]
        texts = [draft.public if is_public else draft.internal for draft in builders]
        if with_room := [part for part in texts if not part.is_full]:
            read = _read(body, mark)
            for part in with_room:
                part.add(*read)
    files = Attachment.objects.filter(ticket__in=tellers).order_by("pk")
    for number, name in files.values_list("ticket", "name"):
        for teller in tellers[number]:
            drafts[teller].internal.add(*_read(name, INTERNAL))
    return drafts


def _keep(drafts: dict[int, DocumentBuilder]) -> None:
    SearchDocument.objects.bulk_create(
        [draft.document(number) for number, draft in drafts.items()],
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["words", "public_size", "internal_size", "edition"],
    )
    words = suggested(subject for draft in drafts.values() for subject in draft.subjects)
    SubjectWord.objects.bulk_create([SubjectWord(word=word) for word in sorted(words)], ignore_conflicts=True)


def suggested(subjects: Iterable[str]) -> set[str]:
    """The words of subjects that somebody who misspelt one may have meant."""
    words = (word for subject in subjects for word in all_words(subject))
    return {word for word in words if len(word) >= SHORTEST_SUGGESTION and word.isalpha()}
