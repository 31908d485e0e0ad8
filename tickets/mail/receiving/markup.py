"""Sanitizes the HTML of a message for display in a frame, without scripts, images and trackers. Linear.

The sanitizer needs quadratic time for deep nesting, more for overlapping tags, and holds the GIL. Therefore
it gets well-nested HTML with limits on depth and number of tags.
"""

from html import escape

import nh3

from tickets.mail.receiving.html_events import SILENT, html_events

# No images (they are trackers), no styles, no forms.
TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}
ATTRIBUTES = {tag: nh3.ALLOWED_ATTRIBUTES.get(tag, set()) for tag in TAGS}
VOID = {"br", "col", "hr", "wbr"}
MOST_TAGS = 10_000
MOST_LEVELS = 100
MOST_CHARACTERS = 300_000
# The sanitizer needs quadratic time for no-break spaces, so a noncharacter replaces them.
NO_BREAK, STAND_IN = "\xa0", "\ufdd0"


def safe_html(html: str) -> tuple[str, bool]:
    """The sanitized HTML, and whether it is cut. Leaves out tags that are nested too deeply."""
    pieces, is_cut = _in_order(html[:MOST_CHARACTERS])
    ordered = "".join(pieces).replace(NO_BREAK, STAND_IN)
    clean = nh3.clean(ordered, tags=TAGS, link_rel="noopener noreferrer nofollow")
    return clean.replace(STAND_IN, "&nbsp;"), is_cut or len(html) > MOST_CHARACTERS


def _in_order(html: str) -> tuple[list[str], bool]:
    pieces: list[str] = []
    opened: list[str] = []
    count, is_silent = 0, False
    for event, what in html_events(html):
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
