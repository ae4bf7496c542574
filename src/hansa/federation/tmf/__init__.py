"""The TM Forum v4 dialect of our contract: official paths and shapes, both directions.

Takes in requests and answers as JSON; hands on values of contract.py and papers.py.
"""
