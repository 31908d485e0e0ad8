"""Folds quotations and signatures away, in the ways of many programs and languages. Pure and linear.

In doubt a line is kept. Whatever is cut can be opened on the ticket's page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tickets.inbound.phrases import (
    ANSWER,
    APOLOGY,
    AROUND_LABEL,
    BELOW,
    END_OF_SENTENCE,
    ENDS_WITH_SENT,
    FOOTER,
    FORWARD,
    FORWARDED,
    GET_OUTLOOK,
    IS_SENT,
    LABELS,
    LINK,
    LONGEST_LABEL,
    OPENS,
    ORIGINAL,
    PROGRAM,
    RULE,
    SENT,
    WROTE,
)

MAX_LINE = 400  # longer ones are nobody's "On Monday Ann wrote:"
MAX_SIGNATURE = 8  # lines below "--" whose space got lost
MAX_MARKED_SIGNATURE = 12  # lines below "-- "
MAX_PHONE_LINE = 60  # characters of "Sent from my phone"
MAX_SENT_LINE = 80  # of "Diese Nachricht wurde von meinem Gerät gesendet"
FEW_WORDS = 6  # of "Sent with Proton Mail secure email.", which ends like a sentence
MAX_ATTRIBUTION = 3  # lines of "On Monday, Ann wrote:"
FEW_LINES = 2  # of a quotation that is worth its place above the answer
ENDS = (":", "：")
UNSEEN = "".join(sign for sign in AROUND_LABEL if sign not in ">*_")
IN_BRACKETS = re.compile(r"[<(\[][^\s<>()\[\]]{1,100}@[^\s<>()\[\]]{1,190}[>)\]]")
ADDRESS = re.compile(r"[^\s<>()\[\]@]{1,100}@[^\s<>()\[\]@]{1,190}")
TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
YEAR = re.compile(r"\b(19|20)\d{2}(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
PGP_BEGIN, PGP_END = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True)
class Conversation:
    """By what a quotation of us or of the ticket's people is told from a mail of somebody else.

    All in lower case: `people` are addresses and names as "On Monday, Ann wrote:" has them, `marks` stand
    in the mails that we send.
    """

    people: frozenset[str]
    marks: frozenset[str]

    def is_quoted_in(self, attribution: str, quotation: list[str]) -> bool:
        attribution = attribution.lower()
        return any(name in attribution for name in self.people) or any(
            mark in line.lower() for line in quotation for mark in self.marks
        )


def new_words(text: str, *, is_answer: bool, conversation: Conversation | None = None) -> str:
    """What `text` says that is new; all of it where nothing can be told apart.

    A mail that answers nothing has no history: what looks like it was pasted, from a suspicious mail perhaps.
    In one that answers, what names nobody of the `conversation` was pasted too; None: it is not known.
    """
    lines = _without_armour(text.split("\n"))
    if not is_answer:
        return "\n".join(_without_signature(lines)).strip() or text.strip() or text
    lines = _unwrapped(lines)
    history = _history_start(lines, conversation)
    if history < len(lines) and FORWARDED.fullmatch(lines[history]):
        return text.strip() or text
    lines = _without_quotations(_own_part(lines, history), conversation)
    return "\n".join(_without_signature(lines)).strip() or text.strip() or text


def cut(text: str, kept: str) -> str:
    """The lines of `text` that are not in `kept`, which is what new_words() made of it."""
    left = iter(kept.split("\n"))
    wanted, lines = next(left, None), []
    for line in text.split("\n"):
        if wanted is not None and line.strip() == wanted.strip():
            wanted = next(left, None)
        else:
            lines.append(line)
    # A line that was joined or laid bare is not found: then all of it is shown.
    return ("\n".join(lines) if wanted is None else text).strip()


def is_answer(subject: str, references: tuple[str, ...]) -> bool:
    """Whether a mail answers another. Programs give a forward the same references."""
    return not FORWARD.match(subject) and bool(references or ANSWER.match(subject))


def _without_armour(lines: list[str]) -> list[str]:
    """The inside of a text signed with PGP."""
    if PGP_BEGIN not in lines or PGP_END not in lines:
        return lines
    start, end = lines.index(PGP_BEGIN), lines.index(PGP_END)
    while start < end and lines[start].strip():
        start += 1
    return [line.removeprefix("- ") for line in lines[start:end]] or lines


def _unwrapped(lines: list[str]) -> list[str]:
    """With "Ann <" and "ann@example.com> wrote:" on one line, as it was before Gmail wrapped it."""
    joined: list[str] = []
    for line in lines:
        if joined and len(line) <= MAX_LINE and _is_rest_of_address(joined[-1], line):
            joined[-1] = joined[-1].rstrip() + line.lstrip()
        else:
            joined.append(line)
    return joined


def _is_rest_of_address(before: str, line: str) -> bool:
    rest, closing, after = line.partition(">")
    if not closing or not line.rstrip(UNSEEN).endswith(ENDS) or "<" in after or len(before) > MAX_LINE:
        return False
    _name, opening, beginning = before.rpartition("<")
    address = (beginning + rest).strip(UNSEEN)
    is_open = bool(opening) and ">" not in beginning
    return is_open and bool(ADDRESS.fullmatch(address))


def _history_start(lines: list[str], conversation: Conversation | None) -> int:
    """Where a program put an earlier mail without marking its lines."""
    if conversation is None:
        return next(_starts(lines), (len(lines), ""))[0]
    starts = list(_starts(lines))
    unknown = len(lines)
    for number, (start, attribution) in enumerate(starts):
        if FORWARDED.fullmatch(lines[start]) and number == 0:
            return start
        end = starts[number + 1][0] if number + 1 < len(starts) else len(lines)
        if conversation.is_quoted_in(attribution, lines[start:end]):
            return min(start, unknown)
        if "@" not in attribution:
            unknown = min(start, unknown)
    return unknown


def _starts(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Where earlier mails begin, and the words that say whose they are."""
    index = 0
    while index < len(lines):
        line, end = lines[index], index + 1
        if len(line) > MAX_LINE:
            pass
        elif FORWARDED.fullmatch(line) or ORIGINAL.fullmatch(line):
            author = next((n for n in range(index, min(index + 5, len(lines))) if _header_block(lines, n)), 0)
            yield index, _header_block(lines, author) if author else ""
            while end < len(lines) and (end <= author or _label(lines[end]) or not lines[end].strip()):
                end += 1
        elif author_line := _header_block(lines, index):
            yield index, author_line
            while end < len(lines) and (_label(lines[end]) or not lines[end].strip()):
                end += 1
        elif (start := _attribution_start(lines, end)) is not None and not _is_marked_below(lines, end):
            yield start, " ".join(lines[start:end])
        index = end


