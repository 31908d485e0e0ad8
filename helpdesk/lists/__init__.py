"""Tools for lists, independent of a model.

`paging` has keyset pagination and capped counts, `orders` the order by a column's name, `requests` a request
with another query. The admin's lists (`changelists`, `admin`, the tags of `staff_list`) use them.
"""
