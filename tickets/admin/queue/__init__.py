"""The list of tickets: its filters, saved views, unread marks, live rows, and changes to one or many tickets.

Start with `queue`; `changelist` and `columns` are what stands in the list. `bulk_changes` is the table of
changes: `actions` makes one on many tickets, `row_change` on one, in its row.
"""
