"""The edge: a process of its own in which connectors and the web live, so that nothing they do to their interpreter (a
pattern that backtracks, a decoder that computes for a second, a crash in a library) touches the hub's timers.

`process` is what runs in it, `door` is the hub's side of it, `wire` is what passes between them.
"""
