from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0042_handover_log_start"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboundemail",
            name="next_try_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="next try"),
        ),
        migrations.AlterField(
            model_name="inboundemail",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("own_address", "It comes from an address of the helpdesk itself."),
                    ("bounce", "It tells that a mail could not be delivered."),
                    ("automatic", "A machine answered."),
                    ("list", "It went to a mailing list."),
                    ("canary", "The helpdesk tested its own mail."),
                    ("blocked", "The sender is blocked."),
                    ("discarded", "Staff have discarded it."),
                    ("not_authentic", "Sender could not be verified."),
                    ("wrong_sender", "Somebody else answers than the person who was asked."),
                    ("bad_signature", "The ticket's number in the address is not signed."),
                    ("unknown_sender", "Nobody here has the sender's address."),
                    ("repeated", "Another mail came with the same Message-ID."),
                    ("too_many", "Too many mails came within an hour. Two machines may answer each other."),
                    ("too_complex", "It is too large or too deeply nested to be opened."),
                    ("error", "The helpdesk failed to read it."),
                    ("interrupted", "The process ended each time while it read this email."),
                ],
                max_length=20,
                verbose_name="why",
            ),
        ),
    ]
