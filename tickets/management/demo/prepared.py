"""Shared saved replies and macros of the demo company."""

from tickets.models import Category, Macro, SavedReply, Status
from tickets.rules.workflow import REOPEN_PERIOD

# title: text
REPLIES = {
    "Ask for a screenshot": (
        "Hello {first_name},\n\n"
        "could you send us a screenshot of what you see, with the whole window in it? You can paste it right "
        "into your answer to {ticket}.\n\n"
        "Thank you\n{agent}"
    ),
    "Restart first": (
        "Hello {first_name},\n\n"
        "please do this before we dig deeper:\n\n"
        "- Save your work and close all programs.\n"
        "- Choose “Restart”, not “Shut down”.\n"
        "- Wait two minutes after you have logged in, then try again.\n\n"
        "If it still happens, just answer here and tell us since when.\n\n"
        "{agent}"
    ),
    "New password": (
        "Hello {first_name},\n\n"
        "you can set a new password yourself: open the login page, choose “Forgot your password?” and follow "
        "the link in the mail. The link works for one hour.\n\n"
        "We never ask for your password, neither by mail nor on the phone.\n\n"
        "{agent}"
    ),
    "Access: who approves": (
        "Hello {first_name},\n\n"
        "we can open this as soon as the owner of the folder agrees. Please ask them to write one line to "
        "this ticket ({ticket}), and we do the rest the same day.\n\n"
        "{agent}"
    ),
    "On site visit": (
        "Hello {first_name},\n\n"
        "I would like to look at it at your desk. When does it suit you this week? It takes about half an "
        "hour, and I need you there to log in.\n\n"
        "{agent}"
    ),
    "Given to the supplier": (
        "Hello {first_name},\n\n"
        "we have passed this on to the supplier under the number {ticket}. They usually answer within two "
        "working days. You don't have to do anything; we write as soon as we know more.\n\n"
        "{agent}"
    ),
}
# title: actions
MACROS = {
    "Take it and say so": {
        "body": "Hello {first_name},\n\nI have your ticket {ticket} now and look into it today.\n\n{agent}",
        "status": "In Progress",
        "assigns_to_me": True,
    },
    "Solved": {
        "body": (
            "Hello {first_name},\n\n"
            f"this should work again. If it doesn't, just answer within {REOPEN_PERIOD.days} days and "
            "the ticket is open again.\n\n{agent}"
        ),
        "status": "Done",
    },
    "Ask for details and wait": {
        "body": (
            "Hello {first_name},\n\n"
            "to help you we need to know a little more: what did you do just before, what did you see, and "
            "does it happen every time? A screenshot helps a lot.\n\n{agent}"
        ),
        "status": "On Hold",
        "waiting_for": "requester",
        "assigns_to_me": True,
    },
    "Urgent, I take it": {"priority": "urgent", "status": "In Progress", "assigns_to_me": True},
    "It is about access": {"category": "Access Support"},
}


def load_prepared() -> None:
    SavedReply.objects.bulk_create(SavedReply(title=title, body=body) for title, body in REPLIES.items())
    statuses = {status.name: status for status in Status.objects.all()}
    categories = {category.name: category for category in Category.objects.all()}
    for title, values in MACROS.items():
        named = {
            "status": statuses.get(values.get("status")),
            "category": categories.get(values.get("category")),
        }
        Macro.objects.create(title=title, **{**values, **named})
