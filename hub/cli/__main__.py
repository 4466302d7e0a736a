"""`python -m hub.cli` is `vigie`."""

from hub.cli.main import main

main()
