"""Words that mean the same in French, Dutch, German and English: what happened, where, when.

Data for hub/intake/likeness.py. Each line is one thing; what stands in it is looked for as hub/playbook/words.py does
(whatever accents, case and ending). A word that means two things in two of the languages is left out: `mars` is a month
and a march, `vol` a theft and a flight.
"""

from collections.abc import Iterable

from babel import Locale

_TOPICS = """
fire: incendie, en feu, brand, brandt, feuer, brennt, fire, blaze, ablaze, burning
explosion: explosion, explosé, ontploffing, ontplofte, explosie, explosief, explodiert, exploded, blast, sprengsatz
gas: fuite de gaz, odeur de gaz, gaslek, gasgeur, gasleck, gasgeruch, gas leak, smell of gas
smoke: fumée, rook, rookontwikkeling, rauch, smoke
chemical: produit chimique, chemische stof, chemikalien, chemical, nuage toxique, giftige wolk, giftwolke, toxic cloud
injured: blessé, gewond, gewonde, zwaargewond, lichtgewond, verletzt, verletzte, injured, wounded, injuries
dead: mort, morts, décédé, tué, dode, doden, overleden, omgekomen, tote, getötet, dead, killed, died
evacuated: évacué, évacuation, geëvacueerd, evacuatie, evacueerde, ontruimd, ontruiming, evakuiert, evakuierung,
 evacuated
accident: accident, carambolage, percuté, heurté, happé, ongeval, aanrijding, aangereden, botsing, unfall, crash,
 collision
lorry: camion, poids lourd, vrachtwagen, lkw, lastwagen, lorry, truck
queue: embouteillage, bouchon, file, stau, traffic jam, tailback, queue
stabbing: poignardé, coups de couteau, neergestoken, doodgestoken, steekpartij, messerangriff, messerstecherei, stabbed
shooting: fusillade, coups de feu, schietpartij, geschoten, schoten, schüsse, schiesserei, shooting, shots, shot
arrested: interpellé, arrestation, opgepakt, aangehouden, gearresteerd, festgenommen, festnahme, verhaftet, arrested,
 arrests
prosecutor: parquet, parket, staatsanwaltschaft, prosecutor
police: police, politie, polizei
fire-service: pompiers, brandweer, feuerwehr, firefighters, fire service, fire brigade
strike: grève, staking, staken, streik, strike, walk out
demonstration: manifestation, manifester, manifestants, betoging, betogen, betogers, demonstratie, protest, kundgebung,
 demonstrieren, demonstration, protesters
power-cut: panne de courant, sans électricité, sans courant, stroompanne, stroomonderbreking, zonder stroom,
 zonder elektriciteit, stromausfall, ohne strom, stromabschaltung, power cut, power outage, blackout, without power
flood: inondation, inondé, overstroming, wateroverlast, onder water, überschwemmung, hochwasser, flood, flooding
storm: tempête, vents violents, storm, stormwind, sturm, gale
gusts: rafale, windstoot, windstoten, böen, windböen, sturmböen, gust
rain: pluie, précipitations, regen, neerslag, starkregen, niederschlag, rain, precipitation
thunderstorm: orage, onweer, gewitter, thunderstorm
snow: neige, sneeuw, schnee, snow
ice: verglas, gladheid, ijzel, glätte, frost, gel, black ice
fog: brouillard, mist, nebel, fog
heat: canicule, hittegolf, hitzewelle, heat wave, heatwave
earthquake: séisme, tremblement de terre, aardbeving, erdbeben, earthquake
bomb: alerte à la bombe, bombe, bommelding, bomalarm, bombendrohung, bomb, déminage, ontmijning
suspicious-object: colis suspect, verdacht pakket, verdächtiges paket, suspicious package, unattended suitcase
attack: attentat, attaque, aanslag, aanval, anschlag, angriff, attack
missile: missile, raket, rakete
drone: drone, drohne
cyber: cyberattaque, attaque informatique, cyberaanval, cyberangriff, hackerangriff, cyberattack, ransomware
drugs: drogue, stupéfiants, drugs, drogen, cocaïne, kokain, cocaine
missing: disparition, disparu, avis de recherche, vermist, vermiste, vermisst, missing
hospital: hôpital, ziekenhuis, krankenhaus, hospital, clinique, klinik
school: école, school, schule
warehouse: entrepôt, loods, magazijn, lagerhalle, warehouse
building: immeuble, gebouw, gebäude, building
tap-water: eau du robinet, kraanwater, leitungswater, leitungswasser, tap water
train: train, trein, zug, züge, trains
tram: tram, strassenbahn
bus: bus
metro: métro, metro, u-bahn, subway, underground
airport: aéroport, luchthaven, flughafen, airport
prison: prison, gevangenis, gefängnis
interrupted: interrompu, onderbroken, unterbrochen, interrupted, suspended
diverted: dévié, déviation, détourné, omgeleid, omleiding, umgeleitet, umleitung, diverted, diversion
replaced: remplacé, vervangen, ersetzt, replaced
works: travaux, werken, werkzaamheden, bauarbeiten, works, roadworks
stop: arrêt, halte, haltestelle, stop
served: desservi, bediend, bedient, served
moved: déplacé, verplaatst, verlegt, moved
delays: retards, vertraging, verspätung, delays
subsidence: effondrement, effondré, wegverzakking, verzakking, ingestort, einsturz, subsidence, collapse
flea-market: brocante, rommelmarkt, flohmarkt, flea market
summit: sommet, gipfel, gipfeltreffen, summit
warning: avertissement, vigilance, alerte, waarschuwing, warnung, warning
""".replace("\n ", " ")

