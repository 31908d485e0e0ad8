"""The signed root of a thread: a Message-ID in References of every email about a ticket to one person.

Some servers replace the Message-ID of our emails, so a reply does not name it. The root is never sent as a
Message-ID, so it stays. A root in the email of an internal note has another signature: the reply becomes an
internal note too.
"""

import re
from dataclasses import dataclass

from django.conf import settings

from tickets.mail.addresses import LENGTH, is_signature, sign, signed_value

SALT = "tickets.mail.roots"
ROOT = re.compile(
    rf"<helpdesk-t(?P<ticket>[0-9]{{1,18}})-(?P<signature>[0-9a-f]{{{LENGTH}}})@[^@<>\s]+>", re.ASCII
)


@dataclass(frozen=True)
class Root:
    ticket: int
    signature: str

    def is_signed_for(self, person: int, *, internal: bool = False) -> bool:
        return is_signature(self.signature, signed_value(self.ticket, person, internal), salt=SALT)


def root(ticket: int, person: int, *, internal: bool = False) -> str:
    signature = sign(signed_value(ticket, person, internal), salt=SALT)
    return f"<helpdesk-t{ticket}-{signature}@{settings.MESSAGE_ID_DOMAIN}>"


def roots_in(references: tuple[str, ...]) -> list[Root]:
    """The roots among the Message-IDs of a message. Their signatures may be invalid."""
    found = (ROOT.fullmatch(reference) for reference in references)
    return [Root(int(match["ticket"]), match["signature"]) for match in found if match]
