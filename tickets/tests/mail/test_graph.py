"""Each answer of Microsoft Graph, and what becomes of the email: cases 33 to 43 of mail.md."""

from datetime import date, timedelta
from email import message_from_bytes

import pytest
import time_machine
from django.utils import timezone

from tickets.mail import access_tokens, alarms, graph, pause
from tickets.mail.sending.delivery import deliver_due
from tickets.models import MailboxState, Notification, OutboxPause
from tickets.notifications import outbox
from tickets.tests.mail.mailboxes import make_mailbox
from tickets.tests.microsoft import Microsoft

pytestmark = pytest.mark.django_db
State, Reason = Notification.State, OutboxPause.Reason
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SECRET = "a client secret nobody may see"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def microsoft(settings):
    with Microsoft() as server:
        settings.HAS_MAIL_PROVIDER = True
        settings.MESSAGE_ID_DOMAIN = "company.example"
        settings.MICROSOFT_LOGIN_URL, settings.MICROSOFT_GRAPH_URL = server.url, f"{server.url}/v1.0"
        yield server


@pytest.fixture
def mailbox(microsoft):
    fields = {"sends_by": "graph", "auth": "microsoft_app", "tenant": "a-tenant", "client_id": "an-app"}
    return make_mailbox({"client_secret": SECRET}, **fields)


@pytest.fixture
def queue(mailbox, alice):
    def queue() -> Notification:
        outbox.enqueue_account_mail(alice, "welcome", address=alice.email)
        return Notification.objects.latest("pk")

    return queue


@pytest.fixture
def row(clock, queue):
    return queue()


def after_trying(row: Notification) -> tuple[str, int]:
    deliver_due()
    row.refresh_from_db()
    return row.state, row.attempts


def paused_for(mailbox) -> timedelta:
    return pause.state(mailbox.pk).until - timezone.now()


def says(words: str) -> bool:
    return any(words in alarm for alarm in alarms.alarms())


def test_33_accepted_mail_is_sent_as_mime(microsoft, row, mailbox):
    assert after_trying(row) == (State.SENT, 1)
    message = message_from_bytes(microsoft.sent[0])
    assert message["From"] == f"Helpdesk <{mailbox.address}>"
    assert (message["To"], message["Message-ID"]) == ("alice@example.com", row.message_id)
    assert microsoft.searches == 0
    (asked,) = microsoft.asked
    assert asked["path"] == "/a-tenant/oauth2/v2.0/token"
    assert asked["scope"] == "https://graph.microsoft.com/.default"
    assert alarms.alarms() == []


def test_33_one_token_serves_many_mails(microsoft, row, queue):
    queue()
    assert deliver_due() == 2
    assert len(microsoft.asked) == 1


def test_34_accepted_and_asked_for_a_pause(microsoft, row, queue, mailbox, clock):
    other = queue()
    microsoft.retry_after = "20"
    assert after_trying(row) == (State.SENT, 1)
    assert paused_for(mailbox) == 20 * SECOND
    other.refresh_from_db()
    assert (other.state, len(microsoft.sent)) == (State.WAITING, 1)
    assert alarms.alarms() == []
    clock.shift(21 * SECOND)
    assert after_trying(other) == (State.SENT, 1)


def test_35_refused_token_is_renewed_once(microsoft, row):
    microsoft.behave = [(401, "InvalidAuthenticationToken"), 202]
    assert after_trying(row) == (State.SENT, 1)
    assert len(microsoft.asked) == 2


def test_35_token_refused_again_refuses_the_mailbox(microsoft, row):
    microsoft.behave = (401, "InvalidAuthenticationToken")
    assert after_trying(row) == (State.WAITING, 0)
    assert len(microsoft.asked) == 2
    assert says("can't send")


def test_36_no_access_is_refused_with_a_hint(microsoft, row):
    microsoft.behave = (403, "ErrorAccessDenied")
    assert after_trying(row) == (State.WAITING, 0)
    assert says("two hours")


def test_37_unknown_mailbox_is_refused(microsoft, row):
    microsoft.behave = (404, "ErrorInvalidUser")
    assert after_trying(row) == (State.WAITING, 0)
    assert says("ErrorInvalidUser")


def test_38_throttling_pauses_as_long_as_asked(microsoft, row, mailbox):
    microsoft.behave, microsoft.retry_after = (429, "ApplicationThrottled"), "37"
    assert after_trying(row) == (State.WAITING, 0)
    assert paused_for(mailbox) == 37 * SECOND
    assert alarms.alarms() == []


