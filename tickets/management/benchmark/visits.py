"""The pages that are measured: a name, who asks, and the request."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from tickets.management.benchmark.place import COMMON, LETTERS, RARE, UNKNOWN, Place
from tickets.management.demo.people import PEOPLE

PLAIN, FLOOR = "plain page", "floor"
PLAIN_TICKET, PLAIN_FILING = "plain ticket page", "plain filing"
# Who asks; None is nobody.
VISITOR, REQUESTER, WATCHER = None, PEOPLE["maria"].email, PEOPLE["jonas"].email
AGENT, SUPERVISOR = PEOPLE["ann"].email, PEOPLE["sam"].email
QUEUE, LIST = "/admin/tickets/ticket/", "/tickets/"
TEXT = "Since this morning the door of the server room does not close. It beeps every minute."
FILE = ("beep.txt", b"09:14 beep\r\n" * 200)
WORST_SEARCH = "+".join([LETTERS] * 50)
FILES_A_DAY = 40  # fewer than one person may send (tickets.rules.validators)


@dataclass(frozen=True)
class Request:
    path: str
    fields: dict[str, str] | None = None  # of a form that is sent; None: a page is read
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    @property
    def is_sent(self) -> bool:
        return self.fields is not None


@dataclass(frozen=True)
class PageVisit:
    """`request` makes the request, by the place, how often it was made, and the page that `before` led to."""

    group: str
    name: str
    who: str | None
    request: Callable[[Place, int, str], Request]
    status: int = 200
    before: Callable[[Place, int], Request] | None = None
    most: int | None = None  # times in one run

    @property
    def is_read(self) -> bool:
        """Whether it can be repeated by many without changing anything."""
        return self.status in (200, 204) and self.before is None


def page(group: str, name: str, who: str | None, path: str) -> PageVisit:
    """A page that is read; `path` may name fields of the place."""
    return PageVisit(group, name, who, lambda place, turn, before: Request(path.format(place=place)))


def value_of(name: str, html: str) -> str:
    """The value of the input with this id or name."""
    tag = re.search(rf'<input[^>]*\b(?:id|name)="{name}"[^>]*>', html)
    found = re.search(r'value="([^"]*)"', tag[0]) if tag else None
    return found[1] if found else ""


# What is sent
def plain_ticket(place: Place, turn: int, before: str) -> Request:
    return Request("/benchmark/plain/new/", new_ticket(place, turn, before).fields)


def new_ticket(place: Place, turn: int, before: str) -> Request:
    fields = {
        "subject": f"The door beeps ({turn})",
        "description": TEXT,
        "category": str(place.category),
        "priority": "normal",
    }
    return Request("/tickets/new/", fields)


def new_ticket_with_file(place: Place, turn: int, before: str) -> Request:
    return Request("/tickets/new/", new_ticket(place, turn, before).fields, {"attachments": FILE})


def reply(place: Place, turn: int, before: str) -> Request:
    return Request(f"/tickets/{place.own[turn % len(place.own)]}/reply/", {"body": f"It still beeps. {turn}"})


def many_fields(place: Place, turn: int) -> dict[str, str]:
    return {
        "action": "set_priority",
        "numbers": ",".join(map(str, place.fifty)),
        "query": "",
        "value": "high" if turn % 2 else "low",
    }


def preview(place: Place, turn: int) -> Request:
    return Request(f"{QUEUE}many/", many_fields(place, turn))


def change_many(place: Place, turn: int, before: str) -> Request:
    fields = (
        many_fields(place, turn)
        | {name: value_of(name, before) for name in ("shown", "seen")}
        | {"apply": "1"}
    )
    return Request(f"{QUEUE}many/", fields)


# Live pages: what asks for news, right after the page was shown
def list_news(place: Place, turn: int, before: str) -> Request:
    return Request(f"{LIST}?state={value_of('live-state', before)}")


def queue_news(place: Place, turn: int, before: str) -> Request:
    return Request(f"{QUEUE}news/?who=ours&state={value_of('live-state', before)}")


def ticket_news(place: Place, turn: int, before: str) -> Request:
    return Request(f"/tickets/{place.five}/timeline/?after={value_of('live-after', before)}")


def span(days: int) -> str:
    return f"{date.today() - timedelta(days=days)}..{date.today()}"  # noqa: DTZ011 - about this day


def similar_part(place: Place, turn: int, before: str) -> Request:
    return Request(f"/benchmark/similar/{place.own[turn % len(place.own)]}/")


VISITS: tuple[PageVisit, ...] = (
    page("yardsticks", FLOOR, AGENT, "/benchmark/floor/"),
    page("yardsticks", PLAIN, AGENT, "/benchmark/plain/"),
    page("yardsticks", PLAIN_TICKET, REQUESTER, "/benchmark/plain/{place.five}/"),
    PageVisit("yardsticks", PLAIN_FILING, REQUESTER, plain_ticket, status=302),
    page("lists", "home, nobody", VISITOR, "/"),
    page("lists", "home, requester", REQUESTER, "/"),
    page("lists", "home, agent", AGENT, "/"),
    page("lists", "own list", REQUESTER, LIST),
    page("lists", "own and watched", WATCHER, LIST),
    page("lists", "own list, done", REQUESTER, f"{LIST}?phase=done"),
    page("lists", "staff list", AGENT, LIST),
    page("lists", "list by status", AGENT, f"{LIST}?phase=done"),
    page("lists", "deep page", AGENT, LIST + "?phase=all&after={place.deep[0]}&after={place.deep[1]}"),
    page("search", "rare word", AGENT, f"{LIST}?phase=all&q={RARE}"),
    page("search", "common word", AGENT, f"{LIST}?phase=all&q={COMMON}"),
    page("search", "unknown word", AGENT, f"{LIST}?phase=all&q={UNKNOWN}"),
    page("search", "own rare word", REQUESTER, f"{LIST}?phase=all&q={RARE}"),
    page("search", "admin, rare word", AGENT, f"{QUEUE}?phase=all&who=all&q={RARE}"),
    page("search", "admin, common word", AGENT, f"{QUEUE}?phase=all&who=all&q={COMMON}"),
    page("search", "worst text, search", AGENT, f"{LIST}?phase=all&q={WORST_SEARCH}"),
    page("search", "admin, worst text, search", AGENT, f"{QUEUE}?phase=all&who=all&q={WORST_SEARCH}"),
    page("search", "palette", AGENT, "/admin/palette/"),
    page("search", "palette on a ticket", AGENT, "/admin/palette/?ticket={place.five}"),
    page("search", "palette, number", AGENT, "/admin/palette/?q={place.five}"),
    page("search", "palette, rare word", AGENT, f"/admin/palette/?q={RARE}"),
    page("search", "palette, common word", AGENT, f"/admin/palette/?q={COMMON}"),
    page("search", "palette, begun word", AGENT, f"/admin/palette/?q={COMMON[:2]}"),
    page("ticket", "ticket with 5 replies", REQUESTER, "/tickets/{place.five}/"),
    page("ticket", "ticket with 200 replies", REQUESTER, "/tickets/{place.many}/"),
    page("ticket", "admin ticket page", AGENT, QUEUE + "{place.five}/change/"),
    PageVisit("ticket", "similar tickets, the part", AGENT, similar_part),
    page("ticket", "worst ticket page", REQUESTER, "/tickets/{place.worst}/"),
    page("ticket", "admin, worst ticket page", AGENT, QUEUE + "{place.worst}/change/"),
    page("ticket", "ticket with 10 pictures", REQUESTER, "/tickets/{place.pictures}/"),
    page("ticket", "thumbnail", REQUESTER, "/tickets/attachments/{place.picture}/thumbnail/"),
    page("ticket", "new-ticket form", REQUESTER, "/tickets/new/"),
    PageVisit("sent", "file a ticket", REQUESTER, new_ticket, status=302),
    PageVisit(
        "sent", "file a ticket with a file", REQUESTER, new_ticket_with_file, status=302, most=FILES_A_DAY
    ),
    PageVisit("sent", "reply", REQUESTER, reply, status=302),
    PageVisit("sent", "bulk action on 50", AGENT, change_many, status=302, before=preview),
    PageVisit(
        "live", "live ticket", REQUESTER, ticket_news, 204, lambda p, t: Request(f"/tickets/{p.five}/")
    ),
    PageVisit("live", "live list", REQUESTER, list_news, 204, lambda p, t: Request(LIST)),
    PageVisit("live", "live queue", AGENT, queue_news, 204, lambda p, t: Request(f"{QUEUE}?who=ours")),
    page("queue", "queue, own view", AGENT, QUEUE),
    page("queue", "queue, everybody's", AGENT, f"{QUEUE}?phase=open"),
    page("queue", "queue, done", AGENT, f"{QUEUE}?who=all&phase=done"),
    page("queue", "queue, all", AGENT, f"{QUEUE}?who=all&phase=all"),
    page("queue", "queue, mine", AGENT, f"{QUEUE}?who=mine&phase=all"),
    page("queue", "queue, unassigned", AGENT, f"{QUEUE}?who=unassigned&phase=all"),
    page("queue", "queue, priority", AGENT, f"{QUEUE}?who=all&phase=all&priority=urgent"),
    page("queue", "queue, period", AGENT, f"{QUEUE}?who=all&phase=all&period=week"),
    page("queue", "queue, category", AGENT, QUEUE + "?who=all&phase=all&category={place.category}"),
    page("queue", "queue, filed in", AGENT, f"{QUEUE}?who=all&phase=all&created={span(30)}"),
    page("queue", "queue, solved in", AGENT, f"{QUEUE}?who=all&phase=all&solved={span(30)}"),
    page("queue", "queue, answered in", AGENT, f"{QUEUE}?who=all&phase=all&answered={span(30)}"),
    page("queue", "queue, reopened in", AGENT, f"{QUEUE}?who=all&phase=all&reopened={span(30)}"),
    page("queue", "queue, age", AGENT, f"{QUEUE}?who=all&phase=open&age=30-"),
    page("queue", "queue, assignee", AGENT, QUEUE + "?who=all&phase=all&assignee={place.agent}"),
    page("queue", "queue, status", AGENT, QUEUE + "?who=all&phase=all&status={place.done_status}"),
    page("reports", "dashboard, month", SUPERVISOR, f"{QUEUE}reports/?period=last-month"),
    page("reports", "dashboard, year", SUPERVISOR, f"{QUEUE}reports/?period=this-year"),
    page("reports", "CSV of a week", SUPERVISOR, f"{QUEUE}export/?who=all&phase=all&period=week"),
)
