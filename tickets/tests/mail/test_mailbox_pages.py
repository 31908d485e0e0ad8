"""The pages of mailboxes: who may see and change what, secrets that never come back, cards, older email."""

import json

import pytest
from django.contrib.admin.models import LogEntry

from tickets.mail.setup_texts import exchange_commands
from tickets.models import KnownDomain, Mailbox

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/mailbox/"
SERVER = {
    "address": "IT@example.com",
    "user": "",
    "smtp_host": "mail.example.com",
    "imap_host": "",
    "new_secret": " correct horse ",
}
ACCOUNT = json.dumps({"client_email": "helpdesk@project.example.com", "private_key": "a key of a service"})
MICROSOFT = {
    "address": "it@example.com",
    "tenant": "tenant-1",
    "client_id": "1a2b-3c4d",
    "new_secret": "hidden-word",
    "secret_expires_on": "2027-11-30",
}


@pytest.fixture
def mailbox():
    mailbox = Mailbox(
        name="IT", address="it@example.com", smtp_host="a.example.com", imap_host="a.example.com"
    )
    mailbox.user = "it"
    mailbox.secrets = {"password": "hidden-word"}
    mailbox.save()
    return mailbox


def values_of(page) -> dict:
    form = page.context["adminform"].form
    return {
        name: "" if value is None else value for name, value in form.initial.items() if value is not False
    }


def test_card_for_a_server_asks_five_things_and_fills_in_the_rest(client_of, root):
    assert client_of(root).post(f"{LIST}add/?kind=server", SERVER).status_code == 302
    mailbox = Mailbox.objects.get()
    assert (mailbox.address, mailbox.user, mailbox.imap_host) == (
        "it@example.com", "it@example.com", "mail.example.com",
    )  # fmt: skip
    assert (mailbox.sends_by, mailbox.fetches_by, mailbox.auth) == ("smtp", "imap", "password")
    assert mailbox.secrets == {"password": " correct horse "}
    assert mailbox.is_default


def test_card_for_microsoft(client_of, root):
    assert client_of(root).post(f"{LIST}add/?kind=microsoft", MICROSOFT).status_code == 302
    mailbox = Mailbox.objects.get()
    assert (mailbox.sends_by, mailbox.fetches_by, mailbox.proof) == ("graph", "graph", "exchange")
    assert mailbox.secrets == {"client_secret": "hidden-word"}
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/").content.decode()
    assert "New-ServicePrincipal -AppId 1a2b-3c4d" in page
    assert "PrimarySmtpAddress -eq &#x27;it@example.com&#x27;" in page


@pytest.mark.parametrize("name", ["tenant", "client_id", "new_secret", "secret_expires_on", "address"])
def test_card_for_microsoft_needs_everything(client_of, root, name):
    page = client_of(root).post(f"{LIST}add/?kind=microsoft", MICROSOFT | {name: ""})
    assert list(page.context["adminform"].form.errors) == [name]
    assert not Mailbox.objects.exists()


def test_card_for_google_takes_the_key_apart(client_of, root):
    data = {"address": "it@example.com", "new_secret": ACCOUNT}
    assert client_of(root).post(f"{LIST}add/?kind=google", data).status_code == 302
    mailbox = Mailbox.objects.get()
    assert (mailbox.client_id, mailbox.smtp_host) == ("helpdesk@project.example.com", "smtp.gmail.com")
    assert mailbox.secrets == {"private_key": "a key of a service"}


@pytest.mark.parametrize("key", ["{}", "[]", "no json", '{"client_email": "a@b.example"}', "[" * 5000])
def test_card_for_google_refuses_another_key(client_of, root, key):
    page = client_of(root).post(f"{LIST}add/?kind=google", {"address": "it@example.com", "new_secret": key})
    assert "JSON key" in page.content.decode()
    assert not Mailbox.objects.exists()


