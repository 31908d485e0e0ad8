from django.db import migrations

CATEGORIES = [
    ("Email Support", "Mailboxes, calendars, Outlook, spam and phishing."),
    ("Website Support", "Something on our website is wrong, slow or needs a change."),
    ("Access Support", "Passwords, accounts, shared folders, VPN, building access."),
    ("QuickBooks Support", "Invoices, payroll, reports and errors in QuickBooks."),
    ("Social Media Post", "Ask for a post, a change of one, or a picture for it."),
    ("Other", "Computers, phones, printers, and all you can't place elsewhere."),
]
STATUSES = [
    ("Submitted", "new", "blue"),
    ("In Progress", "active", "teal"),
    ("On Hold", "waiting", "amber"),
    ("Done", "done", "grey"),
]


def add(apps, schema_editor):
    Category, Status = apps.get_model("tickets", "Category"), apps.get_model("tickets", "Status")
    for position, (name, description) in enumerate(CATEGORIES, start=1):
        Category.objects.get_or_create(name=name, defaults={"description": description, "position": position})
    for position, (name, phase, colour) in enumerate(STATUSES, start=1):
        defaults = {"phase": phase, "colour": colour, "position": position, "is_default": True}
        Status.objects.get_or_create(name=name, defaults=defaults)


def remove(apps, schema_editor):
    """Takes away the ones that no ticket uses; the others are somebody's data."""
    Category, Status = apps.get_model("tickets", "Category"), apps.get_model("tickets", "Status")
    Category.objects.filter(name__in=[name for name, _ in CATEGORIES], tickets__isnull=True).delete()
    Status.objects.filter(name__in=[name for name, _, _ in STATUSES], tickets__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
