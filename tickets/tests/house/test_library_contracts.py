"""What we use of libraries though nobody promised it: each name is listed beside the test that pins it.

Found by reading our code: private names, and what comes from modules (INTERNAL) that no manual describes.
"""

import ast
import importlib
import inspect
import smtplib
import ssl
from collections.abc import Iterator
from io import BytesIO

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import truncate_ip
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminErrorList, AdminForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_list import result_headers, result_list
from django.contrib.admin.utils import (
    NestedObjects,
    display_for_field,
    display_for_value,
    flatten_fieldsets,
    quote,
)
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.handlers.wsgi import WSGIRequest
from django.http.multipartparser import MultiPartParserError
from django.urls import resolve
from django.utils.functional import Promise, SimpleLazyObject, lazy
from django.utils.html import Urlizer
from storages.backends.s3 import S3Storage

from accounts.models import User
from tickets.models import Comment, SavedView, Status, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.house.test_floors import APPS, MODULES

pytestmark = pytest.mark.django_db
LIBRARIES = ("django", "allauth", "anymail", "crispy_forms", "csp", "django_htmx", "heroicons", "storages")
# Modules that no manual describes, and names of described ones that it leaves out.
INTERNAL = (
    "allauth.account.utils",
    "allauth.core",
    "django.contrib.admin.helpers",
    "django.contrib.admin.options",
    "django.contrib.admin.templatetags",
    "django.contrib.admin.utils",
    "django.contrib.admin.views",
    "django.contrib.admin.widgets",
    "django.core.handlers",
    "django.http.multipartparser",
    "django.utils.html.Urlizer",
    "django.utils.functional.Promise",
    "django.utils.functional.SimpleLazyObject",
)
# Described, though it stands in one of them: what is done with a ModelAdmin.
DESCRIBED = ("django.contrib.admin.options.ModelAdmin", "django.contrib.admin.options.BaseModelAdmin")
# Private names of ours that are set on rows of another class, in the modules that set them.
MARKS = {"_asked", "_because", "_before", "_searched_before", "_worked"}
PINNED: dict[str, str] = {}


def pins(*names: str):
    """A test that notices a change of what `names` stand for in a library."""

    def register(test):
        PINNED.update(dict.fromkeys(names, test.__name__))
        return test

    return register


# What we use
def is_private(name: str) -> bool:
    """Not _, not __init__, and not what Python's enums call _value_."""
    return name.startswith("_") and not name.startswith("__") and not name.endswith("_")


def is_internal(path: str) -> bool:
    return not path.startswith(DESCRIBED) and any(f"{path}.".startswith(f"{name}.") for name in INTERNAL)


def defined(tree: ast.Module) -> set[str]:
    """The private names that a module gives something of its own."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                found.add(name)
    return set(filter(is_private, found))


OURS = set.union(MARKS, *map(defined, MODULES.values()))


def private_names(tree: ast.Module) -> set[str]:
    """The private names that a module uses and nobody of us defines: a mixin may use its neighbour's."""
    own, found = defined(tree), set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                found |= {name} - own - OURS
            case ast.Attribute(attr=name) | ast.alias(name=name):
                found |= {name} - own - MARKS
            case ast.Call(func=ast.Name(id=function), args=[_, ast.Constant(value=name), *_]):
                found |= {name} - own - OURS if function.endswith("attr") else set()
    return set(filter(is_private, found))


def imported(tree: ast.Module) -> set[str]:
    """What a module takes from INTERNAL."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    paths = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return set(filter(is_internal, paths))


def classes() -> Iterator[type]:
    """Our own classes; gunicorn.py starts a server's settings when it is imported."""
    for name in MODULES:
        if name not in (*APPS, "helpdesk.gunicorn"):
            members = vars(importlib.import_module(name)).values()
            yield from (one for one in members if inspect.isclass(one) and one.__module__ == name)


