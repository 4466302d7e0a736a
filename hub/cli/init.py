"""`vigie init DIR`: a new centre's folder from an empty disk. What is not given is asked; nothing is overwritten."""

import base64
import secrets as chance
from collections.abc import Callable
from pathlib import Path
from zoneinfo import available_timezones

import typer
from msgspec.structs import replace

from hub.binding import Misfit, bind
from hub.cli import say
from hub.cli.schema import files_for
from hub.cli.setting import read, show
from hub.clock import wall
from hub.findings import errors, tally
from hub.model.people import Language
from hub.people.directory import mail_problem, normalise, phone_problem
from hub.people.exchange.draft import made_id
from hub.starter import Answers, Officer, Provider, files_of
from hub.starter.given import (
    Given,
    OfficerForm,
    account_problem,
    country_problem,
    feed,
    from_problem,
    host_problem,
    line_problem,
    officer,
    sender_problem,
    url_problem,
    zones,
)
from hub.starter.outline import NoOutline, outline
from hub.yaml import read as read_yaml

LEAST = 2  # officers: a chain of one is broken by one flat battery
_PLACES = (", who is called first", ", who is called when nobody answers")
NO = "no"  # the answer that leaves something out
_SIMULATED = "+32450000000", "AC" + "0" * 32, "http://127.0.0.1:8080"  # number, account, the hub's address


def init(folder: Path, given: Given, answers: Path | None, officers: list[str]) -> None:
    """Asks for what is missing, writes the folder, and says what to type next."""
    given = _of_file(answers, given) if answers is not None else given
    try:
        given = replace(given, officers=(*given.officers, *map(officer, officers)))
    except Misfit as misfit:
        say.could_not(f"--officer: {misfit.message}: {misfit.remedy}")
    if folder.exists() and not folder.is_dir():
        say.could_not(f"{folder}: is a file: name a folder, new or empty")
    asking = _Asking(given)
    made, shape = asking.answers(), asking.shape
    texts = files_of(made, shape, wall().date())
    kept = _secrets_of(made)
    _refuse(folder, [*texts, *(f"secrets/{name}" for name in kept), *files_for(None, folder / "config", folder)])
    _write(folder, texts, kept)
    config, findings = read(folder / "config")
    for name, text in files_for(config, folder / "config", folder).items():
        _put(folder / name, text)
    show(findings)
    _next(folder, made, kept, tally(findings))
    say.done(bool(findings))


# --- asking ------------------------------------------------------------------------------------------------


