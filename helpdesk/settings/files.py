"""Static files, attachments, and the size of requests and uploads."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.settings.mode import BASE_DIR, IS_LOCAL, VAR_DIR
from tickets.rules import file_types

# Static files. Local mode serves them from the sources, without collectstatic.
STATIC_URL = "static/"
STATIC_ROOT = None if IS_LOCAL else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = IS_LOCAL
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Attachments have no URL of their own: a view checks permissions and serves them.
ATTACHMENT_TYPES = file_types.chosen(env.words("ATTACHMENT_TYPES"))
S3_BUCKET = env.text("S3_BUCKET")
ATTACHMENTS_DIR = Path(env.text("ATTACHMENTS_DIR", str(VAR_DIR / "attachments")))
if not IS_LOCAL and not S3_BUCKET:
    env.required("ATTACHMENTS_DIR", why="it names the folder for attachments. Or set S3_BUCKET.")
    if env.text("DYNO"):
        raise ImproperlyConfigured("S3_BUCKET is missing: files on this host don't last.")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR}},
    "attachments": {
        "BACKEND": "tickets.storage.folder.AttachmentFolder",
        "OPTIONS": {"location": ATTACHMENTS_DIR, "file_permissions_mode": 0o600},
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if IS_LOCAL
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
if S3_BUCKET:
    STORAGES["attachments"] = {
        "BACKEND": "tickets.storage.bucket.AttachmentBucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
            "region_name": env.text("S3_REGION") or None,
        },
    }

# The size of a request, its fields and its files (tickets.rules.validators limits the files of a message)
REQUEST_MAX_BYTES = 26 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "tickets.storage.uploads.TolerantUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600
