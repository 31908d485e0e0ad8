"""Fetches email from mailboxes, by `imap` or by Microsoft `graph`, in threads of the worker (`pool`).

Start with `rounds`: one visit to one mailbox, under a lease (`leases`). `problems` are what goes wrong on the
side of the server. `connecting` decides about emails that lie in a mailbox before its first round.
"""
