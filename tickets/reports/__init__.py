"""Figures about tickets and email: what the reports, the start page and the export show.

Start with `page`, which combines `trend`, `key_figures` and `breakdowns`; `sources` says where they count:
`figures` and `durations` in SQL, or daily figures (`daily_counting`, `daily_keeping`). `periods` defines what
is compared, `charts` calculates drawings, `export` writes CSV in batches.
"""
