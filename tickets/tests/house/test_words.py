"""No string on a screen, in an email or of a command says again what has a plainer word.

One thing has one word everywhere. A word is looked for in every translatable string of templates and code.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FUNCTIONS = {
    "_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext",
    "npgettext_lazy",
}  # fmt: skip
TRANSLATE = re.compile(r"""{%-?\s*translate\s+(?:"([^"]*)"|'([^']*)')|_\("([^"]*)"\)""")
BLOCK = re.compile(r"{%\s*blocktranslate[^%]*%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)

# A pattern, and what stands instead of what it finds.
NEVER = {
    r"\b[Mm]ail(s|ed|ing)?\b(?! program| server| list)": "email",
    r"\b[Ss]omebody\b": "someone",
    r"\b[Nn]obody\b": "no one, or Unassigned",
    r"\btak(e|es|ing|en) care\b|\btook care\b": "assigned to",
    r"\b[Ff]acts\b": "details",
    r"(?<!-)\b[Ff]iled\b|\b[Ff]iling\b|\b[Ff]iles? (a|the) ticket\b": "submitted, created, New ticket",
    r"\bwakes? up\b|\bwoken\b": "snooze until, reopens",
    r"\b[Ss]ignpost\b": "will redirect to the other ticket",
    r"\bstaff area\b|\bStaff area\b": "Agent workspace",
    r"\bstaff only\b": "internal note",
    r"\bpeople to tell\b|\b(is|are|be) told\b": "notify",
    r"\b[Aa]t once\b": "immediately",
    r"\bswitched off\b": "inactive, deactivated",
    r"\b[Pp]resent password\b": "current password",
    r"\bby itself\b": "automatically",
    r"\b(your|our|an|the|any|no|first) answer\b|\b[Aa]nswers? by\b": "reply",
    r"^Please (choose|correct|type|say|give|fill|write)\b": "the verb alone",
    r"\btaken? (it )?back\b": "Undo send",
    r"\bEverybody's\b": "All open, Any assignee",
    r"\bmere\b": "",
    r"!": "a full stop",
}
# What stood on the screens before: each has its successor in the tables of words.
OLD = (
    "put the ticket back", "took the ticket", "gave the ticket", "It went to", "It works again",
    "Work on it", "Save the facts", "This did not work yet", "Waits for", "as it is:", "As it is",
    "Then the status is", "Goes by", "Draft kept", "Quiet from", "Look into", "Forgotten your password",
    "You may not do this", "typing error", "More: priority", "as you would to a colleague", "whole story",
    "is missing", "take another look of", "changed it too", "Keep what is saved", "Make it a",
    "Put it there", "What is to become", "Take it as genuine", "Nothing proves", "Came by", "As it came",
    "that went out", "it leaves the form", "Empty: our", "to whoever clicks", "Who can use it",
    "stands here", "Show what changes", "are changed.", "is done on", "90th percentile",
    "See it on the site", "Back to the site", "did not understand", "May log in", "more mail",
)  # fmt: skip


def in_templates() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix not in {".html", ".txt"}:
            continue
        source = path.read_text()
        texts = ["".join(match.groups(default="")) for match in TRANSLATE.finditer(source)]
        texts += [" ".join(text.split()) for text in BLOCK.findall(source)]
        for text in texts:
            yield str(path.relative_to(ROOT)), text


def in_code() -> Iterator[tuple[str, str]]:
    for app in ("accounts", "helpdesk", "tickets"):
        for path in sorted((ROOT / app).rglob("*.py")):
            if {"tests", "migrations"} & set(path.parts):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in FUNCTIONS:
                    texts = (one.value for one in node.args if isinstance(one, ast.Constant))
                    yield from (
                        (str(path.relative_to(ROOT)), text) for text in texts if isinstance(text, str)
                    )


def in_commands() -> Iterator[tuple[str, str]]:
    """Commands speak English alone: all of their strings but docstrings."""
    for app in ("accounts", "tickets"):
        for path in sorted((ROOT / app / "management" / "commands").glob("*.py")):
            tree = ast.parse(path.read_text())
            bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and " " in text and id(node) not in bare:
                    yield str(path.relative_to(ROOT)), text


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


STRINGS = [*in_templates(), *in_code(), *in_commands()]


def test_strings_are_found():
    where = {place.split("/")[0] for place, _text in STRINGS}
    assert where == {"templates", "accounts", "helpdesk", "tickets"}
    assert len(STRINGS) > 1_000


@pytest.mark.parametrize("pattern", NEVER)
def test_word_that_has_a_plainer_one_comes_back_nowhere(pattern):
    found = [f"{place}: {text}" for place, text in STRINGS if re.search(pattern, _bare(text))]
    assert not found, f"Say {NEVER[pattern]!r} instead:\n" + "\n".join(found)


def test_phrases_of_the_old_screens_come_back_nowhere():
    found = [f"{place}: {text}" for place, text in STRINGS for phrase in OLD if phrase in _bare(text)]
    assert not found, "\n".join(found)


def _bare(text: str) -> str:
    """`text` without the names of its variables and tags."""
    return re.sub(r"{{.*?}}|{%.*?%}|%\(\w+\)|<[^>]*>", "", text)
