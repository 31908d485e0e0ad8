"""The canary: a mail of the helpdesk to itself that proves the whole circle."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tickets.inbound.addresses import new_ticket_address, parse, reply_address
from tickets.inbound.canary import canary_address, is_canary


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"


def test_canary_is_known_by_its_address():
    address = canary_address(timezone.now())
    assert is_canary(address)
    assert is_canary(address.upper())
    assert parse(address) is None
    assert address != canary_address(timezone.now() + timedelta(seconds=1))


def test_canary_of_the_key_before_is_known(settings):
    address = canary_address(timezone.now())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key that is long enough for everybody"
    assert is_canary(address)


@pytest.mark.parametrize(
    "change",
    [
        lambda address: address.replace("@in.", "@out."),
        lambda address: address.replace("canary.", "canary.0"),
        lambda address: address.partition("@")[0],
        lambda address: "support+canary@in.example.com",
        lambda address: "support+canary.1.@in.example.com",
        lambda address: new_ticket_address(),
        lambda address: reply_address(1, 1),
        lambda address: "",
    ],
)
def test_nothing_else_is_a_canary(change):
    assert not is_canary(change(canary_address(timezone.now())))
