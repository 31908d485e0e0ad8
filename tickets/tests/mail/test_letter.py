"""A letter and its templates: each reads only fields that its letter has."""

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from django.conf import settings

from accounts.events import AccountMail
from tickets.mail.writing import letter as letters
from tickets.mail.writing.letter import Letter, Link, Question
from tickets.models.notification import CANARY, HELD, IS_THIS_YOU, RECEIVED_WAITS

FOLDER = Path(settings.BASE_DIR, "templates/emails")
KINDS = {
    **{kind.value: letters.AccountLetter for kind in AccountMail},
    CANARY: Letter,
    HELD: Letter,
    IS_THIS_YOU: letters.QuestionLetter,
    RECEIVED_WAITS: Letter,
    "digest": letters.DigestLetter,
    "handed_over": letters.HandoverLetter,
    "weekly_report": letters.WeeklyReportLetter,
}
TEMPLATES = sorted(FOLDER.glob("*/*.txt"))
BLOCK = re.compile(r"\{% blocktranslate (.*?)%\}(.*?)\{% endblocktranslate %\}", re.S)


def short(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"\bletter\.(\w+)", path.read_text()))


def has(kind: type, name: str) -> bool:
    return name in kind.__dataclass_fields__ or hasattr(kind, name)


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*/*.txt")), ids=lambda path: str(path.relative_to(FOLDER))
)
def test_template_reads_only_what_its_letter_has(path):
    kind = KINDS.get(path.parent.name, letters.TicketLetter)
    assert [name for name in names_in(path) if not has(kind, name)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_template_reads_nothing_else(path):
    """A name that nobody gives would be an empty place in somebody's email."""
    text = path.read_text()
    for head, body in BLOCK.findall(text):
        assert set(re.findall(r"\{\{ (\w+)", body)) <= set(re.findall(r"(\w+)=", head))
    assert set(re.findall(r"\{\{ (\w+)", BLOCK.sub("", text))) <= {"letter", "sentence"}


@pytest.mark.parametrize("name", ["layout.txt", "layout.html"])
def test_layout_reads_only_what_every_letter_has(name):
    assert [field for field in names_in(FOLDER / name) if not has(Letter, field)] == []


def test_every_kind_of_letter_has_its_folder():
    assert KINDS.keys() <= {path.name for path in FOLDER.iterdir()}


def test_letter_is_frozen():
    with pytest.raises(FrozenInstanceError):
        Letter(folder=CANARY, reason="").folder = HELD


def test_subject_is_that_of_the_thread_and_the_heading_stays():
    letter = Letter(folder=CANARY, reason="", thread_subject="[#1] No sound")
    assert (letter.subject, letter.heading) == ("[#1] No sound", "Test email of the helpdesk")
    assert Letter(folder=CANARY, reason="").subject == "Test email of the helpdesk"


def test_question_has_the_buttons_and_the_page_stands_below():
    fixed, page = Link("Fixed", "https://x/1"), Link("Open the queue", "https://x/2")
    about = {"folder": "handed_over", "reason": ""}
    assert (Letter(**about).buttons, Letter(**about).links) == ([], ())
    letter = Letter(**about, url=page.url)
    assert (letter.buttons, letter.links) == ([page], ())
    letter = Letter(**about, url=page.url, question=Question("Is your problem solved?", [fixed]))
    assert (letter.buttons, letter.links) == ([fixed], [page])


def test_paragraphs_are_what_blank_lines_part():
    assert letters.paragraphs_of("\n Hello \n \nsecond\nline\n\n\n\nthird\n") == [
        "Hello",
        "second\nline",
        "third",
    ]
