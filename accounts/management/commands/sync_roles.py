from django.core.management.base import BaseCommand, CommandError

from accounts import roles


class Command(BaseCommand):
    help = "Gives the roles requester, agent and supervisor the permissions that accounts/roles.py says."

    def handle(self, *args, **options):
        try:
            changed = roles.sync()
        except LookupError as error:
            raise CommandError(str(error)) from error
        if changed:
            self.stdout.write(f"The roles are up to date. {changed} permissions were changed.")
        else:
            self.stdout.write("The roles were up to date already.")
