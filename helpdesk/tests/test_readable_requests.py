"""What says that it is not UTF-8 is refused with our page, and no odd header breaks one (THREATS 11, 12, 130)."""

import os
import re
import socket
import subprocess
import sys
from itertools import product

import pytest
from django.conf import settings as django_settings

from helpdesk.tests.gateway import ask

pytestmark = pytest.mark.django_db
NO_TEXT = [
    "hex", "rot13", "base64", "bz2", "zlib", "quopri", "uu", "idna", "punycode", "undefined", "unicode_escape",
    "raw_unicode_escape", "utf-7", "utf-16", "utf-8-sig", "latin-1", "ascii", "cp1252", "nonsense", "", '""',
    "'utf-8'", '"utf-8', "utf-8 x", "utf-8\0", "\0", "\xfc", "\xa0\xff", "x" * 5000,
]  # fmt: skip
BODIES = {
    "application/x-www-form-urlencoded": b"subject=x&login=x&_charset_=hex",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--x--\r\n',
    "application/json": b"{}",
    "text/plain": b"",
}
PATHS = [
    "/about/",
    "/accounts/login/",
    "/accounts/signup/",
    "/anymail/mailgun/tracking/",
    "/healthz",
    "/nothing",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "FOO"]


@pytest.mark.parametrize("charset", NO_TEXT, ids=lambda charset: repr(charset[:12]))
def test_every_charset_but_utf8_is_refused(charset):
    for method, path, (kind, body) in product(METHODS, PATHS, BODIES.items()):
        answer = ask(path, method=method, content_type=f"{kind}; charset={charset}", body=body)
        assert answer.status == 400, (method, path, kind)
        assert method == "HEAD" or "Bad request" in answer.text
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; charset*=utf-8''hex",
        "text/plain; charset*=utf-8''utf-8",
        "text/plain; charset*0=he; charset*1=x",
        "text/plain; charset*; charset*0*=x",
        "text/plain; charset",
        "text/plain; charset=utf-8; charset=hex",
        "text/plain; charset=hex; charset=utf-8",
        "text/plain; CharSet = hex",
        "text/plain;\tcharset\t=\thex",
        "text/plain, charset=hex",
        "charset=hex",
        'text/plain; x="a\\"; charset=utf-8"; charset=hex',
    ],
)
def test_charset_in_other_words_is_refused(content_type):
    for method in METHODS:
        assert ask("/accounts/login/", method=method, content_type=content_type).status == 400


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "Utf8", '"utf-8"', '"UTF8"', " utf-8 "])
def test_utf8_is_taken(charset):
    for kind in BODIES.keys() - {"application/json"}:
        assert ask("/about/", content_type=f"{kind};charset={charset}").status == 200
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    answer = ask("/accounts/login/", method="POST", content_type=kind, body="login=m\u00fcller".encode())
    assert answer.status == 200
    assert 'value="m\u00fcller"' in answer.text


def test_the_test_client_is_answered_alike(client):
    """Others test with it; its requests don't come by helpdesk.wsgi."""
    for charset in ("hex", "latin-1", "nonsense"):
        assert client.get("/about/", CONTENT_TYPE=f"text/plain; charset={charset}").status_code == 400
    assert client.get("/about/", CONTENT_TYPE="text/plain; charset=utf-8").status_code == 200


ODD_PARTS = [
    'Content-Disposition: form-data; name="subject"\r\nContent-Type: text/plain; charset=hex',
    'Content-Disposition: form-data; name="_charset_"',
    "Content-Disposition: form-data; name*=hex''subject",
    "Content-Disposition: form-data; a*; a*0*=x; name=subject",
    "Content-Disposition: form-data; name=subject; b*0*=x; b*",
    'Content-Disposition: form-data; name="subject"\r\nContent-Transfer-Encoding: base64',
    'Content-Disposition: form-data; name="attachments"; filename="a.png"\r\nContent-Transfer-Encoding: base64',
    'Content-Disposition: form-data; name="attachments"; filename="a.png"\r\nContent-Transfer-Encoding: quoted-printable',
    "Content-Disposition: form-data; name=\"attachments\"; filename*=nosuch''a.png",
    'Content-Disposition: form-data; name="attachments"; filename="\xff\0.png"\r\nContent-Type: \xff; charset=hex',
    "Content-Disposition",
    ":",
    "X: " + "x" * 9000,
]


@pytest.mark.parametrize("part", ODD_PARTS, ids=range(len(ODD_PARTS)))
@pytest.mark.parametrize("value", [b"hex", b"!!!", b"YQ", b"\xff\0"])
def test_odd_part_of_a_form_breaks_no_page(client_of, alice, part, value):
    body = b"--x\r\n" + part.encode("latin-1") + b"\r\n\r\n" + value + b"\r\n--x--\r\n"
    for path in ("/tickets/new/", "/anymail/mailgun/inbound/"):
        answer = ask(
            path,
            method="POST",
            content_type="multipart/form-data; boundary=x",
            body=body,
            cookies=client_of(alice).cookies,
        )
        assert answer.status in (200, 400, 404)


