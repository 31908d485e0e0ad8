import pytest

from tickets.rules.questions import question_in
from tickets.tests.work import is_linear


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Which room?", "Which room?"),
        ("Thank you, that helps. When may I do it: now, or at 14:30?", "When may I do it: now, or at 14:30?"),
        ("First one?\nSecond one? Bye.\n\nAnn", "Second one?"),
        ("Do you use v1.2 of example.com?", "Do you use v1.2 of example.com?"),
        ("Is it on? Is it plugged in? Try it.", "Is it plugged in?"),
        ("Really?!", ""),
        ("> Is it quoted?\nPlease restart it.", ""),
        ("See https://example.com/?page=1 for more.", ""),
        ("Please restart it.", ""),
        ("", ""),
    ],
)
def test_last_question_is_found(text, question):
    assert question_in(text) == question


def test_long_question_is_shortened():
    question = question_in(f"Is it {'very ' * 100}old?")
    assert len(question) == 200
    assert question.endswith("…")


@pytest.mark.parametrize("part", ["?", "a?", "a? ", "a.b?", "a\n?", "…"])
def test_work_is_linear(part):
    assert is_linear(question_in, lambda size: part * size, 2000)
