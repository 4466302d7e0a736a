"""Posts of social networks: what is wanted of them, and the signals they become. Pure.

A post is somebody's word: its severity, urgency and certainty are unknown, and how far it is believed is the source's
`reliability` and `credibility`. The sender is the author, also where somebody else passed the post on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from connectors.hazards import hazard_in
from connectors.text import digest, one_line, web_address
from connectors.words import Finder, fold, word
from hub.connector import SignalItem
from hub.model.area import Area
from hub.model.signal import Category, Hazard, Info, MsgType, Named, Reference, Resource, Signal
from hub.model.trust import Credibility, Reliability

TEXT_MAX = 20_000  # characters: more is an article, and lies in the original
_HEADLINE_MAX = 160
_LISTED_MAX = 20  # tags, media: what more there is lies in the original


class PostConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the posts that are followed counts, and what is known of them. Durations are seconds."""

    words: Annotated[
        tuple[str, ...],
        Meta(
            description="Only posts with one of these: fire, brand*, gas leak; all where left out",
            examples=["[explosi*, brand, incendie]"],
        ),
    ] = ()
    and_words: Annotated[
        tuple[str, ...],
        Meta(description="And with one of these besides, as names of places", examples=["[bruxelles, brussel*]"]),
    ] = ()
    not_words: Annotated[
        tuple[str, ...], Meta(description="No posts with one of these", examples=["[concert, film]"])
    ] = ()
    languages: Annotated[
        tuple[str, ...],
        Meta(description="Only posts in these languages, or that name none", examples=["[fr, nl, de, en]"]),
    ] = ()
    replies: Annotated[bool, Meta(description="Whether answers to others count")] = True
    language: Annotated[str, Meta(description="Language of posts that name none, as fr-BE", pattern="^[A-Za-z-]+$")] = (
        "fr-BE"
    )
    hazard: Annotated[Hazard | None, Meta(description="What posts are about in which no known word says it")] = None
    category: Annotated[Category, Meta(description="CAP category of the posts, e.g. Safety")] = Category.OTHER
    area: Annotated[
        str,
        Meta(description="Name of the area that posts are about, where what is followed says it", examples=["Ixelles"]),
    ] = ""
    lasts: Annotated[
        float, Meta(ge=0, le=31 * 86_400, description="How long a post is in force, seconds, e.g. 21600; 0: no end")
    ] = 0.0
    believed: Annotated[
        Mapping[str, Reliability],
        Meta(description="Account: A to F, for those who are believed less than the source: {gossip@a.example: E}"),
    ] = msgspec.field(default_factory=dict)
    dead_after: Annotated[
        float,
        Meta(ge=0.1, le=3600, description="Without a sign of life for so long a stream is dead, seconds, e.g. 60"),
    ] = 60.0
    timeout: Annotated[float, Meta(gt=0, le=600, description="Seconds a whole answer may take, e.g. 30.")] = 30.0
    max_bytes: Annotated[
        int, Meta(ge=1024, le=10 << 20, description="Largest single post or event that is read, in bytes, e.g. 262144")
    ] = 1 << 18
    silent_after: Annotated[
        float, Meta(ge=0, description="Seconds without any post after which the source counts as silent; 0: never.")
    ] = 0.0
    internal: Annotated[
        bool, Meta(description="The servers are in our own network (loopback, private): allow it, and them alone.")
    ] = False

    def __post_init__(self) -> None:
        for name, given in (("words", self.words), ("and_words", self.and_words), ("not_words", self.not_words)):
            for one in given:
                try:
                    word(one)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None


class Media(Struct, frozen=True, kw_only=True):
    """`mime`: "" where the network does not say. `description`: the author's, for those who do not see it."""

    url: str
    mime: str = ""
    description: str = ""


class Post(Struct, frozen=True, kw_only=True):
    """A post in its present version, whichever network. Texts are plain. `warning`: what its author put before it, for
    those who may not want to read on. `version`: another where it says something else. `strange`: it was passed on, of
    somebody who is not followed."""

    identifier: str
    author: str
    author_name: str = ""
    handle: str = ""  # what else the author's account is called, where that is sure
    sent: datetime
    version: str = ""
    text: str = ""
    warning: str = ""
    more: str = ""  # words looked at besides: descriptions of media, a poll's answers
    language: str = ""
    web: str = ""
    tags: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    sensitive: bool = False
    reply: bool = False
    strange: bool = False
    facts: tuple[Named, ...] = ()
    notes: tuple[str, ...] = ()


