import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0145_mailboxes")]

    operations = [
        migrations.AlterField(
            model_name="inboundemail",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("own_address", "It was sent from an address of the helpdesk."),
                    ("bounce", "It reports that an email could not be delivered."),
                    ("automatic", "It is an automatic reply."),
                    ("list", "It was sent to a mailing list."),
                    ("canary", "It is a test email of the helpdesk."),
                    ("blocked", "The sender is blocked."),
                    ("discarded", "It was discarded by staff."),
                    ("not_authentic", "Sender could not be verified."),
                    ("wrong_sender", "The reply is not from the person who was emailed."),
                    ("bad_signature", "The ticket number in the address is not signed."),
                    ("unknown_sender", "No one here has the sender's address."),
                    ("sender_left", "The sender's account is deactivated."),
                    ("asked", "The sender is new here: let them in?"),
                    ("ambiguous", "It could belong to several tickets."),
                    ("only_copy", "The helpdesk was only in copy."),
                    ("repeated", "Another email has the same Message-ID."),
                    (
                        "too_many",
                        "Too many emails arrived within an hour. Two systems may be replying to each other.",
                    ),
                    ("too_complex", "It is too large or too deeply nested to open."),
                    ("error", "The helpdesk could not read it."),
                    ("interrupted", "The process stopped each time it read this email."),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="inboundemail",
            name="route",
            field=models.CharField(
                choices=[
                    ("mailgun", "Mailgun"),
                    ("command", "receive_mail"),
                    ("imap", "IMAP"),
                    ("graph", "Microsoft Graph"),
                ],
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.AddField(
            model_name="inboundemail",
            name="mailbox",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="inbound_emails",
                to="tickets.mailbox",
                verbose_name="mailbox",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="mailbox",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Blank: the default mailbox, or the provider of the settings.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="notifications",
                to="tickets.mailbox",
                verbose_name="mailbox",
            ),
        ),
        migrations.AddField(
            model_name="ticket",
            name="mailbox",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="tickets.mailbox",
                verbose_name="mailbox",
            ),
        ),
    ]
