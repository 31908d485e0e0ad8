import re
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import Urlizer, escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tickets.rules.excerpts import MAY_HOLD_LINK, shortened
from tickets.rules.own_time import with_own_time
from tickets.rules.typed import COLUMNS, QUOTE, WORDS, blocks, isolated, unquoted
from tickets.rules.validators import size_in_words

register = template.Library()
register.filter("shortened", shortened)
register.filter("isolated", isolated)
register.filter("size_in_words", size_in_words)


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
    local, passed = timezone.localtime(moment), timezone.now() - moment
    minute, language = local.replace(second=0, microsecond=0, tzinfo=None), get_language()
    is_recent = passed < timedelta(days=1)
    words = passed_in_words(passed, language) if is_recent else written(minute, "DATE_FORMAT", language)
    exact = written(minute, "DATETIME_FORMAT", language)
    html = f'<time datetime="{local.isoformat(timespec="seconds")}" title="{exact}">{words}</time>'
    return mark_safe(html)  # noqa: S308 - its parts are escaped


def passed_in_words(passed: timedelta, language: str) -> SafeString:
    """naturaltime() of less than a day, escaped. It says whole hours, minutes or seconds."""
    seconds = int(passed.total_seconds())
    unit = next((unit for unit in (3600, 60) if seconds >= unit), 1)
    return _natural(seconds - seconds % unit, language)


@lru_cache(maxsize=4096)
def _natural(seconds: int, language: str) -> SafeString:
    return escape(naturaltime(timezone.now() - timedelta(seconds=seconds)))


@lru_cache(maxsize=4096)
def written(minute: datetime, form: str, language: str) -> SafeString:
    """A date in words, escaped. Lists and conversations show the same ones again and again."""
    return escape(date_format(minute, form))


@register.filter
def message_text(text: str, source: str = "") -> str:
    """What somebody typed, as it was typed: escaped, each line with its spaces, links made clickable.

    What is quoted (lines that begin with ">") is folded where it came by mail (`source`). All of it is
    escaped and searched for links at once: it may be thousands of blocks of one line each.
    """
    found = list(blocks(text, has_quotes=source == "email"))
    bare = "\n".join(unquoted(line) if kind == QUOTE else line for kind, lines in found for line in lines)
    html = with_own_time(_linked(bare)) if source == "email" else _linked(bare)
    if len(found) == 1 and found[0][0] == WORDS:  # most texts
        return mark_safe(TAGS[WORDS] % html)  # noqa: S308 - escaped by _linked()
    linked = iter(html.split("\n"))
    tags = {**TAGS, QUOTE: QUOTE_TAGS % (escape(_("Show what is quoted")), "%s")}
    parts = [tags[kind] % "\n".join(islice(linked, len(lines))) for kind, lines in found]
    return mark_safe("\n".join(parts))  # noqa: S308 - escaped by _linked()


@register.filter
def mail_text(text: str) -> str:
    """message_text() for mail, whose readers keep spaces and lines only where they are written out."""
    parts = []
    for kind, lines in blocks(text, has_quotes=False):
        line = "<br>".join(KEPT_SPACE.sub("&nbsp;", escape(line.expandtabs(4))) for line in lines)
        parts.append(MAIL_TAGS[kind] % line)
    return mark_safe("".join(parts))  # noqa: S308 - each line is escaped


KEPT_SPACE = re.compile(r"^ | (?= )")  # all but the last of several, so that lines still break
MAIL_TAGS = {
    WORDS: '<div dir="auto">%s</div>',
    COLUMNS: '<div dir="auto" style="font-family:Consolas,Menlo,monospace;">%s</div>',
}
QUOTE_TAGS = '<details><summary>%s</summary><blockquote dir="auto">%s</blockquote></details>'
TAGS = {
    WORDS: '<div dir="auto">%s</div>',
    COLUMNS: '<pre dir="auto" tabindex="0">%s</pre>',  # wide ones are scrolled, with keys too
}


def _linked(text: str) -> str:
    """`text` escaped, with links."""
    return _with_links(text) if MAY_HOLD_LINK.search(text) else escape(text)


def _with_links(text: str) -> str:
    return urlize(text, autoescape=True)


# Python's stack grows by pieces of 2,048 places, and each is given back as soon as it is empty. A loop that
# happens to stand at the end of one takes and gives back a piece with each call: templates are nested deeply,
# and links then take ten times as long. What needs more places than a piece has gets one of its own.
_with_links.__code__ = _with_links.__code__.replace(co_stacksize=2_500)
