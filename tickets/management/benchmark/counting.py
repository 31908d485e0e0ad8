"""Counts queries and SQL time of each visit, with the same requests and database, in this process."""

import time
from statistics import median

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from tickets.management.benchmark.place import Place
from tickets.management.benchmark.visits import VISITS, PageVisit, Request

TURNS = 3  # the first warms up


class Stopwatch:
    """Counts and times queries."""

    def __init__(self):
        self.queries, self.seconds = 0, 0.0

    def __call__(self, execute, sql, params, many, context):
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries += 1
            self.seconds += time.perf_counter() - started


def count_all(place: Place) -> dict[str, dict[str, float]]:
    """{name of the visit: {"queries", "sql"}}, sql in milliseconds."""
    people = get_user_model().objects
    clients = {None: Client(SERVER_NAME="127.0.0.1")}
    for email in {visit.who for visit in VISITS if visit.who}:
        clients[email] = Client(SERVER_NAME="127.0.0.1")
        clients[email].force_login(people.get(email=email))
    return {visit.name: count(visit, clients[visit.who], place) for visit in VISITS}


def count(visit: PageVisit, client: Client, place: Place) -> dict[str, float]:
    watches = []
    for turn in range(TURNS):
        before = ask(client, visit.before(place, turn)) if visit.before else ""
        watch = Stopwatch()
        with connection.execute_wrapper(watch):
            ask(client, visit.request(place, turn, before))
        watches.append(watch)
    return {
        "queries": watches[-1].queries,
        "sql": 1000 * median(watch.seconds for watch in watches[1:]),
    }


def ask(client: Client, request: Request) -> str:
    """The text of the response."""
    if request.is_sent:
        files = {name: SimpleUploadedFile(*file) for name, file in request.files.items()}
        response = client.post(request.path, {**request.fields, **files})
    else:
        response = client.get(request.path)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode(errors="replace")  # an image is not valid text
