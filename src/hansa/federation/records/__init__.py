"""Mere records of partners and customers: things of a standard that no room knows more of.

Takes in whole documents and the party whose they are; hands on the same, found by filters.
"""
