"""Removes quoted text, in the formats of many email clients and languages. Pure and linear.

In doubt a line is kept. The ticket's page can show the removed text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tickets.mail.receiving.attributions import (
    ADDRESS,
    ENDS,
    MAX_ATTRIBUTION,
    MAX_LINE,
    UNSEEN,
    attribution_start,
    header_block,
    label_of,
)
from tickets.mail.receiving.phrases import ANSWER, BELOW, FORWARD, FORWARDED, ORIGINAL, RULE
from tickets.mail.receiving.signatures import is_footer, without_signature

WORD = re.compile(r"\w+")
FEW_LINES = 2  # a quotation above the reply is kept up to this length
PGP_BEGIN, PGP_END = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True)
class Participants:
    """Identifies quotations of this ticket's conversation. Other quotations are pasted messages.

    All texts are lower case. `people`: addresses and names in attributions. `marks`: texts of our own emails.
    `domains`: the domains of the people's addresses, like "@example.com".
    """

    people: frozenset[str]
    marks: frozenset[str]
    domains: frozenset[str] = frozenset()

    def is_quoted_in(self, attribution: str, quotation: list[str]) -> bool:
        attribution = attribution.lower()
        if any(name in attribution for name in self.people):
            return True
        words = set(WORD.findall(attribution))
        return any(words >= name for name in self._names) or any(
            mark in line.lower() for line in quotation for mark in self.marks
        )

    def is_of_colleague(self, attribution: str) -> bool:
        domains = {f"@{found[0].rpartition('@')[2]}" for found in ADDRESS.finditer(attribution.lower())}
        return bool(domains & self.domains)

    @cached_property
    def _names(self) -> list[set[str]]:
        """The words of each full name, so that "Weber, Ann" matches Ann Weber."""
        names = (set(WORD.findall(name)) for name in self.people if "@" not in name)
        return [words for words in names if len(words) > 1]


def new_words(text: str, *, is_answer: bool, participants: Participants | None = None) -> str:
    """`text` without quoted messages and signature; the whole text if nothing new is found.

    A message that is no reply has no quoted history: similar text was pasted, for example from a suspicious
    email. In a reply, a quotation of nobody in `participants` was pasted too. None: the people are unknown.
    """
    lines = _without_armour(text.split("\n"))
    if not is_answer:
        return "\n".join(without_signature(lines)).strip() or text.strip() or text
    lines = _unwrapped(lines)
    history = _history_start(lines, participants)
    if history < len(lines) and FORWARDED.fullmatch(lines[history]):
        return text.strip() or text
    lines = _without_quotations(_own_part(lines, history), participants)
    return "\n".join(without_signature(lines)).strip() or text.strip() or text


def cut(text: str, kept: str) -> str:
    """The lines of `text` that new_words() removed. `kept` is its result."""
    left = iter(kept.split("\n"))
    wanted, lines = next(left, None), []
    for line in text.split("\n"):
        if wanted is not None and line.strip() == wanted.strip():
            wanted = next(left, None)
        else:
            lines.append(line)
    # A line that new_words() has joined or unwrapped is not found. Then return the whole text.
    return ("\n".join(lines) if wanted is None else text).strip()


def is_answer(subject: str, references: tuple[str, ...]) -> bool:
    """Whether a message is a reply. A forward has References too, but another subject."""
    return not FORWARD.match(subject) and bool(references or ANSWER.match(subject))


def _without_armour(lines: list[str]) -> list[str]:
    """The content of a PGP-signed text."""
    if PGP_BEGIN not in lines or PGP_END not in lines:
        return lines
    start, end = lines.index(PGP_BEGIN), lines.index(PGP_END)
    while start < end and lines[start].strip():
        start += 1
    return [line.removeprefix("- ") for line in lines[start:end]] or lines


def _unwrapped(lines: list[str]) -> list[str]:
    """Joins "Ann <" and "ann@example.com> wrote:", which Gmail has wrapped."""
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


def _history_start(lines: list[str], participants: Participants | None) -> int:
    """The line where an earlier message starts without ">" marks."""
    if participants is None:
        return next(_starts(lines), (len(lines), ""))[0]
    starts = list(_starts(lines))
    unknown = len(lines)
    for number, (start, attribution) in enumerate(starts):
        if FORWARDED.fullmatch(lines[start]) and number == 0:
            return start
        end = starts[number + 1][0] if number + 1 < len(starts) else len(lines)
        if participants.is_quoted_in(attribution, lines[start:end]):
            return min(start, unknown)
        if "@" not in attribution and not (
            attribution and _has_label_above(lines[max(start - MAX_ATTRIBUTION, 0) : start])
        ):
            unknown = min(start, unknown)
    return unknown


def _starts(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The lines where earlier messages start, with their attributions."""
    index = 0
    while index < len(lines):
        line, end = lines[index], index + 1
        if len(line) > MAX_LINE:
            pass
        elif FORWARDED.fullmatch(line) or ORIGINAL.fullmatch(line):
            author = next((n for n in range(index, min(index + 5, len(lines))) if header_block(lines, n)), 0)
            yield index, header_block(lines, author) if author else ""
            while end < len(lines) and (end <= author or label_of(lines[end]) or not lines[end].strip()):
                end += 1
        elif author_line := header_block(lines, index):
            yield index, author_line
            while end < len(lines) and (label_of(lines[end]) or not lines[end].strip()):
                end += 1
        elif (start := attribution_start(lines, end)) is not None and not _is_marked_below(lines, end):
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


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">") and not line.startswith(">From ")


