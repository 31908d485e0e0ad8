"""A condition of a template has at most two terms. What needs more is a property with a name."""

import re
from pathlib import Path

import pytest
from django.conf import settings

FOLDERS = ("templates", "tickets/management/benchmark/templates")
CONDITION = re.compile(r"{%\s*(?:el)?if\s(.*?)%}", re.DOTALL)
TEXT = re.compile(r"""'[^']*'|"[^"]*\"""")
MOST = 2


def long_conditions(text: str) -> list[str]:
    conditions = (TEXT.sub("''", found) for found in CONDITION.findall(text))
    return [one.strip() for one in conditions if len(re.findall(r"\b(?:and|or)\b", one)) >= MOST]


def templates() -> list[Path]:
    return [
        path for folder in FOLDERS for path in Path(settings.BASE_DIR, folder).rglob("*") if path.is_file()
    ]


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_condition_has_at_most_two_terms(path):
    assert long_conditions(path.read_text(errors="ignore")) == []


@pytest.mark.parametrize(
    ("text", "is_long"),
    [
        ("{% if a %}", False),
        ("{% if a and not b %}", False),
        ('{% if a == "this and that and more" or b %}', False),
        ("{% if a and b or c %}", True),
        ("{% elif a\n or b\n or c %}", True),
    ],
)
def test_the_test_sees_a_long_condition(text, is_long):
    assert bool(long_conditions(text)) is is_long
