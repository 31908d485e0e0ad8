from django.db import models
from django.db.models.lookups import Lookup
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket
from tickets.search.matching import Match, Words


class WordsField(models.Field):
    """Words, with an index: a tsvector on PostgreSQL; on SQLite a text that triggers tell an FTS5."""

    def db_type(self, connection):
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value, compiler, connection):
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_value(self, value, connection, prepared=False):
        if not isinstance(value, Words):
            return value
        return value.for_postgresql() if connection.vendor == "postgresql" else value.for_sqlite()


@WordsField.register_lookup
class Matches(Lookup):
    """words__matches=Match(...)"""

    lookup_name = "matches"
    prepare_rhs = False
    rhs: Match

    def as_postgresql(self, compiler, connection):
        words, params = self.process_lhs(compiler, connection)
        return f"{words} @@ %s::tsquery", [*params, self.rhs.for_postgresql()]

    def as_sqlite(self, compiler, connection):
        row = f"{connection.ops.quote_name(self.lhs.alias)}.{connection.ops.quote_name('ticket_id')}"
        found = "SELECT rowid FROM tickets_searchindex WHERE tickets_searchindex MATCH %s"
        return f"{row} IN ({found})", [self.rhs.for_sqlite()]


class SearchDocument(models.Model):
    """The words of a ticket: its texts, what was said on it, and for staff notes, files and the requester.

    Only tickets.search.documents writes it, in the transaction of what it is about.
    """

    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, primary_key=True, related_name="search_document", editable=False
    )
    words = WordsField(_("words"), editable=False, default=Words)
    # In bytes, of which there may not be too many (tickets.search.matching).
    public_size = models.PositiveIntegerField(default=0, editable=False)
    internal_size = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("search document")
        verbose_name_plural = _("search documents")

    def __str__(self):
        return f"#{self.pk}"


class SubjectWord(models.Model):
    """A word that stands in some subject: what somebody who misspelt it may have meant."""

    word = models.CharField(_("word"), max_length=64, primary_key=True)

    class Meta:
        verbose_name = _("word of subjects")
        verbose_name_plural = _("words of subjects")

    def __str__(self):
        return self.word