def _is_marked_below(lines: list[str], start: int) -> bool:
    return _is_quoted(next((line for line in lines[start : start + 3] if line.strip()), ""))


def _own_part(lines: list[str], history: int) -> list[str]:
    own = lines[:history]
    while own and (not own[-1].strip() or RULE.fullmatch(own[-1][:MAX_LINE])):
        own.pop()
    says_below = sum(map(len, own)) < MAX_LINE and any(map(BELOW.search, own))
    is_new = any(line.strip() and not _is_quoted(line) for line in own)
    return own if is_new and not says_below else lines


def _header_block(lines: list[str], index: int) -> str:
    """The line "From: Ann" of the block that begins here; "" where none does.

    Outlook begins it with From, the Outlook.com of old with Date or Subject.
    """
    first = _label(lines[index])
    if first not in ("from", "date", "subject"):
        return ""
    block = [line for line in lines[index : index + 8] if line.strip()][:6]
    labels = [_label(line) for line in block]
    others = {label for label in labels[1:] if label}
    if "from" not in labels or len(others) < 2 or (first != "from" and "" in labels[:3]):
        return ""
    return block[labels.index("from")][:MAX_LINE]


def _label(line: str) -> str:
    """What the line of a header block tells: "from", "date", "to", "subject"; "" for any other line."""
    head, colon, _rest = line[:LONGEST_LABEL].replace("：", ":").partition(":")
    return LABELS.get(head.strip(AROUND_LABEL).lower(), "") if colon else ""


def _attribution_start(lines: list[str], end: int) -> int | None:
    """Where the "On Monday, Ann wrote:" begins whose last line is that before `end`, on up to three lines."""
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
        if _says_who_wrote(joined):
            return start
    return None


