"""`vigie init`: a new centre's folder by options, by a file, by questions; each checks clean and its tests pass."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from hub.cli.main import app
from hub.config import load
from hub.model.people import Language
from hub.starter.outline import NoOutline, outline
from tests.edge.running import ROOT, Said
from tests.edge.test_cli import vigie

OFFICERS = (
    "--officer",
    "Anne Lambert, 0470 12 34 56, anne@example.org",
    "--officer",
    "Bart Claes, +32 470 12 34 57,, nl",
)
WHERE = (
    "--name",
    "Centre de Namur",
    "--language",
    "fr",
    "--country",
    "BE",
    "--area",
    "Province de Namur",
    "--shape",
    "no",
)
CARRIERS = {
    "simulator": (),
    "twilio": ("--sender", "+32 460 00 11 22", "--account", "AC" + "0a" * 16, "--public", "no", "--mail-server", "no"),
    "twilio that calls us, with mail": (
        "--sender", "+32460001122", "--account", "AC" + "0a" * 16, "--public", "https://hub.example.org",
        "--mail-server", "smtp.example.org", "--mail-from", "Vigie <vigie@example.org>",
    ),
    "http-sms": (
        "--sender", "0460 00 11 22", "--url", "https://sms.example.org/send", "--public", "https://hub.example.org",
        "--mail-server", "no",
    ),
}  # fmt: skip


def init(folder: Path, carrier: str = "simulator", *more: str, where: tuple[str, ...] = WHERE) -> Said:
    words = (*where, *OFFICERS, "--provider", carrier.split()[0], *CARRIERS[carrier], "--warnings", "no", *more)
    return vigie("init", folder, *words)


def asked(folder: Path, answers: list[str], *words: str) -> Said:
    """With somebody at the keyboard."""
    done = CliRunner().invoke(app, ["init", str(folder), *words], input="\n".join(answers) + "\n")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def read(path: Path) -> object:
    return YAML(typ="safe").load(path.read_text())


# --- what comes of it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("carrier", CARRIERS)
def test_it_checks_clean_and_its_tests_pass(carrier: str, tmp_path: Path) -> None:
    folder = tmp_path / "centre"
    said = init(folder, carrier)
    assert (said.code, said.err) == (0, "")
    checked = vigie("check", "--config", folder / "config")
    assert (checked.code, checked.err, checked.out.strip()) == (0, "", "0 errors, 0 warnings")
    tested = vigie("test", "--config", folder / "config")
    assert tested.code == 0, tested.out
    assert "0 failed" in tested.out
    assert re.search(r"gas-leak: (\d+) of \1 parts walked", tested.out), "every part is proven"
    assert re.search(r"severe-weather: (\d+) of \1 parts walked", tested.out)


def test_the_next_commands_are_named_and_exist(tmp_path: Path) -> None:
    said = init(tmp_path / "centre")
    typed = re.findall(r"^  vigie (\S+)", said.out, re.M)
    assert typed == ["test", "phones", "run"]
    for word in typed:
        assert CliRunner().invoke(app, [word, "--help"]).exit_code == 0
    assert f"  cd {tmp_path / 'centre'}\n" in said.out


def test_secrets_are_made_for_their_owner_only_and_never_go_into_git(tmp_path: Path) -> None:
    folder = tmp_path / "centre"
    said = init(folder, "twilio")
    assert f"still to be written: the secret {folder}/secrets/TWILIO_TOKEN" in said.out
    kept = sorted(path.name for path in (folder / "secrets").iterdir())
    assert kept == ["API_TOKEN", "PARTNERS_WEBHOOK"]
    assert all(stat.S_IMODE((folder / "secrets" / name).stat().st_mode) == 0o600 for name in kept)
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    values = [(folder / "secrets" / name).read_text().strip() for name in kept]
    assert len(values[0]) >= 24
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file() and "secrets" not in path.parts]
    assert not [value for value in values for text in texts if value in text]
    subprocess.run(["git", "init", "-q", folder], check=True)
    seen = subprocess.run(
        ["git", "-C", folder, "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    )
    assert "config/hub.yaml" in seen.stdout
    assert "secrets" not in seen.stdout


def test_an_editor_is_set_up(tmp_path: Path) -> None:
    init(tmp_path / "centre")
    settings = json.loads((tmp_path / "centre" / ".vscode" / "settings.json").read_text())
    for schema in settings["yaml.schemas"]:
        json.loads((tmp_path / "centre" / schema).read_text())
    again = vigie("schema", "--write", tmp_path / "centre", "--config", tmp_path / "centre" / "config")
    assert again.out.startswith("0 files written"), "and as `vigie schema --write` does it"


def test_what_people_typed_is_text_whatever_they_typed(tmp_path: Path) -> None:
    name, area = 'Centre "Été" # 1: {x} & \\n', "L'aire: d’Été #2 <<x>> {{y}}"
    where = ("--name", name, "--language", "de", "--country", "BE", "--area", area, "--shape", "no")
    said = init(tmp_path / "c", "simulator", "--officer", 'Zoë "Zed" O\'Neil: #1, 0470 12 34 58', where=where)
    assert (said.code, said.err) == (0, "")
    config, findings = load(tmp_path / "c" / "config")
    assert not findings
    assert config.geography is not None
    (place,) = config.geography.places.values()
    assert set(place.names.values()) == {area}
    assert {person.name for person in config.people} >= {'Zoë "Zed" O\'Neil: #1'}
    assert [person.language for person in config.people] == [Language.DE, Language.NL, Language.DE]


def test_the_hubs_own_messages_are_those_of_the_example() -> None:
    """They are needed by every hub, and come with the package."""
    ours = read(ROOT / "hub" / "starter" / "files" / "config" / "messages.yaml")
    example = read(ROOT / "config" / "messages.yaml")
    assert isinstance(ours, dict)
    assert isinstance(example, dict)
    assert ours == {name: texts for name, texts in example.items() if name.startswith("hub.")}


# --- answers -------------------------------------------------------------------------------------------------


def test_answers_may_stand_in_a_file_and_options_go_before_them(tmp_path: Path) -> None:
    shape = {"type": "Polygon", "coordinates": [[[4.7, 50.3], [5.1, 50.3], [5.1, 50.6], [4.7, 50.6], [4.7, 50.3]]]}
    (tmp_path / "namur.geojson").write_text(json.dumps(shape))
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "name: Centre de Namur\nlanguage: nl\ncountry: BE\narea: Province de Namur\nshape: namur.geojson\n"
        "officers:\n  - name: Anne Lambert\n    phone: 0470 12 34 56\n    mail: anne@example.org\n"
        "  - name: Bart Claes\n    phone: 0470 12 34 57\n    language: de\nprovider: simulator\nwarnings: no\n"
    )
    said = vigie("init", tmp_path / "c", "--answers", answers, "--language", "fr")
    assert (said.code, said.err) == (0, "")
    config, findings = load(tmp_path / "c" / "config")
    assert not findings
    assert [person.language for person in config.people] == [Language.FR, Language.DE]
    assert "areas/province-de-namur.geojson" in config.texts, "with its outline"
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(answers.read_text().replace("provider: simulator", "provider: twillio"))
    said = vigie("init", tmp_path / "d", "--answers", wrong)
    assert (said.code, said.out) == (2, "")
    assert "wrong.yaml:13:11: " in said.err
    assert "twilio" in said.err
    assert not (tmp_path / "d").exists()


def test_the_answers_file_of_the_docs_is_right(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "init.md").read_text()
    (yaml,) = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    square = {"type": "Polygon", "coordinates": [[[4.7, 50.3], [5.1, 50.3], [5.1, 50.6], [4.7, 50.3]]]}
    (tmp_path / "namur.geojson").write_text(json.dumps(square))
    (tmp_path / "answers.yaml").write_text(yaml)
    said = vigie("init", tmp_path / "centre", "--answers", tmp_path / "answers.yaml")
    assert (said.code, said.err) == (0, "")
    assert vigie("check", "--config", tmp_path / "centre" / "config").out.strip() == "0 errors, 0 warnings"


def test_questions_are_asked_and_what_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = asked(
        tmp_path / "c",
        [
            "Centrum Limburg", "vlaams", "nl", "XX", "BE", "Limburg", str(tmp_path / "none.json"), "no",
            "Anne Lambert", "0470 12", "0470 12 34 56", "anne(at)example.org", "anne@example.org", "",
            "Bart Claes", "+32 470 12 34 56", "+32 470 12 34 57", "no", "fr", "n",
            "simulator", "no",
        ],
    )  # fmt: skip
    assert said.code == 0, said.out + said.err
    for problem in (
        "vlaams: one of fr, nl, de, en",
        "XX: no country has this code",
        "none.json: No such file or directory",
        "0470 12: this number has too few digits",
        "anne(at)example.org: this is no mail address",
        "this is Anne Lambert's number",
    ):
        assert problem in said.err, problem
    assert vigie("check", "--config", tmp_path / "c" / "config").out.strip() == "0 errors, 0 warnings"
    config, _ = load(tmp_path / "c" / "config")
    assert [(p.name, str(p.language)) for p in config.people] == [("Anne Lambert", "nl"), ("Bart Claes", "fr")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "not answered: The centre's name: give it as --name, or in a file, --answers FILE"),
        (("--name", "x", "--language", "fr", "--country", "Belgium"), "--country: Belgium: no country has this code"),
        ((*WHERE, "--officer", "Anne, 12"), "--officer: Anne: this number has too few digits"),
        ((*WHERE, "--officer", "Anne"), '--officer: "Anne" is no officer: write "Anne Lambert, +32'),
        ((*WHERE, "--officer", "A, 0470 12 34 56, a.b"), "--officer: A: this is no mail address"),
        ((*WHERE, "--officer", "A, 0470123456", "--officer", "B, 0470123456"), "--officer: B: this is A's number"),
        ((*WHERE, *OFFICERS, "--provider", "twilio", "--warnings", "no"), "not answered: The number SMS come from"),
        ((*WHERE, *OFFICERS, "--provider", "twilio", "--warnings", "no", "--sender", "SITCEN"), "people answer to it"),
        ((*WHERE[:-2], "--shape", "/none.json"), "--shape: /none.json: No such file or directory"),
    ],
)
def test_what_is_wrong_or_missing_without_anybody_to_ask(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = vigie("init", tmp_path / "c", *words)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "c").exists(), "nothing is begun"


# --- nothing is overwritten ----------------------------------------------------------------------------------


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    folder = tmp_path / "centre"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "people.yaml").write_text("mine")
    said = init(folder)
    assert (said.code, said.out) == (2, "")
    assert "config/people.yaml is there already, and nothing is overwritten" in said.err
    assert [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()] == ["config/people.yaml"]
    assert (folder / "config" / "people.yaml").read_text() == "mine"


def test_a_folder_with_other_things_in_it_will_do(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "centre"], check=True)
    (tmp_path / "centre" / "notes.txt").write_text("mine")
    said = init(tmp_path / "centre")
    assert (said.code, said.err) == (0, "")
    assert (tmp_path / "centre" / "notes.txt").read_text() == "mine"
    before = {path: path.read_bytes() for path in (tmp_path / "centre").rglob("*") if path.is_file()}
    again = init(tmp_path / "centre")
    assert again.code == 2
    assert before == {path: path.read_bytes() for path in (tmp_path / "centre").rglob("*") if path.is_file()}


def test_a_file_and_a_link_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is a file: name a folder" in init(tmp_path / "file").err
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "README.md").symlink_to(tmp_path / "elsewhere")
    assert "README.md is there already" in init(tmp_path / "c").err
    assert not (tmp_path / "elsewhere").exists()


# --- outlines ------------------------------------------------------------------------------------------------


def test_an_outline_is_one_feature_with_the_areas_id() -> None:
    square = [[[4.0, 50.0], [5.0, 50.0], [5.0, 51.0], [4.0, 50.0]]]
    features = [
        {"type": "Feature", "properties": {"name": "secret"}, "geometry": {"type": "Polygon", "coordinates": square}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates": [square]}},
        {"type": "Feature", "properties": {}, "geometry": None},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [4.0, 50.0]}},
    ]
    made = json.loads(outline(json.dumps({"type": "FeatureCollection", "features": features}), "x"))
    (feature,) = made["features"]
    assert (feature["id"], feature["geometry"]["type"], feature["properties"]) == ("x", "Polygon", {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is no GeoJSON"),
        ("[]", "this is no GeoJSON"),
        ('{"type": "Point", "coordinates": [4, 50]}', "there is no polygon in it"),
        ('{"type": "Polygon", "coordinates": [[[150000, 1], [151000, 1], [151000, 2], [150000, 1]]]}', "EPSG:4326"),
    ],
)
def test_what_is_no_outline(text: str, said: str) -> None:
    with pytest.raises(NoOutline, match=said):
        outline(text, "x")


# --- phones --------------------------------------------------------------------------------------------------


def test_phones_need_a_channel_that_leads_to_them(tmp_path: Path) -> None:
    init(tmp_path / "c", "twilio")
    said = vigie("phones", "--config", tmp_path / "c" / "config")
    assert (said.code, said.out) == (2, "")
    assert "no channel leads to phones of this machine" in said.err
