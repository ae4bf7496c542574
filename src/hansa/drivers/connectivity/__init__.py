"""Connectivity on real daemons: lines of an access operator, and private networks over them.

Takes in intents; hands on lines at their speed, tunnels, routes, and what they carry.
"""
