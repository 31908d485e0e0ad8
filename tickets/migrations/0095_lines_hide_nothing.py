"""Names and titles lose what nobody sees, as accounts.fields.OneLineField has it from now on.

Subjects and names of files stay: what is tracked changes only with an entry in the activity log, so they
change when somebody saves them. Pages show them isolated from what stands beside them.
"""

from django.db import migrations

from accounts.validators import without_hidden

# Model, field, and whether two rows must not have the same.
LINES = (
    ("Category", "name", True),
    ("Category", "description", False),
    ("Status", "name", True),
    ("SavedReply", "title", False),
    ("SavedView", "name", False),
    ("Macro", "title", False),
)


def clean(apps, schema_editor):
    for model, name, is_unique in LINES:
        rows = apps.get_model("tickets", model)._base_manager
        for pk, line in rows.values_list("pk", name):
            cleaned = without_hidden(line).strip() or line
            is_taken = is_unique and rows.filter(**{name: cleaned}).exclude(pk=pk).exists()
            if cleaned != line and not is_taken:
                rows.filter(pk=pk).update(**{name: cleaned})


class Migration(migrations.Migration):
    dependencies = [("tickets", "0094_draft_one_of_a_form")]

    operations = [migrations.RunPython(clean, migrations.RunPython.noop, elidable=True)]
