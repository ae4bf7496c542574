"""What many owe each other, netted among all, and what is paid, to which account.

Takes in invoiced statements and what people enter of parties; hands on plans that all have
signed, their postings, orders to our bank, and the particulars that papers name.
"""
