"""People of an import are invited later, once, and a run that was killed goes on."""

import io

import pytest
from django.core.management import call_command

from accounts import invitations
from accounts.invitations import PER_RUN, ask_to_invite, send_due
from accounts.models import Invitation, User
from tickets.jobs import JOBS
from tickets.models import Notification

pytestmark = pytest.mark.django_db
JOB = next(job for job in JOBS if job.name == "send_invitations")


def waiting(number: int, **fields) -> User:
    person = User(email=f"p{number}@example.com", full_name=f"Person {number}", **fields)
    person.set_unusable_password()
    person.save()
    person.emailaddress_set.create(email=person.email, verified=True, primary=True)
    Invitation.objects.create(person=person)
    return person


@pytest.fixture
def provider(settings):
    """Emails stay in the outbox: only the worker would send them."""
    settings.HAS_MAIL_PROVIDER = True


@pytest.fixture
def crowd(provider):
    return [waiting(number) for number in range(PER_RUN + 5)]


def invited() -> list[str]:
    rows = Notification.objects.filter(kind="account_created").order_by("address")
    return list(rows.values_list("address", flat=True))


def command(*arguments: str) -> str:
    said = io.StringIO()
    call_command("import_people", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def test_no_one_is_invited_before_it_is_asked_for(crowd):
    JOB.run()
    assert invited() == []


def test_everyone_is_invited_once_a_few_at_a_time(crowd):
    assert "15 will be invited." in command("--invite-waiting")
    JOB.run()
    assert len(invited()) == PER_RUN  # emails about tickets go in between
    JOB.run()
    JOB.run()
    assert invited() == sorted(person.email for person in crowd)
    assert "0 will be invited." in command("--invite-waiting")
    JOB.run()
    assert len(invited()) == len(crowd)


def test_killed_run_goes_on_and_repeats_no_email(crowd, monkeypatch):
    ask_to_invite()
    sent = []

    def killed(sender, person, **kwargs):
        if len(sent) == 3:
            raise KeyboardInterrupt
        sent.append(person.email)

    with monkeypatch.context() as patch:
        patch.setattr(invitations.account_mail_requested, "send", lambda **kwargs: killed(**kwargs))
        with pytest.raises(KeyboardInterrupt):
            send_due()
    assert Invitation.objects.exclude(sent_at=None).count() == 3
    send_due(most=None)
    assert not set(sent) & set(invited())
    assert len(sent) + len(invited()) == len(crowd)


def test_two_runs_at_once_send_one_email(crowd):
    """Both have read the same rows."""
    ask_to_invite()
    first = Invitation.objects.due().select_related("person")[0]
    assert invitations._send(first)
    assert not invitations._send(first)
    assert len(invited()) == 1


def test_who_has_a_password_meanwhile_or_left_gets_none(provider):
    early, left, late = waiting(1), waiting(2), waiting(3)
    early.set_password("correct horse battery staple")
    early.save()
    left.is_active = False
    left.save()
    assert ask_to_invite() == 1
    late.set_password("correct horse battery staple")
    late.save()
    JOB.run()
    assert invited() == []


def test_file_invites_its_own_people_and_those_of_an_earlier_silent_import(tmp_path, provider, roles):
    other, path = waiting(7), tmp_path / "people.csv"
    path.write_text("email\nnora@example.com\n")
    command(str(path))
    path.write_text("email\nnora@example.com\nomar@example.com\n")
    assert "2 will be invited." in command(str(path), "--invite")
    JOB.run()
    assert invited() == ["nora@example.com", "omar@example.com"]
    assert "0 will be invited." in command(str(path), "--invite")
    assert list(Invitation.objects.waiting()) == [other.invitation]


def test_email_has_a_link_to_choose_a_password(client, mailoutbox, django_capture_on_commit_callbacks):
    person = waiting(1)
    with django_capture_on_commit_callbacks(execute=True):
        ask_to_invite()
    (mail,) = mailoutbox
    assert mail.to == [person.email]
    assert "You now have an account at the helpdesk." in mail.body
    assert "You asked" not in mail.body
    link = next(word for word in mail.body.split() if "/accounts/password/reset/key/" in word)
    page = client.get(link.removeprefix("http://localhost:8000"), follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": "a brand new passphrase 7"})
    person.refresh_from_db()
    assert person.check_password("a brand new passphrase 7")


def test_without_a_provider_all_are_printed_now(mailoutbox, django_capture_on_commit_callbacks):
    people = [waiting(number) for number in range(PER_RUN + 2)]
    with django_capture_on_commit_callbacks(execute=True):
        ask_to_invite()
    assert len(mailoutbox) == len(people)
