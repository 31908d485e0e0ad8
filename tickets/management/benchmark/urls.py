from django.urls import path

from helpdesk import urls
from helpdesk.urls import handler400, handler403, handler404, handler500
from tickets.management.benchmark import yardsticks

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [
    path("benchmark/floor/", yardsticks.floor),
    path("benchmark/plain/", yardsticks.plain_page),
    path("benchmark/plain/new/", yardsticks.plain_filing),
    path("benchmark/plain/<int:pk>/", yardsticks.plain_ticket, name="plain_ticket"),
    path("benchmark/similar/<int:pk>/", yardsticks.similar_part),
    *urls.urlpatterns,
]
