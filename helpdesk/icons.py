"""The template tags of heroicons, which draws an icon from its XML with each call.

A process keeps what it has drawn: the same arguments always give the same icon.
"""

from functools import lru_cache

from django import template
from heroicons.templatetags import heroicons

MOST_KEPT = 256  # the templates have about 50

register = template.Library()
register.simple_tag(lru_cache(MOST_KEPT)(heroicons.heroicon_mini))
register.simple_tag(lru_cache(MOST_KEPT)(heroicons.heroicon_outline))
