"""What is new in an answer: quotations, signatures and footers are cut in many languages, sentences never."""

from dataclasses import replace

import pytest

from tickets.mail.receiving.quoting import Participants, cut, new_words

NEW = "It works now, thanks."
OURS = Participants(
    people=frozenset({"support@help.example.com", "ann agent"}), marks=frozenset({"helpdesk.example.com"})
)


def new(text: str, participants: Participants | None = None) -> str:
    return new_words(text, is_answer=True, participants=participants)


@pytest.mark.parametrize(
    "sentence",
    [
        "Von meinem Rechner aus geht es, von dem im Lager nicht.",
        "Von meinem Handy aus geht es",
        "Sent from the old laptop everything arrives, so it is not the network.",
        "Sent via courier this morning, parcel 4711.",
        "Sent via courier this morning",
        "Envoyé avec le colis de ce matin.",
        "Enviado com o correio de ontem.",
        "Get the mail from my phone working, please.",
        "Sent from my phone the mail arrives, from the laptop it does not.",
        "Sent from Outlook every mail arrives twice",
        "Get Outlook on my new phone please",
    ],
)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_last_sentence_is_no_phones_signature(sentence, between):
    assert new(f"Hallo Ann,{between}{sentence}") == f"Hallo Ann,{between}{sentence}"


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from Outlook for iOS",
        "Get Outlook for Android<https://aka.ms/AAb9ysg>",
        "Von meinem iPhone gesendet",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        "Sent from my Android device with K-9 Mail. Please excuse my brevity.",
        "Sent with Proton Mail secure email.",
        "Gesendet mit der GMX Mail App",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "Wysłane z iPhone'a",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "Odesláno z iPhonu",
        "Trimis de pe iPhone-ul meu",
        "iPhone'umdan gönderildi",
        "Στάλθηκε από το iPhone μου",
        "נשלח מה-iPhone שלי",
        "나의 iPhone에서 보냄",
        "Надіслано з iPhone",
        "Отправлено с iPhone",
        "iPhoneから送信",
        "发自我的iPhone",
    ],
)
def test_line_of_a_phone_is_cut(line):
    assert new(f"{NEW}\n\n{line}") == NEW


def test_mark_of_a_signature_cuts_few_lines_only():
    assert new(f"{NEW}\n-- \nMaria\nRoom 12") == NEW
    long = f"{NEW}\n-- \n" + "\n".join(f"Step {number}" for number in range(20))
    assert new(long) == long
    assert new(f"{long}\n-- \nMaria") == long


