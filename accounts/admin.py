import logging
from types import MappingProxyType

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import actions
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.http import HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from accounts.deletion import in_use
from accounts.events import AccountMail, account_mail_requested
from accounts.import_pages import ImportPeopleMixin
from accounts.invitations import vouch_for
from accounts.models import User
from accounts.roles import MAY_GRANT, Role
from accounts.time_zones import TimeZoneField
from helpdesk.lists.admin import StaffListMixin

logger = logging.getLogger("security")


def grantable_roles(person: User) -> tuple[Role, ...]:
    return tuple(Role) if person.is_superuser else MAY_GRANT[person.role]


class PersonForm(forms.ModelForm):
    """A person with one role. `editor` is the person who uses the form."""

    editor: User

    time_zone = TimeZoneField()
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect, initial=Role.REQUESTER)
    accepts_address = forms.BooleanField(
        label=_("Accept address"),
        required=False,
        help_text=_(
            "The address is not confirmed, so no tickets are emailed to it. If you accept it, the person "
            "is asked to choose a new password."
        ),
    )

    class Meta:
        model = User
        fields = ["full_name", "email", "phone", "department", "location", "time_zone", "is_active"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "role" in self.fields:
            roles = grantable_roles(self.editor)
            self.fields["role"].choices = [(role.value, role.label) for role in roles]
            if self.instance.pk:
                self.fields["role"].initial = self.instance.role


class RoleFilter(admin.SimpleListFilter):
    title = _("role")
    parameter_name = "role"

    def lookups(self, request, model_admin):
        return Role.choices

    def queryset(self, request, queryset):
        return queryset.filter(groups__name=self.value()) if self.value() in Role.values else queryset


class ActiveFilter(admin.SimpleListFilter):
    title = _("active")
    parameter_name = "active"

    def lookups(self, request, model_admin):
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request, queryset):
        return queryset.filter(is_active=self.value() == "1") if self.value() in ("0", "1") else queryset


@admin.action(description=_("Delete"), permissions=["delete"])
def delete_selected(modeladmin, request, people):
    """Like Django's action, with the permissions of PersonAdmin."""
    try:
        with transaction.atomic():
            return actions.delete_selected(modeladmin, request, people)
    except (ProtectedError, IntegrityError):
        text = _(
            "No one was deleted, because one of them has just been given a ticket or another "
            "record. Try again."
        )
        modeladmin.message_user(request, text, messages.ERROR)
        return None


@admin.register(User)
class PersonAdmin(ImportPeopleMixin, StaffListMixin, admin.ModelAdmin):
    """Agents view people; supervisors change people with a lower role; nobody can raise their own role."""

    form = PersonForm
    list_display = ("full_name", "email", "role_name", "department", "is_active")
    list_filter = (RoleFilter, ActiveFilter)
    sortable_by = ("full_name", "email")
    old_columns = MappingProxyType({0: "full_name", 1: "email"})
    search_fields = ("full_name", "email", "department")
    search_help_text = _("Name, email address or department")
    ordering = ("full_name", "pk")
    actions = (delete_selected,)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    def get_search_results(self, request, queryset, search_term):
        """Also used by autocomplete fields, like the requester of a ticket."""
        return queryset.described(self.words_searched(request, search_term)), False

    @admin.display(description=_("role"))
    def role_name(self, person):
        return _("superuser") if person.is_superuser else person.role.label

    # Who may change whom
    def has_change_permission(self, request, obj=None):
        """Only people with a lower role: a changed email address lets somebody take over the account."""
        if not super().has_change_permission(request, obj):
            return False
        if obj is None or request.user.is_superuser:
            return True
        return not obj.is_superuser and obj.role in grantable_roles(request.user)

    def has_delete_permission(self, request, obj=None):
        """People with records can only be deactivated, see get_deleted_objects()."""
        return super().has_delete_permission(request, obj) and obj != request.user

    def get_fields(self, request, obj=None):
        if obj and not self.has_change_permission(request, obj):
            return ("full_name", "email", "phone", "department", "location", "devices")
        fields = [*self.form.Meta.fields, "role"]
        if obj and not obj.may_be_mailed:
            fields.insert(fields.index("email") + 1, "accepts_address")
        if obj == request.user:  # nobody can lock themselves out or change their own role
            fields = [name for name in fields if name not in ("is_active", "role")]
        elif request.user.is_superuser:
            fields.append("is_superuser")
        return fields

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"editor": request.user})

    # Saving
    @transaction.atomic
    def save_model(self, request, obj, form, change):
        if not change:
            obj.set_unusable_password()
        is_accepted = form.cleaned_data.get("accepts_address") and not obj.may_be_mailed
        had_password = obj.has_usable_password()
        super().save_model(request, obj, form, change)
        if not change or is_accepted or "email" in form.changed_data:
            vouch_for(obj)
        role = form.cleaned_data.get("role")
        if role and (not change or obj.role != role):
            obj.set_role(Role(role))
            logger.info("Person %s made person %s a %s.", request.user.pk, obj.pk, role)
        if "is_superuser" in form.changed_data or "is_active" in form.changed_data:
            logger.info("Person %s changed the rights of person %s.", request.user.pk, obj.pk)
        if not change or (had_password and not obj.has_usable_password()):
            kind = AccountMail.PASSWORD_RESET if change else AccountMail.ACCOUNT_CREATED
            account_mail_requested.send(sender=User, person=obj, kind=kind, address=obj.email)

    # Deleting
    def get_deleted_objects(self, objs, request):
        """Suggests to deactivate people with records, where Django would list all records."""
        if kept := in_use(objs):
            return [], {}, set(), kept
        return super().get_deleted_objects(objs, request)

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ProtectedError, IntegrityError):
            # The person got a record after the page was rendered. The page now names it.
            return HttpResponseRedirect(request.get_full_path())
