"""Each answer of an SMTP server at each step, and what becomes of the email: cases 1 to 26 and 51 of mail.md."""

import logging
import socket
import threading
from base64 import b64decode, b64encode
from datetime import timedelta
from email import message_from_bytes

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.db import connection
from django.utils import timezone

from tickets.mail import alarms, pause
from tickets.mail.sending import claiming, delivery
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.sending.transports.outcome import Later, Never, SenderRefused, Slow
from tickets.mail.sending.transports.smtp_answers import SmtpStep, failure
from tickets.models import MailboxState, Notification, OutboxPause, SuppressedAddress
from tickets.notifications import outbox
from tickets.tests.mail.mailboxes import smtp_mailbox
from tickets.tests.smtp_server import GOOD, SmtpServer, certificate

pytestmark = pytest.mark.django_db
State, Reason = Notification.State, OutboxPause.Reason
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PASSWORD = "a very secret password"


@pytest.fixture(autouse=True)
def provider(settings):
    settings.HAS_MAIL_PROVIDER = True
    settings.MESSAGE_ID_DOMAIN = "company.example"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def server():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def mailbox(server):
    return smtp_mailbox(server)


@pytest.fixture
def queue(mailbox, alice):
    def queue(person=alice) -> Notification:
        outbox.enqueue_account_mail(person, "welcome", address=person.email)
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


def raised() -> list[str]:
    return alarms.alarms()


def test_01_accepted_mail_is_sent_with_the_id_of_the_server(server, row, mailbox):
    assert after_trying(row) == (State.SENT, 1)
    assert row.provider_id == "4F2A99B"
    ((sender, recipient, body),) = server.mails
    assert (sender, recipient) == (mailbox.address, "alice@example.com")
    message = message_from_bytes(body)
    assert message["From"] == f"Helpdesk <{mailbox.address}>"
    assert message["Message-ID"] == row.message_id
    assert MailboxState.objects.get().send_state == "ok"
    assert raised() == []


def test_01_a_real_server_takes_it_with_both_parts(row, mailbox):
    class Inbox:
        mails = []

        async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name is aiosmtpd's
            self.mails.append(envelope)
            return "250 2.0.0 taken"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Inbox(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        mailbox.smtp_port, mailbox.user = port, ""
        mailbox.save()
        assert after_trying(row) == (State.SENT, 1)
    finally:
        controller.stop()
    (envelope,) = Inbox.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == (mailbox.address, ["alice@example.com"])
    message = message_from_bytes(envelope.original_content)
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]


def test_01_one_connection_carries_many_mails(server, queue, clock, bob, charlie):
    for person in (bob, charlie, bob):
        queue(person)
    assert deliver_due() == 3
    assert (server.connections_seen, server.count("AUTH")) == (1, 1)


def test_02_refused_connection_waits_a_minute_and_counts(server, row, mailbox):
    mailbox.smtp_port = 9
    mailbox.save()
    before = timezone.now()
    assert after_trying(row) == (State.WAITING, 1)
    assert 48 * SECOND <= row.next_try_at - before <= 75 * SECOND
    assert raised() == []


def test_03_refused_three_times_for_ten_minutes_is_unreachable(server, queue, clock, mailbox):
    mailbox.smtp_port = 9
    mailbox.save()
    for _mail in range(3):
        queue()
    deliver_due()
    assert pause.reason(mailbox.pk) == Reason.SILENT
    assert raised() == []
    clock.shift(6 * MINUTE)
    deliver_due()
    clock.shift(5 * MINUTE)
    assert any("does not respond" in alarm and mailbox.address in alarm for alarm in raised())


