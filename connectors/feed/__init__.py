"""RSS, Atom and RDF feeds: press, operators, and the indexes by which weather services announce CAP files."""
