"""`vigie schema`: the JSON Schema of what authors and operators write, for their editors."""

import json

from hub.cli import say
from hub.config.schema import FILES, config_schema, file_schema
from hub.playbook.schema import playbook_schema

KINDS = ("playbook", *FILES, "config")


def schema(kind: str) -> None:
    """Prints the schema of a reflex sheet, of one file of config/, or of the folder."""
    if kind not in KINDS:
        say.could_not(f'there is no schema of "{kind}": it is one of {", ".join(KINDS)}')
    made = playbook_schema() if kind == "playbook" else config_schema() if kind == "config" else file_schema(kind)
    say.line(json.dumps(made, indent=2, ensure_ascii=False))
