"""The selects of the details look like Django's (tickets.forms.selects)."""

import pytest
from django import forms
from django.test.html import parse_html

from tickets.forms.selects import PlainSelect
from tickets.tests.factories import make_ticket

CHOICES = [("", "Choose one"), (None, "Nothing"), (1, "First"), ("a<b", "Less & “more”")]
ATTRS = {"id": "id_kind", "class": "form-select", "required": True, "disabled": False, "data-marks": 'a "b"'}


@pytest.mark.parametrize("value", ["", None, 1, "1", "a<b", "unknown"])
@pytest.mark.parametrize(
    "choices", [CHOICES[1:], [*CHOICES[:1], *CHOICES[2:]], []], ids=["None", "text", "no"]
)
def test_markup_is_that_of_djangos_select(choices, value):
    shown, expected = (
        select(attrs={"lang": "en"}, choices=choices).render("kind", value, ATTRS)
        for select in (PlainSelect, forms.Select)
    )
    assert parse_html(shown) == parse_html(expected)


@pytest.mark.django_db
def test_details_have_no_other_select(client_of, ann, alice):
    address = f"/admin/tickets/ticket/{make_ticket(alice).pk}/change/"
    form = client_of(ann).get(address).context["adminform"].form
    selects = [field.widget for field in form.fields.values() if isinstance(field.widget, forms.Select)]
    assert len(selects) == 5
    assert {type(select) for select in selects} == {PlainSelect}
