"""The content and headers of emails for rows of the outbox. Neither sends nor chooses recipients.

Start with `messages.build()`. `letter` holds the context of templates/emails/, `digest` writes one email for
many changes, `threads` groups the emails of a ticket, `tokens` signs links that work without a login.
"""
