"""Seeded nights of the core and of dispatch in virtual time: see `python -m tools.simulate --help`."""
