"""Acting commands: they go through the running hub's API, so that there is one writer."""

import http.client
import os
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
import trio

from hub.binding import Misfit, duration
from hub.cli import say
from hub.cli.look import instant
from hub.config import Config
from hub.model.people import Language
from hub.secrets import secrets_from
from hub.view import Viewer, Words, language_of, watch


class NoAnswer(Exception):
    """The running hub could not be asked, or refuses (`refused`); says what is wrong."""

    def __init__(self, said: str, refused: bool = False) -> None:
        super().__init__(said)
        self.refused = refused


def ask(config: Config, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One request to the running hub; its answer decoded. Ends the command with what is wrong where it fails."""
    try:
        return request(config, method, path, body)
    except NoAnswer as problem:
        if not problem.refused:
            say.could_not(str(problem))
        say.error(str(problem))
        say.done(True)


def request(config: Config, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One request to the running hub; its answer decoded. Raises NoAnswer."""
    host, port = config.hub.web.listen
    secret = secrets_from(config.path(config.hub.secrets))
    try:
        token = secret("API_TOKEN")
    except KeyError as error:
        raise NoAnswer(str(error.args[0])) from None
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(
            method,
            path,
            body=msgspec.json.encode(body) if body is not None else None,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        response = connection.getresponse()
        answer = response.read()
    except OSError as error:
        raise NoAnswer(f"no hub answers at {host}:{port} ({error}): start it with `vigie run`") from error
    finally:
        connection.close()
    decoded = msgspec.json.decode(answer) if answer else {}
    if response.status == 401:
        raise NoAnswer("the hub does not know this token: VIGIE_API_TOKEN must be the one it was started with")
    if response.status >= 400:
        raise NoAnswer(str(decoded.get("detail", decoded)), refused=True)
    return decoded


def act(config: Config, path: str, body: dict[str, Any], as_json: bool, method: str = "POST") -> None:
    """An act: says what came of it and under which record, and what it leaves open."""
    done = ask(config, method, path, body)
    if as_json:
        say.json_line(done)
    else:
        said = done.get("said") or "done"
        say.line(f"{said} (record {done['id']})" if done["id"] else said)
        for left in done.get("left", ()):
            say.line(f"left: {left['what']}: {left['why']}")
        for warning in done.get("warnings", ()):
            say.error(f"warning: {warning}")


def silence(config: Config, body: dict[str, Any], start: str | None, until: str, as_json: bool) -> None:
    """Sets a silence. A span counts from its start; the hub's clock is asked, which in a playback is not the wall's."""
    now = msgspec.convert(ask(config, "GET", "/api/status")["now"], datetime)
    begins = instant(start) if start else None
    try:
        ends = (begins or now) + timedelta(seconds=duration(until))
    except Misfit:
        ends = instant(until)
    times = {"until": ends.isoformat()} | ({"start": begins.isoformat()} if begins else {})
    act(config, "/api/silences", body | times, as_json)


def watch_status(config: Config) -> None:
    """The live view of the running hub: a screen on a terminal, a line for each change elsewhere."""
    viewer = Viewer(sys.stdout, Words(language_of(os.environ)))
    with viewer, suppress(KeyboardInterrupt):
        trio.run(watch, lambda: ask(config, "GET", "/api/status"), viewer)


def answers_of(pairs: list[str]) -> dict[str, str]:
    """`name=value` words as a mapping."""
    answers = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            say.could_not(f"{pair}: an answer is written name=value")
        answers[name] = value
    return answers


def ask_for_the_rest(config: Config, sheet: str, answers: dict[str, str]) -> dict[str, str]:
    """The answers, with what the sheet asks besides asked on the terminal, in its language. What may be left empty and
    is, is left out."""
    asked = next((s.by_hand.fields for s in config.playbooks if s.name == sheet and s.by_hand is not None), ())
    language = Language(language_of(os.environ))
    for field in asked:
        while field.name not in answers:
            answer = input(f"{field.ask[language]} ").strip()
            if answer:
                answers = {**answers, field.name: answer}
            elif not field.required:
                break
    return answers
