"""Situation reports: what an incident has come to, read from the journal (gathering.py: pure; reading.py), and kept as
numbered reports that officers complete, approve and send (keeping.py, acts.py). How one reads: hub/report/sitrep.py.
"""
