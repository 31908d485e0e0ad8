"""The staff's workplace. Each module registers what it is about."""

from tickets.admin import activity_log, category, notification, status, ticket

__all__ = ["activity_log", "category", "notification", "status", "ticket"]
