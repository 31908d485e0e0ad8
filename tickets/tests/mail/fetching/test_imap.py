"""IMAP servers as they are: with and without extensions, full, wrong, strange, silent."""

import ast
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.utils import timezone

from tickets.mail import alarms, certificates, fetching_alarms
from tickets.mail.receiving.fetching import connecting, imap, leases, rounds, wire
from tickets.mail.receiving.fetching.problems import Unreachable
from tickets.models import InboundEmail, Mailbox, MailboxState
from tickets.tests.imap_script import CUT, DRIP, HANG, SELECTED, ImapScript, listing, literal
from tickets.tests.mail.fetching.conftest import raw_mail
from tickets.tests.mail.fetching.test_rounds import connected

pytestmark = pytest.mark.django_db
Health = MailboxState.Health
LOCAL = {"imap_host": "127.0.0.1", "imap_security": Mailbox.Security.NONE}


def state() -> MailboxState:
    return MailboxState.objects.get()


def seconds_until_next() -> float:
    return (state().next_fetch_at - timezone.now()).total_seconds()


@pytest.fixture(scope="module")
def plain_dovecot(start_dovecot):
    """Without MOVE and UIDPLUS."""
    return start_dovecot(capability="IMAP4rev1 LITERAL+ SASL-IR ID")


@pytest.fixture(scope="module")
def uidplus_dovecot(start_dovecot):
    return start_dovecot(capability="IMAP4rev1 LITERAL+ SASL-IR ID UIDPLUS")


def with_one_marked_by_a_person(server, make_mailbox) -> Mailbox:
    """A person has marked an email as deleted, and may change their mind."""
    mailbox = make_mailbox(server)
    server.append(mailbox.user, raw_mail(1))
    with server.client(mailbox.user) as client:
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    connected(mailbox)
    server.append(mailbox.user, raw_mail(2))
    return mailbox


def test_60_without_move_and_uidplus_email_is_marked_and_nothing_is_expunged(
    plain_dovecot, make_mailbox, alice
):
    mailbox = with_one_marked_by_a_person(plain_dovecot, make_mailbox)
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (1, 1, "")
    deleted, filed = plain_dovecot.flags(mailbox.user)
    assert r"\Deleted" in deleted
    assert "$HelpdeskFiled" in filed
    assert r"\Deleted" not in filed
    assert rounds.fetch(mailbox).stored == 0


def test_60_without_move_only_our_email_is_expunged(uidplus_dovecot, make_mailbox, alice):
    mailbox = with_one_marked_by_a_person(uidplus_dovecot, make_mailbox)
    assert rounds.fetch(mailbox).moved == 1
    assert uidplus_dovecot.mails(mailbox.user) == [raw_mail(1)]
    assert uidplus_dovecot.mails(mailbox.user, "Helpdesk") == [raw_mail(2)]


def test_61_folder_that_is_missing_is_named(dovecot, make_mailbox):
    mailbox = make_mailbox(dovecot, folder="Support")
    assert rounds.fetch(mailbox).problem == "There is no folder Support."
    assert state().fetch_state == Health.REFUSED
    assert any("There is no folder Support." in alarm for alarm in alarms.alarms())


def test_62_wrong_password_is_tried_again_in_half_an_hour(dovecot, make_mailbox):
    mailbox = make_mailbox(dovecot)
    mailbox.secrets = {"password": "an old one"}
    mailbox.save()
    assert "refuses the login" in rounds.fetch(mailbox).problem
    assert 29 * 60 < seconds_until_next() <= 30 * 60
    alarm = f"The mailbox {mailbox.address} can't be read: {state().fetch_error}"
    assert alarm in alarms.alarms()
    assert "an old one" not in alarm
    assert list(leases.due()) == []


def test_corrected_mailbox_is_due_at_once(dovecot, make_mailbox):
    mailbox = make_mailbox(dovecot)
    secret, mailbox.secret = mailbox.secret, ""
    mailbox.save()
    assert rounds.fetch(mailbox).problem
    mailbox.secret = secret
    mailbox.save()
    assert list(leases.due()) == [mailbox]
    assert rounds.fetch(mailbox).problem == ""
    assert alarms.alarms() == []


