"""Can it be had there? Each part of each item finds its seller: own coverage, then partners.

Takes in a buyer's need; hands on a seller for every part, or the reason why there is none.
"""