def _says_who_wrote(line: str) -> bool:
    """Whether the line names who wrote and when, in a language we know or by an address beside a moment."""
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


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">") and not line.startswith(">From ")


def _blocks(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """Pairs (is quoted, lines). The line that says who wrote goes with the quotation below it."""
    block: list[str] = []
    is_quote = False
    for line in lines:
        if line.strip() and _is_quoted(line) != is_quote:
            if not is_quote:
                start = _attribution_above_quotation(block)
                block, attribution = block[:start], block[start:]
            else:
                attribution = []
            if block:
                yield is_quote, block
            block, is_quote = attribution, not is_quote
        block.append(line)
    if block:
        yield is_quote, block


def _attribution_above_quotation(block: list[str]) -> int:
    """Where the "On Monday, Ann wrote:" begins that ends `block`; its length where none does.

    Above lines that are marked, any line with a moment or an address is one.
    """
    end = len(block)
    while end and not block[end - 1].strip():
        end -= 1
    if not end:
        return len(block)
    if (start := _attribution_start(block, end)) is not None:
        return start
    last = block[end - 1]
    is_one = len(last) <= MAX_LINE and last.rstrip(UNSEEN).endswith(ENDS)
    return end - 1 if is_one and any(sign.isdigit() or sign == "@" for sign in last) else len(block)


def _without_quotations(lines: list[str], conversation: Conversation | None) -> list[str]:
    blocks = [
        (is_quote and not _is_pasted(block, conversation), block if is_quote else _without_signature(block))
        for is_quote, block in _blocks(lines)
    ]
    blocks = [(is_quote, block) for is_quote, block in blocks if any(line.strip() for line in block)]
    quotes = [index for index, (is_quote, _block) in enumerate(blocks) if is_quote]
    texts = [index for index, (is_quote, _block) in enumerate(blocks) if not is_quote]
    if len(texts) > 1 and quotes and texts[-1] > quotes[-1] and _is_footer(blocks[texts[-1]][1]):
        blocks.pop(texts.pop())
    if not quotes or not texts:
        return lines
    is_top = texts[-1] < quotes[0]
    is_bottom = quotes == [0] and _marked(blocks[0][1]) > FEW_LINES
    if is_top or is_bottom:
        return [line for is_quote, block in blocks if not is_quote for line in block]
    return [line for _is_quote, block in blocks for line in block]


def _is_pasted(quotation: list[str], conversation: Conversation | None) -> bool:
    """Whether marked lines are of a mail of somebody who has no part in the conversation."""
    attribution = " ".join(line[:MAX_LINE] for line in quotation[:MAX_ATTRIBUTION] if not _is_quoted(line))
    return (
        conversation is not None
        and "@" in attribution
        and not conversation.is_quoted_in(attribution, quotation)
    )


def _is_footer(block: list[str]) -> bool:
    """Whether what stands below the quotation was put there by a company, a list or a virus scanner."""
    lines = [line[:MAX_LINE] for line in block if line.strip()]
    return any(FOOTER.match(line) for line in lines[:2]) or bool(lines and RULE.fullmatch(lines[0]))


def _marked(block: list[str]) -> int:
    return sum(bool(line.strip("> ")) for line in block if _is_quoted(line))


def _without_signature(lines: list[str]) -> list[str]:
    """Without what follows "-- " (RFC 3676, 4.3) and without the line that a phone adds.

    Where many lines follow, somebody has drawn a line between two parts of a text.
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
    """Whether a program added the line: short, alone, no sentence, and it names a program or a phone."""
    if (index and lines[index - 1].strip()) or len(lines[index]) > MAX_LINE or not SENT.match(lines[index]):
        return False
    line = APOLOGY.sub("", LINK.sub("", lines[index])).strip(" *_")
    says_sent = IS_SENT.match(line)
    if says_sent or APOLOGY.search(lines[index]) or len(line.split()) <= FEW_WORDS:
        line = line.removesuffix(".")
    is_sentence = len(line) > (MAX_SENT_LINE if says_sent else MAX_PHONE_LINE) or END_OF_SENTENCE.search(line)
    names_program = PROGRAM.search(line) and (says_sent or not ENDS_WITH_SENT.match(line))
    return bool(names_program and not is_sentence and not GET_OUTLOOK.match(line))
