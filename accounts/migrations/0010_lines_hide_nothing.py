"""Names and places of people lose what nobody sees, as accounts.fields.OneLineField has it from now on."""

from django.db import migrations

from accounts.validators import without_hidden

FIELDS = ("full_name", "phone", "department", "location")


def clean(apps, schema_editor):
    people = apps.get_model("accounts", "User")._base_manager
    for pk, *lines in people.values_list("pk", *FIELDS).iterator():
        cleaned = [without_hidden(line).strip() or line for line in lines]
        if cleaned != lines:
            people.filter(pk=pk).update(**dict(zip(FIELDS, cleaned, strict=True)))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_invited_addresses_are_confirmed")]

    operations = [migrations.RunPython(clean, migrations.RunPython.noop, elidable=True)]
