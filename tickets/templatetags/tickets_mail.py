from django import template

from tickets.mail import suppression

register = template.Library()


@register.inclusion_tag("admin/includes/suppressed.html")
def suppressed(address: str) -> dict:
    """Says that mail to `address` comes back, where it does; accounts itself knows no mail."""
    return {"suppressed": suppression.suppressed_among([address])}
