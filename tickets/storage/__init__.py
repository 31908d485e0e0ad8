"""The file storage of attachments: a folder, or an S3 bucket (STORAGES["attachments"]).

Start with `access`, which wraps every call of the storage and raises StoreUnavailable for all errors. `field`
is the model field; `folder` and `bucket` are the two storages. tickets.files.probe checks whether the storage
works; tickets.models.attachment is the model.
"""
