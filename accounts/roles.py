"""The roles and their permissions, as data. `sync_roles` writes them to the database as groups."""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    REQUESTER = "requester", _("requester")
    AGENT = "agent", _("agent")
    SUPERVISOR = "supervisor", _("supervisor")


STAFF = (Role.AGENT, Role.SUPERVISOR)

AGENT_PERMISSIONS = {
    "tickets.view_ticket",
    "tickets.add_ticket",
    "tickets.change_ticket",
    "tickets.view_attachment",
    "tickets.view_activitylog",
    "tickets.view_notification",
    "tickets.view_suppressedaddress",
    "tickets.view_inboundemail",
    "tickets.decide_inboundemail",
    "tickets.view_blockedsender",
    "tickets.view_category",
    "tickets.view_status",
    "accounts.view_user",
    # Only their own ones; supervisors manage shared ones (tickets.admin.owned).
    *(
        f"tickets.{act}_{model}"
        for act in ("view", "add", "change", "delete")
        for model in ("savedreply", "macro", "savedview")
    ),
}

PERMISSIONS: dict[Role, set[str]] = {
    Role.REQUESTER: set(),
    Role.AGENT: AGENT_PERMISSIONS,
    Role.SUPERVISOR: AGENT_PERMISSIONS
    | {
        "tickets.delete_ticket",
        "tickets.view_report",
        "tickets.export_ticket",
        "tickets.share_savedreply",
        "tickets.share_macro",
        "tickets.share_savedview",
        "tickets.add_category",
        "tickets.change_category",
        "tickets.delete_category",
        "tickets.add_status",
        "tickets.change_status",
        "tickets.delete_status",
        "tickets.resend_notification",
        "tickets.view_mailbox",
        "tickets.view_knowndomain",
        "tickets.add_blockedsender",
        "tickets.delete_blockedsender",
        "accounts.add_user",
        "accounts.change_user",
    },
}

# The roles that a person with this role may give to others. A superuser may give every role.
MAY_GRANT: dict[Role, tuple[Role, ...]] = {
    Role.REQUESTER: (),
    Role.AGENT: (),
    Role.SUPERVISOR: (Role.REQUESTER, Role.AGENT),
}


@transaction.atomic
def sync() -> int:
    """Synchronizes the groups in the database with this module. Returns the number of changed permissions.

    Raises LookupError for a permission that does not exist, because a migration is missing.
    """
    by_name = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    changed = 0
    for role, names in PERMISSIONS.items():
        if missing := sorted(names - by_name.keys()):
            raise LookupError(f"The permission {missing[0]} does not exist. Run migrate first.")
        group, _created = Group.objects.get_or_create(name=role.value)
        wanted = {by_name[name] for name in names}
        stored = set(group.permissions.all())
        changed += len(wanted ^ stored)
        group.permissions.set(wanted)
    return changed
