"""Other spellings of a text: Mueller for Müller, ONeill for O'Neill, 1250 for 1,250. Pure functions.

The search indexes a text as written (helpdesk.letters.words_of). Where a word has another spelling, it also
indexes that spelling with CONTEXT words before and after it, so that phrases match. The cost depends on the
number of such words, not on the length of the text.
"""

import itertools
import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from helpdesk.letters import LONGEST_WORD, LONGEST_WRITTEN, WORD, WRITTEN, words_of

# Letters with a diaeresis, ring or stroke that are written as two letters on other keyboards.
SPELT = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ʼ": "", "ʻ": ""}
SPELT |= {"a\u0308": "ae", "o\u0308": "oe", "u\u0308": "ue", "a\u030a": "aa"}
SPELT |= {letter.upper(): two.upper() for letter, two in SPELT.items()}
SPELT_OUT = re.compile("|".join(SPELT))
APOSTROPHES = "'’‘`´"
# Characters that join parts to one word, with invisible ones: soft hyphens and zero-width spaces.
JOINS = APOSTROPHES + "‐‑\u00ad\u200b\u2060\ufeff-"
# Separators of groups of three digits, with narrow and no-break spaces.
GROUPS = ",.'’ \u00a0\u2007\u2009\u202f"
SIGN = re.compile(rf"[{JOINS}](?=[^\W_])|[{GROUPS}](?=\d{{3}})")
OTHERWISE = re.compile(rf"{SPELT_OUT.pattern}|{SIGN.pattern}")
FIRST_GROUP = re.compile(r"[1-9]\d{0,2}", re.ASCII)
GROUP = re.compile(r"(\d{3})([^\W\d]*)", re.ASCII)
UNGROUPED = re.compile(r"([1-9]\d{3,})([^\W\d]*)", re.ASCII)
# Separates the groups of a number within a word, so that 1250 is not a prefix of 12,500.
BETWEEN_GROUPS = "="
CONTEXT = 2  # words on each side that are indexed again, for phrases
# English contractions after an apostrophe
SHORTENED = {"t", "s", "d", "m", "re", "ve", "ll"}
MOST_PARTS = 8  # parts of one word
SHORTEST_NUMBER = 7  # digits of a number that is joined by hyphens: 555-1234, but not 12-50
# The ways to join only some parts of a word, by the number of parts: ranges of joined parts.
PARTLY: dict[int, tuple[tuple[tuple[int, int], ...], ...]] = {
    3: (((0, 2),), ((1, 3),)),
    4: (((0, 2), (2, 4)), ((1, 3),), ((0, 3),), ((1, 4),)),
}


class Joined(NamedTuple):
    """The pieces from `first` up to `end`, read as one word."""

    first: int
    end: int
    word: str
    spelt: str


Ways = list[list[Joined]]  # alternative ways to join the same pieces


class Pieces:
    """The words of a text, in both spellings, with their positions."""

    def __init__(self, text: str):
        self.text = text
        self.words: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self.spelt = self.words
        if text.isascii():
            for written in WORD.finditer(text.lower()):
                self.words.append(written[0][:LONGEST_WORD])
                self.spans.append(written.span())
        else:
            self._read()

    def __len__(self):
        return len(self.words)

    def _read(self) -> None:
        spelt: list[str] = []
        for written in WRITTEN.finditer(self.text):
            words, spelled = _read_once(written[0][:LONGEST_WRITTEN])
            self.words += words
            spelt += spelled
            self.spans += [written.span()] * len(words)
        if spelt != self.words:
            self.spelt = spelt

    def joined(self, first: int, end: int) -> Joined:
        return Joined(first, end, "".join(self.words[first:end]), "".join(self.spelt[first:end]))

    def sign_before(self, at: int) -> str:
        """The single character between a piece and the piece before it; "" if there is none or more."""
        if not 0 < at < len(self):
            return ""
        between = self.text[self.spans[at - 1][1] : self.spans[at][0]]
        return between if len(between) == 1 else ""

    def signs(self) -> Iterator[int]:
        """The indexes of pieces that are followed by a sign which may join them to the next piece."""
        for sign in SIGN.finditer(self.text):
            yield bisect(self.spans, (sign.start(), 0)) - 1


def can_be_read_otherwise(text: str) -> bool:
    return OTHERWISE.search(text) is not None


def other_readings(text: str, *, context: int = CONTEXT, is_asked: bool = False) -> list[list[str]]:
    """The words of other spellings, each with its context. `is_asked`: `text` is a query."""
    if not can_be_read_otherwise(text) and not (is_asked and UNGROUPED.search(text)):
        return []
    found = otherwise(Pieces(text), context=context, is_asked=is_asked)
    return [[one.word for one in window] for window in found]


def as_one_number(groups: Iterable[str]) -> list[str]:
    """The spellings of a number that is given as groups of digits; none if it is not one number."""
    pieces = Pieces(" ".join(groups))
    if len(pieces) < 2 or _end_of_number(pieces, 0) != len(pieces):
        return []
    return [one.word for (one,) in _as_number(pieces, 0, len(pieces), is_asked=True)]


def all_words(text: str) -> list[str]:
    """The distinct words of `text` in all spellings."""
    others = (word for words in other_readings(text, context=0) for word in words)
    return list(dict.fromkeys([*words_of(text), *others]))


