"""About forty tickets with their histories."""

from dataclasses import dataclass

MAIL, WEB, ACCESS = "Email Support", "Website Support", "Access Support"
BOOKS, SOCIAL, OTHER = "QuickBooks Support", "Social Media Post", "Other"


@dataclass(frozen=True)
class DemoStep:
    """An action, `hours` after the ticket was submitted. Changes only the given fields.

    `says` is a public reply, `notes` an internal note, `wakes_in` are days from today.
    """

    hours: float
    who: str
    status: str = ""
    assignee: str = ""
    priority: str = ""
    category: str = ""
    subject: str = ""
    says: str = ""
    notes: str = ""
    waiting_for: str = ""
    wakes_in: int = 0


@dataclass(frozen=True)
class DemoTicket:
    """A ticket submitted `days` ago by `who`. `file` is the name of a demo attachment."""

    days: float
    who: str
    category: str
    subject: str
    description: str
    steps: tuple[DemoStep, ...] = ()
    priority: str = "normal"
    file: str = ""


def taken(hours: float, who: str, **more) -> DemoStep:
    """The usual first step: somebody assigns the ticket to themselves and starts."""
    return DemoStep(hours, who, status="In Progress", assignee=who, **more)


def done(hours: float, who: str, says: str = "") -> DemoStep:
    return DemoStep(hours, who, status="Done", says=says)


def held(hours: float, who: str, says: str = "", *, waiting_for: str = "requester", **more) -> DemoStep:
    return DemoStep(hours, who, status="On Hold", says=says, waiting_for=waiting_for, **more)


def says(hours: float, who: str, text: str) -> DemoStep:
    return DemoStep(hours, who, says=text)


def notes(hours: float, who: str, text: str) -> DemoStep:
    return DemoStep(hours, who, notes=text)


