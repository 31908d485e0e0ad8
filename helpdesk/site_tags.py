"""Tags of all apps: the name of the helpdesk (SITE_NAME), controls of form fields, attributes of elements."""

from django import template
from django.conf import settings
from django.forms.utils import flatatt

from helpdesk.form_fields import control

register = template.Library()
register.simple_tag(control)
register.filter("attributes", flatatt)


@register.simple_tag
def site_name() -> str:
    return settings.SITE_NAME
