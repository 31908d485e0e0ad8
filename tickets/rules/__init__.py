"""Rules about tickets that need no database: phases, events, rights, files, texts. Imports no model.

Start with `workflow` (which phase may follow which) and `events` (the table of everything that can happen to
a ticket).
"""
