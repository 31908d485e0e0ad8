from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import migrations


def confirm(apps, schema_editor):
    """Who has no password was brought in: a sign-up always sets one.

    allauth made such rows when somebody asked for a reset, and now they would keep mail from people who got it.
    """
    addresses = apps.get_model("account", "EmailAddress").objects
    confirmed = set(addresses.filter(verified=True).values_list("email", flat=True))
    invited = apps.get_model("accounts", "User").objects.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    waiting = addresses.filter(verified=False, user__in=invited)
    for address in waiting.select_related("user"):
        if address.email == address.user.email and address.email not in confirmed:
            address.verified = True
            address.save(update_fields=["verified"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_cache_table"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [migrations.RunPython(confirm, migrations.RunPython.noop)]
