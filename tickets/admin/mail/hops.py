"""The hops of a mailbox test as the page shows them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk import clock
from tickets.mail.probing import FAILED, LONGEST, OK, WARNING, WORKER_IS_LATE_AFTER
from tickets.models import MailProbe

NAMES = {
    "worker": gettext_lazy("A worker runs"),
    "settings": gettext_lazy("Settings are complete"),
    "name": gettext_lazy("Server found"),
    "certificate": gettext_lazy("Certificate is valid"),
    "login": gettext_lazy("Logged in"),
    "accepted": gettext_lazy("Email accepted"),
    "back": gettext_lazy("Email came back"),
    "plus": gettext_lazy("Plus address kept"),
    "message_id": gettext_lazy("Message-ID kept"),
    "auto_submitted": gettext_lazy("Auto-Submitted kept"),
    "proof": gettext_lazy("Sender verified"),
    "moved": gettext_lazy("Email moved"),
}
SHOWN = {
    OK: ("green", gettext_lazy("done")),
    WARNING: ("amber", gettext_lazy("warning")),
    FAILED: ("red", gettext_lazy("failed")),
}


@dataclass(frozen=True)
class Line:
    name: str
    words: str
    colour: str
    label: str


def lines(probe: MailProbe | None) -> list[Line]:
    if probe is None:
        return []
    hops = [Line(NAMES[hop["name"]], hop["words"], *SHOWN[hop["state"]]) for hop in probe.hops]
    if not hops and clock.now() > probe.started_at + WORKER_IS_LATE_AFTER:
        words = _("No worker has begun the test. Start one: manage.py run_worker.")
        return [Line(NAMES["worker"], words, *SHOWN[FAILED])]
    return hops


def is_over(probe: MailProbe | None) -> bool:
    """Whether nothing more will happen. A test that no worker ends is over after some minutes."""
    return probe is None or probe.ended_at is not None or clock.now() > probe.started_at + 2 * LONGEST
