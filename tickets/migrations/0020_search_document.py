import django.db.models.deletion
from django.db import migrations, models

import tickets.models.search_document

POSTGRESQL = ["CREATE INDEX search_document_words ON tickets_searchdocument USING gin (words)"]
# The FTS5 table keeps no texts of its own, so it has to be told the old ones before they go.
SQLITE = [
    """CREATE VIRTUAL TABLE tickets_searchindex USING fts5(
        words, content='tickets_searchdocument', content_rowid='ticket_id', columnsize=0,
        tokenize="ascii tokenchars '_=@'")""",
    """CREATE TRIGGER search_document_added AFTER INSERT ON tickets_searchdocument BEGIN
        INSERT INTO tickets_searchindex (rowid, words) VALUES (new.ticket_id, new.words);
    END""",
    """CREATE TRIGGER search_document_gone AFTER DELETE ON tickets_searchdocument BEGIN
        INSERT INTO tickets_searchindex (tickets_searchindex, rowid, words)
        VALUES ('delete', old.ticket_id, old.words);
    END""",
    """CREATE TRIGGER search_document_changed AFTER UPDATE OF words ON tickets_searchdocument BEGIN
        INSERT INTO tickets_searchindex (tickets_searchindex, rowid, words)
        VALUES ('delete', old.ticket_id, old.words);
        INSERT INTO tickets_searchindex (rowid, words) VALUES (new.ticket_id, new.words);
    END""",
]


def add_index(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def remove_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX search_document_words")
        return
    for name in ("added", "gone", "changed"):
        schema_editor.execute(f"DROP TRIGGER search_document_{name}")
    schema_editor.execute("DROP TABLE tickets_searchindex")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0012_fixed_or_not")]

    operations = [
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_document",
                        serialize=False,
                        to="tickets.ticket",
                    ),
                ),
                (
                    "words",
                    tickets.models.search_document.WordsField(
                        default="", editable=False, verbose_name="words"
                    ),
                ),
                ("public_size", models.PositiveIntegerField(default=0, editable=False)),
                ("internal_size", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={"verbose_name": "search document", "verbose_name_plural": "search documents"},
        ),
        migrations.CreateModel(
            name="SubjectWord",
            fields=[
                (
                    "word",
                    models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name="word"),
                ),
            ],
            options={"verbose_name": "word of subjects", "verbose_name_plural": "words of subjects"},
        ),
        migrations.RunPython(add_index, remove_index),
    ]
