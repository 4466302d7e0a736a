"""The live view in the terminal: sources, incidents, chains with their countdown, deliveries, alarms.

`make run` and `vigie run` show it. What it shows is the picture of hub/picture.py, whether asked for in the same
process or over `/api/status`.
"""

from hub.view.lines import changes
from hub.view.screen import screen
from hub.view.viewer import Viewer, watch
from hub.view.words import LANGUAGES, Words, language_of

__all__ = ["LANGUAGES", "Viewer", "Words", "changes", "language_of", "screen", "watch"]
