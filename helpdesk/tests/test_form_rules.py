"""The browser checks fields by attributes of the form: the same rules and words as the server's answer."""

import re
from html import unescape

import pytest

from accounts.tests.cast import PASSWORD
from accounts.validators import ADDRESS_PATTERN, validate_address
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
TAG = r'<(?:input|textarea|select)[^>]*\bname="{}"[^>]*>'
# page, field, attribute of the rule, value that breaks it
RULES = [
    ("/accounts/signup/", "full_name", "data-required", ""),
    ("/accounts/signup/", "email", "data-required", ""),
    ("/accounts/signup/", "email", "data-invalid", "nora@example"),
    ("/accounts/signup/", "password1", "data-required", ""),
    ("/accounts/signup/", "password1", "data-too-short", "short"),
    ("/accounts/signup/", "password1", "data-invalid", "7391648205"),
    ("/accounts/login/", "login", "data-invalid", "nora"),
    ("/accounts/password/reset/", "email", "data-invalid", "nora@"),
    ("/accounts/password/change/", "oldpassword", "data-required", ""),
    ("/accounts/password/change/", "password1", "data-too-short", "short"),
    ("/accounts/email/", "email", "data-invalid", "nora example.com"),
    ("/accounts/profile/", "full_name", "data-required", "  "),
    ("/tickets/new/", "subject", "data-required", " "),
    ("/tickets/new/", "category", "data-required", ""),
    ("/tickets/new/", "description", "data-required", "\n"),
    ("/tickets/1/edit/", "subject", "data-required", ""),
    ("/tickets/1/reply/", "body", "data-required", " "),
    ("/tickets/1/watchers/", "email", "data-invalid", "bob"),
]


def control(content: str, name: str) -> dict[str, str]:
    (tag,) = re.findall(TAG.format(name), content)
    return {key: unescape(value) for key, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}


@pytest.mark.parametrize(("page", "name", "rule", "value"), RULES)
def test_browser_and_server_say_the_same(client, client_of, alice, page, name, rule, value):
    is_for_visitors = page in ("/accounts/signup/", "/accounts/login/", "/accounts/password/reset/")
    browser = client if is_for_visitors else client_of(alice)
    if page == "/accounts/email/":
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    number = make_ticket(alice).pk
    page = page.replace("/1/", f"/{number}/")
    shown_on = re.sub(r"(reply|watchers)/$", "", page)
    rules = control(browser.get(shown_on).content.decode(), name)
    action = {"action_add": ""} if page == "/accounts/email/" else {}
    answer = browser.post(page, {name: value, **action}).content.decode()
    (errors,) = re.findall(rf'id="{rules["id"]}_error"[^>]*>(.*?)</div>', answer, re.S)
    assert rules[rule] in unescape(errors)
    assert "There is a problem" in answer
    if rule == "data-required":
        assert re.search(rf'name="{name}"[^>]*\brequired\b', answer)
    elif rule == "data-invalid":
        assert not re.fullmatch(rules["pattern"], value)
    else:
        assert len(value) < int(rules["minlength"])


@pytest.mark.parametrize(
    "address",
    ["nora", "nora@", "@example.com", "nora@example", "a b@example.com", "nora@example.com,bob@x.de"],
)
def test_address_that_the_browser_refuses_is_refused_by_the_server(address):
    assert not re.fullmatch(ADDRESS_PATTERN, address)
    with pytest.raises(Exception, match="Enter an email address"):
        validate_address(address)


@pytest.mark.parametrize("address", ["nora@example.com", "n.d+x@mail.example.co.uk", "o'hara@exämple.de"])
def test_address_that_the_server_takes_is_not_refused_by_the_browser(address):
    validate_address(address)
    assert re.fullmatch(ADDRESS_PATTERN, address)


def test_summary_for_the_script_is_the_one_of_the_server(client):
    answer = " ".join(client.post("/accounts/login/", {"login": ""}).content.decode().split())
    summaries = re.findall(r'<div class="alert alert-danger error-summary".*?<ul>', answer)
    assert len(summaries) == 2  # of the form, and the template
    assert summaries[0] == summaries[1]
    assert '<template id="error-summary" data-title="Error:">' in answer
