"""No input gives a 5xx while the system is healthy (THREATS I1, 11, 31, 32, 35, 38, 130)."""

import json
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from helpdesk.tests.gateway import ask
from tickets.mail.writing import tokens
from tickets.tests.factories import category, make_ticket
from tickets.tests.house.test_permissions import names

pytestmark = pytest.mark.django_db
TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["\0", "-1", "9" * 40, "%", "../..", "<script>", "\u200b", "on", "1", "[]", "{}"]),
)
FIELDS = st.sampled_from(
    [
        "q",
        "page",
        "phase",
        "who",
        "category",
        "priority",
        "period",
        "subject",
        "description",
        "version",
        "o",
        "submission_key",
        "email",
        "login",
        "password",
        "password1",
        "full_name",
        "time_zone",
        "action",
        "state",
        "_selected_action",
        "next",
        "e",
        "p",
        "all",
        "role",
        "requester",
        "status",
        "assignee",
        "id__exact",
        "verb",
        "body",
        "key",
        "kind",
        "after",
        "into",
        "number",
        "numbers",
        "value",
        "query",
        "name",
        "macro",
        "macro_key",
        "saved_reply",
        "wakes_on",
        "waiting_for",
        "first",
        "last",
        "created",
        "age",
        "_changelist_filters",
        "requester_email",
        "sort",
        "filed_from",
        "filed_before",
        "unassigned",
        "has_file",
    ]
)
PATHS = [
    "/tickets/1/reply/",
    "/tickets/1/note/",
    "/tickets/1/draft/",
    "/tickets/1/watchers/",
    "/tickets/1/watchers/1/remove/",
    "/tickets/1/take-back/1/",
    "/tickets/1/timeline/",
    "/admin/tickets/ticket/many/",
    "/admin/tickets/ticket/news/",
    "/admin/tickets/ticket/export/",
    "/admin/tickets/ticket/reports/",
    "/admin/tickets/ticket/save-view/",
    "/admin/tickets/ticket/1/reply/",
    "/admin/tickets/ticket/1/seen/",
    "/admin/tickets/ticket/1/links/",
    "/admin/tickets/ticket/1/merge/",
    "/admin/tickets/ticket/1/unmerge/",
    "/admin/tickets/ticket/1/split/1/",
    "/admin/tickets/ticket/1/timeline/",
    "/admin/tickets/ticket/1/saved-replies/",
    "/admin/tickets/ticket/1/macros/",
    "/admin/tickets/ticket/1/macro/",
    "/admin/tickets/savedreply/add/",
    "/admin/tickets/macro/add/",
    "/admin/tickets/savedview/",
    "/",
    "/about/",
    "/tickets/",
    "/tickets/new/",
    "/tickets/1/",
    "/tickets/1/edit/",
    "/tickets/1/delete/",
    "/tickets/1/close/",
    "/tickets/1/reopen/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/email/",
    "/accounts/password/reset/",
    "/accounts/password/change/",
    "/accounts/profile/",
    "/healthz",
    "/readyz",
    "/admin/",
    "/admin/tickets/ticket/",
    "/admin/tickets/ticket/add/",
    "/admin/tickets/ticket/1/change/",
    "/admin/tickets/ticket/1/delete/",
    "/admin/tickets/notification/",
    "/admin/tickets/activitylog/",
    "/admin/tickets/category/1/change/",
    "/admin/tickets/status/",
    "/admin/tickets/status/1/change/",
    "/admin/accounts/user/",
    "/admin/accounts/user/1/change/",
    "/admin/autocomplete/",
]


def generated(count: int):
    """The same requests in every run."""
    return hypothesis_settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("who", ["visitor", "alice", "ann", "root"])
def test_no_request_breaks_a_page(who, alice, ann, root):
    make_ticket(alice, pk=1)
    people = {"alice": alice, "ann": ann, "root": root}
    client = Client(raise_request_exception=False)
    if who in people:
        client.force_login(people[who])

    @generated(200)
    @given(st.sampled_from(PATHS), st.booleans(), st.dictionaries(FIELDS, TEXT, max_size=4))
    def answers(path, is_post, data):
        answer = client.post(path, data) if is_post else client.get(path, data)
        assert answer.status_code < 500, (path, is_post, data)

    answers()


