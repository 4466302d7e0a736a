"""Whether any input makes a source's reader fail, hang or swell: see __main__."""