def test_password_that_no_key_decrypts_is_asked_for(dovecot, make_mailbox, settings):
    mailbox = make_mailbox(dovecot)
    settings.SECRET_KEY = "another key than the one that encrypted it"
    assert rounds.fetch(mailbox).problem == "SECRET_KEY has changed. Enter the secret of this mailbox again."
    assert state().fetch_state == Health.REFUSED


def test_64_server_with_too_many_connections_is_left_alone_for_longer_and_longer(start_dovecot, make_mailbox):
    server = start_dovecot(connections=1)
    mailbox = make_mailbox(server)
    with server.client(mailbox.user):
        waits = []
        for _round in range(4):
            assert "LIMIT" in rounds.fetch(mailbox).problem
            waits.append(round(seconds_until_next()))
    assert waits == [30, 60, 120, 240]
    assert state().fetch_state == Health.SLOW
    assert alarms.alarms() == []
    late = fetching_alarms.found(timezone.now() + timedelta(minutes=16))
    assert list(late) == [f"mailbox.{mailbox.pk}.late"]


def test_failures_wait_at_most_a_quarter_of_an_hour(make_mailbox, dovecot):
    mailbox = make_mailbox(dovecot, imap_port=1)
    MailboxState.objects.create(mailbox=mailbox, fetch_failures=40)
    assert rounds.fetch(mailbox).problem
    assert round(seconds_until_next()) == 15 * 60


def test_server_that_is_gone_is_an_alarm_after_three_failures_and_ten_minutes(make_mailbox, dovecot):
    mailbox = make_mailbox(dovecot, imap_port=1)
    for _round in range(3):
        assert "connection failed" in rounds.fetch(mailbox).problem
    now = timezone.now()
    assert fetching_alarms.found(now + timedelta(minutes=9)) == {}
    found = fetching_alarms.found(now + timedelta(minutes=11))
    assert list(found) == [f"mailbox.{mailbox.pk}.unreachable-in"]


def test_a_refused_mailbox_does_not_stop_another_one(dovecot, make_mailbox, alice):
    refused, well = make_mailbox(dovecot, folder="Support"), connected(make_mailbox(dovecot, "sales"))
    dovecot.append(well.user, raw_mail(1, to=well.address))
    assert rounds.fetch(refused).problem
    assert rounds.fetch(well).stored == 1
    assert [alarm for alarm in alarms.alarms() if well.address in alarm] == []


IMPOSSIBLE_NAMES = ["mail..example.com", f"{'a' * 64}.example.com"]


@pytest.mark.parametrize("security", [Mailbox.Security.TLS, Mailbox.Security.STARTTLS])
@pytest.mark.parametrize("host", IMPOSSIBLE_NAMES)
def test_server_whose_name_cannot_be_one_is_unknown(make_mailbox, dovecot, host, security):
    mailbox = make_mailbox(dovecot, imap_host=host, imap_security=security)
    assert rounds.fetch(mailbox).problem == "The name of the server is unknown."
    with pytest.raises(Unreachable):
        connecting.count(mailbox)


@pytest.mark.parametrize("security", [Mailbox.Security.TLS, Mailbox.Security.STARTTLS, Mailbox.Security.NONE])
@pytest.mark.parametrize("protocol", ["imap", "smtp"])
@pytest.mark.parametrize("host", IMPOSSIBLE_NAMES)
def test_certificate_of_a_name_that_cannot_be_one_is_an_error_of_the_network(protocol, host, security):
    server = certificates.ServerOfMailbox(protocol, host, 993, security)
    assert not certificates.has_name(server)
    with pytest.raises(OSError, match="no name of a server"):
        certificates.end_of(server)


# Certificates


def test_certificate_of_another_host_is_refused(dovecot, make_mailbox):
    mailbox = make_mailbox(dovecot, imap_host="127.0.0.1")
    assert "certificate" in rounds.fetch(mailbox).problem
    assert state().fetch_state == Health.REFUSED


