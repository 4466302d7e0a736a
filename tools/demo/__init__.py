"""The demo (`make run`): the hub as it is, with stand-ins for everything outside it, and nothing to sign up for."""
