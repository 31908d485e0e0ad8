"""The interval that contains a time, in SQL."""

from collections.abc import Iterable

from django.db.models import Func, IntegerField


class Interval(Func):
    """The number of the interval that contains a time: 1 from the first boundary on, 2 from the second."""

    output_field = IntegerField()

    def __init__(self, expression, *, boundaries: Iterable = (), **extra):
        super().__init__(expression, **extra)
        self.boundaries = list(boundaries)

    def as_sql(self, compiler, connection):
        """Counts the boundaries that are not after the time."""
        sql, params = compiler.compile(self.source_expressions[0])
        texts = [connection.ops.adapt_datetimefield_value(boundary) for boundary in self.boundaries]
        counted = " + ".join([f"({sql} >= %s)"] * len(texts))
        return f"({counted})", [item for text in texts for item in (*params, text)]

    def as_postgresql(self, compiler, connection):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"width_bucket({sql}, %s::timestamptz[])", (*params, self.boundaries)
