"""What somebody's words mean: accept, decline, call somebody else, done, stop, or unclear. Pure.

Wrongly taking a text for an acceptance ends a chain while nobody is coming; wrongly taking it for unclear costs one
more question. So an acceptance is believed only when every word is understood, and whatever is negated, doubted,
contradictory or asked (`?`) is unclear. A decline needs less: the next person is called a little early.

    "oui" "ja" "ok" "👍" "d'accord"      accept
    "B"                                   accept what carries code B
    "B 20" "20 min" "1h30"                accept, there in so many minutes (a number is never a code)
    "1"                                   accept (what many systems ask for), without an ETA
    "all" "tous" "alle"                   accept every open ask
    "non" "nee" "kan niet" "B non"        decline
    "pas moi, appelez Els" "B bel Els"    call Els in my place (hub.people.instead)
    "B vrai" "B vals alarm" "B unklar"    whether what was told is so: true, false, cannot tell
    "2" "0"                               unclear: elsewhere a 2 or a 0 means no

Codes are one or two letters of `CODE_LETTERS`. J, N, O and Y are answers in themselves; I, L, Q and V look or sound
like others.
"""

import itertools
import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from hub.model.message import Verb
from hub.people.folding import fold
from hub.people.instead import instead

CODE_LETTERS = "ABCDEFGHKMPRSTUWXZ"
ETA_MAX_MIN = 720  # longer is a time of day, a phone number or a mistake
LENGTH_MAX = 320  # characters looked at; who writes more wants to be read by a person


