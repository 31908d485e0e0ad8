"""Removes signatures and the footers of clients, companies and mailing lists. Pure and linear.

In doubt a line is kept.
"""

import re

from tickets.mail.receiving.phrases import (
    APOLOGY,
    END_OF_SENTENCE,
    ENDS_WITH_SENT,
    FOOTER,
    GET_OUTLOOK,
    IS_SENT,
    LINK,
    PROGRAM,
    RULE,
    SENT,
)

MAX_LINE = 400  # characters of a line of a footer
MAX_SIGNATURE = 8  # lines below "--" without the trailing space
MAX_MARKED_SIGNATURE = 12  # lines below "-- "
MAX_PHONE_LINE = 60  # characters of "Sent from my phone"
MAX_SENT_LINE = 80  # of "Diese Nachricht wurde von meinem Gerät gesendet"
FEW_WORDS = 6  # a footer of up to so many words may end with a full stop
PLAIN_WORD = re.compile(r"(?<!\S)[^\W\d_]+(?!\S)")


def without_signature(lines: list[str]) -> list[str]:
    """Removes the text after "-- " (RFC 3676, 4.3) and the footer of a phone.

    If many lines follow, "-- " separates two parts of the text and is kept.
    """
    end, below = len(lines), 0
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line == "-- " or (line == "--" and len(lines) - index <= MAX_SIGNATURE):
            end = index
        below += bool(line.strip())
        if below > MAX_MARKED_SIGNATURE:
            break
    while end and (not lines[end - 1].strip() or _is_phone_line(lines, end - 1)):
        end -= 1
    return lines[:end]


def _is_phone_line(lines: list[str], index: int) -> bool:
    """Whether the line is a footer: short, alone, no sentence, and with the name of a client or phone."""
    if (index and lines[index - 1].strip()) or len(lines[index]) > MAX_LINE or not SENT.match(lines[index]):
        return False
    line = APOLOGY.sub("", LINK.sub("", lines[index])).strip(" *_")
    says_sent = IS_SENT.match(line)
    if says_sent or APOLOGY.search(lines[index]) or len(line.split()) <= FEW_WORDS:
        line = line.removesuffix(".")
    is_sentence = len(line) > (MAX_SENT_LINE if says_sent else MAX_PHONE_LINE) or END_OF_SENTENCE.search(line)
    names_program = PROGRAM.search(line) and (says_sent or not ENDS_WITH_SENT.match(line))
    is_sentence = is_sentence or (not says_sent and _goes_on(line))
    return bool(names_program and not is_sentence and not GET_OUTLOOK.match(line))


def _goes_on(line: str) -> bool:
    """Whether a sentence continues after the name, as in "Sent from Outlook every mail arrives twice"."""
    end = max((found.end() for found in PROGRAM.finditer(line)), default=0)
    return sum(word.islower() for word in PLAIN_WORD.findall(line, end)) > 1


def is_footer(block: list[str]) -> bool:
    """Whether `block` is the footer of a company, a mailing list or a virus scanner."""
    lines = [line[:MAX_LINE] for line in block if line.strip()]
    return any(FOOTER.match(line) for line in lines[:2]) or bool(lines and RULE.fullmatch(lines[0]))
