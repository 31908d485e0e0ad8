from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from accounts.mixins import NumbersField, StaffListMixin, without_detours
from tickets.models import Category


@admin.register(Category)
class CategoryAdmin(StaffListMixin, admin.ModelAdmin):
    list_display = ("name", "is_active", "default_assignee", "told", "silence", "position")
    list_select_related = ("default_assignee",)
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
            _("When the requester does not answer"),
            {
                "fields": ("remind_after", "close_after", "reminder_text", "closing_text"),
                "description": _(
                    "For tickets that wait for an answer by the requester. Any answer stops it. "
                    "The reminder names the day on which the ticket closes."
                ),
            },
        ),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("people")

    @admin.display(description=_("people to tell"))
    def told(self, category):
        return ", ".join(str(person) for person in category.people.all()) or "–"

    @admin.display(description=_("when nobody answers"))
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
        return without_detours(super().get_form(request, obj, change=change, widgets=widgets, **kwargs))

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        return super().formfield_for_foreignkey(
            db_field, request, queryset=get_user_model().objects.staff(), **kwargs
        )

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field,
            request,
            form_class=NumbersField,
            queryset=get_user_model().objects.staff(),
            **kwargs,
        )
