"""The history of a ticket: writes the log, reads it, puts it into sentences. Changes no ticket.

Start with `recording`, the only writer of the log, then `story` (which rows a person may see), `timeline`
(entries of a page) and `sentences`. `verification` checks that the log is complete.
"""
