"""Reads from the headers of Exchange Online whether the sender is verified. Pure.

Only for messages fetched from a mailbox at Microsoft 365: elsewhere anybody can write these headers.
"""

import re

from tickets.mail.receiving.authentication import COMMENT, QUOTED, Verdict, is_aligned, methods

AUTH_AS = "x-ms-exchange-organization-authas"
# The server that accepts email from outside of Microsoft, and adds its results above its Received header.
EDGE = re.compile(r"\bby\s+[\w.-]+\.mail\.protection\.outlook\.com\b", re.IGNORECASE | re.ASCII)
WITHIN = re.compile(r"\bby\s+[\w.-]+\.(?:outlook|office365)\.com\b", re.IGNORECASE | re.ASCII)
# Exchange writes no space behind every ";", so a statement ends where a known method starts.
STATEMENT = re.compile(r";\s*(?=(?:spf|dkim|dmarc|compauth)=)", re.IGNORECASE)
ONCE = ("spf", "dmarc", "compauth")


def verdict(raw_headers: list[tuple[str, str]], *, sender: str, is_of_company: bool) -> Verdict:
    """`raw_headers` from the top, `sender` from From, `is_of_company`: whether its domain is ours.

    Exchange neither signs nor checks email between colleagues, but marks it as internal. It removes that mark
    from email that comes from outside ("header firewall").
    """
    if not sender:
        return Verdict.NONE
    marks = {value.strip().lower() for name, value in raw_headers if name.lower() == AUTH_AS}
    if marks == {"internal"}:
        return Verdict.PASS if is_of_company else Verdict.NONE
    return _of_results(_results(raw_headers), sender)


def _results(raw_headers: list[tuple[str, str]]) -> str:
    """The topmost Authentication-Results without an authserv-id that Exchange has added; "" without one.

    It is above the Received header of the edge. Everything below is written by others.
    """
    found = ""
    for name, value in raw_headers:
        if name.lower() == "authentication-results" and not found:
            found = value if "=" in value.partition(";")[0] else ""
        elif name.lower() == "received":
            text = " ".join(COMMENT.sub(" ", value).split())
            if EDGE.search(text):
                return found
            if not WITHIN.search(text):
                break
    return ""


def _of_results(text: str, sender: str) -> Verdict:
    statements = STATEMENT.sub("; ", COMMENT.sub(" ", QUOTED.sub("x", text)))
    said: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for method, result, properties in methods(statements):
        said.setdefault(method, []).append((result, properties))
    if any(len(said.get(method, ())) > 1 for method in ONCE):  # a value that the sender chose contains one
        return Verdict.NONE
    if any(result == "fail" for method in ("dmarc", "compauth") for result, _rest in said.get(method, ())):
        return Verdict.FAIL
    passed = [
        properties.get(field, "")
        for method, field in (("dmarc", "header.from"), ("dkim", "header.d"), ("spf", "smtp.mailfrom"))
        for result, properties in said.get(method, ())
        if result == "pass"
    ]
    return Verdict.PASS if any(is_aligned(domain, sender) for domain in passed) else Verdict.NONE
