"""Folds quotations and signatures away, in the ways of many programs and languages. Pure and linear.

In doubt a line is kept: the whole text stays beside it anyway, but nobody looks there for an answer.
"""

import re
from collections.abc import Iterator

# What a pattern has taken it does not give back ("*+"): else a line of 400 spaces is tried 400 times.
MAX_LINE = 400  # longer ones are nobody's "On Monday Ann wrote:"
MAX_SIGNATURE = 8  # lines below "--" whose space got lost
FEW_LINES = 2  # of a quotation that is worth its place above the answer
ANSWER = re.compile(r"(?i)\s*+(re|aw|antw|sv|odp|rif|r|res|ynt|回复|回覆|返信|ответ|رد)\s*(\[\d+\])?\s*[:：]")
FORWARD = re.compile(r"(?i)\s*+(fwd?|wg|tr|rv|enc|pd|i|doorst|vs|vb|转发|轉寄|転送|إعادة توجيه)\s*[:：]")
FORWARDED = re.compile(
    r"(?i)[-\s]*+(begin )?(forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten nachricht"
    r"|message transféré|début du message transféré|mensaje reenviado|mensagem encaminhada"
    r"|messaggio inoltrato|przekazana wiadomość|wiadomość przekazana dalej|пересылаемое сообщение"
    r"|пересланное сообщение|doorgestuurd bericht|転送されたメッセージ|رسالة تم إعادة توجيهها)[-\s:：]*"
)
ORIGINAL = re.compile(
    r"(?i)[-_*\s]{2,}+(original message|original appointment|ursprüngliche nachricht|message d['’]origine"
    r"|message original|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht"
    r"|wiadomość oryginalna|oryginalna wiadomość|исходное сообщение|оригинальное сообщение|original besked"
    r"|ursprungligt meddelande|元のメッセージ|原始邮件|الرسالة الأصلية)[-_*\s]{2,}"
)
# The first words of the block that Outlook puts above what it quotes, and those that must follow.
FROM = re.compile(r"(?i)[\s*>]*+(from|von|de|da|od|от|van|från|fra|差出人|发件人|من)\s*+(\*\s*+)?[:：]")
HEADER = re.compile(
    r"(?i)[\s*>]*+("
    r"sent|date|gesendet|datum|envoyé|enviado el|enviado|enviada|data|fecha|inviato|wysłano|verzonden"
    r"|отправлено|дата|skickat|送信日時|日付|发送时间|تم الإرسال|التاريخ|to|an|à|para|a|do|кому|aan|till"
    r"|til|宛先|收件人|إلى"
    r"|subject|betreff|objet|asunto|assunto|oggetto|temat|onderwerp|тема|ämne|emne|件名|主题|الموضوع|cc|kopie)"
    r"\s*+(\*\s*+)?[:：]"
)
OPENS = re.compile(
    r"(?i)[\s>]*+((on|am|le|el|em|a|in data|il|op|den|dnia|w dniu|pe|в|في)\b|\d{4}[年./-]|\w{2,3}[.,])"
)
WROTE = re.compile(
    r"(?i).*\b(wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|napisał|napisała"
    r"|пишет|написал|написала|skrev)\b"
)
WROTE_WITHOUT_SPACES = ("さんは書きました", "のメール", "写道", "كتب")
RULE = re.compile(r"\s*+[_―]{10,}+\s*+")
# What phones and programs add below each mail.
SENT_FROM = re.compile(
    r"(?i)\s*+[*_]?(sent from (my|mail|yahoo|outlook|gmail|samsung|proton|an? |the )|sent (with|via) "
    r"|get outlook for |(diese nachricht wurde )?(von|aus) (meinem|outlook|mail) |gesendet (von|mit) "
    r"|envoyé (de|depuis|à partir|avec) |(obtenir|télécharger) outlook|provenance : "
    r"|enviado (desde|do|de|a partir|com) "
    r"|obtener outlook|obter o outlook|inviato da|wysłane? z |wysłano z |pobierz (program )?outlook"
    r"|отправлено (с|из) |verzonden (vanaf|met|via) |skickat från |.*から送信\s*$|发自我的"
    r"|أُ?رسلت? من |أرسل من |احصل على outlook)"
)
# "My answers stand below": who says so has written into what follows.
BELOW = re.compile(
    r"(?i)\b(below|inline|in[- ]line|in (red|blue|green)|unten|im text|ci-dessous|en (rouge|bleu)|más abajo"
    r"|a continuación|abaixo|poniżej|ниже)\b|以下に|أدناه"
)
PGP_BEGIN, PGP_END = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"


def new_words(text: str, *, is_answer: bool) -> str:
    """What `text` says that is new; all of it where nothing can be told apart.

    A mail that answers nothing has no history: what looks like it was pasted, from a suspicious mail perhaps.
    """
    lines = _without_armour(text.split("\n"))
    if not is_answer:
        return "\n".join(_without_signature(lines)).strip() or text.strip() or text
    history = _history_start(lines)
    if history < len(lines) and FORWARDED.fullmatch(lines[history]):
        return text.strip() or text
    lines = _without_quotations(_own_part(lines, history))
    return "\n".join(_without_signature(lines)).strip() or text.strip() or text


