"""Setup by administrators and agents: categories, statuses, saved replies, macros."""
