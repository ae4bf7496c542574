"""Who may trade what with whom, on which terms.

Takes in drafts, signatures and gate evidence; hands on the terms that are in force now.
"""
