"""tickets.rules.calendar.working_seconds() in the SQL of PostgreSQL."""

from django.conf import settings
from django.db.models import BigIntegerField, DateTimeField, Func

from tickets.rules.calendar import ORIGIN


class Local(Func):
    """A time in the helpdesk's time zone."""

    arity = 1
    template = "(%(expressions)s AT TIME ZONE '%(zone)s')"
    output_field = DateTimeField()

    def __init__(self, expression):
        super().__init__(expression, zone=settings.TIME_ZONE.replace("'", ""))


class WorkingSeconds(Func):
    """WorkingSeconds("filed", "ended"): the business hours between two Local columns, in seconds."""

    arity = 2
    output_field = BigIntegerField()

    def as_postgresql(self, compiler, connection, **context):
        start, end = (compiler.compile(expression) for expression in self.get_source_expressions())
        sql = f"({self._worked(end[0])} - {self._worked(start[0])})"
        return sql, (*end[1], *start[1])

    @staticmethod
    def _worked(local: str) -> str:
        """The business hours since ORIGIN in seconds, as SQL. Contains no user input."""
        opens, closes = settings.WORKING_HOURS
        days = settings.WORKING_DAYS
        before = ",".join(str(sum(day < weekday for day in days)) for weekday in range(7))
        flags = ",".join(str(int(weekday in days)) for weekday in range(7))
        # Seconds of more than about 280 years exceed an integer.
        day = f"({local}::date - DATE '{ORIGIN}')::bigint"
        # date_part() returns a float; EXTRACT returns a numeric, which is much slower.
        second = f"FLOOR(date_part('epoch', {local}::time))::integer"
        weekday = f"({day} %% 7 + 1)"
        return (
            f"(({day} / 7 * {len(days)} + (ARRAY[{before}])[{weekday}]) * {closes - opens}"  # noqa: S608
            f" + (ARRAY[{flags}])[{weekday}] * LEAST(GREATEST({second} - {opens}, 0), {closes - opens}))"
        )