def _blocks(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """Pairs (is quoted, lines). An attribution belongs to the quotation below it."""
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
    """The first line of the attribution at the end of `block`; the length of `block` if there is none.

    Above lines with ">", any line with a digit or "@" that ends in a colon is an attribution.
    """
    end = len(block)
    while end and not block[end - 1].strip():
        end -= 1
    if not end:
        return len(block)
    if (start := attribution_start(block, end)) is not None:
        return start
    last = block[end - 1]
    is_one = len(last) <= MAX_LINE and last.rstrip(UNSEEN).endswith(ENDS)
    return end - 1 if is_one and any(sign.isdigit() or sign == "@" for sign in last) else len(block)


def _without_quotations(lines: list[str], participants: Participants | None) -> list[str]:
    found = list(_blocks(lines))
    blocks = [
        (
            is_quote and not _is_pasted(block, participants, above=found[index - 1][1] if index else []),
            block if is_quote else _unsigned(block),
        )
        for index, (is_quote, block) in enumerate(found)
    ]
    blocks = [(is_quote, block) for is_quote, block in blocks if any(line.strip() for line in block)]
    quotes = [index for index, (is_quote, _block) in enumerate(blocks) if is_quote]
    texts = [index for index, (is_quote, _block) in enumerate(blocks) if not is_quote]
    if len(texts) > 1 and quotes and texts[-1] > quotes[-1] and is_footer(blocks[texts[-1]][1]):
        blocks.pop(texts.pop())
    if not quotes or not texts:
        return lines
    is_top = texts[-1] < quotes[0]
    is_bottom = quotes == [0] and _marked(blocks[0][1]) > FEW_LINES
    if is_top or is_bottom:
        return [line for is_quote, block in blocks if not is_quote for line in block]
    return [line for _is_quote, block in blocks for line in block]


def _unsigned(block: list[str]) -> list[str]:
    """`block` without a signature, but with the empty lines at its end."""
    end = len(block)
    while end and not block[end - 1].strip():
        end -= 1
    return [*without_signature(block), *block[end:]]


def _is_pasted(quotation: list[str], participants: Participants | None, *, above: list[str]) -> bool:
    """Whether a quotation is a pasted message of a person outside of the conversation.

    A quotation of a colleague's domain, or without an address, counts as pasted only below a line like
    "Bob says:".
    """
    attribution = " ".join(line[:MAX_LINE] for line in quotation[:MAX_ATTRIBUTION] if not _is_quoted(line))
    if participants is None or not attribution or participants.is_quoted_in(attribution, quotation):
        return False
    is_strange = "@" in attribution and not participants.is_of_colleague(attribution)
    return is_strange or _has_label_above(above)


def _has_label_above(above: list[str]) -> bool:
    last = next((line for line in reversed(above[-MAX_ATTRIBUTION:]) if line.strip(" _")), "")
    return last.rstrip(UNSEEN).endswith(ENDS)


def _marked(block: list[str]) -> int:
    return sum(bool(line.strip("> ")) for line in block if _is_quoted(line))
