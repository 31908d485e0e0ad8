import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import Urlizer, escape, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tickets.excerpts import MAY_HOLD_LINK, shortened

register = template.Library()
register.filter("shortened", shortened)


class OutsideUrlizer(Urlizer):
    """Links that somebody typed: they earn no rank and don't reach back (only http, https and mailto)."""

    url_template = '<a href="{href}" rel="nofollow noopener ugc">{url}</a>'
    # What has no scheme begins with a host: Django takes javascript://example.com for one too.
    simple_url_2_re = re.compile(
        rf"(?=[\w.-]+(?::\d+)?(?:[/?#]|$))(?:{Urlizer.simple_url_2_re.pattern})", re.IGNORECASE
    )


urlize = OutsideUrlizer()


@register.filter
def ago(moment: datetime) -> str:
    """A <time>: how long ago within a day, else the date; the exact time stands in its title."""
    local = timezone.localtime(moment)
    is_recent = timezone.now() - moment < timedelta(days=1)
    minute, language = local.replace(second=0, microsecond=0, tzinfo=None), get_language()
    words = escape(naturaltime(moment)) if is_recent else written(minute, "DATE_FORMAT", language)
    exact = written(minute, "DATETIME_FORMAT", language)
    html = f'<time datetime="{local.isoformat()}" title="{exact}">{words}</time>'
    return mark_safe(html)  # noqa: S308 - its parts are escaped


@lru_cache(maxsize=4096)
def written(minute: datetime, form: str, language: str) -> SafeString:
    """A date in words, escaped. Lists and conversations show the same ones again and again."""
    return escape(date_format(minute, form))


@register.filter
def plain_text(text: str) -> str:
    """What somebody typed as paragraphs, escaped, with its links made clickable."""
    return mark_safe(linebreaks(_linked(text)))  # noqa: S308 - escaped by _linked()


@register.filter
def message_text(text: str) -> str:
    """plain_text() with lists, and with what is quoted (lines that begin with ">") folded.

    All of it is escaped and searched for links at once: it may be thousands of lists of one line each.
    """
    lines = text.splitlines()
    if MARKS.isdisjoint(line[:1] for line in lines):  # most texts have neither
        return mark_safe(_text(_linked("\n".join(lines))))  # noqa: S308 - escaped by _linked()
    kinds = [_kind(line) for line in lines]
    bare = "\n".join(BARE[kind](line) for kind, line in zip(kinds, lines, strict=True))
    linked = zip(kinds, _linked(bare).split("\n"), strict=True)
    parts, summary = [], escape(_("Show what is quoted"))
    for kind, run in groupby(linked, key=itemgetter(0)):
        html = [line for _kind, line in run]
        if kind == "list":
            parts.append(f"<ul><li><p>{'</p></li><li><p>'.join(html)}</p></li></ul>")
        elif kind == "quote":
            quoted = _paragraphs("\n".join(html))
            parts.append(f"<details><summary>{summary}</summary><blockquote>{quoted}</blockquote></details>")
        else:
            parts.append(_text("\n".join(html)))
    return mark_safe("".join(parts))  # noqa: S308 - escaped by _linked()


BULLET = re.compile(r"[-*•]\s+(?=\S)")
MARKS = frozenset(">-*•")  # what quotes and lists begin with
BARE: dict[str, Callable[[str], str]] = {
    "quote": lambda line: line.lstrip("> "),
    "list": lambda line: line[BULLET.match(line).end() :],
    "text": lambda line: line,
}


def _kind(line: str) -> str:
    if line.startswith(">"):
        return "quote"
    return "list" if BULLET.match(line) else "text"


def _linked(text: str) -> str:
    """`text` escaped, with links."""
    return _with_links(text) if MAY_HOLD_LINK.search(text) else escape(text)


def _with_links(text: str) -> str:
    return urlize(text, autoescape=True)


# Python's stack grows by pieces of 2,048 places, and each is given back as soon as it is empty. A loop that
# happens to stand at the end of one takes and gives back a piece with each call: templates are nested deeply,
# and links then take ten times as long. What needs more places than a piece has gets one of its own.
_with_links.__code__ = _with_links.__code__.replace(co_stacksize=2_500)


def _text(html: str) -> str:
    html = html.strip("\n")
    return _paragraphs(html) if html.strip() else ""


def _paragraphs(html: str) -> str:
    return linebreaks(html) if "\n" in html else f"<p>{html}</p>"
