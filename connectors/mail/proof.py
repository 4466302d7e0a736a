"""Whether a mail's sender is who it says: what one's own mail server found (Authentication-Results, RFC 8601). Pure.

Anybody can write any From. The server that takes a mail in from outside checks it (SPF, DKIM, DMARC) and writes what it
found into a header that begins with its own name, and removes headers of that name which came from outside (RFC 8601,
5). Only the topmost header of that name is believed, so a server that forgets to remove does no harm.
"""

import re
from collections.abc import Sequence
from email.message import Message

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"^([a-z0-9-]+)(?:/\d+)?\s*=\s*([a-z]+)")
_PROPERTY = re.compile(r"\b(header\.d|header\.from|smtp\.mailfrom)\s*=\s*\"?([^\s;\"]+)")
_PROVES = {"dkim": "header.d", "spf": "smtp.mailfrom", "dmarc": "header.from"}


def results_of(mail: Message) -> list[str]:
    """The Authentication-Results of a mail, topmost first."""
    wanted = "authentication-results"
    return [" ".join(str(value).split())[:4_000] for name, value in mail.raw_items() if name.lower() == wanted]


def proven(headers: Sequence[str], server: str, sender: str) -> str:
    """`""` where the sender's address is proven, else why not, without personal data.

    `headers`: the mail's Authentication-Results, topmost first. DMARC decides where there is a result; without one
    (`none`, or not looked at), a passing DKIM signature or SPF check of the sender's own domain (or one above it)."""
    results = next((found for found in map(_parsed, headers) if found[0] == server.lower()), None)
    if results is None:
        return f"{server} wrote no result"
    domain = sender.rpartition("@")[2].lower()
    findings = results[1]
    dmarc = [(verdict, of) for method, verdict, of in findings if method == "dmarc"]
    if dmarc and [verdict for verdict, _ in dmarc] != ["none"]:
        if bad := next((verdict for verdict, _ in dmarc if verdict != "pass"), ""):
            return f"dmarc={bad}"
        # Where the server read another From than we do, it has proven somebody else.
        return "" if all(of in ("", domain) for _, of in dmarc) else "dmarc passed for another domain"
    for method, verdict, of in findings:
        if verdict == "pass" and method in ("dkim", "spf") and (domain == of or domain.endswith("." + of)):
            return ""
    return "no check of the sender's domain passed"


def _parsed(header: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The server's name, and each check's method, verdict and the domain it was of."""
    text = header
    while (bare := _COMMENT.sub(" ", text)) != text:
        text = bare
    name, *parts = text.split(";")
    findings = []
    for part in parts:
        words = part.strip().lower()
        if found := _RESULT.match(words):
            of = dict(_PROPERTY.findall(words))
            domain = of.get(_PROVES.get(found[1], ""), "").rpartition("@")[2]
            findings.append((found[1], found[2], domain))
    return name.split()[0].lower() if name.split() else "", findings
