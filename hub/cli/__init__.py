"""`vigie`: the command line. Every command exits 0 (fine), 1 (found faults) or 2 (could not run), and writes errors as
`file:line:column: what is wrong: what would be right`."""

from hub.cli.main import app, main

__all__ = ["app", "main"]
