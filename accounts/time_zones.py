"""The time zones that forms offer: by region, each under the name of its city."""

from functools import cache
from pathlib import Path
from zoneinfo import TZPATH

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import time_zone_names

REGIONS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic",
    "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip


@cache
def _listed() -> frozenset[str]:
    """Returns one name for each zone of a country, from the table of the time zone database (zone.tab).

    Without the table: all names, among them old ones of the same zones.
    """
    tables = (Path(folder, "zone.tab") for folder in TZPATH)
    table = next((path for path in tables if path.is_file()), None)
    lines = table.read_text().splitlines() if table else []
    names = {line.split("\t")[2] for line in lines if line and not line.startswith("#")}
    return frozenset(names & time_zone_names() or time_zone_names())


def city(zone: str) -> str:
    """America/Argentina/Buenos_Aires -> Buenos Aires, Argentina."""
    _region, *places = zone.replace("_", " ").split("/")
    return ", ".join(reversed(places)) or zone


@cache
def regions() -> list[tuple[str, list[tuple[str, str]]]]:
    """Returns the groups of a select: (region, [(zone, city), ...])."""
    found = {region: [] for region in REGIONS}
    for zone in _listed():
        region, _slash, place = zone.partition("/")
        if place and region in found:
            found[region].append((zone, city(zone)))
    return [(region, sorted(zones, key=lambda zone: zone[1])) for region, zones in found.items() if zones]


def choices() -> list[tuple]:
    default = _("Helpdesk default: %(zone)s") % {"zone": settings.TIME_ZONE.replace("_", " ")}
    return [("", default), ("UTC", "UTC"), *regions()]


class TimeZoneField(forms.ChoiceField):
    """A select of time zones that static/js/select_search.js makes searchable. Accepts old names too."""

    def __init__(self, **kwargs):
        super().__init__(label=_("Time zone"), choices=choices, required=False, **kwargs)
        self.widget.attrs |= {
            "data-search": _("Search time zones"),
            "data-found": _("Matches: [count]"),
        }

    def valid_value(self, value: str) -> bool:
        return value in time_zone_names()

    def get_bound_field(self, form, field_name):
        bound = super().get_bound_field(form, field_name)
        self._offer(bound.value() or "")
        return bound

    def _offer(self, zone: str) -> None:
        """Adds the present zone to the choices if it has an old name."""
        names = {name for _region, zones in regions() for name, _city in zones}
        if self.valid_value(zone) and zone not in names | {"UTC"}:
            self.choices = [*choices(), (zone, zone.replace("_", " "))]


class BrowserTimeZoneField(TimeZoneField):
    """Preselected by static/js/time_zone.js. Cleans an unknown zone, and the helpdesk's own, to ""."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.widget.attrs["data-time-zone"] = ""

    def clean(self, value) -> str:
        return value if self.valid_value(value) and value != settings.TIME_ZONE else ""
