"""Plays an alliance from files: its operators, agreements and story, on real nodes.

Takes in a folder under `scenarios/`; hands on what happened and the proof that books agree.
"""
