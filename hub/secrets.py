"""Secrets: from the environment or a folder of files, never from the configuration, never in a log.

`secret("TWILIO_TOKEN")` is `VIGIE_TWILIO_TOKEN` of the environment, else the file `TWILIO_TOKEN` of the secrets folder
(as container platforms and systemd's credentials mount them), without the line end.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

NAME = re.compile(r"[A-Z][A-Z0-9_]{1,63}")

_SECRET_KEY = re.compile(r"(?i)token|secret|password|passwd|pwd|authorization|api[ _-]?key|credential")
_KNOWN_SHAPE = re.compile(
    r"whsec_\S+|SK[0-9a-f]{32}|Bearer\s+\S+|Basic\s+\S+|-----BEGIN|ghp_\w+|xox[abp]-\S+|eyJ[\w-]+\.[\w-]+\."
)
_ACCOUNT = re.compile(r"[A-Z]{2}[0-9a-f]{32}")  # Twilio's public ids (AC..., MG...)
_IN_URL = re.compile(r"://[^/\s@]+:[^/\s@]+@")
_DENSE = re.compile(r"[A-Za-z0-9+/_=-]{24,}")


def secrets_from(folder: Path | None, environ: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A reader of secrets. It raises KeyError, with the remedy, for one that is nowhere."""
    env = os.environ if environ is None else environ

    def secret(name: str) -> str:
        if not NAME.fullmatch(name):
            raise KeyError(f"a secret is named in capitals, digits and _ (TWILIO_TOKEN), not {name[:4]!r}...")
        if found := env.get(f"VIGIE_{name}"):
            return found
        if folder is not None and (folder / name).is_file():
            return (folder / name).read_text("utf-8").rstrip("\r\n")
        where = f"set VIGIE_{name}" + (f", or write it to the file {folder / name}" if folder else "")
        raise KeyError(f"secret {name} is not there: {where}")

    return secret


def looks_secret(key: str, text: str) -> bool:
    """Whether a value written under a key is a secret itself rather than the name of one."""
    if NAME.fullmatch(text) or _ACCOUNT.fullmatch(text) or not text:
        return False
    if _KNOWN_SHAPE.search(text) or _IN_URL.search(text) or _SECRET_KEY.search(key):
        return True
    # A path is made of names, each of which is judged by itself.
    parts = text.split("/") if text.startswith("/") else [text]
    return any(bool(_DENSE.fullmatch(one)) and any(c.isdigit() for c in one) and _bits(one) > 3.4 for one in parts)


def _bits(text: str) -> float:
    """Entropy per character: words and numbers stay well below 3.4, random hex comes near 4."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