def test_39_error_that_lies_sends_one_mail(microsoft, row, clock):
    microsoft.behave = ["lie", 202]
    assert after_trying(row) == (State.WAITING, 1)
    clock.move_to(row.next_try_at + SECOND)
    assert after_trying(row) == (State.SENT, 2)
    assert (len(microsoft.sent), microsoft.searches) == (1, 1)
    assert row.provider_id == row.message_id.strip("<>")


def test_39_throttling_that_lies_sends_one_mail(microsoft, row, mailbox, clock):
    microsoft.behave = [("lie", 429, "ApplicationThrottled"), 202]
    assert after_trying(row) == (State.WAITING, 0)
    clock.move_to(pause.state(mailbox.pk).until + SECOND)
    assert after_trying(row) == (State.SENT, 1)
    assert (len(microsoft.sent), microsoft.searches) == (1, 1)


@pytest.mark.parametrize("status", [403, 500])
def test_39_nobody_can_look(microsoft, row, clock, status):
    """Without the right to read it is sent again; a search that fails for now is no answer, so it waits."""
    microsoft.behave, microsoft.search_status = [500, 202], status
    assert after_trying(row) == (State.WAITING, 1)
    clock.move_to(row.next_try_at + SECOND)
    assert after_trying(row) == ((State.SENT, 2) if status == 403 else (State.WAITING, 2))
    assert len(microsoft.sent) == (status == 403)


def test_39_error_that_is_true_sends_it_again(microsoft, row, clock):
    microsoft.behave = [500, 202]
    assert after_trying(row) == (State.WAITING, 1)
    clock.move_to(row.next_try_at + SECOND)
    assert after_trying(row) == (State.SENT, 2)
    assert (len(microsoft.sent), microsoft.searches) == (1, 1)


def test_40_without_its_id_nobody_can_look_and_the_row_says_so(microsoft, row, mailbox, clock):
    MailboxState.objects.create(mailbox=mailbox, keeps_message_id=False)
    microsoft.behave = ["lie", 202]
    assert after_trying(row) == (State.WAITING, 1)
    clock.move_to(row.next_try_at + SECOND)
    assert after_trying(row) == (State.SENT, 2)
    assert (len(microsoft.sent), microsoft.searches) == (2, 0)
    assert row.last_error == "An earlier attempt may have arrived too."


@pytest.mark.parametrize("answer", [(400, "ErrorInvalidRecipients"), (413, "ErrorMessageSizeExceeded")])
def test_41_rejected_mail_fails(microsoft, row, answer):
    microsoft.behave = answer
    assert after_trying(row) == (State.FAILED, 1)
    assert alarms.alarms() == []


@pytest.mark.parametrize(
    ("answer", "minutes"), [((400, "ErrorExceededMessageLimit"), 60), ((507, "ErrorQuotaExceeded"), 5)]
)
def test_41_limits_of_the_mailbox_pause_it(microsoft, row, mailbox, answer, minutes):
    microsoft.behave = answer
    assert after_trying(row) == (State.WAITING, 0)
    assert paused_for(mailbox) == minutes * MINUTE


def test_42_ended_secret_says_when(microsoft, row, mailbox):
    mailbox.secret_expires_on = date(2026, 5, 3)
    mailbox.save()
    why = "AADSTS7000222: The provided client secret keys for app 'x' are expired.\r\nTrace ID: 1"
    microsoft.tokens = (401, {"error": "invalid_client", "error_description": why})
    assert after_trying(row) == (State.WAITING, 0)
    assert says("The client secret ended on 3 May 2026")
    assert SECRET not in row.last_error


def test_43_busy_token_server_counts_and_is_unreachable_in_the_end(microsoft, queue, mailbox, clock):
    for _mail in range(3):
        queue()
    microsoft.tokens = (503, {"error": "temporarily_unavailable"})
    deliver_due()
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.WAITING, 1)}
    assert pause.reason(mailbox.pk) == Reason.SILENT
    assert not says("does not respond")
    clock.shift(11 * MINUTE)
    assert says("does not respond")


def test_token_goes_to_no_other_host(microsoft, mailbox):
    client = graph.Client(mailbox)
    for url in (
        "https://evil.example/v1.0/x",
        f"{microsoft.url}/v1.0.evil.example/",
        "http://localhost/v1.0/",
    ):
        with pytest.raises(graph.ForeignUrl):
            client.get(url)
    client.close()
    assert microsoft.asked == []


def test_token_in_the_database_is_encrypted(microsoft, mailbox):
    token = access_tokens.access_token(mailbox)
    state = MailboxState.objects.get()
    assert token not in state.access_token
    assert access_tokens.access_token(mailbox) == token
    assert len(microsoft.asked) == 1
