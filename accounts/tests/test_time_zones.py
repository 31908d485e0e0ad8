"""The select of time zones: one name for each zone, by region; zones with old names stay valid."""

import re

import pytest

from accounts import time_zones
from accounts.models import User, time_zone_names
from accounts.tests.test_profile import PROFILE

pytestmark = pytest.mark.django_db


def options(content: str) -> list[str]:
    (select,) = re.findall(r'<select name="time_zone".*?</select>', content, re.S)
    return re.findall(r'<option value="([^"]*)"', select)


def test_regions_come_first_and_cities_in_them():
    found = dict(time_zones.regions())
    assert list(found) == [region for region in time_zones.REGIONS if region in found]
    assert ("Europe/Berlin", "Berlin") in found["Europe"]
    assert ("America/Argentina/Buenos_Aires", "Buenos Aires, Argentina") in found["America"]
    assert ("America/New_York", "New York") in found["America"]


def test_list_has_one_name_for_each_zone():
    names = [name for _region, zones in time_zones.regions() for name, _city in zones]
    assert len(names) == len(set(names)) < 450
    assert set(names) <= time_zone_names()
    assert not {"Asia/Calcutta", "America/Buenos_Aires", "US/Eastern", "Etc/GMT+1"} & set(names)


@pytest.mark.parametrize("page", ["/accounts/profile/", "/accounts/signup/"])
def test_select_has_groups_and_the_words_of_the_search(client, alice, page):
    if page == "/accounts/profile/":
        client.force_login(alice)
    content = client.get(page).content.decode()
    assert '<optgroup label="Europe">' in content
    assert 'data-search="Search time zones"' in content
    assert {"", "UTC", "Europe/Berlin"} <= set(options(content))


def test_zone_with_an_old_name_stays_when_the_profile_is_saved(client_of, alice):
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Calcutta")
    client = client_of(alice)
    assert "Asia/Calcutta" in options(client.get("/accounts/profile/").content.decode())
    client.post("/accounts/profile/", {**PROFILE, "time_zone": "Asia/Calcutta"})
    alice.refresh_from_db()
    assert alice.time_zone == "Asia/Calcutta"


def test_without_a_table_all_names_are_offered(monkeypatch):
    monkeypatch.setattr(time_zones, "TZPATH", ())
    assert time_zones._listed.__wrapped__() == time_zone_names()
