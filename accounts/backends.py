from django.contrib.auth.backends import ModelBackend
from django.db import connection

# Raw SQL, because the ORM takes longer to compile two such queries than the database to answer them.
PERMISSIONS = """
SELECT django_content_type.app_label || '.' || auth_permission.codename
FROM auth_permission
JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id
WHERE auth_permission.id IN (
    SELECT permission_id FROM accounts_user_user_permissions WHERE user_id = %(user)s
    UNION ALL
    SELECT auth_group_permissions.permission_id
    FROM auth_group_permissions
    JOIN accounts_user_groups ON accounts_user_groups.group_id = auth_group_permissions.group_id
    WHERE accounts_user_groups.user_id = %(user)s
)
"""


class PermissionBackend(ModelBackend):
    """Reads a person's permissions in one query. allauth's backend handles the login."""

    def authenticate(self, request, **credentials):
        return None

    def get_all_permissions(self, user_obj, obj=None):
        """Caches the permissions on the person, in the attribute of Django's own backend."""
        is_simple = user_obj.is_active and not user_obj.is_superuser and obj is None
        if is_simple and not hasattr(user_obj, "_perm_cache"):
            with connection.cursor() as cursor:
                cursor.execute(PERMISSIONS, {"user": user_obj.pk})
                user_obj._perm_cache = {name for (name,) in cursor}
        return super().get_all_permissions(user_obj, obj)
