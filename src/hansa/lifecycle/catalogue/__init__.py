"""What is on offer, of our own and of partners resold, and at what price.

Takes in offers, price lists, decks, reference rates and tax rules; hands on what a buyer may have.
"""
