"""Imports people from a CSV file: `table` reads it, `rows` validates each row, `plan` says what would change.

`writing` does what a plan says. accounts.import_pages and the command import_people call them in this order.
"""
