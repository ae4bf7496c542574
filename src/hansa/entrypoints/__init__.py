"""The doors: HTTP, the worker, the command line. Each parses, makes one call, and renders.

Takes in requests from outside and a Node; hands on answers.
"""