def addresses(resolver=None, prefix: str = "/") -> set[str]:
    """Every address of the project, like /tickets/%(pk)s/edit/."""
    resolver = resolver or get_resolver()
    found = {
        prefix + form
        for _name, entries in resolver.reverse_dict.lists()
        for possibilities, *_others in entries
        for form, _parameters in possibilities
    }
    for _name, (part, inner) in resolver.namespace_dict.items():
        found |= addresses(inner, prefix + part)
    return found - {"/accounts/logout/"}  # it would end the session


class Filled(dict):
    """What stands at the places of an address: the same everywhere."""

    def __init__(self, value: str):
        super().__init__()
        self.value = value

    def __missing__(self, name: str) -> str:
        return self.value


PARTS = [
    'name="subject"', "name=body", "name*=hex''body", 'name="attachments"; filename="a.png"', "a*; a*0*=x; name=body",
    'name="_charset_"', "name=body\r\nContent-Type: text/plain; charset=hex",
    "name=body\r\nContent-Transfer-Encoding: base64",
    'name="attachments"; filename="a.png"\r\nContent-Transfer-Encoding: base64',
]  # fmt: skip


def multipart(parts: list[tuple[str, str]]) -> bytes:
    written = (f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts)
    return "".join([*written, "--x--\r\n"]).encode("utf-8", "replace")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(FIELDS, TEXT, max_size=4).map(lambda data: urlencode(data).encode()),
    st.lists(st.tuples(st.sampled_from(PARTS), TEXT), max_size=3).map(multipart),
    ANYTHING.map(lambda value: json.dumps(value).encode()),
)
KINDS = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json",
        "text/plain",
        "",
    ]
)
CHARSETS = st.one_of(
    st.sampled_from(
        ["hex", "rot13", "idna", "undefined", "utf-16", "latin-1", "utf-8", "utf8", '"UTF-8"', ""]
    ),
    st.text(st.characters(max_codepoint=255), max_size=8),
)
PARAMETERS = st.sampled_from(
    ["charset=", "CHARSET=", "charset*=", "charset*0=", "boundary=", "boundary*0*=", "x="]
)
CONTENT_TYPES = st.tuples(KINDS, st.lists(st.tuples(PARAMETERS, CHARSETS).map("".join), max_size=2)).map(
    lambda written: ";".join([written[0], *written[1]])
)
METHODS = st.one_of(
    st.sampled_from(["GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "get"]),
    st.text("ABCXYZ-", min_size=1, max_size=200),
)
PLACES = st.sampled_from(["1", "1", "1", "0", "9" * 30, "x", "a:b:c", "\0", "\u0663", "1-a"])
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "HTTP_ACCEPT_LANGUAGE",
            "HTTP_RANGE",
            "HTTP_IF_MODIFIED_SINCE",
            "HTTP_IF_NONE_MATCH",
            "HTTP_HX_REQUEST",
            "HTTP_HX_CURRENT_URL",
            "HTTP_HX_CURRENT_URL_URI_AUTOENCODED",
            "HTTP_X_FORWARDED_FOR",
            "HTTP_REFERER",
            "HTTP_X_REQUESTED_WITH",
            "HTTP_AUTHORIZATION",
        ]
    ),
    st.text(st.characters(max_codepoint=255), max_size=30),
    max_size=2,
)


@pytest.mark.parametrize("who", ["visitor", "alice", "ann", "root"])
def test_no_request_of_any_shape_breaks_any_address(who, client_of, alice, ann, root, settings):
    """Methods, content types, charsets and bodies, as gunicorn hands them over."""
    settings.MAILGUN_WEBHOOK_SECRET = "x" * 32
    make_ticket(alice, pk=1)
    places = PLACES | st.just(tokens.mute_link(1, alice.pk).split("/")[-2])
    people = {"alice": alice, "ann": ann, "root": root}
    cookies = client_of(people[who]).cookies if who in people else None

    @generated(200)
    @given(st.sampled_from(sorted(addresses())), places, METHODS, CONTENT_TYPES, BODIES, HEADERS, TEXT)
    def answers(address, place, method, content_type, body, headers, query):
        answer = ask(
            address % Filled(place),
            method=method,
            query=urlencode({"q": query}, errors="replace"),
            content_type=content_type,
            body=body,
            cookies=cookies,
            **headers,
        )
        assert answer.status < 500

    answers()


