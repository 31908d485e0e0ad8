"""A demo company with tickets (quickstart), and any number of demo tickets (seed_demo)."""
