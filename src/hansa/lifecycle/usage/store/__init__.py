"""The tables and files of usage.

months: which are open, and the files of a holding in them. events: files of the network's own
records. arrow: columns.
"""
