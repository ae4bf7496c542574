"""Is it as promised?

Takes in the condition of what a holding stands on, and what buyers report; hands on the
condition of the holding, and tickets to those who can mend it.
"""
