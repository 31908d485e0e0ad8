"""Pictures among the attachments, as pages show them: smaller, without what a camera wrote into them.

`rendering` draws one in a process of its own; `making` draws what waits and stores it beside the file.
"""
