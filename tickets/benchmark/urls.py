from django.urls import path

from helpdesk import urls
from helpdesk.urls import handler400, handler403, handler404, handler500
from tickets.benchmark import yardsticks

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [
    path("benchmark/floor/", yardsticks.floor),
    path("benchmark/plain/", yardsticks.plain_page),
    *urls.urlpatterns,
]