def replaced(ours: type) -> set[str]:
    """The parts of library classes that `ours` replaces and that no manual describes."""
    found = set()
    for name, part in vars(ours).items():
        for base in ours.__mro__[1:]:
            if name in vars(base) and base.__module__.split(".")[0] in LIBRARIES:
                path = f"{base.__module__}.{base.__qualname__}"
                if inspect.isfunction(part) and not name.startswith("__"):
                    found |= {f"{path}.{name}"} if is_private(name) or is_internal(path) else set()
                break
    return found


def touched() -> set[str]:
    names = set().union(*map(private_names, MODULES.values()), *map(imported, MODULES.values()))
    return names.union(*map(replaced, classes()))


# The list
def test_every_private_name_is_pinned():
    assert touched() - PINNED.keys() == set(), "No test of this file pins these names of libraries."


def test_nothing_is_pinned_that_we_no_longer_use():
    assert PINNED.keys() - touched() == {"_changelist_filters"}, "Nothing uses these: take them out."


def test_the_walk_sees_private_names():
    tree = ast.parse(
        "from a.b import _c\nself._own = 1\nx = row._theirs, self._own, getattr(row, '_cache')\n"
        "from django.contrib.admin.utils import quote"
    )
    assert private_names(tree) == {"_c", "_theirs", "_cache"}
    assert imported(tree) == {"django.contrib.admin.utils.quote"}

    class Shown(ChangeList):
        def get_results(self, request):
            pass

    assert replaced(Shown) == {"django.contrib.admin.views.main.ChangeList.get_results"}


OVERRIDDEN = sorted({(ours, path) for ours in classes() for path in replaced(ours)}, key=str)


@pytest.mark.parametrize(("ours", "path"), OVERRIDDEN, ids=str)
def test_what_replaces_a_part_takes_the_same_parameters(ours, path):
    name = path.rpartition(".")[2]
    theirs = next(
        vars(base)[name]
        for base in ours.__mro__[1:]
        if f"{base.__module__}.{base.__qualname__}.{name}" == path
    )
    old, new = (list(inspect.signature(part).parameters.values()) for part in (theirs, getattr(ours, name)))
    assert len(new) <= len(old) or new[-1].kind is inspect.Parameter.VAR_KEYWORD
    assert [one.kind for one in new[: len(old)]] == [one.kind for one in old]


# Models, forms and requests
@pins("_meta", "_state", "_base_manager", "_default_manager")
def test_models_tell_their_fields_state_and_managers():
    assert Ticket._meta.get_field("subject").name == "subject"
    assert (Ticket()._state.adding, Status.objects.first()._state.adding) == (True, False)
    assert Ticket._base_manager.model is Ticket
    assert Ticket._default_manager.model is Ticket


@pins("_fields", "_replace")
def test_named_rows_tell_their_columns():
    """Of Python, which describes both; they are private by their look alone."""
    row = Status.objects.values_list("pk", "name", named=True).first()
    assert row._fields == ("pk", "name")
    assert row._replace(name="x").name == "x"


@pins("_db")
def test_manager_knows_its_database():
    assert User.objects._db is None
    assert User.objects.db_manager("default")._db == "default"


@pins("_prefetched_objects_cache")
def test_prefetched_rows_lie_in_a_cache_by_the_field(ann):
    asked = User.objects.filter(pk=ann.pk)
    assert "groups" in asked.prefetch_related("groups").get()._prefetched_objects_cache
    assert "groups" not in getattr(asked.get(), "_prefetched_objects_cache", ())


@pins("_perm_cache")
def test_permissions_are_kept_on_the_person(ann, django_assert_num_queries):
    ann = User.objects.get(pk=ann.pk)
    ann._perm_cache = {"tickets.dance"}
    with django_assert_num_queries(0):
        assert ModelBackend().get_all_permissions(ann) == {"tickets.dance"}