def test_card_for_the_service_has_no_secret(client_of, root):
    assert client_of(root).post(f"{LIST}add/?kind=service", {"address": "it@example.com"}).status_code == 302
    mailbox = Mailbox.objects.get()
    assert (mailbox.sends_by, mailbox.fetches_by, mailbox.secret) == ("esp", "no", "")


def test_every_card_opens_and_an_unknown_kind_shows_the_cards(client_of, root):
    for address in ("add/", "add/?kind=nonsense"):
        page = client_of(root).get(LIST + address).content.decode()
        assert page.count('<a class="card" href="?kind=') == 6
    for kind in ("microsoft", "google", "server", "service"):
        assert client_of(root).get(f"{LIST}add/?kind={kind}").status_code == 200


def test_cards_say_what_is_needed_where_emails_are_printed(client_of, root, settings):
    words = "Set MAIL_PROVIDER=admin and start a worker first."
    assert words in client_of(root).get(f"{LIST}add/").content.decode()
    settings.HAS_MAIL_PROVIDER = True
    assert words not in client_of(root).get(f"{LIST}add/").content.decode()


def test_105_agent_sees_nothing_supervisor_sees_and_superuser_changes(client_of, mailbox, ann, sam, root):
    address = f"{LIST}{mailbox.pk}/change/"
    assert [client_of(ann).get(page).status_code for page in (LIST, address)] == [403, 403]
    for page in (LIST, address):
        assert client_of(sam).get(page).status_code == 200
    assert "new_secret" not in client_of(sam).get(address).content.decode()
    for page in (f"{LIST}add/", f"{LIST}add/?kind=server", f"{LIST}{mailbox.pk}/delete/"):
        assert client_of(sam).get(page).status_code == 403
    for page in ("test/", "older/"):
        assert client_of(sam).post(f"{LIST}{mailbox.pk}/{page}").status_code == 403
    assert client_of(sam).post(address, {"name": "Theirs"}).status_code == 403
    assert client_of(root).get(address).status_code == 200


def test_104_secret_comes_back_on_no_page_and_in_no_log(client_of, mailbox, root, caplog):
    browser = client_of(root)
    page = browser.get(f"{LIST}{mailbox.pk}/change/")
    assert browser.post(
        f"{LIST}{mailbox.pk}/change/", values_of(page) | {"name": "Help", "new_secret": "battery-staple"}
    ).status_code == 302  # fmt: skip
    mailbox.refresh_from_db()
    assert mailbox.secrets == {"password": "battery-staple"}
    shown = [
        browser.get(f"{LIST}{mailbox.pk}/{page}/").content.decode() for page in ("change", "history", "test")
    ]
    shown += [browser.get(LIST).content.decode(), caplog.text]
    shown += [entry.change_message for entry in LogEntry.objects.all()]
    refused = browser.post(f"{LIST}{mailbox.pk}/change/", {"name": "", "new_secret": "battery-staple"})
    shown.append(refused.content.decode())
    for secret in ("hidden-word", "battery-staple", mailbox.secret):
        assert not [text for text in shown if secret in text]


def test_blank_secret_keeps_the_present_one(client_of, mailbox, root):
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    data = values_of(page) | {"name": "Help"}
    assert client_of(root).post(f"{LIST}{mailbox.pk}/change/", data).status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.name, mailbox.secrets) == ("Help", {"password": "hidden-word"})


@pytest.mark.parametrize("change", [{"smtp_host": "thief.example.com"}, {"user": "other"}])
def test_secret_does_not_follow_to_another_server(client_of, mailbox, root, change):
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    refused = client_of(root).post(f"{LIST}{mailbox.pk}/change/", values_of(page) | change)
    assert list(refused.context["adminform"].form.errors) == ["new_secret"]
    done = client_of(root).post(
        f"{LIST}{mailbox.pk}/change/", values_of(page) | change | {"new_secret": "known"}
    )
    assert done.status_code == 302


