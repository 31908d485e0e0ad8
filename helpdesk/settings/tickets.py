"""What the helpdesk itself reads: business hours, search, limits, and the contact details of IT."""

import snowballstemmer
from django.utils.translation import gettext_lazy as _

from helpdesk import env

# The number of tickets that a requester may file in an hour (tickets.actions.filing_limit)
TICKETS_PER_HOUR = 20

# Business days and hours, for reminders and reports
WORKING_DAYS = env.weekdays("WORKING_DAYS", "mon,tue,wed,thu,fri")
WORKING_HOURS = env.hours("WORKING_HOURS", "09:00-17:00")

# Search matches words exactly ("simple") or by their stem in this language (tickets.search.words).
SEARCH_LANGUAGE = env.one_of("SEARCH_LANGUAGE", {"simple", *snowballstemmer.algorithms()}, "simple")

# Contact details on the about page
SUPPORT_HOURS = env.text("SUPPORT_HOURS") or _("Monday to Friday, 9:00 to 17:00")
SUPPORT_PHONE = env.text("SUPPORT_PHONE")
SUPPORT_EMAIL = env.email("SUPPORT_EMAIL")
