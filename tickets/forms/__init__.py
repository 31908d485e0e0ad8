"""Forms of the portal and of the agent workspace: what may be typed, with its errors. They save through
models and tickets.actions, and know neither the log nor email.
"""
