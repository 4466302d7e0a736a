"""The auditor: a process of its own that trusts nobody.

It starts the hub as its child, reads the journal beside it, tells what stands still by channels that share no code with
the hub's dispatch, and sets the hub going again. `supervise` runs it; the hub's side is `hub.auditor.touch`.
"""
