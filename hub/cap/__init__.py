"""Our own alerts as a CAP 1.2 feed (docs/cap-feed.md): what a broadcast to the public says in CAP's terms (standing),
the alert (alert), its XML (document, check), its signature (signing), which of them are due (due) and listed (feed),
and who makes them durable before anybody reads them (publishing). All but the last are pure."""
