"""Everything that can happen to a ticket: the table of events, and the custom signal of the pipe.

EVENTS holds all facts about a verb. Other rooms read it; none keeps a table of verbs of its own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from django.db.models import TextChoices
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from tickets.rules.workflow import TAKE_BACK_PERIOD, UNDO_PERIOD


class Verb(StrEnum):
    """The name of an event, as the log stores it."""

    CREATED = "created"
    STATUS_CHANGED = "status_changed"
    ASSIGNED = "assigned"
    EDITED = "edited"
    UNDONE = "undone"
    FILE_ADDED = "file_added"
    FILE_REMOVED = "file_removed"
    REPLIED = "replied"
    NOTED = "noted"
    TAKEN_BACK = "taken_back"
    WATCHER_ADDED = "watcher_added"
    WATCHER_REMOVED = "watcher_removed"
    LINKED = "linked"
    UNLINKED = "unlinked"
    REMINDED = "reminded"
    CONFIRMED = "confirmed"
    NOT_FIXED = "not_fixed"
    FEEDBACK = "feedback"
    MERGED = "merged"
    UNMERGED = "unmerged"
    DELETED = "deleted"


class Audience(TextChoices):
    """Why a person is notified. The label completes "You get this mail because"."""

    REQUESTER = "requester", _("this is your ticket")
    ASSIGNEE = "assignee", _("this ticket is assigned to you")
    CATEGORY = "category", _("you are notified about new tickets in this category")
    UNCLAIMED = "unclaimed", _("this ticket is unassigned and you are notified about its category")
    WATCHER = "watcher", _("you watch this ticket")
    MENTIONED = "mentioned", _("an internal note on this ticket mentions you")
    FORMER = "former", _("this ticket was assigned to you")
    FALLBACK = "fallback", _("no one else is notified about its category")


class Thing(StrEnum):
    """The object that is saved or deleted by an event."""

    TICKET = "ticket"
    MESSAGE = "message"
    FILE = "file"
    WATCHER = "watcher"
    LINK = "link"


class Step(StrEnum):
    """Whether an event adds, changes or removes its Thing."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


CHANGED_FOLDER = "changed"  # the folder of the email that lists changes as sentences


@dataclass(frozen=True, kw_only=True)
class Event:
    """All facts about one verb."""

    label: str
    # Whether the requester may see the event. Otherwise it is left out of everything the requester sees.
    is_public: bool
    thing: Thing = Thing.TICKET
    step: Step = Step.CHANGED
    # The ticket fields whose change is this event. A change of any other field is EDITED.
    fields: tuple[str, ...] = ()
    # Fields that belong to this event if they change together with the first of `fields`.
    companions: tuple[str, ...] = ()
    # Fields that make this event if they become empty.
    emptied: tuple[str, ...] = ()
    # False: shown together with the event of the same act, not as a separate entry.
    stands_alone: bool = True
    # Who is notified, in this order, and the field of MailPreferences that decides how. The actor is never
    # notified, except the requester who files a ticket and gets the receipt.
    audiences: Mapping[Audience, str] = field(default_factory=dict)
    # Who else is notified if the event moves the ticket to another category: as for a new ticket.
    audiences_of_move: Mapping[Audience, str] = field(default_factory=dict)
    # How long the outbox delays the email, and how long it does if the act can be undone.
    hold: timedelta = timedelta()
    hold_to_undo: timedelta = timedelta()
    # The folder in templates/emails/, and the audiences that have a folder of their own.
    folder: str = CHANGED_FOLDER
    folders: Mapping[Audience, str] = field(default_factory=dict)
    # The sentence on the timeline. If it needs code: the name of a row of history.sentences.
    sentence: str = ""
    wording: str = "fields"

    def __post_init__(self):
        audiences = self.audiences.keys() | self.audiences_of_move.keys()
        if not self.is_public and Audience.REQUESTER in audiences:
            raise ValueError(f"{self.label}: the requester can't be told of an internal event.")

    @property
    def is_whole(self) -> bool:
        """Whether its rows in the log hold all fields of a ticket."""
        return self.thing == Thing.TICKET and self.step != Step.CHANGED

    @property
    def says(self) -> bool:
        """Whether a person wrote a message."""
        return self.thing == Thing.MESSAGE and self.step == Step.ADDED

    def may_set(self, name: str) -> bool:
        """Whether it can set the ticket field `name`."""
        return name in self.fields or (self.thing == Thing.TICKET and self.step == Step.ADDED)

    def concerns(self, name: str) -> bool:
        """Whether it is a change of the ticket field `name` alone."""
        return name in self.fields or name in self.emptied

    def held(self, *, may_undo: bool) -> timedelta:
        """Returns how long its emails wait. `may_undo`: whether its author can undo it."""
        return max(self.hold, self.hold_to_undo) if may_undo else self.hold

    def wish_of(self, audience: str) -> str:
        return self.audiences[audience] if audience in self.audiences else self.audiences_of_move[audience]

    def folder_for(self, audience: str) -> str:
        return self.folders.get(audience, self.folder)


