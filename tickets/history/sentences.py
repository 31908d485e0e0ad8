"""Puts the activity log into sentences: one for each change, written for the person who reads it.

Most events have a template in tickets.rules.events. WORDINGS has a function for each of the others, and
FIELDS has the sentence of each field of a ticket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.history.waiting_words import reminder_sentences, waiting_sentence
from tickets.models import ActivityLog, Because, Category, Status, Ticket, TicketLink
from tickets.rules.events import EVENTS, Step, Thing, Verb, not_emailed
from tickets.rules.typed import isolated
from tickets.rules.workflow import Phase

# The fields that a person changes. The others follow from them.
CHOSEN = ("subject", "description", "category", "status", "priority", "assignee", "waiting_for", "wakes_on")


class SentenceBuilder:
    """Turns rows of the log (or LogRow of tickets.history.story) into sentences.

    Loads the names for all rows at once. `page` is the number of the ticket whose page shows the sentences;
    `find_people` loads people by primary key.
    """

    def __init__(
        self,
        activities: list[ActivityLog],
        *,
        reader,
        page: int | None = None,
        find_people: Callable[[set[int]], dict] | None = None,
    ):
        self.reader, self.page = reader, page
        ids = {name: set() for name in ("status", "category", "assignee", "requester", "person")}
        for activity in activities:
            for name in self._named(activity) & ids.keys():
                ids[name].update(value for value in activity.changes[name] if value)
        actors = {activity.actor_id for activity in activities if activity.actor_id}
        reminded = {activity.ticket_id for activity in activities if activity.verb == Verb.REMINDED}
        requesters = Ticket.objects.filter(pk__in=reminded).values_list("pk", "requester")
        self.requesters = dict(requesters) if reminded else {}
        ids["requester"].update(self.requesters.values())
        left_out = {person for activity in activities for person in not_emailed(activity.changes)}
        people = ids["assignee"] | ids["requester"] | ids["person"] | actors | left_out
        self.people = (find_people or get_user_model().objects.in_bulk)(people)
        self.statuses = Status.objects.in_bulk(ids["status"]) if ids["status"] else {}
        self.categories = Category.objects.in_bulk(ids["category"]) if ids["category"] else {}

    @staticmethod
    def _named(activity: ActivityLog) -> set[str]:
        """Returns the changes that a sentence names."""
        names = set(activity.changes)
        return names & {"requester", "assignee"} if EVENTS[activity.verb].is_whole else names

    def sentences(self, activity: ActivityLog) -> list[str]:
        event = EVENTS[activity.verb]
        if not event.sentence:
            return WORDINGS[event.wording](self, self.actor(activity), activity)
        side = 0 if event.step == Step.REMOVED else 1
        values = VALUES.get(event.thing, no_values)(activity.changes, side)
        return [str(event.sentence) % {"actor": self.actor(activity), **self._numbers(activity), **values}]

    @staticmethod
    def _numbers(activity: ActivityLog) -> dict[str, str]:
        """Returns the tickets that took part in a merge."""
        old, new = (f"#{number}" for number in activity.changes.get("merged_into", (None, None)))
        return {"number": f"#{activity.ticket_id}", "old": old, "new": new}

    def below_message(self, activity: ActivityLog) -> list[str]:
        """Returns what staff read below a message: whom its author left out."""
        people = not_emailed(activity.changes)
        if not people or not self.reader.is_staff:
            return []
        return [_("Not emailed: %(names)s") % {"names": ", ".join(map(self.name_of, people))}]

    def _fields(self, actor: str, activity: ActivityLog) -> list[str]:
        # In the order of the model, because PostgreSQL reorders the keys of a JSON value.
        hidden = () if self.reader.is_staff else Ticket.INTERNAL_FIELDS
        names = (name for name in Ticket.TRACKED if name in activity.changes and name not in hidden)
        return [sentence for name in names if (sentence := self._change(actor, activity, name))]

    def _removal(self, actor: str, activity: ActivityLog) -> list[str]:
        if activity.changes["requester"][0] == activity.actor_id:
            return [_("%(actor)s withdrew the ticket.") % {"actor": actor}]
        return [_("%(actor)s deleted the ticket.") % {"actor": actor}]

    def _undoing(self, actor: str, activity: ActivityLog) -> list[str]:
        """Names the fields: what they were before stands in the entry of the change."""
        changed = [name for name in CHOSEN if name in activity.changes]
        if "status" in changed:
            changed = [name for name in changed if name not in Ticket.WAITING_FIELDS]
        fields = ", ".join(str(Ticket._meta.get_field(name).verbose_name) for name in changed)
        return [_("%(actor)s undid a change: %(fields)s.") % {"actor": actor, "fields": fields}]

    def _reminder(self, actor: str, activity: ActivityLog) -> list[str]:
        person = self.name_of(self.requesters.get(activity.ticket_id))
        return reminder_sentences(activity, actor=actor, person=person)

    def _filing(self, actor: str, activity: ActivityLog) -> list[str]:
        requester = activity.changes["requester"][1]
        if requester == activity.actor_id:
            texts = [_("%(actor)s submitted the ticket.") % {"actor": actor}]
        else:
            names = {"actor": actor, "requester": self.name_of(requester)}
            texts = [_("%(actor)s submitted the ticket for %(requester)s.") % names]
        if assignee := activity.changes.get("assignee", [None, None])[1]:
            code = activity.changes.get("assigned_because", (None, None))[1]
            is_chosen = not code and requester != activity.actor_id  # who asks for help chooses no assignee
            text = _("Assigned to %(person)s.") if is_chosen else _("Automatically assigned to %(person)s.")
            texts.append(text % {"person": self.name_of(assignee)})
        return texts

    def _watching(self, actor: str, activity: ActivityLog) -> list[str]:
        old, new = activity.changes["person"]
        names = {"actor": actor, "person": self.name_of(new or old)}
        if (new or old) == activity.actor_id:
            return [(_("%(actor)s started watching.") if new else _("%(actor)s stopped watching.")) % names]
        if new:
            return [_("%(actor)s added %(person)s as a watcher.") % names]
        return [_("%(actor)s removed %(person)s from the watchers.") % names]

    def _merging(self, actor: str, activity: ActivityLog) -> list[str]:
        old, new = activity.changes["merged_into"]
        words = {"actor": actor, **self._numbers(activity)}
        if new == self.page:
            return [_("%(actor)s merged %(number)s into this ticket.") % words]
        if old:
            return [_("The conversation continues in %(new)s.") % words]
        return [_("%(actor)s merged %(number)s into %(new)s.") % words]

    def _feedback(self, actor: str, activity: ActivityLog) -> list[str]:
        words = {"actor": actor, "text": self._text(activity.changes["feedback"][1])}
        return [_("%(actor)s gave feedback: “%(text)s”") % words]

    def _change(self, actor: str, activity: ActivityLog, name: str) -> str:
        field, (old, new) = FIELDS[name], activity.changes[name]
        sentence = field.choose(self, activity, name) if field.choose else field.sentence
        if not sentence:
            return ""
        return str(sentence) % {
            "actor": actor,
            "old": field.format(self, old),
            "new": field.format(self, new),
        }

    def _assignment(self, activity: ActivityLog, name: str) -> str:
        old, new = activity.changes[name]
        code = activity.changes.get("assigned_because", (None, None))[1] or ""
        if code in (Because.DEFAULT, Because.MOVED) or code.startswith(Because.LEFT):
            return self._automatic_assignment(code, new)
        if new is None:
            if old == activity.actor_id:
                return _("%(actor)s removed the assignee.")
            return _("%(actor)s removed the assignee %(old)s.")
        if new == activity.actor_id:
            return _("%(actor)s self-assigned this.")
        return _("%(actor)s assigned this to %(new)s.")

    def _automatic_assignment(self, code: str, new: int | None) -> str:
        """Describes an automatic assignment. Only staff learn that a person left."""
        if code.startswith(Because.LEFT) and self.reader.works:
            if new is None:
                return _("Unassigned automatically, because %(old)s has left.")
            return _("Assigned to %(new)s, because %(old)s has left.")
        if new is None:
            return _("The ticket is now unassigned.")
        if code == Because.DEFAULT:
            return _("Automatically assigned to %(new)s.")
        return _("The ticket is now assigned to %(new)s.")

    def _waiting(self, activity: ActivityLog, name: str) -> str:
        status = self.statuses.get(activity.changes.get("status", [None, None])[1])
        sentence = waiting_sentence(activity, name, is_done=bool(status and status.phase == Phase.DONE))
        return sentence.replace("%", "%%")

    def _status(self, value) -> str:
        return isolated(str(self.statuses.get(value, _("a deleted status"))))

    def _category(self, value) -> str:
        return isolated(str(self.categories.get(value, _("a deleted category"))))

    def _priority(self, value) -> str:
        return str(Ticket.Priority(value).label)

    def _text(self, value) -> str:
        return "" if value is None else isolated(str(value))

    def name_of(self, pk: int | None) -> str:
        if self.is_reader(pk):
            return _("you")
        return isolated(str(self.people.get(pk, _("someone"))))

    def actor(self, activity: ActivityLog) -> str:
        if self.is_reader(activity.actor_id):
            return _("You")
        return isolated(activity.actor_name) or _("The helpdesk")

    def is_reader(self, pk: int | None) -> bool:
        return pk is not None and pk == self.reader.pk


# The sentences of events that need more than a template, by Event.wording.
WORDINGS: dict[str, Callable[[SentenceBuilder, str, ActivityLog], list[str]]] = {
    "fields": SentenceBuilder._fields,
    "filing": SentenceBuilder._filing,
    "removal": SentenceBuilder._removal,
    "reminder": SentenceBuilder._reminder,
    "watching": SentenceBuilder._watching,
    "merging": SentenceBuilder._merging,
    "feedback": SentenceBuilder._feedback,
    "undoing": SentenceBuilder._undoing,
}


def no_values(_changes: dict, _side: int) -> dict[str, str]:
    return {}


def file_values(changes: dict, side: int) -> dict[str, str]:
    return {"name": isolated(changes["name"][side])}


def link_values(changes: dict, side: int) -> dict[str, str]:
    kind = TicketLink.Kind(changes["kind"][side]).label
    return {"link": f"{kind} #{changes['target'][side]}"}


# What the templates of events name besides the actor and tickets. Index into changes: 0 before, 1 after.
VALUES: dict[Thing, Callable[[dict, int], dict[str, str]]] = {
    Thing.FILE: file_values,
    Thing.LINK: link_values,
}


@dataclass(frozen=True)
class FieldSentence:
    """The sentence for a change of a field, and how its values are displayed.

    `choose` returns the sentence if it depends on the change. No sentence: another field's sentence covers
    it.
    """

    sentence: str = ""
    format: Callable[[SentenceBuilder, Any], str] = SentenceBuilder._text
    choose: Callable[[SentenceBuilder, ActivityLog, str], str] | None = None


# One row for each of Ticket.TRACKED.
FIELDS = {
    "subject": FieldSentence(gettext_lazy("%(actor)s changed the subject from “%(old)s” to “%(new)s”.")),
    "description": FieldSentence(gettext_lazy("%(actor)s changed the description.")),
    "category": FieldSentence(
        gettext_lazy("%(actor)s changed the category from %(old)s to %(new)s."), SentenceBuilder._category
    ),
    "status": FieldSentence(
        gettext_lazy("%(actor)s changed the status from %(old)s to %(new)s."), SentenceBuilder._status
    ),
    "priority": FieldSentence(
        gettext_lazy("%(actor)s changed the priority from %(old)s to %(new)s."), SentenceBuilder._priority
    ),
    "requester": FieldSentence(
        gettext_lazy("%(actor)s changed the requester from %(old)s to %(new)s."), SentenceBuilder.name_of
    ),
    "assignee": FieldSentence(format=SentenceBuilder.name_of, choose=SentenceBuilder._assignment),
    "assigned_because": FieldSentence(),  # covered by the assignee's sentence
    "waiting_for": FieldSentence(choose=SentenceBuilder._waiting),
    "wakes_on": FieldSentence(choose=SentenceBuilder._waiting),
    "reminded_at": FieldSentence(choose=SentenceBuilder._waiting),
    "closes_at": FieldSentence(choose=SentenceBuilder._waiting),
    "confirmed_at": FieldSentence(),  # covered by the status: it is open again
    "not_fixed_at": FieldSentence(),  # covered by its event
    "feedback": FieldSentence(),  # covered by its event
    "merged_into": FieldSentence(),  # covered by its event
}
