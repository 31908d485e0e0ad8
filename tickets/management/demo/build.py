"""Writes the demo company into an empty database."""

from datetime import datetime, timedelta
from io import BytesIO

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from accounts import actor
from tickets.files import pictures
from tickets.history import recording
from tickets.history.recording import PastAct
from tickets.management.demo.fill import load_comments
from tickets.management.demo.people import CATEGORY_PEOPLE, PASSWORD, PEOPLE, SILENCE
from tickets.management.demo.prepared import load_prepared
from tickets.management.demo.stories import STORIES, DemoTicket
from tickets.models import ActivityLog, Attachment, Category, Comment, Status, Ticket
from tickets.rules import workflow
from tickets.rules.calendar import today
from tickets.rules.events import Verb
from tickets.search import documents


# People
def load_people() -> dict:
    """{key: User} of the demo people, all with PASSWORD and a confirmed address."""
    password = make_password(PASSWORD)
    people = {}
    for key, demo in PEOPLE.items():
        person = get_user_model().objects.create_user(
            demo.email,
            role=demo.role,
            full_name=demo.full_name,
            department=demo.department,
            location=demo.location,
            devices=demo.devices,
            phone=demo.phone,
            is_superuser=demo.is_superuser,
        )
        person.password = password
        person.save(update_fields=["password"])
        person.emailaddress_set.create(email=person.email, verified=True, primary=True)
        people[key] = person
    return people


# Tickets by hand
@transaction.atomic
def load() -> int:
    """Creates people, categories and tickets. Returns the number of tickets."""
    people = load_people()
    for name, (notified, assignee) in CATEGORY_PEOPLE.items():
        category = Category.objects.get(name=name)
        category.people.set([people[key] for key in notified])
        category.default_assignee = people.get(assignee)
        category.remind_after, category.close_after = SILENCE.get(name, (None, None))
        category.save()
    load_prepared()
    builder = DemoTicketBuilder(people)
    stories = sorted(STORIES, key=lambda story: -story.days)
    tickets = [builder.ticket(story) for story in stories]
    acts = {id(ticket): builder.acts[id(ticket)] for ticket in tickets}
    files = {id(ticket): story.file for ticket, story in zip(tickets, stories, strict=True)}

    def record(created: list[Ticket]) -> None:
        for ticket in created:
            rows = list(recording.history(ticket.pk, acts[id(ticket)]))
            if files[id(ticket)]:
                rows[1:1] = attach(files[id(ticket)], ticket, rows[0])
            recording.append(rows)
        load_comments(created, acts)
        documents.build(ticket.pk for ticket in created)

    Ticket.objects.bulk_load(tickets, record=record)
    pictures.make_waiting()
    return len(tickets)


class DemoTicketBuilder:
    """Turns stories into tickets and the acts that led to them."""

    def __init__(self, people: dict):
        self.people = people
        self.categories = {category.name: category for category in Category.objects.all()}
        self.statuses = {status.name: status for status in Status.objects.all()}
        self.now = timezone.now()
        self.acts: dict[int, list[PastAct]] = {}

    def ticket(self, story: DemoTicket) -> Ticket:
        filed_at = self.now - timedelta(days=story.days)
        requester, category = self.people[story.who], self.categories[story.category]
        ticket = Ticket(
            subject=story.subject,
            description=story.description,
            category=category,
            status=self.statuses["Submitted"],
            priority=story.priority,
            requester=requester,
            assignee=category.default_assignee,
            created_at=filed_at,
        )
        acts = [PastAct(filed_at, requester, actor.WEB, recording.snapshot_of(ticket))]
        for step in story.steps:
            at = min(filed_at + timedelta(hours=step.hours), self.now)
            self._take(ticket, step, at)
            source = actor.WEB if step.who == story.who else actor.ADMIN
            comment = self._say(ticket, step, at, source)
            fields = recording.snapshot_of(ticket)
            acts.append(PastAct(at, self.people[step.who], source, fields, comment))
        recording.stamp_from(ticket, acts)
        self.acts[id(ticket)] = acts
        return ticket

    def _take(self, ticket: Ticket, step, at: datetime) -> None:
        old_phase = ticket.phase
        ticket.status = self.statuses[step.status] if step.status else ticket.status
        ticket.assignee = self.people[step.assignee] if step.assignee else ticket.assignee
        ticket.category = self.categories[step.category] if step.category else ticket.category
        ticket.priority = step.priority or ticket.priority
        ticket.subject = step.subject or ticket.subject
        self._wait(ticket, step, at)
        ticket.done_at = workflow.done_at(old_phase, ticket.phase, stored=ticket.done_at, now=at)

    def _wait(self, ticket: Ticket, step, at: datetime) -> None:
        if not ticket.status.is_waiting:
            ticket.waiting_for, ticket.wakes_on, ticket.silent_since = "", None, None
            return
        ticket.waiting_for = step.waiting_for or ticket.waiting_for
        if step.wakes_in:
            ticket.wakes_on = today() + timedelta(days=step.wakes_in)
        if step.status or step.says:
            ticket.silent_since = at

    def _say(self, ticket: Ticket, step, at: datetime, source: str) -> Comment | None:
        if not (step.says or step.notes):
            return None
        author = self.people[step.who]
        if step.says and author.is_staff and ticket.first_replied_at is None:
            ticket.first_replied_at = at
        return Comment(
            author=author,
            body=step.says or step.notes,
            is_public=bool(step.says),
            source=source,
            created_at=at,
        )


# Files
LOG = b"09:14:02 open payroll 2026-10\r\n09:14:03 error 0xC0000005 at PR_Load\r\n"


def attach(name: str, ticket: Ticket, filing: ActivityLog) -> list[ActivityLog]:
    """Attaches a demo file to `ticket`. Returns the rows of the log, in the batch of the submission."""
    upload = ContentFile(picture() if name.endswith(".png") else LOG, name=name)
    attachment = Attachment.from_upload(upload, ticket=ticket, uploader=filing.actor)
    attachment.created_at = filing.recorded_at
    Attachment.objects.bulk_load([attachment], record=lambda rows: None)
    return [
        ActivityLog(
            ticket_id=ticket.pk,
            verb=Verb.FILE_ADDED,
            changes=recording.diff({}, recording.snapshot_of(attachment)),
            actor=filing.actor,
            actor_name=filing.actor_name,
            source=filing.source,
            batch=filing.batch,
            recorded_at=filing.recorded_at,
        )
    ]


def picture() -> bytes:
    """A small PNG, as a screenshot of a phishing email."""
    image = Image.new("RGB", (640, 400), "#f5f6f8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 640, 44), fill="#1f4fd1")
    draw.text((20, 11), "Your Bank: urgent payment", fill="white", font_size=20)
    lines = (
        "Dear customer,",
        "",
        "please confirm the payment of 4,980.00 within 24 hours.",
        "Otherwise your account is closed.",
    )
    draw.multiline_text((20, 76), "\n".join(lines), fill="#18202c", font_size=19, spacing=10)
    draw.rounded_rectangle((20, 236, 260, 286), radius=6, fill="#b3261e")
    draw.text((60, 249), "Confirm payment", fill="white", font_size=20)
    draw.text((20, 326), "http://your-bank.example.net.login-check.example/", fill="#4d5868", font_size=17)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
