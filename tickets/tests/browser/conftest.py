"""A real Chromium against a live server. Debian's is taken where it is installed, else Playwright's own."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.test import Client
from django.test.client import ClientHandler

NO_BROWSER = "There is no Chromium: install Debian's package chromium, or run 'playwright install chromium'."


@pytest.fixture(scope="session", autouse=True)
def allow_database_beside_playwright():
    """Playwright's loop runs in this thread, and Django takes it for an async view."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type, browser_type_launch_args):
    path = shutil.which("chromium")
    if path is None and not Path(browser_type.executable_path).exists():
        if os.environ.get("HELPDESK_REQUIRE_BROWSER"):
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    arguments = {**browser_type_launch_args, "args": ["--no-sandbox", "--disable-dev-shm-usage"]}
    return {**arguments, "executable_path": path} if path else arguments


@pytest.fixture
def server_at_rest(live_server):
    """server_at_rest(): waits until the live server works on no request.

    A page that is closed leaves its last one behind (a draft, a poll), and emptying the tables would
    deadlock with it on PostgreSQL.
    """
    under_way, changed = [0], threading.Condition()

    def count(sender, step: int) -> None:
        if sender is not ClientHandler:
            with changed:
                under_way[0] += step
                changed.notify_all()

    def begin(sender, **kwargs):
        count(sender, 1)

    def end(sender, **kwargs):
        count(sender, -1)

    def wait() -> None:
        with changed:
            assert changed.wait_for(lambda: not under_way[0], timeout=10), "a request never ended"

    request_started.connect(begin)
    request_finished.connect(end)
    yield wait
    request_started.disconnect(begin)
    request_finished.disconnect(end)


@pytest.fixture
def open_browser(browser, live_server, server_at_rest):
    """open_browser(person, ...): a page of a fresh browser, logged in as the person (None: a visitor).

    At the end no page may have had an error, broken the content policy or asked another host.
    """
    contexts, problems = [], []

    def open_page(person=None, **options):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(base_url=live_server.url, locale="en-GB", **options)
        contexts.append(context)
        if person is not None:
            client = Client()
            client.force_login(person)
            value = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}]
            )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: note(message.type == "error", message.text))
        page.on("pageerror", lambda error: note(True, str(error)))
        page.on("request", lambda request: note(not is_ours(request.url), f"request to {request.url}"))
        return page

    def note(is_problem: bool, text: str) -> None:
        # Chromium writes a line for every answer of 400 and above; those are asked for on purpose.
        if is_problem and not text.startswith(
            "Failed to load resource: the server responded with a status of 4"
        ):
            problems.append(text)

    def is_ours(url: str) -> bool:
        return url.startswith((live_server.url, "data:", "blob:", "about:"))

    yield open_page
    for context in contexts:
        context.close()
    server_at_rest()
    assert problems == []
