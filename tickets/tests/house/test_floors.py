"""A room imports from the rooms above it only (README, "Architecture"); accounts never imports tickets."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("accounts", "tickets", "helpdesk")
# From the top down. A row holds whole packages, or modules where a package serves several floors.
ROOMS: tuple[tuple[str, ...], ...] = (
    (
        *("helpdesk.env", "helpdesk.clock", "helpdesk.moments", "helpdesk.forwarded"),
        *("helpdesk.encryption", "helpdesk.letters", "helpdesk.readings", "helpdesk.csv_files"),
    ),
    ("accounts.actor", "accounts.events", "accounts.validators", "accounts.fields", "accounts.people_search"),
    ("tickets.rules",),
    ("helpdesk.settings", "helpdesk.formats", "helpdesk.gunicorn"),
    ("helpdesk.lists", "helpdesk.redirects", "helpdesk.form_fields", "helpdesk.site_tags", "helpdesk.icons"),
    (
        *("accounts.roles", "accounts.models", "accounts.backends", "accounts.sessions"),
        *("accounts.deletion", "accounts.links", "accounts.reset_tokens", "accounts.invitations"),
        *("accounts.time_zones", "accounts.importing"),
    ),
    ("tickets.storage",),
    ("tickets.models",),
    ("tickets.mail.mailboxes",),
    ("tickets.mail.addresses",),  # search understands the addresses of answers
    ("tickets.files",),
    ("tickets.search",),
    ("tickets.history",),
    ("tickets.actions",),
    ("tickets.reports",),
    ("tickets.notifications",),
    ("tickets.mail",),  # what its three rooms share
    ("tickets.mail.writing",),
    ("tickets.mail.sending",),
    ("tickets.mail.receiving",),
    ("tickets.mail.probing",),
    (
        *("helpdesk.checks", "helpdesk.context_processors", "helpdesk.errors", "helpdesk.health"),
        *("helpdesk.middleware", "accounts.middleware"),
    ),
    ("tickets.forms", "accounts.adapter", "accounts.forms"),
    ("tickets.templatetags",),
    ("tickets.views", "accounts.views", "accounts.admin", "accounts.import_pages"),
    ("tickets.admin",),
    ("tickets.jobs",),
    ("tickets.urls", "accounts.urls", "helpdesk.urls"),
    ("tickets.management", "accounts.management"),
    ("tickets.signals", "tickets.apps", "accounts.signals", "accounts.apps", "helpdesk.wsgi"),
)
FLOORS = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


def modules() -> dict[str, ast.Module]:
    found = {}
    for app in APPS:
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            parts = path.relative_to(settings.BASE_DIR).with_suffix("").parts
            if "tests" in parts or "migrations" in parts:
                continue
            name = ".".join(parts).removesuffix(".__init__")
            if path.stat().st_size:
                found[name] = ast.parse(path.read_text())
    return found


MODULES = modules()


def floor(name: str) -> int | None:
    """The place of its room in ROOMS, counted from the top; the longest name of a room decides."""
    while name and name not in FLOORS:
        name = name.rpartition(".")[0]
    return FLOORS.get(name)


def imports(tree: ast.Module) -> set[str]:
    """The modules of our own that a module imports, by full name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                found.add(deeper if deeper in MODULES else node.module)
    return {name for name in found if name.split(".")[0] in APPS and name not in APPS}


@pytest.mark.parametrize("name", [name for name in MODULES if name not in APPS])
def test_module_has_a_room(name):
    assert floor(name) is not None, f"{name} has no place in ROOMS"


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_from_rooms_above_only(name):
    for other in imports(MODULES[name]):
        assert floor(other) <= floor(name), f"{name} imports {other}, whose room is below"


def test_no_files_import_each_other_in_a_circle():
    left = {name: imports(tree) & MODULES.keys() - {name} for name, tree in MODULES.items()}
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert not left


def test_tickets_holds_only_wiring_as_loose_modules():
    loose = {path.stem for path in Path(settings.BASE_DIR, "tickets").glob("*.py")}
    assert loose == {"__init__", "apps", "jobs", "signals", "urls"}


def packages() -> list[Path]:
    found = [path.parent for path in Path(settings.BASE_DIR, "tickets").rglob("__init__.py")]
    return [path for path in found if not {"tests", "migrations"} & set(path.parts)]


@pytest.mark.parametrize("package", packages(), ids=str)
def test_package_says_in_at_most_five_lines_what_is_in_it(package):
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    is_for_django = package.name in ("tickets", "commands", "templatetags")
    assert is_for_django or 1 <= len(text.splitlines()) <= 5, package


@pytest.mark.parametrize("package", packages(), ids=str)
def test_package_hides_nothing(package):
    """Names are imported from where they live. Django itself finds models in tickets.models only."""
    nodes = ast.parse((package / "__init__.py").read_text()).body
    code = [
        node for node in nodes if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert not code or package.name == "models"


def test_accounts_never_imports_tickets():
    for name, tree in MODULES.items():
        if name.startswith("accounts"):
            assert not {other for other in imports(tree) if other.startswith("tickets")}, name


def test_no_import_stands_inside_a_function():
    """It would dodge a circle. Only AppConfig.ready() must, because Django loads models after it."""
    for name, tree in MODULES.items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and function.name != "ready":
                inner = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
                assert not inner, f"{name}.{function.name}"


def test_the_test_sees_a_wrong_import():
    tree = ast.parse("from tickets.views import tickets\nimport helpdesk.urls")
    assert imports(tree) == {"tickets.views.tickets", "helpdesk.urls"}
    assert floor("tickets.views.tickets") > floor("tickets.models.ticket")
