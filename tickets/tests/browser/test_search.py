"""The search box completes the word that is being typed (search_box.js)."""

import pytest

OFFERED = "options => options.map(option => option.value)"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("prio", ["priority:urgent", "priority:high", "priority:normal", "priority:low"]),
        ("printer is:una", ["printer is:unassigned"]),
        ("printer -has", ["printer -has:file"]),
        ("ASSIGNEE:M", ["assignee:me"]),
        ("printer ", []),
        ("xyz", []),
    ],
)
@pytest.mark.parametrize(("page", "box"), [("/tickets/", "#id_q"), ("/admin/tickets/ticket/", "#searchbar")])
def test_last_word_is_completed_behind_what_stands_there(open_browser, ann, page, box, typed, offered):
    tab = open_browser(ann)
    tab.goto(page)
    tab.locator(box).press_sequentially(typed)
    assert sorted(tab.locator("#search-words option").evaluate_all(OFFERED)) == sorted(offered)
