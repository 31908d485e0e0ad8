"""Finds the question that a reply asks. Pure."""

import re

from tickets.rules.excerpts import shortened

LONGEST = 200  # characters of a question
READ = 20_000  # characters of a reply
# A sentence ends before white space only: "v1.2" and "example.com" have no end in them.
SENTENCE = re.compile(r"[^\s.!?…][^\n.!?…]*(?:[.!?…]+(?=\S)[^\n.!?…]+)*[.!?…]*")


def question_in(text: str) -> str:
    """Returns the last question of `text`; empty if it asks none."""
    for line in reversed(text[:READ].splitlines()):
        if "?" not in line or line.lstrip().startswith(">"):
            continue
        asked = [found[0].strip() for found in SENTENCE.finditer(line) if found[0].rstrip().endswith("?")]
        if asked:
            return shortened(asked[-1], LONGEST)
    return ""
