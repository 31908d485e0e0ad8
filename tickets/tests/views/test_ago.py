"""How long ago something happened: kept words are those of naturaltime()."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone, translation

from tickets.templatetags.tickets_text import ago

LENGTHS = (0, 0.4, 1, 59.9, 60, 119, 120, 3599, 3600, 7199, 7200, 86_399)


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_words_of_a_day_are_those_of_naturaltime(seconds, language):
    with time_machine.travel("2026-11-30T12:00:00+00:00", tick=False), translation.override(language):
        for _time in range(2):
            moment = timezone.now() - timedelta(seconds=seconds)
            assert f">{naturaltime(moment)}</time>" in ago(moment)


def test_older_ones_have_their_date():
    with time_machine.travel("2026-11-30T12:00:00+00:00", tick=False):
        assert ">29 Nov 2026</time>" in ago(timezone.now() - timedelta(days=1))
