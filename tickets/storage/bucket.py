"""Attachments in a bucket of S3 or its like, which may be far away or down."""

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

from tickets.validators import MAX_FILE_BYTES

CONNECT_SECONDS, READ_SECONDS = 3, 7
TRIES = 2


class AttachmentBucket(S3Storage):
    """Fails soon: boto3 by itself waits a minute for each of five tries."""

    def get_default_settings(self):
        return {
            **super().get_default_settings(),
            "default_acl": None,
            # Keys are random. Otherwise each file would be asked for before it is stored.
            "file_overwrite": True,
            "client_config": Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": TRIES, "mode": "standard"},
            ),
            # One request for each file, so no part of one waits in the bucket for the others.
            "transfer_config": TransferConfig(
                use_threads=False, num_download_attempts=1, multipart_threshold=MAX_FILE_BYTES + 1
            ),
        }

    def _open(self, name, mode="rb"):
        """A bucket that is not there has no file either, so it is asked for too: that raises ClientError."""
        try:
            return super()._open(name, mode)
        except FileNotFoundError:
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
            raise
