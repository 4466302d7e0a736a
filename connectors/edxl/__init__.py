"""EDXL envelopes (DE 1.0, 2.0), situation reports (SitRep 1.0) and what they carry, read. hub/model/edxl.py writes."""
