"""Radio pages (POCSAG) as multimon-ng decodes them."""
