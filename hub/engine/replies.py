"""What people answer: which ask an answer is for, what it does, and what they are told."""

from hub.engine import chain, verdicts
from hub.engine.broadcast import tell_waiting
from hub.engine.delegate import delegate
from hub.engine.state import RECENT, Ask
from hub.engine.work import Work
from hub.model import events as e
from hub.model.message import Verb
from hub.model.records import Fact, ReplyReceived

UNCLEAR_MAX = 3  # how often an hour somebody is told that they were not understood (two machines could go on for ever)


def received(w: Work, fact: Fact, reply: ReplyReceived) -> None:
    """A reply came in, already read (`hub.people.answers`)."""
    if not reply.person:
        w.alarm("unknown-sender", reply.channel, "a reply from an address that nobody in the directory has")
        w.emit(e.Answered(person="", verb=reply.verb, fact=fact.id))
        return
    if w.rules.registered(reply.person):
        _from_the_public(w, fact, reply)
        return
    if reply.verb == Verb.STOP:
        w.emit(e.Answered(person=reply.person, verb=Verb.STOP, fact=fact.id))
        w.alarm("stop-from-officer", reply.person, f"{reply.person} answered STOP on {reply.channel}")
        _next_channel(w, reply.person, reply.channel)
        return
    asks = _asks(w, reply)
    if reply.verb in (Verb.UNCLEAR, Verb.START) or not asks:
        _not_bound(w, fact, reply, bool(asks))
        return
    if reply.verb in verdicts.VERDICTS:
        _judges(w, fact, reply, asks)
        return
    for ask in asks:
        w.emit(e.Answered(person=reply.person, verb=reply.verb, ask=ask.id, fact=fact.id))
        if reply.verb == Verb.ACCEPT:
            _accept(w, reply, ask)
        elif reply.verb == Verb.DECLINE:
            _decline(w, reply, ask)
        elif reply.verb == Verb.DELEGATE:
            _delegate(w, reply, ask)


def _from_the_public(w: Work, fact: Fact, reply: ReplyReceived) -> None:
    """One of those who registered for alerts answers: STOP holds for the channel until START; anything else is told,
    once an hour, that nobody reads here and whom to ring."""
    known = reply.verb in (Verb.STOP, Verb.START)
    w.emit(e.Answered(person=reply.person, verb=reply.verb if known else Verb.UNCLEAR, fact=fact.id))
    if reply.verb == Verb.STOP:
        w.emit(e.OptedOut(person=reply.person, channel=reply.channel))
        w.say("hub.opted-out", reply.person, reply.channel)
    elif reply.verb == Verb.START:
        w.emit(e.OptedIn(person=reply.person, channel=reply.channel))
        w.say("hub.opted-in", reply.person, reply.channel)
    elif len(w.state.people[reply.person].unclear) == 1:
        w.say("hub.not-read", reply.person, reply.channel)


def _next_channel(w: Work, person: str, channel: str) -> None:
    """Somebody wants nothing more over a channel, and may be asked all the same: by the next channel, at once."""
    for ask in [a for a in w.state.asks.values() if a.person == person and not a.outcome]:
        if ask.by[len(ask.orders) - 1] == channel and len(ask.orders) < len(ask.by) and not chain.held(w, ask):
            chain.use_channel(w, ask, len(ask.orders))


def _asks(w: Work, reply: ReplyReceived) -> list[Ask]:
    """The asks an answer is for. By the delivery it answers, by its code, by "all"; else by context: only where the
    person had no other ask open in the last 30 minutes."""
    if reply.order:
        order = w.state.orders.get(reply.order)
        ask = w.state.asks.get(order.event.ask) if order else None
        return [ask] if ask is not None and ask.person == reply.person else []
    codes = w.state.people[reply.person].codes if reply.person in w.state.people else []
    if reply.code:
        return [w.state.asks[c.ask] for c in codes if c.code == reply.code and c.ask in w.state.asks][-1:]
    mine = [w.state.asks[c.ask] for c in codes if c.ask in w.state.asks]
    still_open = [a for a in mine if not a.outcome]
    if reply.everything:
        return still_open
    recent = [a for a in mine if a.closed_at is None or w.now - a.closed_at <= RECENT]
    return recent if len(recent) == 1 else []