@pytest.mark.parametrize("name", ["boundary=", "BOUNDARY=", "boundary*=", "boundary*0*=x; boundary*; a="])
@pytest.mark.parametrize("boundary", ["", "x" * 70, "x" * 300, "\xff", '"x y"', "x\0", "'"])
def test_odd_boundary_breaks_no_page(client_of, alice, name, boundary):
    cookies, kind = client_of(alice).cookies, f"multipart/form-data; {name}{boundary}"
    for length in ("0", "-1", "5", "x", ""):
        answer = ask(
            "/tickets/new/",
            method="POST",
            content_type=kind,
            body=b"--x\r\n\r\n",
            length=length,
            cookies=cookies,
        )
        assert answer.status in (200, 400)


@pytest.mark.parametrize("proxies", [0, 1, 2])
@pytest.mark.parametrize(
    "forwarded", ["", " ", ",", "1.1.1.1", "x, y", "[", "]:1", "[]:1", "\xff", "1.1.1.1, 2.2.2.2", "x" * 8000]
)
def test_visitor_whose_address_nobody_can_read_gets_an_answer(settings, proxies, forwarded):
    """By fewer proxies than there are nobody comes in good faith: 403, as for an address that is none."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    answer = ask(
        "/accounts/login/",
        method="POST",
        content_type="application/x-www-form-urlencoded",
        body=b"login=nobody%40example.com&password=x",
        HTTP_X_FORWARDED_FOR=forwarded,
    )
    assert answer.status in (200, 403)
    assert proxies or answer.status == 200


@pytest.fixture(scope="module")
def gunicorn():
    """The address of a gunicorn that serves as the Procfile says, without a database."""
    procfile = (django_settings.BASE_DIR / "Procfile").read_text()
    command = re.search(r"^web: (.*)$", procfile, re.MULTILINE)[1].split()
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
        "WEB_CONCURRENCY": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--bind", "127.0.0.1:0"],
        env=environment,
        cwd=django_settings.BASE_DIR,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr:
            if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
                yield ("127.0.0.1", int(found[1]))
                break
    finally:
        process.terminate()
        process.communicate(timeout=60)


def first_line(address, request: bytes) -> str:
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().decode("latin-1").strip()


RAW = {
    "as a browser asks": (200, b"GET /about/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "charset": (400, b"GET /about/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: a; charset=hex\r\n\r\n"),
    "bytes in the charset": (
        400,
        b"GET /about/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: a; charset=\xff\r\n\r\n",
    ),
    "charset of an unknown method": (
        400,
        b"FOO /about/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: a; charset=hex\r\n\r\n",
    ),
    "unknown method": (405, b"FOO /about/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "method of 200 letters": (400, b"A" * 200 + b" /about/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "method in lower case": (400, b"get /about/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "path of a proxy": (200, b"GET /about/ HTTP/1.1\r\nHost: localhost\r\nSCRIPT_NAME: /x\r\n\r\n"),
    "other path of a proxy": (200, b"GET /about/ HTTP/1.1\r\nHost: localhost\r\nPATH_INFO: /x\r\n\r\n"),
    "bytes in the query": (400, b"GET /about/?q=\xff&%ff=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "quoted bytes in the query": (200, b"GET /about/?%ff=%00&%ed%a0%80 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "quoted bytes in the path": (404, b"GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "bytes in the host": (400, b"GET /about/ HTTP/1.1\r\nHost: localhost\xff\r\n\r\n"),
    "no host": (400, b"GET /about/ HTTP/1.1\r\nHost: \r\n\r\n"),
    "two lengths": (
        400,
        b"POST /about/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ),
    "length below nothing": (
        400,
        b"POST /about/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\nxx",
    ),
    "broken chunks": (
        403,
        b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ),
    "languages": (
        200,
        b"GET /about/ HTTP/1.1\r\nHost: localhost\r\nAccept-Language: \xff;q=9, "
        + b"en-x;q=0.1," * 700
        + b"\r\n\r\n",
    ),
    "too many languages": (
        431,
        b"GET /about/ HTTP/1.1\r\nHost: localhost\r\nAccept-Language: " + b"en," * 4000 + b"\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_raw_bytes_get_an_answer_below_500(gunicorn, name):
    """Through gunicorn: what it lets through, Django has to bear."""
    status, request = RAW[name]
    assert first_line(gunicorn, request).split(" ", 2)[1] == str(status)
