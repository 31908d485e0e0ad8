"""The helpdesk: what happens to tickets. Each package says what is in it (README, "Architecture").

Only the wiring lies loose here: `apps`, `urls`, `jobs` (timed), and `signals` (the pipe: start there).
"""
