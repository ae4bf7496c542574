"""Broadband lines on real daemons: addresses by Kea, speeds by RADIUS, and what was used.

Takes in what a line should be; hands on what it is, as its network gateway says.
"""
