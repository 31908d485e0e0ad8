"""Sends the emails of the outbox and records their delivery.

Start with `delivery`, the only module that sends. `claiming` leases the rows of one email to one worker.
`waking` delivers without a worker. `delivery_events` and `event_list` process the provider's events.
"""
