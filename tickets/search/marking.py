"""Finds in a text what was asked for, and cuts out the passage around it; pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from tickets.search.matching import Run
from tickets.search.words import LONGEST_WORD, WRITTEN, stem, words_of

BEFORE, LENGTH = 50, 180  # characters of a passage before what was found, and in all
Span = tuple[int, int]


def spans(text: str, asked: Sequence[Sequence[Run]]) -> list[tuple[Span, int]]:
    """Where in `text` something asked for stands, and which of `asked` it is; in the order of the text."""
    places, stems, words, language = [], [], [], settings.SEARCH_LANGUAGE
    for written in WRITTEN.finditer(text):
        is_kept = len(written[0]) <= LONGEST_WORD
        for word, its_stem in _read_once(written[0], language) if is_kept else _read(written[0]):
            places.append(written.span())
            words.append(word)
            stems.append(its_stem)
    begins: dict[str, list[int]] = {}
    for place, one in enumerate(stems):
        begins.setdefault(one, []).append(place)
    found = []
    for number, runs in enumerate(asked):
        for run in runs:
            if len(run.words) == 1 and run.is_begun:
                starts = [place for place, word in enumerate(words) if word.startswith(run.words[0])]
            else:
                starts = [
                    place for place in begins.get(run.words[0], ()) if _stands(run, stems, words, place)
                ]
            ends = len(run.words) - 1
            found += [((places[place][0], places[place + ends][1]), number) for place in starts]
    return sorted(found)


def _read(written: str) -> list[tuple[str, str]]:
    """The words of what is written in one piece, each with its stem."""
    return [(word, stem(word)) for word in words_of(written)]


@lru_cache(maxsize=10_000)
def _read_once(written: str, language: str) -> list[tuple[str, str]]:
    """Few words make up most of a page."""
    return _read(written)


def _stands(run: Run, stems: list[str], words: list[str], place: int) -> bool:
    length = len(run.words)
    if not run.is_begun:
        return tuple(stems[place : place + length]) == run.words
    last = place + length - 1
    fits = tuple(stems[place:last]) == run.words[:-1]
    return fits and last < len(words) and words[last].startswith(run.words[-1])


def passage(text: str, found: list[tuple[Span, int]]) -> SafeString:
    """The part of `text` with the most of what was asked for, marked; `found` are spans()."""
    starts = [span[0] for span, _number in found]

    def said_from(start: int) -> int:
        end = start + LENGTH - BEFORE
        return len({number for (first, last), number in found if start <= first and last <= end})

    best = max(starts, key=lambda start: (said_from(start), -start))
    start, end = _whole_words(text, max(0, best - BEFORE), best - BEFORE + LENGTH)
    end = max(end, min(last for (first, last), _number in found if first == best))
    inside = [span for span, _number in found if start <= span[0] and span[1] <= end]
    words = marked(text[start:end], inside, offset=start)
    return format_html("{}{}{}", "… " if start else "", words, " …" if end < len(text) else "")


def marked(text: str, found: list[Span], *, offset: int = 0) -> SafeString:
    """`text` escaped, on one line, with the spans in <mark>; `offset` is where the spans count from."""
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
    """A part that does not begin or end within a word, where spaces allow."""
    if start and (space := text.find(" ", start, start + 20)) != -1:
        start = space + 1
    if end < len(text) and (space := text.rfind(" ", end - 20, end)) != -1:
        end = space
    return start, min(end, len(text))
