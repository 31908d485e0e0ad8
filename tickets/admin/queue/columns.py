"""The columns of the queue: what a row says of a ticket.

A page has 50 rows, so what many of them share is made once, and what is safe already is not escaped again.
"""

from functools import lru_cache
from html import escape

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.admin.queue.last_messages import LastMessage, needs_reply
from tickets.models import Ticket
from tickets.templatetags.tickets_text import ago
from tickets.views.badges import priority_mark, status_badge


@lru_cache(maxsize=100)
def words_of_rows(language: str) -> dict[str, SafeString]:
    """What rows say in a language, as HTML."""
    unread, held, needs = gettext("unread"), gettext("Reply in review"), gettext("Needs reply")
    return {
        "unread": format_html('<span class="unread"><span class="visually-hidden">{} </span></span>', unread),
        "held": format_html(' <span class="mark">{}</span>', held),
        "needs": format_html('<b class="needs-reply">{}</b> ', needs),
        "unassigned": format_html(
            '<span data-assignee="" data-initials="+">{}</span>', gettext("Unassigned")
        ),
        "set_priority": escape(gettext("Change priority")),
        "set_status": escape(gettext("Change status")),
        "assign_to": escape(gettext("Change assignee")),
        **{priority: priority_mark(priority) for priority in Ticket.Priority},
    }


class ColumnsMixin(admin.ModelAdmin):
    """The rows are those of TicketChangeList, which gives each ticket what its row needs."""

    list_display = ("priority_mark", "summary", "requester", "status_badge", "last_reply", "owner")
    list_display_links = None  # the subject alone is the link, beside what can be changed in the row
    list_select_related = ("requester", "assignee")  # see also TicketChangeList

    @admin.display(description=_("priority"))
    def priority_mark(self, ticket):
        return changeable(ticket, "set_priority", ticket.priority, ticket.words[ticket.priority])

    @admin.display(description=_("subject"))
    def summary(self, ticket):
        words = ticket.words
        unread = words["unread"] if ticket.is_unread else ""
        held = words["held"] if ticket.has_held_mail else ""
        subject = conditional_escape(getattr(ticket, "marked_subject", ticket.subject))
        return mark_safe(  # noqa: S308 - numbers, and parts that are escaped
            f'<span class="subject">{unread}'
            f'<a class="ticket-link" dir="auto" href="{escape(ticket.page_url)}">{subject}</a>'
            f' <span class="number">#{ticket.pk}</span>{held}</span>'
            f'<span class="snippet" dir="auto">{snippet(ticket)}</span>'
        )

    @admin.display(description=_("status"))
    def status_badge(self, ticket):
        status = ticket.status
        title = f"{escape(status.name)} · {ticket.words['set_status']}"  # where the row shows a dot alone
        return changeable(ticket, "set_status", status.pk, status_badge(status), title=title)

    @admin.display(description=_("last reply"))
    def last_reply(self, ticket):
        """By whom and when. Without a reply it is the requester, who filed the ticket."""
        last = ticket.last_reply
        needs = ticket.words["needs"] if needs_reply(ticket) else ""
        name = f'<span class="by" dir="auto">{escape(last.name)}</span>'
        return mark_safe(f"{name}<small>{needs}{ago(last.sent_at)}</small>")  # noqa: S308 - escaped parts

    @admin.display(description=_("assignee"))
    def owner(self, ticket):
        """Includes the primary key, so that the key "a" never takes a ticket from an assignee the list does
        not show.
        """
        if ticket.assignee_id is None:
            return changeable(ticket, "assign_to", "", ticket.words["unassigned"])
        person = ticket.assignee
        mark = f'data-assignee="{ticket.assignee_id}" data-initials="{escape(person.initials)}"'
        name = f"<span {mark}>{escape(str(person))}</span>"
        return changeable(ticket, "assign_to", ticket.assignee_id, name)

    @admin.display(description=_("created"), ordering="created_at")
    def age(self, ticket):
        """Not a column any more, but an order."""
        return ago(ticket.created_at)


def changeable(ticket: Ticket, change: str, seen: int | str, shown: str, *, title: str = "") -> SafeString:
    """A value that can be changed in the row, with the HTML that shows it; `seen` is what the row shows."""
    url = f"{ticket.set_url}{change}/?seen={seen}&amp;{ticket.way_back}"
    title = title or ticket.words[change]
    html = f'<a class="cell" href="{url}" data-row-change="{change}" title="{title}">'
    return mark_safe(f"{html}{shown}</a>")  # noqa: S308 - numbers, codes, escaped words


def snippet(ticket: Ticket) -> SafeString:
    """The excerpt that a search found, else the newest message."""
    if passage := getattr(ticket, "passage", None):
        return render_to_string("tickets/includes/passage.html", {"passage": passage})
    return _spoken(ticket.newest_message)


def _spoken(message: LastMessage) -> SafeString:
    name = f"<bdi>{escape(message.short_name)}</bdi>"
    if message.is_public:
        start = f"<b>{name}:</b>"
    else:
        by = escape(gettext("Internal note by %(name)s:")) % {"name": name}
        start = f'<b class="note">{by}</b>'
    return mark_safe(f"{start} {escape(message.snippet)}")  # noqa: S308 - escaped parts
