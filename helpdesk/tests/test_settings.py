"""A missing or senseless value stops the start with one line that names it (THREATS 95, 128)."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from helpdesk import gunicorn

PRODUCTION = {
    "ALLOWED_HOSTS": "helpdesk.example.com",
    "SECRET_KEY": "k" * 30 + "-a-key-that-is-long-and-odd-enough-0123456789",
    "SITE_URL": "https://helpdesk.example.com",
    "DATABASE_URL": "postgres://helpdesk@127.0.0.1:5432/helpdesk",
    "ATTACHMENTS_DIR": "/srv/helpdesk/attachments",
    "MAILGUN_API_KEY": "key",
    "MAILGUN_DOMAIN": "mg.example.com",
    "TRUSTED_PROXIES": "1",
    "SIGNUP_EMAIL_DOMAINS": "example.com",
}
NAMES = {
    *PRODUCTION,
    "DEBUG",
    "DYNO",
    "INBOUND_DOMAIN",
    "MAILGUN_WEBHOOK_SECRET",
    "MAILGUN_WEBHOOK_SECRET_FALLBACKS",
    "S3_BUCKET",
    "ALLOW_CONSOLE_MAIL",
    "SECRET_KEY_FILE",
    "DEFAULT_TIME_ZONE",
    "SIGNUP",
    "FLASK_ENV",
    "MAILGUN_PUBLIC_KEY",
    "HELPDESK_REPORTED_IGNORED_NAMES",
    "MAIL_PROVIDER",
    "MAIL_ADDRESS",
    "DJANGO_ALLOW_ASYNC_UNSAFE",  # the browser suite sets it for itself
}


def start(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess:
    """manage.py with this environment and nothing of ours around it."""
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    return subprocess.run(
        [sys.executable, "manage.py", *(command or ("check",))],
        cwd=settings.BASE_DIR,
        env={**clean, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "SITE_URL", "DATABASE_URL", "ATTACHMENTS_DIR", "MAILGUN_DOMAIN"]
)
def test_missing_value_is_named(name):
    done = start({key: value for key, value in PRODUCTION.items() if key != name})
    assert done.returncode == 1
    assert f"{name} is missing" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "*"),
        ("DEBUG", "1"),
        ("DEBUG", "perhaps"),
        ("SITE_URL", "helpdesk.example.com"),
        ("SITE_URL", "https://helpdesk.example.com/path"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql2://x"),
        ("DEFAULT_TIME_ZONE", "Mars/Olympus"),
        ("TRUSTED_PROXIES", "many"),
        ("MAILGUN_SENDER", "nobody"),
        ("SECRET_KEY_FILE", "/nothing/here"),
        ("MAIL_SILENCE_HOURS", "a day"),
        ("INBOUND_SILENCE_HOURS", "-1"),
        ("MAIL_CANARY", "1"),
        ("SIGNUP", "perhaps"),
        ("SIGNUP", "open"),
        ("SIGNUP_EMAIL_DOMAINS", "@"),
        ("SIGNUP_EMAIL_DOMAINS", ","),
        ("SIGNUP_EMAIL_DOMAINS", "example.com;example.org"),
    ],
)
def test_senseless_value_is_named(name, value):
    environment = {**PRODUCTION, name: value}
    if name == "SECRET_KEY_FILE":
        del environment["SECRET_KEY"]
    done = start(environment)
    assert done.returncode == 1
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"DATABASE_URL": "sqlite:////tmp/helpdesk.sqlite3"}, "DATABASE_URL"),
        ({}, "S3_BUCKET"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
    ],
)
def test_host_that_forgets_files_takes_no_files(change, name):
    """THREATS 128: a Heroku-like host (DYNO) loses its disk."""
    done = start({**PRODUCTION, "DYNO": "web.1", **change})
    assert done.returncode == 1
    assert name in done.stderr


def test_mail_provider_is_not_forgotten():
    environment = {key: value for key, value in PRODUCTION.items() if not key.startswith("MAILGUN")}
    assert "MAILGUN_API_KEY is missing" in start(environment).stderr
    assert start({**environment, "ALLOW_CONSOLE_MAIL": "1"}).returncode == 0


OTHER_PROVIDER = {name: value for name, value in PRODUCTION.items() if not name.startswith("MAILGUN")} | {
    "MAIL_ADDRESS": "it@example.com"
}
SMTP = {"MAIL_PROVIDER": "smtp", "SMTP_URL": "smtps://it:p%40ss@mail.example.com"}
MICROSOFT = {
    "MAIL_PROVIDER": "microsoft",
    "MICROSOFT_TENANT": "tenant",
    "MICROSOFT_CLIENT_ID": "client",
    "MICROSOFT_CLIENT_SECRET": "hidden-word",
    "MICROSOFT_SECRET_EXPIRES": "2027-11-30",
}
GOOGLE = {
    "MAIL_PROVIDER": "google",
    "GOOGLE_SERVICE_ACCOUNT": '{"client_email": "helpdesk@project.example.com", "private_key": "hidden-word"}',
}
POSTMARK = {"MAIL_PROVIDER": "postmark", "ANYMAIL_POSTMARK_SERVER_TOKEN": "hidden-word"}


@pytest.mark.parametrize(
    "provider",
    [
        SMTP,
        SMTP | {"IMAP_URL": "imaps://it:p%40ss@mail.example.com/INBOX"},
        SMTP | {"SMTP_URL": "smtp+starttls://it:p%40ss@mail.example.com:587"},
        SMTP | {"SMTP_URL": "smtp://127.0.0.1:2525"},
        MICROSOFT,
        GOOGLE,
        POSTMARK,
        {"MAIL_PROVIDER": "admin"},
    ],
)
def test_provider_starts(provider):
    done = start(OTHER_PROVIDER | provider)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ({"MAIL_PROVIDER": "pigeon"}, "MAIL_PROVIDER"),
        ({"MAIL_PROVIDER": "mailgun"}, "MAILGUN_API_KEY"),
        ({"MAIL_PROVIDER": "smtp"}, "SMTP_URL"),
        (SMTP | {"MAIL_ADDRESS": ""}, "MAIL_ADDRESS"),
        (SMTP | {"MAIL_ADDRESS": "IT <it@example.com>"}, "MAIL_ADDRESS"),
        (SMTP | {"SMTP_URL": "smtp://it:hidden-word@mail.example.com"}, "SMTP_URL"),
        (SMTP | {"SMTP_URL": "smtps://it:hidden-word@mail.example.com:port"}, "SMTP_URL"),
        (SMTP | {"SMTP_URL": "smtps://it:hidden/word@mail.example.com"}, "SMTP_URL"),
        (SMTP | {"SMTP_URL": "https://it:hidden-word@mail.example.com"}, "SMTP_URL"),
        (SMTP | {"IMAP_URL": "imap://it:hidden-word@mail.example.com"}, "IMAP_URL"),
        (SMTP | {"IMAP_URL": "imaps://it:hidden-word@mail.example.com"}, "SMTP_URL and IMAP_URL"),
        *((MICROSOFT | {name: ""}, name) for name in MICROSOFT if name != "MAIL_PROVIDER"),
        (MICROSOFT | {"MICROSOFT_CERTIFICATE": "pem"}, "MICROSOFT_CERTIFICATE"),
        (MICROSOFT | {"MICROSOFT_SECRET_EXPIRES": "next year"}, "MICROSOFT_SECRET_EXPIRES"),
        (MICROSOFT | {"MAIL_PROVIDER": "admin"}, "MICROSOFT_TENANT"),
        (GOOGLE | {"GOOGLE_SERVICE_ACCOUNT": ""}, "GOOGLE_SERVICE_ACCOUNT"),
        (GOOGLE | {"GOOGLE_SERVICE_ACCOUNT": '{"private_key": "hidden-word"}'}, "GOOGLE_SERVICE_ACCOUNT"),
        (GOOGLE | {"GOOGLE_SERVICE_ACCOUNT": "hidden-word"}, "GOOGLE_SERVICE_ACCOUNT"),
    ],
)
def test_half_a_provider_stops_the_start_with_one_line(provider, name):
    """Cases 102 and 103 of the specification of mail. No line shows a secret."""
    done = start(OTHER_PROVIDER | provider)
    assert done.returncode == 1
    assert name in done.stderr
    assert "hidden" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_service_without_its_key_is_noticed_at_the_start():
    done = start(OTHER_PROVIDER | {"MAIL_PROVIDER": "postmark"})
    assert done.returncode == 1
    assert "ANYMAIL_POSTMARK_SERVER_TOKEN is missing" in done.stderr


def test_mail_by_mailgun_is_not_taken_in_without_its_key():
    """THREATS 95: an empty key would verify whatever an empty key signs."""
    done = start({**PRODUCTION, "INBOUND_DOMAIN": "in.example.com"})
    assert done.returncode == 1
    assert "MAILGUN_WEBHOOK_SECRET is missing" in done.stderr
    secret = {"INBOUND_DOMAIN": "in.example.com", "MAILGUN_WEBHOOK_SECRET": "k" * 32}
    assert start({**PRODUCTION, **secret}).returncode == 0


def test_old_key_of_the_webhooks_needs_the_new_one():
    old = {"MAILGUN_WEBHOOK_SECRET_FALLBACKS": "o" * 32}
    assert "MAILGUN_WEBHOOK_SECRET is missing" in start({**PRODUCTION, **old}).stderr
    assert start({**PRODUCTION, **old, "MAILGUN_WEBHOOK_SECRET": "k" * 32}).returncode == 0


def test_secret_may_come_from_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(PRODUCTION["SECRET_KEY"] + "\n")
    environment = {key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"}
    assert start({**environment, "SECRET_KEY_FILE": str(path)}).returncode == 0


def test_production_settings_pass_djangos_own_check():
    """I13: nothing found, nothing silenced."""
    done = start(PRODUCTION, "check", "--deploy", "--fail-level", "WARNING")
    assert done.stdout.strip() == "System check identified no issues (0 silenced)."
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"SECRET_KEY": "short"}, "security.W009"),
        ({"SITE_URL": "http://helpdesk.example.com"}, "helpdesk.E001"),
        ({"SITE_URL": "https://elsewhere.example.com"}, "helpdesk.E002"),
        ({"TRUSTED_PROXIES": ""}, "helpdesk.W001"),
        ({"MAILGUN_API_KEY": "", "MAILGUN_DOMAIN": "", "ALLOW_CONSOLE_MAIL": "1"}, "helpdesk.W002"),
        ({"MAILGUN_SENDER": "IT <it@gmail.com>"}, "helpdesk.W003"),
        ({"SIGNUP_EMAIL_DOMAINS": ""}, "helpdesk.W004"),
        ({"SIGNUP_EMAIL_DOMAINS": "", "SIGNUP": "open"}, "helpdesk.W004"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_that_start_but_serve_nobody_are_found_by_the_check(change, found):
    """THREATS 3: each with a hint, and nothing else is found."""
    done = start({**PRODUCTION, **change}, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 1
    assert f"({found})" in done.stderr
    assert "System check identified 1 issue (0 silenced)." in done.stderr


def test_sender_of_the_domain_above_is_fine():
    change = {"MAILGUN_SENDER": "Helpdesk <helpdesk@Example.com>"}
    done = start({**PRODUCTION, **change}, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("signup", "domains", "read"),
    [
        ("", "", "open"),
        ("", "example.com", "domains"),
        ("open", "", "open"),
        ("Domains", "@example.com, example.org", "domains"),
        ("closed", "", "closed"),
        ("closed", "example.com", "closed"),
    ],
)
def test_who_may_sign_up_follows_from_two_names(signup, domains, read):
    code = "from django.conf import settings; print(settings.SIGNUP)"
    done = start({"SIGNUP": signup, "SIGNUP_EMAIL_DOMAINS": domains}, "shell", "--no-imports", "-c", code)
    assert done.stdout.strip() == read


def test_sign_up_of_domains_needs_domains():
    done = start({"SIGNUP": "domains"})
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "SIGNUP_EMAIL_DOMAINS is missing: SIGNUP=domains lets its people sign up."
    )
    assert len(done.stderr.strip().splitlines()) == 1


def test_closed_sign_up_is_fine_for_the_check():
    done = start(
        {**PRODUCTION, "SIGNUP_EMAIL_DOMAINS": "", "SIGNUP": "closed"},
        *("check", "--deploy", "--fail-level", "WARNING"),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("FLASK_ENV",), "FLASK_ENV is ignored: DEBUG=1 shows error pages."),
        (("MAILGUN_PUBLIC_KEY",), "MAILGUN_PUBLIC_KEY is ignored: MAILGUN_WEBHOOK_SECRET verifies"),
        (("FLASK_ENV", "MAILGUN_PUBLIC_KEY"), "error pages. MAILGUN_PUBLIC_KEY is ignored"),
        ((), ""),
    ],
)
def test_name_without_use_is_said_in_one_line(names, words):
    """No error: what was set for the software before may stay."""
    done = start({**PRODUCTION, **dict.fromkeys(names, "production")})
    assert done.returncode == 0
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == bool(names)


def test_name_without_use_is_said_once_by_all_processes_of_one_start():
    """Gunicorn's first process reads its settings file; each of its workers reads ours."""
    code = (
        "import helpdesk.gunicorn, subprocess, sys; "
        "subprocess.run([sys.executable, 'manage.py', 'check'], check=True)"
    )
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**clean, "FLASK_ENV": "development"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr.count("FLASK_ENV") == 1


def test_without_any_configuration_it_starts_here_only():
    assert start({}).returncode == 0
    code = (
        "from django.conf import settings; print(settings.ALLOWED_HOSTS, settings.DEBUG, settings.IS_LOCAL)"
    )
    done = start({}, "shell", "--no-imports", "-c", code)
    assert done.stdout.strip() == "['localhost', '127.0.0.1', '[::1]'] False True"


def test_nothing_is_silenced():
    assert not getattr(settings, "SILENCED_SYSTEM_CHECKS", [])


def test_web_workers_that_began_together_do_not_restart_together():
    assert gunicorn.max_requests_jitter >= gunicorn.max_requests > 0
