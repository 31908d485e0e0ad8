"""The portal: pages of requesters, pages behind links in emails, and the provider's webhooks.

Start with `tickets` (list, page, form). Every view uses `visible_to()`; templates are in templates/tickets/.
The agent workspace is tickets.admin.
"""
