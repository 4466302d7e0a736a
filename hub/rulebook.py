"""What `vigie check` looks for: every rule by its name, and what it means. `vigie check --explain RULE` prints an
entry, docs/rules.md is made of them (tools/rulebook.py), and code scanners show them beside a finding.

A rule that warns can be waived with a reason (hub/waivers.py); what is an error cannot.
"""

from msgspec import Struct

SHEETS, CONFIG, TOGETHER, WAIVERS = "sheets and messages", "configuration", "what belongs together", "waivers"


DAY, ROOM, JOURNAL = "day", "room", "journal"


class Rule(Struct, frozen=True):
    """`warns`: it comes as a warning (also where it can be an error elsewhere). `asks`: what it needs besides files:
    the DAY, who is on duty in the coming month (ROOM), what was recorded (JOURNAL)."""

    meaning: str
    subject: str
    warns: bool = False
    asks: str = ""


def _rules(subject: str, warns: bool, asks: str, text: str) -> dict[str, Rule]:
    """One rule to a line, `name: meaning`, which may go on on indented ones."""
    lines = [line.partition(": ") for line in text.strip().replace("\n  ", " ").splitlines()]
    return {name: Rule(meaning, subject, warns, asks) for name, _, meaning in lines}


RULES: dict[str, Rule] = {
    **_rules(
        SHEETS,
        False,
        "",
        """
not-yaml: The file cannot be read as YAML: a quote or bracket that is never closed, a tab, a second colon, wrong
  indentation.
not-utf-8: The file is not saved as UTF-8.
too-large: The file is larger than any of its kind, or aliases make it so.
too-deep: Lists within lists within lists.
key-twice: The same key stands twice, or the same thing is in two files. YAML would silently keep the last one.
key-not-text: A list or a mapping stands where a key should.
merge-key: `<<` is of an older YAML, and would be read as a key of that name.
tag: A `!tag`, which other programs take as an instruction.
unknown-alias: `*name` for which there is no `&name` above.
several-documents: `---` begins a second document, which nobody would read.
cut-text: A text is cut off by ` #`, which begins a comment. Put the text in quotes, or set the comment off with two
  spaces.
empty: A key without a value.
missing-key: A key that is needed is not there.
unknown-key: There is no such key here; most likely it is mistyped.
wrong-shape: A list or a mapping where one value should be, or the other way round.
missing-language: A text is not there in French, Dutch, German and English.
one-language: A text that people read is not given per language.
texts-in-braces: Texts in braces, where a comma would end a text. One language to a line.
unknown-word: A value that its key cannot have.
not-an-id: A name holds something else than small letters, digits and hyphens.
not-a-number: No number, a number with a leading zero, or one out of bounds.
not-yes-or-no: Neither yes nor no.
not-a-day: No day as 2027-06-30, or no kind of day.
not-a-time: No time of day, or no instant.
no-unit: A duration without a unit: 90 what?
unknown-unit: A unit of time there is not.
not-a-duration: No duration, or one longer than ten years.
not-a-grade: Trust is a letter A to F and a figure 1 to 6, `at least B2`, or `corroborated by 2 independent origins`.
trust-twice: Two grades of trust, or two numbers of origins: the lower one says all.
not-a-contact: This names nobody: a group, `roster NAME`, `person NAME` ...
not-a-cause: What a sheet is quiet while: `SHEET`, or `SHEET in the same area`.
own-cause: A sheet is quiet while it runs itself.
unknown-broadcast-class: A broadcast is drafted of a class that hub.yaml does not know.
not-public: A broadcast of this class may not go to the public.
not-a-polygon: A polygon with fewer than three corners, or whose sides cross.
not-a-position: No latitude and longitude: "50.8331, 4.3662".
access-at-the-end: People are let in when the incident ends, when all access is withdrawn.
access-shared: People are let in by what the newest signal says, and signals of several senders make one incident.
access-unapproved: People are let in although nobody need have said yes: the step comes after no call that was accepted.
drafted-at-the-end: A broadcast is drafted when the incident ends, when nobody waits for it any more.
no-such-report: A kind of report that no sheet writes: a SITREP is written on an incident, the others on the day.
carries-no-file: A report that goes over a channel which carries no files, by which nobody would get it.
asks-nothing: A `when` without a condition: it would meet every signal there is.
no-word: Words to be looked for that hold neither letter nor digit.
never-starts: A sheet with neither `when` nor `start by hand`.
no-steps: A sheet that does nothing.
not-cel: The expression in `where` cannot be read.
cel-type: The expression compares what cannot be compared.
cel-not-yes-or-no: The expression gives neither true nor false.
cel-unknown-field: A field that `signal` and `info` do not have.
cel-unknown-name: A name or a function that does not exist in expressions.
cel-too-long: The expression is longer than is good for whoever must understand it at night.
cel-too-costly: The expression may take long: loops within loops, patterns that repeat too often.
never-holds: The expression in `where` can never be true: of all that its fields can say, and that the other
  conditions let through, nothing makes it so.
one-action: A step does nothing, or two things at once.
any-or-all: A condition with neither, or both, of `any of` and `all of`.
two-beginnings: A step that begins after something and when the incident ends.
everyone-and-others: `everyone reached` stands with others, or where contacts are meant.
nobody-reached: `everyone reached` in a step that begins at once, when nobody has been reached.
not-a-condition: A step waits for something that is no `STEP is OUTCOME`.
unknown-step: A step waits for a step there is not.
unknown-outcome: A step waits for something its other step cannot come to.
cycle: Steps wait for one another, chains follow one another, or areas lie in one another, in a circle.
never-begins: A step that can never begin, as what it waits for cannot be.
never-repeats: `every` in a step that will not be repeated.
until-never: `until` waits for what can never be.
until-without-every: `until` in a step that is not repeated.
too-often: A step that is repeated more than once a minute.
unknown-sheet: There is no such sheet.
unknown-alert-chain: There is no such chain in chains.yaml.
unknown-group: There is no such group in people.yaml.
unknown-roster: There is no such roster in rosters.yaml.
unknown-person: There is nobody of that id in people.yaml.
unknown-competence: Nobody has this competence.
unknown-message: There is no such message in messages.yaml or messages/.
unknown-area: There is no such area in areas.yaml.
unknown-source: There is no such source in sources.yaml.
unknown-channel: There is no such channel in channels.yaml.
unknown-room: There is no such room in rooms.yaml.
unknown-field: No form asks for this field, nor does the sheet of who starts it by hand.
read-out: Contacts that would be read out by telephone.
no-contacts: A message that is to carry contacts, without `{contacts}`.
unfilled-placeholder: A message asks for something this sheet cannot fill in.
unknown-placeholder: Nothing anywhere fills this in.
lone-brace: A brace that is opened and not closed, or the other way round.
sheet-twice: Two files hold a sheet of the same name.
not-whole-days: A dossier counts by whole days, from 1 to 60 of them together.
rise-out-of-reach: What a dossier would tell as a rise is none, or could never be.
""",
    ),
    **_rules(
        SHEETS,
        True,
        "",
        """
no-review: A live sheet, or a dossier, without a date by which somebody has to look it over.
where-says-nothing: The expression in `where` is true of everything that the other conditions let through: leave it
  out, or correct it.
both-outcomes: A step waits until a call was accepted and exhausted, which can only be if somebody calls again.
repeats-for-ever: A step goes on repeating to partners until an officer ends the incident: nothing else stops it. A
  repetition that only goes to those on duty is their reminder to end it.
odd-category: A hazard that no signal of this category is about: the block may be right by the book and meet nothing.
tells-no-reception: A sheet lets people in, and hub.yaml has no `access list`: nobody at the door hears of it.
missing-placeholder: A fact stands in one language of a message and not in another.
long-sms: A text that is more SMS than anybody reads at night: three, with how to answer, or fewer where the channel
  takes fewer.
cut-sms: As an exercise, or sent once more, a text is longer than its channel takes, and will be shortened.
""",
    ),
    **_rules(
        SHEETS,
        True,
        DAY,
        """
review-overdue: The day by which the sheet or the dossier had to be looked over has passed.
area-over: An area that is not in force any more, or not yet: signals are not found to touch it.
""",
    ),
    **_rules(
        TOGETHER,
        True,
        "",
        """
overlap: Two sheets take the same signal: both would call. Part them, let one be `quiet while` the other is open, or
  say that both have to run.
quiet-circle: Sheets that are quiet while one another are open: whichever signal comes first keeps the others quiet,
  whatever is graver.
trust-out-of-reach: No source that may send such a signal is trusted as much as the sheet asks.
""",
    ),
    **_rules(
        TOGETHER,
        True,
        ROOM,
        """
nobody-would-answer: Within a month there are times at which a chain reaches fewer people than have to accept.
nobody-by-these-channels: Nobody whom a tier asks has an address on one of its channels: the tier is passed over, or
  waits for nothing.
one-device: All that a chain has, at times, is one telephone or mailbox, which may be off, empty or at home.
one-provider: All of a chain's ways go by one provider without a fall-back: if it is out, nobody is reached.
""",
    ),
    **_rules(
        TOGETHER,
        True,
        JOURNAL,
        """
common-words: Words that half of what was recorded in a month meets: they tell nothing apart.
too-many-incidents: A sheet that would have opened more incidents on a day than anybody can work off.
""",
    ),
    **_rules(
        CONFIG,
        False,
        "",
        """
another-kind: A fall-back that cannot stand in: it calls and the channel sends texts, say.
bad-address: A channel cannot send to this address.
bad-setting: A connector's setting is out of bounds or of another kind.
broken-connector: A connector cannot be loaded or made.
clocks-change: A time that comes twice or never, as the clocks change on that day.
ends-before-it-begins: A shift whose end is before its beginning.
for-exercises: A provider of exercises that something in earnest would go by, or the other way round.
goes-nowhere: A call list that is neither mailed, written nor printed.
id-twice: Two people have the same id.
missing-message: One of the hub's own messages is not there.
name-twice: Two places have the same name: nobody could tell which is meant.
never: A call list that is never made.
no-attachments: The call list, or the access list, goes by a channel that carries no files.
no-certificate: The certificate that our own alerts are signed with cannot be read.
no-condition: A group by query that does not say what its people are.
no-file: A file that cannot be read.
no-folder: A folder there is not.
no-name: Somebody or a place without a name, or with one that no name may be.
no-numbers: Prefixes of numbers at a channel that sends to no numbers.
not-a-distance: No distance as 600 m or 2 km.
not-a-limit: No limit as 10 in 10 min.
not-a-mail-address: No mail address.
not-a-prefix: This begins no phone number.
not-a-region: No country in two capitals.
not-a-swap: A swap is between two people.
not-a-turn: No length of a turn: week, 2 weeks, day, 3 days.
not-a-url: No web address.
not-an-address: No address to listen on.
not-an-identifier: A sender of CAP alerts, or the beginning of their identifiers, that CAP does not allow.
not-its-name: What is said of a name, and is no name of this place.
not-geojson: Shapes that are no GeoJSON with ids.
not-hours: No hours as 20:00-08:00.
not-on-duty: Somebody gives a shift away that they do not have.
nothing-left: A channel keeps everything for asks, and nothing else would ever go.
published-not-public: A class of broadcasts stands on the CAP feed and may not go to the public.
reserved-name: `vigie` is the source of what the hub itself finds out.
secret-in-config: A secret itself where its name should be.
too-early: A handover told more than a week ahead.
too-few: A chain needs more people, or more of a role, than it asks.
too-short: A tier's channels take longer than there is time to answer.
unknown-chain: There is no such chain.
unknown-kind-of-organisation: No organisation is of this kind.
unknown-name: Neither a roster nor a person.
unknown-role: No role that a chain can need.
unknown-type: There is no such connector.
unknown-zone: There is no such time zone.
""",
    ),
    **_rules(
        CONFIG,
        True,
        "",
        """
address-twice: Somebody has an address twice.
follows-no-sheet: A follower is to be told of incidents of a sheet there is not (any more).
incomplete: A row of the registered without an id, a language or a commune; it is left out.
more: More rows that are left out than are told.
no-answers: Nobody can answer by this channel, or by the provider that stands in.
no-files: A provider that stands in carries no files.
no-keypad: Calls that cannot be answered by a key.
no-number: No number begins with this prefix.
nothing-published: The CAP feed is turned on, and no class of broadcasts stands on it.
nobody: A group, roster, chain or override with nobody in it.
not-a-language: A language we do not write.
not-a-position: No latitude and longitude.
seen-by-fewer: An address is shown to more than the person it belongs to.
shared-address: Two people share an address: nobody can tell whose answer comes from it.
unknown-organisation: There is no such organisation in people.yaml.
unknown-commune: No commune, or no area.
unreachable: Somebody without an address.
""",
    ),
    **_rules(
        CONFIG,
        True,
        DAY,
        """
double-booking: Somebody is on duty in two rosters at once.
gap: Nobody is on duty at times.
""",
    ),
    **_rules(
        CONFIG,
        True,
        JOURNAL,
        """
not-in-files: Something was changed while the hub ran, and the files do not say so.
""",
    ),
    **_rules(
        WAIVERS,
        False,
        "",
        """
waiver-unclear: A waiver that cannot be read, or of a rule there is not.
waiver-without-reason: A waiver that does not say why.
waiver-of-an-error: A waiver of a rule that is an error: it is mended, not waived.
waives-nothing: A waiver where nothing is wrong, or no longer: whoever reads it would be misled.
""",
    ),
}
