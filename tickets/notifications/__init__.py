"""Who is notified of what, and when. Independent of the channel: tickets.mail sends the rows of the outbox.

Start with `audiences` (whom an Event of tickets.rules.events notifies), then `outbox` (rows in the
transaction of the act). `wishes` decides when a person gets a row (at once, with the daily digest, after
quiet hours), `folding` joins many emails about one ticket, `directory` finds the people with few queries.
"""