class _Asking:
    """Takes what was given, asks for the rest; what is wrong is said at once, and asked again."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self.shape = ""

    def answers(self) -> Answers:
        given = self._given
        name = self._ask("name", "The centre's name", given.name, line_problem)
        text = self._ask(
            "language", "Its first language, of the four it always has (fr, nl, de, en)", str(given.language or ""),
            lambda t: "" if t in list(Language) else "one of fr, nl, de, en", "fr",
        )  # fmt: skip
        language = Language(text)
        country = self._ask("country", "Country, of phone numbers without a code", given.country, country_problem, "BE")
        zone = self._zone(country)
        area = self._ask("area", "The area it watches over", given.area, self._area_problem)
        self._outline(made_id(area))
        officers = self._officers(language, country)
        text = self._ask(
            "provider", "Who carries messages: simulator (for trying out), twilio, http-sms", str(given.provider or ""),
            lambda t: "" if t in list(Provider) else "one of simulator, twilio, http-sms", "simulator",
        )  # fmt: skip
        answers = Answers(
            name=name, name_id=made_id(name) or "hub", language=language, country=country, zone=zone, area=area,
            area_id=made_id(area), officers=officers, provider=Provider(text), sender="",
        )  # fmt: skip
        return self._carried(answers, country)

    def _carried(self, answers: Answers, country: str) -> Answers:
        """What the provider needs, and where warnings come from."""
        given = self._given
        warnings = self._or_no(
            "warnings", "A feed of official warnings (CAP)", given.warnings, url_problem, feed(country) or NO
        )
        answers = replace(answers, warnings=warnings)
        if answers.provider is Provider.SIMULATOR:
            sender, account, public = _SIMULATED
            return replace(answers, sender=given.sender or sender, account=account, public=public)
        sender = self._ask(
            "sender", "The number SMS come from", given.sender, lambda t: sender_problem(t, country)
        )  # fmt: skip
        answers = replace(answers, sender=_written(sender, country))
        if answers.provider is Provider.TWILIO:
            account = self._ask("account", "Twilio's account SID", given.account, account_problem)
            public = self._or_no(
                "public", "The hub's address as Twilio reaches it (no: Twilio is asked instead)", given.public,
                url_problem, NO,
            )  # fmt: skip
            answers = replace(answers, account=account, public=public)
        else:
            url = self._ask("url", "Where the provider takes SMS", given.url, url_problem)
            public = self._ask("public", "The hub's address as the provider reaches it", given.public, url_problem)
            answers = replace(answers, url=url, public=public)
        server = self._or_no("mail-server", "Mail server (no: none yet)", given.mail_server, host_problem, NO)
        if not server:
            return answers
        domain = server.partition(".")[2] or server
        mail_from = self._ask(
            "mail-from", "Whom mails come from", given.mail_from, from_problem, f"Vigie <vigie@{domain}>"
        )
        return replace(answers, mail_server=server, mail_from=mail_from)

    def _zone(self, country: str) -> str:
        known = available_timezones()
        proposed = zones(country)
        if not self._given.zone and len(proposed) == 1:
            return proposed[0]
        return self._ask(
            "zone", "Time zone", self._given.zone, lambda t: "" if t in known else "no such zone: Europe/Brussels",
            proposed[-1] if proposed else "UTC",
        )  # fmt: skip

    @staticmethod
    def _area_problem(text: str) -> str:
        return line_problem(text) or ("" if made_id(text) else "write its name in letters of this alphabet")

    def _outline(self, area: str) -> None:
        given = self._given.shape
        while True:
            path = given or self._or_no("shape", "A GeoJSON file with its outline (no: none yet)", "", lambda _: "", NO)
            if path in ("", NO):
                return
            try:
                self.shape = outline(Path(path).expanduser().read_text("utf-8"), area)
                return
            except OSError as error:
                problem = f"{path}: {error.strerror}"
            except (NoOutline, UnicodeDecodeError) as error:
                problem = f"{path}: {error}"
            if given:
                say.could_not(f"--shape: {problem}")
            say.error(f"  {problem}")

    # --- officers ------------------------------------------------------------------------------------------

    def _officers(self, language: Language, country: str) -> tuple[Officer, ...]:
        officers: list[Officer] = []
        for form in self._given.officers:
            if problem := self._problem(form, officers, country):
                say.could_not(f"--officer: {form.name}: {problem}")
            officers.append(self._officer(form, officers, language, country))
        asks = not officers or len(officers) < LEAST
        while asks:
            officers.append(self._asked(officers, language, country))
            asks = len(officers) < LEAST or typer.confirm("Another officer?", default=False)
        return tuple(officers)

    def _asked(self, officers: list[Officer], language: Language, country: str) -> Officer:
        which = _PLACES[len(officers)] if len(officers) < len(_PLACES) else ""
        name = self._ask("officer", f"Officer {len(officers) + 1}{which}: name", "", line_problem)

        def taken(phone: str) -> str:
            return self._problem(OfficerForm(name=name, phone=phone), officers, country)

        phone = self._ask("officer", "  phone, for SMS and calls", "", taken)
        mail = self._or_no("officer", "  mail address (no: none)", "", mail_problem, NO)
        spoken = self._ask(
            "officer", "  language", "", lambda t: "" if t in list(Language) else "one of fr, nl, de, en", str(language)
        )
        form = OfficerForm(name=name, phone=phone, mail=mail, language=Language(spoken))
        return self._officer(form, officers, language, country)

    @staticmethod
    def _problem(form: OfficerForm, officers: list[Officer], country: str) -> str:
        if problem := line_problem(form.name) or phone_problem(form.phone, country):
            return problem
        other = next((o.name for o in officers if o.phone == normalise(form.phone, country)), "")
        if other:
            return f"this is {other}'s number: answers from it could be bound to nobody"
        return mail_problem(form.mail) if form.mail else ""

    @staticmethod
    def _officer(form: OfficerForm, officers: list[Officer], language: Language, country: str) -> Officer:
        made = made_id(form.name) or "officer"
        ids = {o.id for o in officers}
        number = 2
        unique = made
        while unique in ids:
            unique, number = f"{made}-{number}", number + 1
        return Officer(
            id=unique, name=form.name, phone=normalise(form.phone, country), mail=form.mail.strip(),
            language=form.language or language,
        )  # fmt: skip

    # --- one question --------------------------------------------------------------------------------------

    def _ask(
        self, option: str, question: str, given: str, problem: Callable[[str], str], default: str | None = None
    ) -> str:
        if given:
            if wrong := problem(given.strip()):
                say.could_not(f"--{option}: {given}: {wrong}")
            return given.strip()
        while True:
            try:
                text = str(typer.prompt(question, default=default)).strip()
            except typer.Abort:
                say.line()
                say.could_not(f"not answered: {question}: give it as --{option}, or in a file, --answers FILE")
            wrong = problem(text)
            if not wrong:
                return text
            say.error(f"  {text}: {wrong}")

    def _or_no(self, option: str, question: str, given: str, problem: Callable[[str], str], default: str) -> str:
        """An answer that may be "no": "" then."""
        text = self._ask(option, question, given, lambda t: "" if t == NO else problem(t), default)
        return "" if text == NO else text


def _written(sender: str, country: str) -> str:
    return normalise(sender, country) if not phone_problem(sender, country) else sender


def _of_file(path: Path, options: Given) -> Given:
    """The answers in a file; an option goes before it."""
    try:
        document = read_yaml(path.read_bytes(), str(path))
    except OSError as error:
        say.could_not(f"{path}: {error.strerror}")
    found: Given | None = None
    if document.root is not None:
        found = bind(document, document.root, Given)
    if found is None or errors(document.findings):
        show(document.findings)
        say.could_not(f"{path}: {tally(document.findings)}: mend them first")
    given = {name: value for name in Given.__struct_fields__ if (value := getattr(options, name))}
    if found.shape and "shape" not in given:
        given["shape"] = str(path.parent / found.shape)
    return replace(found, **given)


# --- writing -----------------------------------------------------------------------------------------------


def _secrets_of(answers: Answers) -> dict[str, str]:
    """The secrets that are ours to make. Whoever has none of a provider's is told which to write."""
    made = {
        "API_TOKEN": chance.token_hex(32),
        "PARTNERS_WEBHOOK": "whsec_" + base64.b64encode(chance.token_bytes(32)).decode(),
    }
    if answers.provider is Provider.SIMULATOR:
        made["TWILIO_TOKEN"] = chance.token_hex(16)
    if answers.provider is Provider.HTTP_SMS:
        made["SMS_HOOK"] = chance.token_hex(32)
    return made


