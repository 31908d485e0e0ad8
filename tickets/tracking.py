"""Models whose every write is logged, and the guards on the ways around it.

save() and delete() of a TrackedModel are atomic and ring signals.py, which logs. What would change rows
without ringing (update, bulk_update, bulk_create, add() on a reverse relation) raises UnloggedWrite.
Two doors are for many rows: change() saves one by one; bulk_load() inserts at once and has its caller log.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.db import models, transaction


class UnloggedWrite(TypeError):
    """A write that would leave no trace in the activity log."""

    def __init__(self, model: type, method: str):
        super().__init__(
            f"{model.__name__}.objects.{method}() would leave no trace in the activity log. "
            f"Use change(), or save() the rows one by one."
        )


class TrackedQuerySet(models.QuerySet):
    def update(self, **values: Any) -> int:
        if self.model.tracked_names() & values.keys():
            raise UnloggedWrite(self.model, "update")
        return super().update(**values)

    update.alters_data = True

    def bulk_create(self, *args, **kwargs):
        raise UnloggedWrite(self.model, "bulk_create")

    def bulk_update(self, objs, fields, batch_size=None):
        if self.model.tracked_names() & set(fields):
            raise UnloggedWrite(self.model, "bulk_update")
        return super().bulk_update(objs, fields, batch_size)

    @transaction.atomic
    def change(self, **values: Any) -> int:
        """Sets `values` on every row, each saved and logged like a single act. Returns how many rows."""
        rows = list(self.select_related(None).order_by("pk").select_for_update())
        for row in rows:
            for name, value in values.items():
                setattr(row, name, value)
            row.save()
        return len(rows)

    change.alters_data = True

    @transaction.atomic
    def bulk_load(
        self, rows: Iterable[models.Model], *, record: Callable[[list], None], batch_size: int = 1000
    ) -> list:
        """The audited door for bulk work: inserts `rows` and has `record` log them, both or neither.

        Sends no signals, so nobody is mailed. Returns the rows with their primary keys.
        """
        created = super().bulk_create(rows, batch_size=batch_size)
        record(created)
        return created

    bulk_load.alters_data = True


class TrackedModel(models.Model):
    """TRACKED: fields whose changes are logged. STAMPS: fields that stamp() sets with every save.

    FOLLOWING: tracked fields that stamp() may set, whichever others are saved.
    """

    TRACKED: ClassVar[tuple[str, ...]] = ()
    STAMPS: ClassVar[tuple[str, ...]] = ()
    FOLLOWING: ClassVar[tuple[str, ...]] = ()

    objects = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *, force_insert=False, force_update=False, using=None, update_fields=None):
        if update_fields is None and not force_insert:
            update_fields = self._loaded_names()
        self._asked = frozenset(update_fields) if update_fields else None
        if update_fields:
            update_fields = {*update_fields, *self.STAMPS, *self.FOLLOWING}
        with transaction.atomic(using=using):
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=update_fields,
            )

    def _loaded_names(self) -> set[str] | None:
        """The fields to save of a row that was loaded in part, as Django has it; None: all of them."""
        deferred = self.get_deferred_fields()
        if not deferred or self._state.adding:
            return None
        fields = (field for field in self._meta.concrete_fields if not field.primary_key)
        return {field.attname for field in fields if not field.generated} - deferred

    @classmethod
    def tracked_names(cls) -> set[str]:
        """Every way to spell a tracked field: its name and its column's."""
        return {spelling for name in cls.TRACKED for spelling in (name, cls._meta.get_field(name).attname)}

    @property
    def logged_ticket_id(self) -> int:
        """The number of the ticket whose log this row's changes belong to."""
        raise NotImplementedError

    def stored_values(self, *, lock: bool = False) -> dict[str, Any] | None:
        """The tracked fields and stamps as the database has them now, by attribute name; None: no such row.

        With `lock` the row stays locked to the end of the transaction. Values remembered from load time
        would be wrong under racing writers.
        """
        if self.pk is None:
            return None
        attributes = [self._meta.get_field(name).attname for name in (*self.TRACKED, *self.STAMPS)]
        row = type(self)._base_manager.filter(pk=self.pk).values(*attributes)
        return (row.select_for_update() if lock else row).first()

    def stamp(self, before: dict[str, Any] | None) -> None:
        """Sets what follows from this save; `before` are stored_values(), None for a new row."""

    def changed_since(self, before: dict[str, Any], update_fields: frozenset | None = None) -> bool:
        """Whether saving would change a tracked field of the row that was stored as `before`."""
        unwritten = self.unwritten_names(update_fields)
        attributes = {self._meta.get_field(name).attname for name in self.TRACKED} - unwritten
        return any(getattr(self, attribute) != before[attribute] for attribute in attributes)

    def unwritten_names(self, update_fields: frozenset | None) -> set[str]:
        """The tracked fields that a save of `update_fields` leaves as they are, by attribute name."""
        if update_fields is None:
            return set()
        fields = [self._meta.get_field(name) for name in self.TRACKED]
        return {field.attname for field in fields if not {field.name, field.attname} & set(update_fields)}


def remember(instance: TrackedModel, update_fields: frozenset | None = None) -> None:
    """First half of hop 1: locks the stored row, keeps its values and sets the stamps."""
    for name in instance.TRACKED:  # compared with the row as it will be stored, see OneLineField
        instance._meta.get_field(name).pre_save(instance, instance._state.adding)
    before = instance._before = instance.stored_values(lock=True)
    # What the caller saves, without what save() adds to it because stamp() may set it.
    update_fields = instance.__dict__.pop("_asked", None) or update_fields
    if before is not None:
        # The instance may be older than the row: stamps never go back.
        for name in instance.STAMPS:
            setattr(instance, name, before[name])
        # Nor do stamps follow from an old value that this save does not write.
        for name in instance.unwritten_names(update_fields):
            setattr(instance, name, before[name])
    if before is None or instance.changed_since(before, update_fields):
        instance.stamp(before)


def recall(instance: TrackedModel) -> dict[str, Any] | None:
    """What remember() kept."""
    return instance.__dict__.pop("_before", None)