def test_password_is_not_sent_in_clear_to_another_host(client_of, mailbox, root):
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    data = values_of(page) | {"smtp_security": "none", "new_secret": "known"}
    refused = client_of(root).post(f"{LIST}{mailbox.pk}/change/", data)
    assert list(refused.context["adminform"].form.errors) == ["smtp_security"]


def test_new_default_replaces_the_old_one(client_of, mailbox, root):
    Mailbox.objects.create(name="HR", address="hr@example.com", is_default=True)
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    data = values_of(page) | {"is_default": "on"}
    assert client_of(root).post(f"{LIST}{mailbox.pk}/change/", data).status_code == 302
    assert Mailbox.objects.get(is_default=True) == mailbox


def test_mailbox_of_the_environment_is_changed_there(client_of, mailbox, root):
    Mailbox.objects.filter(pk=mailbox.pk).update(source="environment")
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/").content.decode()
    assert "The environment sets up this mailbox." in page
    assert "new_secret" not in page
    assert client_of(root).post(f"{LIST}{mailbox.pk}/change/", {"name": "x"}).status_code == 403


def test_free_mail_is_no_known_domain(client_of, root):
    add = "/admin/tickets/knowndomain/add/"
    page = client_of(root).post(add, {"domain": "Gmail.com", "first_contact": "on", "department": ""})
    assert "Anyone can get an address at this domain." in page.content.decode()
    data = {"domain": "Example.com", "first_contact": "on", "department": ""}
    assert client_of(root).post(add, data).status_code == 302
    assert KnownDomain.objects.get(first_contact="on").domain == "example.com"


def test_mailbox_can_only_read_or_only_send(client_of, mailbox, root):
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    data = values_of(page) | {"sends_by": "no"}
    assert client_of(root).post(f"{LIST}{mailbox.pk}/change/", data).status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.sends_by, mailbox.fetches_by) == ("no", "imap")
    refused = client_of(root).post(f"{LIST}{mailbox.pk}/change/", data | {"fetches_by": "graph"})
    assert list(refused.context["adminform"].form.errors) == ["fetches_by"]


def test_way_without_its_server_is_refused(client_of, mailbox, root):
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    data = values_of(page) | {"imap_host": "", "new_secret": "known"}
    refused = client_of(root).post(f"{LIST}{mailbox.pk}/change/", data)
    assert list(refused.context["adminform"].form.errors) == ["fetches_by"]


@pytest.mark.parametrize(
    "host", ["mail..example.com", "x" * 64 + ".example.com", "mail example", "https://a.example"]
)
def test_host_that_is_none_is_refused_at_its_field(client_of, root, host):
    page = client_of(root).post(f"{LIST}add/?kind=server", SERVER | {"smtp_host": host})
    assert "smtp_host" in page.context["adminform"].form.errors
    assert not Mailbox.objects.exists()


@pytest.mark.parametrize("host", ["localhost", "192.0.2.7", "2001:db8::7", "Mail.Example.com."])
def test_host_is_a_name_or_an_ip_address(client_of, root, host):
    assert client_of(root).post(f"{LIST}add/?kind=server", SERVER | {"smtp_host": host}).status_code == 302
    assert Mailbox.objects.get().smtp_host == host.lower().rstrip(".")


def test_secret_does_not_follow_to_another_address(client_of, mailbox, root):
    page = client_of(root).get(f"{LIST}{mailbox.pk}/change/")
    data = values_of(page) | {"address": "director@example.com"}
    refused = client_of(root).post(f"{LIST}{mailbox.pk}/change/", data)
    assert list(refused.context["adminform"].form.errors) == ["new_secret"]


def test_nothing_but_an_id_is_offered_to_paste_into_a_shell():
    mailbox = Mailbox(
        auth="microsoft_app", sends_by="graph", client_id="x; Remove-Mailbox y", address="a@b.example"
    )
    assert "Remove-Mailbox" not in exchange_commands(mailbox)
