"""Importing people in the admin: upload, preview, import what was previewed, invite later."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import import_pages
from accounts.models import Invitation, PeopleUpload, User
from accounts.roles import Role
from tickets.jobs import JOBS
from tickets.models import Notification

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
IMPORT, INVITE = f"{PEOPLE}import/", f"{PEOPLE}invite/"
CONTENT = """email,name,department,Cost centre
nora@example.com,Nora Diaz,Sales,1
alice@example.com,Alice Moreau,Purchasing,2
bob@example.com,Bob Ortiz,Sales,3
"""


@pytest.fixture
def supervisor(client_of, sam):
    return client_of(sam)


def upload(supervisor, content: str | bytes, name: str = "people.csv"):
    content = content.encode() if isinstance(content, str) else content
    return supervisor.post(IMPORT, {"file": SimpleUploadedFile(name, content)})


@pytest.fixture
def preview(supervisor, alice, bob):
    """preview(content): the address of the preview of an upload."""

    def open_preview(content=CONTENT) -> str:
        response = upload(supervisor, content)
        assert response.status_code == 302, response.context["form"].errors
        return response.url

    return open_preview


def text(response) -> str:
    assert response.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def seen(response) -> str:
    return re.search(r'name="seen" value="(\w+)"', response.content.decode())[1]


def confirm(supervisor, url: str):
    return supervisor.post(url, {"seen": seen(supervisor.get(url))}, follow=True)


def test_list_leads_to_the_import_for_those_who_may(supervisor, client_of, ann):
    assert IMPORT in supervisor.get(PEOPLE).content.decode()
    page = client_of(ann).get(PEOPLE).content.decode()
    assert IMPORT not in page
    assert INVITE not in page


def test_preview_says_what_would_change_and_saves_nothing(supervisor, preview, unchanged_people):
    page = text(supervisor.get(preview()))
    assert "Create 1 Update 1 No changes 1 Can't be imported 0" in page
    assert "2 Nora Diaz nora@example.com Create Department: Sales" in page
    assert "3 Alice Moreau alice@example.com Update Department: Sales → Purchasing" in page
    assert "4 Bob Ortiz bob@example.com No changes" in page
    assert "Columns that are not used: Cost centre" in page
    assert 'value="Import 2 people"' in supervisor.get(preview()).content.decode()


@pytest.fixture
def unchanged_people(alice, bob, sam):
    before = list(User.objects.order_by("pk").values("email", "department", "full_name"))
    yield
    assert list(User.objects.order_by("pk").values("email", "department", "full_name")) == before


def test_confirmed_import_does_what_was_previewed(supervisor, preview, sam, alice):
    page = text(confirm(supervisor, preview()))
    assert "1 person created. 1 person updated. No emails were sent." in page
    assert "Invite 1 person" in page
    nora = User.objects.get(email="nora@example.com")
    assert (nora.full_name, nora.department) == ("Nora Diaz", "Sales")
    alice.refresh_from_db()
    assert alice.department == "Purchasing"
    assert not Notification.objects.exists()


def test_history_of_each_person_says_who_did_it(supervisor, preview, sam, alice):
    confirm(supervisor, preview())
    entries = {
        (entry.user, entry.object_repr, entry.get_change_message()) for entry in LogEntry.objects.all()
    }
    assert entries == {(sam, "Nora Diaz", "Added."), (sam, "Alice Moreau", "Changed Department.")}
    assert "Changed Department." in text(supervisor.get(f"{PEOPLE}{alice.pk}/history/"))


def test_file_is_gone_after_the_import_and_a_second_click_changes_nothing(supervisor, preview):
    url = preview()
    digest = seen(supervisor.get(url))
    supervisor.post(url, {"seen": digest})
    assert bytes(PeopleUpload.objects.get().content) == b""
    count = User.objects.count()
    response = supervisor.post(url, {"seen": digest}, follow=True)
    assert "These people were imported already." in text(response)
    assert User.objects.count() == count


@pytest.mark.parametrize("change", ["update", "create", "role", "deactivate"])
def test_people_who_changed_meanwhile_are_previewed_again(supervisor, preview, alice, change):
    url = preview()
    digest = seen(supervisor.get(url))
    if change == "update":
        User.objects.filter(pk=alice.pk).update(department="Legal")
    elif change == "create":
        User.objects.create_user("nora@example.com", full_name="Nora Already")
    elif change == "role":
        alice.set_role(Role.SUPERVISOR)
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    before = list(User.objects.order_by("pk").values())
    response = supervisor.post(url, {"seen": digest})
    assert "People have changed since the preview, so nothing was imported." in text(response)
    assert list(User.objects.order_by("pk").values()) == before
    response = supervisor.post(url, {"seen": seen(response)}, follow=True)
    assert "No emails were sent." in text(response)


@pytest.mark.parametrize("data", [{}, {"seen": ""}, {"seen": "0" * 64}])
def test_import_without_a_preview_is_previewed(supervisor, preview, unchanged_people, data):
    assert "nothing was imported" in text(supervisor.post(preview(), data))


def test_lines_with_errors_are_listed_and_skipped_only_by_a_choice(supervisor, preview):
    url = preview(CONTENT + "x,Nobody,,\n,Nobody,,\n")
    response = supervisor.get(url)
    assert "Line 5, column “email”: Enter an email address like name@example.com." in text(response)
    assert "Line 6, column “email”: an email address is required." in text(response)
    assert 'value="Import 2 people, skip the other lines"' in response.content.decode()
    assert "1 person created. 1 person updated." in text(confirm(supervisor, url))


def test_file_that_changes_nothing_offers_no_import(supervisor, preview):
    page = supervisor.get(preview("email\nbob@example.com\nx\n")).content.decode()
    assert "There is nothing to import." in page
    assert "Import 0" not in page


def test_preview_shows_the_first_200_lines_and_counts_all(supervisor, preview):
    rows = "".join(f"p{number}@example.com\n" for number in range(230))
    bad = "".join(f"x{number}\n" for number in range(205))
    response = supervisor.get(preview("email\n" + rows + bad))
    assert response.content.decode().count("<tr>") == 201
    page = text(response)
    assert "Create 230" in page
    assert "30 more lines are not shown." in page
    assert "And 5 more." in page


BAD_FILES = {
    "none": (b"", "The file is empty."),
    "header alone": (b"email,name\n", "The file has a header, but no people."),
    "no address": (b"name\nNora\n", "Line 1: there is no column with the email address. Name it “email”."),
    "workbook": (b"PK\x03\x04", "Line 1: this is an Excel workbook. Save it as CSV (UTF-8) first."),
    "not CSV": (b'email,name\n"a@example.com,x\n', "this is not CSV"),
    "too many": (b"email\n" + b"a@example.com\n" * 4, "The file has more than 10,000 people."),
    "too large": (b"email\n" + b"a" * 300, "The file is larger than 5 MB."),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_unreadable_file_is_refused_with_the_reason(supervisor, monkeypatch, content, message):
    monkeypatch.setattr(import_pages, "MOST_ROWS", 3)
    monkeypatch.setattr(import_pages, "LARGEST", 200)
    assert message in text(upload(supervisor, content))
    assert not PeopleUpload.objects.exists()


def test_form_without_a_file_says_so(supervisor):
    assert "Choose a file." in text(supervisor.post(IMPORT))


def test_what_the_file_says_is_shown_as_text(supervisor, preview):
    """THREATS 15."""
    url = preview('email,name,"<b>x</b>"\nnora@example.com,<script>alert(1)</script>,\n<i>,,\n')
    page = supervisor.get(url).content.decode()
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


# Who sees an upload, and for how long
def test_upload_belongs_to_its_uploader(preview, client_of, ann, alice, root):
    url = preview()
    assert client_of(root).get(url).status_code == 404
    assert client_of(root).post(url, {"seen": "x"}).status_code == 404
    assert client_of(ann).get(url).status_code == 403
    assert client_of(alice).get(url).status_code == 302


@pytest.mark.parametrize("path", [IMPORT, INVITE])
def test_only_who_may_create_people_may_import_and_invite(client_of, ann, path):
    waiting = User.objects.create(email="nora@example.com", password="!")
    Invitation.objects.create(person=waiting)
    assert client_of(ann).get(path).status_code == 403
    assert client_of(ann).post(path).status_code == 403
    assert Invitation.objects.get().asked_at is None


def test_upload_expires_and_is_deleted(supervisor, preview, unchanged_people):
    url = preview()
    digest = seen(supervisor.get(url))
    later = timezone.now() + PeopleUpload.KEPT + timedelta(minutes=1)
    with time_machine.travel(later, tick=False):
        for response in (
            supervisor.get(url, follow=True),
            supervisor.post(url, {"seen": digest}, follow=True),
        ):
            assert "The preview has expired. Choose the file again." in text(response)
        next(job for job in JOBS if job.name == "delete_expired_uploads").run()
    assert not PeopleUpload.objects.exists()


# Invitations
def test_invitation_is_asked_for_on_a_page_of_its_own(supervisor, preview, settings):
    settings.HAS_MAIL_PROVIDER = True
    confirm(supervisor, preview())
    page = supervisor.get(INVITE)
    assert "1 imported person has no password and was not invited." in text(page)
    assert "Nora Diaz nora@example.com" in text(page)
    assert not Notification.objects.exists()
    response = supervisor.post(INVITE, follow=True)
    assert "1 person will be invited." in text(response)
    assert INVITE not in response.content.decode()
    assert "Everyone who was imported was invited, or has a password." in text(supervisor.get(INVITE))
    next(job for job in JOBS if job.name == "send_invitations").run()
    assert Notification.objects.get().address == "nora@example.com"
