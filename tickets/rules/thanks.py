"""Distinguishes a mere thank-you from a reply that staff must read. Pure; in doubt it is a real reply."""

import re

MAX_WORDS = 12  # fewer than this
# Letters, spaces, punctuation between sentences, and happy faces and hands (in any skin tone).
PLAIN = re.compile(
    r"(?:[^\W\d_]|[\s.,!¡;'’–—-]|:-?\)|[👍👏🙏🎉😀😃😄😁😊🙂☺❤💯✅][\U0001F3FB-\U0001F3FF\uFE0F]*)+"
)
# A sentence that begins like this is a complaint, not thanks. After a line end, only one line is matched:
# otherwise each of thousands of empty lines would scan all that follow.
CRY = re.compile(r"(?:^|[.!¡\n])[^\S\n]*(?:help|hilfe|aide|ayuda|aiuto|ajuda|hulp)\b")

# language: (words of thanks, words that may stand beside them). A thank-you contains nothing else.
WORDS: dict[str, tuple[str, str]] = {
    "en": (
        "thanks thank thx ty cheers",
        "you very so much many a lot all again for your the help support quick fast reply it this works work "
        "working fine now perfect great super wonderful excellent awesome brilliant hi hello dear best kind "
        "regards greetings and everybody everyone team guys helpdesk good job well done everything fixed",
    ),
    "de": (
        "danke dank dankeschön merci",
        "vielen herzlichen ihnen dir euch schön sehr für die den ihre eure deine schnelle hilfe antwort "
        "läuft geht funktioniert jetzt alles super perfekt prima toll klasse hallo liebe lieber viele beste "
        "grüße gruß mit freundlichen und team zusammen lg mfg",
    ),
    "fr": (
        "merci mercis remercie",
        "beaucoup bien à a vous toi tous toute l équipe pour votre ton aide réponse rapide la le ça cela "
        "fonctionne marche maintenant parfait super génial bonjour cordialement bonne journée et je encore "
        "c est",
    ),
    "es": (
        "gracias agradezco",
        "muchas mil por la el su tu ayuda respuesta rápida a todos ya funciona ahora todo perfecto genial "
        "excelente hola saludos cordiales y de nuevo",
    ),
    "it": (
        "grazie ringrazio",
        "mille molte tante per il la vostro tuo aiuto risposta a tutti vi ora adesso funziona tutto perfetto "
        "ottimo ciao buongiorno saluti cordiali e di nuovo",
    ),
    "pt": (
        "obrigado obrigada",
        "muito pela pelo a o sua ajuda resposta rápida a todos agora já funciona tudo perfeito ótimo olá "
        "cumprimentos abraço e",
    ),
    "nl": (
        "bedankt dank dankjewel dankuwel",
        "je u jullie wel voor de hulp snelle reactie werkt nu alles prima super top perfect hallo "
        "groeten groetjes vriendelijke met en",
    ),
}
VOCABULARY = [
    (frozenset(thanks.split()), frozenset(thanks.split()) | frozenset(fillers.split()))
    for thanks, fillers in WORDS.values()
]


def is_only_thanks(text: str) -> bool:
    """Whether `text` consists of words of thanks only, in one of the languages above.

    Question marks, digits, links, emoji that may be angry and every unknown word make it a real reply. So do
    the words for "is it": "thanks, is it working now" is a question without its mark.
    """
    if not PLAIN.fullmatch(text) or CRY.search(text.lower()):
        return False
    words = re.findall(r"[^\W_]+", text.lower())
    if not 0 < len(words) < MAX_WORDS:
        return False
    return any(thanks.intersection(words) and known.issuperset(words) for thanks, known in VOCABULARY)
