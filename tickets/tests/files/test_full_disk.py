"""The disk below the database is full: what writes is refused, what reads goes on (THREATS 113)."""

import pytest
from django.db import connection
from django.test import Client

from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.views.test_ticket_new import form

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="it needs SQLite's own limit of pages"),
]
UNLIMITED = 2**30 - 1


@pytest.fixture
def full_disk():
    """with full_disk(): the database file can't grow any more, and holds no empty page."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()

    def limit(most: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {most}")

    yield lambda: limit(pages)
    limit(UNLIMITED)


def test_writing_is_refused_and_reading_goes_on(alice, full_disk, unchanged):
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    ticket, data = make_ticket(alice), form(description="It shows a paper jam. " * 900)
    full_disk()
    with unchanged():
        refused = client.post("/tickets/new/", data)
        assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert client.get(f"/tickets/{ticket.pk}/").status_code == 200
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        cursor.execute(f"PRAGMA max_page_count = {UNLIMITED}")
    assert client.post("/tickets/new/", data).status_code == 302
    assert Ticket.objects.count() == 2
