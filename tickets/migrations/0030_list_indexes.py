from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0020_search_document"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="urgency_rank",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(priority="urgent", then=0),
                    models.When(priority="high", then=1),
                    models.When(priority="normal", then=2),
                    models.When(priority="low", then=3),
                ),
                output_field=models.SmallIntegerField(
                    help_text="0 is the most urgent.", verbose_name="urgency"
                ),
            ),
        ),
        migrations.AlterField(
            model_name="activitylog",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="who",
            ),
        ),
        migrations.AlterField(
            model_name="activitylog",
            name="ticket",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.DO_NOTHING,
                related_name="activities",
                to="tickets.ticket",
                verbose_name="ticket",
            ),
        ),
        migrations.AlterField(
            model_name="inboundemail",
            name="ticket",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.DO_NOTHING,
                related_name="inbound_emails",
                to="tickets.ticket",
                verbose_name="ticket",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="activity",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.PROTECT,
                related_name="notifications",
                to="tickets.activitylog",
                verbose_name="activity",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=models.SET_NULL,
                related_name="notifications",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="ticket",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.DO_NOTHING,
                related_name="notifications",
                to="tickets.ticket",
                verbose_name="ticket",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="assignee",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.PROTECT,
                related_name="assigned_tickets",
                to=settings.AUTH_USER_MODEL,
                verbose_name="assignee",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="category",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.PROTECT,
                related_name="tickets",
                to="tickets.category",
                verbose_name="category",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="requester",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.PROTECT,
                related_name="tickets",
                to=settings.AUTH_USER_MODEL,
                verbose_name="requester",
            ),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="status",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.PROTECT,
                related_name="tickets",
                to="tickets.status",
                verbose_name="status",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["status", "urgency_rank", "created_at", "id"],
                name="ticket_queue_by_status",
            ),
        ),
        migrations.AddIndex(
            model_name="activitylog",
            index=models.Index(fields=["verb", "-id"], name="activity_by_verb"),
        ),
        migrations.AddIndex(
            model_name="activitylog",
            index=models.Index(fields=["actor", "-id"], name="activity_by_actor"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["person", "-id"], name="notification_by_person"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["address", "-id"], name="notification_by_address"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["urgency_rank", "-updated_at", "-id"], name="ticket_by_priority"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["-updated_at", "-id"],
                name="ticket_open_by_change",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["urgency_rank", "created_at", "id"],
                name="ticket_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["assignee", "urgency_rank", "created_at", "id"],
                name="ticket_queue_by_assignee",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("assignee__isnull", True), ("done_at__isnull", True)),
                fields=["urgency_rank", "created_at", "id"],
                name="ticket_queue_unassigned",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["-created_at", "-id"],
                name="ticket_open_by_age",
            ),
        ),
    ]
