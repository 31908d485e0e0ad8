"""How an email leaves: `esp` (a service that Anymail knows), `smtp`, `graph` (Microsoft 365), `console`.

Each turns the answer of its server into an `outcome`, and delivery reads only that.
"""
