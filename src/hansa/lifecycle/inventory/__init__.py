"""What each buyer holds today, and what it stands on.

Takes in what delivery has provided; hands on holdings, sold and bought alike.
"""
