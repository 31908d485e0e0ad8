from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from accounts.mixins import StaffListMixin, without_detours
from tickets.models import Category


@admin.register(Category)
class CategoryAdmin(StaffListMixin, admin.ModelAdmin):
    list_display = ("name", "is_active", "default_assignee", "told", "position")
    list_select_related = ("default_assignee",)
    sortable_by = ()
    fields = ("name", "description", "position", "is_active", "default_assignee", "people")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("people")

    @admin.display(description=_("people to tell"))
    def told(self, category):
        return ", ".join(str(person) for person in category.people.all()) or "–"

    def get_form(self, request, obj=None, change=False, **kwargs):
        widgets = {"people": forms.CheckboxSelectMultiple}
        return without_detours(super().get_form(request, obj, change=change, widgets=widgets, **kwargs))

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        return super().formfield_for_foreignkey(
            db_field, request, queryset=get_user_model().objects.staff(), **kwargs
        )

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field, request, queryset=get_user_model().objects.staff(), **kwargs
        )
