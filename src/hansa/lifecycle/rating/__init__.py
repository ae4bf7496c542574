"""What usage is worth, line by line, each with its reason.

Takes in closed months of usage; hands on rated lines of what is sold and of what is bought.
"""