def _not_bound(w: Work, fact: Fact, reply: ReplyReceived, known: bool) -> None:
    """Not understood, or not clear what it is for: the person is told, in their language, what would be."""
    w.emit(e.Answered(person=reply.person, verb=Verb.UNCLEAR, fact=fact.id))
    if len(w.state.people[reply.person].unclear) > UNCLEAR_MAX:
        w.alarm("not-understood", reply.person, f"{reply.person} sends answers that cannot be understood")
        return
    asked = w.state.people[reply.person].codes
    codes = " ".join(c.code for c in asked if c.ask in w.state.asks and not w.state.asks[c.ask].outcome)
    if not codes:
        message = "hub.nothing-open"
    elif reply.verb == Verb.UNCLEAR:
        message = "hub.not-understood"
    else:
        message = "hub.which"
    first = codes.split(" ")[0]
    w.say(message, reply.person, reply.channel, values=(("codes", codes), ("code", first)))


def _accept(w: Work, reply: ReplyReceived, ask: Ask) -> None:
    runs = [w.state.runs[r] for r in ask.runs if r in w.state.runs]
    if ask.outcome == "accepted":  # said twice: confirmed twice, counted once
        if reply.eta_min is not None:  # it will be later, or earlier
            w.emit(e.AskClosed(ask=ask.id, outcome="accepted", eta_min=reply.eta_min))
        _confirm(w, reply, ask, "hub.accepted")
        return
    running = [r for r in runs if not r.outcome]
    if running:
        chain.close(w, ask, "accepted", reply.eta_min)
        _confirm(w, reply, ask, "hub.accepted")
        tell_waiting(w, reply.person, {run.incident for run in running})
        return
    if any(r.outcome == "exhausted" for r in runs):
        about = f"{runs[0].incident} {runs[0].step}"
        w.alarm("late-acceptance", about, f"{reply.person} accepts after the chain was exhausted")
        _confirm(w, reply, ask, "hub.accepted")
        return
    _confirm(w, reply, ask, "hub.too-late")


def _judges(w: Work, fact: Fact, reply: ReplyReceived, asks: list[Ask]) -> None:
    """Says whether it is so: of one incident, or it is not clear of which."""
    (ask, *others), incident = asks, verdicts.judged_by(w, asks[0])
    if others or incident is None:
        _not_bound(w, fact, reply, False)
        return
    w.emit(e.Answered(person=reply.person, verb=reply.verb, ask=ask.id, fact=fact.id))
    message = verdicts.given(w, reply, ask, incident)
    values = (("code", ask.code), ("verdict", reply.verb))
    w.say(message, reply.person, reply.channel, incidents=(incident.id,), ask=ask.id, values=values)


def _decline(w: Work, reply: ReplyReceived, ask: Ask) -> None:
    if not ask.outcome:
        chain.close(w, ask, "declined")
    elif ask.outcome == "accepted":
        run = w.state.runs.get(ask.runs[0])
        about = f"{run.incident} {run.step}" if run else ask.id
        if any(r in w.state.runs and not w.state.runs[r].outcome for r in ask.runs):
            chain.take_back(w, ask)
        if any(r not in w.state.runs or w.state.runs[r].outcome for r in ask.runs):
            w.alarm("acceptance-withdrawn", about, f"{reply.person} accepted and now declines: find somebody else")
    _confirm(w, reply, ask, "hub.declined")


def _delegate(w: Work, reply: ReplyReceived, ask: Ask) -> None:
    """ "Not me, call X": X is asked in their place, at once. Who answers so stays asked until X is found."""
    if ask.outcome:
        _decline(w, reply, ask)
    elif reply.to and delegate(w, ask, reply.to):
        _confirm(w, reply, ask, "hub.delegated")
    else:
        _confirm(w, reply, ask, "hub.delegate-unknown")


def _confirm(w: Work, reply: ReplyReceived, ask: Ask, message: str) -> None:
    """Each answer is confirmed to its sender in their language; on the phone the call itself has said so. Who is to
    find out whether something is so is told how to say it, in writing."""
    finds_out = message == "hub.accepted" and verdicts.asks_that(w, ask)
    if w.rules.speaks(reply.channel) and not finds_out:
        return
    incidents = tuple(dict.fromkeys(w.state.runs[r].incident for r in ask.runs if r in w.state.runs))
    values = [("code", ask.code), ("eta", "" if reply.eta_min is None else str(reply.eta_min))]
    if finds_out:
        message = "hub.verify"
    elif message == "hub.accepted" and reply.eta_min is not None:
        message = "hub.accepted-eta"
    elif message == "hub.delegated":
        values.append(("delegate", reply.to))
    w.say(message, reply.person, reply.channel, incidents=incidents, ask=ask.id, values=tuple(values))
