"""People are imported and invited on a phone, without JavaScript."""

import pytest

from accounts.models import Invitation, User

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
CONTENT = "name;email;department\nNora Diaz;nora@example.com;Sales\n;alice@example.com;Purchasing\n;x;\n"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_of_people_is_imported_and_invited(open_browser, alice, sam, scheme):
    page = open_browser(sam, java_script_enabled=False, color_scheme=scheme, **PHONE)
    page.goto("/admin/accounts/user/")
    page.get_by_role("link", name="Import people").click()
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": CONTENT.encode("utf-16")}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Preview changes").click()
    assert page.get_by_text("Line 4, column “email”: Enter an email address").is_visible()
    assert page.get_by_role("row", name="alice@example.com").get_by_text("Purchasing").is_visible()
    page.get_by_role("button", name="Import 2 people, skip the other lines").click()
    page.get_by_text("1 person created. 1 person updated.").wait_for()
    alice.refresh_from_db()
    assert alice.department == "Purchasing"
    page.get_by_role("link", name="Invite 1 person").click()
    page.get_by_role("button", name="Invite 1 person").click()
    page.get_by_text("1 person will be invited.").wait_for()
    nora = User.objects.get(email="nora@example.com")
    assert Invitation.objects.get(person=nora).asked_at
