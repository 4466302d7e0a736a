"""What is due on the CAP feed and what is listed there, its Atom index, its signatures, its certificate. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from lxml import etree
from signxml.exceptions import InvalidSignature

from connectors.feed.parse import parse_feed
from hub.cap.certificate import SOON, watched
from hub.cap.check import SIGNATURE
from hub.cap.due import Due, due, follows, listed
from hub.cap.feed import ATOM, Listed, feed_of
from hub.cap.signing import CannotSign, Signer, signer_of
from hub.engine.state import Broadcast
from hub.model.broadcast import Kind, Proposal
from hub.model.cap import NAMESPACE
from hub.model.records import CapPublished
from hub.model.signal import MsgType, Status
from tests.cap_feed import FORM, NOW, broadcast, key_pair, made, schema, verified, xml

BASE = "https://vigie.example.org"


def published(name: str, kind: MsgType = MsgType.ALERT, *of: str, hours: float = 0, lasts: float = 6) -> CapPublished:
    sent = NOW + timedelta(hours=hours)
    return CapPublished(
        broadcast=name.removesuffix("-cancel"),
        identifier=name,
        sender=FORM.sender,
        sent=sent,
        msg_type=kind,
        expires=sent + timedelta(hours=lasts),
        references=of,
    )


def wanted(*there: Broadcast, has: tuple[CapPublished, ...] = (), proposed: tuple[Proposal, ...] = ()) -> list[Due]:
    return list(due({one.id: one for one in there}, proposed, has, ()))


# --- what is due -------------------------------------------------------------------------------------------

A = broadcast(id="a")
STOPPED = broadcast(id="a", outcome="stopped")


@pytest.mark.parametrize(
    ("changed", "comes"),
    [
        ({}, True),
        ({"outcome": "done"}, True),
        ({"began_at": None}, False),
        ({"cap": False}, False),
        ({"held": True}, False),
        ({"outcome": "stopped"}, False),
        ({"outcome": "discarded", "began_at": None}, False),
    ],
)
def test_a_broadcast_is_published_once_it_goes_out(changed: dict[str, Any], comes: bool) -> None:
    one = broadcast(id="a", **changed)
    assert wanted(one) == ([Due(one)] if comes else [])
    assert wanted(one, has=(published("a"),)) == ([Due(one, True)] if one.outcome == "stopped" else [])


def test_what_is_stopped_is_withdrawn_once() -> None:
    has = (published("a"), published("a-cancel", MsgType.CANCEL, "a"))
    assert wanted(STOPPED, has=has) == []


def follower(kind: Kind = Kind.CORRECTION, **more: Any) -> Broadcast:
    return broadcast(**({"id": "b", "kind": kind, "follows": "a", "began_at": None} | more))


def test_what_is_stopped_stands_while_a_correction_waits_and_is_withdrawn_when_that_comes_to_nothing() -> None:
    has = (published("a"),)
    assert wanted(STOPPED, follower(), has=has) == []
    for outcome in ("lapsed", "discarded"):
        assert wanted(STOPPED, follower(outcome=outcome), has=has) == [Due(STOPPED, True)]
    released = follower(began_at=NOW)
    assert wanted(STOPPED, released, has=has) == [Due(released)]
    assert wanted(STOPPED, released, has=(*has, published("b", MsgType.UPDATE, "a"))) == []


def test_it_stands_while_the_all_clear_of_its_incident_is_being_drafted() -> None:
    clear = Proposal(incident="i", sheet="s", step="", group="public", message="m", signal="f", follows="a")
    assert wanted(STOPPED, has=(published("a"),), proposed=(clear,)) == []


def test_nothing_follows_what_was_never_published() -> None:
    assert wanted(broadcast(id="a", outcome="stopped"), follower(Kind.ALL_CLEAR, began_at=NOW)) == []


def test_a_stopped_correction_takes_the_whole_with_it_and_a_stopped_all_clear_itself() -> None:
    has = (published("a"), published("b", MsgType.UPDATE, "a", hours=1))
    stopped = follower(began_at=NOW, outcome="stopped")
    assert wanted(STOPPED, stopped, has=has) == [Due(stopped, True)]
    assert [r.identifier for r in follows(Due(stopped, True), has).references] == ["a", "b"]
    clear = follower(Kind.ALL_CLEAR, began_at=NOW, outcome="stopped")
    assert [r.identifier for r in follows(Due(clear, True), has).references] == ["b"]


def test_an_update_replaces_all_that_was_said_of_it() -> None:
    has = (
        published("a"),
        published("b", MsgType.UPDATE, "a", hours=1),
        published("c", MsgType.UPDATE, "a", "b", hours=2, lasts=9),
        published("c-cancel", MsgType.CANCEL, "c", hours=3),
        published("x"),
    )
    found = follows(Due(follower(Kind.ALL_CLEAR, id="d")), has)
    assert [(r.sender, r.identifier, r.sent) for r in found.references] == [
        (FORM.sender, name, NOW + timedelta(hours=hours)) for name, hours in (("a", 0), ("b", 1), ("c", 2))
    ]
    assert found.until == NOW + timedelta(hours=11)


# --- what is listed ----------------------------------------------------------------------------------------


def test_the_newest_are_listed_and_all_that_is_in_force() -> None:
    old = published("old", hours=-5)  # still in force
    over = published("over", hours=-20)
    has = [over, old, *(published(f"n{n}", hours=-n, lasts=0.1) for n in range(1, 5)), published("new")]
    assert [one.identifier for one in listed(has, NOW, 3)] == ["new", "n1", "n2", "old"]
    assert [one.identifier for one in listed(has, NOW, 50)] == ["new", "n1", "n2", "n3", "n4", "old", "over"]
    ended = [*has, published("end", MsgType.CANCEL, "old")]
    assert [one.identifier for one in listed(ended, NOW, 1)] == ["new", "end"], "what is withdrawn is not in force"


SIGNER = Signer(*key_pair())


def entry(number: int, **more: Any) -> Listed:
    alert = made(broadcast(id=f"01JZ000000000000000000000{number}", **more), sent=NOW + timedelta(hours=number))
    return Listed(alert.identifier, alert.sent, SIGNER.signed(xml(alert)))


def test_the_index_is_atom_with_caps_own_elements() -> None:
    body = feed_of([entry(2), entry(1)], BASE, "SITCEN Bruxelles / SITCEN Brussel")
    feed = feedparser.parse(body)
    assert (feed.bozo, feed.version) == (False, "atom10")
    assert (feed.feed.id, feed.feed.updated) == (f"{BASE}/cap/feed.atom", "2026-07-14T02:10:00Z")
    first, second = feed.entries
    assert first.id == f"{BASE}/cap/01JZ0000000000000000000002.xml"
    assert [(link.rel, link.type, link.href) for link in first.links] == [
        ("alternate", "application/cap+xml", first.id)
    ]
    assert first.title.startswith("Fumée toxique. Fermez portes et fenêtres. / Giftige rook.")
    assert (first.cap_status, first.cap_msgtype, first.cap_severity) == ("Actual", "Alert", "Severe")
    assert (first.cap_event, first.cap_areadesc) == ("Alerte à la population", "Ixelles")
    root = etree.fromstring(body)
    pair = root.find(f"{{{ATOM}}}entry/{{{NAMESPACE}}}geocode")
    assert pair is not None
    assert [child.text for child in pair] == ["NIS", "21009"]
    assert second.id.endswith("1.xml")


def test_our_own_reader_of_feeds_finds_the_documents() -> None:
    found = parse_feed(feed_of([entry(1, status=Status.EXERCISE)], BASE, "SITCEN"), f"{BASE}/cap/feed.atom")
    (one,) = found.entries
    assert one.cap_link == f"{BASE}/cap/01JZ0000000000000000000001.xml"
    assert one.flat.first("status") == "Exercise"
    assert one.notes == ()


def test_an_empty_index_is_one_too() -> None:
    feed = feedparser.parse(feed_of([], BASE, "SITCEN"))
    assert (feed.bozo, feed.version, feed.entries) == (False, "atom10", [])
    assert feed.feed.updated


# --- signatures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["ec", "rsa"])
def test_a_document_is_signed_over_the_whole(by: str) -> None:
    key, certificate = key_pair(by)
    document = Signer(key, certificate).signed(xml(made()))
    signed = verified(document, certificate)
    whole = etree.fromstring(document)
    assert whole[-1].tag == SIGNATURE
    assert signed.tag == f"{{{NAMESPACE}}}alert"
    assert len(signed) == len(whole) - 1, "all but the signature itself"
    methods = {element.get("Algorithm") for element in whole.iter("{*}SignatureMethod", "{*}DigestMethod")}
    assert all("sha256" in str(method) for method in methods)
    if (published := schema()) is not None:
        published.validate(whole)
    with pytest.raises(InvalidSignature):
        verified(document.replace(b"Fermez", b"Ouvrez"), certificate)
    with pytest.raises(InvalidSignature):
        verified(document, key_pair(by)[1])


def test_what_cannot_sign_says_what_would_be_right(tmp_path: Any) -> None:
    key, certificate = key_pair()
    with pytest.raises(CannotSign, match="its first one is not that of the key"):
        Signer(key, key_pair()[1])
    with pytest.raises(CannotSign, match="it holds no certificate in PEM"):
        Signer(key, b"-----BEGIN")
    with pytest.raises(CannotSign, match="no private key in PEM without a passphrase"):
        Signer("secret", certificate)
    with pytest.raises(CannotSign, match="1024 bits of RSA are too few"):
        Signer(*key_pair("rsa", bits=1024))
    with pytest.raises(CannotSign, match=r"certificate\.pem cannot be read: No such file"):
        signer_of(FORM, tmp_path, lambda name: key)
    (tmp_path / "certificate.pem").write_bytes(certificate)
    assert signer_of(FORM, tmp_path, lambda name: key).not_after > NOW

    def missing(name: str) -> str:
        raise KeyError(f"secret {name} is not there: set VIGIE_{name}")

    with pytest.raises(CannotSign, match="cap: secret CAP_KEY is not there: set VIGIE_CAP_KEY"):
        signer_of(FORM, tmp_path, missing)


def test_a_chain_goes_along_and_the_first_to_expire_counts() -> None:
    key, certificate = key_pair(days=100)
    above = key_pair(days=10)[1]
    signer = Signer(key, certificate + above)
    assert len(etree.fromstring(signer.signed(xml(made()))).findall(".//{*}X509Certificate")) == 2
    assert timedelta(days=9) < signer.not_after - datetime.now(UTC) <= timedelta(days=10)


# --- the certificate ---------------------------------------------------------------------------------------


def test_the_room_hears_once_that_it_expires_and_when_it_is_renewed() -> None:
    ends = NOW + timedelta(days=90)
    assert watched(ends, ends - SOON - timedelta(seconds=1), told=False) is None
    found = watched(ends, ends - SOON, told=False)
    assert found is not None
    assert (found.source, found.what, found.over) == ("cap", "certificate-expires", False)
    assert found.reason == "the certificate of the CAP feed expires in 30 days (2026-10-12 00:10Z): renew it"
    assert watched(ends, ends - timedelta(days=5), told=True) is None
    late = watched(ends, ends + timedelta(days=1), told=False)
    assert late is not None
    assert "has expired" in late.reason
    renewed = watched(ends, ends - timedelta(days=60), told=True)
    assert renewed is not None
    assert renewed.over