_LEVELS = """
yellow: jaune, geel, gele, gelb, gelbe, yellow
orange: orange, oranje
red: code rouge, code rood, alarmstufe rot, red alert, red warning, alerte rouge, waarschuwing rood
"""

_DAYS = """
monday: lundi, maandag, montag, monday
tuesday: mardi, dinsdag, dienstag, tuesday
wednesday: mercredi, woensdag, mittwoch, wednesday
thursday: jeudi, donderdag, donnerstag, thursday
friday: vendredi, vrijdag, freitag, friday
saturday: samedi, zaterdag, samstag, saturday
sunday: dimanche, zondag, sonntag, sunday
"""

# The Region's communes stand here as well as in a centre's own areas: what is near is told of most.
_PLACES = """
brussels: Bruxelles, Brussel, Brüssel, Brussels, Bruxellois, Brusselse, Brüsseler, Bxl, Ville de Bruxelles,
 Stad Brussel, Région de Bruxelles-Capitale, Brussels Hoofdstedelijk Gewest, Region Brüssel-Hauptstadt,
 Brussels-Capital Region
brussels-south: Bruxelles-Midi, gare du Midi, Brussel-Zuid, Zuidstation, Brussels-South, Brüssel-Süd
brussels-north: Bruxelles-Nord, gare du Nord, Brussel-Noord, Noordstation, Brussels-North, Brüssel-Nord
brussels-central: Bruxelles-Central, gare centrale, Brussel-Centraal, Centraal Station, Brussels-Central,
 Central Station
brussels-airport: Brussels Airport, Zaventem, aéroport de Bruxelles, luchthaven van Zaventem, Flughafen Zaventem
auderghem: Auderghem, Oudergem
berchem: Berchem-Sainte-Agathe, Sint-Agatha-Berchem
forest: Forest, Vorst
ixelles: Ixelles, Elsene
molenbeek: Molenbeek, Molenbeek-Saint-Jean, Sint-Jans-Molenbeek
saint-gilles: Saint-Gilles, Sint-Gillis
saint-josse: Saint-Josse, Saint-Josse-ten-Noode, Sint-Joost, Sint-Joost-ten-Node
schaerbeek: Schaerbeek, Schaarbeek
uccle: Uccle, Ukkel
watermael: Watermael-Boitsfort, Boitsfort, Watermaal-Bosvoorde, Bosvoorde
woluwe-lambert: Woluwe-Saint-Lambert, Sint-Lambrechts-Woluwe
woluwe-pierre: Woluwe-Saint-Pierre, Sint-Pieters-Woluwe
anderlecht: Anderlecht
etterbeek: Etterbeek
evere: Evere
ganshoren: Ganshoren
jette: Jette
koekelberg: Koekelberg
machelen: Machelen
wemmel: Wemmel
deurne: Deurne
charleroi: Charleroi
hasselt: Hasselt
genk: Genk
turnhout: Turnhout
zeebrugge: Zeebrugge
knokke: Knokke
verviers: Verviers
seraing: Seraing
dinant: Dinant
eupen: Eupen
ottignies: Ottignies
antwerp: Anvers, Antwerpen, Antwerp, Antwerpse, Antwerpener
ghent: Gand, Gent, Ghent
bruges: Bruges, Brugge, Brügge
liege: Liège, Luik, Lüttich
leuven: Louvain, Leuven, Löwen
mechelen: Malines, Mechelen, Mecheln
mons: Mons, Bergen
namur: Namur, Namen
tournai: Tournai, Doornik
courtrai: Courtrai, Kortrijk
ypres: Ypres, Ieper, Ypern
ostend: Ostende, Oostende, Ostend
aalst: Alost, Aalst
halle: Hal, Halle
vilvoorde: Vilvorde, Vilvoorde
tienen: Tirlemont, Tienen
braine: Braine-le-Comte, 's-Gravenbrakel
nivelles: Nivelles, Nijvel
wavre: Wavre, Waver
arlon: Arlon, Aarlen
mouscron: Mouscron, Moeskroen
enghien: Enghien, Edingen
tubize: Tubize, Tubeke
waremme: Waremme, Borgworm
bastogne: Bastogne, Bastenaken
grand-bigard: Grand-Bigard, Groot-Bijgaarden
flanders: Flandre, Vlaanderen, Flandern, Flanders
wallonia: Wallonie, Wallonië, Wallonien, Wallonia
east-flanders: Flandre-Orientale, Oost-Vlaanderen, Ostflandern, East Flanders
west-flanders: Flandre-Occidentale, West-Vlaanderen, Westflandern, West Flanders
flemish-brabant: Brabant flamand, Vlaams-Brabant, Flämisch-Brabant, Flemish Brabant
walloon-brabant: Brabant wallon, Waals-Brabant, Wallonisch-Brabant, Walloon Brabant
coast: littoral, côte belge, kust, küste, coast
scheldt: Escaut, Schelde, Scheldt
meuse: Meuse, Maas
lille: Lille, Rijsel
paris: Paris, Parijs
aachen: Aix-la-Chapelle, Aken, Aachen
cologne: Cologne, Keulen, Köln
the-hague: La Haye, Den Haag, The Hague
london: Londres, Londen, London
geneva: Genève, Genf, Geneva
rome: Rome, Rom
milan: Milan, Milaan, Mailand
genoa: Gênes, Genua, Genoa
vienna: Vienne, Wenen, Wien, Vienna
prague: Prague, Praag, Prag
warsaw: Varsovie, Warschau, Warsaw
moscow: Moscou, Moskou, Moskau, Moscow
kyiv: Kiev, Kyiv, Kiew
kharkiv: Kharkiv, Charkiv, Charkiw, Kharkov
athens: Athènes, Athene, Athen, Athens
lisbon: Lisbonne, Lissabon, Lisbon
copenhagen: Copenhague, Kopenhagen, Copenhagen
beijing: Pékin, Peking, Beijing
gaza: Gaza
jerusalem: Jérusalem, Jeruzalem, Jerusalem
brabant: Brabant
""".replace("\n ", " ")

