"""Templates and scripts keep the strict content policy and can be translated."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

from tickets.tests.house.test_permissions import names as url_names

ROOT = Path(settings.BASE_DIR, "templates")
TEMPLATES = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.suffix in (".html", ".txt")
)
PAGES = [name for name in TEMPLATES if name.endswith(".html") and not name.startswith("emails/")]


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_compiles(name):
    get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_page_has_nothing_inline(name):
    text = re.sub(r"{%.*?%}|{{.*?}}", "", Path(ROOT, name).read_text(), flags=re.S)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert "javascript:" not in text
    assert not re.search(r"https?://(?!www\.w3\.org)", text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_marked_safe(name):
    assert "|safe" not in Path(ROOT, name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_every_word_can_be_translated(name):
    """What is left outside tags and translations is marks, not words."""
    text = Path(ROOT, name).read_text()
    text = re.sub(r"{% comment %}.*?{% endcomment %}", "", text, flags=re.S)
    text = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", text, flags=re.S)
    text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->|<[^>]*>", "", text, flags=re.S)
    assert not re.findall(r"[A-Za-z]{3,}", re.sub(r"&\w+;", "", text))


def test_scripts_build_no_code_from_text():
    building = re.compile(r"\beval\b|new Function|innerHTML|insertAdjacentHTML|document\.write")
    scripts = {path.name: path.read_text() for path in Path(settings.BASE_DIR, "static", "js").rglob("*.js")}
    assert "drafts.js" in scripts
    assert [name for name, text in scripts.items() if building.search(text)] == []


def test_every_static_file_that_a_template_names_exists():
    """In production a missing one would break its page: the names are looked up in a manifest."""
    pattern = re.compile(r"""{% (?:static ['"]|get_static_prefix %})([^'"]+)['"]""")
    named = {name for page in PAGES for name in pattern.findall(Path(ROOT, page).read_text())}
    assert len(named) > 10
    assert [name for name in sorted(named) if finders.find(name) is None] == []


def test_every_link_that_a_template_names_exists():
    known = url_names()
    named = {
        name for page in TEMPLATES for name in re.findall(r"{% url '([^']+)'", Path(ROOT, page).read_text())
    }
    assert len(named) > 10
    assert named <= known
