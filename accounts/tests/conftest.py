from accounts.tests.cast import alice, ann, bob, charlie, client_of, roles, root, sam

__all__ = ["alice", "ann", "bob", "charlie", "client_of", "roles", "root", "sam"]