@pins("_queued_messages")
def test_message_that_is_taken_out_of_the_queue_is_not_shown(rf):
    request = rf.get("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    messages.success(request, "Said too early.")
    messages.get_messages(request)._queued_messages.clear()
    assert list(messages.get_messages(request)) == []


@pins("django.forms.models.BaseModelForm._get_validation_exclusions")
def test_model_is_not_asked_for_what_the_form_excludes(ann):
    class Form(forms.ModelForm):
        class Meta:
            model = SavedView
            fields = ["owner", "name"]

        def _get_validation_exclusions(self):
            return super()._get_validation_exclusions() | {"name"}

    class Strict(Form):
        name = forms.CharField(max_length=100)  # the model takes 60

    assert Strict({"owner": ann.pk, "name": "x" * 90}).is_valid()
    assert not forms.modelform_factory(SavedView, fields=["name"])({"name": "x" * 90}).is_valid()


@pins("django.forms.models.ModelMultipleChoiceField._check_values")
def test_choice_of_many_checks_what_was_sent():
    class Field(forms.ModelMultipleChoiceField):
        def _check_values(self, value):
            sent.append(list(value))
            return super()._check_values(value)

    sent, first = [], Status.objects.first()
    assert list(Field(Status.objects.all()).clean([str(first.pk)])) == [first]
    assert sent == [[str(first.pk)]]


@pins(
    "django.contrib.admin.widgets.AutocompleteSelect",
    "django.contrib.admin.widgets.AutocompleteMixin.optgroups",
)
def test_autocomplete_offers_what_was_sent(rf):
    first = Status.objects.first()
    widget = AutocompleteSelect(Ticket._meta.get_field("status"), admin.site)
    widget.choices = forms.ModelChoiceField(Status.objects.all()).choices
    (_name, options, _index), *more = widget.optgroups("status", [str(first.pk)], None)
    assert ([option["value"] for option in options], more) == (["", first.pk], [])


@pins("django.contrib.admin.widgets.RelatedFieldWidgetWrapper")
def test_admin_wraps_the_widget_of_a_foreign_key(rf, sam):
    request = rf.get("/admin/")
    request.user = sam
    category, stock = Ticket._meta.get_field("category"), admin.ModelAdmin(Ticket, admin.site)
    wrapper = stock.formfield_for_dbfield(category, request).widget
    assert isinstance(wrapper, RelatedFieldWidgetWrapper)
    assert isinstance(wrapper.widget, forms.Select)
    ours = admin.site.get_model_admin(Ticket).formfield_for_dbfield(category, request).widget
    assert isinstance(ours, forms.Select)


@pins(
    "django.http.request.HttpRequest._set_content_type_params",
    "django.core.handlers.wsgi.WSGIRequest",
)
def test_request_takes_its_content_type_apart_in_a_method_of_its_own():
    class Request(WSGIRequest):
        def _set_content_type_params(self, meta):
            self.content_type, self.content_params = "text/made-up", {}

    environ = {"REQUEST_METHOD": "GET", "wsgi.input": BytesIO(), "CONTENT_TYPE": "text/html"}
    assert Request(environ).content_type == "text/made-up"
    assert WSGIRequest(environ).content_type == "text/html"


@pins("django.http.multipartparser.MultiPartParserError")
def test_odd_part_is_a_bad_request(client):
    assert issubclass(MultiPartParserError, Exception)
    sent = client.generic("POST", "/accounts/login/", b"x", content_type="multipart/form-data; boundary=")
    assert sent.status_code == 400


# Texts
@pins("django.utils.html.Urlizer")
def test_links_are_made_by_a_template_and_a_pattern():
    class Linked(Urlizer):
        url_template = "<{href}|{url}{attrs}>"

    assert (
        Linked()("see https://example.com/a now") == "see <https://example.com/a|https://example.com/a> now"
    )
    assert Urlizer.simple_url_2_re.search("www.example.com")


@pins("django.utils.functional.Promise", "django.utils.functional.SimpleLazyObject")
def test_lazy_things_wait_until_they_are_asked():
    asked = []
    assert isinstance(lazy(str, str)("x"), Promise)
    later = SimpleLazyObject(lambda: asked.append(1) or ["a"])
    assert not asked
    assert (list(later), list(later), asked) == (["a"], ["a"], [1])


# Sessions, accounts and files
class Session(SessionStore):
    rows = 0

    def _get_session_from_db(self):
        self.rows += 1
        return super()._get_session_from_db()

    def _get_new_session_key(self):
        return "made-up-key"


@pins(
    "_get_session",
    "django.contrib.sessions.backends.db.SessionStore._get_session_from_db",
    "django.contrib.sessions.backends.base.SessionBase._get_new_session_key",
)
def test_session_reads_its_row_once_and_takes_our_key():
    new = Session()
    new["seen"] = 1
    new.create()
    assert new.session_key == "made-up-key"
    new.save()
    read = Session("made-up-key")
    read._get_session()
    read._get_session()
    assert read.rows == 1


@pins("django.contrib.auth.tokens.PasswordResetTokenGenerator._make_hash_value")
def test_token_ends_when_what_is_hashed_changes(ann):
    class Tokens(PasswordResetTokenGenerator):
        more = ""

        def _make_hash_value(self, user, timestamp):
            return super()._make_hash_value(user, timestamp) + self.more

    tokens = Tokens()
    token = tokens.make_token(ann)
    assert tokens.check_token(ann, token)
    tokens.more = "x"
    assert not tokens.check_token(ann, token)


@pins(
    "allauth.account.adapter.DefaultAccountAdapter._get_login_attempts_cache_key",
    "allauth.core.exceptions.ImmediateHttpResponse",
)
def test_attempts_to_log_in_are_counted_by_our_key(rf, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "1/m/key"}

    class Adapter(DefaultAccountAdapter):
        def _get_login_attempts_cache_key(self, request, **credentials):
            asked.append(credentials["email"])
            return f"made-up-{credentials['email']}"

    asked, request = [], rf.post("/")
    Adapter().pre_authenticate(request, email="a@example.com")
    assert asked == ["a@example.com"]
    assert issubclass(ImmediateHttpResponse, Exception)


@pins("allauth.core.ratelimit")
def test_limit_ends_after_what_it_allows(rf, settings):
    settings.ACCOUNT_RATE_LIMITS = {"made_up": "2/m/key"}
    tries = [bool(ratelimit.consume(rf.post("/"), action="made_up", key="limit")) for _number in range(3)]
    assert tries == [True, True, False]


@pins("allauth.core.internal.ratelimit.truncate_ip")
def test_addresses_of_one_network_count_as_one():
    assert truncate_ip("2001:db8:1:2:3:4:5:6") == truncate_ip("2001:db8:1:2::9") != truncate_ip("2001:db8::1")
    assert truncate_ip("192.0.2.7") == "192.0.2.7"


@pins("allauth.account.utils.user_pk_to_url_str")
def test_link_to_a_reset_names_the_person(ann, client):
    key = default_token_generator.make_token(ann)
    page = client.get(f"/accounts/password/reset/key/{user_pk_to_url_str(ann)}-{key}/", follow=True)
    assert (page.status_code, "form" in page.context) == (200, True)


@pins(
    "django.core.files.storage.filesystem.FileSystemStorage._save",
    "django.core.files.storage.filesystem.FileSystemStorage._open",
)
def test_folder_saves_and_opens_by_methods_of_its_own(tmp_path):
    class Folder(FileSystemStorage):
        def _save(self, name, content):
            calls.append("save")
            return super()._save(name, content)

        def _open(self, name, mode="rb"):
            calls.append("open")
            return super()._open(name, mode)

    calls, folder = [], Folder(tmp_path)
    with folder.open(folder.save("a.txt", ContentFile(b"text"))) as kept:
        assert kept.read() == b"text"
    assert calls == ["save", "open"]


@pins("storages.backends.s3.S3Storage._open")
def test_bucket_opens_by_a_method_of_its_own():
    """Its behaviour on a real server is the matter of tickets/tests/files."""
    assert str(inspect.signature(S3Storage._open)) == "(self, name, mode='rb')"


# Parts of Django's admin that we replace
LIST = "/admin/tickets/ticket/"
BASE = "django.contrib.admin.views.main.ChangeList."


@pytest.fixture
def plain(rf, root, alice):
    """plain(query): Django's own ChangeList of the statuses, as its admin makes it."""

    class StatusAdmin(admin.ModelAdmin):
        list_display = ("name", "phase", "order_shown")
        list_per_page = 2
        ordering = ("position",)
        actions = None  # no column of ticks

        @admin.display(ordering="position")
        def order_shown(self, status):
            return status.position

    def made(query: str = "") -> ChangeList:
        request = rf.get(f"/admin/tickets/status/?{query}")
        request.user, request.resolver_match = root, resolve(request.path)
        changelist = StatusAdmin(Status, admin.site).get_changelist_instance(request)
        changelist.formset = None  # as changelist_view() sets it
        return changelist

    return made


@pins(
    "_get_default_ordering",
    BASE + "get_ordering",
    BASE + "_get_deterministic_ordering",
)
def test_list_orders_by_what_was_asked_then_by_its_own(plain):
    assert plain()._get_default_ordering() == ("position",)
    assert plain().get_ordering(None, Status.objects.order_by()) == ["position", "-pk"]
    assert plain("o=-2").queryset.query.order_by[0] == "-position"
    assert [plain().get_ordering_field(name) for name in ("name", "order_shown")] == ["name", "position"]
    assert plain()._get_deterministic_ordering(["position"]) == ["position", "-pk"]


@pins(BASE + "get_ordering_field_columns", "django.contrib.admin.templatetags.admin_list.result_headers")
def test_headers_link_to_orders_by_the_place_of_a_column(plain):
    assert plain().get_ordering_field_columns() == {2: "asc"}
    assert plain("o=-2.0").get_ordering_field_columns() == {2: "desc", 0: "asc"}
    first, second, third = result_headers(plain("o=-2"))
    assert (third["sorted"], third["ascending"], third["sort_priority"]) == (True, False, 1)
    assert (third["url_toggle"], third["url_remove"], first["url_primary"]) == ("?o=2", "?o=", "?o=0.-2")
    assert {"text", "sortable", "class_attrib"} <= second.keys()


@pins(BASE + "get_queryset", BASE + "get_results", "django.contrib.admin.options.IncorrectLookupParameters")
def test_list_counts_and_cuts_its_page(plain):
    shown = plain("p=2")
    assert list(shown.result_list) == list(shown.queryset[2:4])
    assert (shown.page_num, shown.multi_page, shown.can_show_all) == (2, True, True)
    assert shown.result_count == shown.paginator.count == Status.objects.count()
    with pytest.raises(IncorrectLookupParameters):
        plain("p=99")
    with pytest.raises(IncorrectLookupParameters):
        plain("made_up=1")


@pins(BASE + "get_query_string", BASE + "get_filters_params")
def test_list_writes_addresses_of_its_own_filters(plain):
    shown = plain("o=0&p=2")
    assert shown.params == {"o": "0"}
    assert plain("o=0&all=&q=x").get_filters_params() == {}
    assert shown.get_filters_params({"sort": ["a"]}) == {"sort": ["a"]}
    assert shown.get_query_string({"a": "1"}) == "?a=1&o=0"
    assert shown.get_query_string({"o": None}) == "?"
    assert shown.get_query_string(remove=["o"]) == "?"


@pins("_changelist_filters", BASE + "url_for_result", BASE.removesuffix("."))
def test_links_from_a_list_carry_its_filters(plain, rf, root):
    shown = plain("o=0")
    assert shown.preserved_filters == "_changelist_filters=o%3D0"
    first = shown.result_list[0]
    assert shown.url_for_result(first) == f"/admin/tickets/status/{first.pk}/change/"
    cells = "".join(map(str, result_list(shown)["results"][0]))
    assert f"/admin/tickets/status/{first.pk}/change/?_changelist_filters=o%3D0" in cells


def test_our_lists_write_the_same_link(client_of, ann, alice):
    ticket = make_ticket(alice)
    page = client_of(ann).get(f"{LIST}?who=all").content.decode()
    assert f"{LIST}{ticket.pk}/change/?_changelist_filters=who%3Dall" in page


@pins(
    "django.contrib.admin.utils.display_for_field",
    "django.contrib.admin.utils.display_for_value",
    "django.contrib.admin.utils.quote",
)
def test_values_are_shown_in_words():
    assert display_for_field("high", Ticket._meta.get_field("priority"), "–") == Ticket.Priority.HIGH.label
    assert display_for_field(None, Status._meta.get_field("name"), "–") == "–"
    assert (display_for_value(None, "–"), display_for_value(5, "–")) == ("–", "5")
    assert "icon-yes" in display_for_value(True, "–", boolean=True)
    assert (quote(7), quote("a/b")) == (7, "a_2Fb")


@pins(
    "django.contrib.admin.helpers.AdminForm",
    "django.contrib.admin.helpers.AdminErrorList",
    "django.contrib.admin.utils.flatten_fieldsets",
)
def test_page_of_a_row_is_made_of_a_form_and_its_errors(ann):
    fieldsets = [("Facts", {"fields": ["name", ("phase", "position")]})]
    assert flatten_fieldsets(fieldsets) == ["name", "phase", "position"]
    form_class = forms.modelform_factory(Status, fields=flatten_fieldsets(fieldsets))
    shown = AdminForm(form_class({}), fieldsets, {}, (), model_admin=admin.site._registry[Status])
    names = [field.field.name for fieldset in shown for line in fieldset for field in line]
    assert names == ["name", "phase", "position"]
    assert len(AdminErrorList(shown.form, [])) == len(shown.form.errors) == 3


@pins("django.contrib.admin.utils.NestedObjects")
def test_collector_tells_what_protects_a_person(alice, bob):
    make_ticket(alice)

    def protected(person) -> set:
        collector = NestedObjects(using="default", origin=person)
        collector.collect([person])
        return {type(row) for row in collector.protected}

    assert Ticket in protected(alice)
    assert Comment not in protected(bob)


@pins(
    "django.contrib.admin.helpers.AdminErrorList",
    "django.contrib.admin.helpers.AdminForm",
    "django.contrib.admin.utils.flatten_fieldsets",
)
def test_page_with_a_refused_form_is_made_as_django_makes_it(rf, alice, ann):
    ticket, request = make_ticket(alice), rf.get("/")
    request.user = ann
    model_admin = admin.site.get_model_admin(Ticket)
    opened = model_admin.changeform_view(request, str(ticket.pk)).context_data
    ours = model_admin.render_page(request, Ticket.objects.get(pk=ticket.pk), {}).context_data
    assert ours.keys() - opened.keys() == {"refused"}
    assert opened.keys() <= ours.keys()
    for name in ("object_id", "original", "is_popup", "to_field", "errors", "inline_admin_formsets"):
        assert ours[name] == opened[name], name
    fields = [[list(line.fields) for line in shown["adminform"]] for shown in (ours, opened)]
    assert fields[0] == fields[1] != []


@pins(
    "django.contrib.admin.views.main.ALL_VAR",
    "django.contrib.admin.views.main.ORDER_VAR",
    "django.contrib.admin.views.main.PAGE_VAR",
    "django.contrib.admin.views.main.SEARCH_VAR",
    "django.contrib.admin.helpers.ACTION_CHECKBOX_NAME",
)
def test_parameters_are_called_as_in_bookmarks():
    names = (ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ACTION_CHECKBOX_NAME)
    assert names == ("all", "o", "p", "q", "_selected_action")


# Email
@pins("_host")
def test_connection_to_a_mail_server_verifies_the_name_that_is_set():
    """smtplib sets it only where it connects at once, and then it can't be closed if the time limit ends it."""
    server = smtplib.SMTP(local_hostname="here")
    assert server._host == ""
    assert smtplib.SMTP_SSL(local_hostname="here", context=ssl.create_default_context())._host == ""
    for method in (smtplib.SMTP_SSL._get_socket, smtplib.SMTP.starttls):
        assert "server_hostname=self._host" in inspect.getsource(method)
