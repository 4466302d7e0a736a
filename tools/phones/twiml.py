"""Reading TwiML: from XML to verbs. Pure."""

import msgspec
from lxml import etree


class TwimlError(Exception):
    """The document cannot be used; the text starts with Twilio's error code."""


class Say(msgspec.Struct, frozen=True):
    text: str
    language: str = "en-US"
    voice: str = ""
    loop: int = 1


class Pause(msgspec.Struct, frozen=True):
    seconds: float


class Play(msgspec.Struct, frozen=True):
    url: str


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    prompt: tuple[Say | Pause | Play, ...]
    num_digits: int | None
    timeout_s: float
    finish_on_key: str
    action: str | None
    method: str
    action_on_empty: bool


class Redirect(msgspec.Struct, frozen=True):
    url: str
    method: str = "POST"


class Hangup(msgspec.Struct, frozen=True):
    pass


class Reject(msgspec.Struct, frozen=True):
    reason: str


class Reply(msgspec.Struct, frozen=True):
    """A <Message> in the answer to an incoming SMS."""

    body: str
    to: str | None = None
    sender: str | None = None
    status_callback: str | None = None


class Unknown(msgspec.Struct, frozen=True):
    """A verb this stand-in does not play; it is logged and passed over."""

    name: str


Verb = Say | Pause | Play | Gather | Redirect | Hangup | Reject | Reply | Unknown


def parse(document: str | bytes) -> tuple[Verb, ...]:
    """The verbs of a TwiML document, in order; an empty document has none.

    Raises TwimlError when it is not XML (12100) or its root is not <Response> (12101). Entities are not
    expanded and nothing is fetched.
    """
    raw = document.encode() if isinstance(document, str) else document
    if not raw.strip():
        return ()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise TwimlError(f"12100: document parse failure: {error}") from None
    if root.tag != "Response":
        raise TwimlError(f"12101: the root element is <{root.tag}>: must be <Response>")
    return tuple(_verb(element) for element in root if isinstance(element.tag, str))


def _verb(element: etree._Element) -> Verb:
    name, text = str(element.tag), " ".join("".join(str(part) for part in element.itertext()).split())
    match name:
        case "Say":
            return Say(text, element.get("language", "en-US"), element.get("voice", ""), _loops(element))
        case "Pause":
            return Pause(_number(element, "length", 1.0))
        case "Play":
            return Play(text or f"digits {element.get('digits', '')}")
        case "Gather":
            return _gather(element)
        case "Redirect":
            return Redirect(text, element.get("method", "POST").upper())
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject(element.get("reason", "rejected"))
        case "Message" | "Sms":
            return _reply(element)
        case _:
            return Unknown(name)


def _gather(element: etree._Element) -> Gather:
    nested = [_verb(child) for child in element if isinstance(child.tag, str)]
    digits = element.get("numDigits")
    if digits is not None and not (digits.isdecimal() and int(digits) > 0):
        raise TwimlError(f"13314: <Gather numDigits={digits!r}>: must be a whole number above 0")
    key = element.get("finishOnKey", "#")
    if len(key) > 1 or (key and key not in "0123456789#*"):
        raise TwimlError(f"13310: <Gather finishOnKey={key!r}>: must be one key or empty")
    return Gather(
        prompt=tuple(verb for verb in nested if isinstance(verb, Say | Pause | Play)),
        num_digits=int(digits) if digits else None,
        timeout_s=_number(element, "timeout", 5.0),
        finish_on_key=key,
        action=element.get("action") or None,
        method=element.get("method", "POST").upper(),
        action_on_empty=element.get("actionOnEmptyResult", "false").lower() == "true",
    )


def _reply(element: etree._Element) -> Reply:
    body = element.find("Body")
    parts = element.itertext() if body is None else body.itertext()
    return Reply(
        "".join(str(part) for part in parts).strip(),
        element.get("to"),
        element.get("from"),
        element.get("statusCallback"),
    )


def _number(element: etree._Element, name: str, default: float) -> float:
    text = element.get(name, "")
    if text in ("", "auto"):
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 600:
        raise TwimlError(f"13313: <{element.tag} {name}={text!r}>: must be seconds between 0 and 600")
    return value


def _loops(element: etree._Element) -> int:
    text = element.get("loop", "1")
    # 0 means for ever at Twilio; ten times is as good as for ever in a simulator.
    return max(1, min(int(text), 10)) if text.isdecimal() and text != "0" else 10
