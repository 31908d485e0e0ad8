"""Sizes and names of files, and how much of a text is shown: each number that PRODUCT and README promise."""

import pytest
from django.core.exceptions import ValidationError

from tickets.rules import excerpts, validators
from tickets.rules.excerpts import beginning, beginnings, effort

MB = 1024 * 1024


def test_limits_are_what_was_promised():
    assert (validators.MAX_FILES, validators.MAX_FILES_A_DAY) == (5, 50)
    assert (validators.MAX_FILE_BYTES, validators.MAX_MESSAGE_BYTES) == (10 * MB, 20 * MB)
    assert validators.MAX_BYTES_A_DAY == 200 * MB


@pytest.mark.parametrize("size", [1, 10 * MB])
def test_file_may_have_one_byte_and_ten_megabytes(size):
    validators.validate_size("scan.pdf", size)


@pytest.mark.parametrize(("size", "code"), [(0, "empty"), (10 * MB + 1, "size")])
def test_empty_file_and_one_byte_more_are_refused(size, code):
    with pytest.raises(ValidationError) as error:
        validators.validate_size("scan.pdf", size)
    assert error.value.code == code


def test_file_that_is_too_large_is_named_with_its_limit():
    with pytest.raises(ValidationError, match=r"scan\.pdf is larger than 10.{1,4}MB\."):
        validators.validate_size("scan.pdf", 10 * MB + 1)


def test_five_files_and_twenty_megabytes_go_together():
    validators.validate_together([4 * MB] * 5)


def test_six_files_or_one_byte_more_do_not():
    with pytest.raises(ValidationError, match="at most 5 files"):
        validators.validate_together([1] * 6)
    with pytest.raises(ValidationError, match=r"larger than 20.{1,4}MB"):
        validators.validate_together([10 * MB, 10 * MB, 1])


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/pass\\wd", "_.._etc_pass_wd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("two\nlines.txt", "two lines.txt"),
        (" . ", "file"),
        ("con.txt", "_con.txt"),
        ("LPT1", "_LPT1"),
        ("contract.txt", "contract.txt"),
        ("a" * 116 + ".pdf", "a" * 116 + ".pdf"),
        ("a" * 115 + " .pdf", "a" * 115 + " .pdf"),
        ("a" * 117 + ".pdf", "a" * 116 + ".pdf"),
        ("a" * 115 + " b.pdf", "a" * 115 + ".pdf"),
    ],
)
def test_name_is_safe_in_downloads(name, safe):
    assert validators.safe_name(name) == safe


def test_effort_counts_characters_lines_and_each_link_once():
    assert effort("a" * 50) == 50 // 25 + 4
    assert effort("one\ntwo\nthree") == 13 // 25 + 3 * 4
    link = "https://example.com/"
    assert effort(link) == len(link) // 25 + 4 + 50
    assert effort(f"{link} {link} ann@example.com") == (2 * len(link) + 17) // 25 + 4 + 2 * 50
    assert effort("no link, no dot") == 4


def test_text_is_shown_whole_while_there_is_room():
    assert beginnings(["short"] * 9) == [None] * 9


def test_first_two_texts_are_whole_and_the_next_only_its_beginning():
    heavy = "word\n" * 40_000
    assert effort(heavy) > excerpts.MOST
    found = beginnings([heavy, heavy, heavy, "short"])
    assert found[:2] == [None, None]
    assert found[2] == beginning(heavy)
    assert found[3] is None


def test_text_is_whole_that_just_fills_the_room():
    text = "a" * 1150
    assert effort(text) == 50
    fills = [None] * 3000
    found = beginnings([text] * (len(fills) + 1))
    assert found[:-1] == fills
    assert found[-1] == beginning(text)


def test_of_two_hundred_short_texts_behind_a_heavy_one_none_is_cut():
    heavy, short = "word\n" * 40_000, "a" * 500
    assert beginnings([heavy, heavy, short, short + "a"])[2:] == [None, "a" * 500 + " …"]


def test_beginning_ends_with_a_word():
    assert beginning("a" * 450 + " " + "b" * 200) == "a" * 450 + " …"
    assert beginning("a" * 450 + "\n" + "b" * 200) == "a" * 450 + " …"
    assert beginning("a" * 399 + " " + "b" * 200) == "a" * 399 + " " + "b" * 100 + " …"
    assert beginning("a" * 400 + " " + "b" * 200) == "a" * 400 + " …"
    assert beginning("a" * 900) == "a" * 500 + " …"


def test_shortened_counts_letters_and_ends_with_a_sign():
    assert excerpts.shortened("printer", 7) == "printer"
    assert excerpts.shortened("printers", 7) == "printe…"
    assert excerpts.shortened("e\u0301" * 10, 10) == "\xe9" * 10
