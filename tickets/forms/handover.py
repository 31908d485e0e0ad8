from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from tickets.forms.tickets import FewRowsField
from tickets.models import Handover

NOBODY = _("Unassigned")


class HandoverForm(forms.Form):
    """Chooses who gets the tickets of `person`, who stops working."""

    to = FewRowsField(
        label=_("Assign the open tickets to"), queryset=get_user_model().objects.none(), required=False
    )
    default_to = FewRowsField(
        label=_("New default assignee"), queryset=get_user_model().objects.none(), required=False
    )
    ends_notices = forms.BooleanField(
        label=_("Also remove the person from the people to notify and from watched tickets"), required=False
    )

    def __init__(self, *args, person, **kwargs):
        super().__init__(*args, prefix="handover", **kwargs)
        self.person = person
        people = get_user_model().objects.staff().exclude(pk=person.pk)
        for name, nobody in (("to", NOBODY), ("default_to", _("No one"))):
            self.fields[name].queryset, self.fields[name].empty_label = people, nobody

    def save(self, *, asked_by) -> Handover:
        """Saves the choice for a person who has just stopped working, whose handover exists already."""
        handover = Handover.objects.ask(self.person)
        handover.asked_by = asked_by
        for name in self.fields:
            setattr(handover, name, self.cleaned_data[name])
        handover.save()
        return handover
