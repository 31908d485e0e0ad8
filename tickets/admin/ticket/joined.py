"""A reply and changed details in one request, as browsers without JavaScript send them.

The controls of the details belong to the form of the reply. static/js/facts.js takes them back, so a page
with JavaScript saves the details alone and sends none of this.
"""

from django.forms import ModelForm
from django.http import HttpRequest

from tickets.actions import drafts
from tickets.models import Draft, Ticket
from tickets.models.draft import DraftVersion
from tickets.rules import joined

REPLY_FORM = "reply-form"  # the id of the form


def join(form: ModelForm) -> None:
    """Makes the controls of `form` belong to the form of the reply."""
    form.joins = REPLY_FORM
    form.shown = form.data[joined.SHOWN] if _came_along(form) else joined.marks(stored_values(form))
    for field in form.fields.values():
        getattr(field.widget, "widget", field.widget).attrs["form"] = REPLY_FORM


def are_sent(request: HttpRequest) -> bool:
    return request.method == "POST" and joined.SHOWN in request.POST


def details_sent(model_admin, request: HttpRequest, ticket: Ticket) -> ModelForm:
    """Returns the form of the details as `request` sent them. What the person left alone is as stored."""
    form_class = model_admin.get_form(request, ticket, change=True)
    changed = joined.touched(request.POST)
    data = request.POST.copy()
    for name, value in stored_values(form_class(instance=ticket)).items():
        if name not in changed:
            data[name] = value
    return form_class(data, instance=ticket)


def are_changed(form: ModelForm) -> bool:
    return form.changed_data not in ([], ["version"])


def stored_values(form: ModelForm) -> dict[str, str]:
    """Returns the stored values as controls send them, without the version."""
    shown = {name: field for name, field in form.fields.items() if not field.widget.is_hidden}
    values = {name: form.get_initial_for_field(field, name) for name, field in shown.items()}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def keep_reply(request: HttpRequest, ticket: Ticket) -> None:
    """Saves the reply that came with the details as a draft, for requests that don't send it."""
    _keep(request, ticket, Draft.Kind.REPLY)


def keep_details(request: HttpRequest, ticket: Ticket) -> None:
    """Saves the changed details that came with a reply as a draft, for requests that don't save them."""
    if are_sent(request):
        _keep(request, ticket, Draft.Kind.DETAILS)


def forget_details(request: HttpRequest, ticket: Ticket) -> None:
    """Deletes the draft of the details that the page showed."""
    if restored := DraftVersion.read(request.POST.get(joined.RESTORED, "")):
        own = Draft.objects.filter(person=request.user, ticket=ticket, kind=Draft.Kind.DETAILS)
        own.filter(key=restored.key, version=restored.version).delete()


def _keep(request: HttpRequest, ticket: Ticket, kind: Draft.Kind) -> None:
    typed = drafts.Typed.sent(kind, request.POST, files=len(request.FILES))
    if typed.body.strip() or Draft.is_typed(kind, typed.fields):
        drafts.keep(typed, person=request.user, ticket=ticket, kind=kind)


def _came_along(form: ModelForm) -> bool:
    return form.is_bound and joined.SHOWN in form.data
