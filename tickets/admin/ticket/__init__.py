"""The page of a ticket. Start with `TicketAdmin.PARTS` in `ticket`.

Each part is a plain class in a module of its own (`parts` holds the base class), and `page` saves the
details. tickets.views.ticket_page loads the content, as for the portal.
"""