class UndescribedEvent(LookupError):
    """EVENTS has no row for the verb."""


class Events(dict[str, Event]):
    def __missing__(self, verb):
        raise UndescribedEvent(f"“{verb}” has no Event. Describe it in tickets/rules/events.py first.")


def _all_by(wish: str, *audiences: Audience) -> dict[Audience, str]:
    return dict.fromkeys(audiences, wish)


# If one email reports several events, the first of them in this table with a folder of its own chooses it.
EVENTS = Events(
    {
        Verb.REPLIED: Event(
            label=_("public reply"),
            is_public=True,
            thing=Thing.MESSAGE,
            step=Step.ADDED,
            audiences=_all_by(
                "answers",
                *(Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER, Audience.MENTIONED),
                *(Audience.UNCLAIMED, Audience.FALLBACK),
            ),
            hold=TAKE_BACK_PERIOD,
            folder="said",
            sentence=_("%(actor)s wrote:"),
        ),
        Verb.NOTED: Event(
            label=_("internal note"),
            is_public=False,
            thing=Thing.MESSAGE,
            step=Step.ADDED,
            audiences=_all_by(
                "notes", Audience.MENTIONED, Audience.ASSIGNEE, Audience.WATCHER, Audience.UNCLAIMED
            ),
            folder="said",
            sentence=_("%(actor)s wrote an internal note:"),
        ),
        Verb.CREATED: Event(
            label=_("submitted"),
            is_public=True,
            step=Step.ADDED,
            audiences={
                Audience.REQUESTER: "receipts",
                Audience.ASSIGNEE: "assignments",
                Audience.CATEGORY: "new_tickets",
                Audience.FALLBACK: "new_tickets",
            },
            folder="filed",
            folders={Audience.REQUESTER: "receipt"},
            wording="filing",
        ),
        Verb.REMINDED: Event(
            label=_("requester reminded"),
            is_public=True,
            fields=("reminded_at",),
            companions=("closes_at",),
            audiences=_all_by("statuses", Audience.REQUESTER),
            folder="reminder",
            wording="reminder",
        ),
        Verb.EDITED: Event(
            label=_("edited"),
            is_public=True,
            audiences=_all_by("edits", Audience.REQUESTER, Audience.ASSIGNEE),
            audiences_of_move={
                Audience.FORMER: "edits",
                Audience.CATEGORY: "new_tickets",
                Audience.FALLBACK: "new_tickets",
            },
            hold_to_undo=UNDO_PERIOD,
            folders={Audience.CATEGORY: "moved", Audience.FALLBACK: "moved"},
        ),
        Verb.STATUS_CHANGED: Event(
            label=_("status changed"),
            is_public=True,
            fields=("status", "waiting_for", "wakes_on"),
            emptied=("reminded_at", "confirmed_at"),
            audiences=_all_by("statuses", Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER),
            hold_to_undo=UNDO_PERIOD,
        ),
        Verb.ASSIGNED: Event(
            label=_("assigned"),
            is_public=True,
            fields=("assignee",),
            companions=("assigned_because",),
            audiences=_all_by("assignments", Audience.REQUESTER, Audience.ASSIGNEE),
            hold_to_undo=UNDO_PERIOD,
        ),
        # A change of details was undone before anyone was notified. It has the batch of that change.
        Verb.UNDONE: Event(
            label=_("change undone"),
            is_public=True,
            wording="undoing",
        ),
        Verb.CONFIRMED: Event(
            label=_("confirmed by the requester"),
            is_public=True,
            fields=("confirmed_at",),
            sentence=_("%(actor)s confirmed that it is solved."),
        ),
        # No one is notified: the reply of the same act is what people receive.
        Verb.NOT_FIXED: Event(
            label=_("reported as not solved"),
            is_public=True,
            fields=("not_fixed_at",),
            sentence=_("%(actor)s reported that it is not solved."),
        ),
        # Not public, so that the requester can be frank: watchers don't see it.
        Verb.FEEDBACK: Event(
            label=_("feedback given"),
            is_public=False,
            fields=("feedback",),
            wording="feedback",
        ),
        Verb.MERGED: Event(
            label=_("merged"),
            is_public=True,
            fields=("merged_into",),
            audiences=_all_by("edits", Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER),
            wording="merging",
        ),
        Verb.UNMERGED: Event(
            label=_("merge undone"),
            is_public=True,
            emptied=("merged_into",),
            audiences=_all_by("edits", Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER),
            sentence=_("%(actor)s undid the merge of %(number)s into %(old)s."),
        ),
        Verb.DELETED: Event(
            label=_("deleted"),
            is_public=True,
            step=Step.REMOVED,
            audiences=_all_by("edits", Audience.REQUESTER, Audience.ASSIGNEE),
            folder="deleted",
            wording="removal",
        ),
        # Removing a public reply is visible to everybody, because the reply is gone (timeline.taken_back).
        Verb.TAKEN_BACK: Event(
            label=_("send undone"),
            is_public=False,
            thing=Thing.MESSAGE,
            step=Step.REMOVED,
            sentence=_("%(actor)s undid sending a message."),
        ),
        Verb.FILE_ADDED: Event(
            label=_("file added"),
            is_public=True,
            thing=Thing.FILE,
            step=Step.ADDED,
            stands_alone=False,
            sentence=_("%(actor)s added the file “%(name)s”."),
        ),
        Verb.FILE_REMOVED: Event(
            label=_("file removed"),
            is_public=True,
            thing=Thing.FILE,
            step=Step.REMOVED,
            stands_alone=False,
            sentence=_("%(actor)s removed the file “%(name)s”."),
        ),
        Verb.WATCHER_ADDED: Event(
            label=_("watcher added"),
            is_public=True,
            thing=Thing.WATCHER,
            step=Step.ADDED,
            wording="watching",
        ),
        Verb.WATCHER_REMOVED: Event(
            label=_("watcher removed"),
            is_public=True,
            thing=Thing.WATCHER,
            step=Step.REMOVED,
            wording="watching",
        ),
        Verb.LINKED: Event(
            label=_("linked"),
            is_public=False,
            thing=Thing.LINK,
            step=Step.ADDED,
            sentence=_("%(actor)s added a link: this ticket %(link)s."),
        ),
        Verb.UNLINKED: Event(
            label=_("link removed"),
            is_public=False,
            thing=Thing.LINK,
            step=Step.REMOVED,
            sentence=_("%(actor)s removed a link: this ticket %(link)s."),
        ),
    }
)


