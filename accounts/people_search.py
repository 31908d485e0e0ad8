"""Finds people by name, in any spelling."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q

from helpdesk.letters import words_of
from helpdesk.readings import all_words, other_readings

MOST_WORDS = 10
SHORTEST_PART = 2  # letters; the O of O'Neill would match too many names


class OtherSpellings(models.TextField):
    """The words of other spellings of the field `of`, as far as they are not contained in it."""

    def __init__(self, *args, of: str = "", **kwargs):
        self.of = of
        as_ever = {"blank": True, "editable": False, "default": "", "db_default": ""}
        super().__init__(*args, **as_ever | kwargs)

    def deconstruct(self):
        """Migrations see a TextField, because the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, model_instance, add):
        value = other_spellings(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value


def other_spellings(text: str) -> str:
    small = text.lower()
    return " ".join(word for word in all_words(text) if not (small.isascii() and word in small))


def holding(typed: Iterable[str], columns: dict[str, str | None]) -> Q:
    """Rows with every one of `typed` in one of `columns`, which map columns to their OtherSpellings."""
    found = Q()
    for one in list(typed)[:MOST_WORDS]:
        found &= Q.create([_holds_one(reading, columns) for reading in _readings(one)], connector=Q.OR)
    return found


def _readings(typed: str) -> list[list[str]]:
    """The distinct spellings of `typed`: unchanged, split into words, and other spellings of these words."""
    words = words_of(typed)
    can_be_apart = words and "@" not in typed and min(map(len, words)) >= SHORTEST_PART
    apart = [words] if can_be_apart else []
    as_typed = [typed.lower() if typed.isascii() else typed]
    readings = (as_typed, *apart, *other_readings(typed, is_asked=True))
    return list(map(list, dict.fromkeys(map(tuple, readings))))


def _holds_one(words: list[str], columns: dict[str, str | None]) -> Q:
    return Q.create([_holds(word, columns) for word in words])


def _holds(word: str, columns: dict[str, str | None]) -> Q:
    as_typed = [Q((f"{column}__icontains", word)) for column in columns]
    otherwise = [Q((f"{column}__contains", word)) for column in columns.values() if column]
    return Q.create([*as_typed, *otherwise], connector=Q.OR)
