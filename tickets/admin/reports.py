"""Reports and the export, on pages of their own beside the queue."""

from collections.abc import Iterator
from itertools import islice

from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.http import QueryDict, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.lists.requests import with_query
from tickets.admin.ticket.neighbours import queue_of
from tickets.admin.ticket.parts import Part
from tickets.forms.reports import PeriodForm
from tickets.reports import page
from tickets.reports.export import CSV, FORMATS, lines, ticket_lines
from tickets.reports.periods import NamedPeriod

LINES = 100  # of a CSV file that are sent at once
PERIODS = (
    (NamedPeriod.THIS_WEEK, _("Week")),
    (NamedPeriod.THIS_MONTH, _("Month")),
    (NamedPeriod.THIS_QUARTER, _("Quarter")),
    (NamedPeriod.THIS_YEAR, _("Year")),
)


class Reports(Part):
    """Pages beside the queue. Shows nothing on a ticket's page."""

    def urls(self):
        wrap = self.model_admin.admin_site.admin_view
        return [
            path("reports/", wrap(self.reports_view), name="tickets_ticket_reports"),
            path("export/", wrap(self.export_view), name="tickets_ticket_export"),
        ]

    def reports_view(self, request):
        if not request.user.has_perm("tickets.view_report"):
            raise PermissionDenied
        form = PeriodForm(request.GET or None, initial={"period": "this-month"})
        report = page.build(form.comparison)
        file_format = FORMATS.get(request.GET.get("format"))
        if file_format and (not form.is_bound or form.is_valid()):
            found = lines(page.csv_rows(report), file_format)
            return csv_answer(found, f"report-{report.compared.span}.csv")
        query = request.GET.copy()
        query.pop("format", None)
        context = {
            **self.model_admin.admin_site.each_context(request),
            "title": _("Reports"),
            "opts": self.model_admin.opts,
            "form": form,
            "report": report,
            "query": query.urlencode(),
            "formats": [("csv", _("Export as CSV")), ("excel", _("CSV for Excel"))],
            "periods": [(period, label, period == form.named_period) for period, label in PERIODS],
            "is_custom": form.errors or form.named_period not in dict(PERIODS),
        }
        return TemplateResponse(request, "admin/tickets/ticket/reports.html", context)

    def export_view(self, request):
        """Exports the filtered queue as CSV."""
        if not request.user.has_perm("tickets.export_ticket"):
            raise PermissionDenied
        filters: QueryDict = request.GET.copy()
        notes = bool(filters.pop("notes", [""])[-1])
        file_format = FORMATS.get(filters.pop("format", [""])[-1], CSV)
        filters.pop(PAGE_VAR, None)
        tickets = queue_of(self.model_admin, with_query(request, filters))
        zone = timezone.get_current_timezone()
        found = ticket_lines(tickets, by=request.user.email, zone=zone, notes=notes, form=file_format)
        return csv_answer(found, f"tickets-{timezone.localdate()}.csv")


def csv_answer(found: Iterator[str], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        in_blocks(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def in_blocks(found: Iterator[str]) -> Iterator[str]:
    """Joins lines, because each piece of a response is sent on its own."""
    while block := "".join(islice(found, LINES)):
        yield block
