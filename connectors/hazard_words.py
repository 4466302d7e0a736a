"""The words by which a text says what it is about: our own, and those the recorded feeds use.

FR, NL, DE and EN in earnest; other languages as far as weather services' warnings need them. Without accents and
case. `word` is a whole word, `word*` begins one, `*word` ends one, `*word*` is inside one; `nl,de:word` holds only
where the text is in one of these languages or its language is unknown ("brand" burns in Dutch, not in English).
The first to appear in a text wins; of two at the same place the longer, so that "snow storm" is snow.

Not here on purpose: "vorst" (frost, and a commune of Brussels), "forest" alone (the same commune in French).
"""

from hub.model.signal import Hazard

H = Hazard

WORDS: dict[Hazard, str] = {
    H.THUNDERSTORM: """
        thunderstorm* | lightning | hail | hailstorm* | hailstone* | orage* | foudre | grele | grelons | onweer* |
        *onweer | bliksem* | hagel* | *gewitter* | blitz* | blitzeinschlag* | tormenta electrica* | tormentas |
        temporale | temporali | burz* | burza* | askvader | torden* | trovoada* | sturm und gewitter
    """,
    H.SNOW_ICE: """
        snow* | ice | icy | black ice | blizzard* | sleet | freezing rain | glaze | neige* | tempete de neige |
        verglas | pluie verglacante | neige-verglas | sneeuw* | sneeuwstorm* | gladheid | ijzel* | nl:ijs |
        *schnee* | *schneesturm* | *glatteis* | glaette | glatte | *glatte | eisregen | nieve | nevadas | neve |
        ghiaccio | sno | snofall | snomangder | opady sniegu | snieg | oblodzenie | gololedz | alpine weather
    """,
    H.FLOOD: """
        flood* | inundation* | inonde* | crue | crues | overstroming* | wateroverlast | hoogwater* |
        *hochwasser* | *uberschwemmung* | *ueberschwemmung* | uberflutung* | inundacion* | alluvion* | powodz* |
        oversvamning* | rain-flood | pluie-inondation | flash flood*
    """,
    H.RAIN: """
        rain* | downpour* | heavy precipitation | pluie* | precipitations | regen | regenval | *regen |
        slagregen | stortregen* | starkregen* | dauerregen* | *niederschlag* | lluvia* | pioggia | piogge |
        ulewa | deszcz* | opady deszczu | regn | yogun yagmur | ливень | дождь | أمطار | precipitacion*
    """,
    H.CYCLONE: """
        hurricane* | typhoon* | cyclone* | tropical storm* | tropical cyclone* | ciclon* | tormenta tropical |
        huracan* | orkaan | ouragan* | wirbelsturm* | tropical depression* | depresion tropical |
        depression tropicale
    """,
    H.WIND: """
        wind* | storm | storms | stormwaarschuwing* | gale | gales | gust* | tornado* | squall* | fr:vent | fr:vents |
        tempete* | rafale* | bourrasque* | rukwind* | windstoot | windstoten | windhoos | *sturm* | *sturmbo* |
        *orkan* | *boen | boen* | viento* | rachas | vento | venti | wiatr* | *wind | kuling* | vindur | ruzgar* |
        шквал* | ветер | رياح | porywy wiatru | medelvind*
    """,
    H.FOG: """
        fog* | mist | misty | brouillard* | mistbanken | *nebel* | niebla* | nebbia* | mgla | mgly | dimma
    """,
    H.HEAT: """
        heat | heatwave* | heat-wave* | high-temperature* | high temperature* | extreme high temperature* |
        chaleur* | canicule* | hitte* | *hitze* | calor | ola de calor | caldo | upal* | varmebolja
    """,
    H.COLD: """
        cold | frost | freeze | low-temperature* | low temperature* | extreme low temperature* | froid |
        grand froid | fr:gel | gelees | koude* | nachtvorst | strenge vorst | vorst aan de grond | vorstschade |
        *kalte* | kaltewelle* | frostwarnung | strenger frost | frio | gelo | mroz* | przymroz*
    """,
    H.COASTAL: """
        coastal* | coastalevent* | storm surge* | vagues-submersion | submersion* | stormvloed* | springtij |
        *sturmflut* | high waves
    """,
    H.FOREST_FIRE: """
        forest fire* | forest-fire* | forestfire* | wildfire* | bushfire* | bush fire* | grassfire | grass fire* |
        feu de foret | feux de foret | incendie de foret | bosbrand* | natuurbrand* | heidebrand* | *waldbrand* |
        incendio forestal | incendios forestales
    """,
    H.AVALANCHE: """
        avalanche* | lawine* | *lawine* | valanghe
    """,
    H.EARTHQUAKE: """
        earthquake* | seisme* | tremblement de terre | tremblements de terre | aardbeving* | *erdbeben* |
        terremoto* | sismo* | aftershock*
    """,
    H.VOLCANO: """
        volcan* | vulkaan* | vulkan* | vulcan*
    """,
    H.TSUNAMI: """
        tsunami* | raz-de-maree
    """,
    H.DROUGHT: """
        drought* | secheresse* | droogte* | *durre* | *trockenheit* | sequia*
    """,
    H.GAS_LEAK: """
        gas leak* | gas-leak* | gaslek* | gaslucht* | fuite de gaz | odeur de gaz | *gasleck* | gasaustritt* |
        gasgeruch*
    """,
    H.EXPLOSION: """
        explosion* | explosie* | ontploffing* | blast | *explosion* | explode | explodes | exploded |
        fr:explose | fr:explosent | ontploft | ontplofte | ontploften | de:explodier* | de:sprengsatz*
    """,
    H.FIRE: """
        fire | fires | house fire* | blaze | incendie* | fr:feu | fr:feux | nl,de:*brand | nl:branden |
        brandstichting | de:*brande | grossbrand* | grootbrand | woningbrand* | feuer | feuerwehreinsatz | smoke
    """,
    H.CHEMICAL: """
        chemical* | chimique* | chemisch* | hazardous material* | hazmat | asbestos | amiante | asbest* |
        chlorine | ammoniac | ammonia* | ammoniak* | gefahrgut* | toxic | toxique* | giftige
    """,
    H.RADIATION: """
        radiation | radiological | nuclear* | nucleaire* | nucleair* | radioacti* | nuklear* | strahlung* |
        *strahlen*
    """,
    H.AIR_QUALITY: """
        air quality* | air pollution | smog* | ozone | pollution atmospherique | qualite de l'air |
        luchtkwaliteit* | luchtverontreiniging* | luftqualitat* | luftverschmutzung* | fijn stof |
        particules fines | feinstaub*
    """,
    H.WATER_QUALITY: """
        drinking water* | boil water* | eau potable | drinkwater* | *trinkwasser* | contaminated water
    """,
    H.EPIDEMIC: """
        epidemic* | pandemi* | epidemi* | outbreak* | covid* | influenza | ebola | cholera
    """,
    H.EMERGENCY_CALLS: """
        911 outage | 911 telephone outage* | panne du 112 | panne 112 | panne du 101 | numero 112 | 112 down |
        storing 112 | 112-storing | noodnummer* | notruf* | *notrufausfall* | numero d'urgence |
        numeros d'urgence | emergency number* | noodcentrale*
    """,
    H.POWER_OUTAGE: """
        power outage* | power cut* | power failure* | blackout* | black-out* | coupure de courant |
        coupures de courant | coupure d'electricite | panne d'electricite | panne de courant | panne electrique |
        stroompanne* | stroomonderbreking* | stroomuitval* | elektriciteitspanne* | *stromausfall* |
        *stromabschaltung* | utility outage*
    """,
    H.TELECOM: """
        telecom* | network outage* | panne telecom* | panne de reseau | netwerkstoring* | mobilfunkausfall* |
        telefonausfall* | telefoniestoring* | internet outage*
    """,
    H.CYBER: """
        cyber* | ransomware | ddos | hack | hackers | hacked | pirate informatique | piratage* | phishing |
        datalek*
    """,
    H.RAIL: """
        train | trains | train traffic | derailment* | deraillement* | ontsporing* | level crossing* |
        passage a niveau | overweg* | *spoor | spoor* | nl:sporen | track | tracks | railway* | rail |
        treinverkeer | trein | treinen | circulation des trains | chemin de fer | *bahnverkehr | zugverkehr |
        de:zug | de:zuge | bahnubergang* | gleis* | aiguillage* | wissel | wisselstoring* | seinstoring* |
        signalling* | catenaire* | bovenleiding* | *oberleitung* | station closed | personnes sur les voies |
        personen op de sporen
    """,
    H.PUBLIC_TRANSPORT: """
        public transport* | transport public | transports en commun | openbaar vervoer | metro* | metrolijn* |
        tram* | bus | bussen | busse | subway* | *nahverkehr* | u-bahn* | strassenbahn* | stib | mivb | de lijn |
        tec
    """,
    H.AVIATION: """
        aircraft* | airplane* | plane crash* | aeroport* | airport* | luchthaven* | vliegtuig* | vliegramp |
        flughafen* | *flugzeug* | crash d'avion | avion | avions | drone | drones
    """,
    H.TRAFFIC: """
        traffic | road accident* | car accident* | motor vehicle accident* | mva | traffic jam* |
        accident de la route | accident de roulage | embouteillage* | trafic | verkeer | verkeersongeval* |
        verkeersinfo* | nl:file | nl:files | filevorming | verkeersopstopping* | *verkehrsunfall* | *stau |
        autobahn* | snelweg* | autosnelweg* | autoroute* | motorway* | tunnel*
    """,
    H.TERROR: """
        terror* | attentat* | aanslag | aanslagen | anschlag | anschlage | terreur* | bomb | bombe | bombes |
        nl:bom | bombing* | bommelding | alerte a la bombe | active shooter* | fusillade* | schietpartij* |
        shooting*
    """,
    H.RIOT: """
        riot | riots | rioting | emeute* | rellen | krawall* | ausschreitung* | unruhen | civil unrest |
        affrontements
    """,
    H.DEMONSTRATION: """
        demonstration* | protest | protests | manifestation* | manifestant* | betoging* | betoger* |
        demonstrant* | *kundgebung* | strike | strikes | greve* | staking* | stakers | streik* | *streik
    """,
    H.CROWD: """
        crowd* | stampede* | mouvement de foule | bousculade* | gedrang | massenpanik* | verdrukking*
    """,
    H.VIP: """
        state visit* | visite d'etat | staatsbezoek* | staatsbesuch* | european council | conseil europeen |
        europese raad | europaischer rat | nato summit* | sommet de l'otan | navo-top
    """,
    H.MISSING_PERSON: """
        missing person* | missing child* | amber alert* | child abduction* | disparition* | disparu* | vermist* |
        vermiste* | vermisst* | vermisste*
    """,
    H.CRISIS_CENTRE: """
        crisis centre* | crisis center* | centre de crise | crisiscentrum | krisenzentrum | phase provinciale |
        provinciale fase | phase federale | federale fase | provinziale phase
    """,
}