def _refuse(folder: Path, names: list[str]) -> None:
    """Ends the command where anything that would be written is there."""
    there = sorted(name for name in names if (folder / name).exists() or (folder / name).is_symlink())
    if there:
        shown = ", ".join(there[:6]) + (" ..." if len(there) > 6 else "")
        say.could_not(f"{folder}: {shown} is there already, and nothing is overwritten: name a new or an empty folder")


def _write(folder: Path, texts: dict[str, str], kept: dict[str, str]) -> None:
    for name, text in texts.items():
        _put(folder / name, text)
    for name, value in kept.items():
        _put(folder / "secrets" / name, value + "\n", mode=0o600)
    (folder / "secrets").chmod(0o700)


def _put(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a file that is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=mode, exist_ok=False)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        say.could_not(f"{path}: cannot be written: {error.strerror}")


def _next(folder: Path, answers: Answers, kept: dict[str, str], checked: str) -> None:
    say.line(f"{folder}: {answers.name} is written down: config/, two sheets with their tests, an editor set up")
    say.line(f"checked: {checked}")
    for name in answers.secrets:
        if name not in kept:
            say.line(f"still to be written: the secret {folder / 'secrets' / name} (or VIGIE_{name})")
    say.line()
    say.line("next:")
    say.line(f"  cd {folder}")
    say.line("  vigie test     # the sheets are proven, in virtual time: nobody is called")
    if answers.provider is Provider.SIMULATOR:
        say.line("  vigie phones   # the phones that stand in for real ones, on a page; and in another terminal:")
    say.line("  vigie run      # the hub")
