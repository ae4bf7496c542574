"""The tables of clearing, and every line of SQL about them."""
