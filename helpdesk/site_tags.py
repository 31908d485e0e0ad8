"""Tags of all apps: the name of the helpdesk (SITE_NAME), controls of form fields, attributes of elements."""

from django import template
from django.conf import settings
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from helpdesk.form_fields import control

register = template.Library()
register.simple_tag(control)


@register.simple_tag
def site_name() -> str:
    return settings.SITE_NAME


@register.filter
def attributes(values: dict) -> SafeString:
    """The attributes of a widget, like Django's attrs.html. Escapes values only: names are in the code."""
    given = ((name, value) for name, value in values.items() if value is not False and value is not None)
    parts = (
        f" {name}" if value is True else f' {name}="{conditional_escape(value)}"' for name, value in given
    )
    return mark_safe("".join(parts))  # noqa: S308 - its parts are escaped
