"""The TM Forum resources that a node serves: one small module for each API.

Each hands out its `API`: attributes, resources, and where the things come from.
"""
