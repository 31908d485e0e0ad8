"""The `commands`, and the code of the larger ones: `demo`, `benchmark`, `importing`, and `job_threads` of the
worker. `limits` lifts the time limits that apply to pages.
"""
