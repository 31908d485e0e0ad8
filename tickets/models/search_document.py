from django.db import models
from django.db.models.lookups import Lookup
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class WordsField(models.Field):
    """Indexed words: a tsvector on PostgreSQL; on SQLite a text that triggers copy into an FTS5 table.

    Stores the output of document() in tickets.search.postgresql or tickets.search.sqlite.
    """

    def db_type(self, connection):
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value, compiler, connection):
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"


@WordsField.register_lookup
class Matches(Lookup):
    """The lookup words__matches: takes the output of query() in tickets.search.postgresql or .sqlite."""

    lookup_name = "matches"
    prepare_rhs = False

    def as_postgresql(self, compiler, connection):
        words, params = self.process_lhs(compiler, connection)
        return f"{words} @@ %s::tsquery", [*params, self.rhs]

    def as_sqlite(self, compiler, connection):
        row = f"{connection.ops.quote_name(self.lhs.alias)}.{connection.ops.quote_name('ticket_id')}"
        found = "SELECT rowid FROM tickets_searchindex WHERE tickets_searchindex MATCH %s"
        return f"{row} IN ({found})", [self.rhs]


# The version of the document format. The worker rebuilds older documents; until then search finds fewer
# words in them. A new edition needs a migration, because the index search_document_old names it.
EDITION = 1


class SearchDocumentQuerySet(models.QuerySet):
    def old(self):
        return self.filter(edition__lt=EDITION)


class SearchDocument(models.Model):
    """The words of a ticket: its texts and public messages, and for staff also notes, files and the
    requester.

    Only tickets.search.documents writes it, in the transaction of the change.
    """

    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, primary_key=True, related_name="search_document", editable=False
    )
    words = WordsField(_("words"), editable=False, default="")
    # In bytes; tickets.search.matching limits them.
    public_size = models.PositiveIntegerField(default=0, editable=False)
    internal_size = models.PositiveIntegerField(default=0, editable=False)
    edition = models.SmallIntegerField(default=0, db_default=0, editable=False)

    objects = SearchDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("search document")
        verbose_name_plural = _("search documents")
        indexes = [  # serve the worker, which looks for old documents repeatedly
            models.Index(
                fields=["ticket"], condition=models.Q(edition__lt=EDITION), name="search_document_old"
            ),
        ]

    def __str__(self):
        return f"#{self.pk}"


class SubjectWord(models.Model):
    """A word of some ticket's subject, used to correct misspelt search words."""

    word = models.CharField(_("word"), max_length=64, primary_key=True)

    class Meta:
        verbose_name = _("word of subjects")
        verbose_name_plural = _("words of subjects")

    def __str__(self):
        return self.word