def is_answer(subject: str, references: tuple[str, ...]) -> bool:
    """Whether a mail answers another. Programs give a forward the same references."""
    return not FORWARD.match(subject) and bool(references or ANSWER.match(subject))


def _without_armour(lines: list[str]) -> list[str]:
    """The inside of a text signed with PGP."""
    if PGP_BEGIN not in lines or PGP_END not in lines:
        return lines
    start, end = lines.index(PGP_BEGIN), lines.index(PGP_END)
    while start < end and lines[start].strip():
        start += 1
    return [line.removeprefix("- ") for line in lines[start:end]] or lines


def _history_start(lines: list[str]) -> int:
    """Where a program put an earlier mail without marking its lines."""
    for index, line in enumerate(lines):
        if len(line) <= MAX_LINE and (
            FORWARDED.fullmatch(line)
            or ORIGINAL.fullmatch(line)
            or _is_header_block(lines, index)
            or _is_attribution(lines, index)
        ):
            return index
    return len(lines)


def _own_part(lines: list[str], history: int) -> list[str]:
    own = lines[:history]
    while own and (not own[-1].strip() or RULE.fullmatch(own[-1][:MAX_LINE])):
        own.pop()
    says_below = sum(map(len, own)) < MAX_LINE and any(map(BELOW.search, own))
    is_new = any(line.strip() and not _is_quoted(line) for line in own)
    return own if is_new and not says_below else lines


def _is_header_block(lines: list[str], index: int) -> bool:
    if not FROM.match(lines[index]):
        return False
    following = [line for line in lines[index + 1 : index + 8] if line.strip()]
    return sum(bool(HEADER.match(line[:MAX_LINE])) for line in following[:5]) >= 2


def _is_attribution(lines: list[str], index: int) -> bool:
    """Whether "On Monday, Ann wrote:" begins here (on up to three lines) and no marked quotation follows."""
    if not OPENS.match(lines[index]):
        return False
    for last in range(index + 1, min(index + 3, len(lines)) + 1):
        joined = " ".join(lines[index:last])
        if len(joined) > MAX_LINE or not lines[last - 1].strip():
            return False
        if joined.rstrip().endswith((":", "：")):
            following = next((line for line in lines[last : last + 3] if line.strip()), "")
            return _says_who_wrote(joined) and not _is_quoted(following)
    return False


def _says_who_wrote(line: str) -> bool:
    says_so = WROTE.match(line) or any(word in line for word in WROTE_WITHOUT_SPACES)
    return bool(says_so) and any(character.isdigit() or character == "@" for character in line)


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">") and not line.startswith(">From ")


def _blocks(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """Pairs (is quoted, lines). The line that says who wrote goes with the quotation below it."""
    block: list[str] = []
    is_quote = False
    for line in lines:
        if line.strip() and _is_quoted(line) != is_quote:
            if not is_quote:
                start = _attribution_start(block)
                block, attribution = block[:start], block[start:]
            else:
                attribution = []
            if block:
                yield is_quote, block
            block, is_quote = attribution, not is_quote
        block.append(line)
    if block:
        yield is_quote, block


def _attribution_start(block: list[str]) -> int:
    """Where the "On Monday, Ann wrote:" begins that ends `block`; its length where none does."""
    end = len(block)
    while end and not block[end - 1].strip():
        end -= 1
    if not end or len(block[end - 1]) > MAX_LINE or not block[end - 1].rstrip().endswith((":", "：")):
        return len(block)
    for start in range(end - 1, max(end - 4, -1), -1):
        if not block[start].strip():
            break
        joined = " ".join(block[start:end])
        has_date = any(character.isdigit() or character == "@" for character in joined)
        if len(joined) <= MAX_LINE and has_date and OPENS.match(joined):
            return start
    return (
        end - 1
        if any(character.isdigit() or character == "@" for character in block[end - 1])
        else len(block)
    )


def _without_quotations(lines: list[str]) -> list[str]:
    blocks = [
        (is_quote, block if is_quote else _without_signature(block)) for is_quote, block in _blocks(lines)
    ]
    blocks = [(is_quote, block) for is_quote, block in blocks if any(line.strip() for line in block)]
    quotes = [index for index, (is_quote, _block) in enumerate(blocks) if is_quote]
    texts = [index for index, (is_quote, _block) in enumerate(blocks) if not is_quote]
    if not quotes or not texts:
        return lines
    is_top = texts[-1] < quotes[0]
    is_bottom = quotes == [0] and _marked(blocks[0][1]) > FEW_LINES
    if is_top or is_bottom:
        return [line for is_quote, block in blocks if not is_quote for line in block]
    return [line for _is_quote, block in blocks for line in block]


def _marked(block: list[str]) -> int:
    return sum(bool(line.strip("> ")) for line in block if _is_quoted(line))


def _without_signature(lines: list[str]) -> list[str]:
    """Without what follows "-- " (RFC 3676, 4.3) and without the line that a phone adds."""
    end = len(lines)
    for index, line in enumerate(lines):
        if line == "-- " or (line == "--" and len(lines) - index <= MAX_SIGNATURE):
            end = index
            break
    while end and (not lines[end - 1].strip() or SENT_FROM.match(lines[end - 1][:MAX_LINE])):
        end -= 1
    return lines[:end]
