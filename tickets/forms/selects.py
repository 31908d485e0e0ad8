"""A select that is rendered without templates."""

from django import forms
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

from helpdesk.site_tags import attributes


class PlainSelect(forms.Select):
    """Renders a select without a template (others: templates/django/forms/widgets/select.html), because the
    ticket's page has several. For choices without groups.
    """

    def render(self, name, value, attrs=None, renderer=None):
        chosen = self.format_value(value)
        own = attributes({"name": name, **self.build_attrs(self.attrs, attrs)})
        options = [_option(_text(choice), label, chosen) for choice, label in self.choices]
        return mark_safe(f"<select{own}>\n{''.join(options)}</select>")  # noqa: S308 - its parts are escaped


def _option(value: str, label, chosen: list[str]) -> str:
    mark = " selected" if value in chosen else ""
    return f'  <option value="{conditional_escape(value)}"{mark}>{conditional_escape(label)}</option>\n'


def _text(choice) -> str:
    return "" if choice is None else str(choice)
