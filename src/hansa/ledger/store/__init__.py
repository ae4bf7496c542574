"""The tables of the books, and every line of SQL about them: the books, and their chain."""
