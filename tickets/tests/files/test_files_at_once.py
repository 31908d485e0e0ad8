"""The files of a day are counted under a lock: several processes together send no more than one may (THREATS 51)."""

import multiprocessing

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from tickets.models import Attachment, Comment, Ticket
from tickets.rules.validators import MAX_FILES_A_DAY
from tickets.tests.factories import make_ticket, upload
from tickets.tests.sending import FILES, send

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES, BEFORE = 4, 20


def test_processes_together_send_no_more_than_the_files_of_a_day(alice, attachments_dir):
    tickets = [make_ticket(alice).pk for _number in range(3)]
    files = [upload(f"{number}.txt", b"x", "text/plain") for number in range(BEFORE)]
    Attachment.attach(files, ticket=Ticket.objects.first(), uploader=alice)
    client = Client()
    client.force_login(alice)
    session, database = client.cookies[settings.SESSION_COOKIE_NAME].value, connection.settings_dict["NAME"]
    fresh = multiprocessing.get_context("spawn")
    gate, results = fresh.Barrier(PROCESSES), fresh.Queue()
    arguments = (database, str(attachments_dir), session, tickets, gate, results)
    processes = [fresh.Process(target=send, args=arguments) for _number in range(PROCESSES)]
    for process in processes:
        process.start()
    try:
        codes = [code for _process in processes for code in results.get(timeout=300)]
    finally:
        for process in processes:
            process.join(timeout=10)
            process.kill()
    taken = (MAX_FILES_A_DAY - BEFORE) // FILES
    assert sorted(codes) == [302] * taken + [429] * (len(codes) - taken)
    assert Attachment.objects.count() == BEFORE + taken * FILES
    stored = [path for path in attachments_dir.rglob("*") if path.is_file()]
    assert len(stored) == Attachment.objects.count()
    said = Comment.objects.count() + Ticket.objects.count() - len(tickets)
    assert said == taken  # what was refused is not half there
