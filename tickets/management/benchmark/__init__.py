"""manage.py benchmark: measures each page with few and many tickets, compared with two reference pages.

The command itself uses no database. Subprocesses do (filling, counting queries, gunicorn, workers), with the
settings of this package and a temporary database.
"""
