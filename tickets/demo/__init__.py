"""A small company with its tickets, for trying the helpdesk (quickstart) and for filling it (seed_demo)."""