def test_certificate_of_nobody_known_is_refused(dovecot, make_mailbox, monkeypatch):
    mailbox = make_mailbox(dovecot)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate" in rounds.fetch(mailbox).problem


def test_starttls_is_used(dovecot, make_mailbox, alice):
    mailbox = make_mailbox(dovecot, imap_port=dovecot.plain_port, imap_security=Mailbox.Security.STARTTLS)
    connected(mailbox)
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1


def test_server_without_starttls_gets_no_password(make_mailbox, dovecot):
    with ImapScript() as server:
        mailbox = make_mailbox(
            dovecot, imap_host="localhost", imap_port=server.port, imap_security=Mailbox.Security.STARTTLS
        )
        assert rounds.fetch(mailbox).problem == "The server does not offer STARTTLS."
        assert not [command for command in server.commands if command.startswith(("AUTH", "LOGIN"))]
    assert state().fetch_state == Health.REFUSED


def test_without_tls_only_this_machine_is_asked(make_mailbox, dovecot):
    mailbox = make_mailbox(dovecot, **LOCAL | {"imap_host": "192.0.2.1"})
    assert rounds.fetch(mailbox).problem == "Without TLS, only a server on this machine is allowed."


# Servers that hang, drip, cut, and say strange things


@pytest.fixture
def scripted(make_mailbox, dovecot):
    """scripted(server): a mailbox there, whose next email has UID 2."""

    def make(server: ImapScript) -> Mailbox:
        mailbox = make_mailbox(dovecot, imap_port=server.port, **LOCAL)
        MailboxState.objects.create(mailbox=mailbox, uid_validity=7, last_uid=1)
        return mailbox

    return make


def serving(raw: bytes) -> dict[str, object]:
    return {
        "UID SEARCH": ["* SEARCH 1 2", "{tag} OK done"],
        "UID FETCH 2 (UID": [listing(2, len(raw)), "{tag} OK done"],
        "UID FETCH 2 (BODY.PEEK[]": [literal(2, raw), "{tag} OK done"],
        "CAPABILITY": ["* CAPABILITY IMAP4rev1 AUTH=PLAIN MOVE", "{tag} OK done"],
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"From: alice@example.com\r\nSubject: caf\xe9\r\n\r\nbare\rCR \xff\xfe\x01\r\n",
        b"From: alice@example.com\r\nSubject: NUL\r\n\r\na\0b\r\n",
        b"From: alice@example.com\n\nno CR at all\n",
        b"no header, no line end",
    ],
)
def test_68_bytes_are_stored_as_they_come(scripted, raw, alice):
    with ImapScript(serving(raw)) as server:
        result = rounds.fetch(scripted(server))
    assert (result.stored, result.moved, result.problem) == (1, 1, "")
    email = InboundEmail.objects.get()
    assert bytes(email.raw) == raw
    assert email.identity.startswith("sha256:")
    assert 'UID MOVE 2 "Helpdesk"' in server.commands


@pytest.mark.parametrize("answer", [HANG, DRIP, CUT])
@pytest.mark.parametrize(
    "command", ["UID FETCH 2 (BODY.PEEK[]", "UID SEARCH", "SELECT", "CAPABILITY", "AUTHENTICATE"]
)
def test_65_server_that_does_not_end_its_answer_is_left(scripted, monkeypatch, answer, command):
    monkeypatch.setattr(wire, "COMMAND_SECONDS", 0.5)
    with ImapScript(serving(raw_mail(1)) | {command: answer}) as server:
        mailbox = scripted(server)
        problem = rounds.fetch(mailbox).problem
    assert problem == "The server did not respond in time." or answer == CUT
    assert problem
    assert not InboundEmail.objects.exists()
    assert state().fetch_state == Health.UNREACHABLE
    assert state().last_uid == 1
    late = fetching_alarms.found(timezone.now() + timedelta(minutes=16))
    assert f"mailbox.{mailbox.pk}.late" in late


def test_server_that_hangs_is_not_asked_to_say_goodbye(scripted, monkeypatch):
    monkeypatch.setattr(wire, "SILENCE_SECONDS", 0.3)
    with ImapScript({"UID SEARCH": HANG}) as server:
        rounds.fetch(scripted(server))
    assert "LOGOUT" not in server.commands


