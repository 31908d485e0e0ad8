"""Models whose every write is logged, and guards against writes that bypass the log.

save() and delete() of a TrackedModel are atomic and send the signals that signals.py connects to the log.
Methods that change rows without signals (update, bulk_update, bulk_create, add() on a reverse relation) raise
UnloggedWrite. Two methods change many rows: change() saves one by one; bulk_load() inserts at once and lets
the caller write the log.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar

from django.db import models, transaction


class UnloggedWrite(TypeError):
    """A write that would leave no trace in the activity log."""

    def __init__(self, model: type, method: str):
        super().__init__(
            f"{model.__name__}.objects.{method}() would leave no trace in the activity log. "
            f"Use change(), or save() the rows one by one."
        )


# The stored values of locked rows, by model and primary key; see locked().
_locked: ContextVar[dict[tuple[type, Any], dict[str, Any]] | None] = ContextVar("locked", default=None)


@contextmanager
def locked(rows: Iterable["TrackedModel"]) -> Iterator[None]:
    """Saves `rows` without reading them again, within a transaction that has locked and read them.

    Nobody else can change them before it ends, so the database has what was read and what was saved since.
    A save that refuses does so before it writes; every other error has to end the whole transaction.
    """
    token = _locked.set({row._key: row.values_in_memory() for row in rows})
    try:
        yield
    finally:
        _locked.reset(token)


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
        """Sets `values` on every row.

        Saves and logs each row like a single change. Returns the number of rows.
        """
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
        """Inserts `rows` and lets `record` log them, both or neither.

        Sends no signals, so no one is notified. Returns the rows with their primary keys.
        """
        created = super().bulk_create(rows, batch_size=batch_size)
        record(created)
        return created


class TrackedModel(models.Model):
    """TRACKED: fields whose changes are logged. STAMPS: fields that stamp() sets with every save.

    FOLLOWING: tracked fields that stamp() may set, whatever fields are saved.
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
        with nullcontext() if self._is_locked else transaction.atomic(using=using):
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=update_fields,
            )

    def _loaded_names(self) -> set[str] | None:
        """Returns the fields to save of an instance with deferred fields, as Django would; None:
        all of them.
        """
        deferred = self.get_deferred_fields()
        if not deferred or self._state.adding:
            return None
        fields = (field for field in self._meta.concrete_fields if not field.primary_key)
        return {field.attname for field in fields if not field.generated} - deferred

    @classmethod
    def tracked_names(cls) -> set[str]:
        """Returns all names of the tracked fields: field names and attribute names."""
        return {spelling for name in cls.TRACKED for spelling in (name, cls._meta.get_field(name).attname)}

    @property
    def logged_ticket_id(self) -> int:
        """Returns the primary key of the ticket whose log records this row's changes."""
        raise NotImplementedError

    def stored_values(self) -> dict[str, Any] | None:
        """Returns the tracked fields and stamps as stored now, by attribute name. None if there is no row.

        Locks the row until the end of the transaction. Values remembered from load time would be wrong under
        concurrent writes.
        """
        if self.pk is None:
            return None
        if self._is_locked:
            return dict(_locked.get()[self._key])
        return self._values_of_row()

    def _values_of_row(self) -> dict[str, Any] | None:
        row = type(self)._base_manager.filter(pk=self.pk).values(*self._remembered())
        return row.select_for_update().first()

    @classmethod
    def _remembered(cls) -> list[str]:
        """Returns the attribute names of the tracked fields and stamps."""
        return [cls._meta.get_field(name).attname for name in (*cls.TRACKED, *cls.STAMPS)]

    @property
    def _key(self) -> tuple[type, Any]:
        return self._meta.concrete_model, self.pk

    @property
    def _is_locked(self) -> bool:
        """Whether locked() knows the stored values."""
        return self._key in (_locked.get() or ())

    def values_in_memory(self) -> dict[str, Any]:
        """Returns the tracked fields and stamps of this instance, like stored_values()."""
        return {attribute: self._in_memory(attribute) for attribute in self._remembered()}

    def _in_memory(self, attribute: str) -> Any:
        value = getattr(self, attribute)
        if hasattr(value, "resolve_expression"):
            return value
        return self._meta.get_field(attribute).to_python(value)

    def stamp(self, before: dict[str, Any] | None) -> None:
        """Sets the fields that follow from this save. `before` is stored_values(), None for a new row."""

    def changed_since(self, before: dict[str, Any], update_fields: frozenset | None = None) -> bool:
        """Whether saving would change a tracked field compared to the stored values `before`."""
        unwritten = self.unwritten_names(update_fields)
        attributes = {self._meta.get_field(name).attname for name in self.TRACKED} - unwritten
        return any(getattr(self, attribute) != before[attribute] for attribute in attributes)

    def unwritten_names(self, update_fields: frozenset | None) -> set[str]:
        """Returns the attribute names of the tracked fields that a save of `update_fields` does not write."""
        if update_fields is None:
            return set()
        fields = [self._meta.get_field(name) for name in self.TRACKED]
        return {field.attname for field in fields if not {field.name, field.attname} & set(update_fields)}


def remember(instance: TrackedModel, update_fields: frozenset | None = None) -> None:
    """First half of hop 1: locks the stored row, remembers its values and sets the stamps."""
    for name in instance.TRACKED:  # compared with the value as it will be stored, see OneLineField
        instance._meta.get_field(name).pre_save(instance, instance._state.adding)
    before = instance._before = instance.stored_values()
    # The fields that the caller saves, without those that save() adds because stamp() may set them.
    update_fields = instance.__dict__.pop("_asked", None) or update_fields
    if before is not None:
        # The instance may be older than the row. Stamps never go back.
        for name in instance.STAMPS:
            setattr(instance, name, before[name])
        # Stamps do not follow from an old value that this save does not write.
        for name in instance.unwritten_names(update_fields):
            setattr(instance, name, before[name])
    if before is None or instance.changed_since(before, update_fields):
        instance.stamp(before)


def saved_values(instance: TrackedModel) -> dict[str, Any] | None:
    """Returns the stored values right after a save: the ones in memory.

    remember() has set the fields that the save did not write, and has locked the row. Only what the database
    computes is read.
    """
    values = instance.values_in_memory()
    if any(hasattr(value, "resolve_expression") for value in values.values()):
        values = instance._values_of_row()
    if instance._is_locked:
        _locked.get()[instance._key] = values
    return values


def recall(instance: TrackedModel) -> dict[str, Any] | None:
    """Returns what remember() stored."""
    return instance.__dict__.pop("_before", None)
