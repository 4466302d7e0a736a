"""What the access list says, in the four languages."""

from msgspec import Struct

from hub.model.people import Language


class Words(Struct, frozen=True, kw_only=True):
    """One language's. `gone`: why somebody may not come in any more."""

    title: str
    replaces: str
    admitted: str
    nobody: str
    no_longer: str
    stop: str
    name: str
    service: str
    function: str
    rooms: str
    begins: str
    ends: str
    at_once: str
    whom: str
    approved: str
    by_hand: str
    request: str
    since: str
    why: str
    state: str
    may: str
    may_not: str
    remark: str
    erased: str
    gone: dict[str, str]


WORDS: dict[Language, Words] = {
    Language.FR: Words(
        title="Liste d’accès",
        replaces="Cette liste remplace toutes les précédentes. Qui n’y figure pas n’entre pas.",
        admitted="Admis : {count}",
        nobody="Personne n’est admis en ce moment.",
        no_longer="N’est plus admis : {count}",
        stop="Ces personnes figuraient sur une liste des dernières 24 heures et ne sont plus admises.",
        name="Nom",
        service="Service",
        function="Fonction",
        rooms="Salles",
        begins="De",
        ends="À",
        at_once="dès maintenant",
        whom="Demandé par",
        approved="Accordé par",
        by_hand="ajouté par",
        request="Demande",
        since="Depuis",
        why="Motif",
        state="État",
        may="admis",
        may_not="N’EST PLUS ADMIS",
        remark="Remarque",
        erased="(nom effacé)",
        gone={
            "ended": "l’événement est clos",
            "over": "le temps accordé est écoulé",
            "cancelled": "la demande a été retirée",
            "removed": "retiré de la liste",
        },
    ),
    Language.NL: Words(
        title="Toegangslijst",
        replaces="Deze lijst vervangt alle vorige. Wie er niet op staat, komt niet binnen.",
        admitted="Toegelaten: {count}",
        nobody="Op dit ogenblik is niemand toegelaten.",
        no_longer="Niet meer toegelaten: {count}",
        stop="Deze personen stonden de laatste 24 uur op een lijst en zijn niet meer toegelaten.",
        name="Naam",
        service="Dienst",
        function="Functie",
        rooms="Zalen",
        begins="Van",
        ends="Tot",
        at_once="vanaf nu",
        whom="Gevraagd door",
        approved="Toegestaan door",
        by_hand="toegevoegd door",
        request="Aanvraag",
        since="Sinds",
        why="Reden",
        state="Toestand",
        may="toegelaten",
        may_not="NIET MEER TOEGELATEN",
        remark="Opmerking",
        erased="(naam gewist)",
        gone={
            "ended": "de gebeurtenis is afgesloten",
            "over": "de toegestane tijd is voorbij",
            "cancelled": "de aanvraag is ingetrokken",
            "removed": "van de lijst gehaald",
        },
    ),
    Language.DE: Words(
        title="Zugangsliste",
        replaces="Diese Liste ersetzt alle früheren. Wer nicht darauf steht, kommt nicht hinein.",
        admitted="Zugelassen: {count}",
        nobody="Zurzeit ist niemand zugelassen.",
        no_longer="Nicht mehr zugelassen: {count}",
        stop="Diese Personen standen in den letzten 24 Stunden auf einer Liste und sind nicht mehr zugelassen.",
        name="Name",
        service="Dienst",
        function="Funktion",
        rooms="Räume",
        begins="Von",
        ends="Bis",
        at_once="ab sofort",
        whom="Angefordert von",
        approved="Genehmigt von",
        by_hand="hinzugefügt von",
        request="Anforderung",
        since="Seit",
        why="Grund",
        state="Stand",
        may="zugelassen",
        may_not="NICHT MEHR ZUGELASSEN",
        remark="Bemerkung",
        erased="(Name gelöscht)",
        gone={
            "ended": "das Ereignis ist beendet",
            "over": "die genehmigte Zeit ist um",
            "cancelled": "die Anforderung wurde zurückgezogen",
            "removed": "von der Liste genommen",
        },
    ),
    Language.EN: Words(
        title="Access list",
        replaces="This list takes the place of every earlier one. Who is not on it does not come in.",
        admitted="May come in: {count}",
        nobody="Nobody may come in at the moment.",
        no_longer="No longer admitted: {count}",
        stop="These people were on a list of the last 24 hours and are no longer admitted.",
        name="Name",
        service="Service",
        function="Function",
        rooms="Rooms",
        begins="From",
        ends="Until",
        at_once="from now on",
        whom="Asked for by",
        approved="Approved by",
        by_hand="added by",
        request="Request",
        since="Since",
        why="Reason",
        state="State",
        may="admitted",
        may_not="NO LONGER ADMITTED",
        remark="Remark",
        erased="(name erased)",
        gone={
            "ended": "the incident has ended",
            "over": "the time granted is over",
            "cancelled": "the request was withdrawn",
            "removed": "taken off the list",
        },
    ),
}
