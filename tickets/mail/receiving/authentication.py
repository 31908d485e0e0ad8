"""Reads the results of SPF, DKIM and DMARC from the headers that a trusted server has added. Pure."""

import re
from collections.abc import Iterator
from enum import StrEnum

MAILGUN = "mailgun"
QUOTED = re.compile(r'"(?:[^"\\]|\\.?)*"?')  # an unclosed string ends at the end of the text, so it is linear
COMMENT = re.compile(r"\([^()]*\)")
# Values that the sender chooses (an address, a HELO name) may contain ";", but no space outside of quotes.
END_OF_STATEMENT = re.compile(r";(?=\s|$)")
SPACED_EQUALS = re.compile(r" ?= ?")
DOMAIN_TAG = re.compile(r"(?:^|;)\s*d\s*=([^;]*)")


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NONE = "none"


def verdict(
    raw_headers: list[tuple[str, str]], *, sender: str, envelope_sender: str, trusted: str
) -> Verdict:
    """`raw_headers` from the top, `sender` from From. `trusted`: "mailgun", an authserv-id or ""."""
    if not trusted or not sender:
        return Verdict.NONE
    if trusted == MAILGUN:
        return _mailgun(raw_headers, sender=sender, envelope_sender=envelope_sender)
    return _results(raw_headers, sender=sender, envelope_sender=envelope_sender, trusted=trusted.lower())


def _mailgun(raw_headers: list[tuple[str, str]], *, sender: str, envelope_sender: str) -> Verdict:
    """X-Mailgun-Spf is Pass, Neutral, Fail or SoftFail; X-Mailgun-Dkim-Check-Result is Pass or Fail.

    Mailgun adds its headers above the first Received header. The headers below may be forged. Mailgun gives
    one DKIM result without naming the signature, so it counts only if all signatures are aligned.
    """
    said: dict[str, str] = {}
    for name, value in raw_headers:
        if name.lower() == "received":
            break
        said.setdefault(name.lower(), value.strip().lower())
    spf, dkim = said.get("x-mailgun-spf", ""), said.get("x-mailgun-dkim-check-result", "")
    signers = [
        domain
        for name, value in raw_headers
        if name.lower() == "dkim-signature"
        for domain in DOMAIN_TAG.findall(value) or [""]
    ]
    is_signed = bool(signers) and all(is_aligned(domain, sender) for domain in signers)
    if (spf == "pass" and is_aligned(envelope_sender, sender)) or (dkim == "pass" and is_signed):
        return Verdict.PASS
    return Verdict.FAIL if spf in ("fail", "softfail") or dkim == "fail" else Verdict.NONE


def _results(
    raw_headers: list[tuple[str, str]], *, sender: str, envelope_sender: str, trusted: str
) -> Verdict:
    """For each method the topmost header counts, because a server adds its own above the others."""
    said: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for name, value in raw_headers:
        if name.lower() != "authentication-results":
            continue
        server, _semicolon, rest = COMMENT.sub(" ", QUOTED.sub("x", value)).partition(";")
        if server.lower().split()[:1] != [trusted]:
            break
        here: dict[str, list[tuple[str, dict[str, str]]]] = {}
        for method, result, properties in methods(rest):
            here.setdefault(method, []).append((result, properties))
        said = here | said
    dmarc = [
        result == "pass" and is_aligned(properties.get("header.from", sender), sender)
        for result, properties in said.get("dmarc", [])
        if result in ("pass", "fail")
    ]
    if dmarc:
        return Verdict.PASS if all(dmarc) else Verdict.FAIL
    results = [
        (result, properties.get("smtp.mailfrom") or envelope_sender)
        for result, properties in said.get("spf", [])
    ] + [
        (result, properties.get("header.d") or properties.get("header.i", ""))
        for result, properties in said.get("dkim", [])
    ]
    if any(result == "pass" and is_aligned(domain, sender) for result, domain in results):
        return Verdict.PASS
    has_failed = any(result in ("fail", "softfail", "permerror") for result, _domain in results)
    return Verdict.FAIL if has_failed else Verdict.NONE


def methods(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Parses `spf=pass smtp.mailfrom=a@b; dkim=...` into triples (method, result, properties)."""
    for statement in END_OF_STATEMENT.split(text.lower()):
        method, *properties = SPACED_EQUALS.sub("=", " ".join(statement.split())).split() or [""]
        name, _equals, result = method.partition("=")
        yield (
            name.partition("/")[0],
            result,
            dict(pair.split("=", 1) for pair in properties if "=" in pair),
        )


def is_aligned(domain: str, sender: str) -> bool:
    """Whether `domain` (or the domain of an address) equals the sender's, or is its parent or subdomain."""
    domain = domain.rpartition("@")[2].strip(" <>").rstrip(".").lower()
    own = sender.rpartition("@")[2].lower()
    is_name = "." in domain and " " not in domain
    return is_name and (domain == own or own.endswith(f".{domain}") or domain.endswith(f".{own}"))
