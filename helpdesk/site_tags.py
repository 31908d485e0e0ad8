"""Tags of all apps: the name of the helpdesk (SITE_NAME), and the control of a form field with its rules."""

from django import template
from django.conf import settings

from helpdesk.form_fields import control

register = template.Library()
register.simple_tag(control)


@register.simple_tag
def site_name() -> str:
    return settings.SITE_NAME
