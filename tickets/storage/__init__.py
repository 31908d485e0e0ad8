"""Where the bytes of attachments lie: a folder, or a bucket of S3 or its like (STORAGES["attachments"]).

Start with `access`: every call of the store goes through it and fails in one way, StoreUnavailable. `field`
is the model's field on top of it; `folder` and `bucket` are the two stores; `probe` asks every few minutes
whether the store works. What an attachment is stands in tickets.models.attachment.
"""
