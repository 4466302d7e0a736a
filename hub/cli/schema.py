"""`vigie schema`: the JSON Schema of what authors and operators write, for their editors."""

import json
from typing import Any

from hub.cli import say
from hub.config.schema import FILES, config_schema, file_schema
from hub.drill.play import TestsForm
from hub.playbook.schema import playbook_schema, schema_of

KINDS = ("playbook", "tests", *FILES, "config")


def schema(kind: str) -> None:
    """Prints the schema of a reflex sheet, of one file of config/, or of the folder."""
    if kind not in KINDS:
        say.could_not(f'there is no schema of "{kind}": it is one of {", ".join(KINDS)}')
    say.line(json.dumps(_made(kind), indent=2, ensure_ascii=False))


def _made(kind: str) -> dict[str, Any]:
    if kind == "playbook":
        return playbook_schema()
    if kind == "tests":
        return schema_of(TestsForm, "The tests of a reflex sheet of Vigie")
    return config_schema() if kind == "config" else file_schema(kind)
