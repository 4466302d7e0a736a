"""Going down and coming back: kill -9 in the middle of a chain, an orderly stop while channels and sources hang, one
writer at a time, and commands beside a running hub."""

import email
import email.policy
from collections.abc import Iterator

import pytest

from hub.model import events as e
from hub.model import records as r
from tests.edge.running import OFFICER_A, OFFICER_B, Room, code_in, configure_sources, polled, room, until
from tools.phones import Faults

REPEATS = ("répétition possible", "mogelijk herhaling", "evtl. Wiederholung", "possible repeat")
ALL_CLEAR = ("Fin d'alerte", "Einde waarschuwing", "Entwarnung", "All clear")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    # Nobody is called twice within these tests but for a reason: there is a minute to answer.
    with room(tmp_path_factory.mktemp("return"), between_s=30, answer_s=60) as made:
        yield made


@pytest.fixture
def quiet(here: Room) -> Iterator[Room]:
    """The room without a hub; whatever a test leaves, the next one finds it so again."""
    yield here
    if here.process is not None:
        here.kill()
    here.gone()
    here.outside.do(lambda phones: phones.set_faults(Faults()))
    configure_sources(here, {})


@pytest.fixture
def hub(quiet: Room) -> Room:
    """The room with a hub that runs."""
    quiet.start()
    return quiet


def of(here: Room, identifier: str) -> list[str]:
    """Whom an SMS about an alert was sent to."""
    return [m.to for m in here.messages() if identifier in m.body]


def test_who_accepts_while_the_hub_is_down_is_not_called_when_it_is_back(hub: Room) -> None:
    hub.alert("THUNDER-1")
    (asked,) = hub.until(lambda: hub.sms_to(OFFICER_A), "an SMS")
    hub.until(lambda: hub.events(e.AskSent), "the journal knows that it went out")
    hub.kill()
    hub.start()
    # The provider hands the answer in as soon as somebody listens, which is before anybody is called.
    hub.text(OFFICER_A, f"{code_in(asked)} oui")
    hub.until(lambda: [x for x in hub.events(e.RunEnded) if x.outcome == "accepted"], "an accepted chain")
    hub.settled()
    assert hub.calls_to(OFFICER_A) == []
    assert hub.sms_to(OFFICER_B) == []
    assert [text for text in hub.sms_to(OFFICER_A) if "Pouvez-vous" in text] == [asked], "asked once"
    assert len([m for m in hub.messages() if "SITCEN" in m.body and "THUNDER-1" in m.body]) == 29

    # And what was accepted stays so: all that goes out after a further kill is the all-clear.
    hub.kill()
    before = {m.sid for m in hub.messages()}
    hub.start()
    hub.cancel("THUNDER-2", of="THUNDER-1")
    hub.ended("thunderstorm")
    later = [m for m in hub.messages() if m.sid not in before]
    assert len(later) == 30
    assert all(any(word in m.body for word in ALL_CLEAR) for m in later)
    assert hub.calls_to(OFFICER_A) == []


def test_who_accepted_while_nobody_listened_is_asked_for_at_the_provider(hub: Room) -> None:
    hub.alert("HEAT-1", hazard="heat")
    (asked,) = hub.until(lambda: [text for text in hub.sms_to(OFFICER_A) if "HEAT-1" in text], "an SMS")
    ask = hub.events(e.Asked)[-1].ask
    hub.until(lambda: any(sent.ask == ask for sent in hub.events(e.AskSent)), "the journal knows it went out")
    before = len(hub.events(e.RunEnded))
    called, texted = len(hub.calls_to(OFFICER_A)), len(hub.sms_to(OFFICER_B))
    hub.kill()
    tried = hub.outside.do(lambda phones: len(phones.webhooks.sent))
    hub.text(OFFICER_A, f"{code_in(asked)} oui")
    until(lambda: hub.outside.do(lambda phones: len(phones.webhooks.sent)) > tried, "a webhook that nobody answers")
    assert hub.outside.do(lambda phones: phones.webhooks.sent[-1].status) is None
    hub.start()
    hub.until(lambda: len(hub.events(e.RunEnded)) > before, "a chain that ended")
    assert hub.events(e.RunEnded)[-1].outcome == "accepted"
    hub.settled()
    assert len(hub.calls_to(OFFICER_A)) == called
    assert len(hub.sms_to(OFFICER_B)) == texted, "nobody else is called"
    ended(hub, "HEAT-1", "heat")


def test_what_was_queued_goes_out_after_a_kill_once_and_unmarked(hub: Room) -> None:
    assert hub.api("POST", "/api/stop-all", {"by": "officer-a", "why": "a test"}).status == 200
    hub.until(lambda: hub.status()["stopped"], "a hub that sends nothing")
    hub.alert("WIND-1", hazard="wind")
    hub.until(lambda: [i for i in hub.status()["incidents"] if "wind" in i["key"]], "an incident")
    hub.kill()
    hub.start()
    assert hub.status()["stopped"]["by"] == "officer-a", "stopped stays stopped"
    assert of(hub, "WIND-1") == []
    assert hub.api("POST", "/api/lift", {"by": "officer-a", "why": "over"}).status == 200
    hub.until(lambda: of(hub, "WIND-1"), "the SMS that waited")
    ended(hub, "WIND-1", "wind")
    assert of(hub, "WIND-1") == [OFFICER_A, OFFICER_A], "asked, and told that it is over"
    assert not any(attempt.repeat for attempt in attempts(hub))


