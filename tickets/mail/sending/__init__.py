"""Sends the emails of the outbox and records their delivery.

Start with `delivery`, the only module that sends. `claiming` leases the rows of one email to one worker,
`senders` says which mailbox sends it, `transports` hand it over, and `results` saves the outcome.
`waking` delivers without a worker. `delivery_events` and `event_list` process the provider's events.
"""
