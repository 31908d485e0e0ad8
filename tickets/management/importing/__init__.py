"""Imports tickets from a CSV file: `table` reads rows, `row_form` validates a row and builds its ticket.

`catalogue` and `people` look up what a row names, and create what is missing if allowed.
"""
