"""Requests to Microsoft Graph for one mailbox. The token goes to MICROSOFT_GRAPH_URL and to no other host."""

from urllib.parse import quote

import requests
from django.conf import settings

from tickets.mail.access_tokens import access_token
from tickets.models import Mailbox

TIMEOUT = (3, 6)  # seconds to connect, seconds to read


class ForeignUrl(Exception):
    """The address is not below MICROSOFT_GRAPH_URL. It gets no token."""


class Client:
    """Raises TokenRefused, TokenLater, ForeignUrl and requests.RequestException.

    Returns every answer of the server, except that it renews a refused token once.
    """

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.session = requests.Session()

    def get(self, path: str, **options) -> requests.Response:
        return self._request("GET", path, **options)

    def post(self, path: str, **options) -> requests.Response:
        return self._request("POST", path, **options)

    def patch(self, path: str, **options) -> requests.Response:
        return self._request("PATCH", path, **options)

    def close(self) -> None:
        self.session.close()

    @property
    def place(self) -> str:
        """The path of the mailbox."""
        return f"/users/{quote(self.mailbox.address)}"

    def _request(self, method: str, path: str, **options) -> requests.Response:
        """`path` is a path below the base, or a whole address that Graph has sent (nextLink, deltaLink)."""
        url, token = self._url(path), access_token(self.mailbox)
        answer = self._ask(method, url, token, **options)
        if answer.status_code != 401:
            return answer
        answer.close()
        return self._ask(method, url, access_token(self.mailbox, renew=True, refused=token), **options)

    def _url(self, path: str) -> str:
        base = settings.MICROSOFT_GRAPH_URL.rstrip("/")
        url = base + path if path.startswith("/") else path
        if not url.startswith(f"{base}/"):
            raise ForeignUrl("This address is not one of Microsoft Graph.")
        return url

    def _ask(self, method: str, url: str, token: str, *, headers: dict | None = None, **options):
        headers = (headers or {}) | {"Authorization": f"Bearer {token}"}
        options = {"timeout": TIMEOUT, **options, "allow_redirects": False}
        return self.session.request(method, url, headers=headers, **options)
