"""Highlights matches in a text, and cuts out the passage with the most matches. Pure."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache

from django.conf import settings
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from helpdesk.letters import LONGEST_WORD, LONGEST_WRITTEN, WRITTEN, words_of
from helpdesk.readings import Pieces, can_be_read_otherwise, otherwise
from tickets.search.matching import Run
from tickets.search.words import stem

BEFORE, LENGTH = 50, 180  # characters of a passage before the match, and in total
# The costs of folding and stemming a word, and of checking and marking one, in characters read
NEW_WORD, HIT = 20, 4
Span = tuple[int, int]
Found = list[tuple[Span, int]]  # the position of a match and the index of its term, in order
Placed = tuple[list[Span], list[str], list[str]]  # the positions of words, their stems, and the words


def spans(text: str, asked: Sequence[Sequence[Run]]) -> Found:
    """The positions of matches in `text`."""
    return Reader(asked).spans(text)


class Reader:
    """Finds matches in one text after the other.

    `read` is the cost so far, in characters of a text with known words.
    """

    def __init__(self, asked: Sequence[Sequence[Run]]):
        self.read = 0
        self.met: set[str] = set()
        self.beginnings: list[tuple[str, int]] = []
        self.runs: dict[str, list[tuple[Run, int]]] = {}  # by first word
        for number, runs in enumerate(asked):
            for run in runs:
                if len(run.words) == 1 and run.is_begun:
                    self.beginnings.append((run.words[0], number))
                else:
                    self.runs.setdefault(run.words[0], []).append((run, number))

    @property
    def asks(self) -> bool:
        return bool(self.beginnings or self.runs)

    def spans(self, text: str) -> Found:
        self.read += len(text)
        found = self._found(*self._words(text))
        if can_be_read_otherwise(text):
            for reading in self._other_readings(text):
                found += self._found(*reading)
        return sorted(set(found))

    def _found(self, places: list[Span], stems: list[str], words: list[str]) -> Found:
        found = []
        for beginning, number in self.beginnings:
            begun = (place for place, word in enumerate(words) if word.startswith(beginning))
            found += [(places[place], number) for place in begun]
            self.read += HIT * len(found)
        for place in [place for place, one in enumerate(stems) if one in self.runs]:
            for run, number in self.runs[stems[place]]:
                self.read += HIT * len(run.words)
                if _stands(run, stems, words, place):
                    last = place + len(run.words) - 1
                    found.append(((places[place][0], places[last][1]), number))
        return found

    def _other_readings(self, text: str) -> Iterator[Placed]:
        pieces = Pieces(text)
        for reading in otherwise(pieces):
            words = [one.word for one in reading]
            places = [(pieces.spans[one.first][0], pieces.spans[one.end - 1][1]) for one in reading]
            new = set(words) - self.met
            self.met |= new
            self.read += sum(map(len, words)) + sum(NEW_WORD + len(word) for word in new)
            yield places, [stem(word) for word in words], words

    def _words(self, text: str) -> Placed:
        places, stems, words, language = [], [], [], settings.SEARCH_LANGUAGE
        for written in WRITTEN.finditer(text):
            piece = written[0][:LONGEST_WRITTEN]
            pairs = _read_once(piece, language) if len(piece) <= LONGEST_WORD else _read(piece)
            if piece not in self.met:
                self.met.add(piece)
                self.read += NEW_WORD + sum(len(word) for word, _stem in pairs)
            for word, its_stem in pairs:
                places.append(written.span())
                words.append(word)
                stems.append(its_stem)
        return places, stems, words


def _read(written: str) -> list[tuple[str, str]]:
    """The words of `written`, each with its stem."""
    return [(word, stem(word)) for word in words_of(written)]


@lru_cache(maxsize=10_000)
def _read_once(written: str, language: str) -> list[tuple[str, str]]:
    """Cached, because few words make up most of a page."""
    return _read(written)


def _stands(run: Run, stems: list[str], words: list[str], place: int) -> bool:
    length = len(run.words)
    if not run.is_begun:
        return tuple(stems[place : place + length]) == run.words
    last = place + length - 1
    fits = tuple(stems[place:last]) == run.words[:-1]
    return fits and last < len(words) and words[last].startswith(run.words[-1])


def passage(text: str, found: Found) -> SafeString:
    """The part of `text` with the most distinct matches, highlighted. `found` is the result of spans()."""
    best = _best_start(found)
    start, end = _whole_words(text, max(0, best - BEFORE), best - BEFORE + LENGTH)
    end = max(end, min(last for (first, last), _number in found if first == best))
    inside = [span for span, _number in found if start <= span[0] and span[1] <= end]
    words = marked(text[start:end], inside, offset=start)
    return format_html("{}{}{}", "… " if start else "", words, " …" if end < len(text) else "")


def _best_start(found: Found) -> int:
    """The start of the first passage with the most distinct matches.

    Slides a window over the text, so that each match is added and removed once.
    """
    width = LENGTH - BEFORE
    narrow = [(first, last, number) for (first, last), number in found if last - first <= width]
    leaving, coming = deque(narrow), deque(sorted(narrow, key=lambda one: one[1]))
    inside: Counter[int] = Counter()
    here = 0  # the number of distinct terms in the window
    best, most = 0, -1
    for start in dict.fromkeys(first for (first, _last), _number in found):
        while coming and coming[0][1] <= start + width:
            number = coming.popleft()[2]
            inside[number] += 1
            here += inside[number] == 1
        while leaving and leaving[0][0] < start:
            number = leaving.popleft()[2]
            inside[number] -= 1
            here -= inside[number] == 0
        if here > most:
            best, most = start, here
    return best


def marked(text: str, found: list[Span], *, offset: int = 0) -> SafeString:
    """`text` escaped, on one line, with the spans in <mark>. `offset`: the start of `text` in the whole."""
    parts, done = [], 0
    for first, last in sorted(found):
        first, last = max(done, first - offset), last - offset
        if last > first:
            parts += [_escaped(text[done:first]), "<mark>", _escaped(text[first:last]), "</mark>"]
            done = last
    return mark_safe("".join([*parts, _escaped(text[done:])]))  # noqa: S308 - each text is escaped


def _escaped(text: str) -> str:
    return escape(re.sub(r"\s+", " ", text))


def _whole_words(text: str, start: int, end: int) -> Span:
    """A span that starts and ends at spaces, if possible."""
    if start and (space := text.find(" ", start, start + 20)) != -1:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", end - 20, end)) != -1:
        end = space
    return start, min(end, len(text))
