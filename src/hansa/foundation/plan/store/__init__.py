"""The tables of plans and tasks, and every line of SQL about them."""
