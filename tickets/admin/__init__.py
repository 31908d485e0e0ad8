"""The agent workspace in the Django admin:

`queue`, `ticket` (its page), `mail`, `catalogue` (setup), `people`.

`register` imports the modules that register models; `site` is the admin site.
"""
