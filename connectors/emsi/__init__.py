"""EMSI messages (ISO/TR 22351) of command-and-control systems: read and written."""