def validate(table: Mapping[str, Event]) -> None:
    """Raises UndescribedEvent if a verb has no Event, and ValueError if two events claim one field."""
    for verb in Verb:
        table[verb]
    for claims in ("fields", "emptied", "companions"):
        claimed = [name for event in table.values() for name in getattr(event, claims)]
        if len(claimed) > len(set(claimed)):
            raise ValueError(f"Two events claim one field: {claims} {sorted(claimed)}")


validate(EVENTS)
# In the order of Verb, which forms and filters use.
CHOICES = [(verb.value, EVENTS[verb].label) for verb in Verb]


def choices() -> list[tuple[str, str]]:
    """Returns the choices of a model field. Migrations name this function, so a new event needs no
    migration.
    """
    return CHOICES


def verbs(condition) -> list[str]:
    """Returns the verbs whose Event meets `condition`."""
    return [str(verb) for verb, event in EVENTS.items() if condition(event)]


def verbs_setting(name: str) -> list[str]:
    """Returns the verbs that can set the ticket field `name`. A field without a verb of its own is edited."""
    return verbs(lambda event: event.may_set(name) or event is EVENTS[Verb.EDITED])


def verbs_of_fields(names: Collection[str], emptied: Collection[str]) -> dict[str, str]:
    """Returns {field: verb} for the changed fields of a ticket. Those in `emptied` have no value now."""
    changed, emptying, leaders = {}, {}, {}
    for verb, event in EVENTS.items():
        changed.update(dict.fromkeys(event.fields, verb))
        emptying.update(dict.fromkeys(event.emptied, verb))
        leaders.update((name, event.fields[0]) for name in event.companions)
    found = {}
    for name in names:
        leader = leaders.get(name, name)
        decides = leader if leader in names else name
        is_emptied = decides in emptied
        found[name] = (is_emptied and emptying.get(leader)) or changed.get(leader, Verb.EDITED)
    return found


def folder_for(happened: Iterable[str], audience: str) -> str:
    """Returns the folder of the email that notifies `audience` of these verbs."""
    happened = set(happened)
    folders = (event.folder_for(audience) for verb, event in EVENTS.items() if verb in happened)
    return next((folder for folder in folders if folder != CHANGED_FOLDER), CHANGED_FOLDER)


def not_emailed(changes: Mapping[str, list]) -> list[int]:
    """Returns the people whom the author of a logged reply left out of its emails."""
    return changes.get("not_emailed", (None, None))[1] or []


# Sent once for each ActivityLog row, or for all rows of recording.together(), inside their transaction.
# Arguments: sender=ActivityLog, activities.
activity_recorded = Signal()
# Sent for Notification rows that are inserted at once, which sends no post_save.
# Arguments: sender=Notification, notifications.
notifications_queued = Signal()
