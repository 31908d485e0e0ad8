"""Local or production: ALLOWED_HOSTS decides. Hosts, the secret key, name and address."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from helpdesk import env

BASE_DIR = env.BASE_DIR
VAR_DIR = BASE_DIR / "var"
env.load()


def local_secret_key(path: Path) -> str:
    """The secret key of local mode. Generates it once and stores it beside the database."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(get_random_secret_key())
    return path.read_text(encoding="utf-8")


# The name of the helpdesk on pages, in titles and in emails.
SITE_NAME = env.text("SITE_NAME", "Helpdesk")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
IS_LOCAL = not ALLOWED_HOSTS
DEBUG = env.flag("DEBUG")
if IS_LOCAL:
    if env.text("DYNO"):
        raise ImproperlyConfigured("ALLOWED_HOSTS is missing: it names the hosts this helpdesk answers to.")
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    SECRET_KEY = env.text("SECRET_KEY") or local_secret_key(VAR_DIR / "secret_key")
    SITE_URL = env.origin("SITE_URL", "http://localhost:8000")
else:
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts one by one, not *.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must be off where ALLOWED_HOSTS is set: its pages show secrets.")
    SECRET_KEY = env.required("SECRET_KEY", why="it signs sessions and links. Take 50 random characters.")
    env.required("SITE_URL", why="links in emails start with it, like https://helpdesk.example.com.")
    SITE_URL = env.origin("SITE_URL")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
