"""What the administrator of a Microsoft tenant has to run, to copy, with the values of a mailbox."""

import re

from tickets.models import Mailbox

# RBAC for Applications limits the application to one mailbox. It needs the object ID of the enterprise
# application, not of the app registration.
CLIENT_ID = re.compile(r"[0-9A-Fa-f-]{1,64}", re.ASCII)
OBJECT_ID = "<object ID of the enterprise application>"
GRAPH = """\
Connect-ExchangeOnline
New-ServicePrincipal -AppId {client_id} -ObjectId {object_id} -DisplayName Helpdesk
New-ManagementScope -Name Helpdesk -RecipientRestrictionFilter "PrimarySmtpAddress -eq '{address}'"
New-ManagementRoleAssignment -App {client_id} -Role "Application Mail.Send" -CustomResourceScope Helpdesk
New-ManagementRoleAssignment -App {client_id} -Role "Application Mail.ReadWrite" -CustomResourceScope Helpdesk
Test-ServicePrincipalAuthorization -Identity {client_id} -Resource {address}"""
# IMAP and SMTP are outside of that RBAC; the permission on the mailbox is the limit there.
IMAP = """\
Connect-ExchangeOnline
New-ServicePrincipal -AppId {client_id} -ObjectId {object_id} -DisplayName Helpdesk
Add-MailboxPermission -Identity {address} -User {object_id} -AccessRights FullAccess"""


def exchange_commands(mailbox: Mailbox) -> str:
    """The commands for Exchange Online PowerShell; "" for other mailboxes."""
    if mailbox.auth != Mailbox.Auth.MICROSOFT_APP:
        return ""
    is_graph = Mailbox.Sending.GRAPH in (mailbox.sends_by, mailbox.fetches_by)
    text = GRAPH if is_graph else IMAP
    is_id = CLIENT_ID.fullmatch(mailbox.client_id)  # nothing else is pasted into a shell
    values = {"client_id": mailbox.client_id if is_id else "<client ID>", "address": mailbox.address}
    return text.format(**values, object_id=OBJECT_ID)