@pytest.mark.parametrize("host", ["mail.company.invalid", "mail..company.example", f"{'a' * 64}.example"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_04_name_that_is_gone_is_like_a_refused_connection(row, mailbox, host, security):
    mailbox.smtp_security, mailbox.smtp_host = security, host
    mailbox.save()
    assert after_trying(row) == (State.WAITING, 1)
    assert MailboxState.objects.get().send_state == "unreachable"


def test_04_server_without_a_name_is_not_this_machine(row, mailbox):
    mailbox.smtp_host = ""
    mailbox.save()
    assert after_trying(row) == (State.WAITING, 0)
    assert any("name of the SMTP server" in alarm for alarm in raised())


def test_05_busy_greeting_waits(server, row):
    server.answers["GREETING"] = "421 4.3.2 busy"
    assert after_trying(row) == (State.WAITING, 1)
    assert raised() == []


@pytest.fixture
def encrypted(tmp_path, monkeypatch):
    """Gives a server whose certificate is for `host`, and lets the helpdesk trust its issuer."""
    opened = []

    def start(host: str) -> SmtpServer:
        context, path = certificate(tmp_path, host)
        monkeypatch.setenv("SSL_CERT_FILE", path)
        opened.append(SmtpServer(tls=context).__enter__())
        return opened[-1]

    yield start
    for server in opened:
        server.__exit__()


def use(mailbox, server, security: str) -> None:
    mailbox.smtp_port, mailbox.smtp_security = server.port, security
    mailbox.save()


def test_06_certificate_of_another_host_is_refused_at_once(encrypted, row, mailbox):
    use(mailbox, encrypted("other.example"), "tls")
    assert after_trying(row) == (State.WAITING, 0)
    assert any("certificate" in alarm for alarm in raised())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_06_certificate_that_is_right_encrypts_everything(encrypted, row, mailbox, security):
    server = encrypted("127.0.0.1")
    if security == "starttls":
        server.answers["EHLO"] = ["250-here\r\n250 STARTTLS", GOOD["EHLO"]]
    use(mailbox, server, security)
    assert after_trying(row) == (State.SENT, 1)


def test_06_certificate_nobody_vouches_for_is_refused(encrypted, row, mailbox, monkeypatch):
    server = encrypted("127.0.0.1")
    monkeypatch.delenv("SSL_CERT_FILE")
    use(mailbox, server, "tls")
    assert after_trying(row) == (State.WAITING, 0)
    assert server.lines == []


def test_07_without_starttls_nothing_is_sent_in_clear(server, row, mailbox):
    use(mailbox, server, "starttls")
    assert after_trying(row) == (State.WAITING, 0)
    assert {line.split()[0].upper() for line in server.lines} == {"EHLO", "QUIT"}
    assert any("STARTTLS" in alarm for alarm in raised())


def test_07_without_tls_only_a_server_on_this_machine_is_asked(row, mailbox):
    mailbox.smtp_host = "mail.company.example"
    mailbox.save()
    assert after_trying(row) == (State.WAITING, 0)
    assert any("on this machine" in alarm for alarm in raised())


def test_08_wrong_password_pauses_for_half_an_hour(server, row, mailbox, caplog):
    server.answers["AUTH"] = "535 5.7.8 bad credentials"
    assert after_trying(row) == (State.WAITING, 0)
    assert paused_for(mailbox) == 30 * MINUTE
    assert server.count("AUTH") == 1  # a second one could lock the account
    assert any("can't send" in alarm and mailbox.address in alarm for alarm in raised())
    assert [record.levelno for record in caplog.records if "refuses us" in record.message] == [logging.ERROR]


def test_08_password_of_any_letters_is_sent_as_it_is(server, row, mailbox):
    mailbox.secrets = {"password": "Grün & 秘密"}
    mailbox.save()
    assert after_trying(row) == (State.SENT, 1)
    (line,) = [line for line in server.lines if line.startswith("AUTH PLAIN")]
    assert b64decode(line.split()[-1]).decode() == "\0it\0Grün & 秘密"


def test_08_server_that_offers_login_alone(server, row):
    server.answers["EHLO"] = "250-here\r\n250 AUTH LOGIN"
    server.answers["AUTH"] = ["334 UGFzc3dvcmQ6", "235 welcome"]
    assert after_trying(row) == (State.SENT, 1)
    assert b64encode(PASSWORD.encode()).decode() in server.lines


def test_11_login_that_is_busy_pauses_for_a_minute(server, row, mailbox):
    server.answers["AUTH"] = "454 4.7.0 temporary failure"
    assert after_trying(row) == (State.WAITING, 0)
    assert paused_for(mailbox) == MINUTE
    assert raised() == []


def test_12_address_we_may_not_send_from_is_refused(server, row):
    server.answers["MAIL"] = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
    assert after_trying(row) == (State.WAITING, 0)
    assert any("does not let us send from this address" in alarm for alarm in raised())


def test_13_too_large_fails_and_can_be_sent_again(server, row):
    server.answers["MAIL"] = "552 5.3.4 message size exceeds fixed limit"
    assert after_trying(row) == (State.FAILED, 1)
    assert row.may_be_sent_again
    assert raised() == []


def test_14_greylisted_mail_leaves_at_the_second_try(server, row, clock):
    server.answers["RCPT"] = ["450 4.2.0 greylisted", "250 ok"]
    assert after_trying(row) == (State.WAITING, 1)
    clock.move_to(row.next_try_at + SECOND)
    assert after_trying(row) == (State.SENT, 2)


def test_15_greylisted_for_days_fails_in_the_end(server, row, clock):
    server.answers["RCPT"] = "450 4.2.0 greylisted"
    for _attempt in range(delivery.MOST_ATTEMPTS):
        is_silent = any("No email has been sent for" in alarm for alarm in raised())
        deliver_due()
        row.refresh_from_db()
        clock.move_to(max(row.next_try_at, timezone.now()) + SECOND)
    assert (row.state, row.attempts) == (State.FAILED, 9)
    assert is_silent


def test_16_unknown_recipient_fails_and_is_suppressed(server, row, queue):
    server.answers["RCPT"] = "550 5.1.1 no such user"
    assert after_trying(row) == (State.FAILED, 1)
    assert SuppressedAddress.objects.get().address == "alice@example.com"
    assert after_trying(queue())[0] == State.SUPPRESSED
    assert raised() == []


def test_17_full_mailbox_of_the_recipient_waits(server, row):
    server.answers["RCPT"] = "552 5.2.2 mailbox full"
    assert after_trying(row) == (State.WAITING, 1)
    assert not SuppressedAddress.objects.exists()


def test_18_policy_against_one_person_fails(server, row):
    server.answers["RCPT"] = "550 5.7.1 not allowed"
    assert after_trying(row) == (State.FAILED, 1)
    assert not SuppressedAddress.objects.exists()
    assert raised() == []


def test_18_policy_against_three_people_is_against_us(server, queue, clock, mailbox, alice, bob, charlie):
    server.answers["RCPT"] = "554 5.7.1 relay access denied"
    for person in (alice, bob, charlie):
        queue(person)
    deliver_due()
    assert set(Notification.objects.values_list("state", "attempts")) == {(State.WAITING, 0)}
    assert any("can't send" in alarm for alarm in raised())


@pytest.mark.parametrize("step", ["DATA", "BODY"])
def test_19_data_refused_for_now_waits(server, row, step):
    server.answers[step] = "451 4.3.0 try again"
    assert after_trying(row) == (State.WAITING, 1)


def test_20_spam_fails(server, row):
    server.answers["BODY"] = "550 5.7.1 looks like spam"
    assert after_trying(row) == (State.FAILED, 1)
    assert not SuppressedAddress.objects.exists()


@pytest.mark.parametrize("answer", ["432 4.3.2 too many connections", "450 4.7.28 unusual rate of mail"])
def test_21_too_fast_pauses_the_mailbox(server, row, queue, mailbox, bob, answer):
    other = queue(bob)
    server.answers["BODY"] = answer
    assert after_trying(row) == (State.WAITING, 0)
    assert paused_for(mailbox) == MINUTE
    other.refresh_from_db()
    assert (other.state, other.attempts) == (State.WAITING, 0)
    assert server.count("DATA") == 1
    assert raised() == []


def test_22_own_mailbox_is_full(server, row):
    server.answers["BODY"] = "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException"
    assert after_trying(row) == (State.WAITING, 0)
    assert any("The mailbox is full" in alarm for alarm in raised())


@pytest.mark.parametrize(
    "answer", ["550 5.4.5 Daily user sending limit exceeded", "554 5.2.0 SubmissionQuotaExceeded"]
)
def test_23_limit_of_the_day_pauses_for_an_hour(server, row, mailbox, answer):
    server.answers["BODY"] = answer
    assert after_trying(row) == (State.WAITING, 0)
    assert paused_for(mailbox) == 60 * MINUTE
    assert raised() == []


def test_24_cut_after_data_leaves_twice_with_one_message_id(server, row, clock):
    server.answers["BODY"] = ["cut", "250 ok"]
    assert after_trying(row) == (State.WAITING, 1)
    assert "may arrive twice" in row.last_error
    clock.move_to(row.next_try_at + SECOND)
    assert after_trying(row) == (State.SENT, 2)
    ids = [message_from_bytes(body)["Message-ID"] for _from, _to, body in server.mails]
    assert ids == [row.message_id] * 2


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "AUTH", "RCPT", "BODY"])
@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")
def test_25_server_that_answers_byte_by_byte_is_cut_off(server, row, mailbox, monkeypatch, step):
    monkeypatch.setattr(delivery, "SEND_SECONDS", 1)
    server.answers[step] = "drip"
    assert after_trying(row) == (State.WAITING, 1)
    assert "SendTimeout" in row.last_error
    assert MailboxState.objects.get().send_state == "unreachable"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["AUTH", "BODY"])
