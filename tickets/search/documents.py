"""Keeps the document of each ticket, in the transaction of what it is about.

What is added to a ticket is put behind its document; what is changed or taken away has it made anew. A ticket
that others are merged into tells their stories (tickets.story), so their words are its own.
"""

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Func, Q, Value

from tickets.events import Verb
from tickets.models import ActivityLog, Attachment, Comment, SearchDocument, SubjectWord, Ticket
from tickets.models.search_document import WordsField
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
from tickets.search.words import stems_of, words_of

BATCH = 500
SEARCHED_OF_PEOPLE = ("full_name", "email", "department")
SHORTEST_SUGGESTION = 4  # letters
MOST_DIFFERENT = 40_000  # words of one document: to find the stem of a word takes 25 µs


class Appended(Func):
    """The words of the row and then others."""

    template, arg_joiner = "%(expressions)s", " || "

    def __init__(self, more: Words):
        field = WordsField()
        super().__init__(F("words"), Value(more, output_field=field), output_field=field)


def note(activity: ActivityLog) -> None:
    """Takes one row of the log into the documents."""
    new = {name: after for name, (_before, after) in activity.changes.items()}
    number = activity.ticket_id
    match activity.verb:
        case Verb.CREATED:
            _file(activity, new)
        case Verb.REPLIED:
            _append(number, public=_said(new["body"], PUBLIC))
        case Verb.NOTED:
            _append(number, internal=_said(new["body"], INTERNAL))
        case Verb.FILE_ADDED:
            _append(number, internal=_said(new["name"], INTERNAL))
        case Verb.TAKEN_BACK | Verb.FILE_REMOVED:
            build([number])
        case Verb.EDITED if new.keys() & {"subject", "description", "requester"}:
            build([number])
        case Verb.MERGED | Verb.UNMERGED:
            build([number, *filter(None, activity.changes["merged_into"])])


@transaction.atomic
def build(numbers: Iterable[int]) -> int:
    """Makes the documents of these tickets anew, and those of the tickets that they are merged into.

    Returns how many.
    """
    asked = Ticket.objects.filter(pk__in=list(numbers)).order_by("pk").values_list("pk", "merged_into")
    wanted = sorted({number for row in asked for number in row if number})
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        _lock(part)
        _keep(_gather(part))
    return len(wanted)


def remember_person(person, update_fields: Iterable[str] | None) -> None:
    """Before `person` is saved: keeps what is stored, if something that is searched may be written."""
    person._searched_before = None
    if person.pk and (update_fields is None or set(update_fields) & set(SEARCHED_OF_PEOPLE)):
        rows = type(person).objects.filter(pk=person.pk).values_list(*SEARCHED_OF_PEOPLE)
        person._searched_before = rows.first()


def note_person(person) -> None:
    """After `person` was saved: the tickets are found by the new name, address and department."""
    before = person.__dict__.pop("_searched_before", None)
    if before and before != _searched_of(person):
        build(Ticket.objects.filter(requester=person).order_by().values_list("pk", flat=True))


def _file(activity: ActivityLog, new: dict) -> None:
    """The first document of a new ticket, from what the log says. Most people file their own."""
    is_own = activity.actor_id == new["requester"]
    person = activity.actor if is_own else get_user_model().objects.get(pk=new["requester"])
    draft = Draft()
    draft.add_ticket(new["subject"], new["description"] or "", _searched_of(person))
    _keep({activity.ticket_id: draft})


def _searched_of(person) -> tuple[str, ...]:
    return tuple(getattr(person, name) for name in SEARCHED_OF_PEOPLE)


def _said(text: str, mark: str) -> Words:
    return Words((marked(stems_of(text or ""), mark),))


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
    """To a document that is nearly full, or is missing."""
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


