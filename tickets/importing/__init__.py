"""Tickets from a CSV file: `table` reads rows, `builder` makes tickets, `people` knows whose they are."""
