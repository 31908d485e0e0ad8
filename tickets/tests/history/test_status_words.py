from datetime import date

import pytest

from tickets.history.status_words import status_sentence


@pytest.mark.parametrize(
    ("phase", "assignee", "more", "sentence"),
    [
        ("new", "", {}, "We have received your ticket."),
        ("new", "Ann Weber", {}, "Assigned to Ann Weber."),
        ("active", "", {}, "IT is working on it."),
        ("active", "Ann Weber", {}, "Ann Weber is working on it."),
        ("waiting", "Ann Weber", {"waiting_for": "requester"}, "We’re waiting for your reply."),
        (
            "waiting",
            "Ann Weber",
            {"waiting_for": "requester", "is_own": False},
            "Waiting for the requester’s reply.",
        ),
        ("waiting", "", {"waiting_for": "supplier"}, "Waiting for a third party."),
        (
            "waiting",
            "",
            {"waiting_for": "supplier", "wakes_on": date(2026, 12, 3)},
            "Waiting for a third party until 3 Dec 2026.",
        ),
        (
            "waiting",
            "",
            {"waiting_for": "date", "wakes_on": date(2026, 12, 3)},
            "Waiting until 3 Dec 2026.",
        ),
        ("waiting", "", {}, "This ticket is on hold."),
        ("done", "Ann Weber", {}, "Solved by Ann Weber."),
        ("done", "", {}, "Solved."),
    ],
)
def test_sentence_says_what_happens_now(phase, assignee, more, sentence):
    assert status_sentence(phase, assignee=assignee, **more) == sentence
