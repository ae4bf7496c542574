"""What is paid between partners: to whom, and where papers and payments go.

Takes in what people enter of parties; hands on the particulars that papers name.
"""
