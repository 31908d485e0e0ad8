"""Every page there is, for axe and for screenshots: name -> (who looks, address)."""

from django.conf import settings
from django.contrib.auth.hashers import make_password

from accounts.models import Invitation, PeopleUpload, User
from accounts.roles import Role
from tickets.mail.writing import tokens
from tickets.models import ActivityLog, Category, Notification, Status, SuppressedAddress, Ticket
from tickets.tests.factories import held_mail

PEOPLE = b"""email,name,department,location,Cost centre
alice@example.com,Alice Moreau,Purchasing,Room 310,4711
new.colleague@example.com,New Colleague,Sales,,4712
somebody without an address,Nobody,,,4713
"""


def pages(tickets: dict[str, Ticket]) -> dict[str, tuple[str | None, str]]:
    """`tickets`: one of the requester in the phase new, and one that is done."""
    fresh, done = tickets["new"].pk, tickets["done"].pk
    held = held_mail()
    suppressed = SuppressedAddress.objects.get_or_create(
        address=tickets["done"].requester.email,
        defaults={"reason": "bounced", "detail": "550 5.1.1 No such user here"},
    )[0]
    log, mail = ActivityLog.objects.first().pk, Notification.objects.first()
    person = tickets["done"].requester_id
    supervisor = User.objects.filter(groups__name=Role.SUPERVISOR).order_by("pk").last()
    upload = PeopleUpload.objects.create(uploaded_by=supervisor, name="people.csv", content=PEOPLE)
    invited, _is_new = User.objects.get_or_create(
        email="not.invited@example.com",
        defaults={"full_name": "Not Invited Yet", "password": make_password(None)},
    )
    Invitation.objects.get_or_create(person=invited)
    links = [tokens.mute_link(fresh, person), *tokens.answer_links(done, person)]
    mute, fixed, not_fixed = (link.removeprefix(settings.SITE_URL) for link in links)
    found = {
        "home-visitor": (None, "/"),
        "about": (None, "/about/"),
        "login": (None, "/accounts/login/"),
        "signup": (None, "/accounts/signup/"),
        "password-reset": (None, "/accounts/password/reset/"),
        "password-reset-done": (None, "/accounts/password/reset/done/"),
        "password-reset-broken": (None, "/accounts/password/reset/key/1-x/"),
        "confirm-broken": (None, "/accounts/confirm-email/x:y:z/"),
        "confirm-sent": (None, "/accounts/confirm-email/"),
        "inactive": (None, "/accounts/inactive/"),
        "mute": (None, mute),
        "fixed": (None, fixed),
        "not-fixed": (None, not_fixed),
        "link-not-valid": (None, "/tickets/mute/x/"),
        "home-requester": ("requester", "/"),
        "list": ("requester", "/tickets/"),
        "list-nothing-found": ("requester", "/tickets/?q=xyzzy"),
        "new": ("requester", "/tickets/new/"),
        "ticket": ("requester", f"/tickets/{fresh}/"),
        "ticket-done": ("requester", f"/tickets/{done}/"),
        "edit": ("requester", f"/tickets/{fresh}/edit/"),
        "withdraw": ("requester", f"/tickets/{fresh}/delete/"),
        "profile": ("requester", "/accounts/profile/"),
        "mail-preferences": ("requester", "/accounts/profile/mail/"),
        "mail-preferences-staff": ("agent", "/accounts/profile/mail/"),
        "mail-address": ("requester", "/accounts/reauthenticate/?next=/accounts/email/"),
        "password-change": ("requester", "/accounts/password/change/"),
        "404": ("requester", "/tickets/999999/"),
        "403": ("requester", "/admin/login/"),
        "home-staff": ("agent", "/"),
        "list-staff": ("agent", "/tickets/"),
        "ticket-staff": ("agent", f"/tickets/{fresh}/"),
        "admin": ("supervisor", "/admin/"),
        "admin-queue": ("supervisor", "/admin/tickets/ticket/"),
        "admin-ticket": ("supervisor", f"/admin/tickets/ticket/{done}/change/"),
        "admin-ticket-new": ("supervisor", "/admin/tickets/ticket/add/"),
        "admin-ticket-delete": ("supervisor", f"/admin/tickets/ticket/{fresh}/delete/"),
        "admin-saved-replies": ("supervisor", "/admin/tickets/savedreply/"),
        "admin-saved-reply-new": ("supervisor", "/admin/tickets/savedreply/add/"),
        "admin-macros": ("agent", "/admin/tickets/macro/"),
        "admin-macro-new": ("supervisor", "/admin/tickets/macro/add/"),
        "admin-ticket-open": ("supervisor", f"/admin/tickets/ticket/{fresh}/change/"),
        "admin-ticket-merge": ("supervisor", f"/admin/tickets/ticket/{fresh}/merge/"),
        "admin-reports": ("supervisor", "/admin/tickets/ticket/reports/"),
        "admin-views": ("supervisor", "/admin/tickets/savedview/"),
        "admin-people": ("supervisor", "/admin/accounts/user/"),
        "admin-people-import": ("supervisor", "/admin/accounts/user/import/"),
        "admin-people-preview": ("supervisor", f"/admin/accounts/user/import/{upload.pk}/"),
        "admin-people-invite": ("supervisor", "/admin/accounts/user/invite/"),
        "admin-person": ("supervisor", f"/admin/accounts/user/{tickets['new'].requester_id}/change/"),
        "admin-person-new": ("supervisor", "/admin/accounts/user/add/"),
        "admin-categories": ("supervisor", "/admin/tickets/category/"),
        "admin-category": ("supervisor", f"/admin/tickets/category/{Category.objects.first().pk}/change/"),
        "admin-statuses": ("supervisor", "/admin/tickets/status/"),
        "admin-status": ("supervisor", f"/admin/tickets/status/{Status.objects.first().pk}/change/"),
        "admin-log": ("supervisor", "/admin/tickets/activitylog/"),
        "admin-activity": ("supervisor", f"/admin/tickets/activitylog/{log}/change/"),
        "admin-mails": ("supervisor", "/admin/mail/?period=30"),
        "admin-mails-part": ("agent", "/admin/mail/?part=out.waiting"),
        "admin-suppressed": ("supervisor", "/admin/tickets/suppressedaddress/"),
        "admin-suppressed-one": ("supervisor", f"/admin/tickets/suppressedaddress/{suppressed.pk}/change/"),
        "admin-outbox": ("supervisor", "/admin/tickets/notification/"),
        "admin-mail-in": ("supervisor", "/admin/tickets/inboundemail/"),
        "admin-mail-held": ("agent", f"/admin/tickets/inboundemail/{held.pk}/change/"),
        "admin-mail-html": ("agent", f"/admin/tickets/inboundemail/{held.pk}/change/?html"),
        "admin-blocked": ("supervisor", "/admin/tickets/blockedsender/"),
    }
    if mail:
        found["admin-mail"] = ("supervisor", f"/admin/tickets/notification/{mail.pk}/change/")
        found["admin-mail-raw"] = ("agent", f"/admin/tickets/notification/{mail.pk}/raw/")
    return found
