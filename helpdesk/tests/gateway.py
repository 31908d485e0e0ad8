"""Asks the application as gunicorn does.

Django's test client builds its requests in another way, and breaks itself on a header that nobody can read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from io import BytesIO

from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory

from helpdesk.wsgi import application

CSRF_SECRET = "a" * 32


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str]


def ask(
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    content_type: str | None = None,
    body: bytes = b"",
    length: str | None = None,
    cookies: SimpleCookie | None = None,
    **headers: str,
) -> Answer:
    """What is answered to the bytes of a request; `headers` as HTTP_ACCEPT_LANGUAGE="de"."""
    sent = {name: morsel.value for name, morsel in (cookies or {}).items()}
    sent[settings.CSRF_COOKIE_NAME] = CSRF_SECRET
    environ = {
        **RequestFactory().get("/").environ,
        "REQUEST_METHOD": method,
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": "localhost",
        "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in sent.items()),
        "HTTP_X_CSRFTOKEN": CSRF_SECRET,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": BytesIO(body),
        **headers,
    }
    if content_type is not None:
        environ["CONTENT_TYPE"] = content_type
    started = []
    with connection_kept():
        response = application(environ, lambda status, headers: started.append((status, headers)))
        content = b"".join(response)
        response.close()
    ((status, answered),) = started
    return Answer(int(status.split()[0]), content.decode("utf-8", "replace"), dict(answered))


@contextmanager
def connection_kept() -> Iterator[None]:
    """Between requests Django closes a connection with an open transaction; a test's has one."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
