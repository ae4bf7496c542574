"""Decisions about offers and prices, and about decks, as pure functions."""
