"""Links from figures to the tickets that were counted."""

from urllib.parse import urlencode

from django.urls import reverse


def tickets_url(**query) -> str:
    return f"{reverse('admin:tickets_ticket_changelist')}?{urlencode({'who': 'all', 'phase': 'all'} | query)}"
