"""What people and timed jobs do to tickets, beyond a save: reply, merge, split, claim, hand over, remind.

Forms, views, the admin and incoming email all call these functions, so that each rule exists once. Start with
`conversation`. tickets.signals defines what a single save does (log, outbox).
"""
