"""Phrases of email clients for quoted text, signatures and automatic replies, in many languages. Pure.

Patterns use possessive quantifiers ("*+"), so that a line of 400 spaces is not tried 400 times.
"""

import re

ANSWER = re.compile(
    r"(?i)\s*+(re|aw|antw|sv|odp|rif|r|res|ynt|vá|απ|відп|відповідь|השב|תגובה|회신|回复|回覆|返信|ответ|رد)"
    r"\s*(\[\d+\])?\s*[:：]"
)
FORWARD = re.compile(
    r"(?i)\s*+(fwd?|wg|tr|rv|enc|pd|i|doorst|vs|vb|vl|πρθ|ilt|i̇lt|továbbítás|הועבר|전달|转发|轉寄|転送"
    r"|إعادة توجيه)\s*[:：]"
)
FORWARDED = re.compile(
    r"(?i)[-\s]*+(begin )?(forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten nachricht"
    r"|message transféré|début du message transféré|mensaje reenviado|mensagem encaminhada"
    r"|messaggio inoltrato|przekazana wiadomość|wiadomość przekazana dalej|пересылаемое сообщение"
    r"|пересланное сообщение|переслане повідомлення|doorgestuurd bericht|vidarebefordrat meddelande"
    r"|videresendt (melding|besked|meddelelse)|välitetty viesti|přeposlaná zpráva|továbbított üzenet"
    r"|mesaj redirecționat|iletilmiş mesaj|yönlendirilen ileti|προωθημένο μήνυμα|הודעה שהועברה"
    r"|전달된 메시지|转发的邮件|轉寄的郵件|転送されたメッセージ|رسالة تم إعادة توجيهها)[-\s:：]*"
)
ORIGINAL = re.compile(
    r"(?i)[-_*\s]{2,}+(original message|original appointment|ursprüngliche nachricht|message d['’]origine"
    r"|message original|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht"
    r"|wiadomość oryginalna|oryginalna wiadomość|исходное сообщение|оригинальное сообщение"
    r"|оригінальне повідомлення|вихідне повідомлення|original besked|oprindelig meddelelse"
    r"|original meddelelse|opprinnelig melding|ursprungligt meddelande|originalmeddelande"
    r"|alkuperäinen viesti|původní zpráva|eredeti üzenet|mesaj(ul)? original|orijinal (mesaj|ileti)"
    r"|özgün ileti|αρχικό μήνυμα|הודעה מקורית|원본 메시지|원본 메일|元のメッセージ|原始邮件|原始郵件"
    r"|الرسالة الأصلية)[-_*\s]{2,}"
)
# Labels of the header block that Outlook puts above a quotation, by kind.
FROM = (
    "from, von, de, da, van, od, från, fra, lähettäjä, feladó, de la, expeditor, kimden, gönderen, από, "
    "מאת, 보낸 사람, 보낸사람, 발신, від, відправник, от, отправитель, од, nuo, "
    "no, saatja, từ, จาก, dari, "
    "差出人, 送信者, 发件人, 寄件者, 寄件人, من"
)
DATE = (
    "sent, date, gesendet, datum, envoyé, envoyé le, enviado, enviado el, enviado em, enviada, "
    "enviada em, fecha, data, inviato, verzonden, wysłano, skickat, sendt, dato, lähetetty, päivämäärä, "
    "päiväys, odesláno, odoslané, elküldve, küldve, dátum, trimis, trimisă, gönderildi, gönderilme, "
    "gönderme tarihi, gönderim zamanı, tarih, στάλθηκε, εστάλη, απεσταλμένα, ημερομηνία, נשלח, תאריך, "
    "보낸 날짜, 날짜, надіслано, дата, отправлено, изпратено, послато, poslano, išsiųsta, "
    "nosūtīts, saadetud, đã gửi, ngày, ส่ง, วันที่, dikirim, tanggal, enviat, 送信日時, 日付, "
    "发送时间, 发送日期, 日期, 寄件日期, 傳送時間, تم الإرسال, التاريخ"
)
TO = (
    "to, an, à, a, para, aan, do, till, til, vastaanottaja, komu, címzett, către, catre, kime, alıcı, "
    "προς, אל, עבור, 받는 사람, 받는사람, 수신, кому, до, за, za, kam, saaja, "
    "đến, tới, ถึง, kepada, per a, 宛先, 收件人, 收件者, إلى, cc, "
    "kopie, kopia, kopi, kopio, dw, "
    "másolatot kap, másolat, bilgi, κοιν, κοιν., κοινοποίηση, עותק, 참조, копія, копия, 抄送, 副本, نسخة"
)
SUBJECT = (
    "subject, betreff, objet, asunto, oggetto, assunto, onderwerp, temat, ämne, emne, aihe, předmět, "
    "predmet, zadeva, tema, tēma, teema, chủ đề, เรื่อง, subjek, subyek, assumpte, tárgy, "
    "subiect, konu, θέμα, נושא, 제목, тема, 件名, 主题, 主題, 主旨, الموضوع"
)
LABELS = {
    label: kind
    for kind, labels in (("to", TO), ("subject", SUBJECT), ("date", DATE), ("from", FROM))
    for label in labels.split(", ")
}
LONGEST_LABEL = max(map(len, LABELS)) + 20  # with the characters of AROUND_LABEL
LABEL_PADDING = " \t\xa0>*_\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
OPENS = re.compile(
    r"(?i)[\s>]*+((on|am|le|el|em|a|in data|il|op|den|dnia|w dniu|pe|în|v|в|у|στις|בתאריך|في)\b"
    r"|\d{4}[년年./-]|\w{2,3}[.,])"
)
WROTE = re.compile(
    r"(?i)\b(wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|napisała?|napsala?|napísala?"
    r"|пишет|написала?|пише|написав|skrev|kirjoitti|ezt írta|írta|a scris|yazdı|έγραψε)\b"
    r"|さんは書きました|のメール|写道|寫道|작성|님이|כתב|كتب"
)
RULE = re.compile(r"\s*+[_―]{10,}+\s*+")
# Footers of companies, mailing lists and virus scanners, also below the quotation.
FOOTER = re.compile(
    r"(?i)[\s*_>-]*+(virus-free|virenfrei|sans virus|libre de virus|privo di virus|disclaimer|confidential"
    r"|vertraulich|this (e-?mail|message)( |,).{0,80}(confidential|intended|scanned|sent)"
    r"|(diese|der inhalt dieser) (e-?mail|nachricht).{0,80}(vertraulich|bestimmt|geprüft)"
    r"|ce (message|courriel|mail).{0,80}(confidentiel|destin)|este (mensaje|correo|e-?mail).{0,80}confidenci"
    r"|esta mensagem.{0,80}confidenci|questo (messaggio|e-?mail).{0,80}(riservat|confidenzial)"
    r"|dit bericht.{0,80}vertrouwelijk|(denne e-?post|detta e-?postmeddelande).{0,80}(konfiden|fortrolig)"
    r"|(the|any|all|die|alle|le|les|la|as|de|l['’]) ?informa\w+ .{0,160}(confiden|privileged|solely|intended"
    r"|vertraulich|vertrouwelijk|riservat|bestimmt|destin)"
    r"|informacje zawarte w .{0,120}poufn|.{0,120}\b(amtsgericht|handelsregister|sitz der gesellschaft"
    r"|registergericht|registered (office|in england)|company (no|number|registration)|siège social|kvk"
    r"|partita iva|p\.? ?iva)\b"
    r"|you received this message because|to unsubscribe|sie erhalten diese nachricht|please consider the env"
    r"|bitte denken sie an die umwelt|confidentiality notice|avis de confidentialité)"
)
# Footers of phones and email clients: how they start, and which product they name.
SENT = re.compile(
    r"(?i)\s*+[*_]?(sent (from|with|via|using) |get |von |aus |gesendet (von|mit|aus|über) |diese nachricht "
    r"|envoyé (de|depuis|à partir|avec|via) |obtenir |télécharger |provenance : "
    r"|enviado (desde|do|de|da|a partir|com|con|via|vía) |obtener |obter |inviato (da|con) |scarica |ottieni "
    r"|wysłan[eoy] z |pobierz |отправлено (с|из) |надіслано (з|із) |verzonden (vanaf|met|via|vanuit) "
    r"|skickat från |hämta |sendt fra |hent |få |lähetetty |hanki |odesláno z |odoslané z |küldve |elküldve "
    r"|trimis (de pe|din|cu) |στάλθηκε |απεστάλη |נשלח |發自|发自|أُ?رسلت? من |احصل على )"
    r"|.{0,40}(から送信|tarafımdan gönderildi|gönderildi|에서 보냄|에서 전송됨)\s*$"
)
PROGRAM = re.compile(
    r"(?i)iphon|ipad|ios\b|android|samsung|galaxy|huawei|xiaomi|redmi|oneplus|nokia|pixel|blackberry|fairphone"
    r"|phone|mobile|smartphone|tablet|handy|mobil|gerät|device|téléphone|telefon|teléfono|telefono|telemóvel"
    r"|móvil|celular|cellulare|puhelim|matkapuhelim|телефон|смартфон|устройств|пристро|κινητό|συσκευή|נייד"
    r"|outlook|\bmail\b|e-?mail|gmail|yahoo|\baol\b|proton|k-9|thunderbird|spark|gmx|web\.de|tutanota|tuta\b"
    r"|airmail|hotmail|zoho|fastmail|windows|スマートフォン|携帯|手机|手機|휴대|아이폰|هاتف|جوال|الآيفون"
)
# "Von meinem Rechner aus geht es" is a sentence; a footer with "von" ends with "gesendet".
ENDS_WITH_SENT = re.compile(r"(?i)\s*+[*_]?(von|aus|diese nachricht)\b")
IS_SENT = re.compile(r"(?i).*\b(gesendet|geschickt|verschickt)\.?[*_]?\s*$")
GET_OUTLOOK = re.compile(
    r"(?i)\s*+[*_]?(get|obtenir|télécharger|obtener|obter|scarica|ottieni|pobierz|hämta|hent|få|hanki"
    r"|احصل على)\b(?!.{0,20}\boutlook\b.{0,20}\b(ios|android|mac))"
)
APOLOGY = re.compile(
    r"(?i)(please )?(excuse|forgive|pardon) (my |the |any )?(brevity|typos)[^.]{0,40}\.?|bitte entschuldigen "
    r"sie [^.]{0,40}kürze\.?|veuillez excuser ma brièveté\.?"
)
LINK = re.compile(r"[<(\[]*https?://[^\s<>]{1,300}+[>)\]]*")
END_OF_SENTENCE = re.compile(r"[,;!?]|[.。](?=\s)|[.。]\s*$")
# "My answers are below": the author has written into the quotation.
BELOW = re.compile(
    r"(?i)\b(below|inline|in[- ]line|in (red|blue|green)|unten|im text|ci-dessous|en (rouge|bleu)|más abajo"
    r"|a continuación|abaixo|poniżej|ниже)\b|以下に|أدناه"
)
# The subject of our email, or of a reply, which follows the phrase of an automatic reply.
OUR_SUBJECT = r"(?=\[#|(re|aw|antw|sv|tr|rv)\s?:)"
# The start of the subject of an out-of-office reply. A person's reply to one starts with "Re:".
ABSENCE = re.compile(
    r"(?i)\s*+\[?(automatic reply"
    r"|auto(mated)?[- ]?(reply|response)|out[- ]of[- ](the[- ])?office( auto ?reply)?"
    r"|ooo|away from (the )?office|on vacation|vacation reply|automatische (antwort|abwesenheitsnotiz)"
    r"|abwesenheits(notiz|meldung|nachricht|assistent)|abwesenheit|abwesend|réponse automatique"
    r"|absence du bureau|message d['’]absence|respuesta automática|fuera de (la )?oficina|risposta automatica"
    r"|fuori sede|fuori ufficio|resposta automática|(fora do escritório|ausência temporária)"
    r"|automatisch antwoord|automatische beantwoording|afwezig(heidsbericht)?|niet op kantoor"
    r"|automatyczna odpowiedź|odpowiedź automatyczna|(nieobecność|poza biurem)|automatiskt? svar|autosvar"
    r"|frånvaro(meddelande)?|fravær(smelding|sbesked)?|ikke til stede|automaattinen vastaus|poissa"
    r"|poissaoloilmoitus|automatická odpověď|mimo kancelář|automatická odpoveď|automatikus válasz"
    r"|házon kívül|răspuns automat|otomatik yanıt|otomatik cevap|ofis dışında|αυτόματη απάντηση"
    r"|εκτός γραφείου|תשובה אוטומטית|מענה אוטומטי|자동 회신|자동 응답|부재중|автоматична відповідь"
    r"|автоматический ответ|автоответ|вне офиса|自動応答|自動返信|不在通知|自动答复|自动回复|自動回覆"
    r"|自動回复|外出|رد تلقائي|خارج المكتب|automatski odgovor|samodejni odgovor|автоматичен отговор"
    r"|trả lời tự động|balasan otomatis|avtomatski odgovor|automatinis atsakymas|automātiskā atbilde"
    r"|automaatvastus|การตอบกลับอัตโนมัติ|аутоматски одговор|resposta automàtica|automatsvar|autom\. antwort"
    r")\]?\s*+([:：]|[-–—]\s|" + OUR_SUBJECT + r")"
    # Words that people also use at the start of a subject.
    r"|\s*+(absence|vacation|on (annual )?(leave|holiday|vacation)|(ich bin )?im urlaub|urlaub|vacances"
    r"|vacaciones|ferie|férias|vakantie|urlop|loma|semester|отпуск|відпустка)\s*+[:：–—-]?\s*+" + OUR_SUBJECT
)
