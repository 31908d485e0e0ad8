"""Email for staff: the log of sent and received email, the quarantine, suppressed addresses."""
