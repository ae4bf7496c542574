"""The tables of the catalogue and the files of its decks, with every line of SQL about them."""
