"""The dossiers that ship take what they are about, in both languages of the Region's press, and leave the rest."""

from datetime import UTC, datetime

import pytest

from hub.config import load
from hub.model.signal import Hazard, Info, Signal
from hub.playbook.match import Matcher
from tests.conftest import ROOT

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
FILING = Matcher((), load(ROOT / "config")[0].dossiers.values())


@pytest.mark.parametrize(
    ("headline", "dossier"),
    [
        ("Uccle : de faux policiers dérobent les bijoux d'une octogénaire", "scams"),
        ("Valse politieagenten slaan toe in Jette", "scams"),
        ("Hameçonnage : Bruxelles Fiscalité met en garde contre de faux courriels", "scams"),
        ("Oplichting met QR-codes op parkeerautomaten", "scams"),
        ("Drones suspects signalés au-dessus du dépôt de Schaerbeek", "drones"),
        ("Verdachte drones boven de haven van Brussel", "drones"),
        ("Vol de câbles : le trafic ferroviaire interrompu entre Bruxelles-Midi et Hal", "metal-theft"),
        ("Koperdiefstal legt treinverkeer lam in Brussel-Noord", "metal-theft"),
        ("Des centaines de poissons morts dans le canal à Anderlecht", "water"),
        ("Vissterfte in het kanaal na zwaar onweer", "water"),
        ("Un drone filme le carnaval d'Etterbeek", ""),
        ("Incendie rue Haute : un blessé léger", ""),
        ("Staking bij de MIVB: metro rijdt niet", ""),
        ("La Zinneke Parade longe le canal", ""),
    ],
)
def test_a_headline_goes_where_it_belongs(headline: str, dossier: str) -> None:
    signal = Signal(source="press-bruzz", identifier="1", sender="press", sent=NOW, infos=(Info(headline=headline),))
    assert FILING.meet(signal, NOW).dossiers == ((dossier,) if dossier else ())


def test_a_drone_is_one_where_what_it_disturbs_is_known() -> None:
    info = Info(headline="Un drone survole l'aéroport", hazard=Hazard.AVIATION)
    signal = Signal(source="press-bx1", identifier="1", sender="press", sent=NOW, infos=(info,))
    assert FILING.meet(signal, NOW).dossiers == ("drones",)
