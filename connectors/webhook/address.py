"""Whether an address can be posted to. Pure."""

from functools import lru_cache
from urllib.parse import urlsplit


@lru_cache(maxsize=4096)  # the same partners all the time
def fault(address: str, unencrypted: bool) -> str:
    """Why an address cannot be posted to, and what would be right; `""` when it can. `unencrypted`: http is fine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port  # `port` raises for one that is none
    except ValueError as error:
        return f"{address!r} is no address: {error}: write https://host/path"
    if parts.scheme not in ("https", "http") or not host:
        return f"{address!r} is no web address: write https://host/path"
    if parts.scheme == "http" and not unencrypted:
        return f"{address!r} would carry the message unencrypted: write https://"
    if parts.username or parts.password:
        return "the address holds a password: the signature is what proves who we are: leave it out"
    return ""
