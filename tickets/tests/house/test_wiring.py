"""tickets/signals.py is all the wiring: the live receivers are exactly the ones of this table."""

import pytest
from anymail.signals import tracking as delivery_tracked
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from accounts.events import account_mail_requested, people_renamed, records_asked, rights_changed
from tickets import signals
from tickets.rules.events import activity_recorded, notifications_queued

OUR_APPS = ("accounts", "tickets", "helpdesk")
WIRING = {
    "pre_save": (pre_save, {"remember_row", "remember_person", "remember_members"}),
    "post_save": (
        post_save,
        {"log_save", "index_person", "draw_picture", "wake_delivery", "tell_of_handover", "ring_for_members"},
    ),
    "pre_delete": (pre_delete, {"remember_row", "remember_members"}),
    "post_delete": (post_delete, {"log_delete", "discard_file", "ring_for_members"}),
    "m2m_changed": (m2m_changed, {"groups_changed"}),
    "activity_recorded": (activity_recorded, {"queue_mail", "index_words"}),
    "notifications_queued": (notifications_queued, {"wake_deliveries"}),
    "rights_changed": (rights_changed, {"update_handover"}),
    "delivery_tracked": (delivery_tracked, {"note_delivery"}),
    "account_mail_requested": (account_mail_requested, {"queue_account_mail"}),
    "people_renamed": (people_renamed, {"index_people"}),
    "records_asked": (records_asked, {"tell_records"}),
}


def our_receivers(signal) -> list[str]:
    live = [reference() for (_key, reference, *_rest) in signal.receivers]
    return [
        one.__name__ for one in live if one.__module__.split(".")[0] in ("accounts", "tickets", "helpdesk")
    ]


@pytest.mark.parametrize(("signal", "expected"), WIRING.values(), ids=WIRING.keys())
def test_live_receivers_are_the_ones_of_the_table(signal, expected):
    assert sorted(our_receivers(signal)) == sorted(expected)


def test_connecting_twice_adds_nothing():
    signals.connect()
    for signal, expected in WIRING.values():
        assert sorted(our_receivers(signal)) == sorted(expected)
