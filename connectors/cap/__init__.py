"""CAP 1.0, 1.1 and 1.2 alerts, as XML and as JSON: read from files, from a URL, and for the feed connector."""
