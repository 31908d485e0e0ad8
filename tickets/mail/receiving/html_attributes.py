"""Reads attributes of HTML tags as text: URLs of links, alternative texts, numbers of lists. Pure."""

import re
from collections.abc import Callable
from urllib.parse import unquote

# URLs that are useful to a reader, unlike javascript: and cid:.
ADDRESSES = ("http://", "https://", "ftp://", "file:", "smb://", "mailto:", "\\\\")
PIXEL = re.compile(
    r"(?i)(?:^|[;\s])(?:(?:width|height)\s{0,5}:\s{0,5}[01](?:px)?\s{0,5}(?:;|$)|display\s{0,5}:\s{0,5}none)"
)
LARGEST_NUMBER = 1_000_000
ROMAN = dict(zip(
    (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
    ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
    strict=True,
))  # fmt: skip
Attributes = dict[str, str | None]


def address(href: str) -> str:
    """The URL of a link; "" if it is of no use to a reader."""
    href = " ".join(href.split())
    if not href.lower().startswith(ADDRESSES):
        return ""
    return "mailto:" + href[7:].partition("?")[0] if href.lower().startswith("mailto:") else href


def is_said(link: str, text: str) -> bool:
    """Whether the text of a link already contains its URL."""
    if link.startswith(("http://", "https://")):
        return link.rstrip("/") in text
    return _bare(link) in _bare(text)


def _bare(address: str) -> str:
    address = unquote(address).lower().replace("\\", "/")
    return address.removeprefix("mailto:").removeprefix("file:").strip("/ ")


def alternative(attributes: Attributes) -> str:
    """The alternative text of an image; "" for decoration and tracking pixels."""
    words = " ".join((attributes.get("alt") or "").split())
    sizes = {(attributes.get(name) or "").strip().removesuffix("px") for name in ("width", "height")}
    if not words or sizes & {"0", "1"} or PIXEL.search((attributes.get("style") or "")[:500]):
        return ""
    return f"[{words}]" if any(map(str.isalnum, words)) else words  # an emoji needs no brackets


def label_of(tag: str, attributes: Attributes) -> Callable[[int], str] | None:
    """A function for the labels of a numbered list; None for other lists."""
    if tag != "ol":
        return None
    kind, style = attributes.get("type") or "", (attributes.get("style") or "")[:500].lower()
    if kind in ("i", "I") or "-roman" in style:
        label = _roman
    elif kind in ("a", "A") or "-alpha" in style or "-latin" in style:
        label = _letters
    else:
        return str
    is_upper = kind in ("A", "I") or "upper-" in style
    return (lambda number: label(number).upper()) if is_upper else label


def _letters(number: int) -> str:
    letters = ""
    left = number
    while left > 0:
        left, letter = divmod(left - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters or str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    letters, left = "", number
    for value, sign in ROMAN.items():
        letters += sign * (left // value)
        left %= value
    return letters


def whole_number(value: str | None) -> int | None:
    try:
        return max(min(int((value or "")[:8]), LARGEST_NUMBER), -LARGEST_NUMBER)
    except ValueError:
        return None
