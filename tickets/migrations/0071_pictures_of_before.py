"""Pictures that were sent before pages showed any wait to be drawn; the worker does so bit by bit."""

from django.db import migrations

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def let_wait(apps, schema_editor):
    attachments = apps.get_model("tickets", "Attachment")._base_manager
    attachments.filter(content_type__in=PICTURES).update(picture_state="waiting")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0070_pictures")]

    operations = [migrations.RunPython(let_wait, migrations.RunPython.noop, elidable=True)]
