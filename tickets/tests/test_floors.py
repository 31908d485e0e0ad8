"""A module imports from lower floors only (README, "Architecture"); accounts never imports tickets."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

APPS = ("accounts", "tickets", "helpdesk")
# The first pattern that fits decides. On a floor marked "free" modules may import each other.
FLOORS: list[tuple[str, float]] = [
    ("helpdesk.env", 0),
    ("helpdesk.clock", 0),
    ("helpdesk.moments", 0),
    ("helpdesk.forwarded", 0),
    ("helpdesk.gunicorn", 1),
    ("accounts.actor", 0),
    ("accounts.events", 0),
    ("accounts.validators", 0),
    ("accounts.fields", 0.1),
    ("accounts.mixins", 0.5),
    ("accounts.paging", 0.2),
    ("accounts.changelists", 0.3),
    ("accounts.templatetags", 0.4),
    ("tickets.events", 0),
    ("tickets.workflow", 0.5),
    ("tickets.validators", 0),
    ("tickets.file_types", 0),
    ("tickets.pictures.rendering", 0),
    ("tickets.pictures.making", 4),
    ("tickets.inbound.addresses", 0),
    ("tickets.inbound.canary", 0.5),
    ("tickets.inbound.form", 0),
    ("tickets.inbound.subjects", 4),
    ("tickets.inbound.participants", 4),
    ("tickets.inbound.filing", 5),
    ("tickets.inbound.storing", 5),
    ("tickets.inbound.decisions", 5),
    ("tickets.inbound.attempts", 5),
    ("tickets.inbound.handler", 5.5),
    ("tickets.inbound.forecast", 5.7),
    ("tickets.thanks", 0),
    ("tickets.calendar", 0),
    ("tickets.likeness", 0),
    ("tickets.excerpts", 0),
    ("tickets.typed", 0),
    ("tickets.variables", 0.1),
    ("tickets.inbound.authentication", 0),
    ("tickets.inbound.limits", 0),
    ("tickets.inbound.charsets", 0),
    ("tickets.inbound.plain_text", 0.05),
    ("tickets.inbound.encoded_words", 0.07),
    ("tickets.inbound.mending", 0.1),
    ("tickets.inbound.phrases", 0),
    ("tickets.inbound.nature", 0.1),
    ("tickets.inbound.quoting", 0.1),
    ("tickets.inbound.winmail", 0),
    ("tickets.inbound.headers", 0.1),
    ("tickets.inbound.embedded", 0),
    ("tickets.inbound.files", 0.2),
    ("tickets.inbound.body", 0.3),
    ("tickets.inbound.markup", 0.1),
    ("tickets.inbound.parsing", 0.5),
    ("tickets.silence", 4.5),
    ("tickets.live", 4),
    ("accounts.roles", 1),
    ("accounts.models", 1.5),
    ("accounts.backends", 2),
    ("accounts.sessions", 2),
    ("accounts.deletion", 2),
    ("tickets.tracking", 1),
    # Where the bytes of attachments lie
    ("tickets.storage.breaker", 0),
    ("tickets.storage.uploads", 0),
    ("tickets.storage.bucket", 0.1),
    ("tickets.storage.access", 0.1),
    ("tickets.storage.rollback", 0.2),
    ("tickets.storage.field", 0.3),
    ("tickets.storage.folder", 0.3),
    ("tickets.storage.probe", 4),
    ("tickets.storage.discarded", 4),
    ("tickets.querysets", 2),
    ("tickets.models", 3),
    ("tickets.activity_log", 4),
    ("tickets.claiming", 3.8),
    ("tickets.conversation", 4),
    ("tickets.drafts", 4),
    ("tickets.submissions", 4.1),
    ("tickets.filing_limit", 3.5),
    ("tickets.saved_replies", 4),
    ("tickets.records", 4),
    ("tickets.macros", 4.5),
    ("tickets.merging", 4.2),
    ("tickets.splitting", 4.2),
    ("tickets.search.query", 0.6),
    ("tickets.search.words", 0),
    ("tickets.search.matching", 0),
    ("tickets.search.asking", 0.7),
    ("tickets.search.marking", 0.8),
    ("tickets.search.passages", 4),
    ("tickets.badges", 0),
    ("tickets.rows", 4.1),
    ("tickets.search.documents", 4),
    ("tickets.search.assignees", 3.5),
    ("tickets.search.filters", 4),
    ("tickets.search.finding", 4.2),
    ("tickets.search.spelling", 4.4),
    ("tickets.story", 3.5),
    ("tickets.waiting_words", 3.5),
    ("tickets.words", 3.7),
    ("tickets.owner_words", 3.8),
    ("tickets.timeline", 4),
    ("tickets.reports.periods", 0),
    ("tickets.reports.worktime", 0.5),
    ("tickets.reports.charts", 0),
    ("tickets.reports.durations", 4.2),
    ("tickets.reports.page", 4.5),
    ("tickets.reports.mail", 4.5),
    ("tickets.reports", 4),
    ("tickets.verification", 4.5),
    ("tickets.importing.table", 4.5),
    ("tickets.importing.people", 4.5),
    ("tickets.importing.builder", 4.6),
    ("accounts.links", 4),
    ("accounts.reset_tokens", 4),
    ("accounts.invitations", 4),
    ("tickets.notifications", 5),
    ("tickets.ownership", 5.5),
    ("tickets.ownership_check", 5.7),
    ("tickets.leaving", 5.5),
    ("accounts.adapter", 6),
    ("accounts.forms", 6.5),
    ("tickets.forms", 6),
    ("tickets.templatetags", 6),
    ("tickets.demo", 6),
    # The benchmark: what it measures, then what it does to measure it
    ("tickets.benchmark.settings", 1.5),
    ("tickets.benchmark.scratch", 0.1),
    ("tickets.benchmark.processes", 0),
    ("tickets.benchmark.figures", 0),
    ("tickets.benchmark.place", 6.1),
    ("tickets.benchmark.filling", 6.2),
    ("tickets.benchmark.visits", 6.2),
    ("tickets.benchmark.browser", 6.3),
    ("tickets.benchmark.counting", 6.3),
    ("tickets.benchmark.targets", 6.3),
    ("tickets.benchmark.works", 6.3),
    ("tickets.benchmark.measuring", 6.4),
    ("tickets.benchmark.plots", 6.4),
    ("tickets.benchmark.report", 6.5),
    ("tickets.benchmark.yardsticks", 7),
    ("tickets.benchmark.urls", 8.1),
    ("tickets.management.limits", 6),
    ("tickets.management.job_threads", 6.8),
    ("helpdesk.context_processors", 6),
    ("helpdesk.middleware", 6),
    ("accounts.middleware", 6),
    ("helpdesk.health", 7),
    ("helpdesk.errors", 5.5),
    ("helpdesk.checks", 6),
    ("tickets.jobs", 6.5),
    ("tickets.adminsite", 7),
    ("accounts.views", 7),
    ("accounts.admin", 7),
    ("accounts.urls", 7.5),
    ("tickets.views", 7),
    ("tickets.admin", 7.2),
    ("tickets.urls", 7.5),
    ("tickets.management.commands", 7),
    ("accounts.management.commands", 7),
    ("tickets.signals", 8),
    ("tickets.apps", 8.5),
    ("accounts.signals", 8),
    ("accounts.apps", 8.5),
    ("helpdesk.urls", 8),
    ("helpdesk.settings", 1),
    ("helpdesk.wsgi", 8),
]
# Packages whose modules are one thing in several files and may import each other.
FREE = (
    "tickets.models",
    "tickets.notifications",
    "tickets.forms",
    "tickets.admin",
    "tickets.demo",
    "tickets.views",
)
HARMLESS = ("tickets.migrations", "accounts.migrations")


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


def floor(name: str) -> tuple[str, float] | None:
    return next(
        ((part, level) for part, level in FLOORS if name == part or name.startswith(f"{part}.")), None
    )


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
def test_module_has_a_floor(name):
    package = any(other.startswith(f"{name}.") for other in MODULES)
    assert floor(name) or package, f"{name} has no place in FLOORS"


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_from_lower_floors_only(name):
    if floor(name) is None:
        return
    part, level = floor(name)
    for other in imports(MODULES[name]):
        if floor(other) is None:
            continue
        other_part, other_level = floor(other)
        is_same_thing = part == other_part and part in FREE
        assert is_same_thing or other_level < level, f"{name} ({level}) imports {other} ({other_level})"


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
    assert floor("tickets.views.tickets")[1] > floor("tickets.models.ticket")[1]
