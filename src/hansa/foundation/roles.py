"""The roles of PostgreSQL under which a node works; they are the same for a whole server.

None of them is a superuser, and none but the owner may change a table. What each may do is
said in the rooms' schemas; `hansa.foundation.schema` has what is common to all.
"""

from __future__ import annotations

OWNER = "hansa_owner"
"""Owns the tables where the migrations are run by a superuser; else the URL's user owns them."""

NODE = "hansa_node"
"""As which a node works: reads and writes every row, and changes no table."""

GUEST = "hansa_guest"
"""As which a request of a partner or customer works: with its own rows, in few tables."""

CLERK = "hansa_clerk"
"""Owns the functions that do for a guest what it may not do itself. Nobody logs in as it."""
