"""What a sender's message is called."""

import hashlib


def signal_name(source: str, sender: str, identifier: str) -> str:
    """A digest that names a sender's message without repeating what may be an address. 128 bits, hex."""
    return hashlib.sha256(f"{source}\x1f{sender}\x1f{identifier}".encode()).hexdigest()[:32]
