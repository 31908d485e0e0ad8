"""Renders the rules of a form field, and their messages, as attributes for static/js/validation.js.

The browser checks a field by these attributes alone, so rules and messages exist once: in the form.
"""

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from accounts.validators import ADDRESS_MESSAGE, ADDRESS_PATTERN

EMPTY_FIELD = _("Fill in this field.")
NO_CHOICE = _("Choose an option.")


def replace_default_messages() -> None:
    """Replaces Django's message for a field without a value. A form can set a more precise one."""
    for field, message in (
        (forms.Field, EMPTY_FIELD),
        (forms.ChoiceField, NO_CHOICE),
        (forms.ModelChoiceField, NO_CHOICE),
    ):
        messages = field.__dict__.get("default_error_messages", {})
        field.default_error_messages = {**messages, "required": message}


def rules_of(field: BoundField) -> dict[str, str]:
    """Returns the attributes of the rules that the browser can check.

    Other rules, such as those for a word list of passwords, are checked by the server alone.
    """
    messages = field.field.error_messages
    rules = {}
    if field.field.required and "required" in messages:
        rules["data-required"] = messages["required"]
    if isinstance(field.field, forms.EmailField):
        rules |= {"pattern": ADDRESS_PATTERN, "data-invalid": messages.get("invalid", ADDRESS_MESSAGE)}
    return rules


def control(field: BoundField, css_class: str) -> str:
    """Returns the HTML of the field's control, with its rules."""
    classes = [field.field.widget.attrs.get("class", ""), css_class, "is-invalid" if field.errors else ""]
    return field.as_widget(attrs={"class": " ".join(filter(None, classes)), **rules_of(field)})
