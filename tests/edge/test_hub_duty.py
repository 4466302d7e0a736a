"""A whole hub tells of a handover: phones get it, the room hears of a gap, and why can be asked."""

from pathlib import Path

from hub.model import events as e
from tests.edge.running import OFFICER_A, OFFICER_B, room

ROSTERS = """
sitcen-on-call:
  handover notice: 30 min
  layers:
    - {people: [officer-a, officer-b], from: 2026-11-22, every: day, at: 20:00}
sitcen-backup:
  shifts:
    - {people: officer-c, from: 2026-11-01 08:00, until: 2026-11-24 08:00}
"""


def test_both_are_told_by_sms_and_the_room_hears_of_the_gap(tmp_path: Path) -> None:
    with room(tmp_path) as here:
        (here.folder.config / "rosters.yaml").write_text(ROSTERS)
        here.start("--at", "2026-11-23T19:29:55+01:00")
        # One message each, in French and in Dutch; a playback is an exercise.
        (goes,) = here.until(lambda: here.sms_to(OFFICER_A), "the notice to who goes")
        (comes,) = here.until(lambda: here.sms_to(OFFICER_B), "the notice to who comes")
        assert goes.startswith("EXERCICE - sitcen-on-call: dès le lun. 23/11 à 20h00, la garde n'est plus à vous.")
        assert comes.startswith(
            "OEFENING - sitcen-on-call: uw wachtdienst begint op ma 23 nov, 20.00 uur. Vorige wacht: Aline"
        )
        (alarm,) = [a for a in here.status()["alarms"] if a["what"] == "roster-gap"]
        assert alarm["detail"] == "nobody is on duty in sitcen-backup from 2026-11-24 08:00"
        (order,) = [x.order for x in here.events(e.Ordered) if x.message == "hub.duty-begins"]
        why = here.vigie("why", order, "--config", str(here.folder.config))
        assert (why.code, why.err) == (0, "")
        assert "hub.duty-begins" in why.out
        here.kill()
        here.start("--at", "2026-11-23T19:40:00+01:00")
        here.settled()
        assert len(here.sms_to(OFFICER_A)) == len(here.sms_to(OFFICER_B)) == 1
