"""The address of a page as an identity: of all the ways to write it, one. Pure."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

LINK_MAX = 2_000  # characters; what is longer is no address that two would write alike
_MOBILE = re.compile(r"^(?:www\d?|m|mobile|amp|touch)\.")
_TRACKING = re.compile(
    r"^(?:utm_\w+|at_\w+|mc_\w+|pk_\w+|mtm_\w+|ns_\w+|__twitter_impression|fbclid|gclid|dclid|msclkid|igshid|igsh|twclid"
    r"|yclid|wt_mc|wtmc|xtor|cmp|cmpid|cid|ocid|ref|ref_src|ref_url|referrer|source|src|campaign|medium|from|via|rss|amp"
    r"|outputtype|output|s|share|smid|sr_share|feature|trk|echobox|_branch_match_id)$",
    re.IGNORECASE,
)
_AMP_END = re.compile(r"(?:/amp|\.amp)(?:\.html?)?$|(?<=.)/amp(?=/)")
_HOME = re.compile(
    r"^(?:/(?:fr|nl|de|en|be|fr-be|nl-be|de-be|en-be|home|accueil|index(?:\.\w+)?|news|nieuws|actualites?|info|live|rss))*$"
)


def canonical(link: str) -> str:
    """Host, path and query without scheme, mobile host, AMP, fragment and tracking; "" for what is no page of its own
    (a home page, no web address)."""
    if len(link) > LINK_MAX:
        return ""
    try:
        parts = urlsplit(link.strip())
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "." not in host:
        return ""
    path = parts.path
    if host.endswith((".cdn.ampproject.org", "cdn.ampproject.org")):  # /c/s/www.example.org/path
        inner = re.match(r"^/[a-z](?:/s)?/([^/]+\.[^/]+)(/.*)?$", path)
        if inner:
            host, path = inner[1].lower(), inner[2] or ""
    host = _MOBILE.sub("", host)
    path = _AMP_END.sub("", path.rstrip("/")).rstrip("/")
    query = urlencode(sorted((k, v) for k, v in parse_qsl(parts.query) if not _TRACKING.match(k)))
    if not query and _HOME.match(path.lower()):
        return ""
    shown = f"{host}:{port}" if port not in (None, 80, 443) else host
    return f"{shown}{path}?{query}" if query else f"{shown}{path}"
