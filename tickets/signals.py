"""The wiring of the pipe, all of it: connect() and thin receivers. Imported by apps.py only.

Receivers are doorbells: each calls one function, holds no rule and saves no tracked model.
"""

from anymail.signals import tracking as delivery_tracked
from django.contrib.auth import get_user_model, user_logged_in
from django.db import connections
from django.db.models.signals import post_delete, post_migrate, post_save, pre_delete, pre_migrate, pre_save

from accounts.events import account_mail_requested, people_renamed, records_asked, rights_changed
from tickets.actions import drafts, handing_over
from tickets.files import pictures
from tickets.history import recording
from tickets.mail.sending import delivery_events, waking
from tickets.management.limits import lift_time_limits, restore_time_limits
from tickets.models import Attachment, Handover, Notification, records, tracking, triggers
from tickets.models.tracking import TrackedModel
from tickets.notifications import outbox
from tickets.rules.events import activity_recorded, notifications_queued
from tickets.search import documents


def connect() -> None:
    # Without a sender: a receiver connected with sender=Ticket would be deaf to a proxy of Ticket.
    pre_save.connect(remember_row, dispatch_uid="tickets.remember_row.save")
    post_save.connect(log_save, dispatch_uid="tickets.log_save")
    pre_delete.connect(remember_row, dispatch_uid="tickets.remember_row.delete")
    post_delete.connect(log_delete, dispatch_uid="tickets.log_delete")
    post_delete.connect(discard_file, sender=Attachment, dispatch_uid="tickets.discard_file")
    post_save.connect(draw_picture, sender=Attachment, dispatch_uid="tickets.draw_picture")
    activity_recorded.connect(queue_mail, dispatch_uid="tickets.queue_mail")
    post_save.connect(wake_delivery, sender=Notification, dispatch_uid="tickets.wake_delivery")
    notifications_queued.connect(wake_deliveries, dispatch_uid="tickets.wake_deliveries")
    post_save.connect(tell_of_handover, sender=Handover, dispatch_uid="tickets.tell_of_handover")
    activity_recorded.connect(index_words, dispatch_uid="tickets.index_words")
    pre_save.connect(remember_person, sender=get_user_model(), dispatch_uid="tickets.remember_person")
    post_save.connect(index_person, sender=get_user_model(), dispatch_uid="tickets.index_person")
    people_renamed.connect(index_people, dispatch_uid="tickets.index_people")
    account_mail_requested.connect(queue_account_mail, dispatch_uid="tickets.queue_account_mail")
    rights_changed.connect(update_handover, dispatch_uid="tickets.update_handover")
    records_asked.connect(tell_records, dispatch_uid="tickets.tell_records")
    user_logged_in.connect(keep_drafts, dispatch_uid="tickets.keep_drafts")
    delivery_tracked.connect(note_delivery, dispatch_uid="tickets.note_delivery")
    pre_migrate.connect(begin_migrations, dispatch_uid="tickets.begin_migrations")
    post_migrate.connect(end_migrations, dispatch_uid="tickets.end_migrations")
    post_migrate.connect(restore_triggers, dispatch_uid="tickets.restore_triggers")


def remember_row(sender, instance, raw=False, update_fields=None, **kwargs):
    if isinstance(instance, TrackedModel) and not raw:
        tracking.remember(instance, update_fields)


def log_save(sender, instance, raw=False, **kwargs):
    if isinstance(instance, TrackedModel) and not raw:
        recording.record(instance, before=tracking.recall(instance), after=tracking.saved_values(instance))


def log_delete(sender, instance, **kwargs):
    if isinstance(instance, TrackedModel):
        recording.record(instance, before=tracking.recall(instance), after=None)


def discard_file(sender, instance, **kwargs):
    instance.discard_file()


def draw_picture(sender, instance, raw=False, **kwargs):
    if not raw:
        pictures.wake(instance)


def queue_mail(sender, activities, **kwargs):
    outbox.enqueue_all(activities)


def wake_delivery(sender, instance, created, raw=False, **kwargs):
    if created and not raw:
        waking.wake_for(instance)


def wake_deliveries(sender, notifications, **kwargs):
    for notification in notifications:
        waking.wake_for(notification)


def tell_of_handover(sender, instance, raw=False, **kwargs):
    if instance.done_at and not raw:
        outbox.enqueue_handover(instance)


def index_words(sender, activities, **kwargs):
    for activity in activities:
        documents.note(activity)


def remember_person(sender, instance, raw=False, update_fields=None, **kwargs):
    if not raw:
        documents.remember_person(instance, update_fields)


def index_person(sender, instance, raw=False, **kwargs):
    if not raw:
        documents.note_person(instance)


def index_people(sender, people, **kwargs):
    documents.note_people(people)


def queue_account_mail(sender, person, kind, address, **kwargs):
    outbox.enqueue_account_mail(person, kind, address=address)


def update_handover(sender, person, worked, **kwargs):
    handing_over.update_handover(person, worked=worked)


def tell_records(sender, person, **kwargs):
    return records.kinds_of_records(person)


def note_delivery(sender, event, **kwargs):
    delivery_events.note(event)


def begin_migrations(sender, **kwargs):
    lift_time_limits()


def end_migrations(sender, **kwargs):
    restore_time_limits()


def restore_triggers(sender, using, **kwargs):
    triggers.restore(connections[using])


def keep_drafts(sender, request, user, **kwargs):
    drafts.keep_after_login(request.session, user)
