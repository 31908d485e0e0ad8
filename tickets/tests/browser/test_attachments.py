"""Files are looked at before they are sent, by the tables that the server has."""

import pytest
from django.core.cache import caches
from django.core.exceptions import ValidationError
from playwright.sync_api import expect

from tickets.rules.file_types import chosen, identify
from tickets.rules.validators import MAX_FILE_BYTES, safe_name
from tickets.tests.factories import PNG

PROGRAM, ZIP, WORDS = b"MZ\x90\0", b"PK\x03\x04 archive", b"Just words."
# Name, content, whether it is taken.
FILES = [
    ("notes.txt", WORDS, True),
    ("NOTES.LOG", WORDS, True),
    ("notes", WORDS, True),
    ("Screenshot 2026.11", PNG, True),
    ("Notes 2026.11", WORDS, True),
    ("utf16", "words".encode("utf-16"), True),
    ("photo.jfif", b"\xff\xd8\xff\xe0", True),
    ("a.xyz", PNG, True),
    ("a.xyz", WORDS, False),
    ("a.xyz", PROGRAM, False),
    ("passwd", PROGRAM, False),
    ("passwd", b"\0\1\2", False),
    ("evil.exe", WORDS, False),
    ("evil.exe.", WORDS, False),
    ("a.EXE ", WORDS, False),
    ("x.pdf.exe", PNG, False),
    ("x.e\u200bxe", WORDS, False),
    ("\u202egnp.exe", WORDS, False),
    ("run.ps1", WORDS, False),
    ("picture.svg", b"<svg></svg>", False),
    ("plan.dwg", b"AC1032\0\0", False),
    ("a.zip", ZIP, True),
]
# An archive without an extension may be a document: the server looks into it.
WITH_SETTING = [
    ("plan.dwg", b"AC1032\0\0", True),
    ("a.zip", ZIP, False),
    ("a.png", PNG, True),
]


@pytest.fixture
def page(open_browser, alice):
    caches["same_for_all"].clear()
    yield open_browser(alice)
    caches["same_for_all"].clear()


def is_taken(name: str, content: bytes) -> bool:
    try:
        return bool(identify(safe_name(name), content))
    except ValidationError:
        return False


def refuses(page, name: str, content: bytes) -> bool:
    """Whether the page marks the file."""
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("input[type=file][name]").set_input_files([file])
    row = page.get_by_role("list", name="Chosen files").get_by_role("listitem")
    expect(page.locator("#announcer")).to_contain_text("added.")
    is_bad = row.get_attribute("data-bad") is not None
    row.get_by_role("button").click()
    expect(page.locator("#announcer")).to_contain_text("removed.")
    return is_bad


def test_page_and_server_take_the_same_files(page):
    page.goto("/tickets/new/")
    for name, content, taken in FILES:
        assert (name, is_taken(name, content), refuses(page, name, content)) == (name, taken, not taken)


def test_setting_changes_both(page, settings):
    settings.ATTACHMENT_TYPES = chosen(["+dwg", "-zip"])
    page.goto("/tickets/new/")
    for name, content, taken in WITH_SETTING:
        assert (name, is_taken(name, content), refuses(page, name, content)) == (name, taken, not taken)


def test_few_types_are_named(page, settings):
    settings.ATTACHMENT_TYPES = chosen(["png", "pdf"])
    page.goto("/tickets/new/")
    expect(page.get_by_text("Up to 5 files, 10 MB each: .png, .pdf")).to_be_visible()
    assert refuses(page, "notes", WORDS)
    assert not refuses(page, "picture", PNG)


def test_size_is_the_servers(page):
    page.goto("/tickets/new/")
    assert not refuses(page, "a.txt", b"x" * MAX_FILE_BYTES)
    assert refuses(page, "a.txt", b"x" * (MAX_FILE_BYTES + 1))
    assert refuses(page, "a.txt", b"")
