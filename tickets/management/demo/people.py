"""The people of the demo. The stories use the keys."""

from dataclasses import dataclass

from accounts.roles import Role

# The password of demo people, on a machine that nobody else can reach.
PASSWORD = "helpdesk-demo"  # noqa: S105


@dataclass(frozen=True)
class DemoPerson:
    full_name: str
    role: Role = Role.REQUESTER
    department: str = ""
    location: str = ""
    phone: str = ""
    is_superuser: bool = False
    devices: str = ""

    @property
    def email(self) -> str:
        return f"{self.full_name.split()[0].lower()}@example.com"


PEOPLE: dict[str, DemoPerson] = {
    "maria": DemoPerson(
        "Maria Keller",
        Role.REQUESTER,
        "Accounting",
        "Main building, room 112",
        "555 0112",
        devices="ThinkPad T14, tag 4711\nDocking station, tag 4712",
    ),
    "jonas": DemoPerson("Jonas Brandt", Role.REQUESTER, "Sales", "Main building, room 204", "555 0204"),
    "aisha": DemoPerson("Aisha Rahman", Role.REQUESTER, "Marketing", "Main building, room 210", "555 0210"),
    "david": DemoPerson("David Chen", Role.REQUESTER, "Warehouse", "Hall B, office", "555 0301"),
    "lucia": DemoPerson(
        "Lucia Moreno", Role.REQUESTER, "Human resources", "Main building, room 101", "555 0101"
    ),
    "peter": DemoPerson("Peter Novak", Role.REQUESTER, "Management", "Main building, room 301", "555 0300"),
    "ann": DemoPerson("Ann Weber", Role.AGENT, "IT", "Main building, room 005", "555 0005"),
    "ravi": DemoPerson("Ravi Patel", Role.AGENT, "IT", "Main building, room 005", "555 0006"),
    "sam": DemoPerson("Sam Lindqvist", Role.SUPERVISOR, "IT", "Main building, room 006", "555 0007"),
    "admin": DemoPerson("Admin Demo", Role.SUPERVISOR, "IT", is_superuser=True),
}
# The people to notify about new tickets of a category, and its default assignee (None: unassigned).
CATEGORY_PEOPLE: dict[str, tuple[tuple[str, ...], str | None]] = {
    "Email Support": (("ann",), None),
    "Website Support": (("ravi",), "ravi"),
    "Access Support": (("ann", "ravi"), None),
    "QuickBooks Support": (("ann",), "ann"),
    "Social Media Post": (("sam",), None),
    "Other": (("ann", "ravi"), None),
}
# Working days of silence until a reminder, and from the reminder until the ticket is closed.
SILENCE: dict[str, tuple[int, int]] = {"QuickBooks Support": (3, 5)}
