"""What others may ask or do about what is held.

looking: whether it is as it was promised. tickets: what is wrong with it, and what is done then.
overview: many of them, for our own people.
"""