def test_silent_server_is_left_before_the_time_for_a_command_is_over(scripted, monkeypatch):
    monkeypatch.setattr(wire, "SILENCE_SECONDS", 0.3)
    with ImapScript(serving(raw_mail(1)) | {"UID SEARCH": HANG}) as server:
        assert rounds.fetch(scripted(server)).problem == "The server did not respond in time."


def test_server_that_says_goodbye_is_tried_again(scripted):
    with ImapScript({"SELECT": ["* BYE [UNAVAILABLE] shutting down"]}) as server:
        assert "shutting down" in rounds.fetch(scripted(server)).problem
    assert state().fetch_state == Health.UNREACHABLE


@pytest.mark.parametrize(
    ("answer", "health"),
    [
        ("{tag} NO [AUTHENTICATIONFAILED] no", Health.REFUSED),
        ("{tag} NO LOGIN failed.", Health.REFUSED),
        ("{tag} NO [UNAVAILABLE] Temporary authentication failure", Health.UNREACHABLE),
        ("{tag} BAD User is authenticated but not connected.", Health.UNREACHABLE),
        ("{tag} NO [ALERT] Too many simultaneous connections. (Failure)", Health.SLOW),
    ],
)
def test_refused_login_differs_from_a_server_in_trouble(scripted, answer, health):
    with ImapScript({"AUTHENTICATE": answer}) as server:
        assert rounds.fetch(scripted(server)).problem
    assert state().fetch_state == health


@pytest.mark.parametrize("answer", ["{{tag}} NO {said}", "{{tag}} BAD {said}", "* BYE {said}"])
@pytest.mark.parametrize("offered", ["AUTH=PLAIN", "LOGIN"])
def test_server_that_repeats_the_password_puts_it_nowhere(scripted, answer, offered, caplog):
    password = 'a "very secret\\ password'
    script = {"CAPABILITY": [f"* CAPABILITY IMAP4rev1 {offered}", "{tag} OK done"]}
    with ImapScript(script) as server:
        mailbox = scripted(server)
        mailbox.secrets = {"password": password}
        mailbox.save()
        plain = b64encode(f"\0{mailbox.user}\0{password}".encode()).decode()
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        said = answer.format(said=f"not {plain} or {quoted} or {password}")
        server.script |= {"AUTHENTICATE": [said, "{tag} NO bye"], "LOGIN": [said, "{tag} NO bye"]}
        assert "not *** or *** or ***" in rounds.fetch(mailbox).problem
    kept = f"{state().fetch_error} {alarms.alarms()} {caplog.text}"
    assert "secret" not in kept
    assert plain not in kept


@pytest.mark.parametrize("answer", ["{{tag}} NO {said}", "* BYE {said}"])
def test_server_that_repeats_the_token_puts_it_nowhere(scripted, monkeypatch, answer):
    monkeypatch.setattr(imap, "access_token", lambda mailbox, **options: "a-secret-token")
    with ImapScript() as server:
        mailbox = scripted(server)
        mailbox.auth = Mailbox.Auth.MICROSOFT_APP
        first = b64encode(imap.xoauth2(mailbox.user, "a-secret-token").encode()).decode()
        said = answer.format(said=f"not {first} or a-secret-token")
        server.script["AUTHENTICATE"] = [said, "{tag} NO bye"]
        assert "not *** or ***" in rounds.fetch(mailbox).problem


def test_login_is_used_where_plain_is_not_offered(scripted):
    capability = ["* CAPABILITY IMAP4rev1", "{tag} OK done"]
    with ImapScript({"UID SEARCH": ["* SEARCH", "{tag} OK done"], "CAPABILITY": capability}) as server:
        assert rounds.fetch(scripted(server)).problem == ""
    assert any(command.startswith("LOGIN") for command in server.commands)


