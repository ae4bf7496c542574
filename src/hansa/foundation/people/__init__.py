"""Who works here: people and what they may do, their sessions, what was done and by whom.

Takes in sign-ins, changes and proposals from the portal and the command line; hands on who
asks, what they typed when their session had ended, and decisions that two people made.
"""
