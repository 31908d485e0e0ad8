"""The email channel: `writing` (content of emails), `sending` (outbox to provider), `receiving` (raw message
to ticket).

Modules that two of these packages share: signed reply `addresses`, `suppression` of addresses, the `guard`
against unsafe headers, `failures` as text, the `pause` of the outbox, the `canary` and the `alarms`.
"""
