"""Reading a mailbox of Microsoft 365 by the delta query."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tickets.mail import alarms
from tickets.mail.receiving.fetching import connecting, leases, rounds
from tickets.mail.receiving.fetching.connecting import Old
from tickets.models import Arrival, InboundEmail, Mailbox, MailboxState, Ticket
from tickets.tests.graph_mailbox import GraphMailbox
from tickets.tests.mail.fetching.conftest import raw_mail
from tickets.tests.mail.fetching.test_rounds import kill_at

pytestmark = pytest.mark.django_db
Health = MailboxState.Health


@pytest.fixture
def graph(settings):
    with GraphMailbox() as server:
        settings.MICROSOFT_LOGIN_URL, settings.MICROSOFT_GRAPH_URL = server.url, f"{server.url}/v1.0"
        yield server


@pytest.fixture
def new_mailbox(graph) -> Mailbox:
    mailbox = Mailbox(name="IT", address="support@example.com", sends_by="no", fetches_by="graph")
    mailbox.auth, mailbox.tenant, mailbox.client_id = Mailbox.Auth.MICROSOFT_APP, "a-tenant", "an-app"
    mailbox.proof, mailbox.authserv_id = Mailbox.Proof.RESULTS, "mx.example.com"
    mailbox.secrets = {"client_secret": "a very secret value"}
    mailbox.save()
    return mailbox


@pytest.fixture
def mailbox(new_mailbox) -> Mailbox:
    assert rounds.fetch(new_mailbox).problem == ""
    # What arrives in this second is new: Graph tells times in seconds.
    MailboxState.objects.update(from_moment=timezone.now() - timedelta(seconds=2))
    return new_mailbox


def state() -> MailboxState:
    return MailboxState.objects.get()


def test_new_email_is_filed_and_moved(graph, mailbox, alice):
    (number,) = graph.put(raw_mail(1))
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (1, 1, "")
    email = InboundEmail.objects.get()
    assert (email.state, email.route, bytes(email.raw)) == ("filed", "graph", raw_mail(1))
    assert Arrival.objects.get().place == number
    assert graph.in_folder("Helpdesk") == [number]
    assert graph.preferred == {'IdType="ImmutableId", odata.maxpagesize=50'}
    assert rounds.fetch(mailbox).stored == 0
    assert Ticket.objects.count() == 1


def test_several_pages_are_read(graph, mailbox):
    graph.put(*[raw_mail(number, sender="vera@vendor.example") for number in range(8)])
    assert rounds.fetch(mailbox).stored == 8
    assert len(graph.in_folder("Helpdesk")) == 8


def test_a_round_takes_fifty_emails_and_the_next_goes_on(graph, mailbox):
    graph.put(*[raw_mail(number, sender="vera@vendor.example") for number in range(60)])
    first, second = rounds.fetch(mailbox), rounds.fetch(mailbox)
    assert (first.stored, first.is_more_waiting) == (50, True)
    assert (second.stored, second.is_more_waiting) == (10, False)


@pytest.mark.parametrize("after", [Mailbox.After.MARK, Mailbox.After.LEAVE])
def test_email_is_marked_or_left(graph, mailbox, alice, after):
    mailbox.after = after
    mailbox.save()
    (number,) = graph.put(raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1
    assert graph.messages[number]["isRead"] == (after == Mailbox.After.MARK)
    assert graph.in_folder("inbox") == [number]
    graph.touch(number)
    assert rounds.fetch(mailbox).stored == 0


@pytest.mark.parametrize(
    "status", [(410, "resyncRequired"), (404, "syncStateNotFound"), (400, "SyncStateInvalid")]
)
def test_70_forgotten_position_begins_anew_and_nothing_is_filed_twice(graph, mailbox, alice, status):
    mailbox.after = Mailbox.After.LEAVE
    mailbox.save()
    graph.put(*[raw_mail(number) for number in range(5)])
    assert rounds.fetch(mailbox).stored == 5
    graph.put(raw_mail(5))
    graph.faults["$deltatoken"] = status
    result = rounds.fetch(mailbox)
    assert (result.stored, result.problem) == (1, "")
    assert InboundEmail.objects.count() == Arrival.objects.count() == 6


def test_71_link_to_another_host_is_refused_and_not_called(graph, mailbox, alice):
    with GraphMailbox() as other:
        graph.next_host = other.url
        graph.put(raw_mail(1))
        assert rounds.fetch(mailbox).problem == "Microsoft Graph sent a link to another address."
        assert rounds.fetch(mailbox).problem
        assert other.paths == []
    assert state().fetch_state == Health.REFUSED
    assert any("another address" in alarm for alarm in alarms.alarms())
    assert Ticket.objects.count() == 1  # the email itself was good


def test_72_email_that_is_gone_is_skipped(graph, mailbox, alice):
    graph.put(raw_mail(1), raw_mail(2))
    graph.faults["/$value"] = (404, "ErrorItemNotFound")
    result = rounds.fetch(mailbox)
    assert (result.stored, result.problem) == (1, "")
    assert InboundEmail.objects.get().identity == "<2@example.com>"


@pytest.mark.parametrize(
    "fault", [(500, "ErrorMimeContentConversionFailed"), (502, ""), (400, "ErrorInvalidRequest")]
)
def test_email_that_graph_never_hands_out_is_given_up_after_three_rounds(graph, mailbox, alice, fault):
    bad, good = graph.put(raw_mail(1), raw_mail(2))
    graph.faults[f"{bad}/$value"] = fault
    graph.always.add(f"{bad}/$value")
    for _round in range(rounds.STUCK_ROUNDS + 1):
        assert str(fault[0]) in rounds.fetch(mailbox).problem
        assert not InboundEmail.objects.exists()
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (2, 1, "")
    stub, filed = InboundEmail.objects.order_by("pk")
    assert (stub.state, filed.state) == ("failed", "filed")
    assert bad.encode() in bytes(stub.raw)
    assert Arrival.objects.get(email=stub).place == bad
    assert (graph.in_folder("inbox"), graph.in_folder("Helpdesk")) == ([bad], [good])
    assert any("could not be read" in alarm for alarm in alarms.alarms())


def test_throttled_or_forbidden_email_is_never_given_up(graph, mailbox, alice):
    graph.put(raw_mail(1))
    graph.always.add("/$value")
    for fault in [(429, "ApplicationThrottled"), (403, "ErrorAccessDenied")] * 5:
        graph.faults["/$value"] = fault
        assert rounds.fetch(mailbox).problem
    graph.always.clear()
    graph.faults.clear()
    assert rounds.fetch(mailbox).stored == 1
    assert InboundEmail.objects.get().state == "filed"


def test_removed_email_is_no_email(graph, mailbox):
    (number,) = graph.put(raw_mail(1))
    graph.messages[number]["folder"] = "elsewhere"
    assert rounds.fetch(mailbox).stored == 0
    assert not [path for path in graph.paths if "$value" in path]


def test_73_old_emails_are_not_read_even_if_a_person_marks_them(graph, new_mailbox):
    numbers = graph.put(*[raw_mail(number) for number in range(10)], at=datetime(2026, 1, 1, tzinfo=UTC))
    assert rounds.fetch(new_mailbox).stored == 0
    graph.touch(numbers[4])
    assert rounds.fetch(new_mailbox).stored == 0
    assert not [path for path in graph.paths if "$value" in path]


def test_last_days_or_all_are_counted_and_read(graph, new_mailbox):
    now = timezone.now()
    graph.put(raw_mail(1, sender="vera@vendor.example"), at=now - timedelta(days=10))
    graph.put(raw_mail(2, sender="vera@vendor.example"), at=now - timedelta(days=2))
    assert connecting.count(new_mailbox) == connecting.Lying(total=2, of_days={1: 0, 7: 1, 30: 2})
    connecting.connect(new_mailbox, Old.DAYS, days=7)
    assert rounds.fetch(new_mailbox).stored == 1
    connecting.connect(new_mailbox, Old.ALL)
    assert rounds.fetch(new_mailbox).stored == 1


def test_killed_after_storing_is_moved_later(graph, mailbox, alice, monkeypatch):
    (number,) = graph.put(raw_mail(1))
    kill_at(monkeypatch, rounds, "_dispose")
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved) == (0, 1)
    assert graph.in_folder("Helpdesk") == [number]
    assert Ticket.objects.count() == 1


def test_deleted_folder_for_read_email_is_made_anew(graph, mailbox, alice):
    graph.put(raw_mail(1))
    assert rounds.fetch(mailbox).moved == 1
    graph.folders = {"inbox": "inbox"}
    graph.put(raw_mail(2))
    assert rounds.fetch(mailbox).moved == 1


def test_email_that_cannot_be_moved_is_filed_and_moved_later(graph, mailbox, alice):
    graph.faults["/move"] = (400, "ErrorMoveCopyFailed")
    graph.put(raw_mail(1))
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (1, 0, "")
    MailboxState.objects.update(next_move_at=timezone.now())
    assert rounds.fetch(mailbox).moved == 1


@pytest.mark.parametrize("status", [301, 400, 403, 404, 409, 412, 500, 502])
@pytest.mark.parametrize(
    ("after", "path"),
    [("move", "/move"), ("move", "POST /v1.0/users/support@example.com/mailFolders"), ("mark", "PATCH")],
)
def test_move_that_fails_for_ever_slows_no_reading(graph, mailbox, alice, status, after, path):
    mailbox.after = after
    mailbox.save()
    graph.put(raw_mail(1), raw_mail(2))
    graph.faults[path] = (status, "ErrorOfThisMove")
    graph.always.add(path)
    result = rounds.fetch(mailbox)
    is_gone = after == "mark" and status == 404
    assert (result.stored, result.moved, result.problem) == (2, 2 if is_gone else 0, "")
    assert state().fetch_state == Health.OK
    assert is_gone or state().next_move_at > timezone.now() + timedelta(minutes=59)
    graph.faults.clear()
    MailboxState.objects.update(next_move_at=timezone.now())
    assert rounds.fetch(mailbox).moved == (0 if is_gone else 2)


@pytest.mark.parametrize(
    ("status", "health"), [(401, Health.REFUSED), (429, Health.SLOW), (503, Health.SLOW)]
)
def test_move_that_no_request_survives_ends_the_round(graph, mailbox, alice, status, health):
    graph.put(raw_mail(1), raw_mail(2))
    graph.faults["/move"] = (status, "ErrorOfAll")
    graph.always.add("/move")
    assert rounds.fetch(mailbox).problem
    assert InboundEmail.objects.count() == 1
    assert state().fetch_state == health


def test_email_that_is_too_large_is_kept_as_headers(graph, mailbox, alice):
    (number,) = graph.put(raw_mail(1) + (b"x" * 76 + b"\r\n") * (27 * 1024 * 1024 // 78))
    assert rounds.fetch(mailbox).stored == 1
    email = InboundEmail.objects.get()
    assert (email.state, email.reason) == ("failed", "too_complex")
    assert len(bytes(email.raw)) < 2000
    assert graph.in_folder("inbox") == [number]


def test_other_folder_than_the_inbox_is_found_by_its_name(graph, mailbox):
    mailbox.folder = "IT's"
    mailbox.save()
    assert rounds.fetch(mailbox).problem == "There is no folder IT's."
    graph.folders["folder="] = "IT's"
    assert rounds.fetch(mailbox).problem == ""
    assert any("/mailFolders/folder=/messages/delta" in path for path in graph.paths)


def test_token_that_is_refused_is_renewed_once(graph, mailbox, alice):
    graph.valid_tokens.clear()
    graph.put(raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1


def test_63_revoked_access_is_an_alarm_at_once(graph, mailbox):
    graph.valid_tokens.clear()
    graph.tokens = (401, {"error": "invalid_client", "error_description": "AADSTS7000222: expired."})
    assert rounds.fetch(mailbox).problem
    assert state().fetch_state == Health.REFUSED
    (alarm,) = alarms.alarms()
    assert "can't be read" in alarm
    assert "a very secret value" not in alarm


@pytest.mark.parametrize(
    ("fault", "health"),
    [
        ((403, "ErrorAccessDenied"), Health.REFUSED),
        ((404, "ErrorInvalidUser"), Health.REFUSED),
        ((429, "ApplicationThrottled"), Health.SLOW),
        ((503, "serviceNotAvailable"), Health.SLOW),
        ((500, "InternalServerError"), Health.UNREACHABLE),
    ],
)
def test_answer_decides_what_the_mailbox_is(graph, mailbox, fault, health):
    graph.faults["/delta"] = fault
    problem = rounds.fetch(mailbox).problem
    assert str(fault[0]) in problem
    assert state().fetch_state == health
    assert list(leases.due()) == []


def test_server_that_is_gone_is_unreachable(mailbox, settings):
    settings.MICROSOFT_GRAPH_URL = "http://127.0.0.1:1/v1.0"
    MailboxState.objects.update(delta_link="")
    assert rounds.fetch(mailbox).problem == "The connection failed: ConnectionError"
    assert state().fetch_state == Health.UNREACHABLE
