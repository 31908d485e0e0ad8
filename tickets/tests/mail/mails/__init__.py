"""Raw mails, invented for these tests, and what must come of each.

The scene: the helpdesk reads support@in.example.com. REPLY_ADDRESS in a file stands for the signed address of
alice@example.com's ticket. ann@example.com is an agent, bob@ and charlie@example.com are requesters, everybody
else is a stranger. mx.example.net is the server whose Authentication-Results count.
"""

from dataclasses import dataclass
from pathlib import Path

from tickets.mail.receiving.authentication import Verdict
from tickets.mail.receiving.parsing import Nature

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Expected:
    outcome: str  # "reply", "ticket", or the state and why: "quarantined:wrong_sender"
    reply: str = ""  # stands in what is new
    folded: tuple[str, ...] = ()  # do not
    files: tuple[str, ...] = ()
    nature: Nature = Nature.HUMAN
    verdict: Verdict = Verdict.PASS


def raw(name: str, reply_address: str = "support+7.0123456789abcdef0123@in.example.com") -> bytes:
    return (FOLDER / f"{name}.eml").read_bytes().replace(b"REPLY_ADDRESS", reply_address.encode())


EXPECTED: dict[str, Expected] = {
    "outlook_desktop": Expected(
        "reply", reply="The lamp is green, but nothing comes out.", folded=("Is the green lamp on",)
    ),
    "outlook_web": Expected("reply", reply="now it prints twice", folded=("Is the green lamp on", "Sent:")),
    "outlook_mobile": Expected(
        "reply", reply="It works after a restart.", folded=("Is the green lamp on", "Get Outlook")
    ),
    "outlook_below": Expected("reply", reply="The thick one."),
    "gmail_web": Expected("reply", reply="The lamp is off.", folded=("Is the green lamp on", "wrote:")),
    "gmail_android": Expected(
        "reply", reply="Still silent, sorry", folded=("Is the green lamp on", "wrote:")
    ),
    "gmail_html_only": Expected(
        "reply", reply="The second tray is empty.", folded=("Is the green lamp on", "wrote:")
    ),
    "apple_mail_mac": Expected(
        "reply", reply="when the office is open.", folded=("Is the green lamp on", "wrote:")
    ),
    "apple_mail_iphone": Expected(
        "reply", reply="Yes, the lamp is on.", folded=("Is the green lamp on", "Sent from my")
    ),
    "thunderbird_bottom": Expected(
        "reply", reply="The lamp is on and the paper is new.", folded=("Is the green lamp on", "Room 214")
    ),
    "thunderbird_inline": Expected(
        "reply", reply="> Which paper is in it?\nThe recycled one.", folded=("Room 214",)
    ),
    "samsung_phone": Expected(
        "reply", reply="It hums but does not print", folded=("Is the green lamp on", "Sent from my")
    ),
    "windows_mail": Expected(
        "reply", reply="tray two was open", folded=("Is the green lamp on", "Sent from Mail")
    ),
    "yahoo_unmarked": Expected(
        "reply", reply="I pressed the button twice.", folded=("Is the green lamp on",)
    ),
    "proton_mail": Expected("reply", reply="The cable was loose.", folded=("Is the green lamp on", "Proton")),
    "german_outlook": Expected(
        "reply", reply="Die Lampe leuchtet grün", folded=("Is the green lamp on", "Ursprüngliche")
    ),
    "german_iphone": Expected(
        "reply", reply="Der Toner ist leer.", folded=("Is the green lamp on", "Von meinem")
    ),
    "french_gmail": Expected(
        "reply", reply="Le voyant est éteint depuis hier.", folded=("Is the green lamp on", "a écrit")
    ),
    "french_outlook": Expected(
        "reply", reply="Le papier est coincé.", folded=("Is the green lamp on", "Envoyé")
    ),
    "spanish_gmail": Expected(
        "reply", reply="La luz verde está apagada.", folded=("Is the green lamp on", "escribió")
    ),
    "portuguese_iphone": Expected(
        "reply", reply="A impressora já funciona.", folded=("Is the green lamp on", "Enviado", "escreveu")
    ),
    "polish_outlook": Expected(
        "reply", reply="Drukarka nadal milczy.", folded=("Is the green lamp on", "Wysłano")
    ),
    "polish_gmail": Expected(
        "reply", reply="Lampka jest zielona.", folded=("Is the green lamp on", "napisał")
    ),
    "japanese_iso_2022_jp": Expected(
        "reply", reply="緑のランプは点いています。", folded=("Is the green lamp on", "2026年")
    ),
    "arabic_gmail": Expected("reply", reply="المصباح الأخضر مضاء.", folded=("Is the green lamp on", "كتب")),
    "russian_koi8_r": Expected(
        "reply", reply="Лампа не горит.", folded=("Is the green lamp on", "Отправлено")
    ),
    "new_ticket": Expected("ticket", reply="the whole room is offline"),
    "new_ticket_of_charlie": Expected("ticket", reply="only after lunch"),
    "agent_writes": Expected("ticket", reply="count the spare laptops"),
    "windows_1252": Expected("ticket", reply="„neue“ Tastatur kostet 40 € – darf ich?"),
    "gb18030": Expected("ticket", reply="空格键坏了"),
    "utf_7": Expected("ticket", reply="Die Tür läßt sich"),
    "unknown_charset": Expected("ticket", reply="Mein Gerät piept."),
    "wrong_charset": Expected("ticket", reply="Die Tür klemmt."),
    "raw_bytes_in_headers": Expected("ticket", reply="perdu une cl"),
    "html_only": Expected("ticket", reply="- a monitor\n- a cable", folded=("color:red", "<p>")),
    "emoji_subject": Expected("ticket", reply="only smells. 🔥"),
    "forward_as_attachment": Expected(
        "ticket", reply="Can you help Dora?", folded=("error 51",), files=("Your invoice tool.eml",)
    ),
    "forward_nested": Expected(
        "ticket", reply="Bob sent me this.", folded=("error 51",), files=("Fwd: Your invoice tool.eml",)
    ),
    "forward_inline": Expected("ticket", reply="error 51"),
    "forward_outlook_german": Expected("ticket", reply="Fehler 51"),
    "calendar_invitation": Expected("reply", reply="together on Monday", files=("invite.ics",)),
    "smime_signed": Expected("reply", reply="The printer is fine."),
    "pgp_signed_mime": Expected("reply", reply="Signed by my own key.", folded=("PGP",)),
    "pgp_signed_inline": Expected(
        "reply", reply="The tray is stuck.\n- it was so yesterday", folded=("PGP", "Hash")
    ),
    "pgp_encrypted": Expected("ticket", files=("encrypted.asc",)),
    "winmail_dat": Expected("reply", reply="Here is the log.", files=("error 51.txt", "dot.png")),
    "winmail_dat_broken": Expected("ticket", reply="Here is the log.", files=("winmail.dat",)),
    "inline_image": Expected("reply", reply="It looks like this", files=("dot.png",)),
    "apple_mail_between_texts": Expected("reply", reply="After the picture.", files=("dot.png",)),
    "file_names": Expected(
        "ticket", reply="Both files are attached.", files=("Grüße aus Köln.txt", "zrzut ekranu ąę.png")
    ),
    "only_a_file": Expected("reply", files=("photo.png",)),
    "watcher_answers_by_support": Expected("ticket", reply="The scanner is slow too."),
    "delivered_to": Expected("reply", reply="Sent as a blind copy."),
    "no_verdict_with_token": Expected("reply", reply="Our server adds no results.", verdict=Verdict.NONE),
    "spf_aligned": Expected("ticket", reply="No DMARC here."),
    "distribution_group": Expected("ticket", reply="by way of the group"),
    "outlook_suppress_all": Expected("ticket", reply="asks for silence"),
    "passed_on_by_a_rule": Expected("ticket", reply="passed this on"),
    "auto_exchange": Expected("ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC),
    "auto_gmail_vacation": Expected(
        "ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC
    ),
    "auto_vacation_program": Expected(
        "ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC
    ),
    "auto_old_precedence": Expected(
        "ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC
    ),
    "auto_x_autorespond": Expected(
        "ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC
    ),
    "auto_suppress_only": Expected(
        "ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC
    ),
    "auto_rule_template": Expected(
        "ignored:automatic", reply="I am away until Monday.", nature=Nature.AUTOMATIC
    ),
    "auto_noreply_sender": Expected(
        "ignored:automatic", reply="Your parcel is on its way.", nature=Nature.AUTOMATIC
    ),
    "auto_read_receipt": Expected("ignored:automatic", reply="was displayed", nature=Nature.AUTOMATIC),
    "bounce_postfix": Expected(
        "ignored:bounce",
        reply="This is the mail system at host mail.example.com.",
        nature=Nature.BOUNCE,
        verdict=Verdict.NONE,
    ),
    "bounce_exchange": Expected(
        "ignored:bounce",
        reply="Delivery has failed to these recipients or groups:",
        nature=Nature.BOUNCE,
        verdict=Verdict.NONE,
    ),
    "bounce_gmail": Expected(
        "ignored:bounce", reply="Address not found", nature=Nature.BOUNCE, verdict=Verdict.NONE
    ),
    "bounce_mailgun": Expected(
        "ignored:bounce", reply="for good", nature=Nature.BOUNCE, verdict=Verdict.NONE
    ),
    "bounce_exim": Expected(
        "ignored:bounce", reply="Unrouteable address", nature=Nature.BOUNCE, verdict=Verdict.NONE
    ),
    "bounce_non_standard": Expected(
        "ignored:bounce", reply="I give up", nature=Nature.BOUNCE, verdict=Verdict.NONE
    ),
    "mailing_list": Expected("ignored:list", reply="old roses", nature=Nature.LIST),
    "newsletter": Expected("ignored:list", reply="Chairs at half price.", nature=Nature.LIST),
    "hostile_header_injection": Expected("ticket", reply="holds line ends"),
    "hostile_nuls": Expected("ticket", reply="A text with NULs and bells.", folded=("\x00",)),
    "hostile_no_from": Expected("quarantined:unknown_sender", reply="Guess who.", verdict=Verdict.NONE),
    "hostile_two_from": Expected("quarantined:unknown_sender", reply="Which one", verdict=Verdict.NONE),
    "hostile_several_in_from": Expected(
        "quarantined:unknown_sender", reply="We write together.", verdict=Verdict.NONE
    ),
    "hostile_address_in_name": Expected("quarantined:wrong_sender", reply="believe me"),
    "no_message_id": Expected("ticket", reply="forgets the Message-ID"),
    "bad_date": Expected("ticket", reply="My clock is broken."),
    "hostile_100_levels": Expected("failed:too_complex"),
    "hostile_1000_parts": Expected("failed:too_complex"),
    "hostile_huge_header": Expected("failed:too_complex"),
    "hostile_empty_parts": Expected("failed:too_complex"),
    "hostile_script_and_pixel": Expected("ticket", reply="Please look at this.", folded=("alert", "pixel")),
    "hostile_exe": Expected("reply", reply="Run this", files=("update.exe",)),
    "hostile_path_in_name": Expected("reply", reply="Two notes.", files=("x.txt", "notes.txt")),
    "hostile_commands_in_headers": Expected("ticket", reply="Priority one"),
    "hostile_500_copies": Expected("ticket", reply="Everybody should know."),
    "own_address": Expected("ignored:own_address", reply="is it on?"),
    "own_tagged_address": Expected("ignored:own_address", reply="A loop begins.", verdict=Verdict.NONE),
    "hostile_direction_override": Expected("ticket", reply="A nice photo.", files=("photo_gpj.exe",)),
    "spoofed_staff": Expected("quarantined:not_authentic", reply="no questions", verdict=Verdict.FAIL),
    "spoofed_requester_with_token": Expected(
        "quarantined:not_authentic", reply="close my ticket", verdict=Verdict.FAIL
    ),
    "spoofed_forged_results": Expected(
        "quarantined:not_authentic", reply="my own results", verdict=Verdict.FAIL
    ),
    "foreign_results": Expected(
        "quarantined:not_authentic", reply="Not from your server.", verdict=Verdict.NONE
    ),
    "unaligned_pass": Expected("quarantined:not_authentic", reply="vouches for me", verdict=Verdict.NONE),
    "token_without_signature": Expected("quarantined:bad_signature", reply="guessed the address"),
    "token_with_wrong_signature": Expected("quarantined:bad_signature", reply="invented the signature"),
    "token_of_another_person": Expected("quarantined:wrong_sender", reply="forwarded me her mail"),
    "token_by_a_stranger": Expected("quarantined:wrong_sender", reply="found this address"),
    "confirm_your_account": Expected("quarantined:wrong_sender", reply="Confirm your account"),
    "unknown_sender": Expected("quarantined:unknown_sender", reply="repair bicycles"),
    "known_person_without_verdict": Expected(
        "quarantined:not_authentic", reply="No server vouches", verdict=Verdict.NONE
    ),
    "empty_body": Expected("ticket"),
    "no_mime": Expected("ticket", reply="No MIME at all."),
    "boundary_missing": Expected("ticket", reply="The boundary is missing."),
    "boundary_never_closed": Expected("ticket", reply="torn off"),
    "bad_base64": Expected("ticket", reply="Hello from a broken program"),
    "pasted_headers": Expected("ticket", reply="Click here at once."),
    "calendar_answer": Expected("reply", reply="Accepted: Look at the printer"),
    "smime_opaque": Expected("ticket", files=("smime.p7m",)),
    "text_file_inline": Expected(
        "reply", reply="The log says it all.", folded=("error 51",), files=("print.log",)
    ),
    "bounce_exchange_plain": Expected(
        "ignored:bounce", reply="was not found", nature=Nature.BOUNCE, verdict=Verdict.NONE
    ),
}