STORIES: tuple[DemoTicket, ...] = (
    DemoTicket(
        0.01, "jonas", ACCESS, "VPN asks for my password again and again",
        "I work from home today. The VPN window accepts my password, says \"connecting\" and asks again. "
        "I have tried it five times and restarted once. I have a customer call at 11.", priority="high",
    ),
    DemoTicket(
        0.03, "david", OTHER, "Label printer in hall B prints empty labels",
        "Since the new roll went in this morning, every second label is empty. The driver waits for the papers.\n\n"
        "The printer is the small grey one beside gate 2, sticker number P-118.", priority="urgent",
    ),
    DemoTicket(
        0.08, "aisha", WEB, "Old phone number on the contact page",
        "The contact page still shows the number we had before the move. It should be 555 0200.\n\n"
        "The page: https://www.example.com/contact",
    ),
    DemoTicket(
        0.15, "maria", BOOKS, "QuickBooks closes when I open the October payroll",
        "It starts, I click Employees, then Payroll for October, and the window is gone without a message. "
        "September opens fine. The file it wrote to my desktop is attached.",
        file="qb-crash.log", priority="high",
    ),
    DemoTicket(
        0.3, "lucia", ACCESS, "New colleague starts on Monday",
        "Tom Berger starts in sales on Monday at nine. He needs a laptop, a mailbox, the sales folder and a key "
        "card for the main entrance. His manager is Jonas.",
        (
            taken(1, "ann", says="Hello Lucia, the laptop is ordered.\n\nWhich of these does he need from the first day?\n- a phone\n- a second monitor\n- access to the customer list"),
            says(2, "lucia", "The customer list and a phone, please. The monitor can wait."),
            notes(3, "ann", "Phones: only two left. Order new ones with the next delivery."),
        ),
    ),
    DemoTicket(
        0.5, "peter", MAIL, "Is this mail from the bank real?",
        "I got a mail from our bank that asks me to confirm a payment with a link. It looks real, but I did not "
        "order anything. I have not clicked. A picture of it is attached.",
        (
            taken(0.2, "ravi", priority="high", says="Well spotted, please leave it alone. I look at it now."),
            notes(1, "ravi", "It is a fake: the link goes to a server abroad. Three others got it too, I have blocked the sender."),
        ), file="bank-mail.png",
    ),
    DemoTicket(
        0.8, "aisha", SOCIAL, "Post about the open day on Friday",
        "Please post on our pages on Wednesday at 10:\n\nOur doors are open on Friday from 2 to 6. Come and see how "
        "we work. Coffee is ready.\n\nThe picture comes from me by tomorrow noon.",
        (held(3, "sam", "The text is ready. I wait for your picture and post it then."),),
    ),
    DemoTicket(
        1.1, "jonas", MAIL, "Calendar shows meetings one hour late on my phone",
        "On the laptop all is right, on the phone every meeting stands one hour later. It began after my trip "
        "to London. I have set the phone's clock to automatic again.",
        (taken(2, "ann"), held(5, "ann", "Please open Settings, Calendar, Time zone on the phone. What does it say there?")),
    ),
    DemoTicket(
        1.3, "david", ACCESS, "No access to the folder Deliveries 2026",
        "When I open S:\\Warehouse\\Deliveries 2026 it says that I have no permission. The folder of 2025 works. "
        "Both my colleagues in hall B have the same.",
        (
            taken(1, "ravi"),
            done(2, "ravi", "You and hall B can open it now. Log out once and in again, then it is there."),
            says(3, "david", "Thank you, it works."),
        ),
    ),
    DemoTicket(
        1.6, "maria", OTHER, "Second monitor stays dark",
        "The left monitor has no picture since this morning. The lamp on it is orange. I have pulled the cable out "
        "and in again.",
        (taken(4, "ann"), held(6, "ann", "It needs a new cable. I bring one tomorrow at nine, is that fine?")), priority="low",
    ),
    DemoTicket(
        2, "lucia", MAIL, "Please set up a shared mailbox jobs@example.com",
        "For the applications. Lucia and Peter should read it and answer from it. It would be good to have it before "
        "the advertisement is printed on the first.",
        (taken(3, "ann"),), priority="low",
    ),
    DemoTicket(
        2.2, "peter", OTHER, "Meeting room 2: picture but no sound",
        "With the cable on the table I get the picture on the big screen, but the sound comes from my laptop. "
        "We need it for the board on Thursday.",
        (taken(2, "ravi"), done(20, "ravi", "The sound comes from the big screen now. I have tried it with your cable.")),
    ),
    DemoTicket(
        2.5, "aisha", WEB, "Pictures on the news page load very slowly",
        "The last three articles take ten seconds on my phone before the pictures are there. Perhaps they are too "
        "large? I put them in as they came from the camera.",
        (DemoStep(5, "ravi", status="In Progress"),),
    ),
    DemoTicket(
        3, "jonas", ACCESS, "Locked out after the holidays",
        "I was away for three weeks and my password has expired in the meantime. I can't log in at my desk.",
        (taken(0.3, "ann"), done(0.5, "ann", "You can choose a new password at your desk now. Ask me on 0100 if it does not let you in.")), priority="high",
    ),
    DemoTicket(
        3.4, "maria", BOOKS, "Invoice numbers have a gap",
        "After 2026-0412 comes 2026-0415. The auditor will ask. Did somebody delete two invoices, or did the "
        "program skip them?",
        (
            DemoStep(3, "ann", status="In Progress", notes="The log shows two invoices deleted by the old trial user."),
            held(26, "ann", "Two invoices were deleted on the third. May I bring them back as cancelled ones?"),
        ),
    ),
    DemoTicket(
        4, "david", OTHER, "Scanner on the forklift loses the network",
        "At the far end of hall B, rows 20 to 24, the scanner says \"no connection\". When I drive back to the "
        "gate it works again. It did not happen before they moved the racks.",
        (
            taken(5, "ravi", says="I come by this afternoon and measure the signal in rows 20 to 24."),
            held(
                30, "ravi", "The racks block the signal. A new access point is ordered, it takes about a week.",
                waiting_for="supplier", wakes_in=4,
            ),
            DemoStep(52, "sam", priority="high", notes="The supplier is late again. I call them every second day."),
        ),
    ),
    DemoTicket(
        4.5, "aisha", SOCIAL, "Wrong date in yesterday's post",
        "It says Friday the 20th, but Friday is the 21st. Could you correct it before the shop opens?",
        (taken(0.4, "sam"), done(0.6, "sam")), priority="urgent",
    ),
    DemoTicket(
        5, "lucia", ACCESS, "Tom Berger needs the holiday planner",
        "He gets the message \"You are not a member of this team\". I have added him on the list on Monday.",
        (taken(6, "ann"), done(8, "ann")),
    ),
    DemoTicket(
        5.2, "peter", MAIL, "Mails to one customer come back",
        "Everything I send to anna@customer.example comes back after an hour with \"mailbox full\". She says that "
        "her mailbox is almost empty. Others can write to her.",
        (taken(2, "ann"), held(4, "ann"), DemoStep(50, "peter", status="In Progress", says="It came back again this morning:\n\n> 452 4.2.2 mailbox full\n\nShe has deleted a lot since."), done(51, "ann", "Their server had the wrong quota. They have corrected it, your test mail arrived.")),
    ),
    DemoTicket(
        6, "jonas", OTHER, "Laptop is very slow since the update",
        "Starting takes ten minutes, and opening a spreadsheet takes two. The fan is loud the whole time. Before "
        "the update on Tuesday it was fine.",
        (taken(3, "ravi"), done(28, "ravi"), DemoStep(50, "jonas", status="In Progress", says="It was fast for a day, now it is slow again."), done(70, "ravi", "The disk was failing, so you have a new one. All your files are there.")),
    ),
    DemoTicket(
        7, "maria", BOOKS, "Second user licence for the trainee",
        "Our trainee starts in accounting next month and should see the invoices, but not the payroll.",
        (DemoStep(24, "ann", status="In Progress"), held(30, "ann")), priority="low",
    ),
    DemoTicket(
        7.5, "david", OTHER, "Keyboard: the 7 does not work",
        "Number 7 on the number pad only works if I press very hard. I type delivery notes all day.",
        (taken(20, "ann"), done(22, "ann")), priority="low",
    ),
    DemoTicket(
        8, "aisha", WEB, "The form for the newsletter shows an error",
        "When I enter an address and press the button, it says \"Something went wrong\". I have tried it with two "
        "browsers and on my phone.",
        (DemoStep(1, "ravi", status="In Progress", priority="high"), done(7, "ravi")),
    ),
    DemoTicket(
        9, "peter", ACCESS, "Access to the reports for the new controller",
        "Please give Eva Lang the same rights on the folder Reports as Maria has, without payroll.",
        (taken(3, "ravi"), done(5, "ravi")),
    ),
    DemoTicket(
        9.3, "lucia", MAIL, "Out-of-office text is still on",
        "I am back since Monday, but people still get my out-of-office answer. I switched it off in Outlook.",
        (taken(1, "ann"), done(1.5, "ann")),
    ),
    DemoTicket(
        10, "jonas", OTHER, "Phone for the new sales van",
        "We need a phone with a large screen and a holder for the van from the first on. It must run the "
        "delivery app.",
        (DemoStep(20, "sam", assignee="ravi"), held(25, "ravi")), priority="low",
    ),
    DemoTicket(
        11, "maria", OTHER, "Printer on the first floor: paper jam",
        "It says paper jam in tray 2, but there is no paper in it. I have opened all the doors.",
        (taken(0.5, "ravi"), done(1, "ravi")),
    ),
    DemoTicket(
        12, "david", MAIL, "No mail on the tablet in hall B",
        "The tablet asks for a new password since yesterday. I do not know the old one. It is the shared tablet "
        "at gate 2.",
        (taken(3, "ann"), done(26, "ann")),
    ),
    DemoTicket(
        13, "aisha", SOCIAL, "Three posts for the week of the fair",
        "Monday: we pack. Wednesday: our stand, hall 4, number 112. Friday: thank you to all visitors.\n\n"
        "I send a picture for each on the evening before.",
        (taken(5, "sam"), done(110, "sam")),
    ),
    DemoTicket(
        14, "peter", WEB, "Our site is not found under the old name",
        "www.old-name.example should lead to our site. It did until last week, now the browser says that the "
        "address does not exist.",
        (DemoStep(1, "ravi", status="In Progress", priority="high"), held(3, "ravi"), done(60, "ravi")),
    ),
    DemoTicket(
        15, "lucia", ACCESS, "Colleague leaves at the end of the month",
        "Please switch off all accounts of Karl Weiss on the 31st at noon and forward his mail to me for three "
        "months.",
        (taken(20, "ann"), held(22, "ann"), done(190, "ann")), priority="high",
    ),
    DemoTicket(
        16, "jonas", MAIL, "Signature with the new logo",
        "Is there a template? Everybody in sales has made an own one, and they all look different.",
        (DemoStep(30, "sam", assignee="ann"), DemoStep(31, "ann", status="In Progress"), done(100, "ann")),
        priority="low",
    ),
    DemoTicket(
        17, "maria", BOOKS, "Bank does not show up in QuickBooks",
        "The connection to the bank has run out. It wants a code that goes to a phone number we no longer have.",
        (DemoStep(2, "ann", status="In Progress", priority="high"), held(4, "ann"), done(75, "ann")),
    ),
    DemoTicket(
        18, "david", OTHER, "Clock of the time terminal is five minutes slow",
        "The terminal at gate 1 is five minutes behind. People notice it when they leave.",
        (taken(7, "ravi"), done(8, "ravi")), priority="low",
    ),
    DemoTicket(
        20, "aisha", OTHER, "Memory stick found in the car park",
        "It was lying beside the entrance, without a name. I did not put it into a computer. Who takes it?",
        (taken(0.3, "sam"), done(2, "sam")),
    ),
    DemoTicket(
        21, "peter", OTHER, "Headset for video calls",
        "One with a microphone that leaves out the noise of the room, please.",
        (taken(24, "ravi"), held(26, "ravi"), done(140, "ravi")), priority="low",
    ),
    DemoTicket(
        23, "lucia", WEB, "Please take down the advertisement for the warehouse job",
        "The job is taken. The page is under Careers.",
        (DemoStep(2, "ravi", status="In Progress"), done(3, "ravi")),
    ),
    DemoTicket(
        25, "jonas", ACCESS, "Key card does not open the side door",
        "The main entrance works. The side door blinks red. It worked until last Friday.",
        (taken(4, "ann", category=OTHER), done(30, "ann")),
    ),
    DemoTicket(
        27, "maria", MAIL, "Somebody writes in my name",
        "Two suppliers got a mail from \"me\" with a new bank account. It was not from me. The address has one "
        "letter more.",
        (taken(0.2, "sam", priority="urgent"), DemoStep(1, "sam", subject="Fraud: somebody writes in Maria's name"),
         done(48, "sam")), file="headers.txt",
    ),
    DemoTicket(
        30, "david", OTHER, "Old computers in the cellar",
        "Five old computers stand in the cellar of hall B since spring. May they go, or are there data on them?",
        (DemoStep(60, "sam", assignee="ravi"), DemoStep(65, "ravi", status="In Progress"), done(250, "ravi")),
        priority="low",
    ),
)  # fmt: skip
