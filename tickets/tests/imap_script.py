"""An IMAP server without any mail of its own: it answers each command as a test says, or hangs, drips or cuts.

`script` is {command: answer}. In an answer, {tag} is the tag of the command, and a list is answered line by
line. HANG, DRIP and CUT are answers too. What is not in the script is answered with OK.
"""

import contextlib
import socketserver
import threading

HANG, DRIP, CUT = "hang", "drip", "cut"
LONGEST = 30  # seconds that a hanging answer holds on; the end of the test ends it at once
GREETING = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"
SELECTED = ["* 1 EXISTS", "* OK [UIDVALIDITY 7] x", "* OK [UIDNEXT 3] x", "{tag} OK [READ-WRITE] done"]
CAPABILITY = ["* CAPABILITY IMAP4rev1 AUTH=PLAIN", "{tag} OK done"]


class ImapScript(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, script: dict[str, object] | None = None):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.script: dict[str, object] = {"SELECT": SELECTED, "CAPABILITY": CAPABILITY} | (script or {})
        self.commands: list[str] = []
        self.greeting = GREETING
        self.stopping = threading.Event()
        self.is_hanging = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        self.shutdown()
        self.server_close()


class Conversation(socketserver.StreamRequestHandler):
    server: ImapScript

    def handle(self):
        with contextlib.suppress(OSError):
            self.wfile.write(self.server.greeting)
            while line := self.rfile.readline():
                if not self.answer(line.decode().rstrip("\r\n")):
                    return

    def answer(self, line: str) -> bool:
        """Returns False at the end of the conversation."""
        tag, _space, command = line.partition(" ")
        self.server.commands.append(command)
        if command.startswith("AUTHENTICATE"):
            self.wfile.write(b"+ \r\n")
            self.rfile.readline()
        found = max(filter(command.upper().startswith, self.server.script), key=len, default="")
        answer = self.server.script.get(found, "{tag} OK done")
        answer = answer(command) if callable(answer) else answer
        if answer in (HANG, DRIP):
            self.server.is_hanging.set()
            self.hang() if answer == HANG else self.drip()
        if answer in (HANG, DRIP, CUT):
            return False
        for part in [answer] if isinstance(answer, str | bytes) else answer:
            self.send(part, tag)
        return True

    def send(self, part: str | bytes, tag: str) -> None:
        self.wfile.write(part if isinstance(part, bytes) else part.replace("{tag}", tag).encode() + b"\r\n")

    def hang(self) -> None:
        self.server.stopping.wait(LONGEST)

    def drip(self) -> None:
        self.wfile.write(b"* ")
        while not self.server.stopping.wait(0.05):
            self.wfile.write(b"x")


def literal(uid: int, raw: bytes, part: str = "BODY[]") -> bytes:
    """The answer to a FETCH of an email, without the line that ends it."""
    return b"* 1 FETCH (UID %d %s {%d}\r\n%s)\r\n" % (uid, part.encode(), len(raw), raw)


def listing(uid: int, size: int) -> str:
    return f'* 1 FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE "30-Nov-2026 10:00:00 +0000")'