def test_email_that_the_server_cannot_hand_out_keeps_no_other_waiting(scripted, alice):
    """Exchange says NO to an email that it can't convert."""
    script = serving(raw_mail(2)) | {
        "UID SEARCH": ["* SEARCH 2 3", "{tag} OK done"],
        "UID FETCH 2,3 (UID": [listing(2, 100), listing(3, 100), "{tag} OK done"],
        "UID FETCH 2 (BODY.PEEK[]": "{tag} NO [UNKNOWN] can't convert",
        "UID FETCH 2 (BODY.PEEK[HEADER]": [
            literal(2, raw_mail(1).partition(b"\r\n\r\n")[0], "BODY[HEADER]"),
            "{tag} OK done",
        ],
        "UID FETCH 3 (BODY.PEEK[]": [literal(3, raw_mail(2)), "{tag} OK done"],
    }
    with ImapScript(script) as server:
        result = rounds.fetch(scripted(server))
    assert (result.stored, result.problem) == (2, "")
    failed, filed = InboundEmail.objects.order_by("pk")
    assert (failed.state, filed.state) == ("failed", "filed")
    assert state().last_uid == 3


def with_a_bad_email(answer: object, header: object) -> dict[str, object]:
    """UID 2 is answered so; UID 3 is good."""
    listed = {
        f"UID FETCH {uids} (UID": [*[listing(int(uid), 100) for uid in uids.split(",")], "{tag} OK done"]
        for uids in ("2,3", "3")
    }
    return serving(raw_mail(2)) | {
        "UID SEARCH": ["* SEARCH 2 3", "{tag} OK done"],
        **listed,
        "UID FETCH 2 (BODY.PEEK[]": answer,
        "UID FETCH 2 (BODY.PEEK[HEADER]": header,
        "UID FETCH 3 (BODY.PEEK[]": [literal(3, raw_mail(2)), "{tag} OK done"],
    }


@pytest.mark.parametrize("answer", ["{tag} NO can't load", HANG])
def test_email_that_is_never_handed_out_is_given_up_after_three_rounds(scripted, monkeypatch, answer, alice):
    monkeypatch.setattr(wire, "COMMAND_SECONDS", 0.5)
    with ImapScript(with_a_bad_email(answer, answer)) as server:
        mailbox = scripted(server)
        for _round in range(rounds.STUCK_ROUNDS + 1):  # the last one tries its headers
            assert rounds.fetch(mailbox).problem
            assert not InboundEmail.objects.exists()
        result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (2, 1, "")
    stub, filed = InboundEmail.objects.order_by("pk")
    assert (stub.state, filed.state) == ("failed", "filed")
    assert stub.arrivals.get().place.encode() in bytes(stub.raw)
    assert "did not hand it out" in stub.detail
    assert state().last_uid == 3
    assert any("could not be read" in alarm for alarm in alarms.alarms())


def test_headers_are_kept_of_an_email_that_takes_too_long_to_load(scripted, monkeypatch, alice):
    monkeypatch.setattr(wire, "COMMAND_SECONDS", 0.5)
    header = [literal(2, raw_mail(1).partition(b"\r\n\r\n")[0], "BODY[HEADER]"), "{tag} OK done"]
    with ImapScript(with_a_bad_email(HANG, header)) as server:
        mailbox = scripted(server)
        for _round in range(rounds.STUCK_ROUNDS):
            assert rounds.fetch(mailbox).problem
        assert rounds.fetch(mailbox).stored == 2
    failed, filed = InboundEmail.objects.order_by("pk")
    assert (failed.state, failed.identity, filed.state) == ("failed", "<1@example.com>", "filed")


@pytest.mark.parametrize(
    ("code", "health"),
    [
        ("UNAVAILABLE", Health.UNREACHABLE),
        ("SERVERBUG", Health.UNREACHABLE),
        ("INUSE", Health.UNREACHABLE),
        ("LIMIT", Health.SLOW),
        ("THROTTLED", Health.SLOW),
    ],
)
def test_email_that_the_server_hands_out_later_is_read_whole(scripted, code, health, alice):
    header = [literal(2, raw_mail(1).partition(b"\r\n\r\n")[0], "BODY[HEADER]"), "{tag} OK done"]
    script = with_a_bad_email(f"{{tag}} NO [{code}] not now", header)
    with ImapScript(script) as server:
        mailbox = scripted(server)
        assert code in rounds.fetch(mailbox).problem
        assert not InboundEmail.objects.exists()
        assert state().fetch_state == health
        server.script["UID FETCH 2 (BODY.PEEK[]"] = [literal(2, raw_mail(1)), "{tag} OK done"]
        assert rounds.fetch(mailbox).stored == 2
    assert InboundEmail.objects.filter(state="filed").count() == 2


