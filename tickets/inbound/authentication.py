"""Whether a mail comes from where it says, by what the server that we trust wrote into its headers. Pure."""

import re
from collections.abc import Iterator
from enum import StrEnum

MAILGUN = "mailgun"
QUOTED = re.compile(r'"(?:[^"\\]|\\.?)*"?')  # up to the end where it is not closed: it never tries twice
COMMENT = re.compile(r"\([^()]*\)")
# What the sender chose (an address, a greeting) may hold semicolons, but outside quotes no space.
END_OF_STATEMENT = re.compile(r";(?=\s|$)")
AROUND_EQUALS = re.compile(r" ?= ?")
DOMAIN_TAG = re.compile(r"(?:^|;)\s*d\s*=([^;]*)")


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NONE = "none"


def verdict(
    raw_headers: list[tuple[str, str]], *, sender: str, envelope_sender: str, trusted: str
) -> Verdict:
    """`raw_headers` from the top, `sender` of From; `trusted` is "mailgun", an authserv-id or ""."""
    if not trusted or not sender:
        return Verdict.NONE
    if trusted == MAILGUN:
        return _mailgun(raw_headers, sender=sender, envelope_sender=envelope_sender)
    return _results(raw_headers, sender=sender, envelope_sender=envelope_sender, trusted=trusted.lower())


def _mailgun(raw_headers: list[tuple[str, str]], *, sender: str, envelope_sender: str) -> Verdict:
    """X-Mailgun-Spf is Pass, Neutral, Fail or SoftFail, X-Mailgun-Dkim-Check-Result Pass or Fail.

    Mailgun writes above the first Received. What stands below came with the mail and may be anybody's.
    Its one result does not say which signature it is about, so it counts if all of them are the sender's.
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
    is_signed = bool(signers) and all(_is_aligned(domain, sender) for domain in signers)
    if (spf == "pass" and _is_aligned(envelope_sender, sender)) or (dkim == "pass" and is_signed):
        return Verdict.PASS
    return Verdict.FAIL if spf in ("fail", "softfail") or dkim == "fail" else Verdict.NONE


def _results(
    raw_headers: list[tuple[str, str]], *, sender: str, envelope_sender: str, trusted: str
) -> Verdict:
    """Of each method the topmost header counts: a server writes its own above what came with the mail."""
    said: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for name, value in raw_headers:
        if name.lower() != "authentication-results":
            continue
        server, _semicolon, rest = COMMENT.sub(" ", QUOTED.sub("x", value)).partition(";")
        if server.lower().split()[:1] != [trusted]:
            break
        here: dict[str, list[tuple[str, dict[str, str]]]] = {}
        for method, result, properties in _methods(rest):
            here.setdefault(method, []).append((result, properties))
        said = here | said
    dmarc = [
        result == "pass" and _is_aligned(properties.get("header.from", sender), sender)
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
    if any(result == "pass" and _is_aligned(domain, sender) for result, domain in results):
        return Verdict.PASS
    has_failed = any(result in ("fail", "softfail", "permerror") for result, _domain in results)
    return Verdict.FAIL if has_failed else Verdict.NONE


def _methods(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Triples (method, result, properties) of `spf=pass smtp.mailfrom=a@b; dkim=...`."""
    for statement in END_OF_STATEMENT.split(text.lower()):
        method, *properties = AROUND_EQUALS.sub("=", " ".join(statement.split())).split() or [""]
        name, _equals, result = method.partition("=")
        yield (
            name.partition("/")[0],
            result,
            dict(pair.split("=", 1) for pair in properties if "=" in pair),
        )


def _is_aligned(domain: str, sender: str) -> bool:
    """Whether `domain` (or the domain of an address) is that of the sender, above or below it."""
    domain = domain.rpartition("@")[2].strip(" <>").rstrip(".").lower()
    own = sender.rpartition("@")[2].lower()
    is_name = "." in domain and " " not in domain
    return is_name and (domain == own or own.endswith(f".{domain}") or domain.endswith(f".{own}"))
