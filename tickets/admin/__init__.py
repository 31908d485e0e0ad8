"""The staff's workplace. Each module registers what it is about."""

from tickets.admin import (
    activity_log,
    category,
    inbound_email,
    macro,
    notification,
    person,
    saved_reply,
    saved_view,
    status,
    suppressed_address,
    ticket,
)

__all__ = [
    "activity_log",
    "category",
    "inbound_email",
    "macro",
    "notification",
    "person",
    "saved_reply",
    "saved_view",
    "status",
    "suppressed_address",
    "ticket",
]
