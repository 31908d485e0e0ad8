"""The rows of the admin's lists are the same as those of Django's own tag (helpdesk.lists.staff_list)."""

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import result_list
from django.urls import reverse

from helpdesk.lists.admin import StaffListMixin
from helpdesk.lists.staff_list import staff_list
from tickets.models import (
    BlockedSender,
    KnownDomain,
    Macro,
    Mailbox,
    SavedReply,
    SavedView,
    SuppressedAddress,
)
from tickets.tests.factories import held_mail, make_ticket

pytestmark = pytest.mark.django_db
LISTS = [model for model, shown in admin.site._registry.items() if isinstance(shown, StaffListMixin)]
TEXT = "<b>{0} {url}</b> & %s"


@pytest.fixture
def one_of_each(alice, ann, root):
    make_ticket(alice, subject=TEXT, assignee=ann, priority="urgent")
    make_ticket(alice, subject=TEXT, phase="done")
    held_mail(Subject=TEXT)
    SavedReply.objects.create(title=TEXT, body=TEXT, owner=root)
    Macro.objects.create(title=TEXT, body=TEXT)
    SavedView.objects.create(name=TEXT, query="who=all", owner=root)
    BlockedSender.objects.create(address="a@example.com", blocked_by=ann)
    KnownDomain.objects.create(domain="example.com", department=TEXT)
    Mailbox.objects.create(name=TEXT, address="it@example.com")
    SuppressedAddress.objects.create(address="b@example.com", reason=SuppressedAddress.Reason.BOUNCED)


@pytest.mark.parametrize("model", LISTS)
def test_rows_are_those_of_djangos_own_tag(client_of, root, one_of_each, model):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    changelist = client_of(root).get(f"{url}?{'q=url' if model.__name__ == 'Ticket' else ''}").context["cl"]
    ours, theirs = (
        # Each of our cells has its own direction.
        ["".join(map(str, row)).replace(' dir="auto">', ">") for row in tag(changelist)["results"]]
        for tag in (staff_list, result_list)
    )
    assert ours == theirs != []


def test_chosen_order_is_marked(client_of, ann, one_of_each):
    content = client_of(ann).get("/admin/tickets/ticket/?who=all&o=-8").content.decode()
    assert 'aria-current="true">Newest ticket first</a>' in content
    assert content.count('aria-current="true"') == 1
