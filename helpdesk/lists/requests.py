"""The same request with another query: what a list shows for filters that its address does not have."""

from copy import copy

from django.http import HttpRequest, QueryDict


def with_query(request: HttpRequest, query: QueryDict) -> HttpRequest:
    asked = copy(request)
    asked.GET = query
    return asked