_ORGANISATIONS = """
stib: Stib, MIVB
sncb: SNCB, NMBS
irm: IRM, KMI, Institut royal météorologique, Koninklijk Meteorologisch Instituut, Royal Meteorological Institute,
 Königliches Meteorologisches Institut
sedee: Sedee, DOVO
siamu: Siamu, DBDMH
csc: CSC, ACV
fgtb: FGTB, ABVV
nato: Otan, NAVO, NATO
eu: Union européenne, Europese Unie, Europäische Union, European Union
""".replace("\n ", " ")

_PEOPLE = {
    "RU": "russe, Russisch, Russische, russischer, Russian",
    "UA": "ukrainien, Oekraïens, Oekraïense, ukrainisch, Ukrainian",
    "FR": "français, Frans, Franse, französisch, French",
    "DE": "allemand, Duits, Duitse, deutsch, German",
    "NL": "néerlandais, niederländisch, Dutch",
    "US": "américain, Amerikaans, Amerikaanse, amerikanisch, American",
    "IL": "israélien, Israëlisch, israelisch, Israeli",
}
_LANGUAGES = ("fr", "nl", "de", "en")
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "ZZ"})

MONTHS: dict[str, int] = {}
for _language in _LANGUAGES:
    for _width in ("wide", "abbreviated"):
        for _number, _name in Locale(_language).months["format"][_width].items():
            MONTHS[_name.casefold().rstrip(".")] = _number

