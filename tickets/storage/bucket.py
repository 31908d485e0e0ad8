"""Attachments in an S3 bucket, which may be slow or down."""

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

from tickets.rules.validators import MAX_FILE_BYTES

CONNECT_SECONDS, READ_SECONDS = 3, 7
TRIES = 2


class AttachmentBucket(S3Storage):
    """Has short timeouts: boto3's defaults are five attempts of a minute each."""

    def get_default_settings(self):
        return {
            **super().get_default_settings(),
            "default_acl": None,
            # Keys are random, so the storage need not check whether a file exists.
            "file_overwrite": True,
            "client_config": Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": TRIES, "mode": "standard"},
            ),
            # One request per file, so that no incomplete multipart upload stays in the bucket.
            "transfer_config": TransferConfig(
                use_threads=False, num_download_attempts=1, multipart_threshold=MAX_FILE_BYTES + 1
            ),
        }

    def _open(self, name, mode="rb"):
        """Checks the bucket too if a file is missing, because a missing bucket must raise ClientError."""
        try:
            return super()._open(name, mode)
        except FileNotFoundError:
            self.connection.meta.client.head_bucket(Bucket=self.bucket_name)
            raise
