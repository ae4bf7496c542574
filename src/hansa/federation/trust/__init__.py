"""Trust on every message: who may come in, how answers are known, and what is noted of each.

Takes in: messages as they travel. Hands on: callers who are known, and evidence of what they said.
"""
