from datetime import datetime, timedelta

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.defaultfilters import linebreaks_filter
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import Urlizer, format_html

register = template.Library()


class OutsideUrlizer(Urlizer):
    """Links that somebody typed: they earn no rank and don't reach back (only http, https and mailto)."""

    url_template = '<a href="{href}" rel="nofollow noopener ugc">{url}</a>'


urlize = OutsideUrlizer()


@register.filter
def ago(moment: datetime) -> str:
    """A <time>: how long ago within a day, else the date; the exact time stands in its title."""
    local = timezone.localtime(moment)
    is_recent = timezone.now() - moment < timedelta(days=1)
    words = naturaltime(moment) if is_recent else date_format(local, "DATE_FORMAT")
    exact = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, words)


@register.filter
def plain_text(text: str) -> str:
    """What somebody typed as paragraphs, escaped, with its links made clickable."""
    return linebreaks_filter(urlize(text, autoescape=True), autoescape=False)
