"""Dossiers, beside the engine: what people do with them (hub/dossiers/keeping.py), the signal that tells a rise
(hub/dossiers/rises.py), and all that is in one, read from the journal (hub/dossiers/reading.py)."""
