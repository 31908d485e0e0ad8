"""manage.py benchmark: how long each page takes with few and with many tickets, beside two yardsticks.

The command itself never touches a database. What does (filling, counting queries, gunicorn, workers) runs in
processes of its own, whose settings are tickets.benchmark.settings and whose database is a scratch one.
"""