class Understood(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`code` is upper case, `""` where there was none; `everything`: all open asks of this person; `eta_min`: minutes
    until they are there. A code is kept even when the rest is unclear, so that the person can be asked about it.
    `instead`: who is named by "not me, call X", folded (hub.people.instead.whom finds the person)."""

    verb: Verb
    code: str = ""
    everything: bool = False
    eta_min: int | None = None
    instead: str = ""


# --- the words ---------------------------------------------------------------------------------------------
# As they are after folding: no accents, no apostrophes, lower case. Phrases of several words are looked for first,
# the longest first, and never across punctuation. "Received", "understood" and their like are in no list: they say
# that a message was read, not that somebody comes.

_ACCEPT = """
    oui | o | ouais | ouaip | yep | yes | yess | y | yeah | yup | ja | j | jawel | jawohl | jep | jup | jo | si si
    ok | oke | okay | okey | okido | oki | daccord | d accord | dac | accord | daccord avec plaisir | avec plaisir
    certainement | bien sur | volontiers | absolument | affirmatif | affirmative
    jaccepte | j accepte | accepte | je prends | je confirme | confirme | confirm | confirmed | je viens | jarrive
    j arrive | jy vais | j y vais | present | presente | disponible | je suis disponible | dispo | je suis dispo
    pas de probleme | sans probleme | aucun probleme | pas de souci | cest bon | c est bon
    akkoord | goed | is goed | prima | zeker | natuurlijk | uiteraard | in orde
    ik kom | ik kom eraan | ik ben onderweg | onderweg | ik aanvaard | aanvaard | aanvaarden | beschikbaar
    ik ben beschikbaar | graag | geen probleem | komt in orde | ik bevestig | bevestig | bevestigd
    einverstanden | in ordnung | gerne | klar | naturlich | ich komme | bin unterwegs | unterwegs
    ich bin unterwegs | ich nehme an | akzeptiert | akzeptiere | ich akzeptiere | verfugbar | ich bin verfugbar
    kein problem | bestatigt | ich bestatige | angenommen | passt
    accept | accepted | i accept | agreed | sure | wilco | on my way | omw | coming | im coming
    i am coming | i m coming | available | im available | i am available | no problem | will do | en route | je pars
    je suis en route
"""

_DECLINE = """
    non | no | n | nn | nan | nope | nop | nee | neen | neuh | nein | ne | nicht | niet | nok
    refuse | je refuse | decline | declined | je decline | i decline | negatif | negative | negatief | negativ
    pas disponible | pas dispo | indisponible | indispo | je ne suis pas disponible | je suis pas disponible
    je suis pas dispo | je ne peux pas | je peux pas | peux pas | impossible | pas possible | pas moi | pas daccord
    pas d accord | je ne viens pas | je viens pas | malheureusement pas | empeche | malade | en conge | en vacances
    niet beschikbaar | ik ben niet beschikbaar | onbeschikbaar | kan niet | ik kan niet | gaat niet | lukt niet
    onmogelijk | niet akkoord | ik weiger | weiger | geweigerd | ik kom niet | kom niet | verhinderd | ziek
    met verlof | afwezig
    nicht verfugbar | ich bin nicht verfugbar | kann nicht | ich kann nicht | geht nicht | unmoglich
    nicht moglich | ablehnen | ich lehne ab | lehne ab | abgelehnt | nicht einverstanden | ich komme nicht
    komme nicht | krank | im urlaub | abwesend
    cant | can t | cannot | i cant | i can t | i cannot | can not | not available | unavailable | im not available
    i am not available | unable | im unable | not possible | not me | wont | won t | refused | reject | rejected
    not coming | im not coming | i am not coming | sick | on leave
"""

# A negation is no answer by itself, but beside an acceptance it makes it unclear.
_NEGATION = """
    pas | jamais | aucun | aucune | plus | ni | sans | geen | nooit | noch | kein | keine | keinen | nie | niemals
    not | never | none | nor | dont | don t | didnt | isnt | sauf | mais | maar | aber | but | behalve | ausser
    except | peut etre | misschien | vielleicht | maybe | perhaps | si | als | indien | wenn | falls | if | unless
    annuler | annule | annuleer | absagen | wrong | fout
"""

_DONE = """
    fait | cest fait | c est fait | termine | fini | klaar | gedaan | is gedaan | afgerond | erledigt | fertig
    gemacht | done | finished | completed
"""

# Whether what was told is so. Exact words only, and none that is also a plain yes ("klopt", "exact", "confirmed").
_TRUE = """
    vrai | cest vrai | c est vrai | cest bien vrai | vraie alerte | juist | is juist | het is juist | dat is juist
    het is waar | dat is waar | is waar | echt waar | wahr | es ist wahr | ist wahr | true | it is true | its true
    it s true | thats true | that s true
"""

_FALSE = """
    faux | cest faux | c est faux | fausse alerte | fausse alarme | cest une fausse alerte | c est une fausse alerte
    pas vrai | cest pas vrai | ce nest pas vrai | ce n est pas vrai | nest pas vrai | n est pas vrai
    vals | vals alarm | het is vals | is vals | loos alarm | niet waar | is niet waar | het is niet waar
    dat is niet waar | niet juist | onjuist | onwaar | falsch | es ist falsch | ist falsch | fehlalarm | falscher alarm
    nicht wahr | es ist nicht wahr | false | false alarm | its false | it is false | it s false
    not true | its not true | it is not true | it s not true | untrue | hoax
"""

_UNSURE = """
    incertain | indecis | je ne sais pas | je sais pas | ne sais pas | sais pas | impossible a dire | ne sait pas
    on ne sait pas | on sait pas | nous ne savons pas
    onzeker | onduidelijk | ik weet het niet | weet ik niet | weet het niet | we weten het niet | niet te zeggen
    unklar | ungewiss | ich weiss es nicht | ich weiss nicht | weiss nicht | wir wissen es nicht | nicht zu sagen
    unsure | uncertain | unclear | dont know | don t know | i dont know | i don t know | cannot tell | cant tell
    can t tell | i cannot tell | i cant tell | i can t tell
"""

_EVERYTHING = """
    all | tout | tous | toutes | tout accepter | les deux | alle | alles | allemaal | alle twee | allebei | beide
    both | everything
"""

# STOP and its kin, which providers act on themselves, too.
_STOP = """
    stop | stopall | unsubscribe | cancel | end | quit | arret | arreter | stoppen | uitschrijven | desabonner
    desinscription | abmelden | abbestellen
"""

# START and its kin, with which providers take STOP back.
_START = """
    start | unstop | debut | demarrer | inschrijven | reabonner | anmelden | subscribe
"""

# Words that change nothing.
_FILLER = """
    merci | beaucoup | bonjour | bonsoir | salut | bonne nuit | svp | stp | bien | tres bien | tout de suite
    de suite | maintenant | immediatement | cordialement | bien a vous | je suis | moi | dans | environ
    a peu pres | le | la | les | et | pour | eta | arrivee | message | alerte | code | appel
    bedankt | dank u | dank u wel | dank je | danku | dankje | dank | goeiedag | goedendag | goedenavond | hallo | dag
    aub | alstublieft | nu | meteen | onmiddellijk | mvg | groeten | groetjes | ik | ben | over | ongeveer | en | voor
    danke | danke schon | guten tag | guten abend | bitte | jetzt | sofort | gleich | gruss | grusse | mfg | ich | bin
    circa | ca | etwa | und | fur | hoor
    thanks | thank you | thx | hello | hi | good evening | please | now | immediately | right away | regards | i | am
    im | there | in | about | approximately | and | for | sir | madam | here | with pleasure
"""

_MINUTES = "min | mins | minute | minutes | minuut | minuten | minuutjes | mn | m"
_HOURS = "h | hr | hrs | heure | heures | uur | uren | stunde | stunden | std | hour | hours"
_HALF = "demi heure | une demi heure | half uur | een half uur | halfuur | halbe stunde | half an hour | half hour"
_ONE_HOUR = "une heure | een uur | eine stunde | an hour | one hour"

_KIND_ACCEPT, _KIND_DECLINE, _KIND_NEGATION, _KIND_DONE = "accept", "decline", "negation", "done"
_KIND_EVERYTHING, _KIND_STOP, _KIND_FILLER, _KIND_HALF, _KIND_ONE_HOUR = "everything", "stop", "filler", "half", "hour"
_KIND_START, _KIND_TRUE, _KIND_FALSE, _KIND_UNSURE = "start", "true", "false", "unsure"


def _phrases() -> dict[tuple[str, ...], str]:
    table: dict[tuple[str, ...], str] = {}
    # In rising order of weight: where a phrase stands in two lists the later, more careful one holds.
    for kind, words in (
        (_KIND_FILLER, _FILLER),
        (_KIND_HALF, _HALF),
        (_KIND_ONE_HOUR, _ONE_HOUR),
        (_KIND_EVERYTHING, _EVERYTHING),
        (_KIND_ACCEPT, _ACCEPT),
        (_KIND_DONE, _DONE),
        (_KIND_NEGATION, _NEGATION),
        (_KIND_DECLINE, _DECLINE),
        (_KIND_TRUE, _TRUE),
        (_KIND_FALSE, _FALSE),
        (_KIND_UNSURE, _UNSURE),
        (_KIND_STOP, _STOP),
        (_KIND_START, _START),
    ):
        for line in words.strip().splitlines():
            for phrase in line.split("|"):
                if phrase.strip():
                    table[tuple(phrase.split())] = kind
    return table


_VERDICTS = {_KIND_TRUE: Verb.TRUE, _KIND_FALSE: Verb.FALSE, _KIND_UNSURE: Verb.UNSURE}
_PHRASES = _phrases()
_PHRASE_LENGTH_MAX = max(len(phrase) for phrase in _PHRASES)
_UNITS = {w.strip(): 1 for w in _MINUTES.split("|")} | {w.strip(): 60 for w in _HOURS.split("|")}
_SINGLE = {phrase[0]: kind for phrase, kind in _PHRASES.items() if len(phrase) == 1}
_REFUSING = tuple(w for w, kind in _SINGLE.items() if kind in (_KIND_DECLINE, _KIND_NEGATION, _KIND_STOP))
_LONG_ACCEPT = tuple(w for w, kind in _SINGLE.items() if kind == _KIND_ACCEPT and len(w) >= 5)
_LONG_DECLINE = tuple(w for w, kind in _SINGLE.items() if kind == _KIND_DECLINE and len(w) >= 4)

# Two-letter words of the four languages that could be codes: amid other words they are words.
_SHORT = "a c d m s t au ce de du ma me sa se ta te tu un eu ha ga ze be we er es zu da am as at he us ad ex"
_SHORT_WORDS = frozenset(_SHORT.split())

# The codes to give out, in order: one letter, then two that are no word in any of the four languages.
CODES: tuple[str, ...] = (
    *CODE_LETTERS,
    *(
        code
        for code in map("".join, itertools.product(CODE_LETTERS, repeat=2))
        if code.lower() not in _SINGLE and code.lower() not in _SHORT_WORDS and code.lower() not in _UNITS
    ),
)

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[?]|[^\w\s]|_", re.UNICODE)
_CLOCK = re.compile(r"\b\d{1,2}\s*[:]\s*\d{2}\b|\b(?:[5-9]|1\d|2[0-4])\s*[hu]\s*(?:[0-5]\d)?\b")
_QUOTED_FROM = re.compile(
    r"(?im)^\s*(?:>|--\s*$|-{3,}|_{5,}|(?:le|op|am|on)\b.{0,120}(?:\n.{0,60})??"
    r"\b(?:écrit|schreef|schrieb|wrote)\b.{0,80}(?:\n.{0,60})??:\s*$|"
    r"(?:de|van|von|from)\s*:\s|(?:envoyé de|verzonden|gesendet|sent from)\b)"
)


def understand(text: str, codes_open: Collection[str] | None = None) -> Understood:
    """What a text means. `codes_open`: the person's codes where they are known; then other letters are no code."""
    own = _own_words(text)
    if len(own) > LENGTH_MAX:
        return Understood(verb=Verb.UNCLEAR)
    if (named := instead(own)) is not None:
        before, name = named
        reading = _Reading(before, codes_open)
        verb = Verb.DELEGATE if reading.refuses_at_most else Verb.UNCLEAR
        return Understood(verb=verb, code=reading.code, instead=name if verb is Verb.DELEGATE else "")
    reading = _Reading(own, codes_open)
    return Understood(verb=reading.verb(), code=reading.code, everything=reading.everything, eta_min=reading.eta_min)


def _own_words(text: str) -> str:
    """A mail answer without what it quotes and its signature."""
    text = text.replace("\r\n", "\n").strip()
    quoted = _QUOTED_FROM.search(text)
    if quoted is not None and text[: quoted.start()].strip():
        return text[: quoted.start()]
    return text


class _Reading:
    """One text, word by word."""

    def __init__(self, text: str, codes_open: Collection[str] | None) -> None:
        self._codes_open = None if codes_open is None else {c.upper() for c in codes_open}
        folded = fold(text)
        self._kinds: set[str] = set()
        self._codes: list[str] = []
        self._maybe: list[str] = []  # short words that are codes if nothing else is said around them
        self._minutes: list[int] = []
        self._bare: list[int] = []
        self._unknown = bool(_CLOCK.search(folded))
        self._asked = False
        for clause in _clauses(folded):
            if clause == ["?"]:
                self._asked = True
            else:
                self._read(clause)
        self._settle_short_words()

    @property
    def code(self) -> str:
        return self._codes[0] if len(set(self._codes)) == 1 else ""

    @property
    def everything(self) -> bool:
        return _KIND_EVERYTHING in self._kinds and not self._codes

    @property
    def eta_min(self) -> int | None:
        """Only an acceptance has one."""
        return self._eta() if self.verb() is Verb.ACCEPT else None

    @property
    def refuses_at_most(self) -> bool:
        """Whether nothing is said but perhaps a code and perhaps no: as before "call X"."""
        said_more = self._kinds - {_KIND_DECLINE, _KIND_NEGATION, _KIND_FILLER} or self._minutes or self._bare
        return not (said_more or self._unknown or self._asked) and len(set(self._codes)) <= 1

    def verb(self) -> Verb:
        kinds = self._kinds
        accepting = bool(kinds & {_KIND_ACCEPT, _KIND_DONE}) or bool(self._minutes)
        if _KIND_STOP in kinds:
            alone = kinds <= {_KIND_STOP, _KIND_FILLER, _KIND_NEGATION, _KIND_EVERYTHING} and not self._minutes
            alone = alone and not self._codes and not self._unknown
            return Verb.STOP if alone else Verb.UNCLEAR
        if _KIND_START in kinds:
            more = kinds - {_KIND_START, _KIND_FILLER} or self._codes or self._minutes or self._bare
            return Verb.UNCLEAR if more or self._unknown or self._asked else Verb.START
        if len(set(self._codes)) > 1 or (_KIND_EVERYTHING in kinds and self._codes):
            return Verb.UNCLEAR
        if verdicts := kinds & _VERDICTS.keys():
            return self._verdict(verdicts)
        if _KIND_DECLINE in kinds:
            return Verb.UNCLEAR if accepting or self._bare or self._asked else Verb.DECLINE
        if self._unknown or self._asked or _KIND_NEGATION in kinds or not self._numbers_clear():
            return Verb.UNCLEAR
        if _KIND_DONE in kinds:
            return Verb.DONE
        if accepting or self._codes or self._bare or _KIND_EVERYTHING in kinds:
            return Verb.ACCEPT
        return Verb.UNCLEAR

    def _verdict(self, said: set[str]) -> Verb:
        """One of them, and nothing that could mean something else: "no, a false alarm" and "yes, it is true" are clear,
        "no, it is true" is not."""
        kind = next(iter(said))
        fits = {_KIND_TRUE: {_KIND_ACCEPT}, _KIND_FALSE: {_KIND_DECLINE}, _KIND_UNSURE: set[str]()}[kind]
        more = self._kinds - said - fits - {_KIND_FILLER} or self._minutes or self._bare or self._unknown or self._asked
        return Verb.UNCLEAR if len(said) > 1 or more else _VERDICTS[kind]

    def _numbers_clear(self) -> bool:
        """At most one number, of a sensible size; and alone it says yes only if it can hardly mean no."""
        if len(self._minutes) + len(self._bare) > 1:
            return False
        if any(n > ETA_MAX_MIN for n in self._minutes + self._bare):
            return False
        alone = not self._codes and not self._kinds & {_KIND_ACCEPT, _KIND_DONE, _KIND_EVERYTHING}
        return not (alone and self._bare in ([0], [2]))

    def _eta(self) -> int | None:
        alone = not self._codes and _KIND_ACCEPT not in self._kinds
        if self._bare and not (alone and self._bare == [1]):
            return self._bare[0]
        return self._minutes[0] if self._minutes else None

    def _read(self, words: list[str]) -> None:
        at = 0
        while at < len(words):
            at += self._number(words, at) or self._phrase(words, at) or self._word(words[at])

    def _number(self, words: list[str], at: int) -> int:
        """Reads `20`, `20 min`, `1 h 30`; returns how many words that took."""
        if not words[at].isdecimal():
            return 0
        number = int(words[at]) if len(words[at]) <= 5 else ETA_MAX_MIN + 1
        unit = _UNITS.get(words[at + 1]) if at + 1 < len(words) else None
        if unit is None:
            self._bare.append(number)
            return 1
        minutes, took = number * unit, 2
        if unit == 60 and at + 2 < len(words) and words[at + 2].isdecimal() and len(words[at + 2]) == 2:
            minutes, took = minutes + int(words[at + 2]), 3
            if at + 3 < len(words) and _UNITS.get(words[at + 3]) == 1:
                took = 4
        self._minutes.append(minutes)
        return took

    def _phrase(self, words: list[str], at: int) -> int:
        """Reads the longest known phrase; returns how many words that took."""
        for length in range(min(_PHRASE_LENGTH_MAX, len(words) - at), 0, -1):
            kind = _PHRASES.get(tuple(words[at : at + length]))
            if kind is not None:
                self._take(kind)
                return length
        return 0

    def _take(self, kind: str) -> None:
        if kind == _KIND_HALF:
            self._minutes.append(30)
        elif kind == _KIND_ONE_HOUR:
            self._minutes.append(60)
        else:
            self._kinds.add(kind)

    def _word(self, word: str) -> int:
        """Reads a word no list has: a code, a slip of the finger, or something unknown."""
        code = word.upper()
        if len(code) <= 2 and all(c in CODE_LETTERS for c in code):
            if self._codes_open is not None and code not in self._codes_open:
                self._unknown = True
            elif word in _SHORT_WORDS:
                self._maybe.append(code)
            else:
                self._codes.append(code)
        elif kind := _slip(word):
            self._kinds.add(kind)
        else:
            self._unknown = True
        return 1

    def _settle_short_words(self) -> None:
        if not self._maybe:
            return
        talking = self._unknown or bool(self._codes) or bool(self._kinds & {_KIND_FILLER, _KIND_NEGATION})
        if talking:
            self._unknown = True
        else:
            self._codes.extend(self._maybe)


def _clauses(folded: str) -> Iterator[list[str]]:
    """The words between punctuation; `?` is a clause of its own."""
    words: list[str] = []
    for match in _TOKEN.finditer(folded):
        piece = match[0]
        if piece.isalnum():
            words.append(piece)
        elif piece in '-+()"*/&#':  # within or around words these separate nothing
            continue
        else:
            if words:
                yield words
                words = []
            if piece == "?":
                yield ["?"]
            elif ord(piece) > 0x2FFF:  # an emoji that is no answer, a script we do not read
                yield ["\ufffd"]
    if words:
        yield words


# --- slips of the finger -----------------------------------------------------------------------------------


def _slip(word: str) -> str:
    """The kind of a word that is one slip away from a known one, or that is drawn out (ouiii, neeee); `""` for none.

    An acceptance must be long, begin right and be nowhere near a refusal: `unable` is no slip of `able`.
    """
    drawn_in = re.sub(r"(.)\1{2,}", r"\1", word)
    if drawn_in != word:
        for short in (drawn_in, re.sub(r"(.)\1{2,}", r"\1\1", word)):
            if kind := _SINGLE.get(short, ""):
                return kind
    if any(_one_slip(word, known) for known in _LONG_DECLINE):
        return _KIND_DECLINE
    if any(_one_slip(word, known) for known in _REFUSING if len(known) >= 3):
        return ""
    if any(word[:1] == known[:1] and _one_slip(word, known) for known in _LONG_ACCEPT):
        return _KIND_ACCEPT
    return ""


def _one_slip(a: str, b: str) -> bool:
    """Whether one letter too many, too few, wrong, or two swapped makes `a` from `b`."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    if len(a) == len(b):
        swapped = rest_a[:2] == rest_b[:2][::-1] and rest_a[2:] == rest_b[2:]
        return rest_a[1:] == rest_b[1:] or swapped
    return rest_a[1:] == rest_b if len(a) > len(b) else rest_a == rest_b[1:]
