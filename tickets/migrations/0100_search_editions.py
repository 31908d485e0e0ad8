"""Documents say of which edition they are; those there are now are of the first."""

from django.db import migrations, models

ADD = "ALTER TABLE tickets_searchdocument ADD COLUMN edition smallint NOT NULL DEFAULT 0"
DROP = "ALTER TABLE tickets_searchdocument DROP COLUMN edition"


class Migration(migrations.Migration):
    dependencies = [("tickets", "0108_mail_answered_early")]

    operations = [
        # In SQL: on SQLite Django would make the table anew, and its triggers would be gone (0020).
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD, DROP)],
            state_operations=[
                migrations.AddField(
                    "searchdocument",
                    "edition",
                    models.SmallIntegerField(db_default=0, default=0, editable=False),
                ),
            ],
        ),
        migrations.AddIndex(
            "searchdocument",
            models.Index(condition=models.Q(edition__lt=1), fields=["ticket"], name="search_document_old"),
        ),
    ]
