"""The 19 communes of the Brussels-Capital Region by name in French and Dutch, for partners who name them (REFNIS)."""

import re
import unicodedata
from functools import lru_cache

_NAMES = {
    "21001": ("Anderlecht",),
    "21002": ("Auderghem", "Oudergem"),
    "21003": ("Berchem-Sainte-Agathe", "Sint-Agatha-Berchem"),
    "21004": ("Bruxelles", "Brussel", "Brussels", "Brüssel", "Bruxelles-Ville", "Ville de Bruxelles", "Stad Brussel"),
    "21005": ("Etterbeek",),
    "21006": ("Evere",),
    "21007": ("Forest", "Vorst"),
    "21008": ("Ganshoren",),
    "21009": ("Ixelles", "Elsene"),
    "21010": ("Jette",),
    "21011": ("Koekelberg",),
    "21012": ("Molenbeek-Saint-Jean", "Sint-Jans-Molenbeek"),
    "21013": ("Saint-Gilles", "Sint-Gillis"),
    "21014": ("Saint-Josse-ten-Noode", "Sint-Joost-ten-Node", "Saint-Josse"),
    "21015": ("Schaerbeek", "Schaarbeek"),
    "21016": ("Uccle", "Ukkel"),
    "21017": ("Watermael-Boitsfort", "Watermaal-Bosvoorde"),
    "21018": ("Woluwe-Saint-Lambert", "Sint-Lambrechts-Woluwe"),
    "21019": ("Woluwe-Saint-Pierre", "Sint-Pieters-Woluwe"),
}


def _folded(name: str) -> str:
    """Without case, accents, hyphens and spaces; `St` is `Saint`."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    words = re.findall(r"[a-z]+", "".join(char for char in letters if not unicodedata.combining(char)))
    return "".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)


_BY_NAME = {_folded(name): nis for nis, names in _NAMES.items() for name in names}


@lru_cache(2048)
def nis_of(commune: str) -> str:
    """The NIS code of a commune given by name or by code (any five digits, Brussels or not); `""` when not known."""
    commune = commune.strip()
    if len(commune) == 5 and commune.isascii() and commune.isdigit():
        return commune
    return _BY_NAME.get(_folded(commune), "")
