import re
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.defaultfilters import linebreaks_filter
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import Urlizer, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()


class OutsideUrlizer(Urlizer):
    """Links that somebody typed: they earn no rank and don't reach back (only http, https and mailto)."""

    url_template = '<a href="{href}" rel="nofollow noopener ugc">{url}</a>'
    # What has no scheme begins with a host: Django takes javascript://example.com for one too.
    simple_url_2_re = re.compile(
        rf"(?=[\w.-]+(?::\d+)?(?:[/?#]|$))(?:{Urlizer.simple_url_2_re.pattern})", re.IGNORECASE
    )


urlize = OutsideUrlizer()
# Every link has one of these; most texts have none, and looking at each word takes long.
MAY_HOLD_LINK = re.compile(r"://|@|\.\w")


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
    linked = urlize(text, autoescape=True) if MAY_HOLD_LINK.search(text) else escape(text)
    return linebreaks_filter(linked, autoescape=False)


@register.filter
def message_text(text: str) -> str:
    """plain_text() with lists, and with what is quoted (lines that begin with ">") folded."""
    lines = text.splitlines()
    if MARKS.isdisjoint(line[:1] for line in lines):  # most texts have neither
        return _block("text", lines)
    return format_html_join("", "{}", ((_block(kind, list(run)),) for kind, run in groupby(lines, key=_kind)))


BULLET = re.compile(r"[-*•]\s+(?=\S)")
MARKS = frozenset(">-*•")  # what quotes and lists begin with


def _kind(line: str) -> str:
    if line.startswith(">"):
        return "quote"
    return "list" if BULLET.match(line) else "text"


def _block(kind: str, lines: list[str]) -> str:
    if kind == "quote":
        words = _("Show what is quoted")
        quoted = "\n".join(line.lstrip("> ") for line in lines)
        template = "<details><summary>{}</summary><blockquote>{}</blockquote></details>"
        return format_html(template, words, plain_text(quoted))
    if kind == "list":
        items = ((plain_text(BULLET.sub("", line, count=1)),) for line in lines)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", items))
    text = "\n".join(lines).strip("\n")
    return plain_text(text) if text.strip() else ""
