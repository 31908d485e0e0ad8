"""Imports the modules that register models with the admin. Imported by tickets.apps only."""

from tickets.admin.catalogue import category, macro, saved_reply, status
from tickets.admin.mail import inbound_email, known_domain, mailbox, notification, suppressed_address
from tickets.admin.people import person
from tickets.admin.queue import saved_view
from tickets.admin.ticket import activity_log, ticket

__all__ = [
    "activity_log",
    "category",
    "inbound_email",
    "known_domain",
    "macro",
    "mailbox",
    "notification",
    "person",
    "saved_reply",
    "saved_view",
    "status",
    "suppressed_address",
    "ticket",
]
