"""TETRA radio: short data and status messages by a terminal's peripheral equipment interface."""