# What people write instead of a figure. Not: un, une, een, ein, one, neuf (new), onze (our).
NUMBERS: dict[str, int] = {
    word: value
    for value, words in {
        2: "deux twee zwei two",
        3: "trois drie drei three",
        4: "quatre vier four",
        5: "cinq vijf fünf five",
        6: "six zes sechs",
        7: "sept zeven sieben seven",
        8: "huit acht eight",
        9: "negen neun nine",
        10: "dix dizaine tien tiental zehn ten",
        11: "elf eleven",
        12: "douze douzaine twaalf zwölf twelve dozen",
        15: "quinze quinzaine vijftien fünfzehn fifteen",
        20: "vingt vingtaine twintig twintigtal zwanzig twenty",
        30: "trente trentaine dertig dertigtal dreißig thirty",
        40: "quarante quarantaine veertig veertigtal vierzig forty",
        50: "cinquante cinquantaine vijftig vijftigtal fünfzig fifty",
        60: "soixante soixantaine zestig sechzig sixty",
    }.items()
    for word in words.split()
}

# Words that every text of their language has.
STOP_WORDS = frozenset(
    word
    for line in """
a à afin ai ainsi alors après au aucun aussi autre autres aux avant avec avoir bien ce cela ces cet cette ceux chez
comme contre dans de depuis dernier dernière des dès deux devant doit donc dont du elle elles en encore entre est et
été être eu fait fois font hors ici il ils jusque jusqu l la le les leur leurs lors lui mais même mes moins mon ne
non ni nos notre nous on ont ou où par parce pas peu peut plus plusieurs pour pourquoi près quand que quel quelle
quelque quelques qui quoi sa sans se selon sera seront ses seulement si son sont sous sur tous tout toute toutes
très trop un une vers via vos votre vous y aan achter al alle alleen als altijd andere bij binnen buiten daar dan
dat den der deze die dit doen door dus een eerste er ging haar had hebben heeft heel hem het hier hij hoe hun iets
ik in is je kan komen kon kunnen langs later maar meer men met mijn moet moeten na naar niet nog nu of om onder ons
ook op over rond sinds sindsdien staat steeds te tegen ter tijdens toch toen tot tussen uit uw van vanaf vanuit veel
verder volgens voor waar waarbij wanneer was wat we wel werd werden wie wij wil wordt worden zal ze zeker zich zij
zijn zo zonder zou aber also am an ander anderen auch auf aus bei beim bereits bis da damit dann das dass dem denn
dies diese diesem diesen dieser doch dort durch ein eine einem einen einer eines es etwa für gegen hat haben hatte
hinter ihr ihre im ins ist ja jede jetzt kann können laut man mehr mit muss müssen nach nicht noch nun nur ob oder
ohne rund schon sei seien sein seine seit sich sie sind so soll sollen über um und unter vom von vor war waren weil
weitere wenn wieder wir wird wo wurde wurden zu zum zur zwischen about after again all and any are as at be been
before being between both but by can could did do does during each for from further has have he her here his how i
if into it its just may more most no nor not now off once only or other our out said says she should some such than
that the their them then there these they this those through to too under until up very were what when where which
while who why will with would you your
""".splitlines()
    for word in line.split()
)


def _lines(table: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    for line in table.strip().splitlines():
        name, _, words = line.partition(":")
        yield name.strip(), tuple(word.strip() for word in words.split(",") if word.strip())


def _countries() -> Iterable[tuple[str, tuple[str, ...]]]:
    names: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES:
                names.setdefault(code, set()).add(name.partition(" (")[0])
    for code, found in sorted(names.items()):
        yield f"country:{code}", (*sorted(found), *(_PEOPLE[code].split(", ") if code in _PEOPLE else ()))


TOPICS = dict(_lines(_TOPICS))
LEVELS = dict(_lines(_LEVELS))
DAYS = dict(_lines(_DAYS))
ORGANISATIONS = dict(_lines(_ORGANISATIONS))
PLACES = {**dict(_lines(_PLACES)), **dict(_countries())}
