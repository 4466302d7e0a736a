"""Mail through an SMTP server; answers by link and by reply."""

from collections.abc import Sequence
from datetime import UTC
from email.utils import parseaddr
from typing import ClassVar

from msgspec import Struct

from connectors.mail.answering import AnswerPage
from connectors.mail.config import MailConfig
from connectors.mail.link import Seal, leads_here
from connectors.mail.mailbox import Mailbox
from connectors.mail.mime import Envelope, address, compose
from connectors.mail.reading import Rules
from connectors.mail.smtp import Postman
from hub.connector import Abilities, Answer, Dead, Environment, Intake, Outgoing, Route


class MailChannel:
    """Mails with text and HTML. An ask is answered on the page its link leads to, by replying to the mail, or both, as
    the configuration has it; without either, a mail asks for an answer by another way."""

    Config: ClassVar[type[Struct]] = MailConfig
    abilities: Abilities = Abilities(attachments=True)

    def __init__(self, config: MailConfig, environment: Environment) -> None:
        self._config = config
        self._name = environment.name
        replies, has_page = bool(config.imap_host), _has_page(config, environment.public_url)
        # What bounces comes into the mailbox, so only with one are there receipts.
        self.abilities = Abilities(answers=replies or has_page, words=replies, receipts=replies, attachments=True)
        password = environment.secret(config.password) if config.password else None
        self._postman = Postman(config, environment.name, password)
        sender = parseaddr(config.sender)[1]
        self._envelope = Envelope(sender=config.sender, domain=str(address(sender).domain), reply_to=config.reply_to)
        self._page: AnswerPage | None = None
        if config.link_secret:
            seal = Seal([environment.secret(name) for name in config.link_secret])
            if has_page:
                self._page = AnswerPage(self._name, seal, environment.public_url, config.link_lasts_s)
        self._mailbox: Mailbox | None = None
        if config.imap_host:
            rules = Rules(
                channel=self._name, domain=self._envelope.domain, trusted_results=config.trusted_results.strip()
            )
            self._mailbox = Mailbox(config, environment.secret(config.imap_password), rules)
        self._intake: Intake | None = None

    async def open(self, intake: Intake) -> None:
        self._intake = intake
        self._postman.open()
        if self._mailbox is not None:
            self._mailbox.start(intake)

    async def close(self) -> None:
        if self._mailbox is not None:
            await self._mailbox.stop()
        await self._postman.close()

    def check(self, address_: str) -> str:
        try:
            address(address_)
        except ValueError as error:
            return f"{address_!r} {error}"
        return ""

    async def send(self, outgoing: Outgoing) -> Answer:
        assert self._intake is not None, "open() comes before everything else"
        try:
            link = self._page.link(outgoing) if self._page is not None and outgoing.ask is not None else ""
            mail = compose(outgoing, self._envelope, self._intake.now().astimezone(UTC), link)
        except ValueError as error:
            return Dead(reason=f"the address {error}", bad_address=True)
        return await self._postman.hand_over(mail, str(address(outgoing.to).addr_spec))

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """An SMTP server cannot be asked; the Message-ID makes a repetition visible to the reader's program."""
        return None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """A mail cannot be taken back."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        return [] if self._page is None else self._page.routes(intake)


def _has_page(config: MailConfig, public_url: str) -> bool:
    """A link that only leads somewhere from this very machine is no way to answer."""
    return bool(config.link_secret) and leads_here(public_url)
