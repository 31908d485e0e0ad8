"""The printed report fills its pages."""

import re
import zlib

import pytest

from tickets.tests.factories import make_ticket


def texts_of_pages(pdf: bytes) -> list[int]:
    """How many pieces of text each page of a PDF by Chromium has."""
    objects = dict(re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", pdf, re.S))
    pages = [found for found in objects.values() if re.search(rb"/Type\s*/Page\b", found)]
    contents = [objects[re.search(rb"/Contents (\d+) 0 R", page)[1]] for page in pages]
    streams = [re.search(rb"stream\n(.*)\nendstream", content, re.S)[1] for content in contents]
    return [zlib.decompress(stream).count(b"Tj") for stream in streams]


@pytest.mark.parametrize("period", ["this-month", "this-year"])
def test_no_page_of_a_printed_report_is_empty(open_browser, sam, alice, period):
    make_ticket(alice)
    page = open_browser(sam)
    page.goto(f"/admin/tickets/ticket/reports/?period={period}")
    counts = texts_of_pages(page.pdf(format="A4"))
    assert 2 <= len(counts) <= 4
    assert min(counts) > 20
