"""Timed jobs for attachments: thumbnails, deletion of discarded files, a health check of the storage.

`rendering` draws an image in its own process. tickets.storage stores the bytes.
"""
