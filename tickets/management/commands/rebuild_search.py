from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q
from tqdm import tqdm

from tickets.management.limits import lift_time_limits
from tickets.models import SubjectWord, Ticket
from tickets.models.search_document import EDITION
from tickets.search import documents

MISSING = Q(search_document=None) | Q(search_document__edition__lt=EDITION)


class Command(BaseCommand):
    help = (
        "Makes the words that tickets are found by anew, while the helpdesk goes on working. May be stopped "
        "and started again at any time. Needed once after an upgrade that brings search, and when "
        "SEARCH_LANGUAGE is changed."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--missing",
            action="store_true",
            help="Only tickets that can't be found yet, or by less than a newer version files.",
        )

    def handle(self, *args, missing, **options):
        lift_time_limits()
        tickets = Ticket.objects.filter(MISSING) if missing else Ticket.objects.all()
        # Delete words that no subject contains any more at the end, so that suggestions work meanwhile.
        outdated = set() if missing else set(SubjectWord.objects.values_list("word", flat=True))
        last = done = 0
        with tqdm(total=tickets.count(), unit=" tickets", disable=None) as bar:
            while batch := self.batch_after(last, tickets):
                with transaction.atomic():
                    documents.build(batch)
                outdated -= documents.suggested(self.subjects(batch))
                last, done = batch[-1], done + len(batch)
                bar.update(len(batch))
        words = sorted(outdated)
        for start in range(0, len(words), documents.BATCH):
            SubjectWord.objects.filter(word__in=words[start : start + documents.BATCH]).delete()
        tickets = "1 ticket" if done == 1 else f"{done} tickets"
        self.stdout.write(f"The words of {tickets} are ready to be searched.")

    def batch_after(self, last: int, tickets) -> list[int]:
        numbers = tickets.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        return list(numbers[: documents.BATCH])

    def subjects(self, numbers: list[int]):
        return Ticket.objects.filter(pk__in=numbers).order_by().values_list("subject", flat=True)
