"""Forms that connect two tickets: links, merging, splitting."""

from django import forms
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tickets.actions import merging, splitting
from tickets.forms.attachments import UNAVAILABLE
from tickets.models import Comment, Ticket, TicketLink
from tickets.notifications import audiences
from tickets.rules.events import Verb
from tickets.search.finding import search
from tickets.search.query import MAX_LENGTH, ticket_number
from tickets.storage.access import FileLost, StoreUnavailable

MATCHES_SHOWN = 10


class TicketNumberField(forms.CharField):
    """A ticket by number, like 1042 or #1042. For staff, who may see every ticket."""

    def __init__(self, **kwargs):
        kwargs.setdefault("error_messages", {"required": _("Enter a ticket number.")})
        super().__init__(max_length=MAX_LENGTH, **kwargs)

    def clean(self, value) -> Ticket:
        number = ticket_number(super().clean(value))
        if number is None:
            raise ValidationError(_("Enter a number like 1042 or #1042."), code="no_number")
        ticket = Ticket.objects.with_people().filter(pk=number).first()
        if ticket is None:
            raise ValidationError(_("There is no ticket with this number."), code="unknown")
        return ticket


class LinkForm(forms.Form):
    """Links `ticket` to another one."""

    class Kind(models.TextChoices):
        RELATES = TicketLink.Kind.RELATES
        BLOCKS = TicketLink.Kind.BLOCKS
        BLOCKED = "blocked", TicketLink.REVERSED[TicketLink.Kind.BLOCKS]
        DUPLICATE = TicketLink.Kind.DUPLICATE

    # The kinds that staff choose; the other kinds are set automatically and can't be removed.
    SAID = (TicketLink.Kind.RELATES, TicketLink.Kind.BLOCKS, TicketLink.Kind.DUPLICATE)

    kind = forms.ChoiceField(label=_("This ticket"), choices=Kind)
    number = TicketNumberField(
        label=_("Number"), widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )

    def __init__(self, *args, ticket: Ticket, **kwargs):
        super().__init__(*args, auto_id="link-%s", **kwargs)
        self.ticket = ticket

    def clean_number(self) -> Ticket:
        if self.cleaned_data["number"].pk == self.ticket.pk:
            raise ValidationError(_("This is the same ticket. Enter the number of another one."))
        return self.cleaned_data["number"]

    def clean(self):
        cleaned = super().clean()
        if "kind" in cleaned and "number" in cleaned and self._same().exists():
            self.add_error("number", self._twice())
        return cleaned

    def save(self) -> bool:
        """Returns False if another request was faster; the form has the error then."""
        with transaction.atomic():
            # Locks the tickets, because no constraint prevents two "relates to" links in both directions.
            pair = [self.ticket.pk, self.cleaned_data["number"].pk]
            list(Ticket.objects.select_for_update().filter(pk__in=pair).order_by("pk"))
            if is_new := not self._same().exists():
                TicketLink.objects.create(**self._link())
        if not is_new:
            self.add_error("number", self._twice())
        return is_new

    def _link(self) -> dict:
        kind, other = self.cleaned_data["kind"], self.cleaned_data["number"]
        if kind == self.Kind.BLOCKED:
            return {"ticket": other, "target": self.ticket, "kind": TicketLink.Kind.BLOCKS}
        return {"ticket": self.ticket, "target": other, "kind": kind}

    def _same(self):
        link = self._link()
        same = models.Q(ticket=link["ticket"], target=link["target"])
        if link["kind"] == TicketLink.Kind.RELATES:  # it means the same in both directions
            same |= models.Q(ticket=link["target"], target=link["ticket"])
        return TicketLink.objects.filter(same, kind=link["kind"])

    @staticmethod
    def _twice() -> ValidationError:
        return ValidationError(_("These two tickets are already linked this way."), code="twice")


class MergeForm(forms.Form):
    """Merges `ticket` into another one on behalf of `author`. Shows the effect first."""

    into = TicketNumberField(label=_("Merge into"), help_text=_("Ticket number or search words."))
    tells = forms.BooleanField(label=_("Notify participants by email"), required=False)

    def __init__(self, *args, ticket: Ticket, author, **kwargs):
        super().__init__(*args, auto_id="merge-%s", **kwargs)
        self.ticket, self.author = ticket, author

    def clean_into(self) -> Ticket:
        merging.validate(self.ticket, self.cleaned_data["into"])
        return self.cleaned_data["into"]

    def save(self) -> Ticket | None:
        """Returns the target. None if something has changed meanwhile: the form has the error then."""
        target = self.cleaned_data["into"]
        try:
            merging.merge(self.ticket, target, tells=self.cleaned_data["tells"])
        except ValidationError as error:
            self.add_error("into", error)
            return None
        return target

    @property
    def target(self) -> Ticket | None:
        return self.cleaned_data.get("into") if self.is_bound and self.is_valid() else None

    @cached_property
    def recipients(self) -> list:
        """Returns the people who are emailed if the box is ticked, computed by the code that sends the
        emails.
        """
        return list(audiences.recipients_of_next(Verb.MERGED, self.ticket, actor=self.author))

    @cached_property
    def contents(self) -> list[str]:
        """Describes what moves to the target."""
        comments = self.ticket.comments.values_list("is_public", flat=True)
        replies, files = sum(comments), self.ticket.attachments.count()
        notes = len(comments) - replies
        words = [
            (1, _("the description")),
            (replies, ngettext("%(count)d reply", "%(count)d replies", replies)),
            (notes, ngettext("%(count)d internal note", "%(count)d internal notes", notes)),
            (files, ngettext("%(count)d file", "%(count)d files", files)),
        ]
        return [text % {"count": count} for count, text in words if count]

    @cached_property
    def new_watchers(self) -> list:
        return merging.new_watchers(self.ticket, self.target)


def candidates(ticket: Ticket, words: str, *, user):
    """Returns tickets that `ticket` may be merged into: found by `words`; without words the
    requester's own.
    """
    tickets = Ticket.objects.visible_to(user).with_people().filter(merged_into=None).exclude(pk=ticket.pk)
    if words:
        tickets = search(tickets, words, user=user).newest_change_first()
    else:
        tickets = tickets.filter(requester=ticket.requester).newest_public_change_first()
    return tickets[:MATCHES_SHOWN]


class SplitForm(forms.ModelForm):
    """Creates a ticket from the message `comment`."""

    class Meta:
        model = Ticket
        fields = ["subject"]
        error_messages = {"subject": {"required": _("Enter a subject.")}}

    def __init__(self, *args, comment: Comment, author, **kwargs):
        super().__init__(*args, auto_id="split-%s", **kwargs)
        self.comment, self.author = comment, author
        self.requester = splitting.requester_of(comment)

    @cached_property
    def recipients(self) -> list:
        """Returns the people who are emailed about the new ticket, computed by the code that sends the
        emails.
        """
        people = {"actor": self.author, "requester": self.requester}
        return list(audiences.recipients_of_follow_up(self.comment.ticket, **people))

    def save(self) -> Ticket | None:
        """Returns the new ticket. None if a file could not be copied: the form has the error then."""
        try:
            return splitting.split(self.comment, subject=self.cleaned_data["subject"], by=self.author)
        except StoreUnavailable:
            text = _("Files can't be copied right now. Try again later.")
            self.add_error(None, ValidationError(text, code=UNAVAILABLE))
        except FileLost:
            self.add_error(None, _("A file of this message can't be read right now. Try again later."))
        return None
