"""The HTML of a mail, for a frame: without all that could act, load or tell who reads it. Pure and linear.

The sanitizer takes the square of the depth, and more where tags overlap, and nothing else runs meanwhile. So
it gets tags in good order, of few levels, and not too many.
"""

from html import escape

import nh3
from justhtml import stream

from tickets.inbound.plain_text import SILENT

# No images (they tell the sender who reads), no styles, no forms.
TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}
ATTRIBUTES = {tag: nh3.ALLOWED_ATTRIBUTES.get(tag, set()) for tag in TAGS}
VOID = {"br", "col", "hr", "wbr"}
MOST_TAGS = 10_000
MOST_LEVELS = 100
MOST_CHARACTERS = 300_000


def safe_html(html: str) -> tuple[str, bool]:
    """What may be shown, and whether there is more of it. Tags within too many others are left out."""
    pieces, is_cut = _in_order(html[:MOST_CHARACTERS])
    clean = nh3.clean("".join(pieces), tags=TAGS, link_rel="noopener noreferrer nofollow")
    return clean, is_cut or len(html) > MOST_CHARACTERS


def _in_order(html: str) -> tuple[list[str], bool]:
    pieces: list[str] = []
    opened: list[str] = []
    count, is_silent = 0, False
    for event, what in stream(html):
        if event == "start":
            tag, attributes = what
            is_silent = tag in SILENT
            if tag not in TAGS:
                continue
            count += 1
            if count > MOST_TAGS:
                break
            if len(opened) == MOST_LEVELS and tag not in VOID:
                continue
            pieces.append(_start(tag, attributes))
            if tag not in VOID:
                opened.append(tag)
        elif event == "end":
            is_silent = False
            if what in opened:
                while (tag := opened.pop()) != what:
                    pieces.append(f"</{tag}>")
                pieces.append(f"</{what}>")
        elif event == "text" and not is_silent:
            pieces.append(escape(what, quote=False))
    pieces += [f"</{tag}>" for tag in reversed(opened)]
    return pieces, count > MOST_TAGS


def _start(tag: str, attributes: dict[str, str | None]) -> str:
    kept = "".join(
        f' {name}="{escape(value or "")}"' for name, value in attributes.items() if name in ATTRIBUTES[tag]
    )
    return f"<{tag}{kept}>"
