"""What the import of an upload would do, as its page shows it."""

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.importing.plan import Action, ImportStep, make_plan
from accounts.importing.rows import read
from accounts.importing.table import WINDOWS, PeopleTable
from accounts.models import PeopleUpload
from helpdesk.csv_files import Problem

SHOWN = 200  # lines


def described(problem: Problem) -> str:
    words = {"line": problem.line, "column": problem.column, "why": problem.message.rstrip(".")}
    if problem.column:
        return _("Line %(line)d, column “%(column)s”: %(why)s.") % words
    return _("Line %(line)d: %(why)s.") % words


class Preview:
    def __init__(self, upload: PeopleUpload, *, lock: bool = False):
        self.upload = upload
        self.table = PeopleTable(bytes(upload.content))
        self.plan = make_plan(read(self.table), lock=lock)

    @property
    def guessed(self) -> str:
        """The encoding, if it was guessed."""
        return WINDOWS if self.table.is_guessed else ""

    @cached_property
    def counts(self) -> list[tuple[str, int]]:
        """The labels of the actions and their numbers of lines."""
        return [(Action(name).label, count) for name, count in self.plan.counts.items()]

    @cached_property
    def refused(self) -> list[str]:
        return [described(problem) for problem in self.plan.problems[:SHOWN]]

    @property
    def more_refused(self) -> int:
        return max(0, len(self.plan.problems) - SHOWN)

    @cached_property
    def steps(self) -> list[ImportStep]:
        return self.plan.of(Action.CREATE, Action.UPDATE, Action.UNCHANGED)[:SHOWN]

    @property
    def more_steps(self) -> int:
        return max(0, len(self.plan.steps) - self.skipped - SHOWN)

    @property
    def written(self) -> int:
        """How many people are created or updated."""
        return len(self.plan.of(Action.CREATE, Action.UPDATE))

    @property
    def skipped(self) -> int:
        return len(self.plan.of(Action.REFUSE))

    @property
    def button(self) -> str:
        """Importing the other lines is a choice, so the button says it."""
        text = ngettext("Import %(count)d person", "Import %(count)d people", self.written)
        if self.skipped:
            text = ngettext(
                "Import %(count)d person, skip the other lines",
                "Import %(count)d people, skip the other lines",
                self.written,
            )
        return text % {"count": self.written}

    @property
    def result(self) -> str:
        """What the import has done."""
        counts = self.plan.counts
        created, updated = counts[Action.CREATE], counts[Action.UPDATE]
        sentences = (
            ngettext("%(count)d person created.", "%(count)d people created.", created) % {"count": created},
            ngettext("%(count)d person updated.", "%(count)d people updated.", updated) % {"count": updated},
            _("No emails were sent."),
        )
        return " ".join(sentences)
