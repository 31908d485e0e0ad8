"""The files of a message: their names and their order. Pure and linear."""

import mimetypes
from dataclasses import dataclass, replace

from tickets.mail.receiving.limits import MAX_FILES, TooComplex
from tickets.rules.file_types import TYPES, described, extension
from tickets.rules.validators import safe_name

SUFFIXES = {"image/jpeg": "jpg", "image/jpg": "jpg", "text/plain": "txt"}  # instead of the system's table
STEMS = {"text/calendar": "invite", "message/rfc822": "message"}
PICTURES = ("image", "audio", "video", "text")  # types that name a file without a name
LARGEST_ICON = 10_000  # bytes; a larger image is content


@dataclass(frozen=True)
class MailFile:
    name: str
    content_type: str
    content: bytes
    is_inline: bool = False  # an image that the HTML shows

    @property
    def is_icon(self) -> bool:
        """Whether it is probably an icon of a signature."""
        return self.is_inline and len(self.content) <= LARGEST_ICON


class Files:
    """The distinct files of all parts."""

    def __init__(self) -> None:
        self._files: list[tuple[MailFile, str]] = []
        self._known: set[tuple[str, bytes]] = set()

    def add(self, name: str, kind: str, content: bytes, *, cid: str = "", is_inline: bool = False) -> None:
        """Adds a file once. Raises TooComplex. `cid`: its Content-ID."""
        if not content:
            return
        name = _named(name, kind, content)
        if (name, content) in self._known:  # invitations are often included twice
            return
        self._known.add((name, content))
        self._files.append((MailFile(name, kind, content, is_inline), cid))
        if len(self._files) > MAX_FILES:
            raise TooComplex(f"The mail has more than {MAX_FILES} files.")

    def in_order(self, shown: set[str]) -> list[MailFile]:
        """Attachments first, then inline images, then icons, the largest first.

        `shown`: the Content-IDs in the HTML.
        """
        files = [
            replace(file, is_inline=True) if cid in shown and file.content_type.startswith("image/") else file
            for file, cid in self._files
        ]
        files.sort(key=lambda file: -len(file.content) if file.is_icon else 0)
        return sorted(files, key=lambda file: (file.is_inline, file.is_icon))


def _named(name: str, kind: str, content: bytes) -> str:
    """The name with an extension that fits its bytes or its type."""
    if name and extension(name):
        return name
    if not name:
        main = kind.partition("/")[0]
        name = STEMS.get(kind) or (main if main in PICTURES else "file")
    suffix = SUFFIXES.get(kind) or (mimetypes.guess_extension(kind) or "").lstrip(".")
    if suffix in TYPES and TYPES[suffix].fits(content) and kind != "text/plain":
        return f"{name}.{suffix}"
    found = described(safe_name(name), content)[0]
    return found if extension(found) else f"{name}.{suffix}".rstrip(".")