def test_what_the_provider_took_but_never_confirmed_is_not_sent_again(hub: Room) -> None:
    hub.outside.do(lambda phones: phones.set_faults(Faults(answer_stalled=1)))
    hub.alert("RAIN-1", hazard="rain")
    hub.until(lambda: of(hub, "RAIN-1"), "an SMS that the provider took")
    hub.kill()
    hub.outside.do(lambda phones: phones.set_faults(Faults()))
    hub.start()
    (order,) = [order for order in hub.events(e.Ordered) if order.ask == hub.events(e.Asked)[-1].ask]
    hub.until(lambda: [d for d in hub.events(e.Delivered) if d.order == order.order], "what the provider's list says")
    ended(hub, "RAIN-1", "rain")
    assert of(hub, "RAIN-1") == [OFFICER_A, OFFICER_A], "asked, and told that it is over"
    assert not any(attempt.repeat for attempt in attempts(hub))


def test_mail_in_doubt_goes_out_again_marked_as_a_possible_repeat(hub: Room) -> None:
    hub.script(OFFICER_A, reply_to="répondez ([A-Z]+)", reply=r"\1 oui")
    taken = hub.mails()
    hub.outside.do(lambda phones: phones.mailbox.hold())
    hub.alert("SNOW-1", hazard="snow-ice")
    hub.until(lambda: hub.mails() > taken, "mails that the server took without saying so")
    hub.kill()
    in_doubt = hub.mails() - taken
    hub.outside.do(lambda phones: phones.mailbox.release())
    hub.start()
    hub.until(lambda: hub.mails() - taken >= 31 + in_doubt, "all mails, some of them twice")
    hub.settled()
    texts = [path.read_bytes() for path in sorted(hub.folder.mail.iterdir())[taken:]]
    read = [email.message_from_bytes(text, policy=email.policy.default) for text in texts]
    first: dict[str, str] = {}
    repeats = 0
    for mail in read:
        if mail["to"] in first:
            repeats += 1
            assert any(word in mail["subject"] for word in REPEATS), "who has it already is told"
            assert mail["message-id"] == first[mail["to"]], "the reader's program knows it again"
        first.setdefault(mail["to"], mail["message-id"])
    assert (len(first), repeats) == (31, in_doubt)
    assert {a.repeat for a in attempts(hub)} == {False, True}
    hub.script(OFFICER_A, reply=None)
    ended(hub, "SNOW-1", "snow-ice")


def test_an_orderly_stop_while_a_channel_and_a_source_hang(quiet: Room) -> None:
    here = quiet
    url = here.publish("slow.example/feed", b"<rss/>", hangs=True)
    configure_sources(here, {"slow": polled(url)})
    here.start()
    here.until(lambda: here.outside.do(lambda phones: phones.playback.hanging), "a poll that hangs")
    here.outside.do(lambda phones: phones.set_faults(Faults(hangs=1)))
    here.alert("FLOOD-1", hazard="flood")
    here.until(lambda: here.outside.do(lambda phones: phones.dice.counts["hangs"]), "an SMS that hangs")
    assert here.stop() == 0
    here.gone()
    assert of(here, "FLOOD-1") == []
    here.outside.do(lambda phones: phones.set_faults(Faults()))
    configure_sources(here, {})
    here.start()
    here.until(lambda: of(here, "FLOOD-1"), "the SMS, after all")
    ended(here, "FLOOD-1", "flood")
    assert of(here, "FLOOD-1") == [OFFICER_A, OFFICER_A], "asked, and told that it is over"
    assert here.stop() == 0


def test_a_second_hub_on_the_same_journal_is_refused_and_reading_goes_on_beside(hub: Room) -> None:
    assert hub.process is not None
    second = hub.vigie("run", "--no-auditor", "--config", str(hub.folder.config))
    assert second.code == 2
    (said,) = [line for line in second.err.splitlines() if not line.startswith("{")]
    assert str(hub.process.pid) in said
    assert "Traceback" not in second.err
    for words in (("journal", "show"), ("journal", "verify"), ("status",), ("why", hub.records()[0].id)):
        beside = hub.command(*words)
        assert (beside.code, beside.err) == (0, ""), words
        assert beside.out
    assert hub.health().status == 200


def attempts(here: Room) -> list[r.Attempt]:
    return [record for record in here.records("attempt") if isinstance(record, r.Attempt)]


def ended(here: Room, identifier: str, hazard: str) -> None:
    """Withdraws an alert and waits for all that comes of it."""
    here.cancel(f"{identifier}-over", of=identifier, hazard=hazard)
    here.ended(hazard)