@pytest.mark.parametrize("charset", ["hex", "latin-1"])
def test_text_in_another_charset_changes_nothing(client_of, alice, unchanged, charset):
    """THREATS 11, 130."""
    cookies = client_of(alice).cookies
    data = {"subject": "Printer", "description": "Jam", "category": category().pk, "priority": "normal"}
    with unchanged():
        answer = ask(
            "/tickets/new/",
            method="POST",
            content_type=f"application/x-www-form-urlencoded; charset={charset}",
            body=urlencode(data).encode(),
            cookies=cookies,
        )
    assert answer.status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f",
        "/%c0%ae",
        "/%2f%2fevil.example",
        "/tickets/%00/",
        "/admin/tickets/ticket/%00/change/",
        "/%ff",
        "/admin/accounts/user/x'/change/",
        "/admin/tickets/ticket/99999999999999999999/change/",
        "/nothing/",
    ],
)
def test_odd_path_is_not_there_and_leads_nowhere_else(client_of, root, path):
    """THREATS 8, 24, 31."""
    response = client_of(root).get(path)
    assert response.status_code in (302, 404)
    assert response.status_code == 404 or response.url.startswith("/admin/")


@pytest.mark.parametrize(
    "query", ["subject__startswith=%00", "requester__password__startswith=b", "id__exact=1"]
)
def test_admin_lists_take_only_their_own_filters(client_of, ann, query):
    """THREATS 8, 28: 400 for any other question."""
    assert client_of(ann).get(f"/admin/tickets/ticket/?{query}").status_code == 400
    assert client_of(ann).get(f"/admin/accounts/user/?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["q=%00", "q=%23999999999999999999999", "phase=%00", "category=9999999999999999999"]
)
def test_admin_lists_survive_odd_values(client_of, ann, query):
    """THREATS 7."""
    for table in ("ticket", "notification", "activitylog"):
        assert client_of(ann).get(f"/admin/tickets/{table}/?{query}").status_code in (200, 302, 400)


@pytest.mark.parametrize("table", ["ticket", "notification", "activitylog"])
def test_admin_lists_survive_a_number_longer_than_python_reads(client_of, ann, table):
    assert client_of(ann).get(f"/admin/tickets/{table}/?q={'9' * 5000}").status_code == 200


ODD_KEYS = ["x", "\0", "1.5", "-1", "٣", "9" * 19, "9" * 40]


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize("action", ["assign_to_me", "assign_to", "set_status", "delete_selected"])
def test_action_on_what_is_no_row_changes_nothing(client_of, root, unchanged, action, key):
    """I1."""
    client = client_of(root)
    with unchanged():
        response = client.post("/admin/tickets/ticket/", {"action": action, "_selected_action": ["1", key]})
    assert response.status_code == 400


@pytest.mark.parametrize("key", ODD_KEYS)
def test_requester_who_is_nobody_is_refused_at_the_field(client_of, root, unchanged, key):
    """I1, THREATS 21."""
    client = client_of(root)
    with unchanged():
        response = client.post("/admin/tickets/ticket/add/", {"subject": "x", "requester": key})
    assert response.status_code == 200
    assert "requester" in response.context["adminform"].form.errors


@pytest.mark.parametrize("key", ODD_KEYS)
def test_nobody_learns_of_a_category_by_an_odd_number(client_of, root, unchanged, key):
    """I1, THREATS 21."""
    client, other = client_of(root), category()
    with unchanged():
        response = client.post(
            f"/admin/tickets/category/{other.pk}/change/", {"name": "X", "position": 1, "people": key}
        )
    assert "people" in response.context["adminform"].form.errors


def test_unknown_host_is_refused(client):
    """THREATS 35."""
    assert client.get("/", HTTP_HOST="evil.example").status_code == 400
    assert client.get("/", HTTP_HOST="localhost:9999").status_code == 200
    assert client.get("/", HTTP_X_FORWARDED_HOST="evil.example").status_code == 200


def test_resolver_is_read_whole():
    assert len(names(get_resolver())) > 40
