"""People are found by each spelling of their names, in lists and where somebody is chosen."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import User
from accounts.tests.cast import make_person

pytestmark = pytest.mark.django_db
PICKER = "/admin/autocomplete/?app_label=tickets&model_name=ticket&field_name=requester&term="

# name, what finds it, what does not
NAMES = [
    ("Jürgen Müller", "Müller Mueller Muller müll muell MÜLLER mu\u0308ller juergen jurgen", "Moller Miller Myeller"),
    ("Paula Mueller", "Müller Mueller muell müll", "Muler"),
    ("Erik Jørgensen", "Jørgensen Jorgensen Joergensen Jörgensen JØRGENSEN", "Jargensen Jaergensen"),
    ("Ægir Þórsson", "Ægir Aegir aegir ægir Þórsson Thorsson thórsson", "Agirr"),
    ("Lars Åberg", "Åberg Aberg Aaberg åberg", "Oberg Aeberg"),
    ("Per Aaberg", "Åberg Aaberg", "Oberg"),
    ("José Núñez", "José Jose JOSE Núñez Nunez", "Joze Nuenez"),
    ("Sinéad O'Neill", "O'Neill ONeill oneill O’Neill O`Neill Neill sinead SINÉAD", "ONeal"),
    ("Pat ONeill", "O'Neill oneill O’Neill", "O'Neal"),
    ("Rory O’Brien", "O'Brien OBrien o’brien", "OBryan"),
    ("Anne-Marie Groß", "Anne-Marie annemarie anne‑marie Groß Gross GROSS", "annmarie"),
    ("Annemarie Weiss", "Anne-Marie Weiß weiss", "Weisz"),
    ("Michael Israel", "Michael Israel michael", "Michal Isral Michel"),
    ("Łukasz Dvořák", "Łukasz Lukasz Dvorak Dvořák", "Dworak"),
    ("Ολγα Παπαδοπούλου", "Όλγα παπαδοπουλου", "ολγη"),
    ("Ana de la Cruz", "cruz ANA", "anna"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "finding", "missing"), NAMES, ids=[row[0] for row in NAMES])
def test_name(name, finding, missing):
    make_person(name, email="p@example.com")
    make_person("Nobody Else", email="q@example.com")
    for typed in finding.split():
        assert [str(one) for one in User.objects.named(typed)] == [name], typed
        assert [str(one) for one in User.objects.described([typed])] == [name], typed
    for typed in missing.split():
        assert not User.objects.named(typed).exists(), typed


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("Mueller Jürgen", True), ("muller juerg", True), ("jürgen mueller@example.com", True),
        ("muller@example.com", False), ("müller@example.com", True), ("Müller Hans", False),
        ("O", True), ("\0", False), ("müller\0", False), ("%", False), ("_", False), ("", True),
    ],
)  # fmt: skip
def test_words_of_a_name_and_address(typed, is_found):
    make_person("Jürgen Müller-Og", email="jo.mueller@example.com")
    assert User.objects.named(typed).exists() == is_found


def test_department_is_found_among_people_but_names_nobody():
    make_person("Alice Moreau", department="Zentralbüro")
    assert User.objects.described(["buero"]).exists()
    assert User.objects.described(["Zentralbüro", "moreau"]).exists()
    assert not User.objects.named("buero").exists()


def test_new_name_is_found_however_it_is_saved():
    person = make_person("Alice Moreau")
    person.full_name = "Alice Müller"
    person.save(update_fields=["full_name"])
    assert User.objects.named("mueller").get() == person
    person.full_name, person.department = "Alice Moreau", "Büro"
    person.save()
    assert not User.objects.named("mueller").exists()
    assert User.objects.described(["buero"]).get() == person
    User.objects.bulk_create([User(full_name="Åsa", email="asa@x.example", password="!")])
    assert User.objects.named("aasa").exists()


def test_plain_word_is_looked_for_once():
    assert str(User.objects.named("Weber").query).count("%weber%") == 3


def test_names_in_plain_letters_take_no_room():
    assert make_person("Alice Moreau").name_words == ""


def test_migration_fills_the_spellings_of_people_who_are_there():
    person = make_person("Jürgen Müller", department="Büro")
    User.objects.update(name_words="", department_words="")
    assert not User.objects.named("mueller").exists()
    import_module("accounts.migrations.0021_fill_other_spellings").fill(apps, connection.schema_editor())
    assert User.objects.named("mueller").get() == person
    assert User.objects.described(["buero"]).get() == person


def test_people_are_chosen_and_listed_by_each_spelling(client, ann):
    make_person("Jürgen Müller", email="jm@example.com")
    client.force_login(ann)
    for typed in ("mueller", "Müller", "muller", "juergen muell"):
        chosen = client.get(PICKER + typed).json()["results"]
        assert [one["text"] for one in chosen] == ["Jürgen Müller"], typed
        page = client.get("/admin/accounts/user/", {"q": typed})
        assert [str(one) for one in page.context["cl"].result_list] == ["Jürgen Müller"], typed
    assert client.get(PICKER + "moller").json()["results"] == []
