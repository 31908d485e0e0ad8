"""People who are there already are found by the other spellings of their names too."""

from django.db import migrations

from accounts.people_search import other_spellings

BATCH = 1000


def fill(apps, schema_editor):
    people = apps.get_model("accounts", "User")._base_manager.using(schema_editor.connection.alias)
    changed = []
    for person in people.only("pk", "full_name", "department").order_by("pk").iterator(chunk_size=BATCH):
        person.name_words, person.department_words = map(
            other_spellings, (person.full_name, person.department)
        )
        if person.name_words or person.department_words:
            changed.append(person)
    people.bulk_update(changed, ["name_words", "department_words"], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_other_spellings")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