def otherwise(pieces: Pieces, *, context: int = CONTEXT, is_asked: bool = False) -> list[list[Joined]]:
    """Like other_readings(), but returns the pieces of each word."""
    words, spelt = pieces.words, pieces.spelt
    found: list[list[Joined]] = []
    if spelt is not words:
        differing = [at for at, (word, other) in enumerate(zip(words, spelt, strict=True)) if word != other]
        found += _windows(spelt, [Joined(at, at + 1, spelt[at], spelt[at]) for at in differing], context)
    joints = [*_joints(pieces, is_asked), *(_whole_numbers(pieces) if is_asked else ())]
    for way in itertools.zip_longest(*joints, fillvalue=()):
        joined = sorted(itertools.chain.from_iterable(way))
        if not is_asked:
            alone = {one.word: one for one in joined if _stands_alone(pieces, one)}
            found += ([one] for one in alone.values())
            joined = [one for one in joined if one.word not in alone]
        found += _windows(words, joined, context)
        if spelt is not words:
            near = [one._replace(word=one.spelt) for one in joined if _is_spelt_near(pieces, one, context)]
            found += _windows(spelt, near, context)
    return found


@lru_cache(maxsize=10_000)
def _read_once(written: str) -> tuple[list[str], list[str]]:
    """The words of `written`, and the same words with spelled-out letters."""
    words = words_of(written)
    if not SPELT_OUT.search(written):
        return words, words
    spelt = words_of(SPELT_OUT.sub(lambda letter: SPELT[letter[0]], written))
    return words, spelt if len(spelt) == len(words) else words


def _windows(words: list[str], joined: list[Joined], context: int) -> list[list[Joined]]:
    """The context of each item of `joined`, which is sorted. Overlapping contexts become one."""

    def single(start: int, end: int) -> Iterable[Joined]:
        return (Joined(at, at + 1, words[at], words[at]) for at in range(start, end))

    windows: list[list[Joined]] = []
    done = -1
    for one, following in itertools.zip_longest(joined, joined[1:]):
        start = max(one.first - context, 0)
        if start > done:
            windows.append([])
        windows[-1] += single(max(start, done), one.first)
        windows[-1].append(one)
        done = min(one.end + context, following.first if following else len(words))
        windows[-1] += single(one.end, done)
    return windows


def _stands_alone(pieces: Pieces, joined: Joined) -> bool:
    """Whether a word needs no context: nobody searches phrases with a code, a time or "doesnt"."""
    last = joined.end - 1
    if last - joined.first == 1 and pieces.words[last] in SHORTENED:
        return pieces.sign_before(last) in APOSTROPHES
    return BETWEEN_GROUPS not in joined.word and not joined.word.isalpha()


def _is_spelt_near(pieces: Pieces, joined: Joined, context: int) -> bool:
    here = slice(max(joined.first - context, 0), joined.end + context)
    return pieces.words[here] != pieces.spelt[here]


def _joints(pieces: Pieces, is_asked: bool) -> Iterator[Ways]:
    """The alternative readings of each place where several pieces may be one word."""
    done = 0
    for first in pieces.signs():
        if first < done or not pieces.sign_before(first + 1):
            continue
        if done := _end_of_number(pieces, first):
            yield _as_number(pieces, first, done, is_asked)
        else:
            done = _end_of_parts(pieces, first)
            yield _as_word(pieces, first, done)


def _end_of_number(pieces: Pieces, first: int) -> int:
    """The end of a number in groups of three digits; 0 if there is none (1.250.5 and 10.1.250 are none)."""
    words, sign, end = pieces.words, pieces.sign_before(first + 1), first + 1
    if not sign or sign not in GROUPS or not FIRST_GROUP.fullmatch(words[first]):
        return 0
    if pieces.sign_before(first) == sign and words[first - 1][-1].isdecimal():
        return 0
    while pieces.sign_before(end) == sign and (group := GROUP.fullmatch(words[end])):
        end += 1
        if group[2]:
            break
    goes_on = pieces.sign_before(end) == sign and words[end][0].isdecimal()
    return 0 if goes_on or end == first + 1 else end


def _as_number(pieces: Pieces, first: int, end: int, is_asked: bool) -> Ways:
    """A number with and without the letters after its digits; in a query also without groups."""
    words = pieces.words[first:end]
    other = "".join(words) if is_asked else BETWEEN_GROUPS.join([*words[:-1], words[-1][:3]])
    numbers = dict.fromkeys([BETWEEN_GROUPS.join(words), other])
    return [[Joined(first, end, number, number)] for number in numbers]


def _whole_numbers(pieces: Pieces) -> Iterator[Ways]:
    """Numbers without separators, split into groups."""
    for at, word in enumerate(pieces.words):
        before, behind = pieces.sign_before(at), pieces.sign_before(at + 1)
        is_part = before in {*JOINS, *GROUPS} - {" "} or behind in {*JOINS}
        if not is_part and (number := UNGROUPED.fullmatch(word)):
            grouped = f"{int(number[1]):,}".replace(",", BETWEEN_GROUPS) + number[2]
            yield [[Joined(at, at + 1, grouped, grouped)]]


def _end_of_parts(pieces: Pieces, first: int) -> int:
    end = first + 1
    while (sign := pieces.sign_before(end)) and sign in JOINS and not _end_of_number(pieces, end):
        end += 1
    return end


def _as_word(pieces: Pieces, first: int, end: int) -> Ways:
    count, whole = end - first, pieces.joined(first, end)
    if not 2 <= count <= MOST_PARTS or len(whole.spelt) > LONGEST_WORD:
        return []
    is_short_number = whole.word.isdecimal() and len(whole.word) < SHORTEST_NUMBER
    ways = [] if is_short_number else [[whole]]
    for way in PARTLY.get(count, ()):
        joined = (pieces.joined(first + start, first + stop) for start, stop in way)
        ways.append([one for one in joined if one.word.isalpha()])
    return [way for way in ways if way]
