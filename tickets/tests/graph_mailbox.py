"""The mailbox side of Microsoft Graph: folders, delta query, `$value`, move. Tokens are those of Microsoft.

`faults` is {part of a method and path: (status, code of the error)}; each is answered once, or for ever if
the part is also in `always`. `next_host` makes links lead elsewhere.
"""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from tickets.tests.microsoft import Microsoft, MicrosoftHandler

PAGE = 3


class GraphMailbox(Microsoft):
    def __init__(self):
        super().__init__()
        self.RequestHandlerClass = GraphHandler
        self.messages: dict[str, dict] = {}
        self.folders = {"inbox": "inbox"}  # {ID: name}
        self.changes: list[dict] = []
        self.faults: dict[str, tuple[int, str]] = {}
        self.always: set[str] = set()
        self.paths: list[str] = []
        self.preferred: set[str] = set()
        self.next_host = ""

    def put(self, *mails: bytes, folder: str = "inbox", at: datetime | None = None) -> list[str]:
        """New emails; returns their IDs."""
        made = []
        for raw in mails:
            number = f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0{len(self.messages)}="
            moment = f"{at or datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            self.messages[number] = {"raw": raw, "folder": folder, "at": moment, "isRead": False}
            self.changes.append({"id": number, "receivedDateTime": moment})
            made.append(number)
        return made

    def touch(self, number: str) -> None:
        """A person marks an email: the delta query reports it."""
        self.changes.append({"id": number, "receivedDateTime": self.messages[number]["at"]})

    def in_folder(self, name: str) -> list[str]:
        number = next((number for number, other in self.folders.items() if other == name), None)
        return [key for key, message in self.messages.items() if message["folder"] == number]


class GraphHandler(MicrosoftHandler):
    server: GraphMailbox

    def do_GET(self):  # noqa: N802 - the name is http.server's
        if not self.is_refused():
            self.get(urlsplit(self.path), {**parse_qs(urlsplit(self.path).query)})

    def do_POST(self):  # noqa: N802 - the name is http.server's
        if "/v1.0/" not in self.path:
            super().do_POST()
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.is_refused():
            self.post(urlsplit(self.path).path, body)

    def do_PATCH(self):  # noqa: N802 - the name is http.server's
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.is_refused() and (message := self.message()):
            message.update(body)
            self.answer(200, body)

    def is_refused(self) -> bool:
        """Answers what the test wants to go wrong."""
        asked = f"{self.command} {unquote(self.path)}"
        self.server.paths.append(asked)
        self.server.preferred.add(self.headers.get("Prefer", ""))
        if not self.is_known():
            self.error(401, "InvalidAuthenticationToken")
            return True
        for part in [part for part in self.server.faults if part in asked]:
            found = self.server.faults[part] if part in self.server.always else self.server.faults.pop(part)
            self.error(*found)
            return True
        return False

    def get(self, url, query: dict[str, list[str]]) -> None:
        if url.path.endswith("/delta"):
            self.delta(query)
        elif url.path.endswith("/$value"):
            if message := self.message():
                self.raw(message["raw"])
        elif url.path.endswith("/mailFolders"):
            wanted = query["$filter"][0].partition("'")[2].removesuffix("'").replace("''", "'")
            found = [{"id": number} for number, name in self.server.folders.items() if name == wanted]
            self.answer(200, {"value": found})
        elif url.path.endswith("/messages"):
            since = query["$filter"][0].rpartition(" ")[2]
            self.answer(200, {"value": [], "@odata.count": len(self.lying(since))})
        else:
            self.answer(200, {"totalItemCount": len(self.lying(""))})

    def lying(self, since: str) -> list[dict]:
        inside = [message for message in self.server.messages.values() if message["folder"] == "inbox"]
        return [message for message in inside if message["at"] >= since]

    def delta(self, query: dict[str, list[str]]) -> None:
        start = int((query.get("$skiptoken") or query.get("$deltatoken") or ["0"])[0])
        end = start + PAGE
        values = []
        for change in self.server.changes[start:end]:
            is_here = self.server.messages[change["id"]]["folder"] == "inbox"
            values.append(change if is_here else {"id": change["id"], "@removed": {"reason": "changed"}})
        path = f"{urlsplit(self.path).path}?"
        base = (self.server.next_host or self.server.url) + path
        if end < len(self.server.changes):
            self.answer(200, {"value": values, "@odata.nextLink": f"{base}$skiptoken={end}"})
        else:
            link = f"{base}$deltatoken={len(self.server.changes)}"
            self.answer(200, {"value": values, "@odata.deltaLink": link})

    def post(self, path: str, body: dict) -> None:
        if path.endswith("/mailFolders"):
            number = f"folder{len(self.server.folders)}="
            self.server.folders[number] = body["displayName"]
            self.answer(201, {"id": number})
        elif body["destinationId"] not in self.server.folders:
            self.error(404, "ErrorFolderNotFound")
        elif message := self.message():
            message["folder"] = body["destinationId"]
            self.answer(201, {"id": "the same"})

    def message(self) -> dict | None:
        """The message of the path; else answers 404."""
        number = re.search(r"/messages/([^/?]+)", unquote(self.path))[1]
        message = self.server.messages.get(number)
        if message is None:
            self.error(404, "ErrorItemNotFound")
        return message

    def raw(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
