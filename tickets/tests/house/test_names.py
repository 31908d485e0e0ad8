"""Names in the code: none has a forbidden word, and no two classes have one name."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("accounts", "helpdesk", "tickets")
FORBIDDEN = {"around", "deed", "deeds", "introduce", "introduced", "introduces", "telling", "told", "untold"}
# Django finds each of these by its name.
FOUND_BY_NAME = {"Command", "Migration"}
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def sources(*, tests: bool) -> Iterator[tuple[str, ast.Module]]:
    """The name of each module below the apps, and its syntax tree. Migrations are left out."""
    for app in APPS:
        for path in sorted(Path(settings.BASE_DIR, app).rglob("*.py")):
            parts = path.relative_to(settings.BASE_DIR).with_suffix("").parts
            if "migrations" not in parts and (tests or "tests" not in parts):
                yield ".".join(parts), ast.parse(path.read_text())


def names(tree: ast.Module) -> Iterator[str]:
    """Every name that the module gives: to classes, functions, parameters, variables, attributes, imports."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.arg(arg=name) | ast.keyword(arg=str(name)) | ast.alias(asname=str(name)):
                yield name
            case (
                ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.ExceptHandler(name=str(name))
            ):
                yield name


def forbidden(name: str) -> set[str]:
    return FORBIDDEN & set(HUMP.sub("_", name).lower().replace(".", "_").split("_"))


def classes(tree: ast.Module) -> list[str]:
    """The classes that stand at the top of a module; a nested one has its outer class as a part of its name."""
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BulkDeed", {"deed"}),
        ("staff_told", {"told"}),
        ("REFUSALS_TOLD", {"told"}),
        ("is_untold_of", {"untold"}),
        ("goaround", set()),
        ("indeed", set()),
    ],
)
def test_forbidden_words_are_found_as_whole_words(name, words):
    assert forbidden(name) == words


def test_every_kind_of_name_is_read():
    text = (
        "import a as first\nclass Second:\n    third: int\n\n\ndef fourth(fifth, *, sixth=1):\n"
        "    seventh = fifth.eighth = 1\n    call(ninth=2)\n    for tenth in ():\n        pass\n"
    )
    assert set(names(ast.parse(text))) == {
        *("first", "Second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    }


def test_no_name_has_a_forbidden_word():
    found = {
        f"{module}: {name}"
        for module, tree in sources(tests=True)
        for name in (module, *names(tree))
        if forbidden(name)
    }
    assert found == set()


def test_no_two_classes_have_one_name():
    places = defaultdict(list)
    for module, tree in sources(tests=False):
        for name in classes(tree):
            if name not in FOUND_BY_NAME:
                places[name].append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}
