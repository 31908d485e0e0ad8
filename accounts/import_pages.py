"""The pages of the admin that import people: upload a file, check what would change, import, invite."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import invitations
from accounts.importing.preview import SHOWN, Preview, described
from accounts.importing.rows import read
from accounts.importing.table import PeopleTable
from accounts.importing.writing import write
from accounts.models import Invitation, PeopleUpload, User
from helpdesk.csv_files import Problem

LARGEST = 5 * 1024 * 1024  # bytes
MOST_ROWS = 10_000  # a request has to be quick; the command import_people has no such limit


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text=gettext_lazy("Up to 5 MB and 10,000 people."),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError(
                _("The file is larger than 5 MB. Split it, or use manage.py import_people.")
            )
        self.content = file.read()
        try:
            rows = read(PeopleTable(self.content), most=MOST_ROWS + 1)
        except Problem as problem:
            raise ValidationError(described(problem)) from problem
        if not rows:
            raise ValidationError(_("The file has a header, but no people."))
        if len(rows) > MOST_ROWS:
            words = _("The file has more than 10,000 people. Split it, or use manage.py import_people.")
            raise ValidationError(words)
        return file

    def save(self, *, by: User) -> PeopleUpload:
        PeopleUpload.objects.expired().delete()
        name = self.cleaned_data["file"].name
        return PeopleUpload.objects.create(uploaded_by=by, name=name, content=self.content)


class ImportPeopleMixin:
    """A ModelAdmin of people with pages to import them. Who may create and change people may import them."""

    def get_urls(self):
        def page(route, view, name):
            return path(route, self.admin_site.admin_view(view), name=f"accounts_user_{name}")

        return [
            page("import/", self.import_view, "import"),
            page("import/<uuid:upload>/", self.preview_view, "preview"),
            page("invite/", self.invite_view, "invite"),
            *super().get_urls(),
        ]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def changelist_view(self, request, extra_context=None):
        context = {"may_import": self.has_import_permission(request)}
        if context["may_import"]:
            context["waiting_count"] = invitations.count_waiting()
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        self._check_import(request)
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if form.is_valid():
            return redirect("admin:accounts_user_preview", form.save(by=request.user).pk)
        return self._page(request, "import", _("Import people"), form=form)

    def preview_view(self, request: HttpRequest, upload: UUID) -> HttpResponse:
        """A POST imports what its page has shown. If people have changed since, it shows the new preview."""
        self._check_import(request)
        if request.method == "POST":
            return self._confirm(request, upload)
        own = self._own(request, PeopleUpload.objects.filter(pk=upload))
        if own.refusal:
            return self._refused(request, own.refusal)
        return self._preview_page(request, Preview(own))

    @transaction.atomic
    def _confirm(self, request: HttpRequest, key: UUID) -> HttpResponse:
        upload = self._own(request, PeopleUpload.objects.filter(pk=key).select_for_update())
        if upload.refusal:
            return self._refused(request, upload.refusal)
        preview = Preview(upload, lock=True)
        if preview.plan.digest != request.POST.get("seen"):
            return self._preview_page(request, preview, is_outdated=True)
        write(preview.plan, by=request.user)
        upload.content, upload.imported_at = b"", timezone.now()
        upload.save(update_fields=["content", "imported_at"])
        self.message_user(request, preview.result, messages.SUCCESS)
        return redirect("admin:accounts_user_changelist")

    def _own(self, request: HttpRequest, uploads: QuerySet) -> PeopleUpload:
        upload = uploads.filter(uploaded_by=request.user).first()
        if upload is None:
            raise Http404
        return upload

    def _preview_page(self, request: HttpRequest, preview: Preview, **context) -> HttpResponse:
        return self._page(request, "import_preview", _("Import people: preview"), preview=preview, **context)

    def invite_view(self, request: HttpRequest) -> HttpResponse:
        """Asks before many emails are sent."""
        self._check_import(request)
        if request.method == "POST":
            count = invitations.ask_to_invite()
            text = ngettext(
                "%(count)d person will be invited. Up to sixty emails a minute are sent.",
                "%(count)d people will be invited. Up to sixty emails a minute are sent.",
                count,
            )
            self.message_user(request, text % {"count": count}, messages.SUCCESS)
            return redirect("admin:accounts_user_changelist")
        waiting = Invitation.objects.waiting().select_related("person").order_by("person__full_name", "pk")
        count = waiting.count()
        people = [invitation.person for invitation in waiting[:SHOWN]]
        more = count - len(people)
        return self._page(request, "invite", _("Invite people"), people=people, count=count, more=more)

    def _check_import(self, request: HttpRequest) -> None:
        if not self.has_import_permission(request):
            raise PermissionDenied

    def _refused(self, request: HttpRequest, why: str) -> HttpResponse:
        self.message_user(request, why, messages.WARNING)
        return redirect("admin:accounts_user_import")

    def _page(self, request: HttpRequest, template: str, title: str, **context) -> TemplateResponse:
        context |= {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, f"admin/accounts/user/{template}.html", context)
