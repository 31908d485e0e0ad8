from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from accounts.validators import is_number
from helpdesk.lists.admin import StaffListMixin
from tickets.forms.people import AssigneeField, PeopleField, working_or
from tickets.forms.tickets import LinesField
from tickets.models import Category


@admin.register(Category)
class CategoryAdmin(StaffListMixin, admin.ModelAdmin):
    list_display = ("name", "is_active", "default", "notified_people", "silence", "position")
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "description",
                    "position",
                    "is_active",
                    "is_for_mail",
                    "default_assignee",
                    "people",
                )
            },
        ),
        (
            _("When the requester does not reply"),
            {
                "fields": ("remind_after", "close_after", "reminder_text", "closing_text"),
                "description": _(
                    "For tickets waiting for the requester. Any reply stops the reminder and the "
                    "closing. The reminder says on which date the ticket closes."
                ),
            },
        ),
    )

    def get_queryset(self, request):
        people = get_user_model().objects.with_role()
        fields = (Prefetch("people", people), Prefetch("default_assignee", people))
        return super().get_queryset(request).prefetch_related(*fields)

    @admin.display(description=_("default assignee"))
    def default(self, category):
        return category.default_assignee.marked_name if category.default_assignee else None

    @admin.display(description=_("notify"))
    def notified_people(self, category):
        return ", ".join(person.marked_name for person in category.people.all()) or "–"

    @admin.display(description=_("without a reply"))
    def silence(self, category):
        if category.remind_after is None:
            return "–"
        remind = _("remind after %(days)d days") % {"days": category.remind_after}
        if category.close_after is None:
            return remind
        close = _("close after %(days)d more") % {"days": category.close_after}
        return f"{remind}, {close}"

    def get_form(self, request, obj=None, change=False, **kwargs):
        short = forms.Textarea(attrs={"rows": 4})
        widgets = {"people": forms.CheckboxSelectMultiple, "reminder_text": short, "closing_text": short}
        lines = dict.fromkeys(("reminder_text", "closing_text"), LinesField)
        return super().get_form(request, obj, change=change, widgets=widgets, field_classes=lines, **kwargs)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        present = self._shown(request).values("default_assignee")
        people = working_or(present.exclude(default_assignee=None))
        return super().formfield_for_foreignkey(
            db_field, request, form_class=AssigneeField, queryset=people, empty_label=_("No one"), **kwargs
        )

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        present = Category.people.through.objects.filter(category__in=self._shown(request).values("pk"))
        people = working_or(present.values("user"))
        return super().formfield_for_manytomany(
            db_field, request, form_class=PeopleField, queryset=people, **kwargs
        )

    @staticmethod
    def _shown(request):
        """Returns the category of this page; none on the page that adds one."""
        number = request.resolver_match.kwargs.get("object_id", "") if request.resolver_match else ""
        return Category.objects.filter(pk=number) if is_number(number) else Category.objects.none()