class Draft:
    """The texts of one ticket on their way into its document. What comes when it is full is not read."""

    def __init__(self):
        self.public, self.internal, self.subjects = Texts(MOST_PUBLIC), Texts(MOST_INTERNAL), []

    def add_ticket(self, subject: str, description: str, person: Iterable[str]) -> None:
        stems = stems_of(subject)
        self.subjects.append(subject)
        for words in (marked(stems, SUBJECT), tuple(stems)):
            self.public.add(words)
        if not self.public.is_full:
            self.public.add(tuple(stems_of(description)))
        for text in person:
            self.internal.add(marked(stems_of(text), REQUESTER))

    def document(self, number: int) -> SearchDocument:
        public, internal = self.public.words(), self.internal.words()
        return SearchDocument(
            ticket_id=number, words=public + internal, public_size=public.size, internal_size=internal.size
        )


class Texts:
    """Words of texts, up to `most` bytes."""

    def __init__(self, most: int):
        self.most, self.size = most, 0
        self.texts: list[tuple[str, ...]] = []
        self.different: set[str] = set()

    @property
    def is_full(self) -> bool:
        return self.size > self.most or len(self.different) > MOST_DIFFERENT

    def add(self, text: tuple[str, ...]) -> None:
        self.texts.append(text)
        self.different.update(text)
        self.size += Words((text,)).size

    def words(self) -> Words:
        return Words(tuple(self.texts)).cut(self.most)


def _lock(numbers: list[int]) -> None:
    """Until this transaction ends nobody else writes these documents: what is read now is all there is."""
    SearchDocument.objects.bulk_create(
        [SearchDocument(ticket_id=number) for number in numbers], ignore_conflicts=True
    )
    list(SearchDocument.objects.select_for_update().filter(pk__in=numbers).order_by("pk").values_list("pk"))


def _gather(numbers: list[int]) -> dict[int, Draft]:
    """What the tickets of these numbers tell, by number."""
    drafts = {number: Draft() for number in numbers}
    tellers: dict[int, set[int]] = {}
    people = [f"requester__{name}" for name in SEARCHED_OF_PEOPLE]
    telling = Ticket.objects.filter(Q(pk__in=numbers) | Q(merged_into__in=numbers)).order_by("pk")
    rows = telling.values_list("pk", "merged_into", "subject", "description", *people)
    for number, target, subject, description, *person in rows:
        tellers[number] = {number, target} & drafts.keys()
        for teller in tellers[number]:
            drafts[teller].add_ticket(subject, description, person)
    comments = Comment.objects.filter(ticket__in=tellers).order_by("pk")
    for number, body, is_public in comments.values_list("ticket", "body", "is_public"):
        mark = PUBLIC if is_public else INTERNAL
        told = [drafts[teller] for teller in tellers[number]]
        texts = [draft.public if is_public else draft.internal for draft in told]
        if with_room := [part for part in texts if not part.is_full]:
            words = marked(stems_of(body), mark)
            for part in with_room:
                part.add(words)
    files = Attachment.objects.filter(ticket__in=tellers).order_by("pk")
    for number, name in files.values_list("ticket", "name"):
        for teller in tellers[number]:
            drafts[teller].internal.add(marked(stems_of(name), INTERNAL))
    return drafts


def _keep(drafts: dict[int, Draft]) -> None:
    SearchDocument.objects.bulk_create(
        [draft.document(number) for number, draft in drafts.items()],
        update_conflicts=True,
        unique_fields=["ticket"],
        update_fields=["words", "public_size", "internal_size"],
    )
    words = suggested(subject for draft in drafts.values() for subject in draft.subjects)
    SubjectWord.objects.bulk_create([SubjectWord(word=word) for word in sorted(words)], ignore_conflicts=True)


def suggested(subjects: Iterable[str]) -> set[str]:
    """The words of subjects that somebody who misspelt one may have meant."""
    words = (word for subject in subjects for word in words_of(subject))
    return {word for word in words if len(word) >= SHORTEST_SUGGESTION and word.isalpha()}
