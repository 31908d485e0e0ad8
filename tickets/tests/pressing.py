"""Two people in processes of their own press at the same moment. Django is set up in each before models are read."""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing import Queue
from multiprocessing.synchronize import Barrier

import django
from django.conf import settings
from django.db import connection
from django.test import Client


def session_of(person) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def pressed_by_two(people: list, way: str, tickets: list[int]) -> dict:
    """What each of two people, in a process of its own, read on each of `tickets`."""
    fresh = multiprocessing.get_context("spawn")
    gate, results = fresh.Barrier(2), fresh.Queue()
    sessions = {session_of(person): person for person in people}
    database = connection.settings_dict["NAME"]
    processes = [
        fresh.Process(target=press, args=(database, session, way, tickets, gate, results))
        for session in sessions
    ]
    for process in processes:
        process.start()
    try:
        answers = dict(results.get(timeout=300) for _process in processes)
    finally:
        for process in processes:
            process.join(timeout=10)
            process.kill()
    return {sessions[session]: read for session, read in answers.items()}


def press(database: str, session: str, way: str, tickets: list[int], gate: Barrier, results: Queue) -> None:
    """Takes each of `tickets` at the same moment as the other process; tells what was read on it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    django.setup()
    from django.contrib.messages import get_messages
    from django.test.utils import setup_test_environment

    setup_test_environment()
    connection.settings_dict["NAME"] = database
    read = {}
    for number in tickets:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = session
        act = (WAYS | CROSSING)[way](client, number)
        gate.wait(timeout=60)
        response = act()
        messages = " ".join(map(str, get_messages(response.wsgi_request)))
        is_refused = response.status_code in (200, 409)  # who succeeds is led on
        read[number] = messages + (response.content.decode() if is_refused else "")
    results.put((session, read))


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


def _crossing(client, number: int) -> Callable:
    """A reply of somebody who has seen what the page shows now."""
    url = f"/admin/tickets/ticket/{number}/"
    seen = client.get(f"{url}change/").context["last_number"]
    return lambda: client.post(f"{url}reply/", {"body": "Please restart it.", "seen_entry": seen})


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
# Of two who reply without having seen the other, one is asked first.
CROSSING = {"crossing reply": _crossing}
