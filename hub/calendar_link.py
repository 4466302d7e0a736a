"""The secret address under which a phone subscribes to a calendar. Pure.

Whoever has the address sees the calendar; nobody can guess one. It holds nothing but a name and an HMAC of it, so
nothing has to be kept: raising the name's serial in hub.yaml revokes the address given out before, and another secret
all of them.
"""

import base64
import hmac
from collections.abc import Mapping

SECRET = "CALENDAR_SECRET"  # noqa: S105 # its name
SECRET_MIN = 32  # characters: a secret that people think up is not chance enough
PATH = "/calendar/{name}/{token}.ics"
_PURPOSE = "vigie calendar 1"

ROSTER, PERSON = "roster", "person"


class Links:
    """`serials`: of the names that have one other than 1. Raises ValueError for a secret that is too short."""

    def __init__(self, secret: str, serials: Mapping[str, int]) -> None:
        if len(secret) < SECRET_MIN:
            raise ValueError(
                f"the secret {SECRET} has {len(secret)} characters: take {SECRET_MIN} or more, made by chance"
                " (`openssl rand -hex 32`)"
            )
        self._secret = secret.encode()
        self._serials = serials

    def path(self, kind: str, name: str) -> str:
        """`/calendar/NAME/TOKEN.ics`"""
        return PATH.format(name=name, token=self._token(kind, name))

    def opens(self, name: str, token: str) -> str:
        """What kind of thing the token opens under that name: ROSTER or PERSON; `""`: nothing."""
        given = token.encode("utf-8", "surrogatepass")
        found = ""
        for kind in (ROSTER, PERSON):  # both, whichever it is: the time it takes tells nothing
            if hmac.compare_digest(self._token(kind, name).encode(), given):
                found = kind
        return found

    def _token(self, kind: str, name: str) -> str:
        said = "\0".join((_PURPOSE, kind, name, str(self._serials.get(name, 1))))
        mac = hmac.digest(self._secret, said.encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
