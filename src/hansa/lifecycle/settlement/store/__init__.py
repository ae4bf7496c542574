"""The tables of settlement, and every line of SQL about them and about files of call records."""
