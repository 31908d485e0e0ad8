"""The activity log in plain words: one sentence for each change, as somebody reads it."""

from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from tickets.events import Verb
from tickets.models import ActivityLog, Because, Category, Status, Ticket, TicketLink
from tickets.typed import isolated
from tickets.waiting_words import reminder_sentences, waiting_sentence
from tickets.workflow import Phase

WHOLE = {Verb.CREATED, Verb.DELETED}  # their rows hold all fields of the ticket


class Words:
    """Turns rows of the log (or what tickets.story reads of them) into sentences.

    The names they need are fetched once for all of them.

    `page` is the number of the ticket on whose page they stand; `find_people` finds them by primary key.
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
        people = ids["assignee"] | ids["requester"] | ids["person"] | actors
        self.people = (find_people or get_user_model().objects.in_bulk)(people)
        self.statuses = Status.objects.in_bulk(ids["status"]) if ids["status"] else {}
        self.categories = Category.objects.in_bulk(ids["category"]) if ids["category"] else {}

    @staticmethod
    def _named(activity: ActivityLog) -> set[str]:
        """The changes that a sentence names."""
        names = set(activity.changes)
        return names & {"requester", "assignee"} if activity.verb in WHOLE else names

    def sentences(self, activity: ActivityLog) -> list[str]:
        actor, changes = self.actor(activity), activity.changes
        match activity.verb:
            case Verb.CREATED:
                return self._filing(actor, activity)
            case Verb.DELETED:
                if changes["requester"][0] == activity.actor_id:
                    return [_("%(actor)s withdrew the ticket.") % {"actor": actor}]
                return [_("%(actor)s deleted the ticket.") % {"actor": actor}]
            case Verb.FILE_ADDED:
                name = isolated(changes["name"][1])
                return [_("%(actor)s added the file “%(name)s”.") % {"actor": actor, "name": name}]
            case Verb.FILE_REMOVED:
                name = isolated(changes["name"][0])
                return [_("%(actor)s removed the file “%(name)s”.") % {"actor": actor, "name": name}]
            case Verb.REPLIED:
                return [_("%(actor)s wrote:") % {"actor": actor}]
            case Verb.NOTED:
                return [_("%(actor)s wrote an internal note:") % {"actor": actor}]
            case Verb.TAKEN_BACK:
                return [_("%(actor)s took a message back.") % {"actor": actor}]
            case Verb.WATCHER_ADDED | Verb.WATCHER_REMOVED:
                return [self._watching(actor, activity)]
            case Verb.LINKED:
                return [_("%(actor)s linked it: this ticket %(link)s.") % self._link(actor, changes, 1)]
            case Verb.REMINDED:
                person = self.name_of(self.requesters.get(activity.ticket_id))
                return reminder_sentences(activity, actor=actor, person=person)
            case Verb.CONFIRMED:
                return [_("%(actor)s confirmed that it is fixed.") % {"actor": actor}]
            case Verb.NOT_FIXED:
                return [_("%(actor)s reported that it is not fixed.") % {"actor": actor}]
            case Verb.UNLINKED:
                return [_("%(actor)s removed a link: this ticket %(link)s.") % self._link(actor, changes, 0)]
            case Verb.MERGED | Verb.UNMERGED:
                return [self._merging(actor, activity)]
        # In the order of the model: PostgreSQL keeps the keys of a JSON value in an order of its own.
        names = (name for name in Ticket.TRACKED if name in changes)
        return [sentence for name in names if (sentence := self._change(actor, activity, name))]

    def _filing(self, actor: str, activity: ActivityLog) -> list[str]:
        requester = activity.changes["requester"][1]
        if requester == activity.actor_id:
            texts = [_("%(actor)s filed the ticket.") % {"actor": actor}]
        else:
            names = {"actor": actor, "requester": self.name_of(requester)}
            texts = [_("%(actor)s filed the ticket for %(requester)s.") % names]
        if assignee := activity.changes.get("assignee", [None, None])[1]:
            texts.append(_("It went to %(person)s.") % {"person": self.name_of(assignee)})
        return texts

    def _watching(self, actor: str, activity: ActivityLog) -> str:
        old, new = activity.changes["person"]
        names = {"actor": actor, "person": self.name_of(new or old)}
        if (new or old) == activity.actor_id:
            return (_("%(actor)s watches now.") if new else _("%(actor)s watches no more.")) % names
        if new:
            return _("%(actor)s added %(person)s as a watcher.") % names
        return _("%(actor)s removed %(person)s from the watchers.") % names

    def _merging(self, actor: str, activity: ActivityLog) -> str:
        old, new = (f"#{number}" for number in activity.changes["merged_into"])
        words = {"actor": actor, "number": f"#{activity.ticket_id}", "old": old, "new": new}
        if activity.verb == Verb.UNMERGED:
            return _("%(actor)s undid the merge of %(number)s into %(old)s.") % words
        if activity.changes["merged_into"][1] == self.page:
            return _("%(actor)s merged %(number)s into this ticket.") % words
        if activity.changes["merged_into"][0]:
            return _("The conversation goes on in %(new)s now.") % words
        return _("%(actor)s merged %(number)s into %(new)s.") % words

    def _link(self, actor: str, changes: dict, side: int) -> dict[str, str]:
        kind = TicketLink.Kind(changes["kind"][side]).label
        return {"actor": actor, "link": f"{kind} #{changes['target'][side]}"}

    def _change(self, actor: str, activity: ActivityLog, name: str) -> str:
        old, new = activity.changes[name]
        values = {"actor": actor, "old": self._value(name, old), "new": self._value(name, new)}
        if name == "description":
            return _("%(actor)s changed the description.") % values
        if name in ("confirmed_at", "assigned_because"):
            return ""  # the status says that it is open again, and the assignee whose it is
        if name == "assignee":
            return self._assignment(activity, old, new) % values
        if name in Ticket.WAITING_FIELDS:
            status = self.statuses.get(activity.changes.get("status", [None, None])[1])
            return waiting_sentence(activity, name, is_done=bool(status and status.phase == Phase.DONE))
        return CHANGES[name]() % values

    def _assignment(self, activity: ActivityLog, old: int | None, new: int | None) -> str:
        code = activity.changes.get("assigned_because", (None, None))[1] or ""
        if code in (Because.DEFAULT, Because.MOVED) or code.startswith(Because.LEFT):
            return self._automatic_assignment(code, new)
        if new is None:
            if old == activity.actor_id:
                return _("%(actor)s put the ticket back, so nobody takes care of it now.")
            return _("%(actor)s took the ticket from %(old)s, so nobody takes care of it now.")
        if new == activity.actor_id:
            return _("%(actor)s took the ticket.")
        return _("%(actor)s gave the ticket to %(new)s.")

    def _automatic_assignment(self, code: str, new: int | None) -> str:
        """Nobody chose it. That somebody left is said to staff alone."""
        if code.startswith(Because.LEFT) and self.reader.works:
            if new is None:
                return _("Unassigned automatically, because %(old)s has left.")
            return _("Assigned to %(new)s, because %(old)s has left.")
        if new is None:
            return _("The ticket is now unassigned.")
        if code == Because.DEFAULT:
            return _("Automatically assigned to %(new)s.")
        return _("The ticket is now assigned to %(new)s.")

    def _value(self, name: str, value) -> str:
        if name in ("assignee", "requester"):
            return self.name_of(value)
        if name == "status":
            return isolated(str(self.statuses.get(value, _("a status that is gone"))))
        if name == "category":
            return isolated(str(self.categories.get(value, _("a category that is gone"))))
        return str(Ticket.Priority(value).label) if name == "priority" else isolated(str(value))

    def name_of(self, pk: int | None) -> str:
        if self.is_reader(pk):
            return _("you")
        return isolated(str(self.people.get(pk, _("somebody"))))

    def actor(self, activity: ActivityLog) -> str:
        if self.is_reader(activity.actor_id):
            return _("You")
        return isolated(activity.actor_name) or _("The helpdesk")

    def is_reader(self, pk: int | None) -> bool:
        return pk is not None and pk == self.reader.pk


# Called, not stored: the language is that of the reader.
CHANGES = {
    "subject": lambda: _("%(actor)s changed the subject from “%(old)s” to “%(new)s”."),
    "category": lambda: _("%(actor)s changed the category from %(old)s to %(new)s."),
    "status": lambda: _("%(actor)s changed the status from %(old)s to %(new)s."),
    "priority": lambda: _("%(actor)s changed the priority from %(old)s to %(new)s."),
    "requester": lambda: _("%(actor)s changed the requester from %(old)s to %(new)s."),
}
