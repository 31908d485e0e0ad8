"""The files of a mail: their names and their order. Pure and linear."""

import mimetypes
from dataclasses import dataclass, replace

from tickets.file_types import TYPES, described, extension
from tickets.inbound.limits import MAX_FILES, TooComplex
from tickets.validators import safe_name

SUFFIXES = {"image/jpeg": "jpg", "image/jpg": "jpg", "text/plain": "txt"}  # where the machine's table differs
STEMS = {"text/calendar": "invite", "message/rfc822": "message"}
PICTURES = ("image", "audio", "video", "text")  # whose kind says more than "file"
LARGEST_ICON = 10_000  # bytes; more is a picture that shows something


@dataclass(frozen=True)
class MailFile:
    name: str
    content_type: str
    content: bytes
    is_inline: bool = False  # a picture within the HTML

    @property
    def is_icon(self) -> bool:
        """Whether it decorates a signature, as far as anybody can tell."""
        return self.is_inline and len(self.content) <= LARGEST_ICON


class Files:
    """The files of all parts, each once."""

    def __init__(self) -> None:
        self._files: list[tuple[MailFile, str]] = []
        self._known: set[tuple[str, bytes]] = set()

    def add(self, name: str, kind: str, content: bytes, *, cid: str = "", is_inline: bool = False) -> None:
        """Raises TooComplex. `cid`: by what HTML refers to it."""
        name = _named(name, kind, content)
        if not content or (name, content) in self._known:  # invitations often come twice
            return
        self._known.add((name, content))
        self._files.append((MailFile(name, kind, content, is_inline), cid))
        if len(self._files) > MAX_FILES:
            raise TooComplex(f"The mail has more than {MAX_FILES} files.")

    def in_order(self, shown: set[str]) -> list[MailFile]:
        """What somebody attached, then pictures within the text, then icons. `shown`: what HTML refers to."""
        files = [
            replace(file, is_inline=True) if cid in shown and file.content_type.startswith("image/") else file
            for file, cid in self._files
        ]
        return sorted(files, key=lambda file: (file.is_inline, file.is_icon))


def _named(name: str, kind: str, content: bytes) -> str:
    """The name with the extension that its bytes, or else its type, say it has."""
    if name and extension(name):
        return name
    if not name:
        main = kind.partition("/")[0]
        name = STEMS.get(kind) or (main if main in PICTURES else "file")
    suffix = SUFFIXES.get(kind) or (mimetypes.guess_extension(kind) or "").lstrip(".")
    if suffix in TYPES and TYPES[suffix].fits(content) and kind != "text/plain":
        return f"{name}.{suffix}"
    told = described(safe_name(name), content)[0]
    return told if extension(told) else f"{name}.{suffix}".rstrip(".")