def test_25_another_thread_is_cut_off_too(server, row, monkeypatch, step):
    """Where a mailbox is tested, or the console prints: signals reach the main thread only."""
    monkeypatch.setattr(delivery, "SEND_SECONDS", 1)
    server.answers[step] = "drip"

    def work():
        try:
            deliver_due()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.WAITING, 1)


@pytest.mark.parametrize("answer", ["hello", "2x0 ok", "-"])
def test_25_answer_without_a_number_waits(server, row, answer):
    server.answers["MAIL"] = answer
    assert after_trying(row) == (State.WAITING, 1)


@pytest.mark.parametrize("step", SmtpStep)
@pytest.mark.parametrize("text", ["", "5.7.1 no", "4.7.0 \x00 rate", "x" * 3000])
def test_every_code_has_an_outcome(step, text):
    for code in range(200, 600):
        outcome = failure(step, code, text, wait=MINUTE)
        assert isinstance(outcome, Later | Slow | Never | SenderRefused)
        assert len(outcome.words) <= 1200
        assert "\0" not in outcome.words


def test_51_worker_killed_between_accept_and_write_sends_the_same_id(server, row, clock, monkeypatch):
    def die(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delivery.results, "record", die)
        with pytest.raises(KeyboardInterrupt):
            deliver_due()
    clock.shift(claiming.LEASE + SECOND)
    assert after_trying(row) == (State.SENT, 2)
    ids = {message_from_bytes(body)["Message-ID"] for _from, _to, body in server.mails}
    assert (ids, len(server.mails)) == ({row.message_id}, 2)


@pytest.mark.parametrize("step", ["AUTH", "MAIL"])
def test_104_server_that_repeats_the_password_puts_it_nowhere(server, row, step, caplog):
    encoded = b64encode(f"\0it\0{PASSWORD}".encode()).decode()
    server.answers[step] = f"535 5.7.8 {PASSWORD} {encoded} is wrong"
    deliver_due()
    row.refresh_from_db()
    state = MailboxState.objects.get()
    for text in (row.last_error, state.send_error, caplog.text, *raised()):
        assert PASSWORD not in text
        assert encoded not in text
    assert "***" in row.last_error
