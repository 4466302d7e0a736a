"""People as other programs keep them: CSV (Excel and its like) and vCard, both ways. Pure: text → structs → text.

    reading = read(data, "guests.csv", known)        # what it is shows by its beginning
    reading.people, reading.findings                 # an entry with a fault is left out whole, and told with its line
    csv_of(people), vcards_of(people, directory)

Nothing here changes the directory: `vigie people import` prints what is to be put into config/people/.
"""

from hub.people.exchange.draft import Known, Reading
from hub.people.exchange.reading import FORMATS, read
from hub.people.exchange.table import csv_of
from hub.people.exchange.vcard import vcards_of

__all__ = ["FORMATS", "Known", "Reading", "csv_of", "read", "vcards_of"]
