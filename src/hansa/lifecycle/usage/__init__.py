"""What was consumed.

Takes in readings from sellers once a month has ended; hands on usage files and closed months.
"""