ATTRIBUTIONS = [
    "On Mon, Aug 24, 2026 at 4:37 PM Maximiliane Musterfrau <\n{} wrote:",
    "On Mon, Aug 24, 2026 at 4:37 PM Ann Agent <ann@example.com\n> wrote:",
    "On Mon, Aug 24, 2026 at 4:37 PM,\nAnn Agent <ann@example.com> wrote:",
    "Ann Agent <ann@example.com> schrieb am Fr., 28.\nAug. 2026 um 11:53 Uhr:",
    "Am Fr., 28. Aug. 2026 um 11:53 Uhr schrieb Ann Agent <\nann@example.com>:",
    "Am 28.08.26 um 11:53 schrieb Ann Agent:",
    "Le ven. 28 août 2026 à 11:53, Ann Agent <ann@example.com> a\nécrit :",
    "El vie, 28 ago 2026 a las 11:53, Ann Agent (<ann@example.com>)\nescribió:",
    "Il giorno ven 28 ago 2026 alle ore 11:53 Ann Agent <\nann@example.com> ha scritto:",
    "Em sex., 28 de ago. de 2026 às 11:53, Ann Agent <ann@example.com>\nescreveu:",
    "Op vr 28 aug 2026 om 11:53 schreef Ann Agent <ann@example.com>:",
    "pt., 28 sie 2026 o 11:53 Ann Agent <ann@example.com> napisał(a):",
    "Den fre 28 aug. 2026 kl 11:53 skrev Ann Agent <ann@example.com>:",
    "fre. 28. aug. 2026 kl. 11:53 skrev Ann Agent <ann@example.com\n>:",
    "Den fre. 28. aug. 2026 kl. 11.53 skrev Ann Agent <\nann@example.com>:",
    "pe 28. elok. 2026 klo 11.53 Ann Agent (ann@example.com) kirjoitti:",
    "pá 28. 8. 2026 v 11:53 odesílatel Ann Agent <ann@example.com>\nnapsal:",
    "Ann Agent <ann@example.com> ezt írta (időpont: 2026.\naug. 28., P, 11:53):",
    "În vin., 28 aug. 2026 la 11:53, Ann Agent <ann@example.com> a\nscris:",
    "Ann Agent <ann@example.com>, 28 Ağu 2026 Cum, 11:53\ntarihinde şunu yazdı:",
    "Στις Παρ 28 Αυγ 2026 στις 11:53 π.μ., ο/η Ann Agent <\nann@example.com> έγραψε:",
    "\u202bבתאריך יום ו׳, 28 באוג׳ 2026 ב-11:53 מאת \u202aAnn Agent\u202c <\u202aann@example.com\u202c>:\u202c",
    "2026년 8월 28일 (금) 오전 11:53, Ann Agent <ann@example.com>님이 작성:",
    "пт, 28 серп. 2026 р. о 11:53 Ann Agent <ann@example.com> пише:",
    "пт, 28 авг. 2026 г. в 11:53, Ann Agent <ann@example.com>:",
    "2026年8月28日(金) 11:53 Ann Agent <ann@example.com>:",
    "Ann Agent <ann@example.com> 于2026年8月28日周五 11:53写道：",
    "---- On Mon, 24 Aug 2026 09:00:00 +0200 Ann Agent <ann@example.com> wrote ----",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("mark", ["> ", ""])
@pytest.mark.parametrize("between", ["\n\n", "\n"])
def test_attribution_is_cut_in_every_language(attribution, mark, between):
    attribution = attribution.replace("{}", "max.musterfrau@example.com>")
    text = f"{NEW}{between}{attribution}\n\n{mark}Please try again.\n{mark}And tell us."
    assert new(text) == NEW


@pytest.mark.parametrize("local", ["ann.w", "tom.x", "a-b", "on-call", "de.x", "ann.w7"])
def test_wrapped_address_is_no_beginning_of_its_own(local):
    attribution = f"On Mon, Aug 24, 2026 at 4:37 PM Ann Agent <\n{local}@example.com> wrote:"
    assert new(f"{NEW}\n\n{attribution}\n\n> Please try again.") == NEW


OUTLOOK = {
    "English": ("From", "Sent", "To", "Subject"),
    "German": ("Von", "Gesendet", "An", "Betreff"),
    "French": ("De", "Envoyé", "À", "Objet"),
    "Spanish": ("De", "Enviado el", "Para", "Asunto"),
    "Italian": ("Da", "Inviato", "A", "Oggetto"),
    "Portuguese": ("De", "Enviada em", "Para", "Assunto"),
    "Dutch": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "Polish": ("Od", "Wysłano", "Do", "Temat"),
    "Swedish": ("Från", "Skickat", "Till", "Ämne"),
    "Norwegian": ("Fra", "Sendt", "Til", "Emne"),
    "Danish": ("Fra", "Dato", "Til", "Emne"),
    "Finnish": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "Czech": ("Od", "Odesláno", "Komu", "Předmět"),
    "Hungarian": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    "Romanian": ("De la", "Trimis", "Către", "Subiect"),
    "Turkish": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "Turkish, as now": ("Gönderen", "Gönderim Zamanı", "Alıcı", "Konu"),
    "Greek": ("Από", "Στάλθηκε", "Προς", "Θέμα"),
    "Greek, as before": ("Από", "Εστάλη", "Προς", "Θέμα"),
    "Hebrew": ("מאת", "נשלח", "אל", "נושא"),
    "Korean": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "Ukrainian": ("Від", "Надіслано", "Кому", "Тема"),
    "Russian": ("От", "Отправлено", "Кому", "Тема"),
    "Japanese": ("差出人", "送信日時", "宛先", "件名"),
    "Chinese": ("发件人", "发送时间", "收件人", "主题"),
    "Bulgarian": ("От", "Изпратено", "До", "Тема"),
    "Croatian": ("Od", "Poslano", "Za", "Predmet"),
    "Serbian": ("Од", "Послато", "За", "Тема"),
    "Slovenian": ("Od", "Poslano", "Za", "Zadeva"),
    "Lithuanian": ("Nuo", "Išsiųsta", "Kam", "Tema"),
    "Latvian": ("No", "Nosūtīts", "Kam", "Tēma"),
    "Estonian": ("Saatja", "Saadetud", "Saaja", "Teema"),
    "Vietnamese": ("Từ", "Đã gửi", "Đến", "Chủ đề"),
    "Thai": ("จาก", "ส่ง", "ถึง", "เรื่อง"),
    "Indonesian": ("Dari", "Dikirim", "Kepada", "Subjek"),
    "Catalan": ("De", "Enviat", "Per a", "Assumpte"),
    "Chinese of Taiwan": ("寄件者", "寄件日期", "收件者", "主旨"),
}


@pytest.mark.parametrize("language", OUTLOOK)
@pytest.mark.parametrize("pattern", ["{}: x", "*{}:* x", "{} : x", "{}：x", "\u200f{}:\u200f x"])
def test_block_of_outlook_is_cut(language, pattern):
    """Outlook.com of old began with Date and Subject."""
    sender, date, to, subject = (pattern.format(word) for word in OUTLOOK[language])
    for block in ((sender, date, to, subject), (date, subject, sender, to), (subject, sender, date, to)):
        text = "\n".join([NEW, "", "_" * 32, *block, "", "Please try again."])
        assert new(text) == NEW


def test_list_with_labels_is_no_block_of_outlook():
    for text in ("Date: Monday\nRoom: 12\nSubject: maths", "An: 12:00\nAus: 13:00", "To: do\nDate: today"):
        assert new(f"{NEW}\n\n{text}") == f"{NEW}\n\n{text}"


@pytest.mark.parametrize(
    "footer",
    [
        "Virus-free. www.avast.com",
        "This email and its attachments are confidential.",
        "Diese E-Mail kann vertrauliche Daten enthalten und ist nur für den Empfänger bestimmt.",
        "_" * 40 + "\nExample Ltd, 12 High Street",
        "You received this message because you are subscribed to the group IT.",
        "The information contained in this message is confidential.",
        "Le informazioni contenute in questo messaggio sono riservate.",
        "De informatie in dit bericht is vertrouwelijk.",
        "Example GmbH, Sitz der Gesellschaft: Berlin, Amtsgericht Charlottenburg HRB 1",
    ],
)
def test_footer_below_the_quotation_is_cut_with_it(footer):
    head = "On Mon, Aug 24, 2026 at 4:37 PM Ann Agent <ann@example.com> wrote:"
    assert new(f"{NEW}\n\n{head}\n> Please try again.\n> And tell us.\n\n{footer}") == NEW


def test_sentence_about_a_message_is_no_footer():
    head = "On Mon, Aug 24, 2026 at 4:37 PM Ann Agent <ann@example.com> wrote:"
    text = (
        f"Hi,\n\n{head}\n\n> Please try again.\n> And tell us.\n\nThe information in this message is wrong."
    )
    assert new(text) == text


PASTED = [
    "From: Vera <vera@vendor.example>\nSent: Monday\nTo: Maria\nSubject: Your order",
    "On Mon, Aug 24, 2026 at 4:37 PM Vera <vera@vendor.example> wrote:",
    "-----Original Message-----\nFrom: Vera <vera@vendor.example>\nSent: Monday\nTo: Maria\nSubject: Order",
]


@pytest.mark.parametrize(("pasted", "mark"), [*((pasted, "") for pasted in PASTED), (PASTED[1], "> ")])
def test_pasted_mail_of_somebody_else_stays(pasted, mark):
    said = f"The vendor says:\n\n{pasted}\n\n{mark}The part is out of stock."
    assert new(said, OURS) == said
    for ours in (
        "On Tue, Aug 25, 2026 at 9:00 AM Helpdesk <support@help.example.com> wrote:\n\nPlease ask.",
        "Von: Ann Agent\nGesendet: Dienstag\nAn: Maria\nBetreff: Printer\n\nPlease ask.",
        "From: Somebody\nSent: Monday\nTo: Maria\nSubject: x\n\nSee https://helpdesk.example.com/tickets/7/",
    ):
        assert new(f"{said}\n\n{ours}", OURS) == said


def test_marked_quotation_of_a_colleague_is_history_unless_it_has_a_label():
    colleagues = replace(OURS, domains=frozenset({"@example.com"}))
    marked = "{name} <{address}> wrote:\n\n> Please try again.\n> And tell us."
    bob = "On Mon, Aug 24, 2026 at 4:37 PM " + marked.format(name="Bob", address="bob@EXAMPLE.com")
    vera = "On Mon, Aug 24, 2026 at 4:37 PM " + marked.format(name="Vera", address="vera@vendor-example.com")
    assert new(f"{NEW}\n\n{bob}", colleagues) == NEW
    assert new(f"{NEW}\n\n{bob}", OURS) == f"{NEW}\n\n{bob}"
    assert new(f"{NEW}\n\n{vera}", colleagues) == f"{NEW}\n\n{vera}"
    assert new(f"{NEW}\nBob says:\n\n{bob}", colleagues) == f"{NEW}\nBob says:\n\n{bob}"


NAMED = [
    "Von: {}\nGesendet: heute\nAn: Maria\nBetreff: x\n\nOld.",
    "On 8/24/26 16:37, {} wrote:\n> Old.\n> Older.",
    "Am 24.08.2026 um 16:37 schrieb {}:\n\nOld.",
]


@pytest.mark.parametrize(
    ("name", "stays"), [("Ann Agent", False), ("Agent, Ann", False), ("Vera Vendor", True)]
)
@pytest.mark.parametrize("quotation", NAMED)
def test_name_without_address_says_whose_mail_is_quoted(quotation, name, stays):
    text = f"{NEW}\n\nThe vendor says:\n\n{quotation.format(name)}"
    assert new(text, OURS) == (text if stays else f"{NEW}\n\nThe vendor says:")


@pytest.mark.parametrize("quotation", NAMED)
def test_quotation_that_names_no_address_is_cut(quotation):
    assert new(f"{NEW}\n\n{quotation.format('Anna')}", OURS) == NEW


def test_our_own_marks_tell_what_is_quoted_under_another_name():
    block = "Von: IT\nGesendet: heute\nAn: Maria\nBetreff: x\n\nhttps://helpdesk.example.com/tickets/7/"
    assert new(f"{NEW}\n\n{block}", OURS) == NEW


def test_empty_lines_beside_what_stays_stay():
    text = f"{NEW}\n\nOn Mon, Aug 24, 2026 at 4:37 PM Ann <ann@example.com> wrote:\n\n> Well?\n\nNo.\n\n> And?\n\nYes."
    assert new(text) == text


def test_what_was_cut_is_all_the_rest():
    text = f"{NEW}\n\nOn Mon 1 Ann <ann@example.com> wrote:\n> Please try again.\n\n-- \nMaria"
    assert cut(text, new(text)) == "On Mon 1 Ann <ann@example.com> wrote:\n> Please try again.\n\n-- \nMaria"
    assert cut(NEW, NEW) == ""
