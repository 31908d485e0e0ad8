"""Searches tickets by words and filters, with the same results on SQLite and PostgreSQL.

Start with `query` (the parser), then `finding` (the rows). `documents` updates the search documents in the
transaction of each change; `filters` declares the filters; `marking` and `passages` highlight matches.
"""
