"""The page of a person, and the handover of tickets when a person stops working."""
