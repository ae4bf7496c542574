"""The command line `hansa`: one file for each noun; parse, one call, render.

Takes in words and files from a person or a script; hands on tables, or JSON with `--json`.
"""
