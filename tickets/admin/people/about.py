"""What staff know about a person: devices, internal notes about them, and their tickets."""

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import PersonAdmin, PersonForm
from accounts.models import StaffNote
from tickets.admin.ticket.neighbours import queue_url
from tickets.forms.tickets import LinesField
from tickets.models import Ticket

TICKETS_SHOWN = 10


def last_change_of(note: StaffNote) -> str:
    moment = date_format(timezone.localtime(note.changed_at), "DATETIME_FORMAT")
    words = {"person": note.changed_by or _("someone"), "date": moment}
    return _("Last changed on %(date)s by %(person)s.") % words


class PersonWithNotesForm(PersonForm):
    """`editor` never gets notes about themselves, whatever is sent."""

    notes = LinesField(
        label=gettext_lazy("Internal notes"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Only staff see them, but the person may ask for a copy by law."),
    )

    class Meta(PersonForm.Meta):
        fields = [
            "full_name", "email", "phone", "department", "location", "devices", "time_zone", "is_active",
        ]  # fmt: skip
        field_classes = {"devices": LinesField}
        widgets = {"devices": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance == self.editor:
            self.fields.pop("notes", None)
        elif note := self._note:
            self.fields["notes"].initial = note.text
            self.fields["notes"].help_text = f"{self.fields['notes'].help_text} {last_change_of(note)}"

    @cached_property
    def _note(self) -> StaffNote | None:
        notes = StaffNote.objects.select_related("changed_by")
        return notes.filter(person=self.instance.pk).first() if self.instance.pk else None

    @cached_property
    def changed_data(self) -> list[str]:
        """Leaves the notes out of the admin's history of the person, who may be staff and read it."""
        return [name for name in super().changed_data if name != "notes"]

    def save_notes(self, *, by) -> None:
        text = self.cleaned_data.get("notes")
        if text is None or text == (self._note.text if self._note else ""):
            return
        values = {"text": text, "changed_by": by, "changed_at": timezone.now()}
        StaffNote.objects.update_or_create(person=self.instance, defaults=values)


class AboutPersonAdmin(PersonAdmin):
    """Nobody sees the notes about themselves: on their own page the field is missing."""

    form = PersonWithNotesForm

    def get_fields(self, request, obj=None):
        fields = list(super().get_fields(request, obj))
        if obj and obj == request.user:
            return fields
        is_changed = obj is None or self.has_change_permission(request, obj)
        fields.insert(fields.index("devices") + 1, "notes" if is_changed else "internal_notes")
        return fields

    @admin.display(description=gettext_lazy("internal notes"))
    def internal_notes(self, person):
        """For those who may only read."""
        note = StaffNote.objects.select_related("changed_by").filter(person=person).exclude(text="").first()
        return f"{note.text}\n\n{last_change_of(note)}" if note else None

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        form.save_notes(by=request.user)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            own = Ticket.objects.visible_to(request.user).filter(requester=obj)
            own = own.newest_public_change_first().select_related("status")
            context["tickets_of_person"] = own[:TICKETS_SHOWN]
            context["queue_of_person"] = queue_url(f"requester={obj.pk}&phase=all")
        return super().render_change_form(request, context, add, change, form_url, obj)
