"""Turns an incoming message into a reply, a note, a ticket, or an entry of the quarantine.

Start with `handler`, which calls `storing` (raw, once), `attempts` (counted before parsing), `parsing`
(pure), `decisions` (what to do) and `filing` (through the same actions as the pages). The entry points are
the webhook (tickets.views.webhooks), the command receive_mail, and `fetching`, which reads mailboxes.
"""
