"""Reports and the export, for those who may: on pages of their own beside the queue."""

from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.http import QueryDict, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.admin.queue import with_query
from tickets.forms.reports import PeriodForm
from tickets.reports import page
from tickets.reports.charts import BAR, WIDTH
from tickets.reports.export import CSV, FORMATS, lines, ticket_lines


class ReportsMixin(admin.ModelAdmin):
    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("reports/", wrap(self.reports_view), name="tickets_ticket_reports"),
            path("export/", wrap(self.export_view), name="tickets_ticket_export"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        context = {"may_export": request.user.has_perm("tickets.export_ticket")}
        return super().changelist_view(request, context | (extra_context or {}))

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
            **self.admin_site.each_context(request),
            "title": _("Reports"),
            "opts": self.opts,
            "form": form,
            "report": report,
            "query": query.urlencode(),
            "chart": {"width": WIDTH + 60, "bar": BAR, "text": BAR - 5},
        }
        return TemplateResponse(request, "admin/tickets/ticket/reports.html", context)

    def export_view(self, request):
        """The tickets of the queue as it is filtered, as CSV."""
        if not request.user.has_perm("tickets.export_ticket"):
            raise PermissionDenied
        filters: QueryDict = request.GET.copy()
        notes = bool(filters.pop("notes", [""])[-1])
        file_format = FORMATS.get(filters.pop("format", [""])[-1], CSV)
        filters.pop(PAGE_VAR, None)
        tickets = self.get_changelist_instance(with_query(request, filters.urlencode())).queryset
        zone = timezone.get_current_timezone()
        found = ticket_lines(tickets, by=request.user.email, zone=zone, notes=notes, form=file_format)
        return csv_answer(found, f"tickets-{timezone.localdate()}.csv")


def csv_answer(found: Iterator[str], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        found,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