def wanted(post: Post, config: PostConfig) -> bool:
    """Whether a post that is followed counts."""
    if post.reply and not config.replies:
        return False
    if config.languages and post.language:
        spoken = post.language.partition("-")[0].casefold()
        if spoken not in [language.partition("-")[0].casefold() for language in config.languages]:
            return False
    if not (config.words or config.and_words or config.not_words):
        return True
    said = fold("\n".join((post.warning, post.text, post.more))[:TEXT_MAX])
    has = (_finder(words) for words in (config.words, config.and_words) if words)
    return all(finder.any_in(said) for finder in has) and not (
        config.not_words and _finder(config.not_words).any_in(said)
    )


@lru_cache(maxsize=64)
def _finder(words: tuple[str, ...]) -> Finder:
    return Finder([word(one) for one in words])


def item_of(kind: str, post: Post, config: PostConfig, original: bytes, media_type: str) -> SignalItem:
    """The signal of a post. `kind` (the network) sets its key apart: the same for each time the same version comes."""
    language = post.language or config.language
    text = post.text[:TEXT_MAX]
    first = post.warning or text or next((one.description for one in post.media if one.description), "")
    facts = [*post.facts, Named("sensitive", "yes")] if post.sensitive else list(post.facts)
    if post.tags:
        facts.append(Named("tags", " ".join(post.tags[:_LISTED_MAX])))
    info = Info(
        language=language,
        categories=(config.category,),
        hazard=hazard_in(f"{post.warning} {text}", language) or config.hazard,
        onset=post.sent,
        expires=post.sent + timedelta(seconds=config.lasts) if config.lasts else None,
        sender_name=one_line(post.author_name)[:200] or post.author,
        headline=one_line(first)[:_HEADLINE_MAX] or post.author,
        description=f"{post.warning}\n\n{text}".strip() if post.warning else text,
        web=web_address(post.web),
        parameters=tuple(facts),
        resources=tuple(
            Resource(description=one_line(one.description)[:400], mime_type=one.mime, uri=one.url)
            for one in post.media[:_LISTED_MAX]
            if web_address(one.url)
        ),
        areas=(Area(description=config.area),) if config.area else (),
    )
    signal = Signal(
        identifier=post.identifier,
        sender=post.author,
        sent=post.sent,
        infos=(info,),
        links=(info.web,) if info.web else (),
        notes=post.notes,
    )
    names = [name.casefold() for name in (post.author, post.handle) if name]
    letters = [letter for name, letter in config.believed.items() if name.removeprefix("@").casefold() in names]
    return SignalItem(
        signal=signal,
        key=f"{kind}:" + digest(post.identifier, post.version),
        original=original,
        media_type=media_type,
        # Never better than the source (SignalItem.believed); of whom nobody follows nothing is known.
        reliability=Reliability.F if post.strange else max(letters, default=None),
        credibility=Credibility.CANNOT_BE_JUDGED if post.strange else None,
    )


def as_edit(item: SignalItem) -> SignalItem:
    """A post's new version: takes the place of the one before, which has the same identifier."""
    signal = item.signal
    reference = Reference(signal.sender, signal.identifier, signal.sent)
    return replace(
        item, signal=replace(signal, msg_type=MsgType.UPDATE, references=(reference,), notes=(*signal.notes, "edited"))
    )


def deletion(kind: str, author: str, identifier: str, now: datetime, why: str = "deleted by its author") -> SignalItem:
    """What withdraws a post."""
    signal = Signal(
        identifier=f"{identifier} deleted",
        sender=author,
        sent=now,
        msg_type=MsgType.CANCEL,
        references=(Reference(author, identifier, None),),
        notes=(why,),
    )
    return SignalItem(signal=signal, key=f"{kind}-deleted:" + digest(identifier))
