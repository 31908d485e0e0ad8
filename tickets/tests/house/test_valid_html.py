"""The Nu HTML checker (the npm package vnu-jar, Java) finds no error on any page."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Attachment
from tickets.tests.browser.pages import pages
from tickets.tests.factories import make_ticket, upload

JAR = Path(settings.BASE_DIR, "node_modules/vnu-jar/build/dist/vnu.jar")
LIMIT = 240  # seconds


@pytest.fixture
def checker() -> list[str]:
    if not JAR.exists() or not shutil.which("java"):
        if os.environ.get("HELPDESK_REQUIRE_BROWSER"):
            pytest.fail("The Nu HTML checker is missing: npm install vnu-jar, and Java.")
        pytest.skip("needs Java and the npm package vnu-jar")
    return ["java", "-jar", str(JAR), "--format", "json", "--exit-zero-always", "--stdout"]


@pytest.fixture
def tickets(alice, ann):
    fresh = make_ticket(alice, subject="The projector shows a blue picture", priority="urgent", assignee=ann)
    Attachment.attach([upload()], ticket=fresh, uploader=alice)
    conversation.reply(fresh, Message(author=ann, body="Which room?"))
    conversation.note(fresh, Message(author=ann, body="It is the cable.", files=[upload()]))
    done = make_ticket(alice, subject="VPN asks for my password again and again")
    with acting_as(ann):
        done.assign(ann)
        done.close()
    for phase in ("new", "active", "waiting"):
        make_ticket(alice, subject=f"Ticket that is {phase}", phase=phase)
    return {"new": fresh, "done": done}


def errors(checker: list[str], folder: Path) -> set[str]:
    """Each error once per page: page, message and the place in the markup."""
    command = [*checker, "--skip-non-html", str(folder)]
    answer = subprocess.run(command, capture_output=True, timeout=LIMIT, check=True)
    found = json.loads(answer.stdout)["messages"]
    return {
        f"{Path(one['url']).stem}: {one['message']} {one.get('extract', '').strip()}"
        for one in found
        if one["type"] == "error"
    }


def test_checker_notices_what_is_wrong(checker, tmp_path):
    page = '<!DOCTYPE html><html lang="en"><title>A</title><p><time datetime="2026-11-30T10:00:00.123456Z">now</time>'
    (tmp_path / "wrong.html").write_text(page)
    assert len(errors(checker, tmp_path)) == 1


def test_no_page_has_an_error(checker, tmp_path, alice, ann, sam, tickets):
    clients = {None: Client()}
    for who, person in {"requester": alice, "agent": ann, "supervisor": sam}.items():
        clients[who] = Client()
        clients[who].force_login(person)
    for name, (who, address) in pages(tickets).items():
        response = clients[who].get(address, follow=True)
        if response.headers["Content-Type"].startswith("text/html"):
            (tmp_path / f"{name}.html").write_bytes(response.content)
    assert len(list(tmp_path.iterdir())) > 50
    assert errors(checker, tmp_path) == set()
