"""The closed word classes of some languages, which rules for pseudo-questions need.

All words are in lower case. The lists are short on purpose: a word that is missing here stays in a
query, where its idf is low; a content word that was listed would be lost.
"""

from typing import NamedTuple


class LanguageWords(NamedTuple):
    """The words of one language that the rules for questions need.

    Attributes:
        function_words: articles, pronouns, prepositions, conjunctions and auxiliaries.
        person: the question word for a person.
        place: for a place.
        time: for a date.
        number: for a number of things, as one or more words.
        thing: for anything else.
        place_prepositions: words before a place.
        time_prepositions: words before a date.
        months: months and days of the week.
        numerals: number words.
        person_titles: words before the name of a person.
    """

    function_words: frozenset[str]
    person: str
    place: str
    time: str
    number: str
    thing: str
    place_prepositions: frozenset[str]
    time_prepositions: frozenset[str]
    months: frozenset[str]
    numerals: frozenset[str]
    person_titles: frozenset[str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH = LanguageWords(
    function_words=_words(
        "a about above after again against all also although am an and any are as at be because "
        "been before being below between both but by can could did do does doing down during each "
        "either else for from further had has have having he her here hers him his how however i "
        "if in into is it its itself may me might more most must my neither no nor not of off on "
        "once only onto or other our out over own per shall she should since so some such than "
        "that the their them then there therefore these they this those though through thus to "
        "too under until up upon us very was we were what when where whether which while who whom "
        "whose why will with within without would yet you your"
    ),
    person="who",
    place="where",
    time="when",
    number="how many",
    thing="what",
    place_prepositions=_words("in at near from to into through across outside inside around"),
    time_prepositions=_words("in on since until by during before after of from"),
    months=_words(
        "january february march april may june july august september october november december "
        "monday tuesday wednesday thursday friday saturday sunday"
    ),
    numerals=_words(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty "
        "ninety hundred thousand million billion dozen half"
    ),
    person_titles=_words(
        "mr mrs ms miss dr sir lord lady king queen prince princess president chancellor senator "
        "governor general captain colonel professor saint pope bishop emperor minister judge "
        "author actor actress singer composer painter poet writer director son daughter wife "
        "husband brother sister father mother"
    ),
)

GERMAN = LanguageWords(
    function_words=_words(
        "aber als am an auch auf aus bei bin bis da damit das dass dem den denn der des die dies "
        "diese diesem diesen dieser dieses doch du durch ein eine einem einen einer eines er es "
        "für hat hatte hatten habe haben ich ihr ihre ihrem ihren im in ins ist ja kann kein "
        "keine können man mit muss nach nicht noch nur ob oder ohne sein seine seinem seinen sich "
        "sie sind so soll über um und uns unter vom von vor war waren was wenn wer werden wie wir "
        "wird wo wurde wurden zu zum zur zwischen"
    ),
    person="wer",
    place="wo",
    time="wann",
    number="wie viele",
    thing="was",
    place_prepositions=_words("in im bei nach aus nahe"),
    time_prepositions=_words("am im seit bis um vor nach"),
    months=_words(
        "januar februar märz april mai juni juli august september oktober november dezember "
        "montag dienstag mittwoch donnerstag freitag samstag sonntag"
    ),
    numerals=_words(
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig vierzig "
        "fünfzig hundert tausend million millionen milliarde milliarden"
    ),
    person_titles=_words(
        "herr herrn frau dr prof professor könig königin kaiser prinz prinzessin präsident "
        "kanzler papst bischof graf general"
    ),
)

FRENCH = LanguageWords(
    function_words=_words(
        "à au aux avec ce cela ces cet cette comme dans de des du elle elles en est et été était "
        "être eu il ils je la le les leur leurs lors lui mais me même ne nous on ont ou où par "
        "pas plus pour qu que qui sa sans se ses si son sont sous sur ta te tu un une vous y"
    ),
    person="qui",
    place="où",
    time="quand",
    number="combien",
    thing="que",
    place_prepositions=_words("à au en dans vers près"),
    time_prepositions=_words("en le depuis vers avant après"),
    months=_words(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre "
        "lundi mardi mercredi jeudi vendredi samedi dimanche"
    ),
    numerals=_words(
        "deux trois quatre cinq six sept huit neuf dix onze douze vingt trente quarante cinquante "
        "soixante cent cents mille million millions milliard milliards"
    ),
    person_titles=_words("m mme mlle dr roi reine prince princesse président empereur pape saint"),
)

SPANISH = LanguageWords(
    function_words=_words(
        "a al ante aunque como con cual cuando de del desde donde e el ella ellas ellos en entre "
        "era es esta este esto fue fueron ha han hasta la las le les lo los más me mi muy no nos "
        "o para pero por porque que quien se ser si sin sobre son su sus también un una uno y ya"
    ),
    person="quién",
    place="dónde",
    time="cuándo",
    number="cuántos",
    thing="qué",
    place_prepositions=_words("en a desde hasta hacia"),
    time_prepositions=_words("en el desde hasta durante"),
    months=_words(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
        "lunes martes miércoles jueves viernes sábado domingo"
    ),
    numerals=_words(
        "dos tres cuatro cinco seis siete ocho nueve diez once doce veinte treinta cuarenta "
        "cincuenta cien ciento mil millón millones"
    ),
    person_titles=_words("señor señora don doña dr rey reina príncipe presidente papa san santa"),
)

ITALIAN = LanguageWords(
    function_words=_words(
        "a ad ai al alla alle anche che chi ci come con cui da dal dalla degli dei del della delle "
        "di e ed è era erano essere fu gli ha hanno i il in io la le lo ma mi nel nella no noi non "
        "o per più quale quando questa questo se si sono su sua sul sulla suo tra un una uno"
    ),
    person="chi",
    place="dove",
    time="quando",
    number="quanti",
    thing="cosa",
    place_prepositions=_words("a ad in da verso presso"),
    time_prepositions=_words("nel dal il fino durante"),
    months=_words(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre lunedì martedì mercoledì giovedì venerdì sabato domenica"
    ),
    numerals=_words(
        "due tre quattro cinque sei sette otto nove dieci undici dodici venti trenta quaranta "
        "cinquanta cento mille mila milione milioni"
    ),
    person_titles=_words("signor signora dott re regina principe presidente papa san santa"),
)

LANGUAGES = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "it": ITALIAN,
}
"""By ISO 639-1 code."""
