"""How nodes trade: what they ask each other (Seller) and what they tell each other (Listener).

Takes in requests of partners and answers of sellers; hands on values in our own words.
"""
