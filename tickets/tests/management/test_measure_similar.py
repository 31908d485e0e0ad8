"""measure_similar: how often the neighbours of a ticket tell its category."""

import csv
import gzip

import pytest
from django.core.management import CommandError, call_command

from tickets.management import classified
from tickets.models import SearchDocument, Ticket

TEXTS = {
    "Access": "reset the password of account {} please, it is locked",
    "Hardware": "the docking station {} shows nothing on the second monitor",
    "Purchase": "please order toner cartridges {} for the plotter",
}


@pytest.fixture
def path(tmp_path):
    """Sixty tickets of three categories, by turns."""
    file = tmp_path / "tickets.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(["description", "category"])
        for number in range(20):
            rows.writerows([text.format(f"n{number}"), category] for category, text in TEXTS.items())
    return file


@pytest.mark.django_db
def test_category_of_later_tickets_is_found_by_their_neighbours(path):
    rows = classified.read(path)
    classified.file(rows[:45])
    assert (Ticket.objects.count(), SearchDocument.objects.count()) == (45, 45)
    figures = classified.measure(classified.spread(rows[45:], 6))
    assert (figures.asked, figures.first, figures.first_three) == (6, 6, 6)
    assert (figures.suggested, figures.right) == (6, 6)


def test_command_measures_in_a_scratch_database(path, capsys, db):
    call_command("measure_similar", str(path), filed=45, asked=3, database="sqlite://")
    printed = capsys.readouterr().out
    assert "With 45 tickets created, the category of 3 later ones is the first in 100.0%" in printed
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("subject,description\na,b\n", "has no columns description and category"),
        ("description,category\nPrinter,Hardware\n", "Of 1 tickets none is left to ask"),
    ],
)
def test_file_that_cannot_be_measured_is_refused(tmp_path, text, complaint):
    file = tmp_path / "tickets.csv"
    file.write_text(text)
    with pytest.raises(CommandError, match=complaint):
        call_command("measure_similar", str(file), filed=45)


def test_step_runs_in_no_other_database(path):
    with pytest.raises(CommandError, match="--step"):
        call_command("measure_similar", str(path), step=True)


def test_asked_ones_are_spread_evenly():
    rows = [{"description": str(number)} for number in range(10)]
    assert [row["description"] for row in classified.spread(rows, 3)] == ["0", "3", "6"]
    assert classified.spread(rows, 99) == rows
