"""What a process of its own does in test_taking_at_once.py. Django is set up in it before its models are read."""

import os
from collections.abc import Callable
from multiprocessing import Queue
from multiprocessing.synchronize import Barrier

import django


def press(database: str, session: str, way: str, tickets: list[int], gate: Barrier, told: Queue) -> None:
    """Takes each of `tickets` at the same moment as the other process; tells what was read on it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    django.setup()
    from django.conf import settings
    from django.contrib.messages import get_messages
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    setup_test_environment()
    connection.settings_dict["NAME"] = database
    read = {}
    for number in tickets:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = session
        act = WAYS[way](client, number)
        gate.wait(timeout=60)
        response = act()
        messages = " ".join(map(str, get_messages(response.wsgi_request)))
        read[number] = messages + (response.content.decode() if response.status_code == 409 else "")
    told.put((session, read))


def _details(client, number: int) -> Callable:
    """The form with the details, with oneself as the assignee."""
    url = f"/admin/tickets/ticket/{number}/change/"
    response = client.get(url)
    form, person = response.context["adminform"].form, response.wsgi_request.user.pk
    data = {name: form[name].value() or "" for name in form.fields}
    return lambda: client.post(url, data | {"assignee": person})


def _many(client, number: int) -> Callable:
    url, data = "/admin/tickets/ticket/many/", {"action": "assign_to_me", "numbers": str(number)}
    preview = client.post(url, data).context
    data |= {name: preview[name] for name in ("shown", "seen")}
    return lambda: client.post(url, {**data, "apply": "1"})


def _post(address: str, **data) -> Callable:
    def prepare(client, number: int) -> Callable:
        return lambda: client.post(f"/admin/tickets/ticket/{number}/{address}/", data)

    return prepare


# Each prepares what is pressed: (client, number of the ticket) -> the act.
WAYS = {
    "button": _post("take", seen=""),
    "key in the queue": _post("take", seen="", to_queue="1"),
    "many": _many,
    "details": _details,
    "answer": _post("reply", body="Please restart it.", claims="on"),
    "macro": _post("macro", macro="1", seen=""),
    "answer of a macro": _post("macro", macro="2", seen="", claims="on"),
}
