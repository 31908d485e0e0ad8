"""SQL by hand stands in models/planner.py, with what it saves; search has a module for each database."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

from tickets.models import planner

TICKETS = Path(settings.BASE_DIR, "tickets")
OWN_SQL = re.compile(r"\bSELECT\b.+\bFROM\b|\bEXISTS \(", re.S)
FOR_ONE_DATABASE = {
    *("search/postgresql.py", "search/sqlite.py", "models/search_document.py"),
    "models/triggers.py",
}
ELSEWHERE = ("tests", "migrations", "management")


def modules() -> list[Path]:
    found = [path for path in TICKETS.rglob("*.py") if path.relative_to(TICKETS).parts[0] not in ELSEWHERE]
    return sorted(found)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TICKETS)))
def test_sql_by_hand_stands_in_the_planner(path):
    name = str(path.relative_to(TICKETS))
    nodes = ast.walk(ast.parse(path.read_text()))
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    has_sql = any(map(OWN_SQL.search, strings))
    assert not has_sql or name == "models/planner.py" or name in FOR_ONE_DATABASE


def test_each_trick_says_what_it_saves():
    text = Path(planner.__file__).read_text()
    tricks = re.findall(r"(?:^# .+\n)+(?:NEWEST = .+\n)?[A-Z_]+ = f?\"\"\"", text, re.M)
    assert len(tricks) == len(re.findall(r"^[A-Z_]+ = f?\"\"\"", text, re.M)) == 5
    tricks += [planner.number_without_index.__doc__, planner.WithoutIndex.__doc__]
    for trick in tricks:
        assert re.search(r"\d ms", trick), trick
        assert re.search(r"\d %|as long as the page", trick), trick