def test_server_that_fails_before_an_email_is_read_gives_none_up(scripted):
    with ImapScript(serving(raw_mail(1)) | {"UID FETCH 2 (UID": "{tag} NO not now"}) as server:
        mailbox = scripted(server)
        for _round in range(rounds.STUCK_ROUNDS + 2):
            assert rounds.fetch(mailbox).problem
    assert not InboundEmail.objects.exists()
    assert state().stuck_rounds == 0


def test_email_that_is_deleted_meanwhile_is_skipped(scripted):
    script = serving(b"") | {
        "UID FETCH 2 (UID": [listing(2, 100), "{tag} OK done"],
        "UID FETCH 2 (BODY.PEEK[]": "{tag} OK done",
    }
    with ImapScript(script) as server:
        assert rounds.fetch(scripted(server)).problem == ""
    assert state().last_uid == 2


def test_search_that_returns_the_last_email_again_fetches_nothing(scripted):
    """A range that ends with * includes the last email, even below its start."""
    with ImapScript({"UID SEARCH": ["* SEARCH 1", "{tag} OK done"]}) as server:
        assert rounds.fetch(scripted(server)).stored == 0
    assert "UID SEARCH UID 2:*" in server.commands
    assert not [command for command in server.commands if "FETCH" in command]


def test_other_folder_with_the_same_numbers_is_another_folder(scripted, alice):
    first, second = raw_mail(1), raw_mail(2)
    with ImapScript(serving(first)) as server:
        mailbox = scripted(server)
        assert rounds.fetch(mailbox).stored == 1
        mailbox.folder = "Support"
        mailbox.save()
        server.script |= serving(second)
        server.script["UID FETCH 1,2 (UID"] = server.script["UID FETCH 2 (UID"]
        assert rounds.fetch(mailbox).problem == ""
    assert InboundEmail.objects.filter(state="filed").count() == 2
    assert state().last_uid == 2


def test_server_that_does_not_announce_the_next_uid_is_searched(make_mailbox, dovecot):
    selected = [line for line in SELECTED if "UIDNEXT" not in line]
    script = {"SELECT": selected, "UID SEARCH ALL": ["* SEARCH 4 9", "{tag} OK done"]}
    with ImapScript(script) as server:
        mailbox = make_mailbox(dovecot, imap_port=server.port, **LOCAL)
        assert rounds.fetch(mailbox).problem == ""
    assert state().last_uid == 9


def test_answer_that_makes_no_sense_is_a_failure_and_no_crash(scripted, caplog):
    with ImapScript({"UID SEARCH": ["* SEARCH one two", "{tag} OK done"]}) as server:
        assert "ValueError" in rounds.fetch(scripted(server)).problem
    assert state().fetch_state == Health.UNREACHABLE
    assert "could not be fetched" in caplog.text


# 73: what lies in a mailbox when it is connected is tested in test_connecting.


def test_no_code_moves_or_deletes_by_imap_tools():
    """Its move() and delete() send EXPUNGE without UIDs, which deletes what a person only marked."""
    folder = Path(project.BASE_DIR, "tickets", "mail", "receiving", "fetching")
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imap_tools"):
                assert {alias.name for alias in node.names} <= {"encode_folder"}, path
            if isinstance(node, ast.Import):
                assert not [alias for alias in node.names if alias.name.startswith("imap_tools")], path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                # uid("EXPUNGE", uid) is the command with UIDs.
                assert node.func.attr not in {"expunge", "move", "close_folder"}, path


def test_time_for_a_command_is_shorter_than_a_lease():
    assert timedelta(seconds=wire.COMMAND_SECONDS) < leases.LEASE
