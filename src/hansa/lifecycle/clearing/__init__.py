"""What many owe each other, netted among all; and where papers and payments go.

Takes in invoiced statements and what people enter of parties; hands on plans that all have
signed, their postings, and the particulars that papers name.
"""
