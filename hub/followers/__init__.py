"""Other systems of the house that follow what happens in incidents: webhooks, NATS subjects, logs of other systems.

Each follower has a task of its own that reads the journal's decisions from its own durable cursor, tells what of them
concerns incidents (hub/followers/telling.py: pure) and hands it over. Nothing waits for a follower; a follower waits
for nothing but its own system, and finds what it missed.
"""
