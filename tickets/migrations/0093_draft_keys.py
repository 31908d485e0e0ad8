"""Drafts of before get a key each; the column came with one for all. Backwards the newest of a place stays."""

import uuid

from django.db import migrations


def give_keys(apps, schema_editor):
    drafts = apps.get_model("tickets", "Draft").objects
    for number in drafts.values_list("pk", flat=True).iterator():
        drafts.filter(pk=number).update(key=uuid.uuid4())


def leave_one_of_a_place(apps, schema_editor):
    drafts, seen = apps.get_model("tickets", "Draft").objects, set()
    for draft in drafts.order_by("-updated_at", "-pk"):
        place = (draft.person_id, draft.ticket_id, draft.kind)
        if place in seen or not draft.body or not draft.ticket_id or draft.kind not in ("reply", "note"):
            draft.delete()
        seen.add(place)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0092_drafts_by_form")]

    operations = [migrations.RunPython(give_keys, leave_one_of_a_place, elidable=True)]
