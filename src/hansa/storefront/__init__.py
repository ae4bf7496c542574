"""This node as others meet it: a Seller and Listener to trade with, a Shelf to look things up in.

Takes in: one actor and what it asks. Hands on: calls of the rooms, each in its own transaction.
"""
