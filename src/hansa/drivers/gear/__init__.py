"""The same intent for real equipment: texts for it, and NETCONF that takes them there and back.

Takes in an intent of a family and a make, which is a data file; hands on what a device is told.
"""
