"""How single values are read: each senseless one is refused in one line that names it (THREATS 128)."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from helpdesk import env


def zone(name):
    return env.time_zone(name, "UTC")


def port(name):
    return env.number(name, 8000, least=1)


READ = [
    (env.text, "  words  ", "words"),
    (env.text, "", ""),
    (env.flag, "1", True),
    (env.flag, "YES", True),
    (env.flag, "off", False),
    (env.flag, "", False),
    (port, "", 8000),
    (port, "80", 80),
    (env.words, "a, b,,c ", ["a", "b", "c"]),
    (env.words, "", []),
    (env.domains, "@Example.com, b.example.org", ["example.com", "b.example.org"]),
    (env.domains, "bücher.example", ["bücher.example"]),
    (env.domains, "", []),
    (env.origin, "https://helpdesk.example.com/", "https://helpdesk.example.com"),
    (env.origin, "http://localhost:8000", "http://localhost:8000"),
    (env.origin, "", ""),
    (env.email, "Help <help@example.com>", "Help <help@example.com>"),
    (env.email, "", ""),
    (zone, "", "UTC"),
    (zone, "Europe/Berlin", "Europe/Berlin"),
]
REFUSED = [
    (env.flag, "perhaps"),
    (env.flag, "2"),
    (port, "0"),
    (port, "-1"),
    (port, "1.5"),
    (port, "\u0663"),
    (port, "many"),
    (env.domains, "@"),
    (env.domains, ","),
    (env.domains, "example"),
    (env.domains, "*.example.com"),
    (env.domains, "example.com."),
    (env.domains, "a@example.com"),
    (env.domains, "example.com example.org"),
    (env.origin, "helpdesk.example.com"),
    (env.origin, "ftp://helpdesk.example.com"),
    (env.origin, "https://"),
    (env.origin, "https://helpdesk.example.com/path"),
    (env.origin, "https://helpdesk.example.com?x=1"),
    (env.origin, "https://helpdesk.example.com#part"),
    (env.origin, "https://user:word@helpdesk.example.com"),
    (env.origin, "https://helpdesk.example.com:port"),
    (env.origin, "https://[helpdesk"),
    (env.email, "nobody"),
    (env.email, "a@example.com, b@example.com"),
    (env.email, "Help <help@example.com"),
    (env.email, "Help\nBcc: x@example.com <help@example.com>"),
    (zone, "Mars/Olympus"),
    (zone, "../etc/passwd"),
    (zone, "Europe"),
]


def name_of(value) -> str:
    return getattr(value, "__name__", None) or repr(value)


@pytest.mark.parametrize(("read", "value", "result"), READ, ids=name_of)
def test_value_is_read(monkeypatch, read, value, result):
    monkeypatch.setenv("SOME_NAME", value)
    assert read("SOME_NAME") == result


@pytest.mark.parametrize(("read", "value"), REFUSED, ids=name_of)
def test_senseless_value_is_refused_in_one_line_with_its_name(monkeypatch, read, value):
    monkeypatch.setenv("SOME_NAME", value)
    with pytest.raises(ImproperlyConfigured) as refusal:
        read("SOME_NAME")
    assert str(refusal.value).startswith("SOME_NAME must")
    assert len(str(refusal.value).splitlines()) == 1


def test_value_comes_from_the_file_that_is_named(monkeypatch, tmp_path):
    (tmp_path / "value").write_text("from the file\n")
    monkeypatch.setenv("SOME_NAME_FILE", str(tmp_path / "value"))
    assert env.text("SOME_NAME") == "from the file"
    monkeypatch.setenv("SOME_NAME", "from the environment")
    assert env.text("SOME_NAME") == "from the environment"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["absent", "no text"])
def test_file_that_cannot_be_read_is_named(monkeypatch, tmp_path, content):
    if content:
        (tmp_path / "value").write_bytes(content)
    monkeypatch.setenv("SOME_NAME_FILE", str(tmp_path / "value"))
    with pytest.raises(ImproperlyConfigured, match="^SOME_NAME_FILE names a file that can't be read"):
        env.text("SOME_NAME")


def test_missing_value_says_why_it_is_needed(monkeypatch):
    monkeypatch.delenv("SOME_NAME", raising=False)
    with pytest.raises(ImproperlyConfigured, match="^SOME_NAME is missing: it is needed.$"):
        env.required("SOME_NAME", why="it is needed.")
