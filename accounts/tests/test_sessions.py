"""How long a session lasts: staff 8 idle hours, all others 14 days; who works is not logged out."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.links import password_reset_link
from accounts.models import User
from accounts.roles import Role
from accounts.sessions import SessionStore, is_ours
from accounts.tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
HOURS, MINUTES, DAYS = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
START = timezone.now().replace(microsecond=0)
POLL = {"HTTP_X_ASKS_BY_ITSELF": "yes"}


@pytest.fixture
def at():
    """at(moment): from now on it is so long after the start."""
    with time_machine.travel(START, tick=False) as traveller:
        yield lambda moment: traveller.move_to(START + moment)


def is_in(client: Client, **headers) -> bool:
    return client.get("/tickets/", **headers).status_code == 200


@pytest.mark.parametrize("who", ["ann", "sam", "root"])
def test_staff_are_out_after_eight_idle_hours(client_of, at, request, who):
    client = client_of(request.getfixturevalue(who))
    at(8 * HOURS - MINUTES)
    assert is_in(client)
    at(16 * HOURS)
    assert not is_in(client)


def test_others_are_out_after_fourteen_idle_days(client_of, alice, at):
    client = client_of(alice)
    at(14 * DAYS - MINUTES)
    assert is_in(client)
    at(28 * DAYS)
    assert not is_in(client)


def test_login_by_the_form_lasts_as_long(client, ann, alice, at):
    for person, lasts in ((ann, 8 * HOURS), (alice, 14 * DAYS)):
        at(timedelta())
        client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        at(lasts - MINUTES)
        assert is_in(client)
        at(2 * lasts)
        assert not is_in(client)


@pytest.mark.parametrize(("who", "step", "steps"), [("ann", 7 * HOURS, 10), ("alice", 13 * DAYS, 5)])
def test_who_works_is_never_logged_out(client_of, at, request, settings, who, step, steps):
    """The cookie is renewed too: the browser would drop it."""
    client = client_of(request.getfixturevalue(who))
    for turn in range(1, steps + 1):
        at(step * turn)
        response = client.get("/tickets/")
        assert response.status_code == 200
        assert response.cookies["sessionid"]["max-age"] == settings.SESSION_COOKIE_AGE


def test_session_is_written_once_in_five_minutes(client_of, ann, at):
    client, written = client_of(ann), []
    for seconds in range(0, 1200, 10):
        at(timedelta(seconds=seconds))
        with CaptureQueriesContext(connection) as asked:
            assert is_in(client)
        if any('UPDATE "django_session"' in query["sql"] for query in asked.captured_queries):
            written.append(seconds)
    assert written == [300, 600, 900]


def test_page_that_asks_for_news_keeps_nobody_logged_in(client_of, ann, at):
    """A screen that is left open over night."""
    client = client_of(ann)
    for hour in range(1, 9):
        at(hour * HOURS)
        assert is_in(client, **POLL)
    at(8 * HOURS + MINUTES)
    assert not is_in(client, **POLL)
    assert not is_in(client)


def test_promotion_counts_for_the_session_that_runs(client_of, alice, at):
    client = client_of(alice)
    at(10 * HOURS)
    alice.set_role(Role.AGENT)
    assert not is_in(client)


def test_demotion_counts_for_the_session_that_runs(client_of, ann, at):
    client = client_of(ann)
    ann.set_role(Role.REQUESTER)
    at(10 * HOURS)
    assert is_in(client)
    assert client.get("/admin/").status_code == 302


def test_session_of_before_the_upgrade_goes_on(client, alice, ann, at):
    """Its key has no proof; staff have 8 hours from their login."""
    old = {}
    for person in (alice, ann):
        client.force_login(person)
        store = DjangosStore()
        store.update(dict(client.session.items()))
        store.create()
        old[person] = Client()
        old[person].cookies["sessionid"] = store.session_key
    at(7 * HOURS)
    assert is_in(old[alice])
    assert is_in(old[ann])
    assert not is_ours(old[ann].cookies["sessionid"].value)


def test_person_whose_address_must_be_confirmed_now_logs_in_again(client_of, alice, at, settings):
    """THREATS 75: signed up while no mail left."""
    client = client_of(alice)
    alice.emailaddress_set.update(verified=False)
    at(6 * MINUTES)
    assert is_in(client)
    settings.HAS_MAIL_PROVIDER, settings.ACCOUNT_EMAIL_VERIFICATION = True, "mandatory"
    at(12 * MINUTES)
    assert not is_in(client)
    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert response.url == "/accounts/confirm-email/"


def test_logging_out_takes_the_cookie_and_ending_leaves_it(client_of, ann, at):
    client = client_of(ann)
    assert client.post("/accounts/logout/").cookies["sessionid"].value == ""
    client = client_of(ann)
    at(9 * HOURS)
    assert "sessionid" not in client.get("/tickets/").cookies
    assert not Session.objects.filter(session_key=client.cookies["sessionid"].value).exists()


def test_deactivated_person_is_out_whatever_the_age(client_of, alice, at):
    client = client_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_in(client)


# Keys
def test_key_is_known_for_ours_after_the_session_and_the_secret_have_changed(client_of, alice, settings):
    key = client_of(alice).cookies["sessionid"].value
    Session.objects.all().delete()
    assert is_ours(key)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert is_ours(key)
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_ours(key)


def test_sessions_and_links_outlive_the_secret_as_long_as_it_is_a_fallback(
    client, client_of, alice, settings
):
    """THREATS 127."""
    one, other = client_of(alice), client_of(alice)
    link = password_reset_link(alice).removeprefix(settings.SITE_URL)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert is_in(one)
    assert "no longer works" not in client.get(link, follow=True).content.decode()
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_in(other)
    assert "no longer works" in Client().get(link, follow=True).content.decode()


@pytest.mark.parametrize("key", ["", "x", "x" * 32, "x" * 40, "\u00e9" * 40, "x" * 5000])
def test_other_keys_are_not_ours(key):
    assert not is_ours(key)


def test_every_key_is_a_new_one(db):
    keys = {SessionStore()._get_new_session_key() for _number in range(50)}
    assert len(keys) == 50
    assert {len(key) for key in keys} == {40}
