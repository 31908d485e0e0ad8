"""Finds attribution lines ("On Monday, Ann wrote:") and header blocks above quoted text. Pure and linear."""

import re

from tickets.mail.receiving.phrases import LABEL_PADDING, LABELS, LONGEST_LABEL, OPENS, WROTE

MAX_LINE = 400  # characters of a line of an attribution
MAX_ATTRIBUTION = 3  # lines of an attribution
ENDS = (":", "：")
UNSEEN = "".join(sign for sign in LABEL_PADDING if sign not in ">*_")
IN_BRACKETS = re.compile(r"[<(\[][^\s<>()\[\]]{1,100}@[^\s<>()\[\]]{1,190}[>)\]]")
ADDRESS = re.compile(r"[^\s<>()\[\]@]{1,100}@[^\s<>()\[\]@]{1,190}")
DIGIT = re.compile(r"\d")
TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
YEAR = re.compile(r"\b(19|20)\d{2}(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}")


def header_block(lines: list[str], index: int) -> str:
    """The line "From: Ann" of the header block that starts at `index`; "" if there is none.

    Outlook starts the block with From, old versions of Outlook.com with Date or Subject.
    """
    first = label_of(lines[index])
    if first not in ("from", "date", "subject"):
        return ""
    block = [line for line in lines[index : index + 8] if line.strip()][:6]
    labels = [label_of(line) for line in block]
    others = {label for label in labels[1:] if label}
    if "from" not in labels or len(others) < 2 or (first != "from" and "" in labels[:3]):
        return ""
    return block[labels.index("from")][:MAX_LINE]


def label_of(line: str) -> str:
    """The kind of a line in a header block: "from", "date", "to", "subject"; "" for any other line."""
    head, colon, _rest = line[:LONGEST_LABEL].replace("：", ":").partition(":")
    return LABELS.get(head.strip(LABEL_PADDING).lower(), "") if colon else ""


def attribution_start(lines: list[str], end: int) -> int | None:
    """The first line of the attribution that ends before line `end`; None if there is none."""
    last = lines[end - 1]
    is_ruled = last.startswith("---") and last.rstrip().endswith("---")
    if len(last) > MAX_LINE or not (is_ruled or last.rstrip(UNSEEN).endswith(ENDS)):
        return None
    for start in range(end - 1, max(end - 1 - MAX_ATTRIBUTION, -1), -1):
        if not lines[start].strip():
            return None
        joined = " ".join(lines[start:end])
        if len(joined) > MAX_LINE:
            return None
        if says_who_wrote(joined):
            return start
    return None


def says_who_wrote(line: str) -> bool:
    """Whether the line is an attribution: in a known language, or with an address and a time."""
    if "@" not in line and not DIGIT.search(line):  # a fast exit for most lines that end in a colon
        return False
    rest = ADDRESS.sub("", line)
    if IN_BRACKETS.search(line) and TIME.search(rest) and YEAR.search(rest):
        return True
    has_date = any(character.isdigit() for character in rest)
    opening = OPENS.match(line)
    is_word = opening is not None and opening[0][-1].isalpha()
    return bool(
        WROTE.search(rest)
        and ((opening and has_date) or (is_word and "@" in line) or (has_date and "@" in line))
        and rest.count("<") == rest.count(">")
    )
