"""Measurements of the hub: each module prints its figures, and ratios against the raw ceilings of the same run."""
