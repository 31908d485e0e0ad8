"""Writes a picture of every page to screenshots/, for a person to leaf through:

.venv/bin/pytest tickets/tests/browser/screenshots.py
"""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.actor import acting_as
from accounts.models import User
from tickets.models import Ticket
from tickets.tests.browser.pages import pages

FOLDER = Path(settings.BASE_DIR, "screenshots")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_picture_of_every_page(open_browser, scheme, width):
    call_command("quickstart", "--no-serve", verbosity=0)
    maria, ann, sam = (User.objects.get(email=f"{name}@example.com") for name in ("maria", "ann", "sam"))
    own = Ticket.objects.filter(requester=maria)
    with acting_as(ann):
        own.open().first().set_priority("high")
    tickets = {"new": own.in_phase("new").first() or own.open().first(), "done": own.done().first()}
    cast = {None: None, "requester": maria, "agent": ann, "supervisor": sam}
    FOLDER.mkdir(exist_ok=True)
    for name, (who, address) in pages(tickets).items():
        page = open_browser(cast[who], viewport={"width": width, "height": 844}, color_scheme=scheme)
        page.goto(address)
        path = FOLDER / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=path, full_page=True)
        assert path.stat().st_size > 0
