"""The crash campaign: the hub is killed again and again while it works, and nothing may be missing afterwards."""
