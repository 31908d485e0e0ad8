"""A select that is rendered without templates."""

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join

SELECTED = flatatt({"selected": True})


class PlainSelect(forms.Select):
    """Renders a select without a template (others: templates/django/forms/widgets/select.html), because the
    ticket's page has several. For choices without groups.
    """

    def render(self, name, value, attrs=None, renderer=None):
        chosen = self.format_value(value)
        options = (
            (_text(choice), SELECTED if _text(choice) in chosen else "", label)
            for choice, label in self.choices
        )
        return format_html(
            '<select name="{}"{}>\n{}\n</select>',
            name,
            flatatt(self.build_attrs(self.attrs, attrs)),
            format_html_join("\n", '  <option value="{}"{}>{}</option>', options),
        )


def _text(choice) -> str:
    return "" if choice is None else str(choice)
