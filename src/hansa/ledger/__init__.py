"""The books: accounts, entries that balance, holds, and a chain of hashes over all of it.

Takes in entries and holds from billing, settlement and order; hands on balances and proof.
"""
