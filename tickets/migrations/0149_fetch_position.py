from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0148_answers_of_mailboxes")]

    operations = [
        migrations.AddField(
            model_name="mailboxstate",
            name="checked_until_uid",
            field=models.BigIntegerField(
                default=0,
                help_text="Up to this UID, emails are only read if they arrived after that moment.",
                verbose_name="checked up to UID",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="next_move_at",
            field=models.DateTimeField(null=True, verbose_name="next try to move emails"),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="rebuilt_at",
            field=models.DateTimeField(null=True, verbose_name="folder rebuilt"),
        ),
    ]
