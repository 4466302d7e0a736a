"""Golden readings: what the right source makes of each recorded file, as one would read it off by eye."""
