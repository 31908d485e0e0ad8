"""What a process of its own does in test_files_at_once.py. Django is set up in it before its models are read."""

import os
import uuid
from multiprocessing import Queue
from multiprocessing.synchronize import Barrier

import django

FILES = 3  # of each message


def send(database: str, folder: str, session: str, tickets: list[int], gate: Barrier, results: Queue) -> None:
    """Sends files with a new ticket and with an answer on each of `tickets`; tells the codes of the answers."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    django.setup()
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    from tickets.models import Attachment, Category
    from tickets.tests.factories import upload

    setup_test_environment()
    connection.settings_dict["NAME"] = database
    Attachment._meta.get_field("file").storage = FileSystemStorage(folder)
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    category = Category.objects.first().pk
    gate.wait(timeout=120)
    codes = []
    for number in tickets:
        files = [upload(f"{one}.txt", b"words", "text/plain") for one in range(FILES)]
        new = {"subject": "Files", "description": "See them", "category": category, "priority": "normal"}
        codes.append(client.post("/tickets/new/", {**new, "attachments": files}).status_code)
        answer = {
            "body": f"See {uuid.uuid4()}",
            "attachments": [upload(f"{one}.txt", b"x") for one in range(FILES)],
        }
        codes.append(client.post(f"/tickets/{number}/reply/", answer).status_code)
    results.put(codes)
